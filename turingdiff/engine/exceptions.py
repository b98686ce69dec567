"""What a run reports: a field that left the finite numbers, a step above the stable limit."""

from __future__ import annotations


class BlowUpError(ArithmeticError):
    """A run left the finite numbers."""


class UnstableStepWarning(UserWarning):
    """A step is above the stable limit of its stepper."""
