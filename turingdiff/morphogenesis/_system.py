"""Systems: named families of rules. A call with parameters makes a rule.

A system is what a file of `turingdiff.morphogenesis` defines and what a user defines in a script: kinetics with
`turingdiff.morphogenesis._reaction.reaction`, or, for anything else, a cell function with `system`.
"""

from __future__ import annotations

import inspect
import os
import pickle
import sys
import textwrap
import types
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from turingdiff.data import read_mask
from turingdiff.engine.expected_pattern import ExpectedPattern
from turingdiff.engine.neighbourhood import Boundary, Neighbourhood
from turingdiff.engine.rule import Rule
from turingdiff.engine.suggestions import unknown
from turingdiff.engine.times import UniformTimes, rounded_down, uniform

OPTIONS = ("preset", "dx", "t_end", "boundary", "initial", "noise", "mask", "hold", "growth")
PERTURBATION = 0.01
SAFETY = 0.9

Initial = Callable[[Rule, tuple[int, int], np.random.Generator], np.ndarray]
Noise = float | Sequence[float] | Callable[[float], Any]


class System(ABC):
    """Named local dynamics that make a `Rule` when called.

    Attributes (assign them after the definition)
    ---------------------------------------------
    presets
        Name to keywords of the call.
    expected_patterns
        Name of a preset to its `ExpectedPattern`.
    steady_state
        ``steady_state(*parameters) -> one value a species``, the uniform steady state.
    guess
        ``guess(*parameters) -> one value a species``, from where to look for it where it has no closed form.
    initial
        ``initial(rule, shape, rng) -> (C, H, W)`` in place of the default, the steady state u* with independent
        normal perturbations of size 0.01 |u*| in every cell.
    dx, t_end, boundary
        Default grid spacing, end of a run, and boundary.
    shown
        The species in pictures (its index).

    Any other attribute is refused.
    """

    def __init__(self, function: Callable, species: Sequence[str], defaults: Mapping[str, Any]):
        self.species = tuple(species)
        if not self.species:
            raise ValueError(f"{function.__name__}: a system needs at least one species, got {species!r}")
        self.__name__ = function.__name__
        self.__doc__ = function.__doc__
        self.__module__ = function.__module__
        self.defaults = dict(defaults)
        if clash := set(self.defaults) & self._taken():
            raise ValueError(f"{self.__name__}: parameter names {sorted(clash)} are taken: every system has them")
        self.presets: Mapping[str, Mapping[str, Any]] = {}
        self.expected_patterns: Mapping[str, ExpectedPattern] = {}
        self.steady_state: Callable[..., Sequence[float]] | None = None
        self.guess: Callable[..., Sequence[float]] | None = None
        self.initial: Initial = perturbed_steady_state
        self.dx = 1.0
        self.t_end = 100.0
        self.boundary: Boundary | tuple[Boundary, ...] = "periodic"
        self.shown: int | None = 0
        self._complete = True

    def __setattr__(self, name: str, value: Any) -> None:
        if "_complete" in vars(self) and not hasattr(self, name):
            known = [known for known in vars(self) if not known.startswith("_")]
            raise AttributeError(unknown(f"attribute of {self.__name__}", name, known))
        super().__setattr__(name, value)

    def __reduce__(self) -> str:
        if getattr(sys.modules.get(self.__module__), self.__name__, None) is not self:
            raise pickle.PicklingError(
                f"{self!r} cannot be pickled: it is not {self.__name__} in the module {self.__module__}; define it at "
                "the top of a module, under the name of its function"
            )
        return self.__name__

    @property
    def signatures(self) -> Mapping[str, ExpectedPattern]:
        """`expected_patterns`, by their earlier name."""
        return self.expected_patterns

    @signatures.setter
    def signatures(self, patterns: Mapping[str, ExpectedPattern]) -> None:
        self.expected_patterns = patterns

    def __repr__(self) -> str:
        return f"<system {self.__name__}({', '.join(self.defaults)}) of {', '.join(self.species)}>"

    @abstractmethod
    def __call__(self, preset: str | None = None, **options: Any) -> Rule:
        """Make the rule."""

    @property
    def equations(self) -> str:
        """The indented lines of the docstring: the equations as the paper has them."""
        lines = inspect.cleandoc(self.__doc__ or "").partition("Parameters\n---")[0].splitlines()
        return textwrap.dedent("\n".join(line for line in lines if line.startswith("    ")))

    def _taken(self) -> set[str]:
        """Names that a parameter cannot have."""
        return set(OPTIONS)

    def _chosen(self, preset: str | None, given: Mapping[str, Any]) -> dict[str, Any]:
        """Keywords of the call over those of the preset; ``None`` counts as not given."""
        if preset is not None and preset not in self.presets:
            raise ValueError(unknown(f"preset of {self.__name__}", preset, self.presets))
        values = {} if preset is None else dict(self.presets[preset])
        return {**values, **{key: value for key, value in given.items() if value is not None}}

    def _values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """All parameters, in their order."""
        for name in given:
            if name not in self.defaults:
                known = [*self.defaults, *sorted(self._taken() - {"preset"})]
                raise ValueError(unknown(f"parameter of {self.__name__}", name, known))
        values = {**self.defaults, **given}
        if missing := [key for key, value in values.items() if value is inspect.Parameter.empty]:
            raise ValueError(f"{self.__name__} needs a value for {', '.join(missing)}")
        return values

    def _neighbourhood(self, radius: int, chosen: Mapping[str, Any]) -> Neighbourhood:
        boundary, dx = chosen.get("boundary", self.boundary), chosen.get("dx", self.dx)
        return Neighbourhood(radius, boundary, dx, _mask(chosen.get("mask")))

    def _rule(
        self, preset: str | None, chosen: dict[str, Any], values: Mapping[str, Any], radius: int, **parts: Any
    ) -> Rule:
        """The rule of a call; `chosen` holds its options, `values` its parameters."""
        return Rule(
            channels=self.species,
            neighbourhood=self._neighbourhood(radius, chosen),
            hold=chosen.get("hold"),
            growth=chosen.get("growth"),
            name=self.__name__ if preset is None else f"{self.__name__} {preset}",
            shown=self.shown,
            start=chosen.get("initial", self.initial),
            noise=chosen.get("noise", 0.0),
            grid=partial(_times, end=chosen.get("t_end", self.t_end)),
            equilibrium=None if self.steady_state is None else tuple(self.steady_state(*values.values())),
            guess=None if self.guess is None else tuple(self.guess(*values.values())),
            **parts,
        )


