"""Time-stepping schemes.

A stepper advances a field through a run of consecutive steps,

    field = stepper(flow, field, times, steps, rngs)

with ``times[n]`` the clock before step n and ``steps[n]`` its signed length, both float64. Most are one-step
methods: write the step and decorate it with `one_step`. Randomness comes from `rngs`, one generator a replica, so
that a replica's noise does not depend on how many there are.

A stepper that keeps something between steps (a step size, a history) is an object with a method ``start()``, which
makes a stepper for one run: an object that can be copied, so that a failed step can be repeated.

What the engine has to know of a scheme are attributes of the stepper; one of your own may have them too:

===================  =========================================================================  ==============
attribute            meaning                                                                    where missing
===================  =========================================================================  ==============
``stages``           where in a step, as fractions of it, the rate is evaluated: each           not known
                     evaluation extends the domain of dependence by the radius of the rule
``real_stability``   the step times spectral radius up to which it is stable on the negative    2, as Euler
                     real axis
``adds_noise``       whether it adds the noise of the rule, ``rule.noise``                      False
===================  =========================================================================  ==============
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Protocol

import numpy as np

from turingdiff.engine.exceptions import warn
from turingdiff.engine.flow import Flow
from turingdiff.engine.rule import Rule
from turingdiff.engine.rule_parts import check_noise
from turingdiff.engine.suggestions import unknown

Rate = Callable[[np.ndarray, float], np.ndarray]
Generators = Sequence[np.random.Generator] | None


class Stepper(Protocol):
    """A time-stepping scheme: see the module."""

    __name__: str

    def __call__(
        self, flow: Flow, field: np.ndarray, times: np.ndarray, steps: np.ndarray, rngs: Generators
    ) -> np.ndarray:
        """Advance `field` through ``len(steps)`` steps."""
        ...


class Starter(Protocol):
    """A scheme that keeps something between steps: see the module."""

    __name__: str

    def start(self) -> Stepper:
        """A fresh stepper for one run."""
        ...


AnyStepper = Stepper | Starter


def check_stepper(stepper: AnyStepper, rule: Rule) -> None:
    """Raise TypeError unless given a stepper, ValueError for one that drops the noise of `rule`; warn if there is none.

    A warning and no error, so that a scan over amplitudes may begin at 0.
    """
    if isinstance(stepper, type) or not (callable(stepper) or hasattr(stepper, "start")):
        raise TypeError(f"stepper must be one such as td.rkc, or an object of your own, got {stepper!r}")
    adds_noise = getattr(stepper, "adds_noise", False)
    if rule.has_noise and not adds_noise:
        raise ValueError(
            f"{rule.name} has noise, which {name_of(stepper)} would drop: use stepper=td.euler_maruyama with rng=, or "
            "a rule with noise=0 (a stepper of your own that adds rule.noise says so: stepper.adds_noise = True)"
        )
    if adds_noise and not rule.has_noise:
        other = "; for a denoiser take machine.reverse_sde() or td.ancestral" if rule.clock == "sigma" else ""
        warn(f"{rule.name} has no noise for {name_of(stepper)} to add: give the rule an amplitude, noise=0.1{other}")


def started(stepper: AnyStepper) -> Stepper:
    """The stepper of one run."""
    return stepper.start() if hasattr(stepper, "start") else stepper


def name_of(stepper: AnyStepper) -> str:
    """What messages call a stepper."""
    return getattr(stepper, "__name__", type(stepper).__name__)


def real_stability(stepper: AnyStepper) -> float:
    """The largest step times spectral radius at which a stepper is stable on the negative real axis."""
    return getattr(stepper, "real_stability", 2.0)


class PerReplica:
    """A stepper with a memory for each replica, so that none depends on how many there are."""

    __name__ = "PerReplica"

    def __init__(self, make: Callable[[], Stepper]):
        self.make = make
        self.steppers: list[Stepper] = []

    def __call__(
        self, flow: Flow, field: np.ndarray, times: np.ndarray, steps: np.ndarray, rngs: Generators
    ) -> np.ndarray:
        """See the module."""
        if not self.steppers:
            self.steppers = [self.make() for _ in range(flow.replicas)]
        if field.ndim == 3:
            return self.steppers[0](flow, field, times, steps, rngs)
        return np.stack([s(flow.single, f, times, steps, None) for s, f in zip(self.steppers, field, strict=True)])


def _with(**facts: Any) -> Callable[[Any], Any]:
    """Decorate a stepper with the attributes of the table above."""

    def decorate(stepper):
        vars(stepper).update(facts)
        return stepper

    return decorate


Method = Callable[[Rate, np.ndarray, float, float], np.ndarray]


def one_step(method: Method | None = None, **facts: Any) -> Any:
    """Make a stepper of a deterministic one-step method ``method(rate, y, t, dt) -> y at t + dt``.

    >>> @one_step(stages=(0, 1 / 2))
    ... def midpoint(rate, y, t, dt):
    ...     return y + dt * rate(y + dt / 2 * rate(y, t), t + dt / 2)

    Parameters
    ----------
    stages, real_stability
        Attributes of the stepper, see the module.

    Raises
    ------
    TypeError
        For any other attribute.
    """
    if wrong := set(facts) - {"stages", "real_stability"}:
        raise TypeError(unknown("option of one_step", min(wrong), ("stages", "real_stability")))
    if method is None:
        return lambda decorated: one_step(decorated, **facts)

    @_with(**facts)
    @wraps(method)
    def stepper(flow, field, times, steps, rngs):
        for t, dt in zip(times.tolist(), steps.tolist(), strict=True):
            field = method(flow.rate, field, t, dt)
        return field

    return stepper


@one_step
def _euler_step(rate, y, t, dt):
    return y + dt * rate(y, t)


@_with(stages=(0,))
def euler(flow, field, times, steps, rngs):
    """Explicit Euler, order 1: y + dt f(y, t). Over falling sigma this is DDIM exactly."""
    if flow.fuses:
        return flow.euler(field, times, steps)
    return _euler_step(flow, field, times, steps, rngs)


@one_step(stages=(0, 1))
def heun(rate, y, t, dt):
    """Heun's method, order 2: the mean of the slopes at both ends (on a Karras grid: the EDM sampler)."""
    k1 = rate(y, t)
    k2 = rate(y + dt * k1, t + dt)
    return y + dt / 2 * (k1 + k2)


