"""The largest stable step of a stepper, and what is said where a step is longer or a run ends in a non-finite field."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from turingdiff.engine.exceptions import BlowUpError, UnstableStepWarning, warn
from turingdiff.engine.flow import Flow
from turingdiff.engine.rule import Rule
from turingdiff.engine.steppers import AnyStepper, Generators, Stepper, name_of, real_stability
from turingdiff.engine.times import rounded_down, steps_between


def stable_limit(rule: Rule, field: np.ndarray, stepper: AnyStepper) -> float:
    """The largest stable step of a stepper, by linear theory at `field`."""
    return rule.stable_dt(field) * real_stability(stepper) / 2.0


def warn_if_unstable(rule: Rule, field: np.ndarray, times: Sequence[float], stepper: AnyStepper) -> None:
    """Compare the first step with the limit, for rules that declare their stiffness."""
    if rule.clock != "time" or rule.stiffness is None:
        return
    dt, limit = abs(steps_between(times, 0, 1)[0]), stable_limit(rule, field, stepper)
    if dt > limit:
        warn(
            f"dt = {dt:g} is above the stable limit {rounded_down(limit, 3):g} of {name_of(stepper)} for "
            f"{rule.name}; use a dt up to that, or a coarser grid",
            UnstableStepWarning,
        )


def blow_up(
    flow: Flow, field: np.ndarray, stepper: Stepper, rngs: Generators, clock: np.ndarray, steps: np.ndarray, advice: str
) -> BlowUpError:
    """The error for steps from `field` that end in a non-finite one; repeats them to find the first."""
    rule = flow.rule
    for n in range(steps.size):
        with np.errstate(over="ignore", invalid="ignore"):
            new = stepper(flow, field, clock[n : n + 1], steps[n : n + 1], rngs)
        if not is_finite(new):
            break
        field = new
    channel = rule.channels[int(np.argwhere(~np.isfinite(new))[0][-3])]
    message = (
        f"{rule.name}: channel {channel} stopped being finite in the step from {clock[n]:g} to {clock[n] + steps[n]:g}"
    )
    if rule.clock == "time":
        message += f" (dt = {steps[n]:g}); {advice}"
    return BlowUpError(message)


def advice(rule: Rule, start: np.ndarray, steps: np.ndarray, stepper: AnyStepper) -> str:
    """What to do about a blow-up of a run that began at `start`."""
    if rule.clock != "time":
        return ""
    # Not at the field that blew up: on its way to infinity no step is stable.
    limit, dt = stable_limit(rule, start, stepper), float(np.abs(steps).max())
    if limit < dt:
        return f"{name_of(stepper)} is stable up to dt = {rounded_down(limit, 3):g}"
    stable = f"the step is within the linear limit {limit:.3g}" if np.isfinite(limit) else "no step is too long for it"
    return f"{stable}: the reaction itself runs away, or try dt = {dt / 4:.3g}"


def is_finite(field: np.ndarray) -> bool:
    """Whether every value is."""
    return bool(np.isfinite(field.min()) and np.isfinite(field.max()))
