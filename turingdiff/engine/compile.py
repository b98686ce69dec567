"""Plain Python functions in, cached machine code out: the only place with Numba options.

``kernel(template, parallel, cell_rate=cell)`` compiles `template`, a plain function of `turingdiff.engine.kernels`
in which the global name ``cell_rate`` stands for a rule's cell function. Nothing has to be decorated by the user:
Numba gets copies of all functions that the cell function names, and the originals stay as they are.

Kernels are cached on disk. Numba looks a function up by its qualified name, the time stamp of its file, and its own
bytecode; it does not see the functions and constants it uses, nor its options. So a kernel's *name* carries a
fingerprint of all of those: another rule, an edited helper or another option is another name. What has no fingerprint
is not cached.
"""

from __future__ import annotations

import hashlib
import os
import threading
import types
import warnings
from collections.abc import Callable
from functools import cache, wraps
from pathlib import Path
from typing import Any

import numba
from numba.core.options import DefaultOptions
from numba.extending import is_jitted, overload, register_jitable

from turingdiff.engine.fingerprint import (
    VERSIONS,
    compiler_fingerprint,
    fingerprint,
    is_overloaded,
    is_plain,
    is_walked_module,
    module_members,
    named_values,
    names_in,
)
from turingdiff.engine.kernel_cache import remove_superseded

PACKAGE = __name__.partition(".")[0]
WITH_KERNELS = ("engine", "patches")  # folders of the package


def _weak_scalars() -> dict[str, Any]:
    """The option that makes Python numbers weak; a Numba that the pass does not fit computes without it."""
    try:
        from turingdiff.engine.weak_scalars import WeakScalarCompiler, try_pass

        try_pass()
    except Exception as error:  # whatever another Numba raises
        warnings.warn(
            f"turingdiff's compiler pass does not fit Numba {numba.__version__} ({error}): rules run without it, "
            "correct but slower, and in float32 with other last digits",
            RuntimeWarning,
            stacklevel=2,
        )
        return {}
    return {"pipeline_class": WeakScalarCompiler}


# error_model: x/0 is inf as in NumPy; Python's check would keep loops from vectorising.
OPTIONS = {"nogil": True, "error_model": "numpy"}
# No fastmath: it gains nothing on stencils and would let equal cells differ in the last bit.
CELL_OPTIONS = {"error_model": "numpy", **_weak_scalars()}
# For loops over patches: sums may fuse with products (fma), which is exact in one rounding instead of two.
PATCH_OPTIONS = {**OPTIONS, **CELL_OPTIONS, "fastmath": {"contract", "nsz"}}


def kernel(template: Callable, parallel: bool, **names: Callable) -> Callable:
    """Compile `template` with the given global `names` bound to plain functions.

    Compilation happens at the first call with a set of argument types; the next process loads it from disk.
    """
    bound = types.FunctionType(template.__code__, {**template.__globals__, **names}, template.__name__)
    if numba.config.DISABLE_JIT:
        return bound
    copy = _Copies().copy(bound)
    return _compiled(copy, parallel, OPTIONS, [copy.__globals__[name] for name in names])


def patch_kernel(function: Callable) -> Callable:
    """Compile a kernel over patches; its ``prange`` loops are spread over threads.

    The compiler is set up at the first call: doing so at import would show in `import turingdiff`.
    """

    @cache
    def compiled(parallel: bool) -> Callable:
        own = types.FunctionType(function.__code__, function.__globals__, function.__name__)
        return _compiled(own, parallel, PATCH_OPTIONS, [])

    @wraps(function)
    def call(*arguments: Any) -> None:
        compiled(parallel=threads_allowed())(*arguments)

    return call


_forked = False


def _after_fork() -> None:
    global _forked
    _forked = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def threads_allowed() -> bool:
    """Whether a kernel may start threads.

    Numba's fallback layer aborts where two Python threads do so at once, and a child process that was forked waits
    for ever for threads that only its parent has.
    """
    return threading.current_thread() is threading.main_thread() and not _forked


def _compiled(function: types.FunctionType, parallel: bool, options: dict, uses: list[Callable]) -> Callable:
    compiled, code = {"parallel": parallel, **options}, fingerprint(function)
    if code is None or numba.config.DISABLE_JIT:
        return numba.njit(**compiled)(function)
    # The first key says which rule, the second how this edition of the package and of its compiler computes it.
    rule = _hash(VERSIONS, parallel, fingerprint(*uses))
    key = f"{rule}_{_hash(compiler_fingerprint(), code)}"
    name = "_".join(dict.fromkeys([function.__name__, *(used.__name__ for used in uses)]))
    function.__qualname__ = f"{name}_{key}"
    dispatcher = numba.njit(cache=True, **compiled)(function)
    if key not in dispatcher._cache._impl.filename_base:
        warnings.warn(
            f"Numba {numba.__version__} does not name its cache after functions: kernels are not kept on disk",
            RuntimeWarning,
            stacklevel=3,
        )
        return numba.njit(**compiled)(function)
    remove_superseded(Path(dispatcher.stats.cache_path), dispatcher._cache._impl.filename_base, key)
    return dispatcher


