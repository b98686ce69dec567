"""Compilation: what is cached, what makes a cached kernel stale, and what compiled code computes."""

import os
import platform
import re
import subprocess
import sys
import textwrap
import types
from pathlib import Path

import llvmlite.binding as llvm
import numba
import numpy as np
import pytest
from llvmlite import ir
from rules import decay_rule, last

import turingdiff as td
from turingdiff.engine import compile, kernels, subnormals
from turingdiff.engine.compile import CELL_OPTIONS, kernel
from turingdiff.engine.fingerprint import fingerprint
from turingdiff.engine.kernel_cache import KEPT, cache_size, clear_cache, remove_superseded

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


FORMS = """
import enum
import operator
import types
from typing import NamedTuple

import numba
import numpy as np
import helpers
from numba.extending import intrinsic, overload, register_jitable
from template import template
from turingdiff.engine.compile import kernel


class Colour(enum.Enum):
    RED = 2.0

class Count(enum.IntEnum):
    TWO = 2

class Pair(NamedTuple):
    first: float
    second: float

MEMBER, TABLE, PAIR, SCALE = Colour.RED, np.array([2.0]), Pair(2.0, 1), np.float32(2)

@numba.vectorize
def dynamic(u):
    return 2.0 * u

@numba.vectorize(["float64(float64)"])
def eager(u):
    return 2.0 * u

@numba.njit
def jitted(u):
    return 2.0 * u

def named(u):
    return 2.0 * u

@numba.njit
def calls_plain(u):
    return named(u)

@register_jitable
def registered(u):
    return 2.0 * u

def overloaded(u):
    return u  # what compiled code does with it stands below, and is all that is edited

@overload(overloaded)
def _overloaded(u):
    return lambda u: 2.0 * u

def indirect(u):
    return overloaded(u)

@intrinsic
def lowered(context, u):
    def generate(context, builder, signature, args):
        return builder.fmul(args[0], args[0].type(2.0))
    return u(u), generate

def default(u, by=2.0):
    return by * u

def closed():
    by = 2.0
    return lambda u: by * u

closure = closed()

FORMS = {
    "dynamic": lambda u: dynamic(u), "eager": lambda u: eager(u), "jitted": lambda u: jitted(u),
    "plain": lambda u: named(u), "calls_plain": lambda u: calls_plain(u), "registered": lambda u: registered(u),
    "overloaded": lambda u: overloaded(u), "indirect": lambda u: indirect(u), "lowered": lambda u: lowered(u),
    "default": lambda u: default(u), "closure": lambda u: closure(u), "member": lambda u: MEMBER.value * u,
    "enum": lambda u: Colour.RED.value * u, "whole": lambda u: Count.TWO.value * u, "array": lambda u: TABLE[0] * u,
    "fields": lambda u: Pair(u, 2.0).second * u, "instance": lambda u: PAIR.first * u, "scalar": lambda u: SCALE * u,
    "module": lambda u: helpers.helper(u), "constant": lambda u: helpers.K * u,
}

for name, form in FORMS.items():
    compiled = kernel(template, False, cell_rate=form)
    print(name, compiled(1.0), sum(compiled.stats.cache_hits.values()), vars(named) == {})
"""


@pytest.mark.compiled
def test_an_edit_of_whatever_a_rule_names_changes_its_kernel_and_nothing_else_compiles_anew(tmp_path):
    (tmp_path / "template.py").write_text("def template(u):\n    return cell_rate(u)\n")

    def run(value):
        (tmp_path / "helpers.py").write_text(f"K = {value}\n\ndef helper(u):\n    return {value} * u\n")
        script = FORMS.replace("2.0", value).replace("TWO = 2", f"TWO = {value[0]}").replace("t32(2)", f"t32({value})")
        (tmp_path / "script.py").write_text(script)
        environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache"), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, tmp_path / "script.py"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        rows = [line.split() for line in done.stdout.splitlines()]
        assert {name: float(rate) for name, rate, *_ in rows} == dict.fromkeys((row[0] for row in rows), float(value))
        assert {untouched for *_, untouched in rows} == {"True"}
        return {name for name, _, hits, _ in rows if hits == "1"}, {row[0] for row in rows}

    assert run("2.0")[0] == set()
    assert run("3.0")[0] == set()
    loaded, everything = run("3.0")
    assert everything - loaded == set()


# --- fingerprints


def function(source, **names):
    """The function ``f`` of `source`, whose globals are `names`."""
    namespace = {"__name__": __name__, **names}
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
    documented = function('def f(x):\n    "why"\n    return K * x', K=2.0)
    assert fingerprint(documented) == fingerprint(function('def f(x):\n    "how"\n    return K * x', K=2.0))
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
    ],
)
def test_whatever_a_function_means_is_in_its_fingerprint(before, after):
    assert fingerprint(before) != fingerprint(after)


class Unknown:
    strength = 2.0


@pytest.mark.parametrize("value", [Unknown(), Unknown, np.array([None]), np.vectorize(abs), {1: Unknown()}])
def test_what_is_not_understood_has_no_fingerprint(value):
    assert fingerprint(function("def f(x): return K.strength * x", K=value)) is None
    # An attribute of the same name is no use of it.
    assert fingerprint(function("def f(x): return x.K", K=value)) is not None


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


@pytest.mark.compiled
@pytest.mark.parametrize("module", [{}, {"__name__": "no_such_module"}])
def test_functions_in_no_module_run_and_are_not_cached(module):
    # Numba imports the modules of all functions in a kernel when it loads one from disk.
    namespace = {"__builtins__": {}, **module}
    exec("def g(x): return 2 * x\ndef f(x): return g(x)", namespace)
    f = types.FunctionType(namespace["f"].__code__, {**module, "g": namespace["g"]})
    assert fingerprint(f) is None

    def template(x):
        return cell_rate(x)  # noqa: F821

    made = kernel(template, False, cell_rate=f)
    assert made(1.5) == 3
    assert made.stats.cache_path is None


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


