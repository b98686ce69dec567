"""The rows of the table of a comparison: one measure each, with its unit and its uncertainty over replicas."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import numpy as np

from turingdiff.comparison.columns import Column
from turingdiff.comparison.page_data import VISIBLE
from turingdiff.engine.rule import Rule
from turingdiff.measure import change, dispersion, patch_distance, patch_leave_one_out, shapes, sources, structure
from turingdiff.show.tables import Number

Measure = Callable[[np.ndarray], Any]  # of pictures (B, C, H, W): one number, or (B,)

SPREAD = (
    "mean ± standard error over replicas (for how far a perturbation spreads, over perturbed cells); for the "
    "wavelength, of all replicas together, ± that of the peak of the spectrum"
)
UNIFORM = "none: constant field"
PATCH = 3  # side of the windows whose distance to the training set is measured
SMALL = 1e-6  # from here down errors are written with an exponent
DECIDED = 0.5  # the weight from which a pixel has a dominant source


def rows_of(column: Column) -> dict[str, str]:
    """The column of the table: measures that are defined for it, under names that hold their units."""
    return _made(column) | _pattern(column) | _locality(column) | _likeness(column) | _sources(column)


def measured(measures: Mapping[str, Measure], pictures: np.ndarray, title: str) -> dict[str, str]:
    """The rows of a user's own measures, of the final pictures (B, C, H, W) of the rule with this title."""
    return {name: _measured(name, measure, pictures, title) for name, measure in measures.items()}


def _measured(name: str, measure: Measure, pictures: np.ndarray, title: str) -> str:
    try:
        values = np.asarray(measure(pictures.copy()), float)
    except Exception as error:
        raise ValueError(
            f"measure {name!r} failed on the pictures {pictures.shape} of {title}: {type(error).__name__}: {error}"
        ) from error
    if values.shape not in ((), (len(pictures),)):
        raise ValueError(
            f"measure {name!r} must return one number, or one for each of the {len(pictures)} pictures of {title}, "
            f"got an array of shape {values.shape}"
        )
    values = np.atleast_1d(values)
    finite = np.isfinite(values)
    if not finite.any():
        return "none: not a finite number"
    return mean(values[finite], "" if finite.all() else f" ({finite.sum()} of {len(values)} replicas)")


def check_measures(measures: Mapping[str, Measure] | None) -> Mapping[str, Measure]:
    """Return the measures that a user adds to a table, by default none."""
    for name, measure in (measures or {}).items():
        if not (isinstance(name, str) and callable(measure)):
            raise TypeError(f"measures maps a name to a function of pictures (B, C, H, W), got {name!r}: {measure!r}")
    return measures or {}


def number(value: float, error: float | None = None, about: str = "") -> Number:
    """A number as text: three figures, or as many as its standard error lets count."""
    if not error:
        return Number(f"{value:.3g}{about}", float(value), None if error is None else 0.0)
    if error < SMALL:
        return Number(f"{value:.2g} ± {error:.1g}{about}", float(value), float(error))
    digits = max(0, -math.floor(math.log10(error)))
    return Number(f"{value:.{digits}f} ± {error:.{digits}f}{about}", float(value), float(error))


def mean(values: Iterable[float], about: str = "") -> Number:
    """The mean and its standard error; a single value has none."""
    array = np.array(list(values), float)
    error = float(array.std(ddof=1)) / math.sqrt(len(array)) if len(array) > 1 else None
    return number(float(array.mean()), error, about)


def _made(column: Column) -> dict[str, str]:
    rule, run = column.rule, column.run
    symbol = {"time": "t", "sigma": "sigma"}[rule.clock]
    return {
        "rule": rule.name,
        "clock": f"{symbol} = {run.times[0]:.4g} to {run.times[-1]:.4g}",
        "steps": Number(str(column.steps), column.steps),
        "field": " x ".join(map(str, run.frames.shape[-2:])),
        "replicas": Number(str(len(column.pictures)), len(column.pictures)),
        "boundary": str(rule.neighbourhood.boundary),
    }


