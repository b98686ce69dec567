"""FILE.py:NAME on the command line: a system, a rule, a machine, or a function that returns one, in a user's file."""

from __future__ import annotations

import inspect
import sys
import traceback
from collections.abc import Mapping
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from turingdiff.engine.rule import Rule
from turingdiff.engine.suggestions import unknown


def is_in_file(text: str) -> bool:
    """Whether a name is meant as FILE.py:NAME."""
    return text.endswith(".py") or text.rpartition(":")[0].endswith(".py")


class OrInFile(tuple[str, ...]):
    """Names to choose from; FILE.py:NAME is one of them."""

    __slots__ = ()

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or (isinstance(name, str) and is_in_file(name))


def plain_title(text: str) -> str:
    """What files of results are called after: NAME of FILE.py:NAME, the name of any other file without its ending."""
    return text.rpartition(":")[2] if is_in_file(text) else Path(text).stem


def read(text: str) -> Any:
    """What FILE.py:NAME stands for.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file does not run, or has no such name.
    """
    file, _, name = text.rpartition(":")
    path = Path(file or name)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {str(path)!r}")
    module = _run(path)
    public = [key for key, value in vars(module).items() if _is_own(value, module)]
    if not file:
        raise ValueError(f"say what to take from {path}: {path}:NAME. There are {', '.join(public) or 'none'}")
    if not hasattr(module, name):
        raise ValueError(unknown(f"name of {path}", name, public))
    return getattr(module, name)


def made(thing: Any, text: str, given: Mapping[str, Any]) -> Rule:
    """The rule that FILE.py:NAME is, or that the system, class or function of this name returns for `given`.

    Raises
    ------
    ValueError
        For `given` where the rule is made already.
    TypeError
        If it is anything else.
    """
    kinds = "a system, a rule, a machine, or a function that returns one"
    if isinstance(thing, Rule):
        if given:
            raise ValueError(f"{text} is a rule that is made already: {', '.join(given)} would change nothing")
        return thing
    if not callable(thing):
        raise TypeError(f"{text} is {thing!r}, expected {kinds}")
    rule = thing(**given)
    if not isinstance(rule, Rule):
        raise TypeError(f"{text} returned {rule!r}, expected {kinds}")
    return rule


def takes(function: Any, option: str) -> bool:
    """Whether a function has an argument of this name."""
    return option in _arguments(function)


def needs(function: Any, option: str) -> bool:
    """Whether a function has an argument of this name without a default."""
    return takes(function, option) and _arguments(function)[option].default is inspect.Parameter.empty


def _arguments(function: Any) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(function).parameters if callable(function) else {}


def _run(path: Path) -> ModuleType:
    spec = spec_from_file_location(f"turingdiff_user_{path.stem}", path)
    assert spec is not None  # the file ends with .py
    assert spec.loader is not None
    module = sys.modules[spec.name] = module_from_spec(spec)
    sys.path.append(str(path.resolve().parent))  # for what stands beside it
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
        at = f"{path}, line {lines[-1]}" if lines else str(path)
        raise ValueError(f"{at}: {type(error).__name__}: {error}") from error
    return module


def _is_own(value: Any, module: ModuleType) -> bool:
    return isinstance(value, Rule) or getattr(value, "__module__", None) == module.__name__
