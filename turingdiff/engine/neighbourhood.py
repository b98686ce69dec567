"""The neighbourhood of a cell: its radius, the boundary conditions, and the grid spacing.

Rules never look at edges. Before a rate is computed the field is framed by a *halo* of ghost cells, and every
boundary condition is an affine map from interior cells to ghost cells:

    ghost = scale * interior[source] + offset

======================  ==========================================  =======  ===================
boundary                meaning                                     scale    offset
======================  ==========================================  =======  ===================
``"periodic"``          the field is a torus                        1        0
``"no_flux"``           mirrored about the face (Neumann)           1        0
``flux(value)``         the outward slope du/dn at the face         1        value times distance
``fixed(value)``        the value at the *face* (Dirichlet)         -1       2 value
``"zero"``              zero padding, as in convolutional networks  0        0
======================  ==========================================  =======  ===================

A *mask* cuts a domain out of the field. Stencils count only neighbours inside it, so that nothing flows across its
edge, and cells outside are neither read nor written.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from turingdiff.engine.suggestions import unknown

SIDES = ("top", "bottom", "left", "right")
BOUNDARIES = ("periodic", "no_flux", "zero")


@dataclass(frozen=True)
class Fixed:
    """A value held at the face of the outermost cells; see `fixed`."""

    value: tuple  # of numbers, one or one a channel; or of rows of numbers, a profile along the side a channel

    def __repr__(self) -> str:
        return f"fixed({_told(self.value)})"


@dataclass(frozen=True)
class Flux:
    """An outward slope at the face of the outermost cells; see `flux`."""

    value: tuple

    def __repr__(self) -> str:
        return f"flux({_told(self.value)})"


def fixed(value: ArrayLike) -> Fixed:
    """Hold a value at the face of the outermost cells (Dirichlet).

    Parameters
    ----------
    value
        One number for all channels; (C,), one a channel; or (C, n) or (1, n), a profile along a side of n cells.
    """
    return Fixed(_side_values(value, "fixed"))


def flux(value: ArrayLike) -> Flux:
    """Hold the outward slope at the face (Neumann): du/dn = value, so that D du/dn enters through the side.

    Parameters
    ----------
    value
        In units of the field per length; shapes as for `fixed`. A positive value is an influx, 0 is ``"no_flux"``.
    """
    return Flux(_side_values(value, "flux"))


def _side_values(value: ArrayLike, name: str) -> tuple:
    values = np.atleast_1d(np.asarray(value, float))
    if values.ndim > 2 or not values.size or not np.isfinite(values).all():
        raise ValueError(f"{name}(value) takes a finite number, one a channel, or a profile (C, n); got {value!r}")
    return tuple(values.tolist()) if values.ndim == 1 else tuple(map(tuple, values.tolist()))


def _told(value: tuple) -> str:
    if isinstance(value[0], tuple):
        return f"profile of {len(value[0])} cells"
    return f"{value[0]:g}" if len(value) == 1 else ", ".join(f"{v:g}" for v in value)


Boundary = str | Fixed | Flux


class Halo(NamedTuple):
    """The ghost cells of one axis: `pad` before the field and `pad` behind it, in that order."""

    source: np.ndarray  # (2 pad,) interior index
    scale: np.ndarray  # (2 pad,)
    offset: np.ndarray  # (2 pad, channels, cells along the side)


@dataclass(frozen=True)
class Neighbourhood:
    """The surroundings that a rule reads.

    Parameters
    ----------
    radius
        How many cells away a cell sees, in both axes; ``None`` for a rule that sees the whole field.
    boundary
        ``"periodic"``, ``"no_flux"``, ``"zero"``, ``fixed(value)`` or ``flux(value)``: one for all four sides, or
        four in the order top, bottom, left, right.
    dx
        Grid spacing, in the length unit of the diffusion constants.
    mask
        (H, W) boolean: the cells of the domain; None for the whole field.

    Raises
    ------
    ValueError
        For a negative radius, a spacing that is not positive, an unknown boundary, or one periodic side
        whose opposite side is not periodic; for a mask that is empty or has another shape than (H, W).

    Notes
    -----
    An axis of length 1 is no axis: a field of shape ``(C, 1, W)`` is one-dimensional, and whatever the
    boundary there is no flux along its short axis.
    """

    radius: int | None = 1
    boundary: Boundary | tuple[Boundary, ...] = "periodic"
    dx: float = 1.0
    mask: np.ndarray | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.radius is not None and not (_is_number(self.radius) and self.radius >= 0 and self.radius % 1 == 0):
            raise ValueError(f"radius must be a whole number >= 0 or None, got {self.radius!r}")
        if not (_is_number(self.dx) and np.isfinite(self.dx) and self.dx > 0):
            raise ValueError(f"dx must be a positive length, the same along both axes, got {self.dx!r}")
        object.__setattr__(self, "radius", None if self.radius is None else int(self.radius))
        object.__setattr__(self, "dx", float(self.dx))
        if self.mask is not None:
            object.__setattr__(self, "mask", check_mask(self.mask))
        for side in self.sides:
            if not isinstance(side, (Fixed, Flux)) and side not in BOUNDARIES:
                raise ValueError(f"{unknown('boundary', side, BOUNDARIES)}, and td.fixed(value) and td.flux(value)")
        for a, b in (self.sides[:2], self.sides[2:]):
            if (a == "periodic") != (b == "periodic"):
                raise ValueError(f"a periodic side needs a periodic opposite side, got {self.boundary!r}")

    @property
    def sides(self) -> tuple[Boundary, ...]:
        """The boundaries at top, bottom, left and right."""
        if not isinstance(self.boundary, (tuple, list)):
            return (self.boundary,) * 4
        if len(self.boundary) != 4:
            raise ValueError(f"boundary takes one value or four ({', '.join(SIDES)}), got {self.boundary!r}")
        return tuple(self.boundary)

    @property
    def periodic(self) -> bool:
        """Whether the field is a torus."""
        return all(side == "periodic" for side in self.sides)

    def halos(self, channels: int, height: int, width: int, pad: int) -> tuple[Halo, Halo]:
        """Ghost cells of the vertical and the horizontal axis, `pad` wide on both sides.

        Offsets of the vertical axis cover whole padded rows: the corners continue the profile's ends.
        """
        top, bottom, left, right = self.sides
        vertical = _halo(top, bottom, channels, height, width, pad, self.dx)
        ends = ((0, 0), (0, 0), (pad, pad))
        vertical = vertical._replace(offset=np.pad(vertical.offset, ends, mode="edge"))
        return vertical, _halo(left, right, channels, width, height, pad, self.dx)


def check_mask(mask: ArrayLike) -> np.ndarray:
    """Return a mask as a contiguous (H, W) boolean array.

    Raises
    ------
    TypeError
        If it is neither boolean nor of zeros and ones.
    ValueError
        If it has another shape, or no cell inside.
    """
    array = np.asarray(mask)
    if array.dtype != bool and not (array.dtype.kind in "iuf" and np.isin(array, (0, 1)).all()):
        raise TypeError(f"a mask is boolean, True for the cells of the domain; got {array.dtype}: try picture > 0.5")
    if array.ndim != 2 or not array.any():
        raise ValueError(
            f"a mask has the shape (H, W) of the field and at least one cell inside; got shape {array.shape} with "
            f"{int(array.sum())} inside"
        )
    return np.ascontiguousarray(array, bool)


def _is_number(value: Any) -> bool:
    return np.ndim(value) == 0 and np.asarray(value).dtype.kind in "iuf"


@lru_cache(maxsize=256)
def _halo(low: Boundary, high: Boundary, channels: int, length: int, along: int, pad: int, dx: float) -> Halo:
    cells = [*range(-pad, 0), *range(length, length + pad)]
    halo = Halo(np.empty(2 * pad, np.int64), np.empty(2 * pad), np.empty((2 * pad, channels, along)))
    for ghost, cell in enumerate(cells):
        image = _image(cell, low, high, channels, length, along, dx)
        halo.source[ghost], halo.scale[ghost], halo.offset[ghost] = image
    return halo


def _image(cell: int, low: Boundary, high: Boundary, channels: int, length: int, along: int, dx: float):
    """Fold `cell` back into ``range(length)``, reflection by reflection (a halo may be wider than the field)."""
    scale, offset = 1.0, np.zeros((channels, along))
    if length == 1:
        return 0, scale, offset
    while not 0 <= cell < length:
        side = low if cell < 0 else high
        if side == "periodic":
            cell %= length
        elif side == "zero":
            return 0, 0.0, offset
        else:
            beyond = -cell if cell < 0 else cell - length + 1  # 1 for the first ghost
            cell = -1 - cell if cell < 0 else 2 * length - 1 - cell
            if isinstance(side, Flux):
                offset = offset + scale * (2 * beyond - 1) * dx * _per_channel(side, channels, along)
            elif isinstance(side, Fixed):
                offset = offset + 2 * scale * _per_channel(side, channels, along)
                scale = -scale
    return cell, scale, offset


def _per_channel(side: Fixed | Flux, channels: int, along: int) -> np.ndarray:
    values = np.asarray(side.value)
    values = values[:, None] if values.ndim == 1 else values
    if values.shape[0] not in (1, channels) or values.shape[1] not in (1, along):
        raise ValueError(
            f"{side} has values of shape {values.shape} for {channels} channels on a side of {along} cells; "
            "give one value, one a channel, or a profile (channels, cells of the side)"
        )
    return np.broadcast_to(values, (channels, along))
