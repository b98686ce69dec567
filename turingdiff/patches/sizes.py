"""Posterior means over windows of several sizes at once: the squared differences of two images serve them all."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from turingdiff.patches.posterior import image_lanes, padded_queries, precision_at, wide_enough
from turingdiff.patches.size_kernels import posterior_states_of_sizes
from turingdiff.patches.softmax import SoftmaxState


@np.errstate(over="ignore")  # a logit beyond float32: the weight is 0
def posterior_of_sizes(
    images: np.ndarray, admissible: Callable, fields: np.ndarray, sigma: float, sizes: Sequence[int]
) -> np.ndarray:
    """D of (B, C, H, W) fields of the images' size with each of several rising patch sizes: (sizes, B, C, H, W).

    As `patch_posterior`, but without its float64 recomputation of pixels unlike all patches.
    ``admissible(field, image, r)`` says which patches a pixel is compared with.
    """
    fields = wide_enough(fields, sigma)
    (count, channels, *shape), dtype, radii = fields.shape, fields.dtype, np.array(sizes) // 2
    places = [admissible(tuple(shape), images.shape[2:], int(r)) for r in radii]
    wraps, halo, precision = places[0].wraps, int(radii[-1]), dtype.type(precision_at(sigma))
    rows, row_ranges = _shared_shifts([p.rows for p in places], radii)
    columns, column_ranges = _shared_shifts([p.columns for p in places], radii)
    queries = padded_queries(fields, halo, wraps)
    merged: list[SoftmaxState] = []
    numbers = radii.size * count * (channels + 2)
    for banks in image_lanes(images, tuple(shape), halo, wraps, dtype, numbers):
        axes = (radii.size, count, len(banks))
        least, total = np.zeros((*axes, *shape), dtype), np.zeros((*axes, *shape), dtype)
        weighted = np.zeros((*axes, channels, *shape), dtype)
        posterior_states_of_sizes(
            queries, banks, rows, columns, row_ranges, column_ranges, radii, precision, least, total, weighted
        )
        for k in range(len(banks)):
            states = [SoftmaxState(least[n, :, k], total[n, :, k], weighted[n, :, k]) for n in range(radii.size)]
            pairs = zip(merged, states, strict=True)
            merged = [a.merge(b, precision) for a, b in pairs] if merged else states
    return np.stack([state.mean() for state in merged])


def _shared_shifts(axes: list[np.ndarray], radii: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One list of shifts along an axis for all sizes.

    Returns (n, 3): shift, and the padded pixels (from, to) that its windows meet; and (sizes, n, 2): the pixels
    (from, to) that each size takes it for. On fields of the images' size, the shifts of a larger window are among
    those of a smaller one, and its pixels among the other's.
    """
    shifts = axes[0][:, 0]
    ranges = np.zeros((radii.size, shifts.size, 2), np.int64)
    for own, axis in zip(ranges, axes, strict=True):
        own[np.searchsorted(shifts, axis[:, 0])] = axis[:, 1:]
    used, r, halo = ranges[..., 0] < ranges[..., 1], radii[:, None], radii[-1]
    first = np.where(used, ranges[..., 0] - r, ranges[0, :, 0]).min(0) + halo
    last = np.where(used, ranges[..., 1] + r, ranges[0, :, 1]).max(0) + halo
    return np.stack([shifts, first, last], axis=1), ranges
