"""Posterior means over patches: the softmax of all admissible patches, exact, block by block.

    D(x) = sum_p W_p p(0),    W = softmax_p( -||y_Ox - p||² / (2 sigma²) )

(Kamb & Ganguli 2025, eqs. 7-10, 41, in the frame y = phi/sqrt(abar).) The state of a softmax, (least distance, sum,
weighted sum), merges. Training images are taken in fixed blocks whose states are merged in order, so that the bytes
of the result depend neither on threads nor on how many samples are asked for at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from turingdiff.data.images import unit_blocks
from turingdiff.engine.memory import on_cache_line
from turingdiff.patches.admissible import Admissible
from turingdiff.patches.kernels import posterior_states
from turingdiff.patches.lanes import LANES
from turingdiff.patches.size_kernels import posterior_states_of_sizes
from turingdiff.patches.softmax import SoftmaxState, merge_all, states_of_blocks

BYTES_AT_ONCE = 16 * 2**20
# Lanes that hold no image hold this value: far from every field, its squares finite in float32.
NOWHERE = 1e9
# At both limits such a lane is 4,000 nats away in a window of one pixel. Beside the brute force in float64, in both
# dtypes, D has errors of rounding up to sigma = 7e7, and of 80 at 1e8; fields of 5e8 are as near to it as to images.
HIGHEST_SIGMA, FARTHEST = 1e7, 1e8
# Rounding in float32 moves D by at most 8.6e-8 of the best logit beyond 200 nats, and by 2e-5 below: up to this limit
# of 700 nats by 5.9e-5 at worst (benchmarks/precision.py). At a level's own noise the logit is about half the numbers
# in a patch: 170 for a grey 17x17, 480 in colour, 590 for a colour 19x19; wider colour patches are computed twice.
LOGIT_ERROR = 1e-7
TOLERANCE = 7e-5


def precision_at(sigma: float) -> float:
    """1/(2 sigma²), by which squared distances become logits.

    Raises
    ------
    ValueError
        For a noise level at which posteriors over patches are not exact.
    """
    if sigma > HIGHEST_SIGMA:
        raise ValueError(
            f"posteriors over patches are exact up to sigma = {HIGHEST_SIGMA:g}, got {sigma:g}; far above the images "
            "all patches weigh the same, and D is their mean"
        )
    return 0.5 / sigma**2


def wide_enough(fields: np.ndarray, sigma: float) -> np.ndarray:
    """The fields, in float64 where 1/(2 sigma²) is no number of their dtype."""
    return fields.astype(float) if precision_at(sigma) > float(np.finfo(fields.dtype).max) else fields


def patch_posterior(images: np.ndarray, fields: np.ndarray, sigma: float, r: int, admissible: Admissible) -> np.ndarray:
    """Posterior means D (B, C, H, W) of noisy `fields` (B, C, H, W), in their dtype.

    Float32 fields are computed in float32; a pixel so unlike all patches that rounding could show
    (beyond 7e-5) is computed again in float64.
    """
    result, top = _posterior(images, wide_enough(fields, sigma), sigma, r, admissible)
    if result.dtype == np.float32:
        doubtful = -top * LOGIT_ERROR > TOLERANCE
        samples = np.flatnonzero(doubtful.any(axis=(1, 2)))
        if samples.size:
            exact, _ = _posterior(images, fields[samples].astype(float), sigma, r, admissible)
            # Pixel by pixel, or a pixel in doubt would change others outside its neighbourhood.
            result[samples] = np.where(doubtful[samples, None], exact, result[samples])
    return result.astype(fields.dtype, copy=False)


@np.errstate(over="ignore")  # as in `_over_images`
def _posterior(images, fields, sigma, r, places) -> tuple[np.ndarray, np.ndarray]:
    precision, settings = fields.dtype.type(precision_at(sigma)), (places.rows, places.columns, r)
    state = _over_images(posterior_states, images, fields, r, places.wraps, (len(fields),), settings, precision)
    return state.mean(), -state.least * precision


def posterior_of_sizes(
    images: np.ndarray, admissible: Callable[..., Admissible], fields: np.ndarray, sigma: float, sizes: Sequence[int]
) -> np.ndarray:
    """D of (B, C, H, W) fields of the images' size with each of several rising patch sizes: (sizes, B, C, H, W).

    As `patch_posterior`, but without its float64 recomputation of pixels unlike all patches.
    ``admissible(field, image, r)`` says which patches a pixel is compared with.
    """
    fields = wide_enough(fields, sigma)
    precision, radii = fields.dtype.type(precision_at(sigma)), np.array(sizes) // 2
    places = [admissible(fields.shape[2:], images.shape[2:], int(r)) for r in radii]
    wraps, halo, axes = places[0].wraps, int(radii[-1]), (radii.size, len(fields))
    rows, row_ranges = _shared_shifts([p.rows for p in places], radii)
    columns, column_ranges = _shared_shifts([p.columns for p in places], radii)
    settings = rows, columns, row_ranges, column_ranges, radii
    return _over_images(posterior_states_of_sizes, images, fields, halo, wraps, axes, settings, precision).mean()


@np.errstate(over="ignore")  # a logit beyond float32: the weight is 0, and the pixel computed again
def _over_images(kernel, images, fields, r, wraps, axes, settings, precision) -> SoftmaxState:
    """The state of fields (B, C, H, W) over all images; the kernel fills arrays (*axes, blocks, ..., H, W)."""
    queries, numbers = padded_queries(fields, r, wraps), math.prod(axes) * (fields.shape[1] + 2)

    def states() -> Iterator[SoftmaxState]:
        for banks in image_lanes(images, fields.shape[2:], r, wraps, fields.dtype, numbers):
            shapes = fields.shape[2:], fields.shape[2:], fields.shape[1:]
            arrays = [np.zeros((*axes, len(banks), *shape), fields.dtype) for shape in shapes]
            kernel(queries, banks, *settings, precision, *arrays)
            yield from states_of_blocks(SoftmaxState, arrays, len(axes))

    return merge_all(states(), precision)


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


def padded_queries(fields: np.ndarray, r: int, wraps: bool) -> np.ndarray:
    """Fields padded by r: (B, C, H + 2r, W + 2r).

    Raises
    ------
    ValueError
        For values so large that distances to patches are not exact.
    """
    if (largest := np.abs(fields).max()) > FARTHEST:
        raise ValueError(f"posteriors over patches are exact for fields up to {FARTHEST:g}, got a value of {largest:g}")
    # Another memory order would be another kernel, compiled when it first comes.
    fields = np.ascontiguousarray(fields)
    return np.pad(fields, ((0, 0), (0, 0), (r, r), (r, r)), mode="wrap" if wraps else "constant")


def image_lanes(
    images: np.ndarray, field: tuple[int, int], r: int, wraps: bool, dtype: np.dtype, states: int
) -> Iterator[np.ndarray]:
    """Banks of LANES padded images, some at a time: (K, C, Hb, Wb LANES), with `states` numbers a pixel beside them.

    On the torus columns are repeated until every shift of the field finds its columns side by side.
    """
    channels, height, width = images.shape[1:]
    rows = np.arange(-r, height + r) if not wraps else np.arange(-r, height - r) % height
    columns = np.arange(-r, width + r) if not wraps else np.arange(-r, field[1] + width + r) % width
    size = channels * rows.size * columns.size * LANES + states * field[0] * field[1]
    at_once = max(1, BYTES_AT_ONCE // (size * dtype.itemsize)) * LANES
    for chunk in unit_blocks(images, at_once, dtype):
        blocks = -(-len(chunk) // LANES)
        bank = np.full((blocks * LANES, channels, rows.size, columns.size), 0, dtype)
        if wraps:
            bank[: len(chunk)] = chunk[:, :, rows[:, None], columns]
        else:
            bank[: len(chunk), :, r : r + height, r : r + width] = chunk
        bank[len(chunk) :] = NOWHERE
        bank = bank.reshape(blocks, LANES, channels, rows.size, columns.size)
        lanes_last = on_cache_line((blocks, channels, rows.size, columns.size, LANES), dtype)
        lanes_last[...] = np.moveaxis(bank, 1, -1)
        yield lanes_last.reshape(blocks, channels, rows.size, columns.size * LANES)
