"""Which waves a denoiser decides first: its dispersion relation, followed down through noise levels."""

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
from turingdiff.measure._denoiser_dispersion import (
    _canvas,
    _check_level,
    _check_same_everywhere,
    _followed,
    _linearised,
)
from turingdiff.measure._dispersion_relation import Dispersion
from turingdiff.measure._uniform import check_uniform


@short_repr
@dataclass(frozen=True, eq=False)
class Speciation:
    """What a denoiser decides while noise falls: its dispersion relation at every level; made by `speciation`.

    Attributes
    ----------
    name
        Of the rule.
    levels
        (L,) noise levels sigma, falling.
    curves
        The dispersion relation at each, about the uniform state there.
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
        """Sigma at which each wave begins to grow: where its growth first passes zero; nan where it never does.

        Interpolated linearly over ln sigma between levels; the first level for a wave that grows there already. Of
        shape broadcast(kx, ky).
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
        """(sigma, kx, ky) of the wave that is decided first, of those of `wavenumbers`; None where none grows.

        Of waves that are decided at the same level, the one that grows fastest at the level after.
        """
        kx, ky = self.wavenumbers
        decided = self.decided_at(kx, ky[:, None])
        if np.isnan(decided).all():
            return None
        y, x = np.unravel_index(np.nanargmax(decided), decided.shape)
        return float(decided[y, x]), float(kx[x]), float(ky[y])

    @cached_property
    def wavenumbers(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The kx >= 0 and ky of a half plane, which is all: those of the canvas, or 33 and 65 of the grid."""
        curve = self.curves[0]
        height, width = (64, 64) if curve.canvas is None else curve.canvas
        kx, ky = np.arange(width // 2 + 1) / width, np.arange(-(height // 2), height // 2 + 1) / height
        return 2 * np.pi * kx / curve.dx, 2 * np.pi * ky / curve.dx

    def __str__(self) -> str:
        if self.first is None:
            return f"{self.name}: no wave grows from sigma = {self.levels[0]:.3g} to {self.levels[-1]:.3g}"
        sigma, *wave = self.first
        k = math.hypot(*wave)
        what = f"waves of length {2 * math.pi / k:.3g}" if k else "the uniform mode"
        return f"{self.name}: {what} decided first, at sigma = {sigma:.3g}"


def speciation(rule: Rule, levels: Iterable[float] | None = None, state: ArrayLike | None = None) -> Speciation:
    """Follow the dispersion relation of a denoiser down through noise levels: which waves decide first.

    lambda(k; sigma) of `dispersion` about `uniform_fixed_point`, which is followed once through all levels.

    Where the training set is not symmetric, nothing may ever grow on that branch: of images on a black ground it runs
    into the black, which is stable at every level, and what is decided is whether the noise is pushed over a threshold
    (the other branches). What grows on the grey from which generation begins is found by holding `state` at the mean
    of the training set.

    For grey images the cost is that of the rates of some 9 fields a level, of the size of the widest window (or of the
    canvas), and of 3 a level where the state is held; `dispersion` without a state pays for all levels above its own.
    With 100 Fashion images, at the 20 cosine levels, ELS of the default patches took 55 s on two busy cores and
    `equivariant` 1 s.

    Parameters
    ----------
    rule
        A denoiser that commutes with shifts, as for `dispersion`.
    levels
        Falling noise levels sigma; by default ``rule.times()``. A last 0 is left out.
    state
        As for `dispersion`: the uniform field at which the rule is linearised at every level, instead.

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
    ELS: the uniform mode decided first, at sigma = 3
    """
    check_rule(rule)
    given = np.array(list(rule.times() if levels is None else levels), float)
    falling = given[:-1] if given.size and given[-1] == 0 else given
    if not falling.size or not (np.diff(falling) < 0).all():
        raise ValueError(f"{rule.name}: levels are falling noise levels sigma > 0, got {given.tolist()}")
    for sigma in falling[[0, -1]]:
        _check_level(rule, sigma)
    canvas = _canvas(rule, None if state is None else np.shape(state)[1:])
    for sigma in falling[[0, -1]]:
        _check_same_everywhere(rule, canvas, sigma)
    if state is None:
        curves = _followed(rule, canvas, falling.tolist())
    else:
        held = check_uniform(rule, state)
        curves = [_linearised(rule, canvas, held, sigma)[0] for sigma in falling.tolist()]
    return Speciation(rule.name, falling, tuple(curves))
