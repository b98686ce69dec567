"""The radially averaged power spectrum: how much of the variance of a field lies at which wavelength."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from turingdiff.engine.short_repr import short_repr
from turingdiff.measure._validation import check_spacing, finite_values

Window = Literal["hann"] | None


@short_repr
@dataclass(frozen=True)
class Spectrum:
    """A radially averaged power spectrum; ``(power * modes).sum()`` is the variance of the field.

    Attributes
    ----------
    wavenumber
        (K,) middle of each ring, radians per length: j 2 pi/L for j = 1, 2, ..., L the longer side.
    power
        (K,) mean power of a mode in the ring, in squared units of the field.
    modes
        (K,) how many modes the ring holds.
    """

    wavenumber: NDArray[np.float64]
    power: NDArray[np.float64]
    modes: NDArray[np.int64]


def spectrum(field: ArrayLike, dx: float = 1.0, *, window: Window = None) -> Spectrum:
    r"""Compute the power spectrum of a field, averaged over all directions.

    A mode with wave vector k has power

        p(k) = \|sum_x (f(x) - mean f) exp(-i k x)\|² / N²,        sum_k p(k) = variance of f     (Parseval)

    where N is the number of cells. Modes are gathered in rings of \|k\|, as wide as the fundamental 2 pi/L of
    the longer side L. The mean of each channel is taken off first, so there is no ring about k = 0. The rings
    reach into the corners of Fourier space, beyond the Nyquist wavenumber pi/dx of the axes.

    Parameters
    ----------
    field
        (H, W), (C, H, W) or (B, C, H, W); p is averaged over channels and samples, so the channel with the
        largest variance counts most. One row or one column of cells is a field in one dimension.
    dx
        Grid spacing, in units of length.
    window
        None takes the field as a torus. ``"hann"`` fades it out towards its edges, for a field whose opposite
        edges do not match (no-flux, a photograph). Rings then blur by about one fundamental, and the sum is the
        variance of the faded field, which equals that of the field on average over its position.

    Raises
    ------
    TypeError
        If the field is not an array of real numbers.
    ValueError
        If the field has another shape, fewer than two cells or values that are not finite, or if ``dx`` or
        ``window`` is out of range.
    """
    modes = fourier_modes(finite_values(field), dx, window)
    counts = np.bincount(modes.ring, modes.copies)[1:].astype(np.int64)
    return Spectrum(modes.fundamental * np.arange(1.0, counts.size + 1), ring_power(modes)[1:], counts)


class Modes(NamedTuple):
    """The Fourier modes of a field, in half of Fourier space: M of them."""

    wavenumber: NDArray[np.float64]  # (M,) as rfft2 orders them
    power: NDArray[np.float64]  # (M,) mean over channels and samples
    copies: NDArray[np.float64]  # (M,) 2 where -k is in the half left out, else 1
    ring: NDArray[np.int64]  # (M,) |k| in fundamentals, rounded
    fundamental: float
    samples: int
    overlap: float  # number of modes that are correlated with each other: 1, more under a window


def fourier_modes(values: NDArray[np.float64], dx: float, window: Window) -> Modes:
    """The power of every mode of a field (..., H, W), less its mean; errors as in `spectrum`."""
    check_spacing(dx)
    if window not in (None, "hann"):
        raise ValueError(f"window is {window!r}, expected None or 'hann'")
    height, width = values.shape[-2:]
    if height * width < 2:
        raise ValueError(f"a field of shape {values.shape} has one cell, expected at least two")

    fade = np.ones((height, width))
    if window == "hann":
        fade = _hann(height)[:, None] * _hann(width)
        fade /= np.sqrt(np.mean(fade**2))
    power = np.zeros((height, width // 2 + 1))
    planes = values.reshape(-1, height, width)
    for plane in planes:
        # Less its first value before its mean: a constant becomes exact zeros.
        plane = plane - plane[0, 0]
        plane = (plane - np.sum(plane * fade) / fade.sum()) * fade
        wave = np.fft.rfft2(plane)
        power += wave.real**2 + wave.imag**2
    power /= len(planes) * float(height * width) ** 2

    copies = np.full_like(power, 2.0)
    copies[:, 0] = 1
    if width % 2 == 0:
        copies[:, -1] = 1
    cycles = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width))  # a cell
    ring = np.floor(cycles * max(height, width) + 0.5).astype(np.int64)
    overlap = np.mean(fade**4)  # the faded field has unit mean square
    return Modes(
        (2 * np.pi / dx * cycles).ravel(),
        power.ravel(),
        copies.ravel(),
        ring.ravel(),
        2 * np.pi / (dx * max(height, width)),
        values.shape[0] if values.ndim == 4 else 1,
        float(overlap),
    )


def ring_power(modes: Modes) -> NDArray[np.float64]:
    """The mean power of a mode in every ring."""
    counts = np.bincount(modes.ring, modes.copies)
    power = np.bincount(modes.ring, modes.copies * modes.power) / np.maximum(counts, 1)
    power[0] = 0.0  # what rounding left of the mean
    return power


def _hann(n: int) -> NDArray[np.float64]:
    return np.sin(np.pi * (np.arange(n) + 0.5) / n) ** 2
