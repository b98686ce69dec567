"""Transport with coefficients that vary from place to place, in flux form: what leaves a cell enters its neighbour.

A cell function gets the coefficients of all faces as one array; face [0, y, x] lies between the cells (y - 1, x) and
(y, x), face [1, y, x] between (y, x - 1) and (y, x). Faces at an edge of the mask or at a no-flux side have the
coefficient 0, so the sum of a field over the domain is kept to rounding.

==================  ==========================  ==============================================================
at a cell           coefficients                d u/dt =
==================  ==========================  ==============================================================
`div_grad`          `diffusion_faces`           div(D grad u), D the harmonic mean of the two cells at a face
`div_tensor_grad`   `tensor_faces`              div(T grad u), T = R(angle) diag(along, across) R(angle)^T
`upwind`            `flow_faces`                -div(v u), from the cell that the flow comes from: first order
==================  ==========================  ==============================================================
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from turingdiff.engine.neighbourhood import Neighbourhood
from turingdiff.engine.stencils import beyond


def div_grad(phi, c, i, j, faces, g):
    """Diffusion div(D grad u) of channel `c` at (i, j): five points, second order where D is smooth."""
    y, x, u = i - g.pad, j - g.pad, phi[c, i, j]
    north = faces[0, y, x] * (beyond(phi, c, i - 1, j, u, g) - u)
    south = faces[0, y + 1, x] * (beyond(phi, c, i + 1, j, u, g) - u)
    west = faces[1, y, x] * (beyond(phi, c, i, j - 1, u, g) - u)
    east = faces[1, y, x + 1] * (beyond(phi, c, i, j + 1, u, g) - u)
    return ((north + south) + (west + east)) * g.per_dx2


def div_tensor_grad(phi, c, i, j, faces, g):
    """Anisotropic diffusion div(T grad u) of channel `c` at (i, j): nine points; faces (4, H + 1, W + 1).

    Slopes along a face are means of the central differences in its two cells.
    """
    y, x, u = i - g.pad, j - g.pad, phi[c, i, j]
    down, right = slope_down(phi, c, i, j, g), slope_right(phi, c, i, j, g)
    north = faces[0, y, x] * (beyond(phi, c, i - 1, j, u, g) - u)
    north -= faces[2, y, x] * (right + slope_right(phi, c, i - 1, j, g))
    south = faces[0, y + 1, x] * (beyond(phi, c, i + 1, j, u, g) - u)
    south += faces[2, y + 1, x] * (right + slope_right(phi, c, i + 1, j, g))
    west = faces[1, y, x] * (beyond(phi, c, i, j - 1, u, g) - u)
    west -= faces[3, y, x] * (down + slope_down(phi, c, i, j - 1, g))
    east = faces[1, y, x + 1] * (beyond(phi, c, i, j + 1, u, g) - u)
    east += faces[3, y, x + 1] * (down + slope_down(phi, c, i, j + 1, g))
    return ((north + south) + (west + east)) * g.per_dx2


def slope_down(phi, c, i, j, g):
    """Twice the central difference along the rows' direction, over the mirrored value at an edge of the mask."""
    u = phi[c, i, j]
    return beyond(phi, c, i + 1, j, u, g) - beyond(phi, c, i - 1, j, u, g)


def slope_right(phi, c, i, j, g):
    """The same along the columns' direction."""
    u = phi[c, i, j]
    return beyond(phi, c, i, j + 1, u, g) - beyond(phi, c, i, j - 1, u, g)


def upwind(phi, c, i, j, faces, g):
    """Advection -div(v u) of channel `c` at (i, j) by the flow through the faces, from where it comes."""
    y, x, u = i - g.pad, j - g.pad, phi[c, i, j]
    north, south = faces[0, y, x], faces[0, y + 1, x]  # positive: downwards, to rising row numbers
    west, east = faces[1, y, x], faces[1, y, x + 1]
    enters = max(north, 0) * beyond(phi, c, i - 1, j, u, g) - min(south, 0) * beyond(phi, c, i + 1, j, u, g)
    enters += max(west, 0) * beyond(phi, c, i, j - 1, u, g) - min(east, 0) * beyond(phi, c, i, j + 1, u, g)
    leaves = (max(south, 0) - min(north, 0)) + (max(east, 0) - min(west, 0))
    return (enters - leaves * u) / g.dx


@dataclass(frozen=True, eq=False)
class Diffusion:
    """Diffusion in flux form, in place of a diffusion constant; made by `conserving` and `fibres`."""

    term: Callable
    faces: Callable[[Neighbourhood], np.ndarray]
    words: str

    def __repr__(self) -> str:
        return self.words


def conserving(D: ArrayLike) -> Diffusion:
    """Diffusion div(D grad u) with a map D (H, W): a species is kept where D jumps, as a plain map D ∇²u does not.

    >>> rule = td.morphogenesis.schnakenberg(diffusion=(td.conserving(D), 10.0))
    """
    values = check_map(D, "D", least=0.0)
    return Diffusion(div_grad, partial(diffusion_faces, values), f"div(D grad) with D {_span(values)}")


