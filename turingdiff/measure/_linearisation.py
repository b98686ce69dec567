"""Linearisation about a uniform state, shared by both dispersion relations: input validation and the kernel."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from turingdiff.engine.rule import Rule

NOTHING = 1e-9  # a concentration below this counts as none
SAME = 1e-6  # share of a response within which two responses count as equal


def check_uniform(rule: Rule, state: ArrayLike) -> NDArray[np.float64]:
    """Return a uniform state as (C,); refuse another number of channels, complex or infinite values, and patterns."""
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


def check_same_everywhere(
    rule: Rule, function: Callable[[NDArray], NDArray], base: NDArray, size: NDArray, least: float, advice: str
) -> None:
    """Refuse a rule that depends on the place: a function of fields (B, C, H, W) that does not commute with shifts.

    Shifting noise of a `size` about the uniform field `base` must shift what the function returns and do no more, and a
    uniform field must stay uniform. An error is compared with the response, or with `least` where that is larger.
    """
    noisy, shifts = base + size * np.random.default_rng(0).standard_normal(base.shape), ((0, 0), (1, 0), (0, 1))
    uniform, *shifted = function(np.stack([base, *(np.roll(noisy, shift, (1, 2)) for shift in shifts)]))
    errors = [np.roll(image, (-y, -x), (1, 2)) - shifted[0] for (y, x), image in zip(shifts, shifted, strict=True)]
    error = np.abs([*errors, uniform - uniform[:, :1, :1]]).max(axis=(0, 2, 3))
    response = np.abs(shifted[0] - uniform).max(axis=(1, 2))
    if not (error <= SAME * np.maximum(response, least)).all():
        raise ValueError(
            f"{rule.name} is not the same everywhere: shifting a field does not just shift its rate (or the rate is "
            f"not finite). {advice}"
        )


def kernel_of(response: NDArray, canvas: Sequence[int], radius: int | None) -> NDArray[np.float64]:
    """The response (..., H, W) to a perturbation of the middle cell, by offset: (..., 2 R + 1, 2 R' + 1).

    Cell `middle - o` is the one that has the perturbed cell at the offset o. On a whole canvas of even size the
    farthest offset is on either side: half of it goes to each.
    """
    for axis, size in zip((-2, -1), canvas, strict=True):
        reach = size // 2 if radius is None else radius
        offsets = np.arange(-reach, reach + 1)
        shares = np.where(2 * np.abs(offsets) == size, 0.5, 1.0)
        taken = np.take(response, (size // 2 - offsets) % size, axis=axis)
        response = taken * (shares[:, None] if axis == -2 else shares)
    return response
