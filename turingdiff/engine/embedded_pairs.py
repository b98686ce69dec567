"""Embedded pairs: a step together with an estimate of its error.

A pair makes, for one run, a function ``trial(flow, y, f, t, h) -> Trial``, with f the rate at y. Both pairs here have
an error of third order in h.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from turingdiff.engine.flow import Flow
from turingdiff.engine.rkc import MOST_STAGES, Radius, chebyshev_step, stages_needed
from turingdiff.engine.stages import stages


class Trial(NamedTuple):
    """A step that may be rejected."""

    field: np.ndarray
    rate: np.ndarray  # at its end
    error: np.ndarray  # estimate, cell by cell


Method = Callable[[Flow, np.ndarray, np.ndarray, float, float], Trial]


def bogacki_shampine() -> Method:
    """Orders 3 and 2, three rates a step (Bogacki & Shampine, Appl. Math. Lett. 2 (1989) 321)."""

    def trial(flow, y, f, t, h):
        k2 = flow.rate(y + h / 2 * f, t + h / 2)
        k3 = flow.rate(y + 3 * h / 4 * k2, t + 3 * h / 4)
        new = y + h * (2 / 9 * f + 1 / 3 * k2 + 4 / 9 * k3)
        rate = flow.rate(new, t + h)
        return Trial(new, rate, h * (-5 / 72 * f + 1 / 12 * k2 + 1 / 9 * k3 - 1 / 8 * rate))

    return trial


class ChebyshevPair:
    """`turingdiff.rkc` with its error estimate, eq. 2.10 of Sommeijer et al. 1998: no step is unstable."""

    def __init__(self) -> None:
        self.radius = Radius()

    def __call__(self, flow: Flow, y: np.ndarray, f: np.ndarray, t: float, h: float) -> Trial:
        """A step of as many stages as it needs, rejected where these are too many."""
        s = stages_needed(abs(h) * self.radius.at(flow, y, t))
        if s > MOST_STAGES[flow.dtype]:
            return Trial(y, f, np.full_like(y, np.inf))
        new = chebyshev_step(stages(flow), y, f, t, h, s)
        rate = flow.rate(new, t + h)
        return Trial(new, rate, 0.8 * (y - new) + 0.4 * h * (f + rate))


PAIRS: dict[str, Callable[[], Method]] = {"bs23": bogacki_shampine, "rkc": ChebyshevPair}
