"""The effective receptive field: the derivative of the rate of one cell by all others."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from turingdiff.engine.rule import Rule
from turingdiff.engine.short_repr import short_repr
from turingdiff.measure._perturbations import (
    cell_of,
    channel_sizes,
    distances_from,
    farthest,
    perturbed,
    radius_in_cells,
    single_field,
)

# Perturbation, as a share of the length over which the slope of a rate changes. Central differences then err by 1e-7 of
# the slope, by truncation; by rounding less.
STEP = 2.0**-12
AT_ONCE = 2**20  # numbers in the fields of one call of the rate


@short_repr
@dataclass(frozen=True, eq=False)
class JacobianMap:
    """The derivative of the rate of one cell by every cell; made by `jacobian_map`.

    Attributes
    ----------
    name, clock, t
        Of the rule, and the reading of its clock.
    at
        (row, column) of the cell whose rate it is.
    jacobian
        (C, C, H, W): ``jacobian[c, d, y, x]`` is the derivative of the rate of channel c at `at` by channel d of cell
        (y, x), per unit of the clock.
    distance
        (H, W) cells from `at`, diagonal steps counting as one; on a torus the shorter way round.
    """

    name: str
    clock: str
    t: float
    at: tuple[int, int]
    jacobian: NDArray[np.float64]
    distance: NDArray[np.int64]

    @property
    def map(self) -> NDArray[np.float64]:
        """(H, W) the effective receptive field: the root of the sum of squares of `jacobian` over pairs of channels."""
        return np.sqrt((self.jacobian**2).sum(axis=(0, 1)))

    def radius(self, fraction: float = 0.9) -> int:
        """The distance from `at` in cells within which a fraction of the weight lies, the sum of `map`.

        Within ``radius(1)`` lies every cell that is not exactly 0.

        Raises
        ------
        ValueError
            For a fraction that is not above 0 and at most 1, or where the rate depends on no cell at all.
        """
        if not 0 < fraction <= 1:
            raise ValueError(f"fraction must be above 0 and at most 1, got {fraction!r}")
        weight = self.map
        if not weight.any():
            raise ValueError(f"the rate of {self.name} at {self.at} depends on no cell: it has no radius")
        if fraction == 1:
            return int(farthest(weight > 0, self.distance))
        within = np.cumsum(np.bincount(self.distance.ravel(), weight.ravel()))
        return int(np.searchsorted(within, fraction * within[-1]))

    def of_denoiser(self) -> JacobianMap:
        """The same for the denoiser itself, dD/dy = 1 - sigma d rate/dy: without the y of rate = (y - D)/sigma.

        It is the posterior covariance of the clean image divided by sigma² (Robbins 1956; Efron, J. Am. Stat. Assoc.
        106 (2011) 1602): which pixels help to estimate this one.

        Raises
        ------
        ValueError
            For a rule over time.
        """
        if self.clock != "sigma":
            raise ValueError(f"{self.name} runs along {self.clock}: it is no denoiser, only its rate has a map")
        jacobian = -self.t * self.jacobian
        channels = np.arange(len(jacobian))
        jacobian[channels, channels, *self.at] += 1
        return replace(self, jacobian=jacobian)

    def __str__(self) -> str:
        return f"{self.name}: 90% of the sensitivity of the rate at {self.at} lies within {self.radius()} cells"


def jacobian_map(rule: Rule, field: ArrayLike, t: float = 0.0, at: tuple[int, int] | None = None) -> JacobianMap:
    r"""Measure the effective receptive field: how a small perturbation of every cell changes the rate of one.

    .. math::

        J_{cd}(x) = \frac{\partial f_c(a; t)}{\partial u_d(x)}, \qquad
        m(x) = \Big( \sum_{cd} J_{cd}(x)^2 \Big)^{1/2}

    by central differences of the rate f in float64, which err by about 1e-7 of the largest slope where f is smooth; for
    a rule along sigma, `JacobianMap.of_denoiser` turns it into that of D. Cells outside ``rule.radius(t)`` are 0
    by the contract of every rule, and are not perturbed. It costs two rates of the whole field for each of (2 r + 1)² C
    numbers, or of H W C where the radius is the whole field.

    Parameters
    ----------
    field
        (C, H, W), taken in float64: where the derivative is taken.
    t
        The clock reading: for a denoiser the noise level, above 0.
    at
        (row, column) of the cell whose rate it is; by default the middle of the field.

    Returns
    -------
    JacobianMap
        ``map`` (H, W), ``radius(fraction)``.

    Raises
    ------
    TypeError
        If the rule is none, or the field is not float32 or float64.
    ValueError
        For a batch of fields, a cell outside the field, a level that is not positive, a clock that is not finite.

    References
    ----------
    Luo, Li, Urtasun & Zemel, Understanding the effective receptive field in deep convolutional neural networks, NeurIPS
    2016, arXiv 1701.04128.

    Examples
    --------
    >>> import numpy as np
    >>> import turingdiff as td
    >>> rule = td.morphogenesis.schnakenberg()
    >>> receptive = td.measure.jacobian_map(rule, np.ones((2, 8, 8)))
    >>> receptive.radius(1), int((receptive.map > 0).sum())
    (1, 5)
    """
    base = single_field(rule, field).astype(np.float64)
    at = cell_of(at, base.shape[-2:])
    if not np.isfinite(t):
        raise ValueError(f"t must be a finite clock reading, got {t!r}")
    if rule.singular_end is not None and not t > rule.singular_end:
        raise ValueError(f"{rule.name} runs along {rule.clock} > 0: give jacobian_map the level t, got {t!r}")
    distance = distances_from(rule, base.shape[-2:], at)
    steps = STEP * (np.full(len(base), min(t, t * t)) if rule.clock == "sigma" else channel_sizes(base))
    inside = np.argwhere(distance <= radius_in_cells(rule, t)).tolist()
    numbers = [(d, y, x) for d in range(len(base)) for y, x in inside]
    jacobian = np.zeros((len(base), *base.shape))
    count = max(1, AT_ONCE // (2 * base.size))
    for first in range(0, len(numbers), count):
        places = tuple(np.transpose(numbers[first : first + count]))
        fields = perturbed(base, places, steps[places[0]], (1, -1))
        up, down = fields[np.arange(len(fields)), :, *places].T
        rates = rule.rate(fields.reshape(-1, *base.shape), t)[..., *at].reshape(*fields.shape[:3])
        jacobian[:, *places] = ((rates[:, 0] - rates[:, 1]) / (up - down)[:, None]).T  # over the step as rounded
    return JacobianMap(rule.name, rule.clock, float(t), at, jacobian, distance)
