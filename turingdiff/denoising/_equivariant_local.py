"""The equivariant local score machine (ELS): the posterior mean over the patches of all places."""

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
    short_name,
)
from turingdiff.denoising._patch_sizes import PatchSize
from turingdiff.patches.admissible import all_shifts, same_border_overlap
from turingdiff.patches.cells import any_place, clipped, machine_cell, same_overlap, whole


@short_name("els")
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
        equivariant_local_torus_cell if torus else equivariant_local_cell,
        images,
        patch,
        boundary,
        all_shifts if torus else same_border_overlap,
        None,
        partial(equivariant_local, patch=patch, boundary=boundary),
        labels,
    )


equivariant_local_cell = machine_cell("equivariant_local", clipped, same_overlap)
equivariant_local_torus_cell = machine_cell("equivariant_local_torus", whole, any_place)
