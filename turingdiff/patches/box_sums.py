"""Sums of k neighbours by doubling: sums of 1, 2, 4 ... entries make k, in about 2 log2(k) additions an entry.

Nothing is subtracted, as running sums would: an entry outside a window leaves no trace in its last bit. There are two
forms, for whole arrays in NumPy and for rows of lanes in the patch kernels, which may allocate nothing.
"""

from __future__ import annotations

import numpy as np

from turingdiff.engine.compile import patch_helper
from turingdiff.patches.lanes import LANES


def run_sums(a: np.ndarray, k: int) -> np.ndarray:
    """Sums a[i] + ... + a[i + k - 1] along the first axis, by doubling."""
    n, done, width = len(a) - k + 1, 0, 1
    result = np.zeros((n, *a.shape[1:]))
    while True:
        if k & width:
            result += a[done : done + n]
            done += width
        if 2 * width > k:
            return result
        a = a[:-width] + a[width:]
        width *= 2


def window_sums(a: np.ndarray, window: tuple[int, ...], torus: bool) -> np.ndarray:
    """Sums (h, w, ...) over the windows of (H, W, ...), one for each upper left corner."""
    for k in window:
        a = run_sums(np.concatenate([a, a[: k - 1]]) if torus else a, k).swapaxes(0, 1)
    return a


@patch_helper
def add_to(a, b, out):
    """Out = a + b."""
    for m in range(out.size):
        out[m] = a[m] + b[m]


@patch_helper
def add(a, out):
    """Out += a."""
    for m in range(out.size):
        out[m] += a[m]


@patch_helper
def box_row(column, k, power, box):
    """As `run_sums`, over pixels of LANES numbers (k odd): box[x] = column[x] + ... + column[x + k - 1].

    `power` (2, size) is scratch: sums of 2, 4, 8 ... pixels.
    """
    n, length, width, done, turn = box.size, column.size, 1, 1, 0
    if k == 1:
        for m in range(n):
            box[m] = column[m]
        return
    source = column
    while 2 * width <= k:
        length -= width * LANES
        target = power[turn, :length]
        add_to(source[:length], source[width * LANES : width * LANES + length], target)
        source, turn, width = target, 1 - turn, 2 * width
        if k & width:
            part = source[done * LANES : done * LANES + n]
            if done == 1:
                add_to(column[:n], part, box)
            else:
                add(part, box)
            done += width