def _hash(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


def patch_helper(function: Callable) -> Callable:
    """Let patch kernels call a function that allocates nothing (a dispatcher as an argument could not be cached).

    Without `_nrt` a slice is two atomic reference counts, which show in loops over short rows.
    """
    return register_jitable(**_WITHOUT_COUNTS, **PATCH_OPTIONS)(function)


def allocating_helper(function: Callable) -> Callable:
    """As `patch_helper`, for a function that makes arrays."""
    return register_jitable(**PATCH_OPTIONS)(function)


def _without_counts() -> dict[str, bool]:
    if hasattr(DefaultOptions, "_nrt"):
        return {"_nrt": False}
    warnings.warn(
        f"Numba {numba.__version__} has no option _nrt: machines of patches run with reference counts, slower",
        RuntimeWarning,
        stacklevel=2,
    )
    return {}


_WITHOUT_COUNTS = _without_counts()


def compiled_form(function: Callable) -> Callable:
    """Decorate the form that `function` takes in compiled code (Numba's ``overload``)."""
    return overload(function)


@cache
def callable_form(function: Any) -> Callable:
    """A copy of `function` that compiled code can call, the same for the same function."""
    if numba.config.DISABLE_JIT:
        return function
    copies = _Copies()
    # A kernel that passes on a dispatcher, as it does with a cell function, would not be cached.
    return copies.recompiled(function) if is_jitted(function) and function._can_compile else copies.of(function, ())


class _Copies:
    """Copies, for Numba, of the functions of users and of other packages and of all that they name.

    Functions of this package that close over nothing are made known to Numba themselves, and compiled once a process.
    """

    def __init__(self) -> None:
        self.made: dict[Any, Any] = {}

    def of(self, value: Any, names: Any) -> Any:
        """What stands for `value` in a copy of code with these `names`: itself, where Numba knows it."""
        if is_walked_module(value):
            return self._module(value, names)
        if is_jitted(value):
            return self._jitted(value)
        if not is_plain(value) or is_overloaded(value):
            return value
        if value.__globals__.get("__name__", "").partition(".")[0] == PACKAGE and value.__closure__ is None:
            register_jitable(**CELL_OPTIONS)(value)
            for _, used in named_values(value):
                self.of(used, ())
            return value
        if value not in self.made:
            self.copy(value, register_jitable(**CELL_OPTIONS))
        return self.made[value]

    def copy(self, function: types.FunctionType, compiled: Callable = lambda copy: copy) -> Any:
        """A copy of `function` whose global names and closure stand for copies."""
        space = {name: function.__globals__[name] for name in ("__name__",) if name in function.__globals__}
        cells = tuple(types.CellType() for _ in function.__closure__ or ())
        copy = types.FunctionType(function.__code__, space, function.__name__, function.__defaults__, cells)
        copy.__kwdefaults__ = function.__kwdefaults__
        self.made[function] = compiled(copy)  # before what it names, which may name it
        names = names_in(function.__code__)
        space |= {n: self.of(function.__globals__[n], names) for n in names if n in function.__globals__}
        for cell, original in zip(cells, function.__closure__ or (), strict=True):
            cell.cell_contents = self.of(original.cell_contents, names)
        return self.made[function]

    def _module(self, module: types.ModuleType, names: Any) -> types.ModuleType:
        if module not in self.made:
            self.made[module] = module
            members = dict(module_members(module, names))
            copies = {name: self.of(member, names) for name, member in members.items()}
            if any(copies[name] is not members[name] for name in members):
                self.made[module] = types.ModuleType(module.__name__)
                vars(self.made[module]).update(copies)
        return self.made[module]

    def _jitted(self, function: Any) -> Any:
        """A compiled function of the user's: anew where it names functions that Numba does not know."""
        if function not in self.made:
            self.made[function] = function
            if any(self.of(value, ()) is not value for _, value in named_values(function.py_func)):
                self.made[function] = self.recompiled(function)
        return self.made[function]

    def recompiled(self, function: Any) -> Callable:
        """A copy of a compiled function, with its options."""
        options = {"pipeline_class": function._compiler.pipeline_class, **function.targetoptions}
        return self.copy(function.py_func, register_jitable(**options))


def cache_folders() -> list[Path]:
    """Where compiled kernels are kept: Numba has a folder for each folder of sources."""
    if numba.config.DISABLE_JIT:
        return []
    package = Path(__file__).parents[1]
    return [_cache_of(package / name / "__init__.py") for name in WITH_KERNELS]


def _cache_of(source: Path) -> Path:
    function = types.FunctionType(_after_fork.__code__.replace(co_filename=str(source)), {"__name__": __name__})
    dispatcher: Any = numba.njit(cache=True)(function)
    return Path(dispatcher.stats.cache_path)