class CellSystem(System):
    """A system given by its cell function; made by `system`.

    One more attribute to assign after the definition: ``stiffness(dx, *parameters)``, a bound on the spectral radius of
    the Jacobian in two dimensions, from which `Rule.stable_dt` and the default step follow.
    """

    def __init__(self, cell: Callable, species: Sequence[str], radius: int, defaults: Mapping[str, Any]):
        self.cell, self.radius = self._named(cell), radius
        self.stiffness: Callable[..., float] | None = None
        super().__init__(cell, species, defaults)

    def _named(self, cell: Callable) -> Callable:
        """A copy of a cell function that is pickled by the name of this system, which has taken its own."""
        if not isinstance(cell, types.FunctionType):
            return cell
        copy = types.FunctionType(cell.__code__, cell.__globals__, cell.__name__, cell.__defaults__, cell.__closure__)
        copy.__doc__, copy.__module__, copy.__qualname__ = cell.__doc__, cell.__module__, cell.__qualname__
        copy.made_by = (getattr, self, "cell")  # type: ignore[attr-defined]
        return copy

    def __call__(
        self,
        preset: str | None = None,
        *,
        dx: float | None = None,
        t_end: float | None = None,
        boundary: Boundary | tuple[Boundary, ...] | None = None,
        initial: Initial | None = None,
        noise: Noise | None = None,
        mask: Any = None,
        hold: Any = None,
        growth: Any = None,
        **params: Any,
    ) -> Rule:
        """Make the rule: keywords set parameters, `preset` names a set of them.

        Parameters
        ----------
        boundary
            ``"periodic"``, ``"no_flux"``, ``"zero"``, `fixed` or `flux`; one, or four (top, bottom, left, right).
        mask
            The domain: a boolean (H, W), such as ``td.shapes.paddle((96, 64))``, or the path of a picture whose dark
            places are the domain. Nothing flows across its edge.
        hold
            ``(cells, values)``: cells that keep their values, such as a source or an organiser.
        growth
            ``td.grow.uniform(rate)`` stretches the domain; ``td.grow.edge``, ``tip`` and ``species`` add cells to a
            mask.

        Raises
        ------
        ValueError
            For an unknown preset or parameter, or a parameter without a value.
        """
        given = {"dx": dx, "t_end": t_end, "boundary": boundary, "initial": initial, "mask": mask, "hold": hold}
        given |= {"growth": growth}
        chosen = self._chosen(preset, {**given, "noise": noise, **params})
        values = self._values({key: value for key, value in chosen.items() if key not in OPTIONS})
        bound = None if self.stiffness is None else partial(_declared_stiffness, self)
        return self._rule(preset, chosen, values, self.radius, cell=self.cell, params=values, stiffness=bound)


