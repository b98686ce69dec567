"""How undecided a machine is: the entropy of the softmax over training patches, pixel by pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from turingdiff.denoising._denoiser import level
from turingdiff.denoising._machine import Machine, compared_with, of_class
from turingdiff.engine.flow import check_field
from turingdiff.engine.short_repr import short_repr
from turingdiff.patches.admissible import places_of_pixels
from turingdiff.patches.nearest import softmax_over_admissible
from turingdiff.patches.posterior import precision_at


@short_repr
@dataclass(frozen=True, eq=False)
class Uncertainty:
    """The softmax over training patches of every pixel, in four numbers; shapes are (H, W) or (B, H, W).

    Attributes
    ----------
    entropy
        -sum_p W_p log W_p in nats: 0 where one patch has all the weight, log(patches) where all weigh the same.
    largest
        The weight of the nearest patch.
    patches
        (H, W) the number of training patches that the pixel is compared with.
    sigma, patch
        The noise level, and the side of the window.
    """

    entropy: np.ndarray
    largest: np.ndarray
    patches: np.ndarray
    sigma: float
    patch: int

    @property
    def sources(self) -> np.ndarray:
        """Effective number of source patches, exp(entropy): n where n patches weigh the same and the others nothing."""
        return np.exp(self.entropy)


def uncertainty(machine: Machine, y: np.ndarray, sigma: float, *, label: Any = None) -> Uncertainty:
    """How undecided the machine still is about every pixel of `y` at the noise level `sigma`.

    H(x) = -sum_p W_p log W_p, W = softmax_p(-||y_Ox - p||²/(2 sigma²)), over the admissible patches. It is computed in
    float64 and is exact: weights below exp(-40) of the largest are left out, which moves H by less than 1e-6. For
    `ideal` the patches are whole images, so that all pixels agree. Patches count one by one, equal ones too: where many
    are alike, as in plain backgrounds, H is high though the pixel's value is certain.

    Cost: one pass over all pairs of a pixel and a patch, as `Machine.denoise` in float64.

    Parameters
    ----------
    y
        (C, H, W) or (B, C, H, W), image plus sigma times standard normal noise.
    label
        The class, for a field on the way to an image of one class: it is compared with images of this class only.

    Raises
    ------
    ValueError
        For sigma that is not positive, a canvas on which the machine is not defined, or a machine that does not weigh
        training patches.
    """
    machine = of_class(machine, label)
    y, sigma = check_field(machine, y), level(sigma)
    fields = y.reshape(-1, *y.shape[-3:]).astype(float)
    shape, precision = fields.shape[2:], precision_at(sigma)
    r, places = compared_with(machine, shape, sigma)
    state = softmax_over_admissible(machine.images, fields, r, places, precision)
    patches = len(machine.images) * places_of_pixels(places, shape)
    entropy, largest = (a.reshape(*y.shape[:-3], *shape) for a in (state.entropy(), state.largest(precision)))
    # Rounding may lead a hair out of the bounds.
    return Uncertainty(np.clip(entropy, 0, np.log(patches)), largest, patches, sigma, 2 * r + 1)
