"""The Wiener machine: the posterior mean of a Gaussian with the mean and the covariance of the training set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from turingdiff.data.images import check_images, to_unit, unit_blocks
from turingdiff.denoising._machine import Machine, make_machine, same_size, short_name
from turingdiff.engine.neighbourhood import Neighbourhood
from turingdiff.engine.short_repr import short_repr

IMAGES_AT_ONCE = 512
# Side of the largest matrix that is decomposed: 128 MiB in float64.
LARGEST = 4096


@short_name("wiener")
def wiener(images: np.ndarray, *, labels: Sequence[Any] | None = None) -> Machine:
    """The Wiener machine: the best affine denoiser of the training set, with a gain for each principal component.

    D = mu + S (S + sigma²)^-1 (y - mu) = mu + sum_k l_k/(l_k + sigma²) u_k <u_k, y - mu>, with l_k and u_k the
    eigenvalues and eigenvectors of S. It is the posterior mean if images are Gaussian, and among affine maps it has
    the least squared error on the training set itself. For that, S = sum_n (x_n - mu)(x_n - mu)^T / N: the covariance
    of the set, divided by N and not by N - 1. Directions without variance stay at mu. It is neither local nor
    equivariant, unless mu and S are those of a set closed under shifts.

    S is decomposed once, at construction: by a singular value decomposition if N <= C H W, else from S summed block by
    block; the last bits of float64 depend on the number of threads of the BLAS. Eigenvalues below their rounding,
    epsilon max(N, C H W) of the largest, are none. A field costs two products
    with a matrix of min(N, C H W) x C H W, whatever N.

    Parameters
    ----------
    labels
        (N,) classes of the images, for `Machine.conditional` and `sample`.

    Raises
    ------
    ValueError
        For more than 4096 images of more than 4096 numbers each; on a field of another size than the images.

    References
    ----------
    Wang & Vastola, The unreasonable effectiveness of Gaussian score approximation for diffusion models and its
    applications, TMLR 2024, arXiv 2412.09726.
    """
    images = check_images(images)
    components = principal_components(images)
    return make_machine(
        "wiener",
        wiener_cell,
        images,
        Neighbourhood(None, "zero"),
        partial(gaussian_posterior, components),
        wiener,
        labels=labels,
        params={"mean": components.mean, "modes": components.modes, "variances": components.variances},
        admits=partial(same_size, images),
    )


@short_repr
@dataclass(frozen=True)
class Components:
    """The mean (C, H, W) of images, and the K directions in which they vary.

    Attributes
    ----------
    modes
        (K, C, H, W), orthonormal.
    variances
        (K,), all positive.
    """

    mean: np.ndarray
    modes: np.ndarray
    variances: np.ndarray


def principal_components(images: np.ndarray) -> Components:
    """The mean and the principal components of the images, in float64.

    Raises
    ------
    ValueError
        For more than 4096 images of more than 4096 numbers each.
    """
    count, size = len(images), images[0].size
    if min(count, size) > LARGEST:
        raise ValueError(
            f"the covariance of {count} images of {size} numbers each is a matrix of {min(count, size)} x "
            f"{min(count, size)}, expected at most {LARGEST}: take {LARGEST} of the images, or make them smaller"
        )
    mean = np.sum([block.sum(axis=0) for block in unit_blocks(images, IMAGES_AT_ONCE)], axis=0) / count
    decomposed = _decomposed_images if count <= size else _decomposed_covariance
    modes, variances = decomposed(images, mean)
    varying = variances > np.finfo(float).eps * max(count, size) * variances.max()
    return Components(mean, modes[varying].reshape(-1, *images.shape[1:]), variances[varying])


def gaussian_posterior(components: Components, fields: np.ndarray, sigma: float) -> np.ndarray:
    """Posterior means (B, C, H, W) of a Gaussian, in float64 inside."""
    mean, modes = components.mean, components.modes.reshape(-1, components.mean.size)
    gains = components.variances / (components.variances + sigma**2)

    def one(field: np.ndarray) -> np.ndarray:
        amplitudes = modes @ (field - mean).ravel()
        return mean + ((gains * amplitudes) @ modes).reshape(mean.shape)

    # One by one: a product with several fields at once rounds differently.
    return np.stack([one(field) for field in fields.astype(float)]).astype(fields.dtype)


def _decomposed_images(images: np.ndarray, mean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Modes and variances from the singular values of the centred images; a (C H W)² matrix is never made."""
    centred = (to_unit(images).astype(float) - mean).reshape(len(images), -1)
    _, singular, modes = np.linalg.svd(centred, full_matrices=False)
    return modes, singular**2 / len(images)


def _decomposed_covariance(images: np.ndarray, mean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Modes and variances from the covariance, summed block by block in order."""
    covariance = np.zeros((mean.size, mean.size))
    for block in unit_blocks(images, IMAGES_AT_ONCE):
        centred = (block - mean).reshape(len(block), -1)
        covariance += centred.T @ centred
    variances, modes = np.linalg.eigh(covariance / len(images))
    return np.ascontiguousarray(modes.T), variances


def wiener_cell(phi, i, j, t, p, g, out):
    """The Gaussian posterior mean, p = (mean, modes, variances): modes (K, C, H, W) are orthonormal images."""
    average, modes, variances = p
    count, channels, height, width = modes.shape
    y, x, gained = i - g.pad, j - g.pad, np.zeros(channels)
    for k in range(count):
        amplitude = 0.0
        for c in range(channels):
            for v in range(height):
                for u in range(width):
                    amplitude += modes[k, c, v, u] * (phi[c, g.pad + v, g.pad + u] - average[c, v, u])
        gain = variances[k] / (variances[k] + t * t)
        for c in range(channels):
            gained[c] += gain * amplitude * modes[k, c, y, x]
    for c in range(channels):
        out[c, i, j] = (phi[c, i, j] - average[c, y, x] - gained[c]) / t
