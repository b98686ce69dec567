"""Plain Python functions in, cached machine code out: the only place with Numba options.

``kernel(template, parallel, cell_rate=cell)`` compiles `template`, a plain function of `turingdiff.engine.kernels`
in which the global name ``cell_rate`` stands for a rule's cell function. Nothing has to be decorated by the user:
every plain function that the cell function names is made known to Numba first.

Kernels are cached on disk. Numba looks a function up by its qualified name, the time stamp of its file, and its own
bytecode; it does not see the functions and constants it uses, nor its options. So a kernel's *name* carries a
fingerprint of all of those: another rule, an edited helper or another option is another name. (A closure over the
rule would work only by pickling it, and a pickled dispatcher differs in every process.)
"""

from __future__ import annotations

import hashlib
import threading
import types
from collections.abc import Callable, Iterator
from functools import cache, wraps
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numba.extending import overload, register_jitable

from turingdiff.engine.weak_scalars import WeakScalarCompiler

# error_model: x/0 is inf as in NumPy; Python's check would keep loops from vectorising.
OPTIONS = {"nogil": True, "error_model": "numpy"}
# No fastmath: it gains nothing on stencils and would let equal cells differ in the last bit.
CELL_OPTIONS = {"error_model": "numpy", "pipeline_class": WeakScalarCompiler}
# For loops over patches: sums may fuse with products (fma), which is exact in one rounding instead of two.
PATCH_OPTIONS = {**OPTIONS, "pipeline_class": WeakScalarCompiler, "fastmath": {"contract", "nsz"}}

PLAIN_CONSTANTS = (bool, int, float, complex, str, bytes, type(None), np.generic)


def engine_source() -> bytes:
    """Everything under `turingdiff/engine`, the options above included: an edit makes every cached kernel stale."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return b"".join(file.read_bytes() for file in files)


@cache
def _engine_fingerprint() -> str:
    return hashlib.sha256(engine_source()).hexdigest()


def kernel(template: Callable, parallel: bool, **names: Callable) -> Callable:
    """Compile `template` with the given global `names` bound to plain functions.

    Compilation happens at the first call with a set of argument types; the next process loads it from disk.
    """
    bound = types.FunctionType(template.__code__, {**template.__globals__, **names}, template.__name__)
    functions: list[Callable] = [*names.values(), bound]
    for function in functions:
        make_known(function)
    return _cached(bound, parallel, OPTIONS, list(names.values()))


def patch_kernel(function: Callable) -> Callable:
    """Compile a kernel over patches; its ``prange`` loops are spread over threads.

    The compiler is set up at the first call: doing so at import would show in `import turingdiff`.
    """

    @cache
    def compiled(parallel: bool) -> Callable:
        own = types.FunctionType(function.__code__, function.__globals__, function.__name__)
        return _cached(own, parallel, PATCH_OPTIONS, [function])

    @wraps(function)
    def call(*arguments: Any) -> None:
        compiled(parallel=threads_allowed())(*arguments)

    return call


def threads_allowed() -> bool:
    """Whether a kernel may start threads: Numba's fallback layer aborts where two Python threads do so at once."""
    return threading.current_thread() is threading.main_thread()


def _cached(function: types.FunctionType, parallel: bool, options: dict, uses: list[Callable]) -> Callable:
    prints = "".join(fingerprint(used) for used in uses)
    key = hashlib.sha256(f"{_engine_fingerprint()}{prints}{parallel}".encode()).hexdigest()[:20]
    function.__qualname__ = "_".join(dict.fromkeys([function.__name__, *(used.__name__ for used in uses), key]))
    return numba.njit(cache=True, parallel=parallel, **options)(function)


def patch_helper(function: Callable) -> Callable:
    """Let patch kernels call a function that allocates nothing (a dispatcher as an argument could not be cached).

    Without `_nrt` a slice is two atomic reference counts, which show in loops over short rows.
    """
    return register_jitable(_nrt=False, **PATCH_OPTIONS)(function)


def allocating_helper(function: Callable) -> Callable:
    """As `patch_helper`, for a function that makes arrays."""
    return register_jitable(**PATCH_OPTIONS)(function)


