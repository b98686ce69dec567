"""Finite-time Lyapunov exponents: how fast two runs from nearby fields diverge or converge."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from turingdiff.engine import euler
from turingdiff.engine.rule import Rule
from turingdiff.engine.short_repr import short_repr
from turingdiff.engine.steppers import AnyStepper
from turingdiff.engine.times import check_times
from turingdiff.measure._perturbations import root_mean_square, side_by_side, single_field

SHARE = 1e-6  # of the size of the field: the default first distance
ROUNDING = 64 * float(np.finfo(np.float64).eps)  # of the size of the field: a distance below counts as rounding
RECORDS = 100


@short_repr
@dataclass(frozen=True, eq=False)
class Divergence:
    """The distance between runs from nearby fields, along the clock; made by `divergence`.

    Attributes
    ----------
    name, clock
        Of the rule.
    times
        (K,) clock readings.
    distance
        (K, N) root mean square difference over all numbers of the field, for N directions; in units of the field.
    size
        (K,) root mean square of the unperturbed field, with which a distance is to be compared.
    """

    name: str
    clock: str
    times: NDArray[np.float64]
    distance: NDArray[np.float64]
    size: NDArray[np.float64]

    @property
    def progress(self) -> NDArray[np.float64]:
        """(K,) the variable that exponents refer to: t, or -ln sigma, infinite at sigma = 0."""
        if self.clock != "sigma":
            return self.times
        with np.errstate(divide="ignore"):
            return -np.log(self.times)

    @property
    def exponents(self) -> NDArray[np.float64]:
        """(N,) finite-time Lyapunov exponent in every direction, see `divergence`; nan where rounding hides it."""
        return np.array([_exponent(self.progress, *pair) for pair in zip(self.distance.T, self._counts.T, strict=True)])

    @property
    def exponent(self) -> float:
        """The mean of `exponents`, per unit of `progress`: above 0 runs diverge, below 0 they converge."""
        return float(self.exponents.mean())

    @property
    def uncertainty(self) -> float:
        """Standard error of `exponent` over directions; nan for a single one."""
        count = self.distance.shape[1]
        return float(self.exponents.std(ddof=1)) / math.sqrt(count) if count > 1 else math.nan

    @property
    def rates(self) -> NDArray[np.float64]:
        """(K - 1, N) the exponent from each reading to the next; nan at sigma = 0 and where rounding hides it."""
        counts = self._counts[1:] & self._counts[:-1]
        logs = np.log(np.where(self._counts, self.distance, 1.0))
        steps = np.diff(np.where(np.isfinite(self.progress), self.progress, np.nan))
        return np.where(counts, np.diff(logs, axis=0) / steps[:, None], np.nan)

    def since(self, t: float) -> Divergence:
        """The same from the reading `t` of the clock on: without the transient before the fastest direction dominates.

        Raises
        ------
        ValueError
            If fewer than two readings are left.
        """
        later = self.times >= t if self.times[-1] > self.times[0] else self.times <= t
        if later.sum() < 2:
            raise ValueError(f"{self.name} has {later.sum()} readings from {t!r} on, and an exponent needs two")
        return replace(self, times=self.times[later], distance=self.distance[later], size=self.size[later])

    def in_pictures(self) -> Divergence:
        """The same in the frame of pictures: y/sqrt(1 + sigma²) along sigma; over time fields are pictures already.

        There noise has the size 1 throughout, so an exponent of 0 means that a small difference of the noise stays the
        same share of the picture.
        """
        if self.clock != "sigma":
            return self
        scale = np.sqrt(1 + self.times**2)
        return replace(self, distance=self.distance / scale[:, None], size=self.size / scale)

    @property
    def _counts(self) -> NDArray[np.bool_]:
        """(K, N) where the clock is finite and the distance is above rounding."""
        return np.isfinite(self.progress)[:, None] & (self.distance > ROUNDING * self.size[:, None])

    def __str__(self) -> str:
        unit = "unit of -ln sigma" if self.clock == "sigma" else "unit of time"
        spread = "" if math.isnan(self.uncertainty) else f" ± {self.uncertainty:.2g}"
        return f"{self.name}: Lyapunov exponent {self.exponent:.3g}{spread} per {unit}"


def divergence(
    rule: Rule,
    field: ArrayLike,
    times: Sequence[float],
    *,
    rng: int | np.random.Generator,
    size: float | None = None,
    stepper: AnyStepper = euler,
    directions: int = 1,
    every: int | None = None,
) -> Divergence:
    r"""Run a rule from a field and from perturbed copies of it, and measure how their distance changes along the clock.

    .. math::

        d(t) = \Big\langle (v(t) - u(t))^2 \Big\rangle^{1/2}, \qquad
        \Lambda = \frac{\ln d(t_1) - \ln d(t_0)}{s(t_1) - s(t_0)}, \qquad
        s = t \;\text{ or }\; -\ln \sigma

    with the mean over all cells and channels. Lambda is the finite-time Lyapunov exponent between the first and the
    last reading that count. A reading counts if s is finite (sigma = 0 does not count, but its distance, that of the
    finished images, is kept) and if the distance is above rounding, 64 eps of the size of the field. A distance
    as large as the pattern saturates: shorten the run then. A random perturbation holds all waves, and most decay, so
    the distance falls first even where a pattern grows; `Divergence.rates` shows that transient, and
    `Divergence.since` leaves it out.

    Along sigma the frame is y = image + sigma noise, the one in which `dispersion` gives growth rates: about a field
    where dD/dy has the eigenvalue j, d changes at the rate j - 1 per -ln sigma. So the exponent is -1 for a denoiser
    that returns one image whatever the noise, and 0 for one that returns its input; where the noise selects one of two
    images, rates are positive. `Divergence.in_pictures` gives the variance-preserving frame: there the rates are j - 1
    + sigma²/(1 + sigma²), larger by 1 while noise dominates and equal at the end.

    Parameters
    ----------
    field
        (C, H, W), taken in float64.
    times
        As for `evolve`.
    rng
        Seed or generator: the directions are drawn from it, standard normal in every number of the field, and so is
        the noise of a stochastic stepper, the same for all runs. A generator is not advanced: it spawns others.
    size
        Root mean square of the first difference, in units of the field. By default 1e-6 of that of the field (1e-6
        where the field is 0).
    stepper
        As for `evolve`. ``td.adaptive`` chooses other steps for every run, which counts as a difference: set its
        tolerance well below the distances.
    directions
        How many perturbed copies: the spread of their exponents gives the uncertainty.
    every
        Number of steps between readings; by default that of about 100 readings.

    Returns
    -------
    Divergence
        ``distance`` (K, N), ``exponent`` and its ``uncertainty``.

    Raises
    ------
    TypeError
        If the rule is none, or the field is not float32 or float64.
    ValueError
        For a batch of fields, a size that is not positive or is lost in rounding, no directions; and as `evolve`.

    References
    ----------
    Ott, Chaos in Dynamical Systems (2nd ed. 2002), section 4.4.

    Examples
    --------
    >>> import numpy as np
    >>> import turingdiff as td
    >>> image = np.zeros((1, 1, 6, 6), np.float32)
    >>> machine = td.denoising.ideal(image)
    >>> runs = td.measure.divergence(machine, machine.initial((6, 6), rng=0), machine.times(), rng=1)
    >>> f"{runs.exponent:.4f}"
    '-1.0000'
    """
    start = single_field(rule, field).astype(np.float64)
    times = check_times(times)
    if directions != int(directions) or directions < 1:
        raise ValueError(f"directions must be a whole number >= 1, got {directions!r}")
    every = every if every is not None else -(-(len(times) - 1) // RECORDS)
    drawing, noise = np.random.default_rng(rng).spawn(2)
    length = SHARE * (_size(start) or 1.0) if size is None else size
    fields = [start, *(_near(start, length, drawing) for _ in range(int(directions)))]
    clock, distance, sizes = [], [], []
    for t, (first, *others) in side_by_side(rule, fields, times, stepper, every, noise):
        clock.append(t)
        distance.append([_size(other - first) for other in others])
        sizes.append(_size(first))
    return Divergence(rule.name, rule.clock, np.array(clock), np.array(distance), np.array(sizes))


def _near(field: NDArray[np.float64], size: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """A copy of a field at the root mean square distance `size`, in a random direction."""
    if not (np.isfinite(size) and size > 0):
        raise ValueError(f"size must be a positive distance, got {size!r}")
    if size <= ROUNDING * _size(field):
        raise ValueError(
            f"size = {size:g} is lost in the rounding of a field of size {_size(field):.3g}: take a larger"
        )
    direction = rng.standard_normal(field.shape)
    return field + size / _size(direction) * direction


def _size(values: NDArray[np.float64]) -> float:
    """Root mean square, also of values that are too small to be squared."""
    largest = float(np.abs(values).max())
    return float(root_mean_square(values, unit=largest)) if largest > 0 else 0.0


def _exponent(progress: NDArray, distance: NDArray, counts: NDArray[np.bool_]) -> float:
    """The slope between the first reading and the last one before any that does not count."""
    stop = counts.size if counts.all() else int(np.argmin(counts))
    if stop < 2:
        return math.nan
    return float(np.log(distance[stop - 1] / distance[0]) / (progress[stop - 1] - progress[0]))
