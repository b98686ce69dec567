"""NumPy's promotion of Python numbers, inside compiled code.

To NumPy 2, and so to a cell function that runs as plain Python, ``1 - u`` with a float32 `u` is a float32. Numba
types the literal as int64 and computes in float64: the same rule would give other digits compiled, and run
markedly slower. This compiler pass makes them weak: in ``+ - * /`` and in
comparisons a literal, a named constant, or arithmetic on those takes the type of a floating-point partner.
"""

from __future__ import annotations

import operator

from numba import types
from numba.core import ir
from numba.core.compiler import CompilerBase, DefaultPassBuilder
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
                for side, partner in _literal_operands(state.func_ir, statement):
                    body += _weaken(state.func_ir, block.scope, statement, side, partner)
                    changed = True
                body.append(statement)
            block.body = body
        return changed


def _literal_operands(func_ir, statement):
    expression = getattr(statement, "value", None)
    if not (isinstance(expression, ir.Expr) and "binop" in expression.op and expression.fn in OPERATORS):
        return
    weak = [side for side in ("lhs", "rhs") if _is_weak(func_ir, getattr(expression, side).name)]
    if len(weak) == 1:  # two need no partner
        yield weak[0], "rhs" if weak == ["lhs"] else "lhs"


def _is_weak(func_ir, name):
    """Whether a variable always holds a Python number: a literal, a named constant, or arithmetic on those."""
    definitions = func_ir._definitions.get(name, [])
    value = definitions[0] if len(definitions) == 1 else None
    if isinstance(value, ir.Var):
        return _is_weak(func_ir, value.name)
    if isinstance(value, ir.Expr):
        return value.op in ("binop", "unary") and all(_is_weak(func_ir, v.name) for v in value.list_vars())
    return isinstance(value, (ir.Const, ir.Global, ir.FreeVar)) and type(value.value) in (int, float)


def _weaken(func_ir, scope, statement, side, partner):
    expression, loc = statement.value, statement.loc
    function = scope.redefine("$weak_function", loc)
    value = scope.redefine("$weak_value", loc)
    arguments = (getattr(expression, side), getattr(expression, partner))
    assignments = [
        ir.Assign(ir.Global("_weak", _weak, loc), function, loc),
        ir.Assign(ir.Expr.call(function, arguments, (), loc), value, loc),
    ]
    for assignment in assignments:
        func_ir._definitions[assignment.target.name].append(assignment.value)
    setattr(expression, side, value)
    return assignments


class WeakScalarCompiler(CompilerBase):
    """Numba's nopython pipeline with `WeakScalars` in it."""

    def define_pipelines(self):
        """One pipeline: the default one plus the pass."""
        pipeline = DefaultPassBuilder.define_nopython_pipeline(self.state)
        pipeline.add_pass_after(WeakScalars, IRProcessing)
        pipeline.finalize()
        return [pipeline]
