"""Spots, holes or stripes: the shape of the regions above and below a level."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from turingdiff.engine.expected_pattern import Pattern
from turingdiff.measure._negligible import negligible
from turingdiff.measure._topology import (
    BY_CORNERS,
    BY_EDGES,
    TORUS,
    check_sheet,
    count_regions,
    euler_characteristic,
    limit,
    mirrored,
    otsu_level,
    perimeter,
)
from turingdiff.measure._wavelength import wavelength

# Spots and holes measure about 1, labyrinths and long worms below 0.25 (tests/test_shapes.py). Mixtures of spots and
# short stripes, such as Pearson's eta, mu and pi, lie about the threshold: there is no word for them.
SEPARATE = 0.5


@dataclass(frozen=True)
class Shapes:
    """What stands out of a field, and how it hangs together.

    Attributes
    ----------
    pattern
        "uniform", "spots", "holes" or "stripes" (labyrinths among them).
    components
        Connected regions above the level; cells hang together by their edges.
    holes
        Connected regions that are not above it; cells hang together by edges or corners.
    euler
        Euler characteristic of the region above the level. On a sheet: its components less the holes that they
        enclose. On the torus a spot counts 1, a ring or a stripe that closes upon itself 0.
    density
        The Euler characteristic per square of the wavelength: 0.866 for a honeycomb of spots, -0.866 for one of
        holes, about 0 for stripes and labyrinths.
    roundness
        4 pi area euler / perimeter²: 1 for discs, pi w/L for stripes of a width w and a length L much above it,
        -1 for round holes (whose area it takes). It needs no wavelength, so it also tells a few spots from a few
        stripes in an empty field.
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
    """Count what stands out of a field, and name the pattern: spots, holes or stripes.

    The region above the level is a complex of cells, pairs of neighbours and squares of four, so its Euler
    characteristic is local,

        euler = cells - pairs + squares,

    exact on the torus and on a sheet. Cells above the level hang together by their edges, and the others by their
    corners too, which is what makes the two consistent: a chain of cells that meet at corners cuts the plane.

    The pattern is "spots" where the roundness is above 0.5, "holes" where it is below -0.5 and "stripes" between:
    a spot passes into a stripe where it is about five times as long as wide. It is "uniform" where the field varies
    no more than the tolerance, or is nowhere or everywhere above a given level.

    Every region counts, a single cell too: smooth a noisy field first (``scipy.ndimage.gaussian_filter``).

    Parameters
    ----------
    field
        One channel, (H, W) or (1, H, W). A row (1, W) or a column stands for stripes, the same all along the other
        axis: one component for each band.
    dx
        Grid spacing, in units of length.
    boundary
        "periodic" takes the field as a torus; "no_flux" as a sheet with an edge, whatever stands beyond. There
        density and roundness are those of the field mirrored at its edges: what an edge cuts counts half.
    level
        In units of the field. By default midway between the mean of the values above it and that of the others,
        at the level where these two classes explain most of the variance (Otsu 1979): it finds a single spot in
        a wide field, where a mean or a percentile lies in the background.
    tolerance
        A field whose contrast is not larger counts as uniform; in units of the field. By default the largest of
        1e-5 of its largest magnitude, rounding (8 eps of it, eps that of its own dtype), and 1.5e-154.

    Raises
    ------
    TypeError
        If the field is not an array of real numbers.
    ValueError
        If it has another shape or values that are not finite, or if ``dx``, ``boundary``, ``level`` or
        ``tolerance`` is out of range.
    """
    values, wraps = check_sheet(field, dx, boundary)
    if level is not None and not math.isfinite(level):
        raise ValueError(f"level is {level!r}, expected a finite number in units of the field, or None")

    contrast = float(np.ptp(values))
    uniform = contrast <= (negligible(field) if tolerance is None else limit(tolerance))
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
    """4 pi area euler / perimeter² of a region of the torus or, where they are more, of its holes."""
    euler = euler_characteristic(region, TORUS)
    if euler == 0:
        return 0.0
    area = int(region.sum()) if euler > 0 else int((~region).sum())
    return 4 * math.pi * area * euler / perimeter(region) ** 2
