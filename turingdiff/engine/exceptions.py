"""Errors and warnings of a run."""

from __future__ import annotations

import sys
import warnings


class BlowUpError(ArithmeticError):
    """A run reached a non-finite field."""


class UnstableStepWarning(UserWarning):
    """A step is above the stable limit of its stepper."""


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn, pointing at the user's own line: the first one up the stack that is not of this package."""
    frame, level = sys._getframe(0), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("turingdiff."):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)
