"""Statistics of a pattern: correlation length, alignment, and Minkowski functionals against the threshold."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from turingdiff.engine.short_repr import short_repr
from turingdiff.measure._spectrum import fourier_modes
from turingdiff.measure._topology import (
    BY_EDGES,
    count_regions,
    euler_characteristic,
    mirrored,
    perimeter,
)
from turingdiff.measure._validation import check_varies, least_contrast, sheet

LEVELS = 20


@short_repr
@dataclass(frozen=True, eq=False)
class Structure:
    """Correlation length, alignment and, against the threshold, the shape of the region above it; made by `structure`.

    Attributes
    ----------
    correlation_length
        The distance at which the correlation has fallen to 1/e, in the units of ``dx``.
    order
        Orientation order, 0 for an isotropic pattern to 1 for straight stripes.
    angle
        Direction of the stripes in radians, 0 <= angle < pi, from that of a row (0) towards rising row numbers: pi/2
        is along a column. It has little meaning where `order` is near 0.
    threshold
        (T,) in units of the field, rising or as given.
    covered
        (T,) fraction of cells above the threshold.
    components
        (T,) number of connected regions above it, by edges.
    euler
        (T,) Euler characteristic of the region above it.
    boundary
        (T,) length of its boundary per area, in units of 1/``dx``; the edge of a sheet is no boundary.
    """

    correlation_length: float
    order: float
    angle: float
    threshold: NDArray[np.float64]
    covered: NDArray[np.float64]
    components: NDArray[np.int64]
    euler: NDArray[np.int64]
    boundary: NDArray[np.float64]


def structure(
    field: ArrayLike,
    dx: float = 1.0,
    *,
    boundary: Literal["periodic", "no_flux"] = "periodic",
    threshold: ArrayLike | None = None,
) -> Structure:
    r"""Measure the correlation length and the alignment of a pattern, and its shape against the threshold.

    The correlation length is the first r at which C(r) = 1/e, where

        C(r) = mean over pairs of cells at a distance r of (f - mean f)(f' - mean f) / variance of f,

    with the pairs in rings one cell wide, each at its mean distance, and linear interpolation between rings. It is xi
    for exp(-r/xi) and sqrt(2) s for exp(-r²/2s²). For a pattern with a wavelength it is a fraction of that, 0.28
    wavelengths for a labyrinth, where C is the Bessel function J0; it does not measure over how many stripes the
    pattern is ordered.

    Order and angle are those of the structure tensor, the second moments of the gradient. The gradient's direction
    theta, doubled so that opposite slopes agree, is averaged with its energy as weight,

        order exp(2 i theta) = <\|grad f\|² exp(2 i theta)> / <\|grad f\|²> = sum_k p(k) (kx + i ky)² / sum_k p(k) k²,

    by Parseval, p(k) the power of `spectrum`; stripes run across theta. One pattern cut into patches of many
    directions has order 0, however straight each patch. White noise, whose power lies at the largest k, hides order.

    The region above a threshold is measured as by `shapes`: cells are connected by edges, the Euler characteristic is
    cells - pairs + squares, and the length of the boundary is the Cauchy-Crofton mean over lines in four directions,
    which is 5% short to 3% long for a straight edge and right on average. With `covered` these are the Minkowski
    functionals of a plane (Mecke 1996), whose curves against the threshold distinguish spots, stripes and random
    fields.

    Parameters
    ----------
    field
        One channel, (H, W) or (1, H, W).
    dx
        Grid spacing, in units of length.
    boundary
        "periodic" takes the field as a torus; "no_flux" as a sheet with an edge: there C counts the pairs inside, and
        the field is faded out (``window="hann"`` of `spectrum`) for order and angle.
    threshold
        One or several, in units of the field. None takes 20 between the extremes: min + (n + 1/2)/20 contrast.

    Raises
    ------
    TypeError
        If the field is not an array of real numbers.
    ValueError
        If it has another shape, values that are not finite or no more variation than rounding may leave, or if ``dx``,
        ``boundary`` or ``threshold`` is out of range.
    """
    values, wraps = sheet(field, dx, boundary)
    least, contrast = float(values.min()), float(np.ptp(values))
    check_varies(
        values, contrast, least_contrast(None, field),
        "no correlation length, orientation or boundary; let the run go on until a pattern has grown",
    )  # fmt: skip
    if threshold is None:
        levels = least + contrast * (np.arange(LEVELS) + 0.5) / LEVELS
    else:
        levels = np.atleast_1d(np.asarray(threshold, float))
        if levels.ndim != 1 or not levels.size or not np.isfinite(levels).all():
            raise ValueError(f"threshold is {threshold!r}, expected one or several finite numbers")
    scaled = (values - least) / contrast  # so that no square of a small or a large pattern leaves the range of floats
    order, angle = _orientation(scaled, "hann" if boundary == "no_flux" else None)
    regions = [values > level for level in levels]
    tori = [mirrored(region, wraps) for region in regions]
    return Structure(
        correlation_length=_correlation_length(scaled, wraps) * dx,
        order=order,
        angle=angle,
        threshold=levels,
        covered=np.array([region.mean() for region in regions]),
        components=np.array([count_regions(region, BY_EDGES, wraps) for region in regions]),
        euler=np.array([euler_characteristic(region, wraps) for region in regions]),
        boundary=np.array([perimeter(torus) / (torus.size * dx) for torus in tori]),
    )


def _orientation(values: NDArray[np.float64], window: Literal["hann"] | None) -> tuple[float, float]:
    height, width = values.shape
    modes = fourier_modes(values, 1.0, window)
    ky, kx = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)
    # A wave of two cells has no sign: it slopes both ways at once.
    across = np.where((np.abs(ky) < 0.5) & (kx < 0.5), 2 * ky * kx, 0.0)
    moments = ((kx**2 - ky**2) + 1j * across).ravel()
    weight = modes.copies * modes.power
    mean = complex(weight @ moments) / float(weight @ modes.wavenumber**2) * (2 * math.pi) ** 2
    along = (np.angle(mean) / 2 + math.pi / 2) % math.pi
    return min(abs(mean), 1.0), float(along) if along < math.pi else 0.0


def _correlation_length(values: NDArray[np.float64], wraps: tuple[bool, bool]) -> float:
    """In cells. The correlation always falls so far: those of all pairs add up to 0, as deviations from a mean do."""
    deviations = values - values.mean()
    whole = tuple(n if wrap else 2 * n - 1 for n, wrap in zip(values.shape, wraps, strict=True))
    pairs = np.rint(_autocorrelation(np.ones_like(values), whole))
    products = _autocorrelation(deviations, whole)
    steps = [np.minimum(np.arange(n), n - np.arange(n)) for n in whole]
    distance = np.hypot(steps[0][:, None], steps[1]).ravel()
    ring = np.floor(distance + 0.5).astype(np.int64)
    counts = np.bincount(ring, pairs.ravel())
    filled = counts > 0
    radius = np.bincount(ring, pairs.ravel() * distance)[filled] / counts[filled]
    correlation = np.bincount(ring, products.ravel())[filled] / counts[filled] / np.mean(deviations**2)
    n = int(np.argmax(correlation <= math.exp(-1)))
    return float(np.interp(-math.exp(-1), -correlation[n - 1 : n + 1], radius[n - 1 : n + 1]))


def _autocorrelation(values: NDArray[np.float64], whole: tuple[int, ...]) -> NDArray[np.float64]:
    wave = np.fft.rfft2(values, s=whole)
    return np.fft.irfft2(wave.real**2 + wave.imag**2, s=whole)
