"""Runs from nearly the same start, with the same noise, and the distances of their cells."""

from __future__ import annotations

import copy
import operator
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from turingdiff.engine import evolve
from turingdiff.engine.flow import check_field
from turingdiff.engine.rule import Rule
from turingdiff.engine.steppers import AnyStepper


def side_by_side(
    rule: Rule,
    fields: Sequence[NDArray],
    times: Sequence[float],
    stepper: AnyStepper,
    every: int,
    rng: int | np.random.Generator | None,
) -> Iterator[tuple[float, list[NDArray]]]:
    """Run a rule from several fields with the same noise; yields (clock, fields)."""
    runs = [evolve(rule, f, times, stepper=stepper, every=every, rng=copy.deepcopy(rng)) for f in fields]
    return ((states[0][0], [state for _, state in states]) for states in zip(*runs, strict=True))


def check_single(rule: Rule, field: ArrayLike) -> NDArray:
    """Pass on one field (C, H, W), as `evolve` takes it; refuse a batch."""
    array = check_field(rule, np.asarray(field))
    if array.ndim != 3:
        raise ValueError(
            f"expected one field (C, H, W), got a batch of shape {array.shape}: give one of them, field[0]"
        )
    return array


def check_cell(at: tuple[int, int] | None, shape: tuple[int, ...]) -> tuple[int, int]:
    """Pass on a cell of a field of `shape`; by default the middle one."""
    if at is None:
        return shape[0] // 2, shape[1] // 2
    try:
        row, column = (operator.index(n) for n in at)
    except (TypeError, ValueError):
        raise TypeError(f"at is a cell (row, column), two whole numbers; got {at!r}") from None
    if not (0 <= row < shape[0] and 0 <= column < shape[1]):
        raise ValueError(f"at = {at!r} lies outside the field of {shape[0]} rows and {shape[1]} columns")
    return row, column


def root_mean_squares(field: NDArray) -> NDArray[np.float64]:
    """(C,) the size of each channel: for one that is 0 throughout that of the largest, or 1 where all are."""
    rms = np.sqrt(np.mean(field.astype(float) ** 2, axis=(1, 2)))
    return np.where(rms > 0, rms, rms.max() or 1.0)


def radius_in_cells(rule: Rule, t: float) -> float:
    """How far a cell sees at clock `t`; inf for the whole field."""
    radius = rule.radius(t)
    return np.inf if radius is None else radius


def distances_from(rule: Rule, shape: tuple[int, ...], at: tuple[int, int]) -> NDArray[np.int64]:
    """(H, W) how many cells away every cell is, as a neighbourhood counts."""
    axes = []
    for length, place, side in zip(shape, at, rule.neighbourhood.sides[::2], strict=True):
        away = np.abs(np.arange(length) - place)
        axes.append(np.minimum(away, length - away) if side == "periodic" else away)
    return np.maximum(axes[0][:, None], axes[1])
