"""Run until a steady state."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from turingdiff.engine.evolution import evolution_of
from turingdiff.engine.flow import Flow
from turingdiff.engine.linearisation import spectral_radius
from turingdiff.engine.rule import Rule
from turingdiff.engine.runs import Run, frames_every, record
from turingdiff.engine.steppers import AnyStepper, euler
from turingdiff.engine.times import check_times

State = tuple[float, np.ndarray, Any]  # clock, field, mask


class NotSteadyError(ArithmeticError):
    """A run still changes at its end; ``error.run`` is the run."""

    run: Run


def until_steady(
    rule: Rule,
    field: np.ndarray,
    times: Sequence[float],
    *,
    tolerance: float = 1e-6,
    stepper: AnyStepper = euler,
    frames: int | None = None,
    every: int | None = None,
    rng: int | np.random.Generator | None = None,
    progress: bool = False,
) -> Run:
    """As `simulate`, but end at the first kept frame that is steady in every channel.

        max |f_c| <= tolerance max |u_c|        per unit of time; max |u_c| the largest seen so far

    f is the rate, computed in float64 whatever the dtype of the field. What a step changes is no measure: in float32
    a small step of a slow rate is rounded away, and an unstable state seems to stand still.

    Parameters
    ----------
    times
        Up to when, at most.
    frames, every
        How often to look, and what to keep; see `simulate`.

    Raises
    ------
    NotSteadyError
        Where the field still changes at the last time (it moves, or needs longer), or is stuck: it stays the same,
        bit for bit, although its rate does not vanish.
    ValueError
        For a tolerance below what rounding lets the rate of a steady state be.
    """
    times = check_times(times)
    if not 0 < tolerance < np.inf:
        raise ValueError(f"tolerance must be a positive number per unit of time, got {tolerance!r}")
    every = frames_every(len(times) - 1, field, frames, every)
    convergence = _Convergence(rule, field, tolerance)
    evolution = evolution_of(rule, field, times, stepper=stepper, every=every, rng=rng)
    run = record(rule, field, convergence.until_steady(evolution), int(-(-(len(times) - 1) // every)) + 1, progress)
    if convergence.trouble:
        error = NotSteadyError(convergence.trouble)
        error.run = run
        raise error
    return run


class _Convergence:
    """Tracks the convergence of a run."""

    def __init__(self, rule: Rule, field: np.ndarray, tolerance: float):
        self.rule, self.tolerance, self.trouble = rule, tolerance, ""
        exact = np.asarray(field, np.float64)
        self.flow = Flow(rule, exact)
        eps = float(np.finfo(np.asarray(field).dtype).eps)
        radius = 2 / rule.stable_dt() if rule.stiffness else spectral_radius(rule, exact)
        if tolerance < eps * radius:
            raise ValueError(
                f"tolerance = {tolerance:g} is below {eps * radius:.2g}, the rate that rounding to "
                f"{np.asarray(field).dtype} leaves in a steady state of {rule.name}: use float64 or a larger tolerance"
            )
        self.size = np.zeros(len(rule.channels))

    def until_steady(
        self, evolution: Iterator[tuple[float, np.ndarray, Any]]
    ) -> Iterator[tuple[float, np.ndarray, Any]]:
        before: np.ndarray | None = None
        for t, field, mask in evolution:
            yield t, field, mask
            rate = self._rate(t, field)
            if rate <= self.tolerance:
                return
            if before is not None and np.array_equal(before, field):
                self.trouble = (
                    f"{self.rule.name} is stuck at {t:g}: the field stays the same in {field.dtype} although it should "
                    f"change by {rate:.2g} of its size per unit of time; use float64 or a longer step"
                )
                return
            before = field
        self.trouble = (
            f"{self.rule.name} still changes at {t:g}, by {rate:.2g} of its size per unit of time "
            f"(tolerance {self.tolerance:g}): run longer; what moves or swings never comes to rest"
        )

    def _rate(self, t: float, field: np.ndarray) -> float:
        """The largest rate of a channel in units of its size."""
        exact = field.astype(np.float64)
        others = tuple(n for n in range(exact.ndim) if n != exact.ndim - 3)
        self.size = np.maximum(self.size, np.abs(exact).max(others))
        change = np.abs(self.flow.rate(exact, t)).max(others)
        return float(np.max(change / np.where(self.size > 0, self.size, 1.0)))