def system(species: Sequence[str], radius: int = 1, **defaults: Any) -> Callable[[Callable], CellSystem]:
    """Decorate a cell function to make a system: for what is not diffusion plus kinetics.

    >>> from turingdiff.engine.stencils import biharmonic, laplacian
    >>> @system(species="u", radius=2, epsilon=0.1)
    ... def swift_hohenberg(phi, i, j, t, p, g, out):
    ...     (epsilon,) = p
    ...     u = phi[0, i, j]
    ...     waves = u + 2 * laplacian(phi, 0, i, j, g) + biharmonic(phi, 0, i, j, g)
    ...     out[0, i, j] = epsilon * u - waves - u * u * u
    >>> rule = swift_hohenberg(epsilon=0.3, dx=0.5)

    Parameters
    ----------
    species
        Their names: "uv", or a list for longer names.
    radius
        How far the cell function reads.
    **defaults
        The parameters, in the order in which the cell function unpacks ``p``.
    """
    return lambda cell: CellSystem(cell, species, radius, defaults)


def perturbed_steady_state(rule: Rule, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """The steady state u*, each cell and species times 1 + 0.01 n (plus 0.01 n where u* = 0), n ~ N(0, 1)."""
    state = rule.steady_state()
    state = state.reshape(-1, 1, 1) if state.ndim == 1 else state
    scale = np.where(state == 0, 1.0, np.abs(state))
    return state + PERTURBATION * scale * rng.standard_normal((len(state), *shape))


def _mask(mask: Any) -> Any:
    return read_mask(mask) if isinstance(mask, (str, os.PathLike)) else mask


def _declared_stiffness(system: CellSystem, rule: Rule, field: np.ndarray | None) -> float:
    bound: Any = system.stiffness
    return float(np.max(bound(rule.neighbourhood.dx, *rule.params.values())))


def _times(rule: Rule, t_end: float | None = None, dt: float | None = None, *, end: float) -> UniformTimes:
    """From 0 to `t_end`; by default with the largest stable step times 0.9, rounded down to two digits."""
    if dt is None:
        dt = rounded_down(SAFETY * rule.stable_dt(), 2)
    end = end if t_end is None else t_end
    if not end > 0:
        raise ValueError(f"t_end must be a positive time, got {end!r}")
    return uniform(0.0, end, dt)
