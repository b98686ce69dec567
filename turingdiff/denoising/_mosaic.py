"""Where every pixel of an image comes from: the patch mosaic of the theorem."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from turingdiff.data.images import unit_scale
from turingdiff.denoising._denoiser import level
from turingdiff.denoising._machine import Machine, compared_with, of_class
from turingdiff.engine.flow import check_field
from turingdiff.engine.short_repr import short_repr
from turingdiff.patches.nearest import nearest_admissible
from turingdiff.patches.posterior import precision_at

# A grey level of 8 bits on the [-1, 1] scale.
ONE_GREY_LEVEL = 2 / 255


@short_repr
@dataclass(frozen=True, eq=False)
class Mosaic:
    """For each pixel of a (C, H, W) image, the training patch nearest to its window.

    Attributes
    ----------
    image
        (H, W) index of the training image, in the set that the machine was given: of a machine of one class, too.
    row, column
        (H, W) place of the patch's centre in it.
    distance
        (H, W) root of the squared distance between the windows.
    weight
        (H, W) its weight in the machine's softmax at the noise level `sigma`; n equal patches have 1/n each at most.
    value
        (C, H, W) the centre of that patch.
    patch
        Side of the window.
    sigma
        The noise level of `weight` and `entropy`.
    entropy
        (H, W) of the softmax, -sum W log W in nats.
    """

    image: np.ndarray
    row: np.ndarray
    column: np.ndarray
    distance: np.ndarray
    weight: np.ndarray
    value: np.ndarray
    patch: int
    sigma: float
    entropy: np.ndarray

    @property
    def contributions(self) -> np.ndarray:
        """(H, W) effective number of patches that a pixel is the mean of, exp(entropy): 1 where one has all the weight.

        Equal patches count one by one.
        """
        return np.exp(self.entropy)

    def consistency(self, image: np.ndarray, tolerance: float = ONE_GREY_LEVEL) -> Consistency:
        """How far `image`, of which this is the mosaic, is one: see `turingdiff.denoising.consistency`."""
        if not (np.isfinite(tolerance) and tolerance >= 0):
            raise ValueError(f"tolerance must be finite and >= 0, got {tolerance!r}")
        return Consistency(np.abs(unit_scale(image) - self.value).max(0), float(tolerance))


@short_repr
@dataclass(frozen=True, eq=False)
class Consistency:
    """How far every pixel of an image is from the centre of its nearest training patch.

    Attributes
    ----------
    deviation
        (H, W) the largest difference over the channels.
    tolerance
        The deviation up to which a pixel counts as equal.
    """

    deviation: np.ndarray
    tolerance: float

    @property
    def equal(self) -> np.ndarray:
        """(H, W) whether a pixel equals its source in all channels."""
        return self.deviation <= self.tolerance

    @property
    def fraction(self) -> float:
        """The share of pixels that equal their source."""
        return float(self.equal.mean())

    @property
    def largest(self) -> float:
        """The largest deviation."""
        return float(self.deviation.max())


def consistency(
    machine: Machine,
    image: np.ndarray,
    patch: int | None = None,
    tolerance: float = ONE_GREY_LEVEL,
    *,
    label: Any = None,
) -> Consistency:
    """How far an image obeys the theorem: every pixel is the centre of its nearest admissible training patch.

    It holds of a finished sample in the limit of last levels near 0 (Kamb & Ganguli 2025, theorem 4.1); what large
    last steps leave over shows here.

    Parameters
    ----------
    image, patch, label
        As for `mosaic`.
    tolerance
        The difference, on the [-1, 1] scale, up to which a pixel equals a centre; by default a grey level of 8 bits.

    Raises
    ------
    ValueError
        As `mosaic`, and for a tolerance that is negative or not finite.
    """
    return mosaic(machine, image, patch, label=label).consistency(np.asarray(image), tolerance)


def mosaic(
    machine: Machine, image: np.ndarray, patch: int | None = None, sigma: float | None = None, *, label: Any = None
) -> Mosaic:
    """The nearest admissible training patch of every pixel (Kamb & Ganguli 2025, theorem 4.1), and its weight.

    By the theorem a finished sample of the machine equals the centre of that patch at every pixel. Ties (identical
    patches, as in plain backgrounds) go to the lowest image index, then the lowest row, then the lowest column.

    The weight is exp(-d²/(2 sigma²)) over the sum of all admissible patches, in float64.

    Parameters
    ----------
    image
        (C, H, W) in [-1, 1], or uint8.
    patch
        Odd side of the window; by default the one that the machine uses at `sigma`.
    sigma
        The noise level; by default the machine's lowest positive one.
    label
        The class of the image, for one that was sampled with ``labels=``: its pixels come from images of this class.

    Raises
    ------
    ValueError
        For anything but one image, sigma that is not positive, a canvas or window for which the machine is not defined,
        or a machine that does not weigh training patches.
    """
    machine, image = of_class(machine, label), np.asarray(image)
    field = check_field(machine, unit_scale(image)).astype(float)
    if field.ndim != 3:
        raise ValueError(f"mosaic takes one image (C, H, W), got {field.shape}")
    shape = field.shape[1:]
    sigma = level(machine.times()[-2] if sigma is None else sigma)
    r, places = compared_with(machine, shape, sigma, patch)
    images, precision = machine.images, precision_at(sigma)
    winner, place, least, state = nearest_admissible(images, field, r, places, precision)
    weight = state.weight(least, precision)[0]
    entropy = np.maximum(state.entropy()[0], 0)  # rounding may lead a hair below
    row, column = np.divmod(place, images.shape[3])
    value = unit_scale(images[winner, :, row, column]).transpose(2, 0, 1)
    return Mosaic(machine.numbered(winner), row, column, np.sqrt(least), weight, value, 2 * r + 1, sigma, entropy)
