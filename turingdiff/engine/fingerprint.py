"""What a compiled function means: a hash of its bytecode and of everything that it names, or None.

Numba takes globals for constants, so machine code depends on the values of all names in a function, and in the
functions that it names. A value is either understood here, whole, or there is no fingerprint and nothing is cached.
"""

from __future__ import annotations

import dis
import enum
import hashlib
import importlib.util
import inspect
import itertools
import sys
import types
from collections.abc import Callable, Hashable, Iterable, Iterator
from functools import cache
from typing import Any

import llvmlite
import numba
import numpy as np
from numba.core.extending import _Intrinsic
from numba.core.typing.templates import builtin_registry
from numba.extending import is_jitted
from numba.np.ufunc.dufunc import DUFunc

# What these packages hold is known by its name and their versions.
BY_NAME = frozenset({"builtins", "_operator", "operator", "math", "cmath", "numpy", "numba", "llvmlite"})
VERSIONS = (
    f"python {sys.version_info[:2]} numpy {np.__version__} numba {numba.__version__} llvmlite {llvmlite.__version__}"
)
PLAIN_TYPES = (bool, int, float, complex, str, bytes, type(None), type(...))
COMPILER = ("compile", "fingerprint", "weak_scalars")  # modules of the engine that no kernel names


class _UnknownError(Exception):
    """A value whose meaning is not seen."""


def fingerprint(*functions: Callable) -> str | None:
    """Hash of the bytecode of `functions`, the functions they name, and the values they name.

    Returns
    -------
    str or None
        None if they name a value that is not understood (an object of a class of the user's, for example), or stand
        in no module that another process could import.
    """
    reading = _Reading()
    try:
        for function in functions:
            reading.add(function)
        for key in filter(_is_unnamed, reading.overloads):
            reading.add_overloads(key)
        reading.walk()
    except _UnknownError:
        return None
    return reading.digest.hexdigest()


@cache
def compiler_fingerprint() -> str:
    """Hash of what every kernel depends on: the versions of the compilers and the engine's part in compiling."""
    reading = _Reading()
    reading.add(VERSIONS)
    for name in COMPILER:
        spec: Any = importlib.util.find_spec(f"{__package__}.{name}")
        reading.add_code(spec.loader.get_code(spec.name))
    return reading.digest.hexdigest()


def is_plain(value: object) -> bool:
    """Whether `value` is a Python function of a package that Numba does not know by itself."""
    # Not __module__, which functools.wraps takes from another function.
    return isinstance(value, types.FunctionType) and not _is_of_known_package(value.__globals__.get("__name__", ""))


def is_overloaded(function: Callable) -> bool:
    """Whether Numba was given a compiled form of a plain function."""
    return any(template.key is function for template in builtin_registry.functions)


def named_values(function: types.FunctionType) -> Iterator[tuple[str, object]]:
    """What the global names, closure variables and module attributes in `function` may stand for."""
    names = names_in(function.__code__)
    values = [(name, function.__globals__[name]) for name in names if name in function.__globals__]
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    yield from [*values, *((name, cell.cell_contents) for name, cell in cells)]
    modules = [value for _, value in values if is_walked_module(value)]
    for module in modules:  # grows
        members = module_members(module, names)
        modules += [value for _, value in members if is_walked_module(value) and value not in modules]
        yield from members


def is_walked_module(value: object) -> bool:
    """Whether `value` is a module in which functions of users or of other packages may stand."""
    return isinstance(value, types.ModuleType) and not _is_of_known_package(value.__name__)


def module_members(module: types.ModuleType, names: Iterable[str]) -> list[tuple[str, object]]:
    """Those of `names` that `module` has."""
    return [(name, vars(module)[name]) for name in names if name in vars(module)]


def names_in(code: types.CodeType) -> list[str]:
    """The names of globals and attributes in `code` and in the functions made in it, sorted."""
    inner = [names_in(constant) for constant in code.co_consts if isinstance(constant, types.CodeType)]
    return sorted({*code.co_names, *itertools.chain(*inner)})


