"""Denoisers that are given by the noise they see: D = y - sigma noise, so that dy/dsigma is the noise itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from turingdiff.denoising._denoiser import (
    Denoiser,
    default_levels,
    given_parts,
    initial_noise,
    level,
)
from turingdiff.denoising._levels import cosine_time
from turingdiff.engine.flow import check_rule
from turingdiff.engine.neighbourhood import Neighbourhood
from turingdiff.engine.rule import Rule


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class NoisePredictor(Denoiser):
    """A denoiser given by ``predicted_noise(self, fields, sigma)``, or by a `function` of the same arguments."""

    def _has_method(self) -> bool:
        return type(self).predicted_noise is not NoisePredictor.predicted_noise

    def predicted_noise(self, fields: np.ndarray, sigma: float) -> np.ndarray:
        """The noise in fields (B, C, H, W) = image + sigma noise."""
        assert self.function is not None  # __post_init__ has seen to it
        return self.function(fields, sigma)

    def posterior(self, fields: np.ndarray, sigma: float) -> np.ndarray:
        """D of fields (B, C, H, W)."""
        return fields - fields.dtype.type(sigma) * self._checked(self.predicted_noise, fields, sigma)

    def _rate(self, field: np.ndarray, sigma: float) -> np.ndarray:
        return self._checked(self.predicted_noise, field, level(sigma))


def from_noise_prediction(
    function: Callable[[np.ndarray, Any], Any],
    channels: Any = 1,
    canvas: tuple[int, int] = (28, 28),
    *,
    clock: Callable[[float], Any] = cosine_time,
    neighbourhood: Neighbourhood | None = None,
    name: str | None = None,
    images: np.ndarray | None = None,
) -> Denoiser:
    """The denoiser of a network that predicts noise in the variance-preserving frame.

        D(y; sigma) = y - sigma function(y/sqrt(1 + sigma²), clock(sigma))

    Parameters
    ----------
    function
        ``function(phi, t)``: the noise n in phi = sqrt(abar) image + sqrt(1 - abar) n, sigma² = (1 - abar)/abar. phi is
        (B, C, H, W), float32 or float64; the result has its shape. Every field must be treated by itself.
    clock
        ``clock(sigma)``: what the network takes as t. By default t in [0, 1] on the cosine schedule, where t = 0 is the
        image and t = 1 noise (`cosine_levels`). A network that was trained on sigma itself takes ``clock=float``.
    channels, canvas, neighbourhood, images
        As for `Denoiser`.
    name
        By default that of the function.

    Raises
    ------
    TypeError
        If `function` or `clock` cannot be called.
    ValueError
        For a canvas that is not two whole numbers.

    References
    ----------
    Ho, Jain & Abbeel, Denoising diffusion probabilistic models, NeurIPS 2020, section 3.2.
    """
    if not callable(clock):
        raise TypeError(f"clock must be a function of sigma, got {clock!r}")
    parts = given_parts(function, channels, canvas, neighbourhood, name)
    return NoisePredictor(function=partial(_in_frame_of_noise, function, clock), **parts, images=images)


def _in_frame_of_noise(function: Callable, clock: Callable, fields: np.ndarray, sigma: float) -> np.ndarray:
    return function(variance_preserving(fields, sigma), clock(sigma))


def variance_preserving(fields: np.ndarray, sigma: float) -> np.ndarray:
    """Fields as a network sees them: phi = y/sqrt(1 + sigma²), in the dtype of y."""
    return fields * fields.dtype.type(1 / np.sqrt(1 + sigma**2))


def as_denoiser(rule: Rule, canvas: tuple[int, int] | None) -> Denoiser:
    """The rule itself if it is a denoiser; a rule along sigma with a cell function as one: D = y - sigma dy/dsigma.

    Parameters
    ----------
    canvas
        (H, W) of the images of a rule that does not say it; None where it is not known.

    Raises
    ------
    TypeError
        For a rule along time, or a stochastic one: its rate is not (y - D)/sigma.
    ValueError
        If there is no canvas.
    """
    check_rule(rule)
    if isinstance(rule, Denoiser):
        return rule
    if rule.clock != "sigma" or rule.ending is not None or callable(rule.noise) or np.any(rule.noise):
        why = "it is stochastic" if rule.clock == "sigma" else "it runs along time"
        raise TypeError(
            f"{rule.name} is no denoiser ({why}): take a machine, a network, a denoiser of your own or a "
            'deterministic td.Rule(clock="sigma"); simulate and evolve run any rule'
        )
    if canvas is None:
        raise ValueError(f"{rule.name} does not say how large its images are: give the shape (H, W)")
    return NoisePredictor(
        function=rule.rate,
        cell=rule.cell,
        params=rule.params,
        channels=rule.channels,
        neighbourhood=rule.neighbourhood,
        name=rule.name,
        start=rule.start or initial_noise,
        grid=rule.grid or default_levels,
        radius_at=rule.radius_at,
        admits=rule.admits,
        dtype=rule.dtype,
        canvas=canvas,
    )
