"""Connected regions, their Euler characteristic and their boundary on a grid, torus or sheet."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

TORUS = (True, True)
BY_CORNERS = np.ones((3, 3), bool)
BY_EDGES = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], bool)


def otsu_level(values: NDArray[np.float64]) -> float:
    """Midway between the mean of the values above it and that of the others, where these differ most (Otsu)."""
    least, contrast = float(values.min()), float(np.ptp(values))
    ordered = (np.sort(values, axis=None) - least) / contrast
    count, sums = np.arange(1, ordered.size), np.cumsum(ordered)
    lower = sums[:-1] / count
    upper = (sums[-1] - sums[:-1]) / count[::-1]
    between = count * count[::-1] * (upper - lower) ** 2
    # The first of equals, not the one that rounding prefers: a symmetric field has two.
    split = np.argmax(between >= (1 - 1e-9) * between.max())
    return least + contrast * float(lower[split] + upper[split]) / 2


def mirrored(region: NDArray[np.bool_], wraps: tuple[bool, bool]) -> NDArray[np.bool_]:
    """The torus made of a sheet and its mirror images about the faces of its outermost cells."""
    height, width = region.shape
    return np.pad(region, ((0, 0 if wraps[0] else height), (0, 0 if wraps[1] else width)), "symmetric")


def euler_characteristic(region: NDArray[np.bool_], wraps: tuple[bool, bool]) -> int:
    """Vertices - edges + faces: cells, pairs of neighbours and squares of four, all in the region."""
    across = region & _next(region, 1, wraps)
    down = region & _next(region, 0, wraps)
    squares = across & _next(across, 0, wraps)
    return int(region.sum()) - int(across.sum()) - int(down.sum()) + int(squares.sum())


def perimeter(region: NDArray[np.bool_]) -> float:
    """Cauchy and Crofton: pi/2 times the crossings of lines per distance between lines, mean of 4 directions."""
    steps = ((0, 1), (1, 0), (1, 1), (1, -1))
    across, down, falling, rising = (int((region ^ np.roll(region, step, (0, 1))).sum()) for step in steps)
    return math.pi / 8 * (across + down + math.sqrt(0.5) * (falling + rising))


def _next(region: NDArray[np.bool_], axis: int, wraps: tuple[bool, bool]) -> NDArray[np.bool_]:
    moved = np.roll(region, -1, axis)
    if not wraps[axis]:
        np.moveaxis(moved, axis, 0)[-1] = False
    return moved


def count_regions(region: NDArray[np.bool_], neighbours: NDArray[np.bool_], wraps: tuple[bool, bool]) -> int:
    """Count connected regions; one that continues across a periodic edge counts once."""
    from scipy.ndimage import label  # here: it takes longer to load than to use
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    labels, count = label(region, neighbours)
    corners = range(-1, 2) if neighbours[0, 0] else range(1)
    pairs = [np.empty((2, 0), int)]
    for axis, sheet in enumerate((labels, labels.T)):
        if wraps[axis]:
            last = sheet[-1]
            first = np.pad(sheet[0], 1, mode="wrap") if wraps[1 - axis] else np.pad(sheet[0], 1)
            pairs += [np.stack([last, first[1 + s : 1 + s + last.size]]) for s in corners]
    a, b = np.concatenate(pairs, axis=1)
    joined = (a > 0) & (b > 0)
    graph = coo_array((np.ones(joined.sum(), bool), (a[joined], b[joined])), shape=(count + 1, count + 1))
    return int(connected_components(graph, directed=False)[0]) - 1  # label 0 is outside the region
