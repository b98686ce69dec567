"""The influence of one cell: how far a perturbation of it spreads along a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from turingdiff.engine import euler
from turingdiff.engine.rule import Rule
from turingdiff.engine.short_repr import short_repr
from turingdiff.engine.steppers import AnyStepper, name_of
from turingdiff.engine.times import check_times, steps_between
from turingdiff.measure._perturbations import (
    cell_of,
    channel_sizes,
    distances_from,
    farthest,
    radius_in_cells,
    side_by_side,
    single_field,
)

SHARE = 0.01  # of the size of a channel: the default perturbation
RECORDS = 100


@short_repr
@dataclass(frozen=True, eq=False)
class Influence:
    """The spread of a perturbation of one cell along a run; made by `influence`.

    Attributes
    ----------
    name, clock
        Of the rule.
    at
        (row, column) of the perturbed cell.
    times
        (K,) clock readings.
    maps
        (K, H, W): the largest difference over channels, in units of the field.
    radius
        (K,) distance in cells of the farthest cell that differs at all; nan where none does.
    bound
        (K,) light-cone bound: the domain of dependence by the radii that the rule declares, in cells; inf for the
        whole field.
    distance
        (H, W) cells from `at`, diagonal steps counting as one; on a torus the shorter way round.
    """

    name: str
    clock: str
    at: tuple[int, int]
    times: NDArray[np.float64]
    maps: NDArray
    radius: NDArray[np.float64]
    bound: NDArray[np.float64]
    distance: NDArray[np.int64]

    def reach(self, threshold: float) -> NDArray[np.float64]:
        """The radius within which the difference is above `threshold` times the largest at the same time: (K,) cells.

        ``reach(0)`` is `radius`, at which a difference is detectable; at ``reach(0.01)`` it is visible in a picture. It
        is nan where no cell differs.

        Raises
        ------
        ValueError
            For a threshold that is not at least 0 and below 1.
        """
        if not 0 <= threshold < 1:
            raise ValueError(
                f"threshold is a share of the largest difference, at least 0 and below 1; got {threshold!r}"
            )
        return np.array([farthest(m > threshold * m.max(), self.distance) for m in self.maps])

    def __str__(self) -> str:
        far = "decays to nothing" if np.isnan(self.radius[-1]) else f"spreads {self.radius[-1]:.0f} cells far"
        return f"{self.name}: a perturbation of {self.at} {far}; light-cone bound {self.bound[-1]:.0f} cells"


def influence(
    rule: Rule,
    field: ArrayLike,
    times: Sequence[float],
    at: tuple[int, int] | None = None,
    *,
    size: float | Sequence[float] | None = None,
    stepper: AnyStepper = euler,
    rng: int | np.random.Generator | None = None,
    every: int | None = None,
) -> Influence:
    r"""Perturb one cell, and follow the difference of the two runs along the clock.

    With u the run from `field` and v the run from `field` with the cell a = `at` perturbed,

    .. math::

        m(x; t) = \max_c |v_c(x; t) - u_c(x; t)|, \qquad
        r(t) = \max \{ \mathrm{dist}(x, a) : m(x; t) \neq 0 \} \le R(t) = \sum_{f} \rho(t_f)

    where the sum is over all evaluations f of the rate until t and rho is ``rule.radius``. dist counts cells as a
    neighbourhood does: the larger of the distances along the rows and along the columns. R(t) is the light-cone bound
    of the rule and the stepper; r(t) is smaller where a difference, passed on from cell to cell, is lost in rounding.

    Both runs are made in the dtype of the field and with the same noise, so r compares bytes and needs no tolerance:
    every local rule of the package, also a network or a machine that uses matrix products, leaves cells outside its
    radius the same to the last bit, and the radius of those that use Fourier transforms is the whole field. For a rule
    of your own that does not, use `Influence.reach`.

    Parameters
    ----------
    field
        (C, H, W), float32 or float64: where the run starts.
    times
        As for `evolve`.
    at
        (row, column) of the cell; by default the middle of the field.
    size
        Size of the perturbation: one number, or one a channel, in units of the field. By default a hundredth of the
        root mean square of each channel (of the largest where a channel is 0 throughout; 0.01 where all are).
    stepper
        One whose evaluations of the rate are known: ``td.euler, td.heun, td.rk4, td.euler_maruyama, td.ancestral``, or
        your own with ``stepper.stages = (0, 0.5)``, where in a step it evaluates the rate. ``td.adaptive`` and
        ``td.rkc`` are refused: they choose their steps by the whole field, so every cell depends on all others.
    rng
        Seed or generator of stochastic steppers. A generator is copied, not advanced.
    every
        Number of steps between readings; by default that of about 100 readings.

    Returns
    -------
    Influence
        Maps (K, H, W), radius (K,), bound (K,).

    Raises
    ------
    TypeError
        If the rule is none, or the field is not float32 or float64.
    ValueError
        For a batch of fields, a cell outside the field, a size that changes nothing or is not finite, a stepper whose
        evaluations are not known; and as `evolve`.

    Examples
    --------
    >>> import turingdiff as td
    >>> rule = td.morphogenesis.schnakenberg()
    >>> cone = td.measure.influence(rule, rule.initial((32, 32), rng=0), td.uniform(0, 0.02, 0.005))
    >>> print(cone.radius, cone.bound)
    [0. 1. 2. 3. 4.] [0. 1. 2. 3. 4.]
    """
    return influences(rule, field, times, [at], size=size, stepper=stepper, rng=rng, every=every)[0]


def influences(
    rule: Rule,
    field: ArrayLike,
    times: Sequence[float],
    cells: Sequence[tuple[int, int] | None],
    *,
    size: float | Sequence[float] | None = None,
    stepper: AnyStepper = euler,
    rng: int | np.random.Generator | None = None,
    every: int | None = None,
) -> list[Influence]:
    """The `influence` of several cells, each perturbed alone: one run more than there are cells, not two a cell.

    All maps are in memory at once, readings times the field for every cell: choose `every` accordingly.

    Parameters
    ----------
    cells
        (row, column) of each; None for the middle of the field.
    field, times, size, stepper, rng, every
        As for `influence`.

    Raises
    ------
    TypeError, ValueError
        As `influence`, and for no cells.
    """
    start = single_field(rule, field)
    times = check_times(times)
    places = [cell_of(at, start.shape[-2:]) for at in cells]
    if not places:
        raise ValueError("cells is empty, expected at least one (row, column)")
    stages = _stages(stepper)
    every = every if every is not None else -(-(len(times) - 1) // RECORDS)
    changed = [_changed(start, at, size) for at in places]
    clock, maps = [], []
    for t, (u, *others) in side_by_side(rule, [start, *changed], times, stepper, every, rng):
        clock.append(t)
        maps.append([np.abs(v - u).max(axis=0) for v in others])
    reach = np.concatenate([[0.0], np.cumsum(_reach_of_steps(rule, times, stages))])
    bound = reach[[*range(0, len(times) - 1, int(every)), len(times) - 1]]
    of_cells = (np.stack(m) for m in zip(*maps, strict=True))
    return [_influence(rule, at, np.array(clock), m, bound) for at, m in zip(places, of_cells, strict=True)]


def _changed(start: NDArray, at: tuple[int, int], size: float | Sequence[float] | None) -> NDArray:
    changed = start.copy()
    changed[:, *at] += _sizes(size, start).astype(start.dtype)
    if not np.isfinite(changed).all() or (changed == start).all():
        raise ValueError(f"size must change the cell {at} to another finite value in the {start.dtype} of the field")
    return changed


def _influence(rule: Rule, at: tuple[int, int], clock: NDArray, maps: NDArray, bound: NDArray) -> Influence:
    distance = distances_from(rule, maps.shape[-2:], at)
    radius = np.array([farthest(m > 0, distance) for m in maps])
    return Influence(rule.name, rule.clock, at, clock, maps, radius, bound, distance)


def _sizes(size: float | Sequence[float] | None, field: NDArray) -> NDArray[np.float64]:
    """(C,) the perturbation of every channel of a cell."""
    if size is None:
        return SHARE * channel_sizes(field)
    sizes = np.asarray(size, float)
    if sizes.shape not in ((), (len(field),)) or not np.isfinite(sizes).all():
        raise ValueError(f"size is a finite number, or one for each of {len(field)} channels; got {size!r}")
    return np.broadcast_to(sizes, len(field))


def _stages(stepper: AnyStepper) -> tuple[float, ...]:
    stages = getattr(stepper, "stages", None)
    if stages is None:
        raise ValueError(
            f"how far a step of {name_of(stepper)} reaches is not known: it may look at the whole field to choose its "
            "step, as td.adaptive and td.rkc do. Take td.euler, td.heun, td.rk4, td.euler_maruyama or td.ancestral; a "
            "stepper of your own says where in a step it evaluates the rate: stepper.stages = (0, 0.5)"
        )
    return tuple(stages)


def _reach_of_steps(rule: Rule, times: Sequence[float], stages: Sequence[float]) -> NDArray[np.float64]:
    """(steps,) by how many cells each step extends the domain of dependence."""
    clock, steps = np.asarray(times, float).tolist(), steps_between(times, 0, len(times) - 1).tolist()
    reach = [
        sum(radius_in_cells(rule, t + share * dt) for share in stages) for t, dt in zip(clock, steps, strict=False)
    ]
    if clock[-1] == rule.singular_end:  # the last interval is an Euler step whatever the stepper
        reach[-1] = radius_in_cells(rule.ending or rule, clock[-2])
    return np.array(reach, float)
