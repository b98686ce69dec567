"""A rule bound to one shape and dtype: compiled kernels, their buffers and their arguments."""

from __future__ import annotations

from functools import cache, cached_property
from typing import Any

import numba
import numpy as np
from numba.core.errors import NumbaError, UnsupportedBytecodeError

from turingdiff.engine import kernels
from turingdiff.engine.compile import callable_form, kernel, threads_allowed
from turingdiff.engine.growth import Uniform
from turingdiff.engine.kernels import Geometry
from turingdiff.engine.memory import CACHE_LINE, on_cache_line
from turingdiff.engine.neighbourhood import Halo
from turingdiff.engine.rule import Rule
from turingdiff.engine.validation import check_field as check_field
from turingdiff.engine.validation import check_rule as check_rule

# Below this many cells a barrier between threads costs more than it saves (measured at 2 threads).
CELLS_FOR_THREADS = 256 * 256


@cache
def _kernel(template: str, parallel: bool, cell: Any) -> Any:
    return kernel(getattr(kernels, template), parallel, cell_rate=callable_form(cell))


class Flow:
    """The rate of `rule` on fields like `field`, and fused Euler steps.

    Buffers are kept between calls, so a flow serves one thread at a time.
    """

    def __init__(self, rule: Rule, field: np.ndarray):
        field = check_field(rule, field)
        self.rule = rule
        self.dtype = field.dtype
        self.channels, self.height, self.width = field.shape[-3:]
        self.replicas = field.shape[0] if field.ndim == 4 else 1
        self.shape = field.shape
        self._buffers: dict[tuple[int, int], list[np.ndarray]] = {}
        self._domains: dict[int, tuple[np.ndarray | None, ...]] = {}

    @cached_property
    def active(self) -> np.ndarray | None:
        """(H, W) the cells that have a rate: inside the mask and not held; None where all have one."""
        mask, hold = self.rule.neighbourhood.mask, self.rule.hold
        if mask is None and hold is None:
            return None
        active = np.ones((self.height, self.width), bool) if mask is None else mask
        return active if hold is None else active & ~hold[0]

    def rate(self, field: np.ndarray, t: float) -> np.ndarray:
        """Rates at clock `t`, a new array; 0 in cells that have none."""
        rate = self.rule.field_rate or self.cell_rate
        if not isinstance(self.rule.growth, Uniform):
            return rate(field, t)
        diluted = self.dtype.type(self.axes * self.rule.growth.rate) * field
        return rate(field, t) - (diluted if self.active is None else np.where(self.active, diluted, 0))

    @property
    def axes(self) -> int:
        """The number of dimensions: an axis of one cell is none."""
        return max((self.height > 1) + (self.width > 1), 1)

    def cell_rate(self, field: np.ndarray, t: float) -> np.ndarray:
        """Rates by the cell function itself, whether or not the rule has a field rate."""
        g = self.geometry(t)
        phi, out = self._load(field, g.pad)
        if self.active is not None:
            out[...] = 0
        halo = self.halo(g.pad)
        for replica in phi:
            _fill_halo()(replica, halo, g)
        self.call("rate", self.threads() > 1, phi, self.dtype.type(t), self.params, g, out, self.bands())
        return self._interior(out, g.pad)

    def euler(self, field: np.ndarray, times: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """Euler steps in one compiled loop; the same bytes as one step a call."""
        g = self.geometry(times[0])
        phi, new = self._load(field, g.pad)
        if self.active is not None:  # what is not stepped is to stand in both
            self.interior(new, g.pad)[...] = field
        clock = (times.astype(self.dtype), steps.astype(self.dtype))
        arguments = (phi, new, self.halo(g.pad), *clock, self.params, g)
        if self.threads() == 1:
            self.call("euler", False, *arguments)
        elif self.replicas >= self.threads() and self.height * self.width < CELLS_FOR_THREADS:
            self.call("euler", True, *arguments)
        else:
            self.call("euler_bands", True, *arguments, self.bands())
        return self._interior(new if steps.size % 2 else phi, g.pad)

    @cached_property
    def single(self) -> Flow:
        """The flow of one replica."""
        return Flow(self.rule, np.zeros(self.shape[-3:], self.dtype))

    @cached_property
    def params(self) -> tuple[Any, ...]:
        """The parameters as the kernels get them; made only where the cell function runs (they hold training sets)."""
        return tuple(_as_argument(value, self.dtype.type) for value in self.rule.params.values())

    @property
    def fuses(self) -> bool:
        """Whether Euler steps of this rule can share one compiled loop."""
        rule = self.rule
        return rule.field_rate is None and rule.radius_at is None and not isinstance(rule.growth, Uniform)

    def geometry(self, t: float) -> Geometry:
        """The argument ``g`` of the cell function at clock `t`."""
        radius = self.rule.radius(t)
        reach = max(self.height, self.width) if radius is None else radius
        pad = 1 if radius is None else max(radius, 1)
        scalar = self.dtype.type
        growth = self.rule.growth
        dx = self.rule.neighbourhood.dx * (growth.stretch(t) if isinstance(growth, Uniform) else 1.0)
        return Geometry(scalar(dx), scalar(1 / dx**2), reach, pad, self.height, self.width, *self._domain(pad))

    def _domain(self, pad: int) -> tuple[np.ndarray | None, ...]:
        """The mask as cells see it, and the runs of cells that have a rate; see `Geometry`."""
        if pad not in self._domains:
            active, mask = self.active, self.rule.neighbourhood.mask
            if mask is None:
                self._domains[pad] = (None, *(_runs(active) if active is not None else (None, None)), None, None)
            else:
                rows, columns = self.rule.neighbourhood.halos(self.channels, self.height, self.width, pad)
                padded = np.ascontiguousarray(mask[np.ix_(_sources(rows, self.height), _sources(columns, self.width))])
                surrounded = _all_around(_all_around(padded, pad).T, pad).T
                edge = np.argwhere(active & ~surrounded)
                first_edge = np.searchsorted(edge[:, 0], np.arange(self.height + 1))
                self._domains[pad] = (padded, *_runs(active & surrounded), first_edge, edge)
        return self._domains[pad]

    def _load(self, field: np.ndarray, pad: int) -> tuple[np.ndarray, np.ndarray]:
        phi, out = self.buffers(pad, 2)
        self.interior(phi, pad)[...] = field
        return phi, out

    def buffers(self, pad: int, count: int) -> list[np.ndarray]:
        """Arrays (B, C, H + 2 pad, at least W + 2 pad), rows' cells beginning cache lines; the same every time."""
        if (pad, count) not in self._buffers:
            line = CACHE_LINE // self.dtype.itemsize  # what it is worth: benchmarks/gray_scott.py
            row = -(-(self.width + 2 * pad) // line) * line
            shape = (self.replicas, self.channels, self.height + 2 * pad, row)
            kept = {key: value for key, value in self._buffers.items() if key[1] != count}  # a schedule changes its pad
            self._buffers = {**kept, (pad, count): [on_cache_line(shape, self.dtype, pad) for _ in range(count)]}
        return self._buffers[pad, count]

    def interior(self, padded: np.ndarray, pad: int) -> np.ndarray:
        """The cells of a padded array, a view (B, C, H, W)."""
        return padded[..., pad : pad + self.height, pad : pad + self.width]

    def _interior(self, padded: np.ndarray, pad: int) -> np.ndarray:
        return self.interior(padded, pad).reshape(self.shape).copy()

    def halo(self, pad: int) -> tuple[np.ndarray, ...]:
        """The tables of `Neighbourhood.halos`, rows then columns, as the kernels get them."""
        rows, columns = self.rule.neighbourhood.halos(self.channels, self.height, self.width, pad)
        tables = []
        for axis in (rows, columns):
            tables += [axis.source, axis.scale.astype(self.dtype), axis.offset.astype(self.dtype)]
        return tuple(tables)

    def threads(self) -> int:
        """How many threads a kernel call is worth."""
        cells = self.replicas * self.height * self.width
        return numba.get_num_threads() if threads_allowed() and cells >= CELLS_FOR_THREADS else 1

    def bands(self) -> int:
        """Into how many bands of rows a replica is cut."""
        return min(self.height, self.threads())

    def call(self, template: str, parallel: bool, *arguments: Any) -> None:
        """Run a kernel of `turingdiff.engine.kernels` over the rule's cell function."""
        try:
            _kernel(template, parallel, self.rule.cell)(*arguments)
        except (NumbaError, UnsupportedBytecodeError) as error:
            _kernel.cache_clear()  # a name that is missing may be defined before the next call
            callable_form.cache_clear()
            raise TypeError(
                f"the cell function of {self.rule.name} does not compile. It may use numbers, tuples, math and NumPy "
                f"functions of scalars, and must write out[channel, i, j] without reading it. Numba says:\n{error}"
            ) from error


def _runs(cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cells (H, W) as runs of columns (n, 2), from and to, and (H + 1,) the first run of each row."""
    steps = np.diff(np.pad(cells, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, starts = np.nonzero(steps == 1)
    return np.searchsorted(rows, np.arange(len(cells) + 1)), np.stack([starts, np.nonzero(steps == -1)[1]], axis=1)


def _all_around(cells: np.ndarray, reach: int) -> np.ndarray:
    """Whether all cells up to `reach` away along the columns are True; the first and last `reach` rows fall away."""
    height = len(cells) - 2 * reach
    return np.logical_and.reduce([cells[n : n + height] for n in range(2 * reach + 1)])


def _sources(halo: Halo, length: int) -> np.ndarray:
    """Of every cell of a padded axis, the cell of the field that it is made of."""
    before, behind = np.split(halo.source, 2)
    return np.concatenate([before, np.arange(length), behind])


@cache
def _fill_halo() -> Any:
    return kernel(kernels.fill_halo, False)


def _as_argument(value: Any, scalar: Any) -> Any:
    """A parameter as the cell function gets it: in the dtype of the field; images in bytes stay bytes."""
    if np.ndim(value) == 0:
        return scalar(value)
    keep = value.dtype == np.uint8 and value.ndim != 2
    return np.ascontiguousarray(value if keep else value.astype(scalar, copy=False))
