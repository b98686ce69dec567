"""Compilation: what is cached, what makes a cached kernel stale, and what compiled code computes."""

import os
import platform
import subprocess
import sys
import textwrap
import types

import llvmlite.binding as llvm
import numba
import numpy as np
import pytest
from llvmlite import ir
from rules import decay_rule, last

import turingdiff as td
from turingdiff.engine import subnormals
from turingdiff.engine.compile import CELL_OPTIONS, fingerprint, kernel

# --- the cache on disk, across processes

SCRIPT = """
import numpy as np
import turingdiff as td
from turingdiff.engine import flow

STRENGTH = 0.5

def helper(u):
    return STRENGTH * u

@td.reaction(species="uv")
def mine(u, v, k=1.0):
    return helper(u) - k, v

rule = mine(k=2.0, boundary="no_flux")
*_, (t, field) = td.evolve(rule, np.ones((2, 3, 4)), [0, 1.0])
stats = flow._kernel("euler", False, rule.cell).stats
print(field[0, 0, 0], sum(stats.cache_hits.values()), sum(stats.cache_misses.values()))
"""


def run_script(folder, source, hash_seed):
    """Run `source` as a script of its own; returns (value, loaded from disk, compiled)."""
    script = folder / "script.py"
    script.write_text(source)
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder / "cache"), "PYTHONHASHSEED": hash_seed}
    done = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True, check=True)
    value, hits, misses = done.stdout.split()
    return float(value), int(hits), int(misses)


def cached_files(folder):
    return {file.name for file in folder.rglob("*.nbc")}


@pytest.mark.compiled
def test_a_rule_in_a_script_is_compiled_once(tmp_path):
    assert run_script(tmp_path, SCRIPT, "0") == (-0.5, 0, 1)
    files = cached_files(tmp_path)
    assert len(files) == 1
    # Another process, another order of sets, a comment more, all lines moved, another parameter: no new file.
    remark = SCRIPT.replace("def helper(u):", "# moved\n\n\ndef helper(u):\n    # a remark").replace("k=2.0", "k=3.0")
    assert run_script(tmp_path, remark, "5") == (-1.5, 1, 0)
    assert cached_files(tmp_path) == files


@pytest.mark.slow  # the fingerprints below say so of each
@pytest.mark.compiled
def test_a_rule_in_a_script_is_compiled_again_when_its_meaning_changes(tmp_path):
    assert run_script(tmp_path, SCRIPT, "0") == (-0.5, 0, 1)
    files = cached_files(tmp_path)
    edits = {"body": ("- k, v", "- 2 * k, v"), "helper": ("* u\n", "* u * u + 1\n"), "constant": ("= 0.5", "= 0.25")}
    for (old, new), value in zip(edits.values(), (-2.5, 0.5, -0.75), strict=True):
        assert run_script(tmp_path, SCRIPT.replace(old, new), "0") == (value, 0, 1)
        assert cached_files(tmp_path) > files
        files = cached_files(tmp_path)


# --- fingerprints


def function(source, **names):
    """The function ``f`` of `source`, whose globals are `names`."""
    namespace = {"__name__": "made", **names}
    exec(textwrap.dedent(source), namespace)
    return namespace["f"]


def two_deep(constant):
    def inner(x):
        return x * constant

    def outer(x):
        return inner(x) + 1

    return outer


def test_equal_functions_have_equal_fingerprints():
    assert fingerprint(two_deep(0.5)) == fingerprint(two_deep(0.5))
    plain = function("def f(x): return K * x", K=2.0)
    commented = function("\n\n# why\ndef f(x):\n    # because\n    return K * x", K=2.0)
    assert fingerprint(plain) == fingerprint(commented)
    unused = function("def f(x): return K * x", K=2.0, L=3.0)
    assert fingerprint(plain) == fingerprint(unused)


CONSTANT = "def f(x): return K * x"


