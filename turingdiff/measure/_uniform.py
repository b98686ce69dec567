"""What a linearisation asks at its door: one state for all cells, one rule for all places."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from turingdiff.engine.rule import Rule

NOTHING = 1e-9  # a concentration below this counts as none


def check_uniform(rule: Rule, state: ArrayLike) -> NDArray[np.float64]:
    """The state as (C,).

    Raises
    ------
    ValueError
        For another number of channels, complex or infinite values, or a field that is not uniform.
    """
    array, count = np.asarray(state), len(rule.channels)
    if array.dtype.kind not in "fiub" or array.ndim not in (1, 3) or len(array) != count or not array.size:
        raise ValueError(
            f"{rule.name}: a state is one real value for each of {', '.join(rule.channels)}, or a uniform field "
            f"({count}, H, W); got {array.dtype} of shape {array.shape}"
        )
    cells = array.astype(np.float64).reshape(count, -1)
    if not np.isfinite(cells).all():
        raise ValueError(f"{rule.name}: the state must be finite, got {cells[:, 0].tolist()}")
    if (spread := np.ptp(cells, axis=1).max()) > NOTHING * np.abs(cells).max():
        raise ValueError(f"{rule.name}: the state must be uniform, but it varies by {spread:.3g}")
    return cells[:, 0]


def check_no_maps(rule: Rule) -> None:
    """Refuse parameters that differ from place to place."""
    if maps := [name for name, value in rule.params.items() if np.ndim(value) == 2]:
        raise ValueError(f"{rule.name}: {', '.join(maps)} is a map; give dispersion a rule with uniform parameters")
