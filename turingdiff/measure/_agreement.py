"""The coefficient of determination and the correlation of two fields."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from turingdiff.engine.short_repr import short_repr
from turingdiff.measure._validation import finite_values


@short_repr
@dataclass(frozen=True)
class Agreement:
    """Two measures of similarity, neither of which is the square of the other; made by `agreement`.

    Attributes
    ----------
    r2
        Coefficient of determination, 1 - SSres/SStot: 1 for a copy, 0 for a prediction no better than the
        mean of the reference, negative for a worse one. One number, or (B,) for a batch.
    pearson
        Correlation coefficient, -1 to 1; it ignores the offset and the contrast of the prediction. NaN where the
        prediction is constant. One number, or (B,) for a batch.
    """

    r2: float | NDArray[np.float64]
    pearson: float | NDArray[np.float64]


def agreement(prediction: ArrayLike, reference: ArrayLike) -> Agreement:
    """Compare a prediction a with a reference b over all their pixels and channels.

        r2      = 1 - sum (a - b)² / sum (b - mean b)²
        pearson = sum (a - mean a)(b - mean b) / sqrt(sum (a - mean a)² sum (b - mean b)²)

    r2 is not symmetric: the reference sets the scale. Published tables call either of the two "r²", and some
    do not square the second, so both are returned under their own names.

    Parameters
    ----------
    prediction
        (H, W), (C, H, W) or (B, C, H, W). A batch is compared sample by sample.
    reference
        The same shape.

    Raises
    ------
    TypeError
        If the values are not real numbers.
    ValueError
        If the shapes differ, values are not finite, or a reference is constant: it has no variation to explain, SStot =
        0.

    References
    ----------
    Kamb & Ganguli, "An analytic theory of creativity in convolutional diffusion models", ICML 2025, compare
    their machines with networks by a "pixelwise r²".
    """
    a, b = finite_values(prediction, "prediction"), finite_values(reference, "reference")
    if a.shape != b.shape:
        raise ValueError(
            f"prediction has shape {a.shape} and reference {b.shape}, expected the same; "
            "compare one sample or one channel at a time by indexing it out"
        )
    batch = a.shape[0] if a.ndim == 4 else 1
    flat_a, flat_b = a.reshape(batch, -1), b.reshape(batch, -1)
    da = flat_a - flat_a.mean(axis=1, keepdims=True)
    db = flat_b - flat_b.mean(axis=1, keepdims=True)
    total = np.sum(db**2, axis=1)
    constant = (np.ptp(flat_b, axis=1) == 0) | (total == 0)  # a mean may round, a square may underflow
    if constant.any():
        which = f" (samples {np.flatnonzero(constant).tolist()})" if a.ndim == 4 else ""
        raise ValueError(
            f"the reference is constant{which}, expected one that varies: r2 and pearson are shares of its variation"
        )
    r2 = 1 - np.sum((flat_a - flat_b) ** 2, axis=1) / total
    scale = np.sqrt(np.sum(da**2, axis=1)) * np.sqrt(total)
    varies = (np.ptp(flat_a, axis=1) > 0) & (scale > 0)
    pearson = np.full(batch, np.nan)
    pearson[varies] = np.clip(np.sum(da * db, axis=1)[varies] / scale[varies], -1, 1)
    if a.ndim < 4:
        return Agreement(float(r2[0]), float(pearson[0]))
    return Agreement(r2, pearson)
