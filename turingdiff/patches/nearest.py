"""The nearest admissible training patch of every pixel, and the softmax over all of them."""

from __future__ import annotations

import numpy as np

from turingdiff.patches.admissible import Admissible
from turingdiff.patches.lanes import LANES
from turingdiff.patches.moment_kernels import nearest_patches, softmax_moments
from turingdiff.patches.posterior import image_lanes, padded_queries
from turingdiff.patches.softmax import Moments, merge_all, states_of_blocks

# Squared distances closer than this are equal: one grey level in one pixel of a byte image is 6e-5.
TIE = 1e-9


def nearest_admissible(
    images: np.ndarray, field: np.ndarray, r: int, places: Admissible, precision: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, Moments]:
    """Nearest patch of every pixel of one field (C, H, W) in float64; ties to the lowest image, row and column.

    Returns
    -------
    tuple
        (H, W) index of the image, place of the centre in it (row * width + column), squared distance; and the softmax
        at ``precision`` = 1/(2 sigma²).
    """
    moments, shape = [], field.shape[1:]
    queries = padded_queries(field[None], r, places.wraps)
    least = np.full(shape, np.inf)
    winner, place = np.zeros(shape, int), np.zeros(shape, int)
    first = 0
    for banks in image_lanes(images, shape, r, places.wraps, field.dtype, 3 * LANES):
        lanes = (1, len(banks), shape[0], shape[1] * LANES)
        best, found = np.full(lanes, np.inf), np.zeros(lanes, np.int64)
        block, size = Moments.start((1, len(banks), *shape)), images.shape[2:]
        nearest_patches(
            queries, banks, places.rows, places.columns, r, TIE, size, best, found, precision, *block.arrays
        )
        moments.append(_merged(block, precision))
        for k in range(len(banks)):
            split = (*shape, LANES)
            distances = best[0, k].reshape(split)
            lane = (distances <= distances.min(-1, keepdims=True) + TIE).argmax(-1)[..., None]
            distance = np.take_along_axis(distances, lane, -1)[..., 0]
            closer = distance < least - TIE
            least = np.where(closer, distance, least)
            winner = np.where(closer, first + lane[..., 0], winner)
            place = np.where(closer, np.take_along_axis(found[0, k].reshape(split), lane, -1)[..., 0], place)
            first += LANES
    return winner, place, least, merge_all(moments, precision)


def softmax_over_admissible(
    images: np.ndarray, fields: np.ndarray, r: int, places: Admissible, precision: float
) -> Moments:
    """The softmax of every pixel of fields (B, C, H, W) in float64."""
    queries, shape, moments = padded_queries(fields, r, places.wraps), fields.shape[2:], []
    for banks in image_lanes(images, shape, r, places.wraps, fields.dtype, 4 * len(fields)):
        block = Moments.start((len(fields), len(banks), *shape))
        softmax_moments(queries, banks, places.rows, places.columns, r, precision, *block.arrays)
        moments.append(_merged(block, precision))
    return merge_all(moments, precision)


def _merged(block: Moments, precision: float) -> Moments:
    return merge_all(states_of_blocks(Moments, block.arrays, axis=1), precision)