def compiled_form(function: Callable) -> Callable:
    """Decorate the form that `function` takes in compiled code (Numba's ``overload``)."""
    function.has_compiled_form = True  # type: ignore[attr-defined]
    function.compiled_from = Path(function.__code__.co_filename)  # type: ignore[attr-defined]
    return overload(function)


def make_known(function: Callable) -> None:
    """Let Numba call `function` and every plain function that it names."""
    for plain in _reachable(function):
        if not hasattr(plain, "has_compiled_form"):
            register_jitable(**CELL_OPTIONS)(plain)
            plain.has_compiled_form = True  # type: ignore[attr-defined]


def fingerprint(function: Callable) -> str:
    """Hash of a function's bytecode, the functions it names, and the values of the constants it names."""
    digest = hashlib.sha256()
    for plain in _reachable(function):
        digest.update(f"{plain.__module__} ".encode())  # Numba imports it with a kernel of the cache
        for part in _code_parts(plain.__code__):
            digest.update(part)
        digest.update(_value_bytes((plain.__defaults__, *(plain.__kwdefaults__ or {}).items())))
        if hasattr(plain, "compiled_from"):  # its compiled form stands in the same file
            digest.update(plain.compiled_from.read_bytes())
        for name, value in _named_values(plain):
            digest.update(name.encode() + _value_bytes(value))
    return digest.hexdigest()


def _reachable(function: Callable) -> Iterator[types.FunctionType]:
    """The function and, recursively, the plain functions it names, each once and in a fixed order."""
    seen: list[types.FunctionType] = []
    waiting: list[Any] = [getattr(function, "py_func", function)]
    while waiting:
        current = waiting.pop()
        if current in seen:
            continue
        seen.append(current)
        waiting += [value for _, value in _named_values(current) if _is_plain(value)]
    yield from seen


def _is_plain(value: object) -> bool:
    """Whether `value` is a Python function that Numba does not know by itself."""
    return isinstance(value, types.FunctionType) and (value.__module__ or "").partition(".")[0] not in (
        "numpy",
        "numba",
        "math",
    )


def _named_values(function: types.FunctionType) -> list[tuple[str, object]]:
    """What the global names, closure variables and module attributes in `function` stand for."""
    names = sorted(_names(function.__code__))
    values = [(name, function.__globals__[name]) for name in names if name in function.__globals__]
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    values += [(name, cell.cell_contents) for name, cell in cells]
    modules = [value for _, value in values if isinstance(value, types.ModuleType)]
    while modules:
        module = modules.pop()
        if module.__name__.partition(".")[0] in ("numpy", "numba", "math"):
            continue
        members = [(name, vars(module)[name]) for name in names if name in vars(module)]
        modules += [value for _, value in members if isinstance(value, types.ModuleType)]
        values += members
    return [(name, getattr(value, "py_func", value)) for name, value in values]


def _names(code: types.CodeType) -> set[str]:
    inner = [_names(constant) for constant in code.co_consts if isinstance(constant, types.CodeType)]
    return set(code.co_names).union(*inner)


def _code_parts(code: types.CodeType) -> Iterator[bytes]:
    yield code.co_code
    yield repr((code.co_names, code.co_varnames, code.co_freevars, code.co_argcount)).encode()
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _code_parts(constant)
        else:
            yield _value_bytes(constant)


def _value_bytes(value: object) -> bytes:
    if isinstance(value, PLAIN_CONSTANTS):
        return f"{type(value).__name__} {value!r}".encode()
    if isinstance(value, (tuple, list)):
        return b"(" + b",".join(_value_bytes(item) for item in value) + b")"
    if isinstance(value, frozenset):
        return b"{" + b",".join(sorted(_value_bytes(item) for item in value)) + b"}"
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {value.shape}".encode() + value.tobytes()
    # Functions are walked by themselves; of anything else (a module, a class) the name is what Numba sees.
    kind = type(value)
    return f"{kind.__module__}.{kind.__qualname__} {getattr(value, '__qualname__', '')}".encode()


def cache_folder() -> str:
    """Where compiled kernels are kept."""
    if numba.config.DISABLE_JIT:
        return "none: NUMBA_DISABLE_JIT is set"
    dispatcher: Any = kernel(cache_folder, False)
    return dispatcher.stats.cache_path