def _pattern(column: Column) -> dict[str, str]:
    """What a field looks like: of any field, whoever made it."""
    rule, dx = column.rule, column.rule.neighbourhood.dx
    found: dict[str, str] = {"standard deviation": mean(p.std() for p in column.pictures)}
    if column.wavelength is None:
        found["wavelength [cells]"] = UNIFORM
    else:
        length = column.wavelength
        found["wavelength [cells]"] = number(length.value / dx, length.uncertainty / dx, _counted(column))
    if rule.clock == "time":
        found["wavelength of linear theory [cells]"] = _predicted(rule)
    edge: Literal["periodic", "no_flux"] = "periodic" if rule.neighbourhood.periodic else "no_flux"
    planes = column.pictures[column.patterned].mean(axis=1)
    alone = [structure(p, boundary=edge) for p in planes]
    forms = [shapes(p, boundary=edge) for p in planes]

    def row(of: Callable[[Any], float], measured: list[Any]) -> str:
        return mean((of(one) for one in measured), _counted(column)) if measured else UNIFORM

    counts = Counter(form.pattern for form in forms) + Counter(uniform=int((~column.patterned).sum()))
    types = ", ".join(f"{name} in {count}" for name, count in counts.most_common())
    ago = column.run.view(-1 - math.ceil((len(column.run.times) - 1) / 10))
    return found | {
        "correlation length [cells]": row(lambda s: s.correlation_length, alone),
        "orientation order": row(lambda s: s.order, alone),
        "pattern type": next(iter(counts)) if len(counts) == 1 else f"{types} of {counts.total()} replicas",
        "regions above the threshold": row(lambda s: s.components, forms),
        "Euler characteristic": row(lambda s: s.euler, forms),
        "area above the threshold [share]": row(lambda s: s.covered, forms),
        "change over the last tenth of the run [std]": mean(
            change(*pair) for pair in zip(ago, column.run.view(-1), strict=True)
        ),
    }


def _counted(column: Column) -> str:
    """Says so if not all replicas have a pattern."""
    count, total = int(column.patterned.sum()), len(column.patterned)
    return "" if count == total else f" ({count} of {total} replicas)"


def _predicted(rule: Rule) -> str:
    try:
        curve = dispersion(rule.on_torus())
    except ValueError as error:  # a rule without a uniform steady state, or without waves; the cell says why
        return f"none: {str(error).split(':')[0].split(',')[0]}"
    if curve.unstable_band is None or not curve.k_max:
        return f"none: uniform state is {curve.regime}"
    return number(curve.wavelength / rule.neighbourhood.dx)


def _locality(column: Column) -> dict[str, str]:
    rule = column.rule
    clock = np.asarray(rule.times(), float)[:-1]
    radii = [rule.radius(t) for t in clock]
    known = [radius for radius in radii if radius is not None]
    if len(known) < len(radii):
        whole: str = "whole field"
        found = {"neighbourhood radius [cells]": whole, "light-cone bound of the run [cells]": whole}
    else:
        ends = dict.fromkeys((known[0], known[-1]))
        found = {
            "neighbourhood radius [cells]": " to ".join(map(str, ends)),
            "light-cone bound of the run [cells]": Number(str(sum(known)), sum(known)),
        }
    if column.perturbations is not None:
        last, after = column.perturbations, f" in {column.perturbations.steps[-1]} steps"
        for name, radius in ((f"a perturbation spreads, above {VISIBLE:.0%} [cells]", last.visible),
                             ("a perturbation spreads, at all [cells]", last.detectable)):  # fmt: skip
            reached = radius[:, -1][~np.isnan(radius[:, -1])]
            found[name] = mean(reached, after) if len(reached) else f"nowhere{after}"
    return found


def _likeness(column: Column) -> dict[str, str]:
    """How far the pictures are from the training images, as wholes and in their parts."""
    if column.images is None or column.novelty is None:
        return {}
    count, relative = len(column.images), np.atleast_1d(column.novelty.relative)
    found: dict[str, str] = {
        "training images": Number(str(count), count),
        "novelty: distance to nearest [rms]": mean(np.atleast_1d(column.novelty.distance)),
    }
    if not np.isnan(relative).any():
        found["novelty / leave-one-out"] = mean(relative)
    if min(*column.pictures.shape[2:], *column.images.shape[2:]) >= PATCH:
        edge: Literal["periodic", "zero"] = "periodic" if column.rule.neighbourhood.periodic else "zero"
        alone = patch_leave_one_out(column.images, PATCH, boundary=edge) if count > 1 else None
        near = patch_distance(column.pictures, column.images, PATCH, boundary=edge, yardstick=alone)
        found[f"{PATCH}x{PATCH} windows: distance to nearest [rms]"] = mean(np.atleast_1d(near.distance))
        if not np.isnan(near.relative).any():
            found[f"{PATCH}x{PATCH} windows / leave-one-out"] = mean(np.atleast_1d(near.relative))
    return found


def _sources(column: Column) -> dict[str, str]:
    """The patches and images that the pictures are made of, by the pixels at which one patch has most of the weight."""
    if not column.mosaics or column.images is None:
        return {}
    period = column.images.shape[2:] if column.rule.neighbourhood.periodic else None
    decided = [m.weight >= DECIDED for m in column.mosaics]
    parts = [
        sources(m, period=period, where=where) for m, where in zip(column.mosaics, decided, strict=True) if where.any()
    ]
    equal = [m.consistency(p).fraction for m, p in zip(column.mosaics, column.pictures, strict=True)]
    none: str = "none: no pixel has one"
    return {
        "pixels with a dominant source patch [share]": mean(where.mean() for where in decided),
        "effective number of source images": mean(part.images for part in parts) if parts else none,
        "effective number of copied pieces": mean(part.pieces for part in parts) if parts else none,
        "pixels equal to their nearest patch [share]": mean(equal),
    }
