"""The neighbourhood of a cell: its radius, the boundary conditions, and the grid spacing.

Rules never look at edges. Before a rate is computed the field is framed by a *halo* of ghost cells, and every
boundary condition is an affine map from interior cells to ghost cells:

    ghost = scale * interior[source] + offset

======================  ==========================================  =======  ==============
boundary                meaning                                     scale    offset
======================  ==========================================  =======  ==============
``"periodic"``          the field is a torus                        1        0
``"no_flux"``           mirrored about the face (Neumann)           1        0
``fixed(value)``        the value at the *face* (Dirichlet)         -1       2 value
``"zero"``              zero padding, as in convolutional networks  0        0
======================  ==========================================  =======  ==============
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from turingdiff.engine.suggestions import unknown

SIDES = ("top", "bottom", "left", "right")
BOUNDARIES = ("periodic", "no_flux", "zero")


@dataclass(frozen=True)
class Fixed:
    """A boundary value held at the face of the outermost cells: one for all channels, or one a channel."""

    value: tuple[float, ...]


def fixed(value: float | Sequence[float]) -> Fixed:
    """Hold `value` at the face (Dirichlet); a sequence gives one value a channel."""
    values = np.atleast_1d(np.asarray(value, float))
    if values.ndim != 1 or not np.isfinite(values).all():
        raise ValueError(f"fixed(value) takes a finite number, or one a channel; got {value!r}")
    return Fixed(tuple(values.tolist()))


Boundary = str | Fixed


class Halo(NamedTuple):
    """The ghost cells of one axis: `pad` before the field and `pad` behind it, in that order."""

    source: np.ndarray  # (2 pad,) interior index
    scale: np.ndarray  # (2 pad,)
    offset: np.ndarray  # (2 pad, channels)


@dataclass(frozen=True)
class Neighbourhood:
    """The surroundings that a rule reads.

    Parameters
    ----------
    radius
        How many cells away a cell sees, in both axes; ``None`` for a rule that sees the whole field.
    boundary
        ``"periodic"``, ``"no_flux"``, ``"zero"`` or ``fixed(value)``: one for all four sides, or four in the
        order top, bottom, left, right.
    dx
        Grid spacing, in the length unit of the diffusion constants.

    Raises
    ------
    ValueError
        For a negative radius, a spacing that is not positive, an unknown boundary, or one periodic side
        whose opposite side is not periodic.

    Notes
    -----
    An axis of length 1 is no axis: a field of shape ``(C, 1, W)`` is one-dimensional, and whatever the
    boundary there is no flux along its short axis.
    """

    radius: int | None = 1
    boundary: Boundary | tuple[Boundary, ...] = "periodic"
    dx: float = 1.0

    def __post_init__(self) -> None:
        if self.radius is not None and not (_is_number(self.radius) and self.radius >= 0 and self.radius % 1 == 0):
            raise ValueError(f"radius must be a whole number >= 0 or None, got {self.radius!r}")
        if not (_is_number(self.dx) and np.isfinite(self.dx) and self.dx > 0):
            raise ValueError(f"dx must be a positive length, the same along both axes, got {self.dx!r}")
        object.__setattr__(self, "radius", None if self.radius is None else int(self.radius))
        object.__setattr__(self, "dx", float(self.dx))
        for side in self.sides:
            if not isinstance(side, Fixed) and side not in BOUNDARIES:
                raise ValueError(f"{unknown('boundary', side, BOUNDARIES)}, and td.fixed(value)")
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
        """Ghost cells of the vertical and the horizontal axis, `pad` wide on both sides."""
        top, bottom, left, right = self.sides
        return _halo(top, bottom, channels, height, pad), _halo(left, right, channels, width, pad)


def _is_number(value: Any) -> bool:
    return np.ndim(value) == 0 and np.asarray(value).dtype.kind in "iuf"


@lru_cache(maxsize=256)
def _halo(low: Boundary, high: Boundary, channels: int, length: int, pad: int) -> Halo:
    cells = [*range(-pad, 0), *range(length, length + pad)]
    halo = Halo(np.empty(2 * pad, np.int64), np.empty(2 * pad), np.empty((2 * pad, channels)))
    for ghost, cell in enumerate(cells):
        halo.source[ghost], halo.scale[ghost], halo.offset[ghost] = _image(cell, low, high, channels, length)
    return halo


def _image(cell: int, low: Boundary, high: Boundary, channels: int, length: int):
    """Fold `cell` back into ``range(length)``, reflection by reflection (a halo may be wider than the field)."""
    scale, offset = 1.0, np.zeros(channels)
    if length == 1:
        return 0, scale, offset
    while not 0 <= cell < length:
        side = low if cell < 0 else high
        if side == "periodic":
            cell %= length
        elif side == "zero":
            return 0, 0.0, offset
        else:
            cell = -1 - cell if cell < 0 else 2 * length - 1 - cell
            if isinstance(side, Fixed):
                offset = offset + 2 * scale * _per_channel(side, channels)
                scale = -scale
    return cell, scale, offset


def _per_channel(side: Fixed, channels: int) -> np.ndarray:
    if len(side.value) not in (1, channels):
        raise ValueError(
            f"fixed{side.value} gives {len(side.value)} values for {channels} channels; "
            "give one value, or one a channel"
        )
    return np.broadcast_to(np.asarray(side.value), (channels,))
