"""The Turing space of a system: the regime of linear theory at every point of a plane of parameters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turingdiff.engine.rule import Rule
from turingdiff.engine.short_repr import short_repr
from turingdiff.measure._dispersion import dispersion
from turingdiff.measure._dispersion_relation import Dispersion

NO_STATE = "no steady state found"


@short_repr
@dataclass(frozen=True, eq=False)
class TuringSpace:
    """The regime of a system in linear theory at every point of a plane of parameters; made by `turing_space`.

    Attributes
    ----------
    system
        Its name.
    names
        The parameters along x and y.
    x, y
        Their values.
    regime
        (len(y), len(x)) names: those of `Dispersion.regime`, or "no steady state found".
    growth
        (len(y), len(x)) growth rate of the fastest wave, negative where all decay; nan without a steady state.
    wavelength
        (len(y), len(x)) wavelength of the fastest growing wave, infinite where that is the uniform mode; nan where
        none grows.
    """

    system: str
    names: tuple[str, str]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    regime: NDArray[np.str_]
    growth: NDArray[np.float64]
    wavelength: NDArray[np.float64]

    def __str__(self) -> str:
        shares = [f"{word} {n / self.regime.size:.0%}" for word, n in Counter(self.regime.flat).most_common()]
        plane = f"{self.names[0]} x {self.names[1]}, {self.x.size} x {self.y.size} points"
        return f"{self.system} over {plane}: {', '.join(shares)}"


def turing_space(system: Callable[..., Rule], **parameters: Any) -> TuringSpace:
    """Map the regimes of linear theory over two parameters: one dispersion relation a point.

    Parameters
    ----------
    system
        What makes a rule of keywords: ``td.morphogenesis.brusselator``, a reaction of your own, a function.
    **parameters
        Its keywords. Two are one-dimensional arrays, the axes: first that along x, then that along y. The others are
        passed on as they are. Lists count as arrays unless there are two arrays.

    Raises
    ------
    ValueError
        If not exactly two keywords are arrays, or one is empty or not finite; and as the system or `dispersion`, with
        the point named. A point where no real steady state is found, neither from the system's own guess nor from the
        state of the point before, is no error: the map says so.

    Examples
    --------
    >>> import numpy as np
    >>> import turingdiff as td
    >>> space = td.measure.turing_space(td.morphogenesis.brusselator, b=np.array([2.0, 3.0]), Dv=np.array([6.0, 9.0]))
    >>> print(space.regime)
    [['stable' 'stable']
     ['stable' 'Turing']]
    """
    axes = _axes(parameters, np.ndarray)
    if len(axes) != 2:
        axes = _axes(parameters, (np.ndarray, list))
    if len(axes) != 2 or any(axis.ndim != 1 for axis in axes.values()):
        given = ", ".join(f"{name}: {np.shape(value)}" for name, value in axes.items()) or "none"
        raise ValueError(f"turing_space takes exactly two one-dimensional arrays, along x and y; got {given}")
    for name, axis in axes.items():
        if axis.dtype.kind not in "fiu" or not axis.size or not np.isfinite(axis).all():
            raise ValueError(f"the axis {name} must hold finite numbers, got {axis!r}")
    (x_name, x), (y_name, y) = axes.items()
    rest = {name: value for name, value in parameters.items() if name not in axes}
    points = [{x_name: a, y_name: b} for b in y.tolist() for a in x.tolist()]
    curves: list[Dispersion | None] = []
    near: NDArray[np.float64] | None = None
    for point in points:
        curves.append(_at(system, point, rest, near))
        near = near if curves[-1] is None else curves[-1].state
    shape = (y.size, x.size)
    return TuringSpace(
        system=getattr(system, "__name__", None) or system(**points[0], **rest).name,
        names=(x_name, y_name),
        x=x.astype(float),
        y=y.astype(float),
        regime=np.array([NO_STATE if curve is None else curve.regime for curve in curves]).reshape(shape),
        growth=np.array([np.nan if curve is None else curve.max_growth for curve in curves]).reshape(shape),
        wavelength=np.array([_wavelength(curve) for curve in curves]).reshape(shape),
    )


def _axes(parameters: dict[str, Any], kinds: Any) -> dict[str, NDArray]:
    return {
        name: np.asarray(value) for name, value in parameters.items() if isinstance(value, kinds) and np.ndim(value)
    }


def _at(
    system: Callable[..., Rule], point: dict[str, float], rest: dict[str, Any], near: NDArray[np.float64] | None
) -> Dispersion | None:
    """The dispersion relation at one point of the plane, or None where no steady state is found."""
    try:
        with np.errstate(invalid="ignore", divide="ignore"):  # the root of a negative number is nan: no state
            rule = system(**point, **rest)
        state = _steady_state(rule, near)
        return None if state is None else dispersion(rule, state)
    except ValueError as error:
        error.add_note(f"at {', '.join(f'{name} = {value:g}' for name, value in point.items())}")
        raise


def _steady_state(rule: Rule, near: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
    """The state on record or found from the rule's own guess; else the one found from that of the point before."""
    if rule.equilibrium is not None and np.iscomplex(rule.equilibrium).any():
        return None
    guesses = [None] if rule.equilibrium is not None or near is None else [None, near.tolist()]
    for guess in guesses:
        try:
            state = rule.steady_state(guess)
        except ValueError:  # the rule has none, or none was found
            continue
        return state if np.isfinite(state).all() else None
    return None


def _wavelength(curve: Dispersion | None) -> float:
    return np.nan if curve is None or curve.regime == "stable" else curve.wavelength
