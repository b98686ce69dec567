"""Speciation: the noise level at which each wave becomes unstable in a denoiser."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from turingdiff.engine.flow import check_rule
from turingdiff.engine.rule import Rule
from turingdiff.engine.short_repr import short_repr
from turingdiff.measure._denoiser_dispersion import check_denoiser, follow_fixed_point, linearised_about
from turingdiff.measure._dispersion_relation import Dispersion
from turingdiff.measure._linearisation import check_uniform


@short_repr
@dataclass(frozen=True, eq=False)
class Speciation:
    """The dispersion relation of a denoiser at every noise level; made by `speciation`.

    Attributes
    ----------
    name
        Of the rule.
    levels
        (L,) falling noise levels sigma.
    curves
        The dispersion relation at each level, about the uniform state there.
    """

    name: str
    levels: NDArray[np.float64]
    curves: tuple[Dispersion, ...]

    @property
    def states(self) -> NDArray[np.float64]:
        """(L, C) the uniform states."""
        return np.stack([curve.state for curve in self.curves])

    def growth(self, kx: ArrayLike, ky: ArrayLike = 0.0) -> NDArray[np.float64]:
        """Largest real part of lambda(k; sigma) per unit of -ln sigma, of shape (L,) + broadcast(kx, ky)."""
        return np.stack([curve.growth(kx, ky) for curve in self.curves])

    def decided_at(self, kx: ArrayLike, ky: ArrayLike = 0.0) -> NDArray[np.float64]:
        """Sigma at which each wave becomes unstable: where its growth first passes zero; nan where it never does.

        Growth is interpolated linearly over ln sigma between levels; a wave that grows at the first level has that
        level. The shape is broadcast(kx, ky).
        """
        growth = self.growth(kx, ky)
        grows = growth > np.array([curve.tolerance for curve in self.curves]).reshape(-1, *[1] * (growth.ndim - 1))
        first = grows.argmax(axis=0)
        before = np.maximum(first - 1, 0)
        low, high = (np.take_along_axis(growth, n[None], axis=0)[0] for n in (before, first))
        share = np.where(first > 0, np.clip(-low / np.where(first > 0, high - low, 1.0), 0, 1), 0.0)
        logs = np.log(self.levels)
        sigma = np.exp(logs[before] + share * (logs[first] - logs[before]))
        return np.where(grows.any(axis=0), sigma, np.nan)

    @cached_property
    def first(self) -> tuple[float, float, float] | None:
        """(sigma, kx, ky) of the wave of `wavenumbers` that becomes unstable first; None where none does."""
        kx, ky = self.wavenumbers
        onset = self.decided_at(kx, ky[:, None])
        if np.isnan(onset).all():
            return None
        y, x = np.unravel_index(np.nanargmax(onset), onset.shape)
        return float(onset[y, x]), float(kx[x]), float(ky[y])

    @cached_property
    def wavenumbers(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The kx >= 0 and ky of a half plane, which has all waves: those of the canvas, or 33 and 65 of the grid."""
        curve = self.curves[0]
        height, width = (64, 64) if curve.canvas is None else curve.canvas
        kx, ky = np.arange(width // 2 + 1) / width, np.arange(-(height // 2), height // 2 + 1) / height
        return 2 * np.pi * kx / curve.dx, 2 * np.pi * ky / curve.dx

    def __str__(self) -> str:
        if self.first is None:
            return f"{self.name}: no wave grows from sigma = {self.levels[0]:.3g} to {self.levels[-1]:.3g}"
        sigma, *wave = self.first
        k = math.hypot(*wave)
        mode = f"the wave of length {2 * math.pi / k:.3g}" if k else "the uniform mode"
        return f"{self.name}: {mode} becomes unstable first, at sigma = {sigma:.3g}"


def speciation(rule: Rule, levels: Iterable[float] | None = None, state: ArrayLike | None = None) -> Speciation:
    """Follow the dispersion relation of a denoiser through falling noise levels: which wave becomes unstable first.

    Growth rates are lambda(k; sigma) of `dispersion` about `uniform_fixed_point`, which is followed once through all
    levels.

    Where the training set is not symmetric, there may be no instability on that branch. For images on a black ground
    the fixed point becomes black, which is stable at every level: a pattern then needs a perturbation above a
    threshold, to reach another branch. Give the mean of the training set as `state` for the waves that grow on the
    grey from which generation begins.

    For grey images the cost a level is that of the rates of about 9 fields of the size of the widest window (or of the
    canvas), and of 3 where `state` is given; `dispersion` without a state costs as much for all levels above its own.
    With 100 Fashion images, at the 20 cosine levels, ELS of the default patches took 55 s on two busy cores and
    `equivariant` 1 s.

    Parameters
    ----------
    rule
        A denoiser that commutes with shifts, as for `dispersion`.
    levels
        Falling noise levels sigma; by default ``rule.times()``. A last 0 is left out.
    state
        The uniform field about which the rule is linearised at every level, in place of the fixed point.

    Raises
    ------
    ValueError
        As `dispersion`; and for levels that do not fall.

    References
    ----------
    Biroli, Bonnaire, de Bortoli & Mézard, Dynamical regimes of diffusion models, Nature Communications 15 (2024) 9957,
    arXiv 2402.18491: the speciation transition. Turing, Phil. Trans. R. Soc. B 237 (1952) 37.

    Examples
    --------
    >>> import numpy as np
    >>> import turingdiff as td
    >>> images = np.stack([np.full((1, 5, 5), grey, np.float32) for grey in (-1, 1)])
    >>> machine = td.denoising.equivariant_local(images, patch=3, boundary="periodic")
    >>> print(td.measure.speciation(machine, np.geomspace(6, 1, 50)))
    ELS: the uniform mode becomes unstable first, at sigma = 3
    """
    check_rule(rule)
    given = np.array(list(rule.times() if levels is None else levels), float)
    falling = given[:-1] if given.size and given[-1] == 0 else given
    if not falling.size or not (np.diff(falling) < 0).all():
        raise ValueError(f"{rule.name}: levels are falling noise levels sigma > 0, got {given.tolist()}")
    canvas = check_denoiser(rule, falling[[0, -1]].tolist(), state)
    if state is None:
        curves = follow_fixed_point(rule, canvas, falling.tolist())
    else:
        uniform = check_uniform(rule, state)
        curves = [linearised_about(rule, canvas, uniform, sigma)[0] for sigma in falling.tolist()]
    return Speciation(rule.name, falling, tuple(curves))
