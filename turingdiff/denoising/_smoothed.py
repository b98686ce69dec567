"""The smoothed machine: the ideal machine's answer averaged over perturbed fields."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from numbers import Integral
from typing import Any

import numpy as np

from turingdiff.data.images import check_images
from turingdiff.denoising._ideal import ideal_posterior
from turingdiff.denoising._machine import Machine, make_machine, same_size, short_name
from turingdiff.engine.neighbourhood import Neighbourhood
from turingdiff.patches.cells import one_more, unit


@short_name("smoothed")
def smoothed(
    images: np.ndarray,
    std: float = 0.1,
    perturbations: int = 10,
    seed: int = 0,
    *,
    labels: Sequence[Any] | None = None,
) -> Machine:
    """The smoothed machine of closed-form diffusion: it ends on averages of training images.

    D(y; sigma) = 1/M sum_m D_ideal(y + std (1 + sigma) e_m; sigma), e_m ~ N(0, 1) for every pixel.

    In the authors' frame z = t x + (1 - t) noise, that is y = z/t with sigma = (1 - t)/t, this perturbs z by std e_m at
    all t. The perturbations enter the softmax only: an average of whole scores would besides push y by their mean over
    sigma². They are drawn once, here, so that the flow is deterministic; all training images count, not the nearest
    ones only. As sigma falls D becomes the mean of the images nearest to the M perturbed fields, the barycentre of M
    images; for std = 0 it is the ideal machine. The cost is M times that of `ideal`.

    Parameters
    ----------
    std
        Standard deviation of the perturbations as the noise goes, on the scale of the pixels.
    perturbations
        Their number M.
    seed
        Of the perturbations; perturbation m is the same for every M.
    labels
        (N,) classes of the images, for `Machine.conditional` and `sample`. All classes share the perturbations.

    Raises
    ------
    ValueError
        For a negative std, no perturbations, or, when used, a field of another size than the training images: the
        perturbations have their size.
    TypeError
        For a number of perturbations or a seed that is not a whole number.

    References
    ----------
    Scarvelis, Sáez de Ocáriz Borde & Solomon, Closed-form diffusion models, TMLR 2025, arXiv 2310.12395.
    """
    images = check_images(images)
    if not (np.isfinite(std) and std >= 0):
        raise ValueError(f"std must be finite and >= 0, got {std!r}")
    for name, value, least in (("perturbations", perturbations, 1), ("seed", seed, 0)):
        if isinstance(value, bool) or not isinstance(value, Integral):
            raise TypeError(f"{name} must be a whole number, got {value!r}")
        if value < least:
            raise ValueError(f"{name} must be >= {least}, got {value}")
    noise = np.random.default_rng(seed).standard_normal((perturbations, *images.shape[1:]))
    return make_machine(
        "smoothed",
        smoothed_cell,
        images,
        Neighbourhood(None, "zero"),
        partial(smoothed_posterior, images, noise, std),
        partial(smoothed, std=std, perturbations=perturbations, seed=seed),
        labels=labels,
        params={"images": images, "perturbations": noise, "std": std},
        admits=partial(same_size, images),
    )


def smoothed_posterior(
    images: np.ndarray, noise: np.ndarray, std: float, fields: np.ndarray, sigma: float
) -> np.ndarray:
    """Means (B, C, H, W) of the ideal posterior means at `fields` perturbed by each of the `noise` (M, C, H, W)."""
    perturbed = (field + std * (1 + sigma) * noise for field in fields.astype(float))
    return np.stack([ideal_posterior(images, copies, sigma).mean(axis=0) for copies in perturbed]).astype(fields.dtype)


def smoothed_cell(phi, i, j, t, p, g, out):
    """The ideal machine's D averaged over perturbed fields, p = (images, perturbations, std)."""
    images, perturbations, std = p
    count, channels, height, width = images.shape
    y, x, spread, average = i - g.pad, j - g.pad, std * (1 + t), np.zeros(channels)
    for m in range(perturbations.shape[0]):
        peak, total, mean = -math.inf, 0.0, np.zeros(channels)
        for n in range(count):
            squared = 0.0
            for c in range(channels):
                for v in range(height):
                    for u in range(width):
                        perturbed = phi[c, g.pad + v, g.pad + u] + spread * perturbations[m, c, v, u]
                        squared += (perturbed - unit(images[n, c, v, u])) ** 2
            peak, total, before, weight = one_more(peak, total, -squared / (2 * t * t))
            for c in range(channels):
                mean[c] = mean[c] * before + weight * unit(images[n, c, y, x])
        for c in range(channels):
            average[c] += mean[c] / total
    for c in range(channels):
        out[c, i, j] = (phi[c, i, j] - average[c] / perturbations.shape[0]) / t
