"""A rule: the rate of change of one cell given its neighbourhood and the clock, and what belongs to it.

The cell function is the definition. It is plain Python,

    def cell(phi, i, j, t, p, g, out):      # reads phi near (i, j); writes the rate to out[:, i, j]

over a halo-padded array ``phi[channel, row, column]``. ``p`` is a tuple of the parameters in their order, in the
dtype of the field: a scalar; this cell's value of an ``(H, W)`` map; an array of any other number of dimensions
whole (a training set). ``g`` is a `turingdiff.engine.Geometry`. ``out`` is write-only: every channel, once.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from turingdiff.engine.growth import Growth
from turingdiff.engine.neighbourhood import Neighbourhood
from turingdiff.engine.pickling import reduced
from turingdiff.engine.probe import probe
from turingdiff.engine.rule_parts import check_growth, check_hold, check_noise, check_parameter
from turingdiff.engine.suggestions import unknown

CLOCKS = ("time", "sigma")


@dataclass(frozen=True, eq=False, repr=False)
class Rule:
    """A cell function with its parameters, channels and neighbourhood.

    Parameters
    ----------
    cell
        ``cell(phi, i, j, t, p, g, out)``, see the module.
    params
        Name to value, in the order in which the cell function unpacks ``p``; or plain values.
    channels
        Their names, or their number.
    neighbourhood
        Radius, boundary and grid spacing.
    clock
        ``"time"`` (grows) or ``"sigma"`` (a noise level, falls; sigma = 0 is a singular end).
    name
        Shown in figures, tables and errors.
    shown
        The channel in pictures; ``None`` for all (grey or RGB).
    noise
        Amplitude of additive noise, at least 0: one, one a channel, or a function of the clock. `euler_maruyama` adds
        it; the deterministic steppers refuse a rule with noise.
    start
        ``start(rule, shape, rng) -> (C, H, W)``, the initial state; see `initial`.
    grid
        ``grid(rule, **options)``, the default times; see `times`.
    equilibrium
        The uniform steady state, one value (or map) a channel.
    guess
        Values from which `steady_state` looks for one that has no closed form.
    stiffness
        ``stiffness(rule, field)``: a bound on the spectral radius of the Jacobian; see `stable_dt`.
    radius_at
        Clock to radius, for a rule whose reach changes; `neighbourhood.radius` is the largest.
    field_rate
        ``field_rate(field, t)``: a faster whole-field form of the *same* cell function.
    admits
        ``admits((H, W))`` raises ValueError for a field on which the rule is not defined.
    ending
        The rule whose Euler step takes the last interval to the singular end, where it is not this one.
    hold
        ``(cells, values)``: cells (H, W) that keep their values, (C,) or (C, H, W), whatever their rate.
    growth
        How the domain grows: ``td.grow.uniform(rate)``, ``td.grow.tip(every)`` and others.
    dtype
        Of `initial`.

    Raises
    ------
    TypeError
        If the cell function is not a function or a parameter is not numeric.
    ValueError
        For an unknown clock, no channels, a parameter that is not finite, or noise that is no amplitude; and for a
        cell function that reads beyond its radius or does not write a channel (see `turingdiff.engine.probe`).
    """

    cell: Callable
    params: Any  # becomes dict[str, Any]
    channels: Any  # becomes tuple[str, ...]
    neighbourhood: Neighbourhood = field(default_factory=Neighbourhood)
    clock: str = "time"
    name: str = ""
    shown: int | None = 0
    noise: float | Sequence[float] | Callable[[float], Any] = 0.0
    start: Callable[[Rule, tuple[int, int], np.random.Generator], np.ndarray] | None = None
    grid: Callable[..., Sequence[float]] | None = None
    equilibrium: Sequence[Any] | None = None
    guess: Sequence[float] | None = None
    stiffness: Callable[[Rule, np.ndarray | None], float] | None = None
    radius_at: Callable[[float], int | None] | None = None
    field_rate: Callable[[np.ndarray, float], np.ndarray] | None = None
    admits: Callable[[tuple[int, int]], None] | None = None
    ending: Rule | None = None
    hold: Any = None  # becomes (cells, values) or None
    growth: Growth | None = None
    dtype: Any = np.float64

    def __post_init__(self) -> None:
        if not inspect.isfunction(getattr(self.cell, "py_func", self.cell)):
            raise TypeError(f"cell must be a function cell(phi, i, j, t, p, g, out), got {self.cell!r}")
        if self.clock not in CLOCKS:
            raise ValueError(unknown("clock", self.clock, CLOCKS))
        channels = self.channels
        names = tuple(f"c{n}" for n in range(channels)) if isinstance(channels, int) else tuple(channels)
        if not names:
            raise ValueError(f"a rule needs at least one channel, got {channels!r}")
        params = self.params
        if not isinstance(params, Mapping):
            params = {f"p{n}": value for n, value in enumerate(params)}
        object.__setattr__(self, "channels", names)
        object.__setattr__(self, "params", {key: check_parameter(key, value) for key, value in params.items()})
        object.__setattr__(self, "name", self.name or self.cell.__name__)
        check_growth(self.name, self.growth, self.neighbourhood.mask)
        object.__setattr__(self, "hold", None if self.hold is None else check_hold(self.hold, len(names)))
        if not callable(self.noise):
            object.__setattr__(self, "noise", check_noise(self.name, names, self.noise))
        probe(self)

    def __repr__(self) -> str:
        values = [f"{name}={v:g}" if np.ndim(v) == 0 else f"{name}: {np.shape(v)}" for name, v in self.params.items()]
        noise = [f"noise={'a function' if callable(self.noise) else self.noise}"] if self.has_noise else []
        parts = [_few(self.channels), *([_few(values)] if values else []), *noise, self.neighbourhood]
        return f"<rule {self.name} of {'; '.join(map(str, parts))}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return reduced(self)

    def __copy__(self) -> Rule:
        return replace(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Rule:
        return replace(self, params=copy.deepcopy(self.params, memo))

    @property
    def has_noise(self) -> bool:
        """Whether runs of this rule are stochastic."""
        return callable(self.noise) or bool(np.any(self.noise))

    @property
    def singular_end(self) -> float | None:
        """The clock value at which the rate cannot be evaluated: sigma = 0."""
        return 0.0 if self.clock == "sigma" else None

    def radius(self, t: float) -> int | None:
        """How far a cell sees at clock `t`, in cells; ``None``: the whole field."""
        return self.radius_at(t) if self.radius_at else self.neighbourhood.radius

    def on_torus(self) -> Rule:
        """The same rule without walls: with periodic boundaries."""
        return replace(self, neighbourhood=replace(self.neighbourhood, boundary="periodic"))

    def rate(self, field: np.ndarray, t: float = 0.0) -> np.ndarray:
        """Rate of change of every cell, in the shape and dtype of `field`; `field` is not written."""
        from turingdiff.engine.flow import Flow

        return Flow(self, field).rate(np.asarray(field), t)

    def initial(
        self,
        shape: tuple[int, ...] | None = None,
        rng: int | np.random.Generator = 0,
        dtype: Any = None,
        replicas: int | None = None,
    ) -> np.ndarray:
        """Initial state (C, H, W), or (replicas, C, H, W) with every replica drawn in turn.

        Parameters
        ----------
        shape
            (H, W); (W,) is a one-dimensional field of height 1; by default that of the rule's mask.
        rng
            Seed or generator. Asking for more replicas does not change the first ones.
        """
        if self.start is None:
            raise ValueError(f"{self.name} has no initial state of its own: make a ({len(self.channels)}, H, W) array")
        known = self._shapes()
        if shape is None:
            if not known:
                raise ValueError(
                    f"{self.name} has no mask, held cells or map to take the shape from: give initial (H, W)"
                )
            shape = next(iter(known.values()))
        shape = tuple(shape)
        shape = (1, *shape) if len(shape) == 1 else shape
        if len(shape) != 2 or any(n != int(n) or n < 1 for n in shape):
            raise ValueError(f"shape must be (H, W) or (W,) of whole numbers >= 1, got {shape!r}")
        for what, size in known.items():
            if tuple(size) != tuple(shape):
                raise ValueError(f"{what} of {self.name} has the shape {tuple(size)}, but the field is {tuple(shape)}")
        if replicas is not None and (replicas != int(replicas) or replicas < 1):
            raise ValueError(f"replicas must be a whole number >= 1, got {replicas!r}")
        generator = np.random.default_rng(rng)
        states = [self.start(self, (shape[0], shape[1]), generator) for _ in range(1 if replicas is None else replicas)]
        state = np.stack(states) if replicas is not None else states[0]
        return self.with_held(state.astype(self.dtype if dtype is None else dtype))

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes (H, W) that the mask, held cells and maps ask for."""
        mask = self.neighbourhood.mask
        shapes = {} if mask is None else {"the mask": mask.shape}
        if self.hold is not None:
            shapes["hold"] = self.hold[0].shape
        return shapes | {f"the map {name}": v.shape for name, v in self.params.items() if np.ndim(v) == 2}

    def with_held(self, field: np.ndarray) -> np.ndarray:
        """A copy of a field in which held cells have their values; the field itself where none is held."""
        if self.hold is None:
            return field
        cells, values = self.hold
        values = values.reshape(len(self.channels), *(values.shape[1:] or (1, 1)))
        return np.where(cells, values, field).astype(field.dtype)

    def times(self, **options: Any) -> Sequence[float]:
        """The default clock readings of a run; options depend on the family."""
        if self.grid is None:
            raise ValueError(f"{self.name} has no times of its own: use td.uniform(t0, t1, dt)")
        return self.grid(self, **options)

    def view(self, field: np.ndarray, t: float = 0.0) -> np.ndarray:
        """The picture of a field: see `view`."""
        return view(field, t, self.clock, self.shown)

    def steady_state(self, guess: Sequence[float] | None = None) -> np.ndarray:
        """The uniform steady state (C,); where parameters are maps, that of each cell by itself (C, H, W).

        The one on record; else, or where a `guess` is given, a root of the compiled rate found from there.

        Raises
        ------
        ValueError
            Where there is none on record and no guess, or none is found.
        """
        if guess is None and self.equilibrium is not None:
            return np.stack(np.broadcast_arrays(*self.equilibrium)).astype(float)
        guess = self.guess if guess is None else guess
        if guess is None:
            raise ValueError(
                f"{self.name} has no uniform steady state on record: give steady_state a guess, one value for each of "
                f"{', '.join(self.channels)}, or set .steady_state (or .initial) of the system"
            )
        from turingdiff.engine.equilibria import find_steady_state

        return find_steady_state(self, guess)

    def stable_dt(self, field: np.ndarray | None = None) -> float:
        """Largest step at which explicit Euler damps the stiffest mode: 2 / spectral radius of the Jacobian.

        Reactions bound the radius at `field` (or at the steady state); for any other rule it is measured at
        `field` by power iteration on the compiled rate, within a few percent.
        """
        if self.clock != "time":
            raise ValueError(f"{self.name} steps along {self.clock}: its levels are the accuracy, not a limit")
        if self.stiffness is not None:
            radius = self.stiffness(self, field)
        elif field is None:
            raise ValueError(f"{self.name} does not declare its stiffness: give a field at which to measure it")
        else:
            from turingdiff.engine.linearisation import spectral_radius

            radius = spectral_radius(self, field)
        return 2.0 / radius if radius > 0 else np.inf


def view(field: np.ndarray, t: float, clock: str, shown: int | None) -> np.ndarray:
    """The picture of a field: for sigma the variance-preserving frame y/sqrt(1 + sigma²), else a named channel.

    Raw y spans some ±sigma_max at first and ±1 at the end: fixed colour limits would leave the final image flat.
    """
    picture = np.asarray(field)
    if clock == "sigma":
        picture = picture / np.sqrt(1.0 + t * t).astype(picture.dtype)
    return picture if shown is None else picture[..., shown, :, :]


def _few(items: Iterable[str], most: int = 12) -> str:
    """A list that fits on a screen."""
    shown = list(items)
    more = f", ... {len(shown) - most} more" if len(shown) > most else ""
    return ", ".join(shown[:most]) + more
