"""Waves on a uniform state: the eigenvalues of the matrix A(k) of each wave, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from turingdiff.engine.short_repr import short_repr

ROUNDING = 1e-10  # a share of the largest number of the kernel or of the spectrum that counts as zero
SAMPLES = 513
HUMPS = 4


@short_repr
@dataclass(frozen=True, eq=False)
class Dispersion:
    """The dispersion relation of a rule about a uniform state; made by `dispersion`.

    Wavenumbers k are in radians per length (the unit of ``dx``), growth rates per unit of time, or for a denoiser of
    -ln sigma. A growth rate within `tolerance` of zero counts as zero: such a wave neither grows nor decays.

    Attributes
    ----------
    name, channels, clock, t
        Of the rule, and the reading of its clock.
    state
        (C,) the uniform state.
    kernel
        (C, C, 2R + 1, 2R' + 1): the derivative of the rate of channel c at x by channel d at x + o is
        ``kernel[c, d, R + oy, R' + ox]``; for a denoiser the rate is that per -ln sigma, D - y.
    dx
        Grid spacing.
    canvas
        (H, W) of a rule that sees the whole field: only waves with k = 2 pi n/(W dx) fit there. Between
        them eigenvalues are interpolated, by the kernel as a sum of waves.
    rounding
        The error of a growth rate, as a share of the largest eigenvalue.
    """

    name: str
    channels: tuple[str, ...]
    clock: str
    t: float
    state: NDArray[np.float64]
    kernel: NDArray[np.float64]
    dx: float
    canvas: tuple[int, int] | None = None
    rounding: float = ROUNDING

    def matrix(self, kx: ArrayLike, ky: ArrayLike = 0.0) -> NDArray:
        """A(k), of shape broadcast(kx, ky) + (C, C); real where the kernel is the same to the left and to the right."""
        waves = [
            np.exp(1j * np.asarray(k, float)[..., None] * self.dx * (np.arange(size) - size // 2))
            for k, size in zip((ky, kx), self.kernel.shape[-2:], strict=True)
        ]
        matrix = np.einsum("cdyx,...y,...x->...cd", self.kernel, *waves)
        return matrix.real if self._mirrored else matrix

    def eigenvalues(self, kx: ArrayLike, ky: ArrayLike = 0.0) -> NDArray[np.complex128]:
        """All eigenvalues of A(k), of shape broadcast(kx, ky) + (C,), by falling real part."""
        values = np.linalg.eigvals(self.matrix(kx, ky)).astype(complex)
        return -np.sort(-values, axis=-1)  # NumPy sorts complex numbers by their real parts first

    def growth(self, k: ArrayLike, ky: ArrayLike = 0.0) -> NDArray[np.float64]:
        """Largest real part of the eigenvalues, along the x axis unless `ky` is given."""
        return self.eigenvalues(k, ky)[..., 0].real

    def frequency(self, k: ArrayLike, ky: ArrayLike = 0.0) -> NDArray[np.float64]:
        """Angular frequency of the fastest growing mode, at least 0."""
        return np.abs(self.eigenvalues(k, ky)[..., 0].imag)

    @cached_property
    def tolerance(self) -> float:
        """Growth rates and frequencies up to this count as zero: `rounding` of the largest eigenvalue."""
        return self.rounding * float(np.abs(self._samples[1]).max())

    @cached_property
    def k_max(self) -> float:
        """Wavenumber that grows fastest (or decays slowest) on [0, pi/dx] of the x axis; of equals, the smallest."""
        growth = self._samples[1][:, 0].real
        edged = np.concatenate([[-np.inf], growth, [-np.inf]])
        humps = np.flatnonzero((growth >= edged[:-2]) & (growth >= edged[2:]))
        humps = humps[np.argsort(-growth[humps], kind="stable")][:HUMPS]
        tops = sorted({0.0, *(self._top_near(int(n)) for n in humps)})
        heights = self.growth(tops)
        return tops[int(np.argmax(heights >= heights.max() - self.tolerance))]

    @property
    def max_growth(self) -> float:
        """Growth rate at `k_max`; negative where every wave decays."""
        return float(self.growth(self.k_max))

    @property
    def wavelength(self) -> float:
        """2 pi/`k_max`, in units of ``dx``; infinite where the uniform mode grows fastest."""
        return 2 * np.pi / self.k_max if self.k_max > 0 else np.inf

    @cached_property
    def unstable_band(self) -> tuple[float, float] | None:
        """Wavenumbers (k_low, k_high) about `k_max` between which waves grow, or None where none does.

        It may begin at 0 and end at pi/dx, the shortest wave of the grid.
        """
        if self.max_growth <= self.tolerance:
            return None
        k, growth = self._samples[0], self._samples[1][:, 0].real
        others = k[growth <= self.tolerance]
        below, above = others[others < self.k_max], others[others > self.k_max]
        low = self._zero_between(below[-1], self.k_max) if below.size else 0.0
        high = self._zero_between(above[0], self.k_max) if above.size else float(k[-1])
        return low, high

    @cached_property
    def oscillatory(self) -> bool:
        """Whether the fastest mode has a frequency: it oscillates or travels while it grows."""
        return bool(self.frequency(self.k_max) > self.tolerance)

    @cached_property
    def regime(self) -> str:
        """The regime of the uniform state in linear theory.

        ===============  =============================================================================
        ``stable``       no wave grows
        ``Turing``       the uniform mode decays; the fastest wave grows and does not oscillate
        ``long-wave``    the same, but the uniform mode is neutral and waves grow however long they are
        ``wave``         the uniform mode does not grow; the fastest wave grows and oscillates or travels
        ``Hopf``         the uniform mode grows and oscillates
        ``Turing-Hopf``  as Hopf, and standing waves grow as well, at some k > 0 but not at k = 0
        ``unstable``     the uniform mode grows without oscillating, towards another uniform state
        ===============  =============================================================================

        Phase separation is long-wave: its uniform mode is conserved (type II of Cross & Hohenberg, Rev. Mod. Phys. 65
        (1993) 851; Turing's is type I).
        """
        if self.max_growth <= self.tolerance:
            return "stable"
        if self.growth(0.0) <= self.tolerance:
            band = self.unstable_band
            return "wave" if self.oscillatory else "long-wave" if band is not None and band[0] == 0 else "Turing"
        if self.frequency(0.0) <= self.tolerance:
            return "unstable"
        values = self._samples[1]
        standing = (values.real > self.tolerance) & (np.abs(values.imag) <= self.tolerance)
        return "Turing-Hopf" if standing.any() and not standing[0].any() else "Hopf"

    def __str__(self) -> str:
        if self.unstable_band is None:
            rate = self.max_growth if self.max_growth < -self.tolerance else 0.0
            return f"{self.name}: {self.regime}, no wave grows (largest rate {rate:.4g})"
        low, high = self.unstable_band
        fastest = f"{self.wavelength:.4g} (rate {self.max_growth:.4g})"
        return f"{self.name}: {self.regime}, fastest wavelength {fastest}, unstable for k = {low:.4g} to {high:.4g}"

    @cached_property
    def _mirrored(self) -> bool:
        difference = np.abs(self.kernel - self.kernel[..., ::-1, ::-1]).max()
        return bool(difference <= self.rounding * np.abs(self.kernel).max())

    @cached_property
    def _samples(self) -> tuple[NDArray[np.float64], NDArray[np.complex128]]:
        """Wavenumbers on [0, pi/dx] of the x axis and their eigenvalues."""
        k = np.linspace(0, np.pi / self.dx, SAMPLES)
        if self.canvas is not None:
            k = np.asarray(2 * np.pi * np.arange(self.canvas[1] // 2 + 1) / (self.canvas[1] * self.dx), np.float64)
        return k, self.eigenvalues(k)

    def _top_near(self, n: int) -> float:
        """The maximum about sample `n`: the sample itself where that is an end and nothing is higher."""
        from scipy.optimize import minimize_scalar

        k = self._samples[0]
        if self.canvas is not None:
            return float(k[n])
        low, high = k[max(n - 1, 0)], k[min(n + 1, k.size - 1)]
        search = {"bounds": (low, high), "method": "bounded", "options": {"xatol": 1e-8 * high}}
        top = float(minimize_scalar(lambda q: -self.growth(q), **search).x)
        margin = self.tolerance if n in (0, k.size - 1) else 0.0
        return top if self.growth(top) > self.growth(k[n]) + margin else float(k[n])

    def _zero_between(self, outside: float, inside: float) -> float:
        """The wavenumber of zero growth between a wave that does not grow and one that does."""
        from scipy.optimize import brentq

        if self.growth(outside) >= -self.tolerance:  # the edge itself, as k = 0 where the mean is conserved
            return float(outside)
        return float(brentq(self.growth, outside, inside, xtol=1e-12 * max(outside, inside)))
