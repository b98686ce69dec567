"""Locality from the statistics of the data: which coordinates a pixel is compared at follows from the covariance.

The best linear denoiser of images with covariance S is W = S (S + sigma²)^-1. Its row of a pixel says what the pixel
depends on; cut off at a threshold it becomes a mask, and the posterior is taken over whole images seen through masks
(Lukoianov, Yuan, Solomon & Sitzmann, NeurIPS 2025, arXiv 2509.09672).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import numpy as np

from turingdiff.data.images import check_images, unit_blocks
from turingdiff.denoising._machine import Labels, Machine, make_machine, same_size, short_name
from turingdiff.denoising._wiener import Components, principal_components
from turingdiff.engine.neighbourhood import Neighbourhood
from turingdiff.patches.cells import one_more, unit
from turingdiff.patches.softmax import NO_PATCHES, merge_all

IMAGES_AT_ONCE = 256
# Levels whose masks are kept, as bits: more than a trajectory of 20, and 27 MiB for colour images of 32x32.
LEVELS_KEPT = 24
# Rows of W with a smaller diagonal (a variance below this part of sigma²) are not divided by it, as published.
NEGLIGIBLE = 1e-6


@short_name("pca")
def pca_local(images: np.ndarray, threshold: float = 0.005, *, labels: Labels = None) -> Machine:
    """The machine whose windows are read off the data (PCA locality): every pixel has its own, at every level.

        W = U diag(l/(l + sigma²)) U^T,  with U diag(l) U^T the covariance of the images
        M_jm = W_jm/W_jj
        D_m = sum_n softmax_n(-sum_j [|M_jm| >= threshold max|M|] (y_j - x_nj)²/(2 sigma²)) x_nm

    Indices run over channels, rows and columns: the channels of a pixel have masks of their own. As in the published
    code, coordinate m is compared at those j whose *own* row of W, divided by its diagonal, is large at m: masks are
    columns of M, and M is not symmetric. The maximum is over the whole matrix, where coordinates that hardly vary may
    set it; rows with W_jj < 1e-6 are not divided. Unlike there, the softmax runs over all images at once (the code
    normalises it inside each batch), a coordinate is always in its own mask, and 0 means full masks (there, M itself).

    Coordinates that never vary, such as a corner of Fashion-MNIST, have W_jj = 0 and are in no mask but their own; it
    makes no difference, for there all images are equally far away.

    The field has the size of the training images. Masks reach anywhere: the machine is not local in the sense of
    `Rule.radius`, and not equivariant. With d = C H W, the covariance is decomposed once, at construction; a level
    costs d³ operations and a few arrays of 8 d² bytes, a field N d² operations.

    Parameters
    ----------
    images
        (N, C, H, W), see `turingdiff.data.check_images`.
    threshold
        Between 0 (full masks: the `ideal` machine) and 1. The published code has 0.005 for MNIST and Fashion-MNIST,
        0.05 for CIFAR10, 0.02 for CelebA-HQ and AFHQ.
    labels
        (N,) classes of the images, for `Machine.conditional` and `sample`; a class has masks of its own.

    Raises
    ------
    ValueError
        For a threshold that is not between 0 and 1, or a covariance too large, see `wiener`; on a field of another
        size than the images.
    """
    images = check_images(images)
    threshold = _check_threshold(threshold)
    components = principal_components(images)
    return make_machine(
        "PCA-local",
        pca_local_cell,
        images,
        Neighbourhood(None, "zero"),
        partial(masked_posterior, images, lru_cache(LEVELS_KEPT)(partial(mask_bits, components, threshold))),
        partial(pca_local, threshold=threshold),
        labels=labels,
        params={
            "images": images,
            "modes": components.modes,
            "variances": components.variances,
            "threshold": threshold,
        },
        admits=partial(same_size, images),
    )


def pca_local_cell(phi, i, j, t, p, g, out):
    """The definition. It makes the masks of the whole field at every cell."""
    images, modes, variances, y, x = p[0], p[1], p[2], i - g.pad, j - g.pad
    count, channels, height, width = images.shape
    mask = binary_mask(linear_denoiser(modes.reshape(len(modes), channels * height * width), variances, t), p[3])
    for c in range(channels):
        m = (c * height + y) * width + x
        peak, total, mean = -math.inf, 0.0, 0.0
        for n in range(count):
            squared = 0.0
            for e in range(channels):
                for v in range(height):
                    for u in range(width):
                        if mask[(e * height + v) * width + u, m]:
                            squared += (phi[e, g.pad + v, g.pad + u] - unit(images[n, e, v, u])) ** 2
            peak, total, before, weight = one_more(peak, total, -squared / (2 * t * t))
            mean = mean * before + weight * unit(images[n, c, y, x])
        out[c, i, j] = (phi[c, i, j] - mean / total) / t


def linear_denoiser(modes, variances, sigma):
    """W (d, d) of a noise level; modes (K, d), variances (K,)."""
    return (modes.T * (variances / (variances + sigma * sigma))) @ modes


def binary_mask(W, threshold):
    """Column m: the coordinates at which m is compared, (d, d) bool."""
    diagonal = np.diag(W)
    size = np.abs(W / np.where(diagonal < NEGLIGIBLE, 1.0, diagonal).reshape(-1, 1))
    mask = size >= threshold * size.max()
    for m in range(len(W)):
        mask[m, m] = True
    return mask


def mask_bits(components: Components, threshold: float, sigma: float) -> np.ndarray:
    """The mask of a noise level, eight entries of a row in a byte."""
    modes = components.modes.reshape(len(components.modes), components.mean.size)
    return np.packbits(binary_mask(linear_denoiser(modes, components.variances, sigma), threshold), axis=1)


def masked_posterior(
    images: np.ndarray, bits: Callable[[float], np.ndarray], fields: np.ndarray, sigma: float
) -> np.ndarray:
    """Posterior means (B, C, H, W) of noisy `fields`, every coordinate seeing the images through its mask.

    In float64, and squares are summed, never expanded: at low noise only differences of distances have digits to
    spare. Fields are taken one by one, so that the bytes of one do not depend on the others.
    """
    queries = fields.reshape(len(fields), -1).astype(float)
    mask = np.unpackbits(bits(sigma), axis=1, count=queries.shape[1]).astype(float)
    precision = np.float64(0.5 / sigma**2)
    states = [
        [NO_PATCHES.more((((query - rows) ** 2) @ mask)[:, None], rows[:, None, None], precision) for query in queries]
        for rows in (block.reshape(len(block), -1) for block in unit_blocks(images, IMAGES_AT_ONCE))
    ]
    means = [merge_all(of_field, precision).mean() for of_field in zip(*states, strict=True)]
    return np.stack(means).reshape(fields.shape).astype(fields.dtype)


def _check_threshold(threshold: Any) -> float:
    if isinstance(threshold, bool) or not isinstance(threshold, (int, float, np.integer, np.floating)):
        raise TypeError(f"threshold must be a number between 0 and 1, got {threshold!r}")
    if not 0 <= threshold <= 1:
        raise ValueError(
            f"threshold must lie between 0 (full masks) and 1 (hardly more than each pixel itself), got {threshold!r}: "
            "the paper has 0.005, 0.02 and 0.05"
        )
    return float(threshold)
