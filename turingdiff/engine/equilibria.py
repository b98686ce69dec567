"""Uniform steady states."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from turingdiff.engine.flow import Flow
from turingdiff.engine.rule import Rule

TOLERANCE = 1e-8


def find_steady_state(rule: Rule, guess: Sequence[float]) -> np.ndarray:
    """The uniform steady state (C,) near `guess`: a root of the compiled rate of a single cell, by Powell's method.

    Raises
    ------
    ValueError
        For a guess with the wrong number of values, parameters that are maps, or where no root is found.
    """
    from scipy.optimize import root

    start = np.asarray(guess, dtype=float)
    if start.shape != (len(rule.channels),) or not np.isfinite(start).all():
        raise ValueError(f"{rule.name}: a guess is one finite value for each of {rule.channels}, got {guess!r}")
    if maps := [name for name, value in rule.params.items() if np.ndim(value) == 2]:
        raise ValueError(f"{rule.name}: a uniform steady state needs uniform parameters; {', '.join(maps)} is a map")
    flow = Flow(rule, start.reshape(-1, 1, 1))  # one cell has no neighbours: whatever the boundary, nothing flows

    def rate(state: np.ndarray) -> np.ndarray:
        return flow.rate(state.reshape(-1, 1, 1), 0.0).ravel()

    with np.errstate(all="ignore"):
        found = root(rate, start, method="hybr", options={"xtol": 1e-13}).x
        # How much of a rate there is a little off the root, as the measure of what is zero.
        nearby = rate(found + 1e-3 * (np.abs(found) + 1e-3))
        residual = np.abs(rate(found)).max()
    if not residual <= TOLERANCE * np.abs(nearby).max() + np.finfo(float).tiny:
        raise ValueError(
            f"{rule.name}: no steady state found from {start.tolist()}; the search ended at {found.tolist()}, "
            f"where a rate is {residual:.3g}. Try another guess"
        )
    return found
