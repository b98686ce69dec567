"""The equivariant machine: the ideal machine of all circular translations of all training images.

With y ⋆ x the circular cross-correlation, the squared distances of a field to all translations of an image, and the
weighted sum of the translated images, are

    d_n(s) = ||y||² + ||x_n||² - 2 sum_c (y_c ⋆ x_nc)(s),        sum_n sum_s W_n(s) x_nc(u + s) = sum_n (W_n ⋆ x_nc)(u):

three Fourier transforms an image in place of H W times its pixels. The sum over images is taken of spectra, and only
the sum is transformed back.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numba
import numpy as np
from numpy import fft

from turingdiff.data.images import check_images, unit_blocks
from turingdiff.denoising._machine import Machine, make_machine, same_size, short_name
from turingdiff.engine.neighbourhood import Neighbourhood
from turingdiff.patches.cells import one_more, unit
from turingdiff.patches.softmax import SoftmaxState, merge_all

# Numbers in a block of images; larger blocks and their spectra leave the second-level cache.
NUMBERS_AT_ONCE = 2**15
# Blocks with one softmax state; a thread takes so many at a time.
BLOCKS_A_STATE = 8
# Rounding of d above, in units of epsilon (||y|| + ||x||)²; tests/test_denoising_equivariant.py measures it.
ROUNDING = 4.0
# Rounding moves a logit by at most this, or the distances of all translations that count are summed directly.
TOLERANCE = 1e-8
# Translations this many nats below the best so far do not count: P of them lose at most P exp(-32) of the mass.
SKIP = 32.0
DIRECTLY_AT_ONCE = 64


@short_name("es")
def equivariant(images: np.ndarray, *, labels: Sequence[Any] | None = None) -> Machine:
    """The equivariant machine (ES): whole training images, circularly translated to every place.

    D(u) = sum_{n, s} W_{n, s} x_n(u + s), W = softmax_{n, s}(-||y - x_n(. + s)||²/(2 sigma²)): the ideal machine of the
    orbit of the training set, every shift of every image counted, also where two are equal. Field and images are
    tori. It commutes with all shifts; it remembers images, and forgets where they were.

    Distances are correlations by FFT in float64. Rounding moves a logit by less than 1e-8, and D by less than 2e-8:
    where it could do more (small sigma), the distances that count are summed directly. (Far from all images, the
    distances themselves are rounded by more, as in `ideal`.) Translations 32 nats below the best do not count. The cost
    of a field is that of some three FFTs an image.

    Parameters
    ----------
    labels
        (N,) classes of the images, for `Machine.conditional` and `sample`.

    Raises
    ------
    ValueError
        When used on a field of another size than the training images.

    References
    ----------
    Kamb & Ganguli, An analytic theory of creativity in convolutional diffusion models, ICML 2025, eqs. 5-6.
    """
    images = check_images(images)
    return make_machine(
        "ES",
        equivariant_cell,
        images,
        Neighbourhood(None, "periodic"),
        partial(orbit_posterior, images),
        equivariant,
        labels=labels,
        admits=partial(same_size, images),
    )


def orbit_posterior(images: np.ndarray, fields: np.ndarray, sigma: float) -> np.ndarray:
    """Posterior means (B, C, H, W) over all circular translations of `images` (N, C, H, W).

    The set is cut into parts of a fixed size, each with a softmax state for every field. They are merged in order:
    the bytes depend neither on threads nor on the number of fields.
    """
    precision = np.float64(0.5 / sigma**2)
    queries = [_Transformed(field[None].astype(float)) for field in fields]
    at_once = BLOCKS_A_STATE * _block_length(images)
    parts = [images[first : first + at_once] for first in range(0, len(images), at_once)]
    with ThreadPoolExecutor(numba.get_num_threads()) as threads:
        states = list(threads.map(lambda part: _states(queries, part, precision), parts))
    means = [merge_all(of_field, precision).mean()[0] for of_field in zip(*states, strict=True)]
    return np.stack([fft.irfft2(mean, s=fields.shape[2:]) for mean in means]).astype(fields.dtype)


@dataclass(frozen=True)
class _Transformed:
    """Images (K, C, H, W) in float64, with their spectra and norms."""

    pixels: np.ndarray

    @cached_property
    def spectra(self) -> np.ndarray:
        return fft.rfft2(self.pixels)

    @cached_property
    def squares(self) -> np.ndarray:
        return np.square(self.pixels).sum(axis=(1, 2, 3))


def _block_length(images: np.ndarray) -> int:
    return max(1, NUMBERS_AT_ONCE // images[0].size)


def _states(queries: list[_Transformed], images: np.ndarray, precision: np.float64) -> list[SoftmaxState]:
    """The softmax state over `images` of every query; blocks are transformed once for all of them."""
    found: list[list[SoftmaxState]] = [[] for _ in queries]
    for block in map(_Transformed, unit_blocks(images, _block_length(images))):
        for query, states in zip(queries, found, strict=True):
            best = min((state.least.item() for state in states), default=np.inf)
            states += _block_states(query, block, precision, best)
    return [merge_all(states, precision) for states in found]


def _block_states(query: _Transformed, block: _Transformed, precision: np.float64, best: float) -> list[SoftmaxState]:
    """The softmax over one block, its weighted sum a spectrum (1, C, H, W/2 + 1); nothing if none of it counts.

    `best` is the least distance in the blocks before.
    """
    squared, error = _squared(query, block), _rounding(query, block)
    least = min(best, squared.min())
    if _in_doubt(error, least, precision):
        squared = _summed_directly(query, block, squared <= least + 2 * error + SKIP / precision)
        least = min(best, squared.min())
    counts = squared.min(axis=(1, 2)) <= least + SKIP / precision
    if not counts.any():
        return []
    weights = np.exp((least - squared[counts]) * precision)
    spectra = (fft.rfft2(weights).conj()[:, None] * block.spectra[counts]).sum(axis=0)
    one = (1, 1, 1)  # in place of (B, H, W): all pixels share a state
    return [SoftmaxState(np.full(one, least), np.full(one, weights.sum()), spectra[None])]


def _squared(query: _Transformed, block: _Transformed) -> np.ndarray:
    """The squared distances (K, H, W) to every translation of every image, by correlation."""
    products = (query.spectra.conj() * block.spectra).sum(axis=1)
    correlation = fft.irfft2(products, s=block.pixels.shape[2:])
    return query.squares + block.squares[:, None, None] - 2 * correlation


def _rounding(query: _Transformed, block: _Transformed) -> float:
    """A bound on the error of `_squared`: its terms cancel, their rounding does not."""
    size = np.sqrt(query.squares.max()) + np.sqrt(block.squares.max())
    return float(ROUNDING * np.finfo(float).eps * size**2)


def _in_doubt(error: float, least: float, precision: np.float64) -> bool:
    # A direct sum has an error too, in proportion to the distance: far from all images it is no better.
    return error > max(TOLERANCE / float(precision), 16 * np.finfo(float).eps * least)


def _summed_directly(query: _Transformed, block: _Transformed, near: np.ndarray) -> np.ndarray:
    """The squared distances (K, H, W) of the translations marked `near`, free of cancellation; infinity elsewhere."""
    height, width = near.shape[1:]
    rows, columns = np.arange(height), np.arange(width)
    squared = np.full(near.shape, np.inf)
    marked = np.argwhere(near)
    for first in range(0, len(marked), DIRECTLY_AT_ONCE):
        n, dy, dx = marked[first : first + DIRECTLY_AT_ONCE].T
        v, u = (rows + dy[:, None]) % height, (columns + dx[:, None]) % width
        moved = block.pixels[n[:, None, None], :, v[:, :, None], u[:, None, :]]  # (marked, H, W, C)
        squared[n, dy, dx] = ((moved - np.moveaxis(query.pixels[0], 0, -1)) ** 2).sum((1, 2, 3))
    return squared


def equivariant_cell(phi, i, j, t, p, g, out):
    """ES: all circular translations of all images, p = (images,)."""
    images, y, x = p[0], i - g.pad, j - g.pad
    count, channels, height, width = images.shape
    peak, total, mean = -math.inf, 0.0, np.zeros(channels)
    for n in range(count):
        for dy in range(height):
            for dx in range(width):
                squared = 0.0
                for c in range(channels):
                    for v in range(height):
                        for u in range(width):
                            pixel = unit(images[n, c, (v + dy) % height, (u + dx) % width])
                            squared += (phi[c, g.pad + v, g.pad + u] - pixel) ** 2
                peak, total, before, weight = one_more(peak, total, -squared / (2 * t * t))
                for c in range(channels):
                    here = unit(images[n, c, (y + dy) % height, (x + dx) % width])
                    mean[c] = mean[c] * before + weight * here
    for c in range(channels):
        out[c, i, j] = (phi[c, i, j] - mean[c] / total) / t
