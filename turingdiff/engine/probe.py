"""Run a cell function once, as plain Python, on an array that records where it is read.

Compiled code checks no bounds: a read beyond the declared radius returns whatever lies in memory there, and a channel
that is not written keeps its values of two steps ago.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from turingdiff.engine.kernels import Geometry, cell_params

if TYPE_CHECKING:
    from turingdiff.engine.rule import Rule

# Numbers in the parameters times cells of a neighbourhood: training sets make a cell function slow in plain Python.
MOST_WORK = 10_000
# Where a cell is tried, in halves of the field; in each place with another value of the field, and another clock.
PLACES = ((1, 1), (0, 0), (0, 2), (2, 0), (2, 2))
TRIALS = {0.5: 1.0, 1.0: 0.25, 0.25: 4.0, 2.0: 0.5, 1.5: 2.0}


class _WrongAccessError(Exception):
    """What a cell function does at another cell than it may."""


def probe(rule: Rule) -> None:
    """Try the cell function in the middle and the corners of a field.

    Not tried are rules that see the whole field, those with a field rate, which the engine uses instead of the cell
    function, and those with large arrays as parameters.

    Raises
    ------
    ValueError
        For a cell function that reads beyond the radius of its rule, or does not write a rate for every channel.
    """
    widest = rule.neighbourhood.radius
    numbers = sum(np.size(value) for value in rule.params.values() if np.ndim(value) not in (0, 2))
    if rule.field_rate is not None or widest is None or max(numbers, 1) * (2 * widest + 1) ** 2 > MOST_WORK:
        return
    for (level, t), place in zip(TRIALS.items(), PLACES, strict=True):
        try:
            written = _run(rule, level, t, place)
        except _WrongAccessError as error:
            raise ValueError(f"the cell function of {rule.name} {error}") from None
        except Exception:
            # Not every function that compiles runs as plain Python (one that calls a jitted function on `phi` does
            # not), nor does every one with these values; what is really wrong with it, the compiler says.
            continue
        if missing := [name for name in rule.channels if name not in written]:
            raise ValueError(
                f"the cell function of {rule.name} does not write the rate of {', '.join(missing)}: it has to write "
                "out[channel, i, j] once for every channel, whatever the values are"
            )


def _run(rule: Rule, level: float, t: float, place: tuple[int, int]) -> set[str]:
    """The channels that are written, for a field of `level` at the clock `t`."""
    radius = rule.radius(t)
    if radius is None:
        return set(rule.channels)
    pad, dx = max(radius, 1), rule.neighbourhood.dx
    maps = [np.shape(value) for value in rule.params.values() if np.ndim(value) == 2]
    height, width = maps[0] if maps else (2 * radius + 9, 2 * radius + 10)
    y, x = (half * (n - 1) // 2 for half, n in zip(place, (height, width), strict=True))
    cell, size = (y + pad, x + pad), (height + 2 * pad, width + 2 * pad)
    params = cell_params(tuple(_as_float64(value) for value in rule.params.values()), y, x)
    g = Geometry(np.float64(dx), np.float64(1 / dx**2), radius, pad, height, width)
    phi, out = _Field(level, rule.channels, size, cell, radius), _Writes(rule.channels, cell)
    with np.errstate(all="ignore"):
        getattr(rule.cell, "py_func", rule.cell)(phi, *cell, np.float64(t), params, g, out)
    return out.written


def _as_float64(value: Any) -> Any:
    """A parameter as the cell function gets it, in a field of float64."""
    return np.float64(value) if np.ndim(value) == 0 else np.asarray(value, None if value.dtype == np.uint8 else float)


class _Field:
    """A field of one value, as seen from the cell (i, j)."""

    def __init__(self, level: float, channels: tuple[str, ...], size: tuple[int, int], cell: Any, radius: int):
        self.level, self.channels, self.cell, self.radius = np.float64(level), channels, cell, radius
        self.shape = (len(channels), *size)

    def __getitem__(self, key: Any) -> Any:
        one = isinstance(key, tuple) and len(key) == 3 and all(isinstance(n, (int, np.integer)) for n in key)
        if one and -len(self.channels) <= key[0] < len(self.channels):
            self.check(*key)
            return self.level
        return self.elements[key]

    def __getattr__(self, name: str) -> Any:
        return getattr(_public(self.elements, name), name)

    def check(self, c: int, y: int, x: int) -> None:
        """Raise where the cell may not read (c, y, x)."""
        down, right = y - self.cell[0], x - self.cell[1]
        far = max(abs(down), abs(right))
        if far > self.radius:
            raise _WrongAccessError(
                f"reads {self.channels[c]} at the offset ({down}, {right}), beyond the radius {self.radius} that it "
                f"declares: give its neighbourhood (or td.system) radius={far}"
            )

    @cached_property
    def elements(self) -> _Elements:
        """The field for any other use, as an array."""
        where = np.meshgrid(*(np.arange(n) for n in self.shape), indexing="ij", sparse=True)
        return _Elements(
            self, np.broadcast_to(self.level, self.shape), [np.broadcast_to(axis, self.shape) for axis in where]
        )


class _Elements(NDArrayOperatorsMixin):
    """Some elements of a field, which are checked when they are read."""

    def __init__(self, field: _Field, values: np.ndarray, where: list[np.ndarray]):
        self.field, self.values, self.where = field, values, where
        self.shape, self.dtype, self.ndim, self.size = values.shape, values.dtype, values.ndim, values.size

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, key: Any) -> Any:
        try:
            part = _Elements(self.field, np.asarray(self.values[key]), [np.asarray(axis[key]) for axis in self.where])
        except IndexError:
            raise _WrongAccessError(
                f"reads phi[{key}]: it has {len(self.field.channels)} channels and a radius of {self.field.radius}"
            ) from None
        return part if part.ndim else part.read()[()]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self.read().astype(dtype or self.dtype)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        return getattr(ufunc, method)(*(v.read() if isinstance(v, _Elements) else v for v in inputs), **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(_public(self, name).read(), name)  # methods of an array read all of it

    def read(self) -> np.ndarray:
        """The values, if the cell may read them all."""
        for place in zip(*(axis.flat for axis in self.where), strict=True):
            self.field.check(*(int(n) for n in place))
        return self.values


def _public(owner: Any, name: str) -> Any:
    """The owner of a public attribute; of others there are none, or Numba would take these objects for arrays."""
    if name.startswith("_"):
        raise AttributeError(name)
    return owner


class _Writes:
    """An output that records what is written."""

    def __init__(self, channels: tuple[str, ...], cell: tuple[int, int]):
        self.channels, self.cell = channels, cell
        self.written: set[str] = set()

    def __getitem__(self, key: Any) -> Any:
        raise _WrongAccessError(f"reads out[{key}]: out is write-only, write out[channel, i, j]")

    def __setitem__(self, key: Any, rate: Any) -> None:
        channel, *place = key
        if tuple(place) != self.cell:
            raise _WrongAccessError(f"writes out[{key}]: it may write to its own cell, out[channel, i, j], only")
        try:
            names = np.array(self.channels)[channel]
        except IndexError:
            raise _WrongAccessError(f"writes out[{channel}, i, j]: it has {len(self.channels)} channels") from None
        if np.shape(rate) not in ((), np.shape(names)):
            raise _WrongAccessError(
                f"writes an array of shape {np.shape(rate)} as the rate of {names}; a parameter that is neither a "
                "number nor an (H, W) map arrives whole"
            )
        self.written |= set(np.ravel(names).tolist())