@one_step(stages=(0, 1 / 2, 1 / 2, 1), real_stability=2.785)
def rk4(rate, y, t, dt):
    """The classical Runge–Kutta method, order 4."""
    k1 = rate(y, t)
    k2 = rate(y + dt / 2 * k1, t + dt / 2)
    k3 = rate(y + dt / 2 * k2, t + dt / 2)
    k4 = rate(y + dt * k3, t + dt)
    return y + dt / 6 * (k1 + 2 * (k2 + k3) + k4)


@_with(stages=(0,), adds_noise=True)
def euler_maruyama(flow, field, times, steps, rngs):
    """Euler–Maruyama for additive noise: y + dt f + a sqrt(|dt|/dV) n, with a = ``rule.noise``.

    dV is the volume of a cell, dx² (dx on a one-dimensional field), so that the noise is white in space and its
    strength does not depend on the grid.
    """
    rngs = _required(rngs, "euler_maruyama")
    axes = (flow.height > 1) + (flow.width > 1)
    volume = flow.rule.neighbourhood.dx ** max(axes, 1)
    for t, dt in zip(times.tolist(), steps.tolist(), strict=True):
        kick = math.sqrt(abs(dt) / volume) * _normals(rngs, field)
        if flow.active is not None:
            kick = np.where(flow.active, kick, 0)
        field = field + dt * flow.rate(field, t) + _amplitude(flow, t) * kick
    return field


@_with(stages=(0,))
def ancestral(flow, field, times, steps, rngs):
    """Ancestral (DDPM) sampling along sigma: exact for the noise that a Gaussian posterior leaves.

    From level s to s' < s: y' = y - (s² - s'²)/s f + s' sqrt(1 - s'²/s²) n, with f = (y - D)/s the rate.
    """
    if flow.rule.clock != "sigma":
        raise ValueError(f"ancestral sampling runs along sigma; {flow.rule.name} has the clock {flow.rule.clock}")
    rngs = _required(rngs, "ancestral")
    for s, step in zip(times.tolist(), steps.tolist(), strict=True):
        lower = max(s + step, 0.0)
        if lower > s:
            raise ValueError(f"ancestral sampling needs falling levels, got {s} then {lower}")
        noise = lower * np.sqrt(1 - (lower / s) ** 2)
        field = field - (s**2 - lower**2) / s * flow.rate(field, s) + float(noise) * _normals(rngs, field)
    return field


def stepper_of(rule: Rule) -> AnyStepper:
    """The stepper for a rule where nobody chooses one: `euler`, or `euler_maruyama` for a rule with noise."""
    return euler_maruyama if rule.has_noise else euler


def _required(rngs: Generators, name: str) -> Sequence[np.random.Generator]:
    if rngs is None:
        raise ValueError(f"{name} draws noise: give evolve, simulate or sample a seed or generator as rng=")
    return rngs


def _normals(rngs: Sequence[np.random.Generator], field: np.ndarray) -> np.ndarray:
    shape = field.shape[-3:]
    return np.stack([rng.standard_normal(shape, field.dtype) for rng in rngs]).reshape(field.shape)


def _amplitude(flow: Flow, t: float) -> np.ndarray:
    rule = flow.rule
    noise = check_noise(rule.name, rule.channels, rule.noise(t)) if callable(rule.noise) else rule.noise
    amplitude = np.asarray(noise, flow.dtype)
    return amplitude.reshape(-1, 1, 1) if amplitude.ndim == 1 else amplitude