def text(phi, i, j, t, p, g, out):
    out[0, i, j] = "a lot"


@pytest.mark.compiled
@pytest.mark.parametrize("cell", [undefined, opens_a_file, text])
def test_a_rule_that_does_not_compile_is_named(cell):
    rule = td.Rule(cell, (), 1, td.Neighbourhood(0), name="my rule")
    message = r"the cell function of my rule does not compile.* must write out\[channel, i, j\] without reading it"
    with pytest.raises(TypeError, match=message):
        last(td.evolve(rule, np.ones((1, 2, 2)), [0, 1]))


# --- standing on Numba

WITHOUT_THE_PASS = """
import warnings
import numpy as np
from numba.core import compiler_machinery, options, untyped_passes
{change}
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import turingdiff as td
def cell(phi, i, j, t, p, g, out):
    out[0, i, j] = 1 - 0.1 * phi[0, i, j]
rate = td.Rule(cell, (), 1, td.Neighbourhood(0)).rate(np.full((1, 2, 2), 0.3, np.float32))
print([str(warning.message) for warning in caught if "turingdiff" in warning.filename], rate.dtype, rate[0, 0, 0])
"""


@pytest.mark.compiled
@pytest.mark.parametrize(
    "change, said",
    [
        ("del untyped_passes.IRProcessing", "without it, correct but slower"),
        ("del compiler_machinery.PassManager.add_pass_after", "without it, correct but slower"),
        ("del options.DefaultOptions._nrt", "no option _nrt"),
    ],
)
def test_with_a_numba_that_lacks_what_we_lean_on_rules_run_and_a_warning_says_so(change, said, tmp_path):
    script = WITHOUT_THE_PASS.format(change=change)
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert said in done.stdout
    assert done.stdout.split()[-2:] == ["float32", "0.97"]


@pytest.mark.compiled
def test_where_numba_does_not_name_its_files_after_functions_nothing_is_cached(monkeypatch, tmp_path):
    monkeypatch.setattr(numba.core.caching.CompileResultCacheImpl, "filename_base", "kernels.same-1.py3")

    def template(x):
        return x + 1

    with pytest.warns(RuntimeWarning, match="not kept on disk"):
        made = kernel(template, False)
    assert made(1.5) == 2.5
    assert made.stats.cache_path is None


def stored(folder, name, age):
    for end in (".nbi", ".1.nbc", ".2.nbc"):
        file = folder / f"kernels.euler_{name}-7.py311{end}"
        file.write_bytes(b"1234")
        os.utime(file, (age, age))


def test_kernels_that_are_out_of_date_are_removed_and_others_stay(tmp_path):
    same, new, others = "mine_aaaa_1111", "mine_aaaa_2222", [f"mine_bb{n:02}_1111" for n in range(KEPT + 5)]
    for age, name in enumerate([same, "yours_aaaa_1111", "bands_mine_aaaa_1111", *others]):
        stored(tmp_path, name, age)
    remove_superseded(tmp_path, f"kernels.euler_{new}-7.py311", "aaaa_2222")
    left = {file.name.split("-")[0].removeprefix("kernels.euler_") for file in tmp_path.iterdir()}
    assert left == {"yours_aaaa_1111", "bands_mine_aaaa_1111", *others[6:]}
    assert cache_size([tmp_path]) == 12 * len(left)
    remove_superseded(tmp_path, f"kernels.euler_{others[-1]}-7.py311", others[-1].removeprefix("mine_"))
    assert cache_size([tmp_path]) == 12 * len(left)  # known: nothing is about to be written
    clear_cache([tmp_path, tmp_path / "none"])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.compiled
def test_all_kernels_stand_in_folders_whose_cache_is_shown():
    package = Path(td.__file__).parent
    named = [path for path in package.rglob("*.py") if re.search(r"@patch_kernel|[ (]kernel\(", path.read_text())]
    assert {path.parent.name for path in named} == set(compile.WITH_KERNELS)
    assert Path(kernel(kernels.fill_halo, False).stats.cache_path) in compile.cache_folders()


@pytest.mark.compiled
def test_a_name_that_was_missing_may_be_defined_later():
    cell = function("def f(phi, i, j, t, p, g, out): out[0, i, j] = late * phi[0, i, j]")
    rule = td.Rule(cell, (), 1, td.Neighbourhood(0))
    with pytest.raises(TypeError, match="does not compile"):
        rule.rate(np.ones((1, 2, 2)))
    cell.__globals__["late"] = 2.0
    assert (rule.rate(np.ones((1, 2, 2))) == 2).all()


FORK = """
import multiprocessing
import numpy as np
import turingdiff as td

def run(queue=None):
    rule = td.morphogenesis.gray_scott()
    result = rule.rate(np.full((2, 300, 300), 0.5)).sum()
    return result if queue is None else queue.put(result)

before = run()
context = multiprocessing.get_context("fork")
queue = context.SimpleQueue()
child = context.Process(target=run, args=(queue,), daemon=True)
child.start()
child.join(60)
print(child.exitcode == 0 and queue.get() == before)
"""


@pytest.mark.compiled
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_runs_although_its_parent_has_started_threads():
    environment = {**os.environ, "NUMBA_NUM_THREADS": "2"}
    done = subprocess.run([sys.executable, "-c", FORK], env=environment, capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == ["True"], done.stderr
