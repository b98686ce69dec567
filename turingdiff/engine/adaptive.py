"""Adaptive step sizes: steps as long as an error estimate allows, which end on the times that were asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from turingdiff.engine.embedded_pairs import PAIRS
from turingdiff.engine.exceptions import BlowUpError
from turingdiff.engine.flow import Flow
from turingdiff.engine.steppers import Generators, PerReplica, Stepper
from turingdiff.engine.suggestions import unknown

SAFETY, SHRINK, GROW = 0.9, 0.2, 5.0
# In units in the last place of the dtype: a tolerance below is rounding, not error; and so is a step below.
LEAST_TOLERANCE = 10
LEAST_STEP = 16


@dataclass(frozen=True)
class Adaptive:
    """Error control by an embedded pair: ``td.adaptive``, or ``td.adaptive(rtol=1e-6, method="rkc")``.

    A step is accepted where the error estimate of every cell is below atol + rtol max(|y|, |y'|); otherwise it is
    repeated, shorter. The largest cell counts, not the mean: a field twice as large must not be integrated with less
    care. Steps end on every reading of the times, so ask for the times of interest, ``td.uniform(0, 100, 1)``, not for
    `rule.times()`.

    Parameters
    ----------
    rtol, atol
        Tolerances per step, relative and in units of the field.
    method
        ``"bs23"``, the pair of Bogacki and Shampine; ``"rkc"``, for stiff diffusion, whose steps are not limited by
        stability.
    """

    rtol: float = 1e-4
    atol: float = 1e-7
    method: str = "bs23"

    __name__ = "adaptive"
    real_stability = math.inf

    def __post_init__(self) -> None:
        if not (0 < self.rtol < 1 and 0 <= self.atol < math.inf):
            raise ValueError(f"adaptive needs 0 < rtol < 1 and atol >= 0, got rtol={self.rtol!r}, atol={self.atol!r}")
        if self.method not in PAIRS:
            raise ValueError(unknown("method of adaptive", self.method, PAIRS))

    def __call__(self, **options: Any) -> Adaptive:
        """The same with other options."""
        if wrong := set(options) - (known := {option.name for option in fields(self)}):
            raise TypeError(unknown("option of adaptive", min(wrong), sorted(known)))
        return replace(self, **options)

    def start(self) -> Stepper:
        """A fresh stepper for one run."""
        return PerReplica(lambda: _Adaptive(self))


adaptive = Adaptive()


class _Adaptive:
    """`adaptive` in one run of one replica: remembers the length of its last step."""

    __name__ = "adaptive"

    def __init__(self, options: Adaptive):
        self.options = options
        self.trial = PAIRS[options.method]()
        self.h: float | None = None

    def __call__(
        self, flow: Flow, field: np.ndarray, times: np.ndarray, steps: np.ndarray, rngs: Generators
    ) -> np.ndarray:
        eps = float(np.finfo(flow.dtype).eps)
        if self.options.rtol < LEAST_TOLERANCE * eps:
            raise ValueError(f"rtol = {self.options.rtol:g} is below the rounding of {flow.dtype}: use float64 fields")
        rate = flow.rate(field, float(times[0]))
        for t, step in zip(times.tolist(), steps.tolist(), strict=True):
            field, rate = self._interval(flow, field, rate, t, t + step)
        return field

    def _interval(self, flow: Flow, y: np.ndarray, f: np.ndarray, t: float, end: float):
        """From `t` to `end`; returns the field and the rate there."""
        sign = math.copysign(1.0, end - t)
        h = self.h if self.h is not None else self._first_step(flow, y, f, t, end)
        while t != end:
            last = h >= abs(end - t) * (1 - 1e-9)
            taken = abs(end - t) if last else h
            with np.errstate(over="ignore", invalid="ignore"):
                trial = self.trial(flow, y, f, t, sign * taken)
                error, cell = self._error(y, trial.field, trial.error)
            if error <= 1:
                y, f = trial.field, trial.rate
                t = end if last else t + sign * taken
                h = max(h, taken * _factor(error)) if last else taken * _factor(error)
                continue
            h = taken * min(1.0, _factor(error))
            if h < LEAST_STEP * np.finfo(float).eps * max(abs(t), abs(end)):
                raise BlowUpError(
                    f"{flow.rule.name}: from {t:g} on channel {flow.rule.channels[cell[0]]} changes so fast at "
                    f"{cell[1:]} that no step meets the tolerance: the reaction itself runs away"
                )
        self.h = h
        return y, f

    def _error(self, y: np.ndarray, new: np.ndarray, error: np.ndarray) -> tuple[float, tuple[int, ...]]:
        """The largest error in units of the tolerance, and the cell that has it."""
        scale = self.options.atol + self.options.rtol * np.maximum(np.abs(y), np.abs(new))
        ratio = np.abs(error) / scale if self.options.atol else np.where(error == 0, 0.0, np.abs(error) / scale)
        cell = np.unravel_index(np.argmax(np.where(np.isnan(ratio), np.inf, ratio)), y.shape)
        worst = float(ratio[cell])
        return (worst if math.isfinite(worst) else math.inf), tuple(int(n) for n in cell)

    def _first_step(self, flow: Flow, y: np.ndarray, f: np.ndarray, t: float, end: float) -> float:
        """A first guess (Hairer, Nørsett & Wanner, Solving ODEs I, section II.4)."""
        scale = self.options.atol + self.options.rtol * np.abs(y)
        scale = np.where(scale == 0, 1.0, scale)
        size, speed = np.abs(y / scale).max(), np.abs(f / scale).max()
        h = min(abs(end - t), 0.01 * size / speed if size > 1e-5 and speed > 1e-5 else 1e-6)
        ahead = flow.rate(y + math.copysign(h, end - t) * f, t + math.copysign(h, end - t))
        bend = np.abs((ahead - f) / scale).max() / h
        worst = max(speed, bend)
        return min(100 * h, abs(end - t), max(1e-6, 1e-3 * h) if worst <= 1e-15 else float((0.01 / worst) ** (1 / 3)))


def _factor(error: float) -> float:
    """How much longer the next step may be; the error goes with the third power of the step."""
    if error == math.inf:
        return SHRINK
    return min(GROW, max(SHRINK, SAFETY * error ** (-1 / 3))) if error > 0 else GROW
