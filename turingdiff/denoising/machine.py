"""A machine: an analytic denoiser as a rule of the engine, dy/dsigma = (y - D(y; sigma))/sigma."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from turingdiff.denoising.levels import cosine_levels
from turingdiff.denoising.posterior import Admissible
from turingdiff.engine.flow import check_field
from turingdiff.neighbourhood import Neighbourhood
from turingdiff.rule import Rule

Posterior = Callable[[np.ndarray, float], np.ndarray]


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Machine(Rule):
    """A denoiser as a rule: dy/dsigma = (y - D(y; sigma))/sigma.

    Parameters
    ----------
    images
        The training set (N, C, H, W), as given: uint8 or float32.
    posterior
        ``posterior(fields, sigma)``: D of (B, C, H, W).
    admissible
        ``admissible(field, image, r)``: the training patches a pixel is compared with, for machines of patches.
    labels
        (N,) the class of every image; see `conditional`.
    remade
        ``remade(images)``: the same machine of other images.
    """

    images: np.ndarray
    posterior: Posterior
    remade: Callable[[np.ndarray], Machine]
    admissible: Callable[[tuple[int, int], tuple[int, int], int], Admissible] | None = None
    labels: np.ndarray | None = None

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

    def conditional(self, label: Any) -> Machine:
        """The machine of the images of one class.

        Raises
        ------
        ValueError
            For a machine without labels, or a label that no image has.
        """
        if self.labels is None:
            raise ValueError(f"{self.name} has no labels: give them with the images, labels=labels")
        chosen = self.labels == label
        if not chosen.any():
            raise ValueError(f"{self.name} has no image of class {label!r}; it has {np.unique(self.labels).tolist()}")
        return replace(self.remade(self.images[chosen]), labels=self.labels[chosen])

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


def make_machine(
    name: str,
    cell: Callable,
    images: np.ndarray,
    neighbourhood: Neighbourhood,
    posterior: Posterior,
    remade: Callable[..., Machine],
    *,
    labels: Sequence[Any] | None = None,
    params: dict[str, Any] | None = None,
    **parts: Any,
) -> Machine:
    """Make a machine of its cell function and its posterior mean; `params` are by default the images."""

    def field_rate(field: np.ndarray, sigma: float) -> np.ndarray:
        sigma, fields = level(sigma), field.reshape(-1, *field.shape[-3:])
        return (field - posterior(fields, sigma).reshape(field.shape)) / sigma

    return Machine(
        cell=cell,
        params={"images": images} if params is None else params,
        channels=channel_names(images.shape[1]),
        neighbourhood=neighbourhood,
        clock="sigma",
        name=name,
        shown=None,
        start=dust,
        grid=default_levels,
        field_rate=field_rate,
        dtype=np.float32,
        images=images,
        posterior=posterior,
        labels=_check_labels(labels, images),
        remade=remade,
        **parts,
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


def is_torus(boundary: Any, name: str) -> bool:
    """Whether a machine's boundary is the torus; it is zero padding otherwise."""
    if boundary not in ("zero", "periodic"):
        raise ValueError(f'{name} is defined for boundary="zero" or "periodic", got {boundary!r}')
    return boundary == "periodic"


def same_size(images: np.ndarray, shape: tuple[int, int]) -> None:
    """Refuse a field of another size than the training images."""
    if tuple(shape) != images.shape[2:]:
        raise ValueError(
            f"this machine compares whole images, or places in them, so the field must have the size of the training "
            f"images {images.shape[2:]}, got {tuple(shape)}; equivariant_local goes on any canvas"
        )


def _check_labels(labels: Sequence[Any] | None, images: np.ndarray) -> np.ndarray | None:
    if labels is None:
        return None
    array = np.asarray(labels)
    if array.shape != (len(images),):
        raise ValueError(f"labels must be one for each of the {len(images)} images, got the shape {array.shape}")
    return array


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
