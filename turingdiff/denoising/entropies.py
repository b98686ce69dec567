"""How undecided a machine is: the entropy of the softmax over training patches, pixel by pixel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from turingdiff.denoising.denoiser import level
from turingdiff.denoising.machine import Machine
from turingdiff.denoising.moment_kernels import softmax_moments
from turingdiff.denoising.patch_kernels import START
from turingdiff.denoising.patch_sizes import odd
from turingdiff.denoising.posterior import Admissible, image_lanes, merge_all, padded_queries
from turingdiff.engine.flow import check_field


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


def uncertainty(machine: Machine, y: np.ndarray, sigma: float) -> Uncertainty:
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

    Raises
    ------
    ValueError
        For sigma that is not positive, a canvas on which the machine is not defined, or a machine that does not weigh
        training patches.
    """
    y, sigma = check_field(machine, y), level(sigma)
    fields = y.reshape(-1, *y.shape[-3:]).astype(float)
    shape, precision = fields.shape[2:], 0.5 / sigma**2
    r, places = compared_with(machine, shape, sigma)
    queries, moments = padded_queries(fields, r, places.wraps), []
    for banks in image_lanes(machine.images, shape, r, places.wraps, fields.dtype, 4 * len(fields)):
        block = Moments.start((len(fields), len(banks), *shape))
        softmax_moments(queries, banks, places.rows, places.columns, r, precision, *block.arrays)
        moments.append(block.merged(precision))
    state = merge_all(moments, precision)
    patches = len(machine.images) * places_of_pixels(places, shape)
    entropy, largest = (a.reshape(*y.shape[:-3], *shape) for a in (state.entropy(), state.largest(precision)))
    # Rounding may lead a hair out of the bounds.
    return Uncertainty(np.clip(entropy, 0, np.log(patches)), largest, patches, sigma, 2 * r + 1)


def compared_with(
    machine: Machine, shape: tuple[int, int], sigma: float, patch: int | None = None
) -> tuple[int, Admissible]:
    """The radius of the windows at `sigma`, or of `patch`, and the training patches that pixels are compared with."""
    if not isinstance(machine, Machine) or machine.admissible is None:
        raise ValueError(
            f"{machine.name} has no softmax over the patches of a pixel; ideal, local and equivariant_local have one"
        )
    r = machine.radius(sigma) if patch is None else odd(patch, "patch") // 2
    r = max(shape) - 1 if r is None else r
    return r, machine.admissible(shape, machine.images.shape[2:], r)


def places_of_pixels(places: Admissible, shape: tuple[int, int]) -> np.ndarray:
    """(H, W) at how many places of a training image the patches are that a pixel is compared with."""
    rows, columns = (np.zeros(n, int) for n in shape)
    for count, shifts in ((rows, places.rows), (columns, places.columns)):
        for _, low, high in shifts:
            count[low:high] += 1
    return np.outer(rows, columns)


@dataclass(frozen=True)
class Moments:
    """A softmax under way: sums of weights w = exp(l) and of w l, with l = (reference - distance) precision.

    `nearest` is the least squared distance; all are (..., H, W).
    """

    nearest: np.ndarray
    reference: np.ndarray
    total: np.ndarray
    moment: np.ndarray

    @classmethod
    def start(cls, shape: tuple[int, ...]) -> Moments:
        """No patch yet."""
        far, none = np.full(shape, START), np.zeros(shape)
        return cls(far, far.copy(), none, none.copy())

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        """What the kernels fill."""
        return self.nearest, self.reference, self.total, self.moment

    def merged(self, precision: float) -> Moments:
        """The state of all blocks of images, which are the second axis, merged in their order."""
        return merge_all((Moments(*(a[:, k] for a in self.arrays)) for k in range(self.total.shape[1])), precision)

    def merge(self, other: Moments, precision: float) -> Moments:
        """The state of both; associative up to rounding."""
        reference = np.minimum(self.reference, other.reference)
        sums = np.zeros((2, *reference.shape))
        for state in (self, other):
            change = (reference - state.reference) * precision
            factor = np.exp(change)
            sums += factor * state.total, factor * (state.moment + change * state.total)
        return Moments(np.minimum(self.nearest, other.nearest), reference, *sums)

    def weight(self, distance: np.ndarray, precision: float) -> np.ndarray:
        """The weight of a patch at a squared distance."""
        return np.exp((self.reference - distance) * precision) / self.total

    def largest(self, precision: float) -> np.ndarray:
        """The weight of the nearest patch."""
        return self.weight(self.nearest, precision)

    def entropy(self) -> np.ndarray:
        """-sum W log W with W = w/total: log total - sum(w l)/total."""
        return np.log(self.total) - self.moment / self.total
