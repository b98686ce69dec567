"""The type of a pattern (spots, holes or stripes), from the shape of the regions above and below a level."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from turingdiff.engine.expected_pattern import Pattern
from turingdiff.measure._patterned import negligible
from turingdiff.measure._topology import (
    BY_CORNERS,
    BY_EDGES,
    TORUS,
    count_regions,
    euler_characteristic,
    mirrored,
    otsu_level,
    perimeter,
)
from turingdiff.measure._validation import least_contrast, sheet
from turingdiff.measure._wavelength import wavelength

# Spots and holes measure about 1, labyrinths and long worms below 0.25 (tests/test_shapes.py). Mixtures of spots and
# short stripes, such as Pearson's eta, mu and pi, lie about the threshold: they have no name.
SEPARATE = 0.5


@dataclass(frozen=True)
class Shapes:
    """The regions of a field above a level: their number, topology and shape; made by `shapes`.

    Attributes
    ----------
    pattern
        "uniform", "spots", "holes" or "stripes" (labyrinths among them).
    components
        Number of connected regions above the level; cells are connected by their edges.
    holes
        Number of connected regions that are not above it; cells are connected by edges or corners.
    euler
        Euler characteristic of the region above the level. On a sheet it is the number of components less that
        of the holes which they enclose. On the torus a spot has 1, a ring or a stripe around the torus 0.
    density
        The Euler characteristic per square of the wavelength: 0.866 for a honeycomb of spots, -0.866 for one of
        holes, about 0 for stripes and labyrinths.
    roundness
        4 pi area euler / perimeter²: 1 for discs, pi w/L for stripes of a width w and a length L much larger, -1 for
        round holes (with the area of the holes). It needs no wavelength, so it also distinguishes a few spots from a
        few stripes in an empty field.
    covered
        Fraction of cells above the level.
    level
        In units of the field.
    contrast
        Largest minus smallest value, in units of the field.
    wavelength
        As `turingdiff.measure.wavelength`, in the units of ``dx``; NaN for a uniform field.
    """

    pattern: Pattern
    components: int
    holes: int
    euler: int
    density: float
    roundness: float
    covered: float
    level: float
    contrast: float
    wavelength: float


def shapes(
    field: ArrayLike,
    dx: float = 1.0,
    *,
    boundary: Literal["periodic", "no_flux"] = "periodic",
    level: float | None = None,
    tolerance: float | None = None,
) -> Shapes:
    """Count the regions of a field above a level, and name the pattern: spots, holes or stripes.

    The region above the level is a complex of cells, pairs of neighbours and squares of four, so its Euler
    characteristic is local,

        euler = cells - pairs + squares,

    exact on the torus and on a sheet. Cells above the level are connected by their edges, the others by their
    corners too, which makes the two consistent: a chain of cells that meet at corners divides the plane.

    The pattern is "spots" where the roundness is above 0.5, "holes" where it is below -0.5 and "stripes" between:
    a spot passes into a stripe where it is about five times as long as wide. It is "uniform" where the field varies
    no more than the tolerance, or is nowhere or everywhere above a given level.

    Every region counts, also one of a single cell: smooth a noisy field first (``scipy.ndimage.gaussian_filter``).

    Parameters
    ----------
    field
        One channel, (H, W) or (1, H, W). A row (1, W) or a column is taken for stripes that are uniform along the
        other axis: one component for each band.
    dx
        Grid spacing, in units of length.
    boundary
        "periodic" takes the field as a torus; "no_flux" as a sheet with an edge. The density and the roundness of a
        sheet are those of the field mirrored at its edges: a spot that an edge cuts in half counts half.
    level
        In units of the field. By default it is midway between the mean of the values above it and that of the
        others, for the two classes that explain most of the variance (Otsu 1979): it finds a single spot in a wide
        field, where a mean or a percentile lies in the background.
    tolerance
        A field of at most this contrast counts as uniform; in units of the field. By default the largest of 1e-5 of its
        largest magnitude, rounding (8 eps of it, with the eps of its own dtype), and 1.5e-154.

    Raises
    ------
    TypeError
        If the field is not an array of real numbers.
    ValueError
        If it has another shape or values that are not finite, or if ``dx``, ``boundary``, ``level`` or
        ``tolerance`` is out of range.
    """
    values, wraps = sheet(field, dx, boundary)
    if level is not None and not math.isfinite(level):
        raise ValueError(f"level is {level!r}, expected a finite number in units of the field, or None")

    contrast = float(np.ptp(values))
    uniform = contrast <= (negligible(field) if tolerance is None else least_contrast(tolerance))
    if level is None:
        level = float(values.max()) if uniform else otsu_level(values)
    above = values > level
    torus = mirrored(above, wraps)
    window: Literal["hann"] | None = "hann" if boundary == "no_flux" else None
    length = math.nan if uniform else wavelength((values - level) / contrast, dx, window=window).value
    roundness = _roundness(torus)
    return Shapes(
        pattern="uniform" if uniform or above.all() or not above.any() else _pattern(roundness),
        components=count_regions(above, BY_EDGES, wraps),
        holes=count_regions(~above, BY_CORNERS, wraps),
        euler=euler_characteristic(above, wraps),
        density=0.0 if uniform else euler_characteristic(torus, TORUS) * (length / dx) ** 2 / torus.size,
        roundness=roundness,
        covered=float(above.mean()),
        level=float(level),
        contrast=contrast,
        wavelength=length,
    )


def _pattern(roundness: float) -> Pattern:
    if abs(roundness) <= SEPARATE:
        return "stripes"
    return "spots" if roundness > 0 else "holes"


def _roundness(region: NDArray[np.bool_]) -> float:
    """4 pi area euler / perimeter² of a region of the torus or, where its holes are more, of these."""
    euler = euler_characteristic(region, TORUS)
    if euler == 0:
        return 0.0
    area = int(region.sum()) if euler > 0 else int((~region).sum())
    return 4 * math.pi * area * euler / perimeter(region) ** 2
