"""Statistics of a pattern: how far it is correlated, how well it is aligned, and its shape at every threshold."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from turingdiff.engine.short_repr import short_repr
from turingdiff.measure._spectrum import _modes
from turingdiff.measure._topology import (
    BY_EDGES,
    check_sheet,
    count_regions,
    euler_characteristic,
    limit,
    mirrored,
    perimeter,
)

__all__ = ["Structure", "structure"]

LEVELS = 20


@short_repr
@dataclass(frozen=True, eq=False)
class Structure:
    """Lengths, alignment and, against the threshold, the shape of what is above it.

    Attributes
    ----------
    correlation_length
        Where the correlation has fallen to 1/e, in the units of ``dx``.
    order
        Orientation order, 0 for an isotropic pattern to 1 for straight stripes.
    angle
        Along which way the stripes run, in radians, 0 <= angle < pi: from a row's direction (0) towards rising row
        numbers, so that pi/2 is along a column. It means little where `order` is near 0.
    threshold
        (T,) in units of the field, rising or as given.
    covered
        (T,) fraction of cells above the threshold.
    components
        (T,) connected regions above it, by edges.
    euler
        (T,) Euler characteristic of what is above it.
    boundary
        (T,) length of its boundary per area, in units of 1/``dx``; what the edge of a sheet cuts is no boundary.
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
    r"""Measure how far a pattern is correlated, how well it is aligned, and its shape against the threshold.

    The correlation length is the first r at which C(r) = 1/e, where

        C(r) = mean over pairs of cells at a distance r of (f - mean f)(f' - mean f) / variance of f,

    the pairs taken in rings one cell wide about their mean distance, with straight lines between. It is xi for
    exp(-r/xi) and sqrt(2) s for exp(-r²/2s²). Of a pattern with a wavelength it is a part of that, 0.28 wavelengths
    for a labyrinth, where C is the Bessel function J0; it does not say how many stripes run side by side.

    Order and angle are those of the structure tensor, the second moments of the gradient. The gradient's direction
    theta, doubled so that opposite slopes agree, is averaged with its energy as weight,

        order exp(2 i theta) = <\|grad f\|² exp(2 i theta)> / <\|grad f\|²> = sum_k p(k) (kx + i ky)² / sum_k p(k) k²,

    by Parseval, p(k) the power of `spectrum`; stripes run across theta. One pattern cut into patches of many
    directions has order 0, however straight each patch. White noise, whose power lies at the largest k, hides order.

    The region above a threshold is measured as by `shapes`: cells hang together by edges, the Euler characteristic is
    cells - pairs + squares, and the boundary is Cauchy and Crofton's mean over lines in four directions, which is 5%
    short to 3% long for a straight edge and right on average. With `covered` these are the Minkowski functionals of a
    plane (Mecke 1996), whose curves against the threshold tell spots, stripes and random fields apart.

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
    values, wraps = check_sheet(field, dx, boundary)
    least, contrast = float(values.min()), float(np.ptp(values))
    if contrast <= limit(None, field):
        raise ValueError(
            f"the field is constant (contrast {contrast:.2g}, mean {values.mean():.6g}), expected one that varies: "
            "a constant has no correlation length, orientation or boundary; run on until a pattern has grown"
        )
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
    modes = _modes(values, 1.0, window)
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
    held = np.bincount(ring, pairs.ravel())
    kept = held > 0
    radius = np.bincount(ring, pairs.ravel() * distance)[kept] / held[kept]
    correlation = np.bincount(ring, products.ravel())[kept] / held[kept] / np.mean(deviations**2)
    n = int(np.argmax(correlation <= math.exp(-1)))
    return float(np.interp(-math.exp(-1), -correlation[n - 1 : n + 1], radius[n - 1 : n + 1]))


def _autocorrelation(values: NDArray[np.float64], whole: tuple[int, ...]) -> NDArray[np.float64]:
    wave = np.fft.rfft2(values, s=whole)
    return np.fft.irfft2(wave.real**2 + wave.imag**2, s=whole)
