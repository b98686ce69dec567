"""The local machine (LS): the posterior mean over the patches at a pixel's own place."""

from __future__ import annotations

from functools import partial

import numpy as np

from turingdiff.data.images import check_images
from turingdiff.denoising._machine import (
    DEFAULT_PATCH,
    Labels,
    Machine,
    _patch_machine,
    is_torus,
    same_size,
    short_name,
)
from turingdiff.denoising._patch_sizes import PatchSize
from turingdiff.patches.admissible import same_place, same_place_on_torus
from turingdiff.patches.cells import clipped, machine_cell, own_place, whole


@short_name("ls")
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
        local_torus_cell if torus else local_cell,
        images,
        patch,
        boundary,
        same_place_on_torus if torus else same_place,
        partial(same_size, images),
        partial(local, patch=patch, boundary=boundary),
        labels,
    )


local_cell = machine_cell("local", clipped, own_place)
local_torus_cell = machine_cell("local_torus", whole, own_place)
