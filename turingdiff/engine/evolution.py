"""`evolve`, the generator that everything else consumes."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from turingdiff.engine.flow import Flow
from turingdiff.engine.layers import Layers
from turingdiff.engine.rule import Rule
from turingdiff.engine.stability import advice, blow_up, is_finite, warn_if_unstable
from turingdiff.engine.steppers import AnyStepper, check_stepper, euler, started
from turingdiff.engine.times import steps_between
from turingdiff.engine.validation import check_clock, check_every

STEPS_BETWEEN_CHECKS = 128


def evolve(
    rule: Rule,
    field: np.ndarray,
    times: Sequence[float],
    *,
    stepper: AnyStepper = euler,
    every: int = 1,
    rng: int | np.random.Generator | None = None,
) -> Iterator[tuple[float, np.ndarray]]:
    """Step `field` along `times`; yields (clock, field) at the start, every `every` steps, and at the end.

    Yielded fields are copies, in the dtype of `field`. Where the last time is the rule's singular end (sigma = 0)
    the last interval is an Euler step whatever the stepper: to D itself.

    Parameters
    ----------
    times
        Strictly rising or falling clock readings: ``td.uniform(0, 100, 0.1)``, ``td.denoising.cosine_levels(20)``.
    stepper
        ``td.euler, td.heun, td.rk4, td.rkc, td.adaptive, td.euler_maruyama, td.ancestral``, or your own
        (`one_step`).
    rng
        Seed or generator, needed by the stochastic steppers only.

    Warns
    -----
    UnstableStepWarning
        For a first step above the stable limit of the stepper.
    UserWarning
        For `euler_maruyama` and a rule without noise.

    Raises
    ------
    ValueError, TypeError
        Before the first step: for a field with the wrong channels or dtype or with NaN; times that are not monotone or
        pass through the singular end; a rule with noise and a stepper that does not add it.
    BlowUpError
        For a non-finite field: names the channel, the time and a stable step.
    """
    evolution = evolution_of(rule, field, times, stepper=stepper, every=every, rng=rng)
    return ((t, state) for t, state, _ in evolution)


def evolution_of(
    rule: Rule,
    field: np.ndarray,
    times: Sequence[float],
    *,
    stepper: AnyStepper = euler,
    every: int = 1,
    rng: Any = None,
) -> Iterator[tuple[float, np.ndarray, np.ndarray | None]]:
    """As `evolve`, with the mask of every state: it may grow. Input is validated here, before the first state."""
    field = np.array(field)
    flow = Flow(rule, field)
    field = rule.with_held(field)
    times, every = check_clock(rule, times), check_every(every)
    check_stepper(stepper, rule)
    warn_if_unstable(rule, field, times, stepper)
    rngs = None if rng is None else np.random.default_rng(rng).spawn(flow.replicas)
    return _evolve(flow, field, times, stepper, every, rngs)


def _evolve(flow, field, times, stepper, every, rngs) -> Iterator[tuple[float, np.ndarray, np.ndarray | None]]:
    last, n, start, method = len(times) - 1, 0, field, started(stepper)
    layers = Layers(flow, float(times[0]))
    yield float(times[0]), field.copy(), layers.mask
    while n < last:
        stop = min(last, n + every - n % every, n + STEPS_BETWEEN_CHECKS)
        if times[last] == flow.rule.singular_end:
            stop = min(stop, last - 1) if n < last - 1 else last
            if stop == last:
                method, flow = euler, Flow(flow.rule.ending, field) if flow.rule.ending else flow
        stop = layers.stop(times, n, stop)
        before = copy.deepcopy((method, rngs))
        earlier = field
        clock, steps = np.asarray(times[n:stop], float), steps_between(times, n, stop)
        with np.errstate(over="ignore", invalid="ignore"):  # reported below, by name
            field = method(flow, field, clock, steps, rngs)
        if not is_finite(field):
            raise blow_up(flow, earlier, *before, clock, steps, advice(flow.rule, start, steps, stepper))
        n = stop
        flow, field = layers.added(flow, field, float(times[n]))
        if n % every == 0 or n == last:
            yield float(times[n]), field.copy(), layers.mask
