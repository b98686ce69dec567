"""Whether a picture shows a pattern at all."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from turingdiff.measure._validation import finite_values

NEGLIGIBLE = 1e-6  # share of the largest magnitude up to which a contrast counts as none


def patterned(pictures: ArrayLike) -> bool | NDArray[np.bool_]:
    """Tell which pictures show a pattern: a contrast above a millionth of the largest magnitude in all of them.

        max f - min f > 1e-6 max |f|        the last maximum over the whole batch

    A sample in which the pattern has decayed is uniform by this, although rounding still varies.

    Parameters
    ----------
    pictures
        (H, W), (C, H, W) or (B, C, H, W); finite real numbers.

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
    answer = np.ptp(values, axis=tuple(range(-min(values.ndim, 3), 0))) > NEGLIGIBLE * np.abs(values).max()
    return answer if values.ndim == 4 else bool(answer)
