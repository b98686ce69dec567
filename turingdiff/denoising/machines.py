"""The machines: analytic denoisers as rules of the engine.

=====================  =====================  ============  ===========  ==========================
machine                compares a pixel with  local         equivariant  Kamb & Ganguli 2025
=====================  =====================  ============  ===========  ==========================
`ideal`                whole images           no            no           IS, eqs. 3-4
`local`                patches at its place   yes           no           LS, eqs. 7-8
`equivariant_local`    patches of all places  yes           yes          ELS, eqs. 9-10; eq. 41
=====================  =====================  ============  ===========  ==========================

All are exact: the softmax runs over every admissible patch. What is skipped (weights below exp(-32) of the largest)
changes a pixel by less than 1e-6.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import numpy as np

from turingdiff.data.images import check_images
from turingdiff.denoising import cells, posterior
from turingdiff.denoising.levels import cosine_levels
from turingdiff.denoising.patch_sizes import PatchSize, patch_sizes
from turingdiff.denoising.posterior import Admissible
from turingdiff.denoising.posterior_ideal import ideal_posterior
from turingdiff.engine.flow import check_field
from turingdiff.neighbourhood import Neighbourhood
from turingdiff.rule import Rule

DEFAULT_PATCH = "fashion-resnet-zeros"


@dataclass(frozen=True, eq=False, kw_only=True)
class Machine(Rule):
    """A denoiser as a rule: dy/dsigma = (y - D(y; sigma))/sigma.

    Parameters
    ----------
    posterior
        ``posterior(fields, sigma)``: D of (B, C, H, W).
    admissible
        ``admissible(field, image, r)``: the training patches a pixel is compared with.
    """

    posterior: Callable[[np.ndarray, float], np.ndarray]
    admissible: Callable[[tuple[int, int], tuple[int, int], int], Admissible]

    @property
    def images(self) -> np.ndarray:
        """The training set (N, C, H, W), as given: uint8 or float32."""
        return self.params["images"]

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
        return self.posterior(fields, _level(sigma)).reshape(y.shape)


def ideal(images: np.ndarray) -> Machine:
    """The ideal denoiser (IS): it knows the whole training images, and can only remember them.

    D = sum_n W_n x_n, W = softmax_n(-||y - x_n||²/(2 sigma²)).
    """
    images = check_images(images)
    return _machine(
        "ideal",
        cells.ideal_cell,
        images,
        Neighbourhood(None, "zero"),
        radius_at=None,
        admissible=posterior.same_place,
        denoise=partial(ideal_posterior, images),
        admits=partial(_same_size, images),
    )


def local(images: np.ndarray, patch: PatchSize = DEFAULT_PATCH, boundary: str = "zero") -> Machine:
    """The local machine (LS): every pixel knows only the patches at its own place.

    Parameters
    ----------
    patch
        Odd side of the patch, a function of sigma, or the name of a published schedule.
    boundary
        ``"zero"``: windows end at the border. ``"periodic"``: they go on at the other side.

    Raises
    ------
    ValueError
        For a patch wider than a training image on the torus, where a window would meet itself.
    """
    images = check_images(images)
    torus = _is_torus(boundary, "local")
    return _patch_machine(
        "local",
        cells.local_torus_cell if torus else cells.local_cell,
        images,
        patch,
        boundary,
        posterior.same_place_on_torus if torus else posterior.same_place,
        partial(_same_size, images),
    )


def equivariant_local(images: np.ndarray, patch: PatchSize = DEFAULT_PATCH, boundary: str = "zero") -> Machine:
    """The equivariant local score machine (ELS): every pixel knows the patches of all places.

    Parameters
    ----------
    patch
        Odd side of the patch, a function of sigma, or the name of a published schedule.
    boundary
        ``"periodic"``: the torus, field and training images wrapped (eqs. 9-10). ``"zero"``: boundary-broken
        (eq. 41), as zero padding makes a network: a pixel near the border is compared with the patches that overlap
        the border in the same way.

    Raises
    ------
    ValueError
        For a patch wider than a training image on the torus, where a window would meet itself.
    """
    images = check_images(images)
    torus = _is_torus(boundary, "equivariant_local")
    return _patch_machine(
        "ELS",
        cells.equivariant_local_torus_cell if torus else cells.equivariant_local_cell,
        images,
        patch,
        boundary,
        posterior.all_shifts if torus else posterior.same_border_overlap,
        None,
    )


def _patch_machine(name, cell, images, patch, boundary, admissible, admits) -> Machine:
    size, largest = patch_sizes(patch, cosine_levels(20))
    admissible = lru_cache(maxsize=64)(admissible)

    def denoise(fields: np.ndarray, sigma: float) -> np.ndarray:
        r = size(sigma) // 2
        places = admissible(fields.shape[2:], images.shape[2:], r)
        return posterior.patch_posterior(images, fields, sigma, r, places)

    def reachable(shape: tuple[int, int]) -> None:
        admissible(shape, images.shape[2:], largest // 2)

    reachable(images.shape[2:])
    return _machine(
        name,
        cell,
        images,
        Neighbourhood(largest // 2, boundary),
        radius_at=None if isinstance(patch, (int, np.integer)) else lambda sigma: size(sigma) // 2,
        admissible=admissible,
        denoise=denoise,
        admits=admits or reachable,
    )


def _machine(name, cell, images, neighbourhood, *, radius_at, admissible, denoise, admits) -> Machine:
    def field_rate(field: np.ndarray, sigma: float) -> np.ndarray:
        sigma, fields = _level(sigma), field.reshape(-1, *field.shape[-3:])
        return (field - denoise(fields, sigma).reshape(field.shape)) / sigma

    return Machine(
        cell=cell,
        params={"images": images},
        channels=_channel_names(images.shape[1]),
        neighbourhood=neighbourhood,
        clock="sigma",
        name=name,
        shown=None,
        start=dust,
        grid=default_levels,
        radius_at=radius_at,
        field_rate=field_rate,
        admits=admits,
        dtype=np.float32,
        posterior=denoise,
        admissible=admissible,
    )


def dust(rule: Rule, shape: tuple[int, int], rng: np.random.Generator, sigma: float | None = None) -> np.ndarray:
    """Pure noise y ~ N(0, 1 + sigma²) at the first level, so that phi = y/sqrt(1 + sigma²) ~ N(0, 1)."""
    sigma = rule.times()[0] if sigma is None else sigma
    return np.sqrt(1 + sigma**2) * rng.standard_normal((len(rule.channels), *shape))


def default_levels(rule: Rule, n: int = 20) -> Sequence[float]:
    """The paper's cosine levels."""
    return cosine_levels(n)  # type: ignore[return-value]


def _channel_names(count: int) -> tuple[str, ...]:
    return {1: ("grey",), 3: ("red", "green", "blue")}.get(count, tuple(f"c{n}" for n in range(count)))


def _level(sigma: float) -> float:
    if not (np.isfinite(sigma) and sigma > 0):
        raise ValueError(f"sigma must be positive and finite, got {sigma}")
    return float(sigma)


def _is_torus(boundary: Any, name: str) -> bool:
    if boundary not in ("zero", "periodic"):
        raise ValueError(f'{name} is defined for boundary="zero" or "periodic", got {boundary!r}')
    return boundary == "periodic"


def _same_size(images: np.ndarray, shape: tuple[int, int]) -> None:
    if tuple(shape) != images.shape[2:]:
        raise ValueError(
            f"this machine compares places, so the field must have the size of the training images "
            f"{images.shape[2:]}, got {tuple(shape)}; equivariant_local goes on any canvas"
        )
