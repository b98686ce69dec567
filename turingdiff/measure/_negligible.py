"""The contrast up to which a field counts as uniform, in measures and in pictures."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from turingdiff.measure._topology import limit

SHARE = 1e-5  # of the largest magnitude: a thousandth of a grey level
UNDERFLOW = math.sqrt(np.finfo(np.float64).tiny)  # values below it have no squares


def negligible(*fields: ArrayLike) -> float:
    """The largest contrast that counts as none: 1e-5 of the largest magnitude, rounding, or 1.5e-154."""
    largest = max(float(np.abs(field).max()) for field in fields)
    return max(limit(None, *fields), SHARE * largest, UNDERFLOW)
