"""Pickles of rules: their values, and references to their functions.

A function is pickled by its name. One that a call has made has no name of its own: it carries that call in its
attribute ``made_by = (callable, *arguments)``, and the call is pickled instead. A rule whose parts are more than values
and functions is pickled as the call that made it, see `remember_call`.
"""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar

R = TypeVar("R")


def remember_call(rule: R, call: Callable[..., R], *arguments: Any) -> R:
    """Let `rule` be pickled as ``call(*arguments)``; a copy by `dataclasses.replace` forgets it again."""
    object.__setattr__(rule, "_call", (call, arguments))
    return rule


def reduced(rule: Any) -> tuple[Any, ...]:
    """What ``rule.__reduce__`` returns.

    Raises
    ------
    pickle.PicklingError
        For a part that has no importable name, such as a lambda.
    """
    if "_call" in vars(rule):
        return vars(rule)["_call"]
    parts = {}
    for one in fields(rule):
        value = getattr(rule, one.name)
        made_by = getattr(value, "made_by", None) if inspect.isfunction(value) else None
        parts[one.name] = value if made_by is None else _Call(*made_by)
        if callable(value):
            _check(rule.name, one.name, parts[one.name])
    return _restored, (type(rule), parts)


class _Call:
    """In the place of a function, the call that makes it."""

    def __init__(self, function: Callable, *arguments: Any):
        self.function, self.arguments = function, arguments

    def made(self) -> Any:
        return self.function(*self.arguments)


def _restored(kind: type[R], parts: dict[str, Any]) -> R:
    return kind(**{name: part.made() if isinstance(part, _Call) else part for name, part in parts.items()})


def _check(rule: str, name: str, part: Any) -> None:
    try:
        pickle.dumps(part)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise pickle.PicklingError(
            f"{rule} cannot be pickled because of its {name} ({error}): use functions that are defined at the top of a "
            "module and can be imported from there by their names"
        ) from error
