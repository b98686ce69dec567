"""The search behind ``patch_distance``: the nearest of many windows, exactly, without looking at most of them.

A block of training images at a time, so that memory stays at tens of MB however many there are. The windows of a block
are sorted into boxes by their largest principal components; a box that is farther from a window than the nearest found
so far is passed over, and only what is left is compared. Windows of images and patterns skip nearly all; windows of
noise, which are far from everything, skip few.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from turingdiff.data.images import unit_blocks, unit_scale
from turingdiff.engine.compile import kernel

Boundary = Literal["periodic", "zero"] | None

BLOCK_BYTES = 16 << 20  # of windows at a time, of training images and of queries; the peak is a few times this
BOX = 64  # windows in a box, about
COMPONENTS = 16
SORTED = 4  # of them, to make boxes


class Found(NamedTuple):
    """Of every window: its squared distance to the nearest and where that begins, in padded coordinates."""

    square: NDArray[np.float64]  # (B, H', W'): summed over the window
    image: NDArray[np.int64]
    row: NDArray[np.int64]
    column: NDArray[np.int64]


class _Queries(NamedTuple):
    values: NDArray[np.float64]  # (Q, D)
    coordinates: NDArray[np.float64]  # (Q, d + 1)
    slack: NDArray[np.float64]  # (Q,)
    skip: NDArray[np.int64]  # (Q,) image not to look at, or -1


class _Boxes(NamedTuple):
    members: NDArray[np.int64]  # (boxes, size)
    coordinates: NDArray[np.float64]  # (boxes, d + 1, size): of the members
    low: NDArray[np.float64]  # (d + 1, boxes)
    high: NDArray[np.float64]


def nearest_windows(
    queries: NDArray, train: NDArray, patch: int, boundary: Boundary, skip: NDArray[np.int64] | None = None
) -> Found:
    """Nearest training window of every window of (B, C, H, W) (leaving out image ``skip[b]`` for query b)."""
    axes = _principal_axes(train, patch, boundary)
    skipped = np.full(len(queries), -1) if skip is None else skip
    step = _at_once(queries, patch)
    found = [
        _search(_windows(group, patch, boundary), train, patch, boundary, axes, skipped[turn * step :][: len(group)])
        for turn, group in enumerate(unit_blocks(queries, step))
    ]
    return Found(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def _search(
    windows: NDArray[np.float64],
    train: NDArray,
    patch: int,
    boundary: Boundary,
    axes: NDArray[np.float64],
    skip: NDArray[np.int64],
) -> Found:
    shape, depth = windows.shape[:3], windows.shape[3]
    values = windows.reshape(-1, depth)
    owners = np.repeat(skip, shape[1] * shape[2])
    coordinates, square = _coordinates(values, axes), np.sum(values**2, axis=1)
    best, place = np.full(len(values), np.inf), np.full(len(values), -1)
    rows, columns = (side if boundary else side - patch + 1 for side in train.shape[2:])
    for others, ids in _blocks(train, patch, boundary):
        left = np.flatnonzero(best > 0)  # a copy that was found stays the first
        if not left.size:
            break
        # Far above the rounding of the coordinates, far below any difference that one could see.
        slack = 1e-12 * (square[left] + np.sum(others**2, axis=1).max())
        queries = _Queries(values[left], coordinates[left], slack, owners[left])
        nearest, found = best[left], place[left]
        boxes = _boxes(_coordinates(others, axes))
        _compiled()(*queries, others, ids, ids // (rows * columns), *boxes, nearest, found)
        best[left], place[left] = nearest, found
    image, corner = np.divmod(place, rows * columns)
    row, column = np.divmod(corner, columns)
    return Found(*(part.reshape(shape) for part in (best, image, row, column)))


@cache
def _compiled() -> Callable:
    return kernel(search_boxes, False)


def search_boxes(
    values, coordinates, slack, skip, others, ids, images, members, boxed, low, high, best, place
):  # fmt: skip
    """Lower `best` to the squared distance of the nearest of `others`, and set `place` to its id; ties to the lowest.

    No box is entered, and no window measured, that the coordinates alone show to be farther than the best so far.
    """
    boxes, depth, size = boxed.shape
    bound, near = np.empty(boxes), np.empty(size)
    for q in range(values.shape[0]):
        for b in range(boxes):
            bound[b] = 0.0
        for c in range(depth):
            x, below, above = coordinates[q, c], low[c], high[c]
            for b in range(boxes):
                gap = max(below[b] - x, x - above[b], 0.0)
                bound[b] += gap * gap
        first = int(bound.argmin())
        for turn in range(-1, boxes):
            b = first if turn < 0 else turn
            if turn == first or bound[b] > best[q] + slack[q]:
                continue
            for m in range(size):
                near[m] = 0.0
            for c in range(depth):
                x, row = coordinates[q, c], boxed[b, c]
                for m in range(size):
                    near[m] += (row[m] - x) * (row[m] - x)
            for m in range(size):
                if near[m] > best[q] + slack[q]:
                    continue
                other = members[b, m]
                if images[other] == skip[q]:
                    continue
                total = 0.0
                for k in range(values.shape[1]):
                    difference = values[q, k] - others[other, k]
                    total += difference * difference
                if total < best[q] or (total == best[q] and ids[other] < place[q]):
                    best[q], place[q] = total, ids[other]


def _at_once(images: NDArray, patch: int) -> int:
    """How many images' windows make a block."""
    return max(1, BLOCK_BYTES // (images[0].size * patch**2 * 8))


def _blocks(train: NDArray, patch: int, boundary: Boundary) -> Iterator[tuple[NDArray[np.float64], NDArray[np.int64]]]:
    """Windows (n, D) of some images, each once an image, and their numbers in the whole set."""
    step = _at_once(train, patch)
    for turn, group in enumerate(unit_blocks(train, step)):
        windows = _windows(group, patch, boundary)
        each = windows.shape[1] * windows.shape[2]
        windows = windows.reshape(len(windows), each, -1)
        kept = []
        for number, own in enumerate(windows):  # plain backgrounds hold the same window hundreds of times
            as_bytes = own.view(np.dtype((np.void, own.shape[1] * own.itemsize)))[:, 0]
            kept.append(number * each + np.unique(as_bytes, return_index=True)[1])
        chosen = np.concatenate(kept)
        yield windows.reshape(-1, windows.shape[2])[chosen], turn * step * each + chosen


def _windows(images: NDArray[np.float64], patch: int, boundary: Boundary) -> NDArray[np.float64]:
    """(n, C, H, W) to windows (n, H', W', C patch²)."""
    if boundary is not None:
        mode: Literal["wrap", "constant"] = "wrap" if boundary == "periodic" else "constant"
        images = np.pad(images, ((0, 0), (0, 0), (patch // 2,) * 2, (patch // 2,) * 2), mode)
    windows = np.lib.stride_tricks.sliding_window_view(images, (patch, patch), axis=(2, 3))
    n, _, height, width = windows.shape[:4]
    return np.ascontiguousarray(windows.transpose(0, 2, 3, 1, 4, 5)).reshape(n, height, width, -1)


def _principal_axes(train: NDArray, patch: int, boundary: Boundary) -> NDArray[np.float64]:
    """(d, D) orthonormal: the directions in which windows differ most. Any others would do, more slowly."""
    some = np.unique(np.linspace(0, len(train) - 1, 16).round().astype(np.int64))
    depth = train.shape[1] * patch**2
    scatter, total, count = np.zeros((depth, depth)), np.zeros(depth), 0
    for image in unit_scale(train[some]).astype(float):
        windows = _windows(image[None], patch, boundary).reshape(-1, depth)
        scatter += windows.T @ windows
        total += windows.sum(axis=0)
        count += len(windows)
    covariance = scatter / count - np.outer(total, total) / count**2
    return np.ascontiguousarray(np.linalg.eigh(covariance)[1][:, ::-1][:, :COMPONENTS].T)


def _coordinates(values: NDArray[np.float64], axes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Components along the axes and the length of what is left: none differs more than the windows do.

    |q - t|² >= |A q - A t|² + (|q - A'A q| - |t - A'A t|)².
    """
    along = values @ axes.T
    rest = values - along @ axes
    return np.column_stack([along, np.sqrt(np.sum(rest**2, axis=1))])


def _boxes(coordinates: NDArray[np.float64]) -> _Boxes:
    """Sort into slabs along one coordinate, these along the next, and so on: boxes of equal numbers of windows."""
    n = len(coordinates)
    slabs = max(1, round((n / BOX) ** (1 / SORTED)))
    size = -(-n // slabs**SORTED)
    members = np.minimum(np.arange(size * slabs**SORTED), n - 1)[None]  # the last one may stand there twice
    for c in range(SORTED):
        order = np.argsort(coordinates[members, c % coordinates.shape[1]], axis=1)
        members = np.take_along_axis(members, order, axis=1).reshape(slabs ** (c + 1), -1)
    points = coordinates[members]
    low, high = points.min(axis=1).T, points.max(axis=1).T
    return _Boxes(members, *(np.ascontiguousarray(part) for part in (points.transpose(0, 2, 1), low, high)))
