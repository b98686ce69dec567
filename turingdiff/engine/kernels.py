"""The loops of the engine, as plain Python; `turingdiff.engine.compile` turns them into machine code.

A kernel works on halo-padded replicas (B, C, H + 2 pad, at least W + 2 pad). In this file the global name
``cell_rate`` stands for the cell function of a rule, bound when the kernel is compiled.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numba import prange, types
from numba.extending import overload

from turingdiff.engine.compile import compiled_form
from turingdiff.engine.subnormals import flush_subnormals, restore_subnormals

cell_rate: Callable


class Geometry(NamedTuple):
    """What a cell function may know about the grid, its argument ``g``."""

    dx: float  # grid spacing, in the dtype of the field
    per_dx2: float  # 1 / dx²
    radius: int  # how far the rule sees at this clock time
    pad: int  # width of the halo: cell (y, x) of the field is phi[:, y + pad, x + pad]
    height: int
    width: int
    mask: np.ndarray | None = None  # (H + 2 pad, W + 2 pad), True inside the domain
    # The cells that have a rate: those whose whole neighbourhood is inside, as runs of columns (n, 2), and those at an
    # edge of the mask, one by one (n, 2). With (H + 1,) the first of each row. None: all cells of the field, and none.
    first_bulk: np.ndarray | None = None
    bulk: np.ndarray | None = None
    first_edge: np.ndarray | None = None
    edge: np.ndarray | None = None


class EulerSink(NamedTuple):
    """An output that takes the Euler step as a rate is written to it: new = phi + dt rate.

    Storing rates first and stepping afterwards costs a second pass over the field.
    Write-only, and every channel is to be written once.
    """

    phi: np.ndarray
    new: np.ndarray
    dt: float

    def __setitem__(self, index, rate):
        self.new[index] = self.phi[index] + self.dt * self.phi.dtype.type(rate)


class StageSink(NamedTuple):
    """An output that takes a stage of a Runge–Kutta method as a rate is written to it.

    new = w0 base + w1 slope + w2 phi + w3 new + w4 rate, with `phi` the field of which it is the rate.
    """

    base: np.ndarray
    slope: np.ndarray
    phi: np.ndarray
    new: np.ndarray
    weights: tuple[float, float, float, float, float]

    def __setitem__(self, index, rate):
        w = self.weights
        start = w[0] * self.base[index] + w[1] * self.slope[index]
        recent = w[2] * self.phi[index] + w[3] * self.new[index]
        self.new[index] = (start + recent) + w[4] * self.phi.dtype.type(rate)


@overload(operator.setitem)
def _overload_sink_setitem(self, index, rate):
    kind = getattr(self, "instance_class", None)
    return kind.__setitem__ if kind is EulerSink or kind is StageSink else None


def cell_params(params, y, x):
    """The parameters of one cell: a 2-D array is a map, of which the cell gets its own value."""
    return tuple([value[y, x] if np.ndim(value) == 2 else value for value in params])


@compiled_form(cell_params)
def _overload_cell_params(params, y, x):
    if not any(_is_map(value) for value in params):
        return lambda params, y, x: params
    if len(params) == 1:
        return lambda params, y, x: (params[0][y, x],)
    if _is_map(params[0]):
        return lambda params, y, x: (params[0][y, x], *cell_params(params[1:], y, x))
    return lambda params, y, x: (params[0], *cell_params(params[1:], y, x))


def _is_map(value) -> bool:
    return isinstance(value, types.Array) and value.ndim == 2


def run_count(first, y, whole):
    """How many runs of cells row `y` has; `whole` where there is no table of runs."""
    return whole if first is None else first[y + 1] - first[y]


@compiled_form(run_count)
def _overload_run_count(first, y, whole):
    if isinstance(first, types.NoneType):
        return lambda first, y, whole: whole
    return lambda first, y, whole: first[y + 1] - first[y]


def run_ends(first, runs, y, n, width):
    """Columns (from, to) of the n-th run of row `y`; the whole row where there is no table of runs."""
    return (0, width) if first is None else (runs[first[y] + n, 0], runs[first[y] + n, 1])


@compiled_form(run_ends)
def _overload_run_ends(first, runs, y, n, width):
    if isinstance(first, types.NoneType):
        return lambda first, runs, y, n, width: (0, width)
    return lambda first, runs, y, n, width: (runs[first[y] + n, 0], runs[first[y] + n, 1])


def fill_columns(phi, halo, g, first, last):
    """Fill the ghost cells left and right of rows `first` to `last` of one replica.

    Ghost q of an axis is the q-th before the field (q < pad) or the (q - pad)-th behind it.
    """
    source, scale, offset = halo[3], halo[4], halo[5]
    for c in range(phi.shape[0]):
        for y in range(first + g.pad, last + g.pad):
            for q in range(2 * g.pad):
                ghost = q if q < g.pad else g.width + q
                phi[c, y, ghost] = scale[q] * phi[c, y, g.pad + source[q]] + offset[q, c, y - g.pad]


def fill_rows(phi, halo, g):
    """Fill the ghost rows of one replica, whole: after `fill_columns`, so that corners follow."""
    source, scale, offset = halo[0], halo[1], halo[2]
    for c in range(phi.shape[0]):
        for q in range(2 * g.pad):
            ghost, row = q if q < g.pad else g.height + q, g.pad + source[q]
            for x in range(g.width + 2 * g.pad):
                phi[c, ghost, x] = scale[q] * phi[c, row, x] + offset[q, c, x]


def fill_halo(phi, halo, g):
    """Fill all ghost cells of one replica."""
    fill_columns(phi, halo, g, 0, g.height)
    fill_rows(phi, halo, g)


def write_rates(cell, phi, t, params, g, out, first, last):
    """Send the rates of rows `first` to `last` of one replica to `out`.

    Only cells at an edge of the mask ask which neighbours are inside: the others would lose half their speed to it.
    """
    previous = flush_subnormals()
    free = Geometry(g.dx, g.per_dx2, g.radius, g.pad, g.height, g.width, None, None, None, None, None)
    for y in range(first, last):
        for n in range(run_count(g.first_bulk, y, 1)):
            start, end = run_ends(g.first_bulk, g.bulk, y, n, g.width)
            write_run(cell, phi, t, params, free, out, y, start, end)
        for n in range(run_count(g.first_edge, y, 0)):
            row, x = run_ends(g.first_edge, g.edge, y, n, g.width)
            cell(phi, row + g.pad, x + g.pad, t, cell_params(params, row, x), g, out)
    restore_subnormals(previous)


def write_run(cell, phi, t, params, g, out, y, start, end):
    """Send the rates of the cells `start` to `end` of row `y` to `out`."""
    # LLVM must see that no index can be negative, or it keeps a branch in the inner loop.
    pad, start = max(g.pad, 1), max(start, 0)
    for m in range(end - start):
        cell(phi, y + pad, start + m + pad, t, cell_params(params, y, start + m), g, out)


def rate(phi, t, params, g, out, bands):
    """Rates of all replicas, each cut into `bands` of rows."""
    for k in prange(phi.shape[0] * bands):
        b, band = k // bands, k % bands
        write_rates(cell_rate, phi[b], t, params, g, out[b], band * g.height // bands, (band + 1) * g.height // bands)


def euler(phi, new, halo, times, steps, params, g):
    """Euler steps, replica by replica (in parallel where compiled so: no barrier between steps).

    The result is in `phi` after an even number of steps, else in `new`.
    """
    for b in prange(phi.shape[0]):
        here, there = phi[b], new[b]
        for n in range(steps.size):
            fill_columns(here, halo, g, 0, g.height)  # a function that calls both takes longer to compile than both
            fill_rows(here, halo, g)
            write_rates(cell_rate, here, times[n], params, g, EulerSink(here, there, steps[n]), 0, g.height)
            here, there = there, here


def euler_bands(phi, new, halo, times, steps, params, g, bands):
    """Euler steps, each replica cut into `bands` of rows: a barrier after every step.

    A band fills the ghost columns of its own rows. Where one thread filled them all it took a cache line from every
    row of the others, which costs more than the arithmetic where cores are far apart.
    """
    for b in range(phi.shape[0]):
        fill_columns(phi[b], halo, g, 0, g.height)
    for n in range(steps.size):
        for b in range(phi.shape[0]):
            fill_rows(phi[b], halo, g)
        for k in prange(phi.shape[0] * bands):
            b, band = k // bands, k % bands
            first, last = band * g.height // bands, (band + 1) * g.height // bands
            sink = EulerSink(phi[b], new[b], steps[n])
            write_rates(cell_rate, phi[b], times[n], params, g, sink, first, last)
            fill_columns(new[b], halo, g, first, last)
        phi, new = new, phi


def stages(base, slope, here, before, weights, clocks, halo, params, g, bands):
    """Stages of a Runge–Kutta method, see `StageSink`; a row of `weights` each. All arrays are padded.

    The last stage is in `before` after an odd number of stages, else in `here`.
    """
    for b in range(here.shape[0]):
        fill_columns(here[b], halo, g, 0, g.height)
    for n in range(clocks.size):
        w = (weights[n, 0], weights[n, 1], weights[n, 2], weights[n, 3], weights[n, 4])
        for b in range(here.shape[0]):
            fill_rows(here[b], halo, g)
        for k in prange(here.shape[0] * bands):
            b, band = k // bands, k % bands
            first, last = band * g.height // bands, (band + 1) * g.height // bands
            sink = StageSink(base[b], slope[b], here[b], before[b], w)
            write_rates(cell_rate, here[b], clocks[n], params, g, sink, first, last)
            fill_columns(before[b], halo, g, first, last)  # as in `euler_bands`
        here, before = before, here
