"""Domains that grow, for the ``growth=`` of a system.

Uniform growth stretches the whole domain, L(t) = L(0) exp(rate t) along each axis. On a grid that is stretched with it,

    du/dt = D/s(t)² ∇²u + f(u) - n rate u,        s(t) = exp(rate t),  n the number of axes:

the spacing grows and everything is diluted (Crampin, Gaffney & Maini, Bull. Math. Biol. 61 (1999) 1093).

Apical growth adds cells at the edge of a mask, a layer at a time. A new cell begins as the mean of its neighbours.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from turingdiff.engine.neighbourhood import check_mask

__all__ = ["edge", "species", "tip", "uniform"]


@dataclass(frozen=True)
class Uniform:
    """The whole domain stretches; made by `uniform`."""

    rate: float

    def __repr__(self) -> str:
        return f"uniform growth at {self.rate:g}"

    def stretch(self, t: float) -> float:
        """The spacing at clock `t` over that at 0."""
        return math.exp(self.rate * t)


@dataclass(frozen=True, eq=False)
class Apical:
    """Cells are added at the edge of the mask; made by `edge`, `tip` and `species`.

    Attributes
    ----------
    every
        Time between two layers.
    grows
        ``grows(mask, field) -> (H, W)``: the cells inside beside which new ones may come.
    within
        (H, W) where cells may be; None for the whole field.
    """

    every: float
    grows: Callable[[np.ndarray, np.ndarray], np.ndarray]
    within: np.ndarray | None
    words: str

    def __repr__(self) -> str:
        return f"growth {self.words}, a layer every {self.every:g}"

    def layer(self, mask: np.ndarray, field: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The mask and the field (C, H, W) with one layer more; the same mask where nothing grows."""
        inside = mask if self.within is None else mask | ~self.within
        new = _neighbours(self.grows(mask, field) & mask).any(axis=0) & ~inside
        if not new.any():
            return mask, field
        beside, values = _neighbours(mask), np.stack([_neighbours(channel) for channel in field])
        count = np.maximum(beside.sum(axis=0), 1)
        means = (values * beside).sum(axis=1) / count
        return mask | new, np.where(new, means, field).astype(field.dtype)


Growth = Uniform | Apical


def uniform(rate: float) -> Uniform:
    """Stretch the domain along each axis as exp(rate t), with dilution; `rate` per time, below 0 it shrinks."""
    if not np.isfinite(rate):
        raise ValueError(f"rate must be a finite number per time, got {rate!r}")
    return Uniform(float(rate))


def edge(every: float, within: Any = None) -> Apical:
    """Grow everywhere at the edge of the mask: a layer of cells every so many units of time."""
    return _apical(every, _everywhere, within, "everywhere at the edge")


def tip(every: float, reach: int = 8, within: Any = None) -> Apical:
    """Grow at the tip: beside the cells that are at most `reach` rows below the topmost one."""
    if reach != int(reach) or reach < 1:
        raise ValueError(f"reach must be a whole number of rows >= 1, got {reach!r}")
    return _apical(every, partial(_near_the_top, int(reach)), within, f"at the tip, {reach} rows")


def species(every: float, channel: int, above: float, within: Any = None) -> Apical:
    """Grow where a species is high: beside the cells in which `channel` is above a value."""
    if channel != int(channel) or channel < 0:
        raise ValueError(f"channel is the number of a species, 0 or more, got {channel!r}")
    return _apical(every, partial(_where_high, int(channel), float(above)), within, f"where channel {channel} is high")


def refined(field: np.ndarray) -> np.ndarray:
    """A field (..., H, W) on a grid of half the spacing: every cell becomes four (two on a line of cells) of its value.

    Amounts, values times the volumes of cells, are kept exactly.
    """
    field = np.asarray(field)
    rows = 1 if field.shape[-2] == 1 else 2
    return field.repeat(rows, axis=-2).repeat(2, axis=-1)


def _apical(every: float, grows: Callable, within: Any, words: str) -> Apical:
    if not (np.isfinite(every) and every > 0):
        raise ValueError(f"every must be a positive time between two layers, got {every!r}")
    return Apical(float(every), grows, None if within is None else check_mask(within), words)


def _everywhere(mask: np.ndarray, field: np.ndarray) -> np.ndarray:
    return mask


def _near_the_top(reach: int, mask: np.ndarray, field: np.ndarray) -> np.ndarray:
    top = int(np.flatnonzero(mask.any(axis=1))[0])
    return mask & (np.arange(len(mask)) <= top + reach)[:, None]


def _where_high(channel: int, above: float, mask: np.ndarray, field: np.ndarray) -> np.ndarray:
    return mask & (field[channel] > above)


def _neighbours(values: np.ndarray) -> np.ndarray:
    """(4, H, W) what stands above, below, left and right of every cell; 0 beyond the field."""
    padded = np.pad(values, 1)
    return np.stack([padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:]])