@pytest.mark.parametrize(
    "before, after",
    [
        (two_deep(0.5), two_deep(0.25)),
        (function(CONSTANT, K=2.0), function(CONSTANT, K=3.0)),
        (function(CONSTANT, K=2.0), function(CONSTANT, K=2)),
        (function(CONSTANT, K=np.float32(2)), function(CONSTANT, K=np.float64(2))),
        (function(CONSTANT, K=np.arange(3)), function(CONSTANT, K=np.arange(3) + 1)),
        (function(CONSTANT, K=np.zeros(4)), function(CONSTANT, K=np.zeros((2, 2)))),
        (function(CONSTANT, K=(1, (2, 3))), function(CONSTANT, K=(1, (2, 4)))),
        (function("def f(x): return 2 * x"), function("def f(x): return 3 * x")),
        (function("def f(x): return 0.0 * x"), function("def f(x): return -0.0 * x")),
        (function("def f(x): return 1 * x"), function("def f(x): return True * x")),
        (function("def f(x): return abs(x)"), function("def f(x): return min(x)")),
        (function("def f(x, a=1): return a * x"), function("def f(x, a=2): return a * x")),
        (function("def f(x, *, a=1): return a * x"), function("def f(x, *, a=2): return a * x")),
        (function("def f(x): return x in {1, 2}"), function("def f(x): return x in {1, 3}")),
        (function("def f(x): return (lambda y: 2 * y)(x)"), function("def f(x): return (lambda y: 3 * y)(x)")),
        (
            function("def f(x): return (lambda y: K * y)(x)", K=1.0),
            function("def f(x): return (lambda y: K * y)(x)", K=2.0),
        ),
        (
            function("def f(x): return tools.scale(x)", tools=types.SimpleNamespace()),
            function("def f(x): return tools.shift(x)", tools=types.SimpleNamespace()),
        ),
    ],
)
def test_whatever_a_function_means_is_in_its_fingerprint(before, after):
    assert fingerprint(before) != fingerprint(after)


def test_functions_and_constants_behind_a_module_are_in_the_fingerprint(monkeypatch):
    def cell(phi, i, j, t, p, g, out):
        out[0, i, j] = td.stencils.laplacian(phi, 0, i, j, g)

    before = fingerprint(cell)
    monkeypatch.setattr(td.stencils, "laplacian", two_deep(1.0))
    patched = fingerprint(cell)
    monkeypatch.setattr(td.stencils, "laplacian", two_deep(2.0))
    assert len({before, patched, fingerprint(cell)}) == 3

    module = types.ModuleType("constants")
    module.K = 1.0
    scaled = function("def f(x): return constants.K * x", constants=module)
    first = fingerprint(scaled)
    module.K = 2.0
    assert fingerprint(scaled) != first


def test_a_default_that_is_an_object_does_not_put_its_address_into_the_fingerprint():
    # Otherwise every process would compile anew and leave a file behind.
    made = [function("def f(x, helper=helper): return helper(x)", helper=two_deep(1.0)) for _ in range(2)]
    assert fingerprint(made[0]) == fingerprint(made[1])


def test_functions_made_without_a_module_have_fingerprints_too():
    def made(constant):
        namespace = {}
        exec(f"def g(x): return {constant} * x\ndef f(x): return g(x)", {"__builtins__": {}}, namespace)
        f = types.FunctionType(namespace["f"].__code__, {"g": namespace["g"]})
        assert namespace["g"].__module__ is None
        return f

    assert fingerprint(made(1)) == fingerprint(made(1)) != fingerprint(made(2))


def test_functions_that_know_themselves_and_each_other_end():
    f = function("def f(x): return g(x)\ndef g(x): return f(x)")
    assert fingerprint(f) == fingerprint(f)


@pytest.mark.compiled
def test_kernels_differ_in_name_by_rule_and_by_threads():
    def template(x):
        return cell_rate(x)  # noqa: F821

    def cell(x):
        return x + 1

    names = {
        kernel(template, parallel, cell_rate=c).__qualname__ for parallel in (False, True) for c in (cell, two_deep(1))
    }
    assert len(names) == 4
    assert kernel(template, False, cell_rate=cell).__qualname__ in names
    assert kernel(template, False, cell_rate=cell)(1.5) == 2.5


# --- weak scalars

WEAK = [
    "1 - x",
    "x - 1",
    "0.1 * x",
    "x / 3",
    "3 / x",
    "-0.1 * x",
    "K * x",
    "x + N",
    "-K * x",
    "(2 * K + 1) * x",
    "1 / N * x",
    "K * 2 * x * N",
    "max(x, K)",
    "min(0, x)",
    "min(max(N * x - 1, 0.0), 1) * x",
]


@pytest.mark.compiled
@pytest.mark.parametrize("expression", WEAK)
def test_a_python_number_takes_the_type_of_its_partner(expression):
    f = function(f"def f(x): return {expression}", K=0.1, N=3)
    compiled = numba.njit(**CELL_OPTIONS)(f)
    for x in (np.float32(0.3), np.float64(0.3)):
        assert compiled(x) == f(x)
        assert compiled.nopython_signatures[-1].return_type == numba.typeof(x)


@pytest.mark.compiled
def test_weak_numbers_through_variables_and_augmented_assignment():
    f = function(
        """
        def f(x):
            tenth = 0.1
            y = x * tenth
            y += 0.7
            y *= 3
            y -= K
            y /= 7
            return y
        """,
        K=0.2,
    )
    compiled = numba.njit(**CELL_OPTIONS)(f)
    x = np.float32(0.3)
    assert compiled(x) == f(x)
    assert compiled.nopython_signatures[-1].return_type == numba.float32


