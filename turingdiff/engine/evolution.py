"""`evolve`, the generator that everything else consumes, and what it refuses or reports."""

from __future__ import annotations

import copy
import sys
import warnings
from collections.abc import Iterator, Sequence

import numpy as np

from turingdiff.engine.exceptions import BlowUpError, UnstableStepWarning
from turingdiff.engine.flow import Flow
from turingdiff.engine.rule import Rule
from turingdiff.engine.steppers import AnyStepper, euler, real_stability, started
from turingdiff.engine.times import check_times, rounded_down, steps_between

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

    Raises
    ------
    ValueError, TypeError
        At the door (before the first yield): a field with the wrong channels, dtype or with NaN; times that are not
        monotone or pass through the singular end.
    BlowUpError
        When the field stops being finite: names the channel, the time and a stable step.
    """
    field = np.array(field)
    times = check_times(times)
    flow = Flow(rule, field)
    field = rule.with_held(field)
    if every != int(every) or every < 1:
        raise ValueError(f"every must be a whole number of steps >= 1, got {every!r}")
    if rule.singular_end is not None and (min(times[0], times[-1]) < rule.singular_end or times[0] == 0):
        raise ValueError(f"{rule.name} runs along sigma > 0, down to 0 at most; got {times[0]} to {times[-1]}")
    _warn_if_unstable(rule, field, steps_between(times, 0, 1)[0], stepper)
    rngs = None if rng is None else np.random.default_rng(rng).spawn(flow.replicas)
    return _evolve(flow, field, times, stepper, int(every), rngs)


def _evolve(flow, field, times, stepper, every, rngs) -> Iterator[tuple[float, np.ndarray]]:
    last, n, start, running = len(times) - 1, 0, field, started(stepper)
    yield float(times[0]), field.copy()
    while n < last:
        stop = min(last, n + every - n % every, n + STEPS_BETWEEN_CHECKS)
        method = running
        if times[last] == flow.rule.singular_end:
            stop = min(stop, last - 1) if n < last - 1 else last
            if stop == last:
                method, flow = euler, Flow(flow.rule.ending, field) if flow.rule.ending else flow
        before = copy.deepcopy((method, rngs))
        earlier = field
        clock, steps = np.asarray(times[n:stop], float), steps_between(times, n, stop)
        with np.errstate(over="ignore", invalid="ignore"):  # reported below, by name
            field = method(flow, field, clock, steps, rngs)
        if not _is_finite(field):
            raise _blow_up(flow, earlier, *before, clock, steps, _advice(flow.rule, start, steps, stepper))
        n = stop
        if n % every == 0 or n == last:
            yield float(times[n]), field.copy()


def _is_finite(field: np.ndarray) -> bool:
    return bool(np.isfinite(field.min()) and np.isfinite(field.max()))


def _blow_up(flow, field, method, rngs, clock, steps, advice) -> BlowUpError:
    """Repeat the failed steps one by one to find the first that is not finite."""
    rule = flow.rule
    for n in range(steps.size):
        with np.errstate(over="ignore", invalid="ignore"):
            new = method(flow, field, clock[n : n + 1], steps[n : n + 1], rngs)
        if not _is_finite(new):
            break
        field = new
    channel = rule.channels[int(np.argwhere(~np.isfinite(new))[0][-3])]
    message = (
        f"{rule.name}: channel {channel} stopped being finite in the step from {clock[n]:g} to {clock[n] + steps[n]:g}"
    )
    if rule.clock == "time":
        message += f" (dt = {steps[n]:g}); {advice}"
    return BlowUpError(message)


def _advice(rule: Rule, start: np.ndarray, steps: np.ndarray, stepper: AnyStepper) -> str:
    if rule.clock != "time":
        return ""
    # Not at the field that blew up: on its way to infinity no step is stable.
    limit, dt = _limit(rule, start, stepper), float(np.abs(steps).max())
    if limit < dt:
        return f"{stepper.__name__} is stable up to dt = {rounded_down(limit, 3):g}"
    stable = f"the step is within the linear limit {limit:.3g}" if np.isfinite(limit) else "no step is too long for it"
    return f"{stable}: the reaction itself runs away, or try dt = {dt / 4:.3g}"


def _limit(rule: Rule, field: np.ndarray, stepper: AnyStepper) -> float:
    """The largest stable step of a stepper, by linear theory at `field`."""
    return rule.stable_dt(field) * real_stability(stepper) / 2.0


def _warn_if_unstable(rule: Rule, field: np.ndarray, dt: float, stepper: AnyStepper) -> None:
    if rule.clock != "time" or rule.stiffness is None:
        return
    limit = _limit(rule, field, stepper)
    if abs(dt) > limit:
        warnings.warn(
            f"dt = {abs(dt):g} is above the stable limit {rounded_down(limit, 3):g} of {stepper.__name__} for "
            f"{rule.name}; use a dt up to that, or a coarser grid",
            UnstableStepWarning,
            stacklevel=_levels_to_caller(),
        )


def _levels_to_caller() -> int:
    """How far up the stack the user's own line is, for a warning to point at it."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("turingdiff."):
        frame, level = frame.f_back, level + 1
    return level
