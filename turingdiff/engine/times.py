"""Clock readings: lazy uniform grids, and the validation of any grid."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Context
from typing import Any, overload

import numpy as np


@dataclass(frozen=True)
class UniformTimes(Sequence[float]):
    """t = t0 + n dt, never summed, for n = 0 ... `whole`; the last reading is `end`, after a `partial` step or not."""

    t0: float
    dt: float
    whole: int
    end: float
    partial: bool

    def __len__(self) -> int:
        return self.whole + 1 + self.partial

    @overload  # type: ignore[override]  # a slice is an array
    def __getitem__(self, n: int) -> float: ...
    @overload
    def __getitem__(self, n: slice) -> np.ndarray: ...
    def __getitem__(self, n: Any) -> Any:
        if isinstance(n, slice):
            return self._at(np.arange(*n.indices(len(self)), dtype=float))
        if not -len(self) <= n < len(self):
            raise IndexError(n)
        return float(self._at(np.float64(n % len(self))))

    def __iter__(self) -> Iterator[float]:
        return (self[n] for n in range(len(self)))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self[:].astype(dtype or float)

    def steps(self, first: int, last: int) -> np.ndarray:
        """The steps from reading `first` to reading `last`: exactly `dt` but for a partial last one."""
        steps = np.full(last - first, self.dt)
        if self.partial and last == len(self) - 1:
            steps[-1] = self.end - self._at(np.float64(self.whole))
        return steps

    def _at(self, n: Any) -> Any:
        return np.where(n == len(self) - 1, self.end, self.t0 + n * self.dt)


def uniform(t0: float, t1: float, dt: float) -> UniformTimes:
    """Times t0 + n dt from `t0` to `t1`, up or down; the last step is shorter where `dt` does not divide.

    Raises
    ------
    ValueError
        For a step that is zero or not finite, an empty interval, or a negative step from `t0` up to `t1`. Downwards
        the step may be given with its sign or without.
    """
    t0, t1, dt = float(t0), float(t1), float(dt)
    if not (np.isfinite([t0, t1, dt]).all() and (dt > 0 or (dt < 0 and t1 < t0)) and t0 != t1):
        raise ValueError(
            f"uniform(t0, t1, dt) needs t0 != t1 and dt > 0, all finite; dt < 0 for falling times only; "
            f"got {t0}, {t1}, {dt}"
        )
    dt = abs(dt) if t1 > t0 else -abs(dt)
    count = (t1 - t0) / dt
    whole = round(count)
    if abs(count - whole) <= 1e-9 * max(1.0, count) and whole >= 1:
        return UniformTimes(t0, dt, whole, t1, False)
    return UniformTimes(t0, dt, int(np.floor(count)), t1, True)


def rounded_down(x: float, digits: int) -> float:
    """The largest decimal number of so many digits that is not above `x` > 0: a limit that may be printed and used."""
    return float(Context(prec=digits, rounding=ROUND_FLOOR).create_decimal_from_float(float(x)))


def check_times(times: Sequence[float]) -> Sequence[float]:
    """Pass on a strictly monotone grid of at least two finite readings, as `UniformTimes` or float64."""
    if isinstance(times, UniformTimes):
        return times
    grid = np.asarray(times, dtype=np.float64)
    if grid.ndim != 1 or grid.size < 2:
        raise ValueError(f"times must be a list of at least two clock readings, got shape {grid.shape}")
    if not np.isfinite(grid).all():
        raise ValueError(f"times must be finite, got {grid[~np.isfinite(grid)][0]} at {_first(~np.isfinite(grid))}")
    rising = np.diff(grid) > 0
    if not (rising.all() or (np.diff(grid) < 0).all()):
        wrong = _first((np.diff(grid) <= 0) if rising[0] else (np.diff(grid) >= 0))
        raise ValueError(
            f"times must rise or fall all the way: {grid[wrong]} is followed by {grid[wrong + 1]} at {wrong + 1}"
        )
    return grid  # type: ignore[return-value]


def steps_between(times: Sequence[float], first: int, last: int) -> np.ndarray:
    """The steps from reading `first` to reading `last`, (last - first,) float64."""
    if isinstance(times, UniformTimes):
        return times.steps(first, last)
    return np.diff(np.asarray(times)[first : last + 1])


def _first(mask: np.ndarray) -> int:
    return int(np.flatnonzero(mask)[0])
