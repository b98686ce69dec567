"""Pickles of rules: their values, and references to their functions.

A function is pickled by its name. One that a call has made has no name of its own: it carries that call in its
attribute ``made_by = (callable, *arguments)``, and the call is pickled instead. A kind of rule with other parts has a
``__reduce__`` of its own.
"""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar

R = TypeVar("R")


def reduced(rule: Any) -> tuple[Any, ...]:
    """What ``rule.__reduce__`` returns.

    Raises
    ------
    pickle.PicklingError
        For a part that has no importable name, such as a lambda.
    """
    parts = {one.name: _portable(getattr(rule, one.name)) for one in fields(rule) if one.init}
    for name, part in parts.items():
        _check(rule.name, name, part)
    return _restored, (type(rule), parts)


def _portable(value: Any) -> Any:
    made_by = getattr(value, "made_by", None) if inspect.isfunction(value) else None
    return value if made_by is None else _Call(*made_by)


class _Call:
    """In the place of a function, the call that makes it."""

    def __init__(self, function: Callable, *arguments: Any):
        self.function, self.arguments = function, arguments

    def made(self) -> Any:
        return self.function(*self.arguments)


def _restored(kind: type[R], parts: dict[str, Any]) -> R:
    return kind(**{name: part.made() if isinstance(part, _Call) else part for name, part in parts.items()})


def _check(rule: str, name: str, part: Any) -> None:
    if not (callable(part) or isinstance(part, _Call)):
        return
    try:
        pickle.dumps(part)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise pickle.PicklingError(
            f"{rule} cannot be pickled because of its {name} ({error}): use functions that are defined at the top of a "
            "module and can be imported from there by their names"
        ) from error
