"""The ideal denoiser: the posterior mean over whole training images."""

from __future__ import annotations

import numpy as np

from turingdiff.data.images import to_unit

IMAGES_AT_ONCE = 256


def ideal_posterior(images: np.ndarray, fields: np.ndarray, sigma: float) -> np.ndarray:
    """Posterior means (B, C, H, W): softmax over the N images of -||y - x_n||²/(2 sigma²) (eqs. 3-4).

    Distances are summed in float64: a sum of thousands of squares is divided by a small sigma².
    """
    return np.stack([_one(images, field.astype(float), sigma) for field in fields]).astype(fields.dtype)


def _one(images: np.ndarray, field: np.ndarray, sigma: float) -> np.ndarray:
    peak, total, mean = -np.inf, 0.0, np.zeros_like(field)
    for first in range(0, len(images), IMAGES_AT_ONCE):
        block = to_unit(images[first : first + IMAGES_AT_ONCE]).astype(float)
        logits = -((block - field) ** 2).sum(axis=(1, 2, 3)) / (2 * sigma**2)
        highest = max(peak, logits.max())
        weights = np.exp(logits - highest)
        before = np.exp(peak - highest)
        peak, total = highest, total * before + weights.sum()
        mean = mean * before + (weights[:, None, None, None] * block).sum(axis=0)
    return mean / total
