"""Stabilised explicit Runge–Kutta–Chebyshev steps: many local stages, the square of their number in stability.

An explicit method of s Euler stages is stable for steps up to 2 s / radius; s stages of this one reach
0.65 s² / radius, where radius is the spectral radius of the Jacobian, which diffusion makes large and real.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from turingdiff.engine.exceptions import BlowUpError
from turingdiff.engine.flow import Flow
from turingdiff.engine.linearisation import spectral_radius
from turingdiff.engine.stages import Stages, stages
from turingdiff.engine.steppers import Generators, PerReplica, Stepper

DAMPING = 2 / 13
# The radius is measured again after so many steps, and taken larger by this factor for what changes in between.
STEPS_PER_RADIUS = 25
MARGIN = 1.1
# Rounding grows with s²: a longer step is cut.
MOST_STAGES = {np.dtype(np.float32): 40, np.dtype(np.float64): 400}


@dataclass(frozen=True)
class Coefficients:
    """Of an s-stage step: stage 1 is y + first h f(y); rows of weights and abscissae of stages 2 ... s."""

    first: float
    weights: np.ndarray  # (s - 1, 5)
    clocks: np.ndarray  # (s - 1,) of the stage before each, as a fraction of the step
    reach: float  # stability along the negative real axis


@lru_cache(maxsize=512)
def coefficients(s: int) -> Coefficients:
    """Coefficients of the damped second-order method with s >= 2 stages, eqs. 2.1 to 2.9 of the paper.

    Stage j of a step of length h is (1 - mu - nu) y + mu Y_{j-1} + nu Y_{j-2} + mu~ h f(Y_{j-1}) + gamma~ h f(y); here
    the weights of y, f(y), Y_{j-1}, Y_{j-2} and f(Y_{j-1}).

    B. P. Sommeijer, L. F. Shampine, J. G. Verwer, RKC: an explicit solver for parabolic PDEs, J. Comput. Appl. Math.
    88 (1998) 315.
    """
    w0 = 1 + DAMPING / s**2
    T, dT, ddT = _chebyshev(s, w0)
    w1 = dT[s] / ddT[s]
    b = np.empty(s + 1)
    b[2:] = ddT[2:] / dT[2:] ** 2
    b[:2] = b[2]
    a = 1 - b * T
    c = np.empty(s + 1)
    c[0], c[2:] = 0.0, w1 * ddT[2:] / dT[2:]
    c[1] = c[2] / dT[2]
    weights = []
    for j in range(2, s + 1):
        mu, nu, rate = 2 * b[j] * w0 / b[j - 1], -b[j] / b[j - 2], 2 * b[j] * w1 / b[j - 1]
        weights.append((1 - mu - nu, -a[j - 1] * rate, mu, nu, rate))
    return Coefficients(float(b[1] * w1), np.array(weights), c[1:s], float((w0 + 1) / w1))


def _chebyshev(s: int, x: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Chebyshev polynomials of degree 0 ... s at `x`, and their first two derivatives."""
    T, dT, ddT = np.zeros((3, s + 1))
    T[:2], dT[1] = (1, x), 1
    for j in range(2, s + 1):
        T[j] = 2 * x * T[j - 1] - T[j - 2]
        dT[j] = 2 * T[j - 1] + 2 * x * dT[j - 1] - dT[j - 2]
        ddT[j] = 4 * dT[j - 1] + 2 * x * ddT[j - 1] - ddT[j - 2]
    return T, dT, ddT


def stages_needed(z: float) -> int:
    """The least number of stages that is stable for a step times spectral radius of `z`."""
    s = max(2, math.isqrt(int(1.5 * z)))
    while coefficients(s).reach < z:
        s += 1
    return s


def chebyshev_step(work: Stages, y: np.ndarray, f: np.ndarray, t: float, h: float, s: int) -> np.ndarray:
    """One step of s stages from `y`, whose rate is `f`."""
    method = coefficients(s)
    weights = method.weights * np.array([1, h, 1, 1, h])  # two of them multiply rates
    return work.last(y, f, method.first * h, weights, t + method.clocks * h)


class Radius:
    """The spectral radius along a run, with a margin, measured every so many steps."""

    def __init__(self) -> None:
        self.value, self.age = 0.0, STEPS_PER_RADIUS

    def at(self, flow: Flow, field: np.ndarray, t: float) -> float:
        """An upper estimate at `field`."""
        if self.age >= STEPS_PER_RADIUS:
            bound = flow.rule.stiffness
            radius = spectral_radius(flow.rule, field, t) if bound is None else bound(flow.rule, field)
            if not math.isfinite(radius):
                raise BlowUpError(f"{flow.rule.name}: its rates overflow about the field at {t:g}; take a shorter step")
            self.value, self.age = MARGIN * radius, 0
        self.age += 1
        return self.value


class _Chebyshev:
    """`rkc` in one run of one replica."""

    __name__ = "rkc"

    def __init__(self) -> None:
        self.radius = Radius()

    def __call__(
        self, flow: Flow, field: np.ndarray, times: np.ndarray, steps: np.ndarray, rngs: Generators
    ) -> np.ndarray:
        """Steps, a long one in equal parts where it would need too many stages."""
        work = stages(flow)
        for t, dt in zip(times.tolist(), steps.tolist(), strict=True):
            z = abs(dt) * self.radius.at(flow, field, t)
            parts = max(1, math.ceil(z / coefficients(MOST_STAGES[flow.dtype]).reach))
            h, s = dt / parts, stages_needed(z / parts)
            for part in range(parts):
                start = t + part * h
                field = chebyshev_step(work, field, flow.rate(field, start), start, h, s)
        return field


@dataclass(frozen=True)
class RungeKuttaChebyshev:
    """Runge–Kutta–Chebyshev, order 2: as many stages as the step needs to be stable (Sommeijer et al. 1998).

    For systems that diffusion makes stiff: choose a step that resolves the pattern's growth, ``rule.times(dt=0.1)``,
    not Euler's limit. Stages are local: a step of s stages extends the domain of dependence by s radii, as s Euler
    steps do. The spectral radius is measured every 25 steps and taken 10% larger: where the reaction itself becomes
    stiff faster than that, as in a relaxation oscillation, take a shorter step or ``td.adaptive(method="rkc")``.
    """

    __name__ = "rkc"
    real_stability = math.inf

    def start(self) -> Stepper:
        """A fresh stepper for one run."""
        return PerReplica(_Chebyshev)


rkc = RungeKuttaChebyshev()