@pytest.mark.compiled
def test_comparisons_round_the_python_number():
    # np.float32(0.1) == 0.1 in NumPy 2, although the float32 is 1.5e-9 more.
    f = function("def f(x): return x == 0.1, x > 0.1, 0.1 < x, x <= K", K=0.1)
    assert numba.njit(**CELL_OPTIONS)(f)(np.float32(0.1)) == f(np.float32(0.1)) == (True, False, False, True)


@pytest.mark.compiled
def test_what_is_no_python_number_keeps_its_type():
    double = function("def f(x, y): return x * y + 1")
    assert numba.njit(**CELL_OPTIONS)(double)(np.float32(0.3), np.float64(0.3)) == double(
        np.float32(0.3), np.float64(0.3)
    )
    strong = function("def f(x): return K * x", K=np.float64(0.1))
    compiled = numba.njit(**CELL_OPTIONS)(strong)
    assert compiled(np.float32(0.3)) == strong(np.float32(0.3))
    assert compiled.nopython_signatures[-1].return_type == numba.float64
    whole = function("def f(n): return 7 * n + 2 - 1")
    assert numba.njit(**CELL_OPTIONS)(whole)(5) == 36


# --- subnormal numbers

TINY = np.finfo(np.float32).tiny


@pytest.mark.compiled
@pytest.mark.skipif(subnormals.MACHINE not in subnormals.REGISTER, reason="no flushing on this processor")
def test_subnormals_are_flushed_inside_a_kernel_and_only_there():
    assert TINY * np.float32(0.5) > 0
    field = np.array([[[TINY, 1.0, 2 * TINY]]])
    np.testing.assert_array_equal(decay_rule(0.5).rate(field.astype(np.float32)), [[[0, -0.5, -TINY]]])
    assert TINY * np.float32(0.5) > 0
    # The same in a fused Euler loop, where dt times the rate of the first cell would be subnormal.
    end = last(td.evolve(decay_rule(1.0), field.astype(np.float32), [0, 0.5]))
    np.testing.assert_array_equal(end, [[[TINY, 0.5, TINY]]])
    assert TINY * np.float32(0.5) > 0


def test_without_compilation_flushing_does_nothing():
    assert subnormals.flush_subnormals() == 0
    assert subnormals.restore_subnormals(0) is None


def assembly(read, write, triple):
    """Machine code of ``write(read() | 1)`` for another processor."""
    module = ir.Module()
    body = ir.Function(module, ir.FunctionType(ir.VoidType(), []), "flush").append_basic_block()
    builder = ir.IRBuilder(body)
    write(builder, builder.or_(read(builder), ir.Constant(ir.IntType(64), 1)))
    builder.ret_void()
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    try:
        target = llvm.Target.from_triple(triple)
    except RuntimeError:
        pytest.skip(f"llvmlite is built without {triple}")
    parsed = llvm.parse_assembly(str(module))
    parsed.verify()
    return target.create_target_machine().emit_assembly(parsed)


def test_flushing_on_arm_sets_fpcr():
    code = assembly(subnormals.arm_read, subnormals.arm_write, "aarch64-unknown-linux-gnu").lower()
    assert code.index("mrs") < code.index("fpcr") < code.index("msr")
    assert code.count("fpcr") == 2
    assert subnormals.ARM_FZ == 1 << 24


def test_flushing_on_x86_sets_mxcsr():
    code = assembly(subnormals.x86_read, subnormals.x86_write, "x86_64-unknown-linux-gnu")
    assert code.index("stmxcsr") < code.index("ldmxcsr")
    assert subnormals.X86_FTZ_DAZ == (1 << 15) | (1 << 6)


def test_this_processor_is_known():
    assert platform.machine().lower() == subnormals.MACHINE
    assert set(subnormals.REGISTER) == {"x86_64", "amd64", "aarch64", "arm64"}


# --- rules that do not compile


def undefined(phi, i, j, t, p, g, out):
    out[0, i, j] = no_such_name(phi)  # noqa: F821


def opens_a_file(phi, i, j, t, p, g, out):
    with open("log") as file:
        out[0, i, j] = float(file.read())


def reads_out(phi, i, j, t, p, g, out):
    out[0, i, j] = phi[0, i, j]
    out[0, i, j] = 2 * out[0, i, j]


def text(phi, i, j, t, p, g, out):
    out[0, i, j] = "a lot"


@pytest.mark.compiled
@pytest.mark.parametrize("cell", [undefined, opens_a_file, reads_out, text])
def test_a_rule_that_does_not_compile_is_named(cell):
    rule = td.Rule(cell, (), 1, td.Neighbourhood(0), name="my rule")
    message = r"the cell function of my rule does not compile.* must write out\[channel, i, j\] without reading it"
    with pytest.raises(TypeError, match=message):
        last(td.evolve(rule, np.ones((1, 2, 2)), [0, 1]))
