"""Input validation shared by the measures of fields, and when a field counts as constant."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray


def finite_values(field: ArrayLike, name: str = "field") -> NDArray[np.float64]:
    """Return a field (H, W), (C, H, W) or (B, C, H, W) of finite real numbers in float64; refuse anything else."""
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


def one_channel(field: ArrayLike) -> NDArray[np.float64]:
    """Return the single channel of a field as (H, W) in float64; errors as in `shapes`."""
    values = finite_values(field)
    if values.ndim > 2 and values.shape[:-2] != (1,):
        raise ValueError(f"field: got shape {values.shape}, expected one channel, (H, W) or (1, H, W): take field[c]")
    return values.reshape(values.shape[-2:])


def sheet(field: ArrayLike, dx: float, boundary: str) -> tuple[NDArray[np.float64], tuple[bool, bool]]:
    """Return a channel as (H, W) in float64, and which of its axes are periodic; errors as in `shapes`."""
    values = one_channel(field)
    check_spacing(dx)
    if boundary not in ("periodic", "no_flux"):
        raise ValueError(
            f"boundary is {boundary!r}, expected 'periodic' (a torus) or 'no_flux' (a sheet: any other edge)"
        )
    height, width = values.shape
    return values, (boundary == "periodic" or height == 1, boundary == "periodic" or width == 1)


def check_spacing(dx: float) -> None:
    """Refuse a grid spacing that is not a positive length."""
    if not 0 < dx < math.inf:
        raise ValueError(f"dx is {dx!r}, expected a positive length, the distance between two cells")


def least_contrast(tolerance: float | None, *fields: ArrayLike) -> float:
    """The contrast up to which fields count as constant: `tolerance` or, if None, what rounding may have left."""
    if tolerance is None:
        return max(8 * _eps(np.asarray(field).dtype) * float(np.abs(field).max()) for field in fields)
    if not 0 <= tolerance < math.inf:
        raise ValueError(f"tolerance is {tolerance!r}, expected a number of at least 0 in units of the field, or None")
    return float(tolerance)


def check_varies(values: NDArray[np.float64], variation: float, least: float, consequence: str) -> None:
    """Refuse a field that is constant: whose variation is not above `least`."""
    if variation <= least:
        raise ValueError(
            f"the field is constant (it varies by {variation:.2g} about a mean of {values.mean():.6g}), expected one "
            f"that varies: a constant has {consequence}"
        )


def _eps(dtype: np.dtype) -> float:
    return float(np.finfo(dtype).eps) if dtype.kind == "f" else 0.0
