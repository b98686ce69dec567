"""The repr of results: it fits a screen, whatever they hold."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

import numpy as np

LONGEST = 60  # characters of one value
WIDTH = 110
Class = TypeVar("Class", bound=type)


def short_repr(cls: Class) -> Class:
    """Give a dataclass a repr in which arrays are their shape and range, and other values are cut short.

    Put it above ``@dataclass``.
    """
    setattr(cls, "__repr__", _repr)  # noqa: B010 - mypy takes no assignment
    return cls


def _repr(self: Any) -> str:
    parts = (f"{field.name}={_value(getattr(self, field.name))}" for field in fields(self) if field.repr)
    return textwrap.fill(f"{type(self).__name__}({', '.join(parts)})", WIDTH, subsequent_indent="    ")


def _value(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Mapping):
        text = "{" + ", ".join(f"{key!r}: {type(one).__name__}" for key, one in value.items()) + "}"
    elif is_dataclass(value):
        return f"<{type(value).__name__}>"
    elif isinstance(value, (tuple, list)):
        text = f"{type(value).__name__} of {len(value)}" if len(value) > 8 else repr(value)
    else:
        text = repr(value)
    return textwrap.shorten(text, LONGEST, placeholder=" ...") if len(text) > LONGEST else text


def _array(value: np.ndarray) -> str:
    shape = " x ".join(map(str, value.shape)) or "one"
    numbers = value[np.isfinite(value)] if value.dtype.kind == "f" else value
    if value.dtype.kind not in "fiu" or not numbers.size:
        return f"<{value.dtype} {shape}>"
    return f"<{value.dtype} {shape}, {numbers.min():.4g} to {numbers.max():.4g}>"
