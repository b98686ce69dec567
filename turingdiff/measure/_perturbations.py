"""Perturbed fields, their runs with the same noise, and the distances of cells from a perturbed one."""

from __future__ import annotations

import copy
import operator
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from turingdiff.engine import evolve
from turingdiff.engine.flow import check_field
from turingdiff.engine.rule import Rule
from turingdiff.engine.steppers import AnyStepper


def perturbed(
    base: NDArray, places: Sequence[Any], steps: NDArray, multiples: Sequence[int] | NDArray
) -> NDArray[np.float64]:
    """(P, M, C, H, W) copies of a field for central differences: in each, one number is perturbed.

    The P numbers are given by their channels, rows and columns, each (P,) or the same for all. Each has a step, and is
    perturbed by M multiples of it: (1, -1) for differences of order 2.
    """
    fields = np.tile(base, (len(steps), len(multiples), 1, 1, 1))
    fields[np.arange(len(steps)), :, *places] += np.outer(steps, multiples)
    return fields


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


def single_field(rule: Rule, field: ArrayLike) -> NDArray:
    """Return one field (C, H, W), as `evolve` takes it; refuse a batch."""
    array = check_field(rule, np.asarray(field))
    if array.ndim != 3:
        raise ValueError(
            f"expected one field (C, H, W), got a batch of shape {array.shape}: give one of them, field[0]"
        )
    return array


def cell_of(at: tuple[int, int] | None, shape: tuple[int, ...]) -> tuple[int, int]:
    """Return the (row, column) of a cell of a field of `shape`; by default the middle one."""
    if at is None:
        return shape[0] // 2, shape[1] // 2
    try:
        row, column = (operator.index(n) for n in at)
    except (TypeError, ValueError):
        raise TypeError(f"at is a cell (row, column), two whole numbers; got {at!r}") from None
    if not (0 <= row < shape[0] and 0 <= column < shape[1]):
        raise ValueError(f"at = {at!r} lies outside the field of {shape[0]} rows and {shape[1]} columns")
    return row, column


def root_mean_square(values: NDArray, axis: Any = None, unit: float = 1.0) -> NDArray[np.float64]:
    """The root mean square over `axis`; values that are too small to be squared need a smaller unit."""
    return unit * np.sqrt(np.mean((values / unit) ** 2, axis=axis))


def channel_sizes(field: NDArray) -> NDArray[np.float64]:
    """(C,) the root mean square of each channel; of one that is 0 throughout the largest, or 1 where all are."""
    sizes = root_mean_square(field.astype(float), axis=(1, 2))
    return np.where(sizes > 0, sizes, sizes.max() or 1.0)


def radius_in_cells(rule: Rule, t: float) -> float:
    """The radius of a rule at clock `t`; inf for the whole field."""
    radius = rule.radius(t)
    return np.inf if radius is None else radius


def distances_from(rule: Rule, shape: tuple[int, ...], at: tuple[int, int]) -> NDArray[np.int64]:
    """(H, W) the distance of every cell in cells, as a neighbourhood counts it."""
    axes = []
    for length, place, side in zip(shape, at, rule.neighbourhood.sides[::2], strict=True):
        away = np.abs(np.arange(length) - place)
        axes.append(np.minimum(away, length - away) if side == "periodic" else away)
    return np.maximum(axes[0][:, None], axes[1])


def farthest(mask: NDArray[np.bool_], distance: NDArray[np.int64]) -> float:
    """The largest distance in a region; nan for an empty one."""
    return float(distance[mask].max()) if mask.any() else np.nan
