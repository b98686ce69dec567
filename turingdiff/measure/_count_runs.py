"""The number of separate pieces on a line: the digits of a limb bud, the legs of a pair of trousers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from turingdiff.measure._topology import BY_EDGES, count_regions, otsu_level
from turingdiff.measure._validation import check_varies, least_contrast, one_channel

Point = tuple[int, int]


def count_runs(
    field: ArrayLike,
    line: int | Sequence[Point],
    threshold: float | None = None,
    *,
    periodic: bool = False,
) -> int:
    """Count the separate pieces that cross a line: maximal runs of its cells above a threshold.

        runs = number of cells n of the line with f[n] > threshold and not f[n - 1] > threshold

    A sloping line has one cell in every row or column along its longer side, the nearest one (of two at the same
    distance, that of the lower index). Every run counts, also one of a single cell: smooth a noisy field first.

    Parameters
    ----------
    field
        One channel, (H, W) or (1, H, W).
    line
        A row, from 0 to H - 1; or the two ends ((y0, x0), (y1, x1)) of a line, cells of the field, both counted. A
        column x is ((0, x), (H - 1, x)). More than two points are a path of such lines, along an arc for example.
    threshold
        In units of the field. None takes the level of `shapes` over the whole field, midway between the means of its
        two classes (Otsu 1979). Unlike a level from the line alone it counts no run on a line beside the pattern, and
        unlike the midpoint of the extremes it does not depend on one bright cell. It suits a field of two classes,
        such as a garment on a background; for a field of three give the threshold between two of them.
    periodic
        Whether the line is closed, as a whole row of a torus is: then a run across its ends counts once.

    Returns
    -------
    int
        0 where no cell is above the threshold, 1 where all are.

    Raises
    ------
    TypeError
        If the field is not an array of real numbers, or the line is not given in whole numbers.
    ValueError
        If the field has another shape or values that are not finite, the line leaves it, ``threshold`` is not finite,
        or it is None and the field is constant.
    """
    values = one_channel(field)
    if threshold is None:
        check_varies(
            values, float(np.ptp(values)), least_contrast(None, field),
            "no two classes to separate and no pieces to count; give a threshold",
        )  # fmt: skip
        threshold = otsu_level(values)
    elif not math.isfinite(threshold):
        raise ValueError(f"threshold is {threshold!r}, expected a finite number in units of the field, or None")
    rows, columns = _cells(line, (values.shape[0], values.shape[1]))
    return count_regions(values[None, rows, columns] > threshold, BY_EDGES, (False, periodic))


def _cells(line: int | Sequence[Point], shape: tuple[int, int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    points = np.asarray(line)
    if points.dtype.kind not in "iu":
        raise TypeError(f"line is {line!r}, expected whole numbers: a row, or ((y0, x0), (y1, x1))")
    if points.shape == ():
        points = np.array([(points, 0), (points, shape[1] - 1)])
    if points.ndim != 2 or points.shape[1] != 2 or len(points) < 2:
        raise ValueError(f"line is {line!r}, expected a row, the two ends ((y0, x0), (y1, x1)), or a path of points")
    if points.min() < 0 or (points >= shape).any():
        last = (shape[0] - 1, shape[1] - 1)
        raise ValueError(f"line is {line!r}, expected cells of the field, from (0, 0) to {last}")
    points = points.astype(np.int64)
    parts = [_between(a, b) for a, b in pairwise(points)]
    cells = np.concatenate([parts[0], *(part[:, 1:] for part in parts[1:])], axis=1)  # a corner counts once
    return cells[0], cells[1]


def _between(a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.int64]:
    """(2, n) the cells of a straight line, rows and columns."""
    steps = int(np.abs(b - a).max())
    if steps == 0:
        return a[:, None]
    n = np.arange(steps + 1)
    # In whole numbers, so that a line and its reverse have the same cells; ties to the lower index.
    return -((steps - 2 * (a[:, None] * (steps - n) + b[:, None] * n)) // (2 * steps))