class _Reading:
    """One walk over functions and values, each function once and in a fixed order."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()
        self.functions: list[types.FunctionType] = []
        self.walked = 0
        self.overloads = _overloads()

    def add(self, value: object) -> None:
        self.digest.update(self.described(value))

    def add_code(self, code: types.CodeType) -> None:
        """Read bytecode, without docstrings and line numbers."""
        self.digest.update(code.co_code + code.co_exceptiontable)
        variadic = code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS)
        names = (code.co_names, code.co_varnames, code.co_freevars, code.co_argcount, code.co_kwonlyargcount, variadic)
        self.digest.update(repr(names).encode())
        for constant in code.co_consts[_has_docstring(code) :]:
            if isinstance(constant, types.CodeType):
                self.add_code(constant)
            else:
                self.add(constant)

    def walk(self) -> None:
        """Read all functions that are waiting, and those that they name."""
        while self.walked < len(self.functions):
            function = self.functions[self.walked]
            self.walked += 1
            module = function.__module__
            if module not in sys.modules:  # Numba imports it when it loads a kernel, and fails
                raise _UnknownError
            self.add(module)
            self.add_code(function.__code__)
            self.add((function.__defaults__, *(function.__kwdefaults__ or {}).items()))
            for name, value in named_values(function):
                try:
                    self.digest.update(name.encode() + self.described(value))
                except _UnknownError:
                    if name in function.__globals__ and name not in _globals(function.__code__):
                        continue  # an attribute of the same name
                    raise

    def add_overloads(self, key: Any) -> None:
        """Read the forms that ``numba.extending.overload`` gave a function in compiled code."""
        for template in self.overloads.get(key, ()):
            form = _form(template)
            if not isinstance(form, types.FunctionType):
                raise _UnknownError
            self._walk_later(form)
            self.add((form.__qualname__, getattr(template, "_jit_options", None)))

    def described(self, value: Any) -> bytes:
        """Bytes that differ where `value` means another thing; functions in it are walked later."""
        kind = type(value)
        name = f"{kind.__module__}.{kind.__qualname__} "
        if kind in PLAIN_TYPES or (isinstance(value, np.generic) and not value.dtype.hasobject):
            return f"{name}{value!r}".encode()
        if kind in (tuple, list) or (isinstance(value, tuple) and hasattr(kind, "_fields")):
            return name.encode() + b"(" + b",".join(map(self.described, value)) + b")"
        if isinstance(value, (set, frozenset)):
            return b"{" + b",".join(sorted(map(self.described, value))) + b"}"
        if isinstance(value, dict):
            return b"dict" + self.described(list(value.items()))
        if isinstance(value, slice):
            return b"slice" + self.described((value.start, value.stop, value.step))
        if isinstance(value, np.ndarray) and not value.dtype.hasobject:
            return f"array {value.dtype} {value.shape}".encode() + value.tobytes()
        if isinstance(value, (np.dtype, numba.types.Type)) and " at 0x" not in repr(value):
            return f"{name}{value!r}".encode()
        if isinstance(value, types.ModuleType):
            return f"module {value.__name__}".encode()
        if isinstance(value, enum.Enum):
            return self.described(kind) + value.name.encode()
        if isinstance(value, type):
            return self._class(value)
        return self._function(value)

    def _class(self, value: Any) -> bytes:
        name = f"class {value.__module__}.{value.__qualname__}"
        if _is_of_known_package(value.__module__) or value.__module__ == f"{__package__}.weak_scalars":
            return name.encode()
        if issubclass(value, enum.Enum):
            members = [(member.name, member.value) for member in value]
            return f"{name} {[base.__qualname__ for base in value.__mro__]}".encode() + self.described(members)
        if issubclass(value, tuple) and hasattr(value, "_fields"):
            methods = [method for method in vars(value).values() if is_plain(method)]
            return name.encode() + self.described((value._fields, methods))
        raise _UnknownError

    def _function(self, value: Any) -> bytes:
        function, options = value, b""
        if is_jitted(value):
            signatures = [] if value._can_compile else value.signatures
            function, options = (
                value.py_func,
                self.described((value.targetoptions, value._compiler.pipeline_class, signatures)),
            )
        elif isinstance(value, DUFunc):
            dispatcher = value._dispatcher
            signatures = value.types if value._frozen else []
            function, options = (
                dispatcher.py_func,
                self.described((dispatcher.targetoptions, str(value.identity), signatures)),
            )
        elif isinstance(value, _Intrinsic):
            function = value._defn
        if isinstance(value, Hashable):
            self.add_overloads(value)
        name = getattr(function, "__qualname__", getattr(function, "__name__", "")).encode()
        if is_plain(function):
            self._walk_later(function)
        elif not (_is_of_known_package(_module(function)) and _reached(function) in (value, function)):
            raise _UnknownError
        return b"function " + name + options

    def _walk_later(self, function: types.FunctionType) -> None:
        if function not in self.functions:
            self.functions.append(function)


def _overloads() -> dict[Any, list[Any]]:
    """Templates that others than Numba gave it, by the functions, operators, methods and attributes they are for."""
    found: dict[Any, list[Any]] = {}
    for template in filter(_is_foreign, [*builtin_registry.functions, *builtin_registry.attributes]):
        found.setdefault(template.key, []).append(template)
    return found


@cache
def _is_foreign(template: Any) -> bool:
    return is_plain(template.key) or is_plain(_form(template))


def _form(template: Any) -> object:
    return getattr(template, "_overload_func", None)


def _is_unnamed(key: object) -> bool:
    """Whether code can use what is overloaded without a global name: an operator, a builtin, a method."""
    return isinstance(key, (str, type, numba.types.Type)) or _module(key) in ("builtins", "_operator")


def _module(value: object) -> str:
    return getattr(value, "__module__", None) or ("numpy" if isinstance(value, np.ufunc) else "")


def _reached(function: Any) -> object:
    """What stands in a function's module under its name."""
    return getattr(sys.modules.get(_module(function)), getattr(function, "__name__", ""), None)


def _is_of_known_package(module: str) -> bool:
    return module.partition(".")[0] in BY_NAME


def _globals(code: types.CodeType) -> set[str]:
    """The names of `code` that are looked up as globals, and are not attributes alone."""
    inner = [_globals(constant) for constant in code.co_consts if isinstance(constant, types.CodeType)]
    loads = (i.argval for i in dis.get_instructions(code) if i.opname in ("LOAD_GLOBAL", "LOAD_NAME"))
    return set(loads).union(*inner)


def _has_docstring(code: types.CodeType) -> bool:
    """Whether the first constant is a docstring, which no machine code depends on."""
    if not code.co_consts or not isinstance(code.co_consts[0], str):
        return False
    if sys.version_info >= (3, 13):
        return bool(code.co_flags & 0x4000000)  # CO_HAS_DOCSTRING
    return code.co_name == "<module>" or not code.co_name.startswith("<")
