"""The ideal machine (IS): the posterior mean over whole training images."""

from __future__ import annotations

from functools import partial

import numpy as np

from turingdiff.data.images import check_images, unit_blocks
from turingdiff.denoising._machine import Labels, Machine, make_machine, same_size, short_name
from turingdiff.engine.neighbourhood import Neighbourhood
from turingdiff.patches.admissible import same_place
from turingdiff.patches.cells import clipped, machine_cell, own_place
from turingdiff.patches.softmax import NO_PATCHES

IMAGES_AT_ONCE = 256


def ideal_posterior(images: np.ndarray, fields: np.ndarray, sigma: float) -> np.ndarray:
    """Posterior means (B, C, H, W): softmax over the N images of -||y - x_n||²/(2 sigma²) (eqs. 3-4).

    Distances are summed in float64: a sum of thousands of squares is divided by a small sigma².
    """
    return np.stack([_one(images, field.astype(float), sigma) for field in fields]).astype(fields.dtype)


def _one(images: np.ndarray, field: np.ndarray, sigma: float) -> np.ndarray:
    state = NO_PATCHES
    for block in unit_blocks(images, IMAGES_AT_ONCE):
        exponents = ((block - field) ** 2).sum(axis=(1, 2, 3)) / (2 * sigma**2)
        state = state.more(exponents[:, None, None], block, precision=1)
    return state.mean()


@short_name("ideal")
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
        ideal_cell,
        images,
        Neighbourhood(None, "zero"),
        partial(ideal_posterior, images),
        ideal,
        labels=labels,
        admissible=same_place,
        admits=partial(same_size, images),
    )


ideal_cell = machine_cell("ideal", clipped, own_place)
