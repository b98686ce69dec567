"""What every measure asks of a field at its door."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def check_field(field: ArrayLike, name: str = "field") -> NDArray[np.float64]:
    """Give a field in float64, its shape as it came.

    Parameters
    ----------
    field
        (H, W), (C, H, W) or (B, C, H, W); finite real numbers.
    name
        What to call it in an error.

    Raises
    ------
    TypeError
        If the values are not real numbers.
    ValueError
        If it has another number of axes, no cells, or NaN or infinite values.
    """
    array = np.asarray(field)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name}: expected an array of real numbers, got dtype {array.dtype}")
    if array.ndim not in (2, 3, 4) or not array.size:
        raise ValueError(
            f"{name}: got shape {array.shape}, expected (H, W), (C, H, W) or (B, C, H, W) with at least one "
            "cell; a row of cells is field[None, :]"
        )
    array = array.astype(np.float64, copy=False)
    if not np.isfinite(array).all():
        raise ValueError(
            f"{name}: has NaN or infinite values, expected finite ones; "
            "a run that ends so has diverged: take smaller steps"
        )
    return array
