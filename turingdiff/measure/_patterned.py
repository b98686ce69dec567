"""Whether a picture shows a pattern at all: the contrast up to which a field counts as uniform."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from turingdiff.measure._validation import finite_values

SHARE = 1e-5  # of the largest magnitude: a thousandth of a grey level
UNDERFLOW = math.sqrt(np.finfo(np.float64).tiny)  # values below it have no squares


def negligible(*fields: ArrayLike) -> float:
    """The largest contrast that counts as none: 1e-5 of the largest magnitude, rounding (8 eps of it), or 1.5e-154."""
    arrays = [np.asarray(field) for field in fields]
    share = max([SHARE] + [8 * float(np.finfo(array.dtype).eps) for array in arrays if array.dtype.kind == "f"])
    return max(share * max(float(np.abs(array).max()) for array in arrays), UNDERFLOW)


def patterned(pictures: ArrayLike, others: Iterable[ArrayLike] = ()) -> bool | NDArray[np.bool_]:
    """Tell which pictures show a pattern: a contrast above 1e-5 of the largest magnitude.

        max f - min f > 1e-5 max |f|        the last maximum over the whole batch, and over `others`

    Parameters
    ----------
    pictures
        (H, W), (C, H, W) or (B, C, H, W); finite real numbers.
    others
        Fields or numbers to judge by as well, such as the earlier frames of a run: a decayed pattern is uniform
        beside what it was, although rounding still varies.

    Returns
    -------
    bool or ndarray
        One answer, or (B,) for a batch.

    Examples
    --------
    >>> import numpy as np
    >>> import turingdiff as td
    >>> wave = np.cos(np.arange(8.0))[None, :]
    >>> td.measure.patterned(1 + wave), td.measure.patterned(1 + 1e-9 * wave)
    (True, False)
    """
    values = finite_values(pictures)
    answer = np.ptp(values, axis=tuple(range(-min(values.ndim, 3), 0))) > negligible(pictures, *others)
    return answer if values.ndim == 4 else bool(answer)
