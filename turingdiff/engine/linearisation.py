"""Jacobians of a rate by differences, and their spectral radius."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from turingdiff.engine.flow import Flow
from turingdiff.engine.rule import Rule
from turingdiff.engine.validation import check_field

STEP = 1e-6


def jacobian(rates: Callable[[np.ndarray], np.ndarray], state: np.ndarray) -> np.ndarray:
    """The derivatives of ``rates(state)``, (n,) to (m,), as a matrix (m, n), by central differences."""
    columns = []
    for c in range(state.size):
        step = np.zeros_like(state)
        step[c] = STEP * max(1.0, abs(state[c]))
        columns.append((rates(state + step) - rates(state - step)) / (2 * step[c]))
    return np.stack(columns, axis=1)


def spectral_radius(rule: Rule, field: np.ndarray, t: float = 0.0, iterations: int = 40) -> float:
    """Largest |eigenvalue| of the Jacobian of the rate at `field`, by power iteration (differences, float64)."""
    field = check_field(rule, field).astype(np.float64)
    flow = Flow(rule, field)
    base = flow.rate(field, t)
    if not np.isfinite(base).all():
        return np.inf
    direction = np.random.default_rng(0).standard_normal(field.shape)
    size, radius = STEP * (1 + np.abs(field).max()), 0.0
    for _ in range(iterations):
        direction /= np.abs(direction).max()
        change = (flow.rate(field + size * direction, t) - base) / size
        radius = float(np.linalg.norm(change) / np.linalg.norm(direction))
        if not np.isfinite(radius):
            return np.inf
        if radius == 0:
            break
        direction = change
    return radius
