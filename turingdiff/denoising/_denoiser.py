"""A denoiser as a rule of the engine, dy/dsigma = (y - D(y; sigma))/sigma, seen from several frames."""

from __future__ import annotations

import copyreg
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from turingdiff.denoising._levels import cosine_levels, level
from turingdiff.engine.flow import check_field
from turingdiff.engine.neighbourhood import Neighbourhood
from turingdiff.engine.rule import Rule

# D(fields, sigma) of fields (B, C, H, W), in their shape.
FieldFunction = Callable[[np.ndarray, float], np.ndarray]


def initial_noise(
    rule: Rule, shape: tuple[int, int], rng: np.random.Generator, sigma: float | None = None
) -> np.ndarray:
    """Noise y ~ N(0, 1 + sigma²), by default at the first level, so that phi = y/sqrt(1 + sigma²) ~ N(0, 1)."""
    sigma = rule.times()[0] if sigma is None else sigma
    return np.sqrt(1 + sigma**2) * rng.standard_normal((len(rule.channels), *shape))


def default_levels(rule: Rule, n: int = 20) -> Sequence[float]:
    """The paper's cosine levels."""
    return cosine_levels(n)  # type: ignore[return-value]


def no_cell(phi, i, j, t, p, g, out):
    """The cell function of a rule that is given by its rate on whole fields."""
    raise NotImplementedError("this rule has no cell function")


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Denoiser(Rule):
    """A denoiser as a rule: dy/dsigma = (y - D(y; sigma))/sigma. Subclass it to write your own.

    A subclass needs one method, ``posterior(self, fields, sigma)``; see docs/write-your-own-machine.md.

    >>> class Shrink(Denoiser):
    ...     def posterior(self, fields, sigma):
    ...         return fields / (1 + sigma**2)
    >>> machine = Shrink(channels=1, canvas=(8, 8))

    Parameters
    ----------
    channels
        Number of channels, or their names.
    canvas
        (H, W) of the images that it makes by default.
    neighbourhood
        How far a pixel of D sees, and the boundary: by default the whole field. The measures of locality rely on it.
    name
        By default the name of the class.
    function
        D as a function of fields and sigma, in place of the method.
    images
        The training set (N, C, H, W), for the rows of `compare` that measure novelty; None where there is none.

    Raises
    ------
    TypeError
        If there is neither a method ``posterior`` nor a function.
    ValueError
        For a canvas that is not two whole numbers, and what `Rule` refuses.
    """

    cell: Callable = no_cell
    params: Any = field(default_factory=dict)
    channels: Any = 1
    neighbourhood: Neighbourhood = field(default_factory=partial(Neighbourhood, None, "zero"))
    clock: str = field(default="sigma", init=False)
    shown: int | None = None
    start: Callable[[Rule, tuple[int, int], np.random.Generator], np.ndarray] | None = initial_noise
    grid: Callable[..., Sequence[float]] | None = default_levels
    field_rate: FieldFunction = field(init=False)
    dtype: Any = np.float32
    canvas: tuple[int, int] = (28, 28)
    function: FieldFunction | None = None
    images: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.function is None and not self._has_method():
            raise TypeError(
                f"{type(self).__name__} needs a method posterior(self, fields, sigma) that returns D of fields "
                "(B, C, H, W); td.denoising.denoiser makes a denoiser of a function"
            )
        if len(np.shape(self.canvas)) != 1 or len(self.canvas) != 2 or any(n != int(n) or n < 1 for n in self.canvas):
            raise ValueError(f"canvas must be (H, W), two whole numbers >= 1, got {self.canvas!r}")
        channels = self.channels
        object.__setattr__(self, "channels", channel_names(channels) if isinstance(channels, int) else channels)
        object.__setattr__(self, "name", self.name or type(self).__name__)
        object.__setattr__(self, "field_rate", self._rate)
        super().__post_init__()
        if self.images is not None and np.shape(self.images)[1:2] != (len(self.channels),):
            raise ValueError(f"images must be (N, {len(self.channels)}, H, W), got the shape {np.shape(self.images)}")

    def __reduce__(self) -> tuple[Any, ...]:
        # Without another __init__: a subclass may have its own, and its rate is a method of the denoiser itself.
        return copyreg.__newobj__, (type(self),), vars(self)  # type: ignore[attr-defined]

    def _has_method(self) -> bool:
        return type(self).posterior is not Denoiser.posterior

    def __repr__(self) -> str:
        if self.params:
            return super().__repr__()
        return f"<denoiser {self.name} of {', '.join(self.channels)}; canvas {self.canvas}; {self.neighbourhood}>"

    def posterior(self, fields: np.ndarray, sigma: float) -> np.ndarray:
        """D of fields (B, C, H, W), which are a copy and may be written; the level `sigma` is above 0."""
        assert self.function is not None  # __post_init__ has seen to it
        return self.function(fields, sigma)

    def denoise(self, y: np.ndarray, sigma: float) -> np.ndarray:
        """D(y; sigma), the posterior mean of the clean image, in the shape and dtype of `y`.

        Parameters
        ----------
        y
            (C, H, W) or (B, C, H, W), image plus sigma times standard normal noise.

        Raises
        ------
        TypeError, ValueError
            For sigma that is not positive, a canvas on which the machine is not defined, or a ``posterior`` that
            returns another shape, no real numbers or values that are not finite.
        """
        return self._checked(self.posterior, check_field(self, y), level(sigma))

    def _rate(self, field: np.ndarray, sigma: float) -> np.ndarray:
        sigma = level(sigma)
        return (field - self._checked(self.posterior, field, sigma)) / sigma

    def _checked(self, function: FieldFunction, field: np.ndarray, sigma: float) -> np.ndarray:
        """``function(fields, sigma)`` of a field or a batch, in its shape and dtype."""
        fields = np.array(field, order="C").reshape(-1, *field.shape[-3:])
        shape, returned = fields.shape, np.asarray(function(fields, sigma))
        what = f"{self.name}.{getattr(function, '__name__', 'posterior')}"
        if returned.dtype.kind not in "fiu":
            raise TypeError(f"{what} must return an array of real numbers of shape {shape}, got dtype {returned.dtype}")
        if returned.shape != shape:
            raise ValueError(f"{what} must return an array of the shape of its fields, {shape}, got {returned.shape}")
        if not np.isfinite(returned).all():
            where = tuple(int(n) for n in np.argwhere(~np.isfinite(returned))[0])
            raise ValueError(f"{what} returned {returned[where]} at {where} for sigma = {sigma:g}, expected a number")
        return returned.astype(field.dtype, copy=False).reshape(field.shape)

    def on_torus(self) -> Rule:
        """The denoiser itself, if its boundary is periodic.

        Raises
        ------
        ValueError
            For any other: D is one function, and another boundary would need another one.
        """
        if not self.neighbourhood.periodic:
            raise ValueError(
                f"{self.name} was made for the boundary {self.neighbourhood.boundary!r}: make its periodic twin, with "
                'boundary="periodic"'
            )
        return self

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
        raise ValueError(f"{self.name} knows no classes: leave out the label")

    def reverse_sde(self) -> Rule:
        """The reverse diffusion of Song et al. (2021) as a rule for `euler_maruyama`, along falling sigma.

            dy = 2 (y - D)/sigma dsigma + sqrt(2 sigma) dw

        Its marginals are those of the probability flow. The last interval, to sigma = 0, is the machine's own: to D.
        Steps have to be short beside sigma: where a level is less than half of the one before, Euler–Maruyama
        overshoots, so take more levels than for the flow (`ancestral` has no such limit).
        """
        return Rule(
            cell=no_cell,
            params={},
            channels=self.channels,
            neighbourhood=self.neighbourhood,
            clock="sigma",
            name=f"reverse SDE of {self.name}",
            shown=self.shown,
            noise=_reverse_noise,
            start=self.start,
            grid=self.grid,
            radius_at=self.radius_at,
            field_rate=partial(_twice, self),
            admits=self.admits,
            dtype=self.dtype,
            ending=self,
        )


