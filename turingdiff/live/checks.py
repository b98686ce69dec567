"""What events may hold, and what a field must be."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from turingdiff.engine import BlowUpError


def check_finite(field: np.ndarray, name: str) -> np.ndarray:
    """Pass on a field of finite numbers."""
    if not (np.isfinite(field.min()) and np.isfinite(field.max())):
        raise BlowUpError(f"{name} stopped being finite here: change a parameter, erase, or reset")
    return field


def whole(value: Any, name: str, low: int, high: int) -> int:
    """Pass on a whole number between `low` and `high`."""
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float))
        or value != int(value)
        or not low <= value <= high
    ):
        raise ValueError(f"{name} must be a whole number from {low} to {high}, got {value!r}")
    return int(value)


def number(value: Any, name: str, low: float = -np.inf, high: float = np.inf) -> float:
    """Pass on a finite number between `low` and `high`."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not np.isfinite(value):
        raise ValueError(f"{name} must be a finite number, got {value!r}")
    if not low <= value <= high:
        raise ValueError(f"{name} must be from {low:g} to {high:g}, got {value!r}")
    return float(value)


def digest(field: np.ndarray) -> str:
    """A fingerprint of a field: its shape, dtype and bytes."""
    about = f"{field.dtype} {field.shape}".encode()
    return hashlib.sha256(about + np.ascontiguousarray(field).tobytes()).hexdigest()
