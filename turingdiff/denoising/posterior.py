"""Posterior means over patches: the softmax of all admissible patches, exact, block by block.

    D(x) = sum_p W_p p(0),    W = softmax_p( -||y_Ox - p||² / (2 sigma²) )

(Kamb & Ganguli 2025, eqs. 7-10, 41, in the frame y = phi/sqrt(abar).) The state of a softmax, (least distance, sum,
weighted sum), merges. Training images are taken in fixed blocks whose states are merged in order, so that the bytes
of the result depend neither on threads nor on how many samples are asked for at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Any, Protocol, TypeVar

import numpy as np

from turingdiff.data.images import to_unit
from turingdiff.denoising import patch_kernels
from turingdiff.denoising.lanes import LANES
from turingdiff.engine.memory import on_cache_line

BYTES_AT_ONCE = 16 * 2**20
# Lanes that hold no image hold this value: far from every patch at any sigma below it, its squares finite in float32.
NOWHERE = 1e9
# Rounding in float32 moves D by at most 8.6e-8 of the best logit beyond 200 nats, and by 2e-5 below: up to this limit
# of 700 nats by 5.9e-5 at worst (benchmarks/precision.py). At a level's own noise the logit is about half the numbers
# in a patch: 170 for a grey 17x17, 480 in colour, 590 for a colour 19x19; wider colour patches are computed twice.
LOGIT_ERROR = 1e-7
TOLERANCE = 7e-5


@dataclass(frozen=True)
class Admissible:
    """Which training patches a pixel is compared with: (shift, from, to) along rows and along columns."""

    rows: np.ndarray
    columns: np.ndarray
    wraps: bool


def all_shifts(field: tuple[int, int], image: tuple[int, int], r: int) -> Admissible:
    """On the torus: every patch of the wrapped training image."""
    _check_torus(field, image, r)
    rows, columns = (np.array([(s, 0, n) for s in range(m)]) for n, m in zip(field, image, strict=True))
    return Admissible(rows, columns, wraps=True)


def same_border_overlap(field: tuple[int, int], image: tuple[int, int], r: int) -> Admissible:
    """Boundary-broken (eq. 41): patches whose window overlaps the border as the pixel's own window does.

    Interior pixels meet all interior patches; within r of an edge, the patches at the same distance from it.
    """
    rows, columns = (_border_axis(n, m, r) for n, m in zip(field, image, strict=True))
    return Admissible(rows, columns, wraps=False)


def same_place(field: tuple[int, int], image: tuple[int, int], r: int) -> Admissible:
    """Local, not equivariant (eqs. 7-8): the patch at the same place of each image."""
    return Admissible(np.array([(0, 0, field[0])]), np.array([(0, 0, field[1])]), wraps=False)


def same_place_on_torus(field: tuple[int, int], image: tuple[int, int], r: int) -> Admissible:
    """As `same_place`, with windows that wrap."""
    _check_torus(field, image, r)
    return Admissible(np.array([(0, 0, field[0])]), np.array([(0, 0, field[1])]), wraps=True)


def _check_torus(field: tuple[int, int], image: tuple[int, int], r: int) -> None:
    for name, shape, remedy in (("training images", image, 'boundary="zero"'), ("field", field, "a larger field")):
        if 2 * r + 1 > min(shape):
            raise ValueError(
                f"patch {2 * r + 1} is wider than the {name} {tuple(shape)}: on the torus its window would meet "
                f"itself. Use a patch of at most {(min(shape) - 1) // 2 * 2 + 1}, or {remedy}"
            )


def _border_axis(n: int, m: int, r: int) -> np.ndarray:
    """Shifts from a field of length `n` to an image of length `m`; edge pixels join the shift that keeps their edge."""
    shifts = []
    for s in range(min(r + 1 - n, 0), max(m - r, 1)):
        low = 0 if s == 0 else max(r, r - s)
        high = n if s == m - n else min(n - r, m - r - s)
        if low < high:
            shifts.append((s, low, high))
    covered = {x for _, low, high in shifts for x in range(low, high)}
    if len(covered) < n:
        raise ValueError(
            f"no training patch of {2 * r + 1} pixels overlaps the border as a field of length {n} needs it "
            f"(images of length {m}): use a smaller patch, or a field of at least {2 * r + 1} pixels"
        )
    return np.array(shifts)


def patch_posterior(images: np.ndarray, fields: np.ndarray, sigma: float, r: int, admissible: Admissible) -> np.ndarray:
    """Posterior means D (B, C, H, W) of noisy `fields` (B, C, H, W), in their dtype.

    Float32 fields are computed in float32; a pixel so unlike all patches that rounding could show
    (beyond 7e-5) is computed again in float64.
    """
    result, top = _posterior(images, fields, sigma, r, admissible)
    if fields.dtype == np.float32:
        doubtful = -top * LOGIT_ERROR > TOLERANCE
        samples = np.flatnonzero(doubtful.any(axis=(1, 2)))
        if samples.size:
            exact, _ = _posterior(images, fields[samples].astype(float), sigma, r, admissible)
            # Pixel by pixel, or a pixel in doubt would be felt outside its neighbourhood.
            result[samples] = np.where(doubtful[samples, None], exact, result[samples])
    return result


def _posterior(images, fields, sigma, r, admissible) -> tuple[np.ndarray, np.ndarray]:
    count, channels, height, width = fields.shape
    dtype = fields.dtype
    queries = padded_queries(fields, r, admissible.wraps)
    merged: SoftmaxState | None = None
    precision = dtype.type(0.5 / sigma**2)
    for banks in image_lanes(images, (height, width), r, admissible.wraps, dtype, count * (channels + 2)):
        shape = (count, len(banks), height, width)
        least, total = np.zeros(shape, dtype), np.zeros(shape, dtype)
        weighted = np.zeros((count, len(banks), channels, height, width), dtype)
        patch_kernels.posterior_states(
            queries, banks, admissible.rows, admissible.columns, r, precision, least, total, weighted
        )
        states = [SoftmaxState(least[:, k], total[:, k], weighted[:, k]) for k in range(len(banks))]
        merged = merge_all(states if merged is None else [merged, *states], precision)
    assert merged is not None  # there is at least one image
    return merged.mean(), -merged.least * precision


@dataclass(frozen=True)
class SoftmaxState:
    """A softmax under way: least squared distance and sum (B, H, W), weighted sum (B, C, H, W)."""

    least: np.ndarray
    total: np.ndarray
    weighted: np.ndarray

    def merge(self, other: SoftmaxState, precision: np.floating) -> SoftmaxState:
        """The state of both; associative up to rounding."""
        least = np.minimum(self.least, other.least)
        a, b = (np.exp((least - state.least) * precision) for state in (self, other))
        total = self.total * a + other.total * b
        weighted = self.weighted * a[:, None] + other.weighted * b[:, None]
        return SoftmaxState(least, total, weighted)

    def mean(self) -> np.ndarray:
        """The weighted mean (B, C, H, W)."""
        return self.weighted / self.total[:, None]


State = TypeVar("State", bound="Merges")


class Merges(Protocol):
    """What blocks of images are gathered in."""

    def merge(self: State, other: State, precision: Any) -> State:
        """The state of both."""
        ...


def merge_all(states: Iterable[State], precision: Any) -> State:
    """The state of all, merged in their order: floating-point merging is not associative."""
    return reduce(lambda a, b: a.merge(b, precision), states)


def padded_queries(fields: np.ndarray, r: int, wraps: bool) -> np.ndarray:
    """Fields padded by r: (B, C, H + 2r, W + 2r)."""
    # Another memory order would be another kernel, compiled when it first comes.
    fields = np.ascontiguousarray(fields)
    return np.pad(fields, ((0, 0), (0, 0), (r, r), (r, r)), mode="wrap" if wraps else "constant")


def image_lanes(
    images: np.ndarray, field: tuple[int, int], r: int, wraps: bool, dtype: np.dtype, states: int
) -> Iterator[np.ndarray]:
    """Banks of LANES padded images, some at a time: (K, C, Hb, Wb LANES), with `states` numbers a pixel beside them.

    On the torus columns are repeated until every shift of the field finds its columns side by side.
    """
    count, channels, height, width = images.shape
    rows = np.arange(-r, height + r) if not wraps else np.arange(-r, height - r) % height
    columns = np.arange(-r, width + r) if not wraps else np.arange(-r, field[1] + width + r) % width
    size = channels * rows.size * columns.size * LANES + states * field[0] * field[1]
    at_once = max(1, BYTES_AT_ONCE // (size * dtype.itemsize)) * LANES
    for first in range(0, count, at_once):
        chunk = to_unit(images[first : first + at_once])
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
