"""The contrast up to which a field counts as uniform, in measures and in pictures."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

SHARE = 1e-5  # of the largest magnitude: a thousandth of a grey level
UNDERFLOW = math.sqrt(np.finfo(np.float64).tiny)  # values below it have no squares


def negligible(*fields: ArrayLike) -> float:
    """The largest contrast that counts as none: 1e-5 of the largest magnitude, rounding (8 eps of it), or 1.5e-154."""
    arrays = [np.asarray(field) for field in fields]
    share = max([SHARE] + [8 * float(np.finfo(array.dtype).eps) for array in arrays if array.dtype.kind == "f"])
    return max(share * max(float(np.abs(array).max()) for array in arrays), UNDERFLOW)
