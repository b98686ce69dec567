"""Reaction–diffusion systems, made of their kinetics.

    du_c/dt = D_c ∇²u_c + f_c(u, v, ...; parameters)

The decorated function is the kinetics f, written as in the paper; the Laplacian, the boundary and the step belong to
the engine.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from turingdiff.engine.linearisation import jacobian
from turingdiff.engine.neighbourhood import Boundary
from turingdiff.engine.rule import Rule
from turingdiff.engine.stencils import SYMBOL_BOUND, laplacian
from turingdiff.morphogenesis._system import OPTIONS, Initial, Noise, System


class Reaction(System):
    """Kinetics that diffuse; made by `reaction`.

    One more attribute to assign after the definition: ``diffusion``, one constant a species; maps (H, W) multiply the
    Laplacian: D(x) ∇²u, not div(D grad u).
    """

    def __init__(self, kinetics: Callable, species: Sequence[str]):
        name = kinetics.__name__
        arguments = list(inspect.signature(kinetics).parameters.values())
        names, count = [a.name for a in arguments], len(tuple(species))
        if count == 0 or names[:count] != list(species):
            raise ValueError(
                f"{name}: the first arguments of the kinetics must be the species {tuple(species)}, got {names}"
            )
        if any(a.kind is not a.POSITIONAL_OR_KEYWORD for a in arguments):
            raise ValueError(f"{name}: kinetics take plain arguments, no *args, **kwargs or keyword-only ones")
        self.kinetics = kinetics
        self._constants = tuple(f"D{name}" for name in species)
        self.diffusion: Sequence[Any] = (1.0,) * count
        self._cells: dict[Callable, Callable] = {}
        super().__init__(kinetics, species, {a.name: a.default for a in arguments[count:]})

    def _taken(self) -> set[str]:
        return {*OPTIONS, "diffusion", "stencil", *self._constants}

    def __call__(
        self,
        preset: str | None = None,
        *,
        diffusion: Sequence[Any] | None = None,
        dx: float | None = None,
        t_end: float | None = None,
        boundary: Boundary | tuple[Boundary, ...] | None = None,
        initial: Initial | None = None,
        stencil: Callable | None = None,
        noise: Noise | None = None,
        mask: Any = None,
        hold: Any = None,
        **params: Any,
    ) -> Rule:
        """Make the rule: keywords set parameters, `preset` names a set of them.

        ``diffusion=(1, 10)`` sets all diffusion constants, ``Du=1`` that of species u. `boundary`, `mask` and `hold`
        as for `CellSystem`.

        Raises
        ------
        ValueError
            For an unknown preset or parameter, a parameter without a value, or a wrong number of diffusion constants.
        """
        given = {"dx": dx, "t_end": t_end, "boundary": boundary, "initial": initial, "mask": mask, "hold": hold}
        chosen = self._chosen(preset, {**given, "diffusion": diffusion, "stencil": stencil, "noise": noise, **params})
        values = self._values({key: value for key, value in chosen.items() if key not in self._taken()})
        constants = self._diffusion_constants(chosen)
        for key, value in {**constants, **values}.items():
            self._check_number_or_map(key, value)
        self._check_rates(values)
        stencil = chosen.get("stencil", laplacian)
        bound = SYMBOL_BOUND.get(stencil)
        return self._rule(
            preset,
            chosen,
            values,
            radius=1,
            cell=self._cell(stencil),
            params={**constants, **values},
            stiffness=_Stiffness(self, bound) if bound else None,
        )

    def _diffusion_constants(self, chosen: Mapping[str, Any]) -> dict[str, Any]:
        diffusion = chosen.get("diffusion", self.diffusion)
        diffusion = (diffusion,) if np.isscalar(diffusion) else tuple(diffusion)
        if len(diffusion) != len(self.species):
            raise ValueError(
                f"{self.__name__} has {len(self.species)} species {self.species}: give as many diffusion "
                f"constants, got {diffusion!r}"
            )
        single = {name: chosen[name] for name in self._constants if name in chosen}
        return {**dict(zip(self._constants, diffusion, strict=True)), **single}

    def _check_number_or_map(self, name: str, value: Any) -> None:
        array = np.asarray(value)
        if array.dtype.kind not in "biuf":
            raise TypeError(f"{self.__name__}: {name} must be a number or an (H, W) map, got {value!r}")
        if array.ndim not in (0, 2) or not array.size:
            raise ValueError(f"{self.__name__}: {name} must be a number or an (H, W) map, got the shape {array.shape}")
        if name in self._constants and array.min() < 0:
            raise ValueError(f"{self.__name__}: diffusion constants must be >= 0, got {name}={value!r}")

    def _check_rates(self, values: Mapping[str, Any]) -> None:
        """Try the kinetics at one point, so that a forgotten rate or comma is not found by the compiler."""
        point = [np.float64(1.0)] * len(self.species) + [np.float64(np.ravel(value)[0]) for value in values.values()]
        with np.errstate(all="ignore"):
            rates = self.kinetics(*point)
        if not isinstance(rates, tuple) or len(rates) != len(self.species):
            raise ValueError(
                f"{self.__name__}: kinetics must return a tuple of {len(self.species)} rates, one for each species "
                f"of {self.species}; got {rates!r}"
                + ("; a tuple of one needs a comma: return rate," if len(self.species) == 1 else "")
            )

    def _cell(self, stencil: Callable) -> Callable:
        """The cell function, the same object for the same stencil so that it is compiled once."""
        if not inspect.isfunction(getattr(stencil, "py_func", stencil)):
            raise TypeError(
                f"stencil must be a function, td.stencils.laplacian or td.stencils.isotropic_laplacian, got {stencil!r}"
            )
        if stencil not in self._cells:
            cell = reaction_cell(self.kinetics, len(self.species), stencil)
            cell.made_by = (self._cell, stencil)  # type: ignore[attr-defined]
            self._cells[stencil] = cell
        return self._cells[stencil]


def reaction(species: Sequence[str]) -> Callable[[Callable], Reaction]:
    """Decorate kinetics ``f(species..., parameters...) -> one rate a species`` to make a reaction–diffusion system.

    >>> @reaction(species="uv")
    ... def schnakenberg(u, v, a=0.1, b=0.9):
    ...     return a - u + u * u * v, b - u * u * v
    >>> schnakenberg.diffusion = (1.0, 10.0)
    >>> rule = schnakenberg(b=1.2, dx=0.5, boundary="no_flux")

    Parameters
    ----------
    species
        Their names, the first arguments of the kinetics: "uv", or a list for longer names.
    """
    return lambda kinetics: Reaction(kinetics, species)


def reaction_cell(kinetics: Callable, count: int, stencil: Callable) -> Callable:
    """The cell function of kinetics with `count` species: D_c stencil(u_c) + f_c."""
    read, write = _reader(count), _writer(count, stencil)

    def cell(phi, i, j, t, p, g, out):
        rates = kinetics(*(read(phi, i, j) + p[count:]))
        write(phi, i, j, p, g, rates, out)

    cell.__name__ = kinetics.__name__
    return cell


def _reader(count: int) -> Callable:
    """Concentrations of a cell as a tuple. One function a species: compiled code needs lengths it can see."""
    last = count - 1
    if last == 0:
        return lambda phi, i, j: (phi[0, i, j],)
    before = _reader(last)
    return lambda phi, i, j: before(phi, i, j) + (phi[last, i, j],)


def _writer(count: int, stencil: Callable) -> Callable:
    """Write the rates of all species; the first `count` parameters are the diffusion constants."""
    last = count - 1
    if last == 0:

        def write_first(phi, i, j, p, g, rates, out):
            out[0, i, j] = p[0] * stencil(phi, 0, i, j, g) + rates[0]

        return write_first
    before = _writer(last, stencil)

    def write(phi, i, j, p, g, rates, out):
        before(phi, i, j, p, g, rates, out)
        out[last, i, j] = p[last] * stencil(phi, last, i, j, g) + rates[last]

    return write


def reaction_jacobian(kinetics: Callable, state: np.ndarray, values: Sequence[float]) -> np.ndarray:
    """Jacobian of the kinetics at one cell, (species, species), by central differences."""
    return jacobian(lambda at: np.asarray(kinetics(*at, *values), float), np.asarray(state, float))


class _Stiffness:
    """Spectral radius of the linearised system J + symbol D over the wavenumbers: at k = 0 and at the shortest wave.

    The reaction is linearised at the steady state, or in cells of the given field: those with the extremes of each
    species and 64 evenly spaced ones (exact kinetics everywhere would cost a Python call a cell).
    """

    def __init__(self, system: Reaction, symbol_bound: float):
        self.system, self.count, self.symbol_bound = system, len(system.species), symbol_bound

    def __call__(self, rule: Rule, field: np.ndarray | None) -> float:
        values = list(rule.params.values())
        diffusion = np.diag([float(np.max(d)) for d in values[: self.count]])
        symbol = -self.symbol_bound / rule.neighbourhood.dx**2
        radius = np.abs(symbol * diffusion).max()
        for state, parameters in self._cells(rule, field):
            with np.errstate(over="ignore", invalid="ignore"):
                local = reaction_jacobian(self.system.kinetics, state, parameters)
            if not np.isfinite(local).all():  # the kinetics overflow: no step is stable
                return np.inf
            for matrix in (local, local + symbol * diffusion):
                radius = max(radius, np.abs(np.linalg.eigvals(matrix)).max())
        return float(radius)

    def _cells(self, rule: Rule, field: np.ndarray | None) -> list[tuple[np.ndarray, list[float]]]:
        values = list(rule.params.values())[self.count :]
        if field is None and rule.equilibrium is None and rule.guess is None:
            return []
        field = rule.steady_state() if field is None else field
        field = np.asarray(field, float).reshape(-1, 1, 1) if field.ndim == 1 else np.asarray(field, float)
        size = np.broadcast_shapes(field.shape[-2:], *(np.shape(v) for v in values))
        field = np.broadcast_to(field, (*field.shape[:-2], *size))
        states = np.moveaxis(field, -3, 0).reshape(self.count, -1)
        picks = {*states.argmin(1), *states.argmax(1), *np.linspace(0, states.shape[1] - 1, 64).astype(int)}
        maps = [np.broadcast_to(v, size).ravel() for v in values]
        return [(states[:, n], [float(m[n % m.size]) for m in maps]) for n in sorted(picks)]