def denoiser(
    function: FieldFunction,
    channels: Any = 1,
    canvas: tuple[int, int] = (28, 28),
    *,
    neighbourhood: Neighbourhood | None = None,
    name: str | None = None,
    images: np.ndarray | None = None,
) -> Denoiser:
    """The denoiser of a function D(y, sigma).

    >>> machine = denoiser(lambda fields, sigma: fields / (1 + sigma**2), canvas=(8, 8), name="shrink")

    Parameters
    ----------
    function
        ``function(fields, sigma)``, D of fields (B, C, H, W), float32 or float64, as an array of their shape. Every
        field of the batch must be treated by itself.
    channels, canvas, neighbourhood, images
        As for `Denoiser`.
    name
        By default that of the function.

    Raises
    ------
    TypeError
        If `function` cannot be called.
    ValueError
        For a canvas that is not two whole numbers.
    """
    return Denoiser(function=function, **given_parts(function, channels, canvas, neighbourhood, name), images=images)


def given_parts(function: Any, channels: Any, canvas: Any, neighbourhood: Any, name: str | None) -> dict[str, Any]:
    """The parts of a denoiser that is made of a function."""
    if not callable(function):
        raise TypeError(f"a denoiser is made of a function of fields (B, C, H, W) and a level, got {function!r}")
    name = name or getattr(function, "__name__", type(function).__name__).strip("<>")
    parts = {"channels": channels, "canvas": canvas, "name": name}
    return parts if neighbourhood is None else parts | {"neighbourhood": neighbourhood}


def channel_names(count: int) -> tuple[str, ...]:
    """Names of the channels of images."""
    return {1: ("grey",), 3: ("red", "green", "blue")}.get(count, tuple(f"c{n}" for n in range(count)))


def _between_0_and_1(value: float, name: str) -> float:
    if not 0 < value < 1:
        raise ValueError(f"{name} must lie between 0 and 1, both excluded, got {value!r}")
    return float(value)


def _scaled(field: np.ndarray, factor: float) -> np.ndarray:
    return np.asarray(field) * np.asarray(field).dtype.type(factor)


def _twice(machine: Denoiser, field: np.ndarray, sigma: float) -> np.ndarray:
    return 2 * machine.rate(field, sigma)


def _reverse_noise(sigma: float) -> float:
    return math.sqrt(2 * sigma)
