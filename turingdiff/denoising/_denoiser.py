"""A denoiser as a rule of the engine, dy/dsigma = (y - D(y; sigma))/sigma, seen from several frames."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from turingdiff.denoising._levels import cosine_levels
from turingdiff.engine.flow import check_field
from turingdiff.engine.rule import Rule

Posterior = Callable[[np.ndarray, float], np.ndarray]


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Denoiser(Rule):
    """A denoiser as a rule: dy/dsigma = (y - D(y; sigma))/sigma.

    Parameters
    ----------
    posterior
        ``posterior(fields, sigma)``: D of (B, C, H, W).
    canvas
        (H, W) of the images it makes unless told otherwise.
    """

    posterior: Posterior
    canvas: tuple[int, int]

    def denoise(self, y: np.ndarray, sigma: float) -> np.ndarray:
        """D(y; sigma), the posterior mean of the clean image, in the shape and dtype of `y`.

        Parameters
        ----------
        y
            (C, H, W) or (B, C, H, W), image plus sigma times standard normal noise.

        Raises
        ------
        ValueError
            For sigma that is not positive, or a canvas on which the machine is not defined.
        """
        y = check_field(self, y)
        fields = y.reshape(-1, *y.shape[-3:])
        return self.posterior(fields, level(sigma)).reshape(y.shape)

    def score(self, phi: np.ndarray, abar: float) -> np.ndarray:
        """The score of the noisy images in the variance-preserving frame, (sqrt(abar) D - phi)/(1 - abar).

        phi = sqrt(abar) x + sqrt(1 - abar) n = sqrt(abar) y, sigma² = (1 - abar)/abar (Kamb & Ganguli 2025, eq. 3).

        Raises
        ------
        ValueError
            For abar that is not between 0 and 1.
        """
        scale = math.sqrt(_between_0_and_1(abar, "abar"))
        clean = self.denoise(_scaled(phi, 1 / scale), math.sqrt((1 - abar) / abar))
        return _scaled(_scaled(clean, scale) - phi, 1 / (1 - abar))

    def velocity(self, x: np.ndarray, t: float) -> np.ndarray:
        """The velocity of flow matching at x = t image + (1 - t) noise: (D - x)/(1 - t), with y = x/t.

        Bertrand et al., On the closed-form of flow matching, NeurIPS 2025, arXiv 2506.03719.

        Raises
        ------
        ValueError
            For t that is not between 0 (noise) and 1 (image).
        """
        t = _between_0_and_1(t, "t")
        return _scaled(self.denoise(_scaled(x, 1 / t), (1 - t) / t) - x, 1 / (1 - t))

    def conditional(self, label: Any) -> Denoiser:
        """The denoiser of one class.

        Raises
        ------
        ValueError
            For one that knows no classes, or not this one.
        """
        raise ValueError(f"{self.name} knows no classes")

    def reverse_sde(self) -> Rule:
        """The reverse diffusion of Song et al. (2021) as a rule for `euler_maruyama`, along falling sigma.

            dy = 2 (y - D)/sigma dsigma + sqrt(2 sigma) dw

        Its marginals are those of the probability flow. The last interval, to sigma = 0, is the machine's own: to D.
        Steps have to be short beside sigma: where a level is less than half of the one before, Euler–Maruyama
        overshoots, so take more levels than for the flow (`ancestral` has no such limit).
        """
        return Rule(
            cell=_twice(self.cell),
            params=self.params,
            channels=self.channels,
            neighbourhood=self.neighbourhood,
            clock="sigma",
            name=f"reverse SDE of {self.name}",
            shown=self.shown,
            noise=lambda sigma: math.sqrt(2 * sigma),
            start=self.start,
            grid=self.grid,
            radius_at=self.radius_at,
            field_rate=lambda field, sigma: 2 * self.rate(field, sigma),
            admits=self.admits,
            dtype=self.dtype,
            ending=self,
        )


def dust(rule: Rule, shape: tuple[int, int], rng: np.random.Generator, sigma: float | None = None) -> np.ndarray:
    """Pure noise y ~ N(0, 1 + sigma²) at the first level, so that phi = y/sqrt(1 + sigma²) ~ N(0, 1)."""
    sigma = rule.times()[0] if sigma is None else sigma
    return np.sqrt(1 + sigma**2) * rng.standard_normal((len(rule.channels), *shape))


def default_levels(rule: Rule, n: int = 20) -> Sequence[float]:
    """The paper's cosine levels."""
    return cosine_levels(n)  # type: ignore[return-value]


def level(sigma: float) -> float:
    """Pass on a noise level."""
    if np.ndim(sigma):
        raise TypeError(f"sigma is one number for all fields, got an array of shape {np.shape(sigma)}")
    if not (np.isfinite(sigma) and sigma > 0):
        raise ValueError(f"sigma must be positive and finite, got {sigma}")
    return float(sigma)


def channel_names(count: int) -> tuple[str, ...]:
    """Names of the channels of images."""
    return {1: ("grey",), 3: ("red", "green", "blue")}.get(count, tuple(f"c{n}" for n in range(count)))


def _between_0_and_1(value: float, name: str) -> float:
    if not 0 < value < 1:
        raise ValueError(f"{name} must lie between 0 and 1, both excluded, got {value!r}")
    return float(value)


def _scaled(field: np.ndarray, factor: float) -> np.ndarray:
    return np.asarray(field) * np.asarray(field).dtype.type(factor)


@cache
def _twice(cell: Callable) -> Callable:
    """The cell function with its rates doubled."""

    def twice(phi, i, j, t, p, g, out):
        cell(phi, i, j, t, p, g, out)
        for c in range(phi.shape[0]):
            out[c, i, j] = 2 * out[c, i, j]  # an array here: a rule with a field rate is not stepped in a fused loop

    return twice
