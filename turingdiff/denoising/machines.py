"""The machines: analytic denoisers as rules of the engine.

=====================  =====================  ============  ===========  ==========================
machine                compares a pixel with  local         equivariant  Kamb & Ganguli 2025
=====================  =====================  ============  ===========  ==========================
`ideal`                whole images           no            no           IS, eqs. 3-4
`local`                patches at its place   yes           no           LS, eqs. 7-8
`equivariant_local`    patches of all places  yes           yes          ELS, eqs. 9-10; eq. 41
=====================  =====================  ============  ===========  ==========================

All are exact: the softmax runs over every admissible patch. What is skipped (weights below exp(-32) of the largest)
changes a pixel by less than 1e-6.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any

import numpy as np

from turingdiff.data.images import check_images
from turingdiff.denoising import cells, posterior
from turingdiff.denoising.levels import cosine_levels
from turingdiff.denoising.machine import Machine, is_torus, make_machine, same_size
from turingdiff.denoising.patch_sizes import PatchSize, patch_sizes
from turingdiff.denoising.posterior_ideal import ideal_posterior
from turingdiff.neighbourhood import Neighbourhood

DEFAULT_PATCH = "fashion-resnet-zeros"
Labels = Sequence[Any] | None


def ideal(images: np.ndarray, *, labels: Labels = None) -> Machine:
    """The ideal denoiser (IS): it knows the whole training images, and can only remember them.

    D = sum_n W_n x_n, W = softmax_n(-||y - x_n||²/(2 sigma²)).

    Parameters
    ----------
    labels
        (N,) classes of the images, for `Machine.conditional` and `sample`.
    """
    images = check_images(images)
    return make_machine(
        "ideal",
        cells.ideal_cell,
        images,
        Neighbourhood(None, "zero"),
        partial(ideal_posterior, images),
        ideal,
        labels=labels,
        admissible=posterior.same_place,
        admits=partial(same_size, images),
    )


def local(
    images: np.ndarray, patch: PatchSize = DEFAULT_PATCH, boundary: str = "zero", *, labels: Labels = None
) -> Machine:
    """The local machine (LS): every pixel knows only the patches at its own place.

    Parameters
    ----------
    patch
        Odd side of the patch, a function of sigma, or the name of a published schedule.
    boundary
        ``"zero"``: windows end at the border. ``"periodic"``: they go on at the other side.
    labels
        As in `ideal`.

    Raises
    ------
    ValueError
        For a patch wider than a training image on the torus, where a window would meet itself.
    """
    images = check_images(images)
    torus = is_torus(boundary, "local")
    return _patch_machine(
        "local",
        cells.local_torus_cell if torus else cells.local_cell,
        images,
        patch,
        boundary,
        posterior.same_place_on_torus if torus else posterior.same_place,
        partial(same_size, images),
        partial(local, patch=patch, boundary=boundary),
        labels,
    )


def equivariant_local(
    images: np.ndarray, patch: PatchSize = DEFAULT_PATCH, boundary: str = "zero", *, labels: Labels = None
) -> Machine:
    """The equivariant local score machine (ELS): every pixel knows the patches of all places.

    Parameters
    ----------
    patch
        Odd side of the patch, a function of sigma, or the name of a published schedule.
    boundary
        ``"periodic"``: the torus, field and training images wrapped (eqs. 9-10). ``"zero"``: boundary-broken
        (eq. 41), as zero padding makes a network: a pixel near the border is compared with the patches that overlap
        the border in the same way.
    labels
        As in `ideal`.

    Raises
    ------
    ValueError
        For a patch wider than a training image on the torus, where a window would meet itself.
    """
    images = check_images(images)
    torus = is_torus(boundary, "equivariant_local")
    return _patch_machine(
        "ELS",
        cells.equivariant_local_torus_cell if torus else cells.equivariant_local_cell,
        images,
        patch,
        boundary,
        posterior.all_shifts if torus else posterior.same_border_overlap,
        None,
        partial(equivariant_local, patch=patch, boundary=boundary),
        labels,
    )


def _patch_machine(name, cell, images, patch, boundary, admissible, admits, remade, labels) -> Machine:
    size, largest = patch_sizes(patch, cosine_levels(20))
    admissible = lru_cache(maxsize=64)(admissible)

    def denoise(fields: np.ndarray, sigma: float) -> np.ndarray:
        r = size(sigma) // 2
        places = admissible(fields.shape[2:], images.shape[2:], r)
        return posterior.patch_posterior(images, fields, sigma, r, places)

    def reachable(shape: tuple[int, int]) -> None:
        admissible(shape, images.shape[2:], largest // 2)

    reachable(images.shape[2:])
    return make_machine(
        name,
        cell,
        images,
        Neighbourhood(largest // 2, boundary),
        denoise,
        remade,
        labels=labels,
        radius_at=None if isinstance(patch, (int, np.integer)) else lambda sigma: size(sigma) // 2,
        admissible=admissible,
        admits=admits or reachable,
    )
