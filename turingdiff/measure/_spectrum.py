"""How much of a field varies at which length: its power spectrum."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from turingdiff.engine.short_repr import short_repr
from turingdiff.measure._checks import check_field

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
    r"""Average the power of a field over all directions.

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
        edges do not join (no-flux, a photograph): rings then blur by about one fundamental, and what adds up
        is the variance of the faded field, which equals the field's own on average over its position.

    Raises
    ------
    TypeError
        If the field is not an array of real numbers.
    ValueError
        If the field has another shape, fewer than two cells or values that are not finite, or if ``dx`` or
        ``window`` is out of range.
    """
    modes = _modes(check_field(field), dx, window)
    held = np.bincount(modes.ring, modes.copies)[1:].astype(np.int64)
    return Spectrum(modes.fundamental * np.arange(1.0, held.size + 1), _ring_power(modes)[1:], held)


class _Modes(NamedTuple):
    wavenumber: NDArray[np.float64]  # (M,) half of Fourier space, as rfft2 gives it
    power: NDArray[np.float64]  # (M,) mean over channels and samples
    copies: NDArray[np.float64]  # (M,) 2 where -k is in the half left out, else 1
    ring: NDArray[np.int64]  # (M,) |k| in fundamentals, rounded
    fundamental: float
    samples: int
    overlap: float  # how many modes each one shares its news with: 1, more under a window


def _modes(values: NDArray[np.float64], dx: float, window: Window) -> _Modes:
    if not 0 < dx < math.inf:
        raise ValueError(f"dx is {dx!r}, expected a positive length, the distance between two cells")
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
    return _Modes(
        (2 * np.pi / dx * cycles).ravel(),
        power.ravel(),
        copies.ravel(),
        ring.ravel(),
        2 * np.pi / (dx * max(height, width)),
        values.shape[0] if values.ndim == 4 else 1,
        float(overlap),
    )


def _ring_power(modes: _Modes) -> NDArray[np.float64]:
    held = np.bincount(modes.ring, modes.copies)
    power = np.bincount(modes.ring, modes.copies * modes.power) / np.maximum(held, 1)
    power[0] = 0.0  # what rounding left of the mean
    return power


def _hann(n: int) -> NDArray[np.float64]:
    return np.sin(np.pi * (np.arange(n) + 0.5) / n) ** 2
