"""A rule bound to one shape and dtype: compiled kernels, their buffers and their arguments."""

from __future__ import annotations

from functools import cache, cached_property
from typing import Any

import numba
import numpy as np
from numba.core.errors import NumbaError, UnsupportedBytecodeError

from turingdiff.engine import kernels
from turingdiff.engine.compile import callable_form, kernel, threads_allowed
from turingdiff.engine.kernels import Geometry
from turingdiff.engine.memory import CACHE_LINE, on_cache_line
from turingdiff.engine.rule import Rule

# Below this many cells a barrier between threads costs more than it saves (measured at 2 threads).
CELLS_FOR_THREADS = 256 * 256


@cache
def _kernel(template: str, parallel: bool, cell: Any) -> Any:
    return kernel(getattr(kernels, template), parallel, cell_rate=callable_form(cell))


def check_rule(rule: Rule) -> None:
    """Refuse what is no rule, a system that was not called above all."""
    if not isinstance(rule, Rule):
        raise TypeError(f"expected a rule, got {rule!r}: calling a system makes one, as schnakenberg()")


def check_field(rule: Rule, field: np.ndarray) -> np.ndarray:
    """Pass on a field (C, H, W) or (B, C, H, W), float32 or float64, finite, with the channels of `rule`."""
    check_rule(rule)
    array = np.asarray(field)
    if array.dtype not in (np.float32, np.float64):
        raise TypeError(f"a field is float32 or float64, got {array.dtype}: use field.astype(np.float64)")
    count = len(rule.channels)
    if array.ndim not in (3, 4) or array.shape[-3] != count or 0 in array.shape:
        raise ValueError(
            f"{rule.name} has {count} channel{'s' * (count != 1)} ({', '.join(rule.channels)}): its field has shape "
            f"({count}, H, W) or (B, {count}, H, W), got {array.shape}"
        )
    finite = np.isfinite(array)
    if not finite.all():
        where = tuple(int(n) for n in np.argwhere(~finite)[0])
        raise ValueError(f"the field holds {array[where]} at {where}: a run starts from finite values")
    for name, value in rule.params.items():
        if np.ndim(value) == 2 and value.shape != array.shape[-2:]:
            raise ValueError(f"parameter {name} is a map of shape {value.shape}, but the field is {array.shape[-2:]}")
    if rule.admits is not None:
        rule.admits(array.shape[-2:])
    return array


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

    def rate(self, field: np.ndarray, t: float) -> np.ndarray:
        """Rates at clock `t`, a new array."""
        if self.rule.field_rate is not None:
            return self.rule.field_rate(field, t)
        return self.cell_rate(field, t)

    def cell_rate(self, field: np.ndarray, t: float) -> np.ndarray:
        """Rates by the cell function itself, whether or not the rule has a field rate."""
        g = self.geometry(t)
        phi, out = self._load(field, g.pad)
        halo = self.halo(g.pad)
        for replica in phi:
            _fill_halo()(replica, halo, g)
        self.call("rate", self.threads() > 1, phi, self.dtype.type(t), self.params, g, out, self.bands())
        return self._interior(out, g.pad)

    def euler(self, field: np.ndarray, times: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """Euler steps in one compiled loop; the same bytes as one step a call."""
        g = self.geometry(times[0])
        phi, new = self._load(field, g.pad)
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
        return self.rule.field_rate is None and self.rule.radius_at is None

    def geometry(self, t: float) -> Geometry:
        """The argument ``g`` of the cell function at clock `t`."""
        radius = self.rule.radius(t)
        reach = max(self.height, self.width) if radius is None else radius
        pad = 1 if radius is None else max(radius, 1)
        scalar = self.dtype.type
        dx = self.rule.neighbourhood.dx
        return Geometry(scalar(dx), scalar(1 / dx**2), reach, pad, self.height, self.width)

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


@cache
def _fill_halo() -> Any:
    return kernel(kernels.fill_halo, False)


def _as_argument(value: Any, scalar: Any) -> Any:
    """A parameter as the cell function gets it: in the dtype of the field; images in bytes stay bytes."""
    if np.ndim(value) == 0:
        return scalar(value)
    keep = value.dtype == np.uint8 and value.ndim != 2
    return np.ascontiguousarray(value if keep else value.astype(scalar, copy=False))


def spectral_radius(rule: Rule, field: np.ndarray, t: float = 0.0, iterations: int = 40) -> float:
    """Largest |eigenvalue| of the Jacobian of the rate at `field`, by power iteration (differences, float64)."""
    field = check_field(rule, field).astype(np.float64)
    flow = Flow(rule, field)
    base = flow.rate(field, t)
    if not np.isfinite(base).all():
        return np.inf
    direction = np.random.default_rng(0).standard_normal(field.shape)
    size, radius = 1e-6 * (1 + np.abs(field).max()), 0.0
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
