"""Reaction–diffusion systems, made of their kinetics.

    du_c/dt = D_c ∇²u_c + f_c(u, v, ...; parameters)

The decorated function is the kinetics f, written as in the paper; the Laplacian, the boundary and the step belong to
the engine.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any

import numpy as np

from turingdiff.engine.linearisation import jacobian
from turingdiff.engine.neighbourhood import Boundary
from turingdiff.engine.rule import Rule
from turingdiff.engine.stencils import SYMBOL_BOUND, laplacian
from turingdiff.engine.transport import Diffusion, flow_faces, upwind
from turingdiff.morphogenesis._system import OPTIONS, Initial, Noise, System


class Reaction(System):
    """Kinetics that diffuse; made by `reaction`.

    One more attribute to assign after the definition: ``diffusion``, one constant a species. Maps (H, W) multiply the
    Laplacian, D(x) ∇²u; ``td.conserving(D)`` is div(D grad u), ``td.fibres(along, across, angle)`` is anisotropic.
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
        self._cells: dict[Any, Callable] = {}
        super().__init__(kinetics, species, {a.name: a.default for a in arguments[count:]})

    def _taken(self) -> set[str]:
        return {*OPTIONS, "diffusion", "stencil", "flow", *self._constants}

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
        flow: tuple[Any, Any] | None = None,
        noise: Noise | None = None,
        mask: Any = None,
        hold: Any = None,
        growth: Any = None,
        **params: Any,
    ) -> Rule:
        """Make the rule: keywords set parameters, `preset` names a set of them.

        ``diffusion=(1, 10)`` sets all diffusion constants, ``Du=1`` that of species u. `boundary`, `mask`, `hold`
        and `growth` as for `CellSystem`. ``flow=(down, right)`` is the velocity of a medium that carries all species,
        numbers or maps, one at least a map: -div(v u), upwind.

        Raises
        ------
        ValueError
            For an unknown preset or parameter, a parameter without a value, or a wrong number of diffusion constants.
        """
        given = {"dx": dx, "t_end": t_end, "boundary": boundary, "initial": initial, "mask": mask, "hold": hold}
        given |= {"growth": growth, "diffusion": diffusion, "stencil": stencil, "flow": flow, "noise": noise}
        chosen = self._chosen(preset, given | params)
        values = self._values({key: value for key, value in chosen.items() if key not in self._taken()})
        constants = self._diffusion_constants(chosen)
        for key, value in {**constants, **values}.items():
            if not isinstance(value, Diffusion):
                self._check_number_or_map(key, value)
        self._check_rates(values)
        stencil, flow = chosen.get("stencil", laplacian), chosen.get("flow")
        around = self._neighbourhood(1, chosen)
        faces = {key: d.faces(around) for key, d in constants.items() if isinstance(d, Diffusion)}
        if flow is not None:
            down, right = flow
            faces["flow"] = flow_faces(down, right, around)
        terms = tuple(d.term if isinstance(d, Diffusion) else None for d in constants.values())
        bound = SYMBOL_BOUND.get(stencil)
        return self._rule(
            preset,
            chosen,
            values,
            radius=1,
            cell=self._cell(stencil, terms, len(values) if flow is not None else None),
            params={**constants, **values, **faces},
            stiffness=_Stiffness(self, bound) if bound else None,
            admits=partial(same_canvas, faces) if faces else None,
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

    def _cell(
        self, stencil: Callable, terms: tuple[Callable | None, ...] | None = None, carried: int | None = None
    ) -> Callable:
        """The cell function, the same object for the same terms so that it is compiled once.

        `terms` are the diffusion terms of species in flux form, None for the stencil; `carried` the number of the
        kinetics' parameters, behind which a flow comes, or None without one.
        """
        if not inspect.isfunction(getattr(stencil, "py_func", stencil)):
            raise TypeError(
                f"stencil must be a function, td.stencils.laplacian or td.stencils.isotropic_laplacian, got {stencil!r}"
            )
        key = (stencil, terms or (None,) * len(self.species), carried)
        if key not in self._cells:
            cell = reaction_cell(self.kinetics, *key)
            cell.made_by = (self._cell, *key)
            self._cells[key] = cell
        return self._cells[key]


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


def reaction_cell(kinetics: Callable, stencil: Callable, terms: Sequence[Callable | None], carried: int | None):
    """The cell function of kinetics: D_c stencil(u_c) + f_c, other diffusion `terms`, and a flow; see `Reaction._cell`.

    The parameters are the diffusion constants, those of the kinetics, and the flow.
    """
    count, diffusions = len(terms), [_plain(stencil) if term is None else term for term in terms]
    read, end = _reader(count), None if carried is None else count + carried
    if end is None:
        write = _all_of([_diffusing(diffusion, c) for c, diffusion in enumerate(diffusions)])
    else:
        write = _all_of([_carried(diffusion, c, end) for c, diffusion in enumerate(diffusions)])

    def cell(phi, i, j, t, p, g, out):
        rates = kinetics(*(read(phi, i, j) + p[count:end]))
        write(phi, i, j, p, g, rates, out)

    cell.__name__ = kinetics.__name__
    return cell


@cache
def _plain(stencil: Callable) -> Callable:
    """The diffusion term D ∇²u."""
    return lambda phi, c, i, j, D, g: D * stencil(phi, c, i, j, g)


def _reader(count: int) -> Callable:
    """Concentrations of a cell as a tuple. One function a species: compiled code needs lengths it can see."""
    last = count - 1
    if last == 0:
        return lambda phi, i, j: (phi[0, i, j],)
    before = _reader(last)
    return lambda phi, i, j: before(phi, i, j) + (phi[last, i, j],)


def _diffusing(diffusion: Callable, c: int) -> Callable:
    """Write the rate of species c."""

    def write(phi, i, j, p, g, rates, out):
        out[c, i, j] = diffusion(phi, c, i, j, p[c], g) + rates[c]

    return write


def _carried(diffusion: Callable, c: int, flow: int) -> Callable:
    """The same in a flow, parameter number `flow`."""

    def write(phi, i, j, p, g, rates, out):
        out[c, i, j] = (diffusion(phi, c, i, j, p[c], g) + upwind(phi, c, i, j, p[flow], g)) + rates[c]

    return write


def _all_of(writers: Sequence[Callable]) -> Callable:
    """Call several writers in turn: compiled code does not loop over functions."""
    *earlier, last = writers
    if not earlier:
        return last
    before = _all_of(earlier)

    def write(phi, i, j, p, g, rates, out):
        before(phi, i, j, p, g, rates, out)
        last(phi, i, j, p, g, rates, out)

    return write


def same_canvas(faces: Mapping[str, np.ndarray], shape: tuple[int, int]) -> None:
    """Raise ValueError for a field of another size than the maps of the transport."""
    for name, array in faces.items():
        height, width = array.shape[1] - 1, array.shape[2] - 1
        if (height, width) != tuple(shape):
            raise ValueError(f"{name} is a map of shape {(height, width)}, but the field is {tuple(shape)}")


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
        if "flow" in rule.params:
            radius += 2 * np.abs(rule.params["flow"]).max(axis=(1, 2)).sum() / rule.neighbourhood.dx
        return float(radius)

    def _cells(self, rule: Rule, field: np.ndarray | None) -> list[tuple[np.ndarray, list[float]]]:
        values = [rule.params[name] for name in self.system.defaults]
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
