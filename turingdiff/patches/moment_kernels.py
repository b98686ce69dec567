"""The nearest patch of every pixel, and the moments of its softmax, from which entropies and weights follow.

Loops and shapes as in `turingdiff.patches.kernels`.
"""

from __future__ import annotations

import math

from numba import prange

from turingdiff.engine.compile import patch_helper, patch_kernel
from turingdiff.patches.kernels import RESCALE, make_scratch, visit_pairs
from turingdiff.patches.lanes import LANES, fast_exp, lanes, least_of_lanes

# For entropies, sums of -w log w: 60,000 images of 28 x 28 pixels lose at most 60,000 784 exp(-40) (40 + 18) < 2e-8.
DEEP_SKIP = -40.0


@patch_helper
def keep_nearest(box, y, xa, dy, dx, bank, state):
    """Keep each lane's least distance and its place (row * width + column in the image); of equals the first place."""
    tie, height, width, best, place = state
    for x in range(xa, xa + box.size // LANES):
        here = (y + dy) % height * width + (x + dx) % width
        distances, nearest, places = box[(x - xa) * LANES :], best[y, x * LANES :], place[y, x * LANES :]
        for m in range(LANES):
            closer = distances[m] < nearest[m] - tie or (distances[m] <= nearest[m] + tie and here < places[m])
            places[m] = here if closer else places[m]
            nearest[m] = min(nearest[m], distances[m])


@patch_helper
def add_logits(d, precision, reference, total, moment):
    """Add weights w = exp(l) to `total` and w l to `moment`, l = (reference - d) precision."""
    for m in range(d.size):
        logit = (reference - d[m]) * precision
        w = fast_exp(logit)
        total[m] += w
        moment[m] += w * logit


@patch_helper
def add_moments(box, y, xa, dy, dx, bank, state):
    """Add one row of pairs to each lane's sums of w = exp(l) and of w l, with l = (reference - d) precision <= RESCALE.

    Per pixel, `nearest` is the least distance, and `reference` one that is not far above it.
    """
    precision, nearest, reference, total, moment = state
    for m in range(0, box.size, LANES):
        x = xa + m // LANES
        best, a, b = least_of_lanes(box, m), x * LANES, x * LANES + LANES
        gain = (reference[y, x] - best) * precision
        nearest[y, x] = min(nearest[y, x], best)
        if gain > RESCALE:
            factor = math.exp(-gain)
            for n in range(a, b):
                moment[y, n] = (moment[y, n] - gain * total[y, n]) * factor
                total[y, n] *= factor
            reference[y, x] = best
        if gain > DEEP_SKIP:
            add_logits(box[m : m + LANES], precision, reference[y, x], total[y, a:b], moment[y, a:b])


@patch_helper
def sum_moments(lanes_total, lanes_moment, total, moment):
    """The sums of every pixel from those of its lanes."""
    for y in range(total.shape[0]):
        for x in range(total.shape[1]):
            for m in range(x * LANES, x * LANES + LANES):
                total[y, x] += lanes_total[y, m]
                moment[y, x] += lanes_moment[y, m]


@patch_helper
def keep_nearest_and_moments(box, y, xa, dy, dx, bank, state):
    """Both of `keep_nearest` and `add_moments`."""
    keep_nearest(box, y, xa, dy, dx, bank, state[0])
    add_moments(box, y, xa, dy, dx, bank, state[1])


@patch_kernel
def nearest_patches(
    queries, banks, row_shifts, column_shifts, r, tie, size, best, place, precision, nearest, reference, total, moment
):
    """Least distances and where, of every query (B) to every lane of every bank (K): (B, K, H, W * LANES).

    `size` is that of the training images; distances that differ by at most `tie` are equal. The last five arguments
    are those of `softmax_moments`.
    """
    blocks, height, width = banks.shape[0], total.shape[2], total.shape[3]
    for task in prange(queries.shape[0] * blocks):
        b, block = task // blocks, task % blocks
        lanes_total, lanes_moment = lanes(height, width, queries), lanes(height, width, queries)
        places = (tie, size[0], size[1], best[b, block], place[b, block])
        moments = (precision, nearest[b, block], reference[b, block], lanes_total, lanes_moment)
        scratch, consume = make_scratch(queries[b], r), keep_nearest_and_moments
        visit_pairs(consume, queries[b], banks[block], row_shifts, column_shifts, r, scratch, (places, moments))
        sum_moments(lanes_total, lanes_moment, total[b, block], moment[b, block])


@patch_kernel
def softmax_moments(queries, banks, row_shifts, column_shifts, r, precision, nearest, reference, total, moment):
    """The sums of `add_moments` of every query (B) over every bank (K): all (B, K, H, W), both distances from START."""
    blocks, height, width = banks.shape[0], total.shape[2], total.shape[3]
    for task in prange(queries.shape[0] * blocks):
        b, block = task // blocks, task % blocks
        lanes_total, lanes_moment = lanes(height, width, queries), lanes(height, width, queries)
        moments = (precision, nearest[b, block], reference[b, block], lanes_total, lanes_moment)
        scratch = make_scratch(queries[b], r)
        visit_pairs(add_moments, queries[b], banks[block], row_shifts, column_shifts, r, scratch, moments)
        sum_moments(lanes_total, lanes_moment, total[b, block], moment[b, block])
