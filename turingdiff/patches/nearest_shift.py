"""The search behind ``novelty``: the nearest of many images over all shifts, by Fourier transforms, exactly.

A block of training images at a time, so that memory stays at tens of MB however many there are.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from turingdiff.data.images import unit_blocks, unit_scale
from turingdiff.patches.box_sums import window_sums

BLOCK_BYTES = 4 << 20  # spectra held at a time; the peak is a few times this
TOGETHER = 32  # queries that share a block, candidates transformed back at once, ties looked at


def nearest_shift(
    queries: NDArray, train: NDArray, skip: NDArray[np.int64] | None = None
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Nearest image and shift of each query (leaving out image ``skip[b]`` for query b)."""
    found = []
    step = max(1, min(TOGETHER, BLOCK_BYTES // (8 * queries[0].size)))
    for turn, group in enumerate(unit_blocks(queries, step)):
        left_out = None if skip is None else skip[turn * step :]
        found += _search_group(group, train, left_out)
    distance, index, dy, dx = zip(*found, strict=True)
    return np.array(distance), np.array(index), np.stack([dy, dx], axis=1)


def _search_group(
    queries: NDArray[np.float64], train: NDArray, skip: NDArray[np.int64] | None
) -> list[tuple[float, int, int, int]]:
    _, _, height, width = queries.shape
    waves = np.fft.rfft2(queries)
    square = _window_squares(queries, train.shape[2:])
    same_size = train.shape[2:] == (height, width)
    sizes = _magnitudes(waves, width) if same_size else waves.real

    best = np.full(len(queries), np.inf)
    close = [(np.empty(0), np.empty(0, np.int64)) for _ in queries]  # squared distance, index
    slack = np.zeros(len(queries))
    block = max(1, BLOCK_BYTES // waves[0].nbytes)
    few = max(1, min(TOGETHER, BLOCK_BYTES // (waves[0].nbytes + 16 * height * width)))
    for turn, part in enumerate(unit_blocks(train, block)):
        start = turn * block
        part_waves = np.fft.rfft2(part, s=(height, width))
        part_square = np.sum(part**2, axis=(1, 2, 3))
        part_sizes = _magnitudes(part_waves, width) if same_size else None
        for b in range(len(queries)):
            # Far above the rounding of a transform, far below any difference that one could see.
            slack[b] = max(slack[b], 1e-11 * (square[b].max() + part_square.max()))
            bound = np.zeros(len(part))
            if part_sizes is not None:
                # |sum_k F G* e^(iks)| <= sum_k |F| |G|: a bound over all shifts at once, at the price of one.
                bound = square[b, 0, 0] + part_square - 2 * part_sizes @ sizes[b]
            if skip is not None and start <= skip[b] < start + len(part):
                bound[skip[b] - start] = np.inf
            order = np.argsort(bound, kind="stable")
            for first in range(0, len(order), few):
                some = order[first : first + few]
                some = some[(bound[some] <= best[b] + slack[b]) & np.isfinite(bound[some])]
                if not some.size:
                    break
                squares = _squares(waves[b], part_waves[some], square[b], part_square[some])
                lowest = squares.min(axis=(1, 2))
                best[b] = min(best[b], lowest.min())
                values, indices = np.append(close[b][0], lowest), np.append(close[b][1], start + some)
                kept = _closest(values, indices, best[b] + slack[b])
                close[b] = values[kept], indices[kept]

    found = []
    for b, query in enumerate(queries):
        indices = np.sort(close[b][1]).tolist()
        found.append(_measure_again(query, waves[b], square[b], train, indices, best[b] + slack[b]))
    return found


def _measure_again(
    query: NDArray[np.float64],
    wave: NDArray[np.complex128],
    square: NDArray[np.float64],
    train: NDArray,
    indices: Sequence[int],
    limit: float,
) -> tuple[float, int, int, int]:
    """Distance, index and shift of the nearest, each close candidate's distance summed directly."""
    _, height, width = query.shape
    nearest = (np.inf, -1, 0, 0)
    for index in indices:
        other = unit_scale(train[index]).astype(float)
        other_wave = np.fft.rfft2(other, s=(height, width))
        squares = _squares(wave, other_wave[None], square, np.array([np.sum(other**2)])).ravel()
        for s in _closest(squares, np.arange(squares.size), limit).tolist():
            dy, dx = divmod(s, width)
            window = np.roll(query, (-dy, -dx), axis=(1, 2))[:, : other.shape[1], : other.shape[2]]
            distance = float(np.sqrt(np.mean((window - other) ** 2)))
            if distance < nearest[0]:
                nearest = (distance, index, dy, dx)
    return nearest


def _closest(values: NDArray[np.float64], order: NDArray[np.int64], limit: float) -> NDArray[np.int64]:
    """Where the values within the limit are: the lowest, and of what may be ties the first in order."""
    within = np.flatnonzero(values <= limit)
    lowest = within[np.argsort(values[within], kind="stable")[:TOGETHER]]
    first = within[np.argsort(order[within], kind="stable")[:TOGETHER]]
    return np.union1d(lowest, first)


def _squares(
    wave: NDArray[np.complex128],
    others: NDArray[np.complex128],
    square: NDArray[np.float64],
    other_square: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Squared distances (n, H, W) of n images to the windows of one query at every shift.

    sum_i (q[i+s] - y[i])² = sum_i q[i+s]² + sum_i y[i]² - 2 (q correlated with y)[s].
    """
    product = np.einsum("chw,nchw->nhw", wave, others.conj())
    return square + other_square[:, None, None] - 2 * np.fft.irfft2(product, s=square.shape)


def _window_squares(queries: NDArray[np.float64], window: tuple[int, ...]) -> NDArray[np.float64]:
    """Sum of squares (B, H, W) of the wrapping window whose upper left corner is at each pixel."""
    squares = np.moveaxis(np.sum(queries**2, axis=1), 0, -1)
    return np.moveaxis(window_sums(squares, window, torus=True), -1, 0)


def _magnitudes(waves: NDArray[np.complex128], width: int) -> NDArray[np.float64]:
    """Moduli (n, M) of real images' spectra, such that a dot product is the sum over all of Fourier space."""
    copies = np.full(waves.shape[-1], 2.0)
    copies[0] = 1
    if width % 2 == 0:
        copies[-1] = 1
    return (np.abs(waves) * np.sqrt(copies / (waves.shape[-2] * width))).reshape(len(waves), -1)