def fibres(along: ArrayLike, across: ArrayLike, angle: ArrayLike) -> Diffusion:
    """Anisotropic diffusion: faster along fibres than across them; one of the three at least is a map (H, W).

    >>> rule = td.morphogenesis.schnakenberg(Du=td.fibres(1.0, 0.2, angle), Dv=10.0)
    """
    tensor_faces(along, across, angle, Neighbourhood())  # bad maps are refused here
    words = f"div(T grad), along {_span(along)}, across {_span(across)}"
    return Diffusion(div_tensor_grad, partial(tensor_faces, along, across, angle), words)


def _span(values: ArrayLike) -> str:
    low, high = np.min(values), np.max(values)
    return f"{low:g}" if low == high else f"from {low:g} to {high:g}"


def diffusion_faces(D: ArrayLike, neighbourhood: Neighbourhood) -> np.ndarray:
    """Coefficients (2, H + 1, W + 1) of `div_grad`: 2 D D'/(D + D') between cells, D where a side holds a value.

    Parameters
    ----------
    D
        (H, W) diffusion constants, >= 0, in squared length per time.
    """
    D = check_map(D, "D", least=0.0)
    return _faces(D, D, neighbourhood, _harmonic)


def tensor_faces(along: ArrayLike, across: ArrayLike, angle: ArrayLike, neighbourhood: Neighbourhood) -> np.ndarray:
    """Coefficients (4, H + 1, W + 1) of `div_tensor_grad`.

    Parameters
    ----------
    along, across
        Diffusion constants along the fibre and across it; numbers or (H, W) maps, of which one at least is a map.
    angle
        Of the fibre, in radians from a row's direction towards rising row numbers, as `turingdiff.measure.structure`
        gives it.
    """
    maps = np.broadcast_arrays(*(np.asarray(value, float) for value in (along, across, angle)))
    a, b = check_map(maps[0], "along", least=0.0), check_map(maps[1], "across", least=0.0)
    theta = check_map(maps[2], "angle")
    cosine, sine = np.cos(theta), np.sin(theta)
    columns, rows = a * cosine**2 + b * sine**2, a * sine**2 + b * cosine**2
    mixed = (a - b) * cosine * sine
    normal = _faces(rows, columns, neighbourhood, _mean)
    # A quarter: the mean of two cells, of differences over two spacings. Nothing of it where a side holds a value.
    cross = _faces(mixed, mixed, neighbourhood, _mean, at_sides=0.0) / 4
    return np.concatenate([normal, cross])


def flow_faces(down: ArrayLike, right: ArrayLike, neighbourhood: Neighbourhood) -> np.ndarray:
    """Velocities (2, H + 1, W + 1) through the faces, for `upwind`: means of the two cells; 0 through closed sides.

    Parameters
    ----------
    down, right
        Velocity along the rows' direction (to rising row numbers) and along the columns', in length per time; numbers
        or (H, W) maps, of which one at least is a map.
    """
    v, u = np.broadcast_arrays(np.asarray(down, float), np.asarray(right, float))
    return _faces(check_map(v, "down"), check_map(u, "right"), neighbourhood, _mean)


def check_map(values: ArrayLike, name: str, least: float = -np.inf) -> np.ndarray:
    """Return a map (H, W) in float64.

    Raises
    ------
    ValueError
        For another shape, values that are not finite, or below `least`.
    """
    array = np.asarray(values, float)
    if array.ndim != 2 or not np.isfinite(array).all():
        raise ValueError(f"{name} must be a finite (H, W) map, got shape {array.shape}")
    if array.min() < least:
        raise ValueError(f"{name} must be >= {least:g} everywhere, got {array.min():g}")
    return array


def _harmonic(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    total = a + b
    return np.where(total > 0, 2 * a * b / np.where(total > 0, total, 1), 0.0)


def _mean(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a + b) / 2


def _faces(rows, columns, neighbourhood: Neighbourhood, mean, at_sides: float = 1.0) -> np.ndarray:
    """Coefficients of the horizontal faces from `rows`, of the vertical ones from `columns`, each (H, W)."""
    height, width = rows.shape
    mask = np.ones((height, width), bool) if neighbourhood.mask is None else neighbourhood.mask
    if mask.shape != rows.shape:
        raise ValueError(f"the map has the shape {rows.shape} and the mask {mask.shape}, expected the same")
    faces = np.zeros((2, height + 1, width + 1))
    sides = neighbourhood.sides
    for axis, (values, out) in enumerate(((rows, faces[0, :, :width]), (columns.T, faces[1, :height].T))):
        inside = mask if axis == 0 else mask.T
        low, high = sides[2 * axis : 2 * axis + 2]
        out[1:-1] = mean(values[:-1], values[1:]) * (inside[:-1] & inside[1:])
        if low == "periodic" and len(values) > 1:
            out[0] = out[-1] = mean(values[-1], values[0]) * (inside[-1] & inside[0])
        elif len(values) > 1:
            out[0] = 0.0 if low == "no_flux" else at_sides * values[0] * inside[0]
            out[-1] = 0.0 if high == "no_flux" else at_sides * values[-1] * inside[-1]
    return faces
