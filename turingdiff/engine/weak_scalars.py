"""NumPy's promotion of Python numbers, inside compiled code.

To NumPy 2, and so to a cell function that runs as plain Python, ``1 - u`` with a float32 `u` is a float32. Numba
types the literal as int64 and computes in float64: the same rule would give other digits compiled, and run
markedly slower. This compiler pass makes them weak: in ``+ - * /`` and in
comparisons, and in ``min`` and ``max`` of two, a literal, a named constant, or arithmetic on those takes the type of a
floating-point partner.
"""

from __future__ import annotations

import operator
from types import SimpleNamespace

from numba import types
from numba.core import ir
from numba.core.compiler import CompilerBase, DefaultPassBuilder, Flags, StateDict, run_frontend
from numba.core.compiler_machinery import FunctionPass, register_pass
from numba.core.untyped_passes import IRProcessing
from numba.extending import overload

OPERATORS = frozenset(
    getattr(operator, name)
    for name in ("add", "sub", "mul", "truediv", "iadd", "isub", "imul", "itruediv", "lt", "le", "gt", "ge", "eq", "ne")
)


def _weak(literal, partner):
    return literal


@overload(_weak)
def _overload_weak(literal, partner):
    if not isinstance(partner, types.Float):
        return lambda literal, partner: literal
    partner_type = partner
    return lambda literal, partner: partner_type(literal)


@register_pass(mutates_CFG=False, analysis_only=False)
class WeakScalars(FunctionPass):
    """Send every weak operand through `_weak` together with its partner."""

    _name = "turingdiff_weak_scalars"

    def __init__(self):
        FunctionPass.__init__(self)

    def run_pass(self, state):
        """Rewrite the untyped IR in place; report whether anything changed."""
        changed = False
        for block in state.func_ir.blocks.values():
            body = []
            for statement in block.body:
                before = _weakened(state.func_ir, block.scope, statement)
                changed = changed or bool(before)
                body += [*before, statement]
            block.body = body
        return changed


def _weakened(func_ir, scope, statement):
    """What is to be computed before a statement in which one of two operands is weak; rewrites its operand."""
    operands = _operands(func_ir, statement)
    weak = [_is_weak(func_ir, operand.name) for operand in operands]
    if sum(weak) != 1:  # two need no partner
        return []
    number, partner = operands if weak[0] else operands[::-1]
    loc = statement.loc
    function, value = scope.redefine("$weak_function", loc), scope.redefine("$weak_value", loc)
    assignments = [
        ir.Assign(ir.Global("_weak", _weak, loc), function, loc),
        ir.Assign(ir.Expr.call(function, (number, partner), (), loc), value, loc),
    ]
    for assignment in assignments:
        func_ir._definitions[assignment.target.name].append(assignment.value)
    _replace(statement.value, 0 if weak[0] else 1, value)
    return assignments


def _operands(func_ir, statement):
    """The two operands of arithmetic, of a comparison, of `min` or `max`; nothing for other statements."""
    expression = getattr(statement, "value", None)
    if not isinstance(expression, ir.Expr):
        return ()
    if "binop" in expression.op and expression.fn in OPERATORS:
        return expression.lhs, expression.rhs
    if expression.op == "call" and len(expression.args) == 2:
        called = _called(func_ir, expression)
        return tuple(expression.args) if called is min or called is max else ()
    return ()


def _replace(expression, side, value):
    if expression.op == "call":
        expression.args = [value if n == side else operand for n, operand in enumerate(expression.args)]
    else:
        setattr(expression, ("lhs", "rhs")[side], value)


def _called(func_ir, expression):
    """The function that a call names, where it is a global name."""
    definitions = func_ir._definitions.get(expression.func.name, [])
    value = definitions[0] if len(definitions) == 1 else None
    return value.value if isinstance(value, (ir.Global, ir.FreeVar)) else None


def _is_weak(func_ir, name):
    """Whether a variable always holds a Python number: a literal, a named constant, or arithmetic on those."""
    definitions = func_ir._definitions.get(name, [])
    value = definitions[0] if len(definitions) == 1 else None
    if isinstance(value, ir.Var):
        return _is_weak(func_ir, value.name)
    if isinstance(value, ir.Expr):
        return value.op in ("binop", "unary") and all(_is_weak(func_ir, v.name) for v in value.list_vars())
    return isinstance(value, (ir.Const, ir.Global, ir.FreeVar)) and type(value.value) in (int, float)


class WeakScalarCompiler(CompilerBase):
    """Numba's nopython pipeline with `WeakScalars` in it."""

    def define_pipelines(self):
        """One pipeline: the default one plus the pass."""
        pipeline = DefaultPassBuilder.define_nopython_pipeline(self.state)
        pipeline.add_pass_after(WeakScalars, IRProcessing)
        pipeline.finalize()
        return [pipeline]


def try_pass() -> None:
    """Run the pass on a function of one line; raises whatever does not fit where Numba's internals have changed."""
    func_ir = run_frontend(lambda x: 1 - x)
    if not WeakScalars().run_pass(SimpleNamespace(func_ir=func_ir)):
        raise AttributeError("a literal is not seen")
    DefaultPassBuilder.define_nopython_pipeline(StateDict(flags=Flags(), func_ir=None)).add_pass_after(
        WeakScalars, IRProcessing
    )
