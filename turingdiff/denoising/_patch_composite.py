"""Whole patches, averaged where they overlap (patch-set posterior composites).

The local machines ask for the centre of a patch; this one asks for all of it. Every window of the image has its own
posterior mean over the training patches at the same place, and a pixel is the average of all windows that contain it
(Niedoba, Zwartsenberg, Murphy & Wood, ICML 2025, arXiv 2411.19339).

Arrays of blocks of images have the images last, (H, W, n), so that all loops over windows are long.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from turingdiff.data.images import check_images, unit_blocks
from turingdiff.denoising._levels import cosine_levels, karras_levels
from turingdiff.denoising._machine import Labels, Machine, is_torus, make_machine, same_size, short_name
from turingdiff.denoising._patch_sizes import SCHEDULES as PUBLISHED_SIZES
from turingdiff.denoising._patch_sizes import PatchSize, Schedule, size_function
from turingdiff.engine.neighbourhood import Neighbourhood
from turingdiff.patches.box_sums import run_sums, window_sums
from turingdiff.patches.cells import one_more, unit
from turingdiff.patches.softmax import more_weights

# 32x32 numbers of 64 images stay in a core's cache.
IMAGES_AT_ONCE = 64

# The square patches that the paper uses for CIFAR10 (32x32), at the 18 levels of Karras et al. from high noise to low.
SCHEDULES = {
    **PUBLISHED_SIZES,
    "cifar10-edm": Schedule(karras_levels(18)[:-1], (*[32] * 7, 23, 15, 11, 7, 5, *[3] * 6)),
}


@short_name("composite")
def patch_composite(
    images: np.ndarray, patch: PatchSize = "cifar10-edm", boundary: str = "zero", *, labels: Labels = None
) -> Machine:
    """The composite of patch posteriors (PSPC-Square): whole patches at their own place, averaged where they overlap.

        D = (sum_C C^T C)^-1 sum_C C^T E[x_C | y_C],
        E[x_C | y_C] = sum_n W_n x_n,C,  W = softmax_n(-||y_C - x_n,C||²/(2 sigma²))

    over all crops C to a window of k x k pixels, all channels (eq. 11). A pixel at x depends on the field up to k - 1
    cells away; not equivariant. With k the size of the image it is the `ideal` machine, with k = 1 `local`. Theorem
    4.1 of Kamb & Ganguli does not hold for it: a pixel is an average over windows, not the centre of a patch, and
    `mosaic` refuses it. Cost: N H W log k a field, whatever the number of pixels in a patch.

    Parameters
    ----------
    images
        (N, C, H, W), see `turingdiff.data.check_images`.
    patch
        Side k of the window, odd or even, a function of sigma, or the name of a schedule; ``"cifar10-edm"`` are
        the paper's sizes, looked up at the nearest level in log sigma (its code: in sigma). A window is never larger
        than the image.
    boundary
        ``"zero"``: windows lie inside the image, so pixels at the border are in fewer of them (the paper).
        ``"periodic"``: they go on at the other side.
    labels
        (N,) classes of the images, for `Machine.conditional` and `sample`.

    Raises
    ------
    ValueError
        For a size below 1, an unknown schedule, another boundary, or a field of another size than the images.
    """
    images = check_images(images)
    torus = is_torus(boundary, "patch_composite")
    longest = max(images.shape[2:])
    side = size_function(patch, SCHEDULES, _side)

    def radius(sigma: float) -> int:
        return min(side(sigma), longest) - 1

    def posterior(fields: np.ndarray, sigma: float) -> np.ndarray:
        return composite_posterior(images, fields, sigma, side(sigma), torus)

    return make_machine(
        "patch composite",
        patch_composite_torus_cell if torus else patch_composite_cell,
        images,
        Neighbourhood(max(radius(float(sigma)) for sigma in cosine_levels(20)[:-1]), boundary),
        posterior,
        partial(patch_composite, patch=patch, boundary=boundary),
        labels=labels,
        radius_at=radius,
        admits=partial(same_size, images),
    )


def composite_cell(name: str, tops: Callable) -> Callable:
    """The cell function; ``tops(x, size, k)``: first and last start of the windows that contain pixel x of an axis."""

    def cell(phi, i, j, t, p, g, out):
        images, y, x = p[0], i - g.pad, j - g.pad
        count, channels, height, width = images.shape
        kh, kw = min(g.radius + 1, height), min(g.radius + 1, width)
        first_row, last_row = tops(y, height, kh)
        first_column, last_column = tops(x, width, kw)
        windows, composite = 0, np.zeros(channels)
        for top in range(first_row, last_row + 1):
            for left in range(first_column, last_column + 1):
                peak, total, mean = -math.inf, 0.0, np.zeros(channels)
                for n in range(count):
                    squared = 0.0
                    for c in range(channels):
                        for v in range(top, top + kh):
                            for u in range(left, left + kw):
                                pixel = unit(images[n, c, v % height, u % width])
                                squared += (phi[c, g.pad + v, g.pad + u] - pixel) ** 2
                    peak, total, before, weight = one_more(peak, total, -squared / (2 * t * t))
                    for c in range(channels):
                        mean[c] = mean[c] * before + weight * unit(images[n, c, y, x])
                windows += 1
                for c in range(channels):
                    composite[c] += mean[c] / total
        for c in range(channels):
            out[c, i, j] = (phi[c, i, j] - composite[c] / windows) / t

    cell.__name__ = name
    return cell


def inside(x, size, k):
    """Windows inside the image."""
    return max(0, x - k + 1), min(x, size - k)


def around(x, size, k):
    """Windows on the torus."""
    return x - k + 1, x


patch_composite_cell = composite_cell("patch_composite", inside)
patch_composite_torus_cell = composite_cell("patch_composite_torus", around)


def composite_posterior(images: np.ndarray, fields: np.ndarray, sigma: float, k: int, torus: bool) -> np.ndarray:
    """Composites D (B, C, H, W) of noisy `fields`, computed in float64.

    The weight of an image in a window is a softmax over all images, and each pixel adds up weights of many windows.
    So a first pass over the images finds every window's least distance and sum of weights, and a second one adds up

        sum_n x_n(x) sum of W_n over the windows that contain x,

    the inner sum by boxes again: k² pixels are never visited, and no patch is copied.
    """
    queries = fields.astype(float)[..., None]  # (B, C, H, W, 1)
    window = min(k, fields.shape[2]), min(k, fields.shape[3])
    precision = 0.5 / sigma**2
    states: list[tuple[np.ndarray, ...]] = [(np.array(np.inf), np.array(0.0))] * len(queries)
    for block in _blocks(images):
        states = [
            more_weights(least, total, np.moveaxis(window_distances(query, block, window, torus), -1, 0), precision)[:2]
            for query, (least, total) in zip(queries, states, strict=True)
        ]
    result = np.zeros(fields.shape)
    for block in _blocks(images):
        for D, query, (least, total) in zip(result, queries, states, strict=True):
            distances = window_distances(query, block, window, torus)
            weights = np.exp((least[..., None] - distances) * precision) / total[..., None]
            D += (onto_pixels(weights, window, torus) * block).sum(axis=-1)
    windows = onto_pixels(np.ones((*least.shape, 1)), window, torus)[..., 0]
    return (result / windows).astype(fields.dtype)


def window_distances(query: np.ndarray, block: np.ndarray, window: tuple[int, int], torus: bool) -> np.ndarray:
    """Squared distances (h, w, n) of every window of a field (C, H, W, 1) to the same of each image (C, H, W, n)."""
    return window_sums(((query - block) ** 2).sum(axis=0), window, torus)


def onto_pixels(weights: np.ndarray, window: tuple[int, int], torus: bool) -> np.ndarray:
    """Sums (H, W, n) over the windows that contain each pixel; `weights` has one number a window, (h, w, n)."""
    for k in window:
        none = np.zeros((k - 1, *weights.shape[1:]))
        framed = [weights[len(weights) - k + 1 :], weights] if torus else [none, weights, none]
        weights = run_sums(np.concatenate(framed), k).swapaxes(0, 1)
    return weights


def _blocks(images: np.ndarray) -> Iterator[np.ndarray]:
    """The images some at a time, (C, H, W, n) float64."""
    return (np.ascontiguousarray(np.moveaxis(block, 0, -1)) for block in unit_blocks(images, IMAGES_AT_ONCE))


def _side(side: int, name: str) -> int:
    if isinstance(side, bool) or not isinstance(side, (int, np.integer)):
        raise TypeError(f"{name} must be a whole number, a function of sigma or a schedule's name, got {side!r}")
    if side < 1:
        raise ValueError(f"{name} must be at least 1 pixel, got {side}")
    return int(side)
