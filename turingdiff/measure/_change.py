"""How much a pattern has changed between two fields."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from turingdiff.measure._validation import finite_values, least_contrast


def change(earlier: ArrayLike, later: ArrayLike, *, tolerance: float | None = None) -> float:
    """Measure how much a pattern has changed.

        change = max over channels of sqrt(mean over x of (later(x) - earlier(x))²) / s

    where s is the larger of the two standard deviations over x. It is 0 for a steady pattern, sqrt(2) for an
    unrelated one of the same kind, 2 for the negative, and at least 1 for a pattern that has appeared or vanished.
    For a channel that is uniform in both fields s is the larger of the two magnitudes, so that a uniform oscillation
    counts as the share of the concentration by which it changes.

    Parameters
    ----------
    earlier, later
        (H, W) or (C, H, W), both the same.
    tolerance
        Deviations and differences up to this size count as zero; in units of the field. By default that of rounding:
        8 eps times the largest magnitude in the channel, with the eps of its own dtype.

    Raises
    ------
    TypeError
        If a field is not an array of real numbers.
    ValueError
        If the shapes differ or are not one of these, values are not finite, or ``tolerance`` is negative.
    """
    before, after = finite_values(earlier, "earlier"), finite_values(later, "later")
    if before.shape != after.shape or before.ndim > 3:
        raise ValueError(
            f"earlier has shape {before.shape} and later {after.shape}, expected the same (H, W) or (C, H, W)"
        )
    planes = (-1, *before.shape[-2:])
    channels = zip(np.reshape(earlier, planes), np.reshape(later, planes), strict=True)
    return max(_change(a, b, least_contrast(tolerance, a, b)) for a, b in channels)


def _change(earlier: np.ndarray, later: np.ndarray, least: float) -> float:
    a, b = earlier.astype(float), later.astype(float)
    difference = math.sqrt(np.mean((b - a) ** 2))
    if difference <= least:
        return 0.0
    deviation = max(float(a.std()), float(b.std()))
    return difference / (deviation if deviation > least else max(float(np.abs(a).max()), float(np.abs(b).max())))
