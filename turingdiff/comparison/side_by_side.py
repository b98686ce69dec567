"""`compare`: run the rules, gather what was measured, write it down."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from turingdiff.comparison.against_reference import Agreements, against_reference
from turingdiff.comparison.columns import Column, make_column, strips_of
from turingdiff.comparison.rows import SPREAD, Measure, check_measures, measured, rows_of
from turingdiff.denoising._denoiser import Denoiser
from turingdiff.engine import Run
from turingdiff.engine.flow import check_rule
from turingdiff.engine.rule import Rule
from turingdiff.engine.short_repr import short_repr
from turingdiff.engine.suggestions import unknown
from turingdiff.files import new_file_beside
from turingdiff.show import Film, animate_side_by_side
from turingdiff.show.figures import comparison_figure, save_figure
from turingdiff.show.report import Panel, Report, write_report
from turingdiff.show.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TURING_SHAPE = (128, 128)
FRAMES = 150
PACKAGES = ("turingdiff", "numpy", "numba", "scipy")


@short_repr
@dataclass(frozen=True, eq=False)
class Comparison:
    """The result of `compare`: one `Column` a rule, the table, and the call and seed that made them."""

    columns: Mapping[str, Column]
    table: Table
    call: str
    seed: int

    @property
    def runs(self) -> dict[str, Run]:
        """The recorded run of every rule."""
        return {name: column.run for name, column in self.columns.items()}

    def figure(self, *, table: bool = True) -> Figure:
        """Final states, under samples nearest training images and mosaics; spectra; the table unless left out."""
        strips = [strip for name, column in self.columns.items() for strip in strips_of(name, column)]
        spectra = {}
        for name, column in self.columns.items():
            dx = column.rule.neighbourhood.dx
            spectra[name] = (column.spectrum.wavenumber * dx, column.spectrum.power)
        return comparison_figure(strips, spectra, self.table if table else None)

    def animate(self, path: str | os.PathLike[str]) -> Film:
        """The film of all rules side by side, each with its clock."""
        return animate_side_by_side(self.runs, path)

    def save(self, folder: str | os.PathLike[str], *, command: str | None = None) -> list[Path]:
        """Write film.gif, figure.png, figure.svg, table.csv, table.json and the page index.html; returns their paths.

        The page holds all the others, opens without a network, and answers clicks: on a pixel of a sample with the
        training patch that contributes most to it, on a cell of a pattern with its influence cone. The patches are
        found here, level by level.

        Parameters
        ----------
        command
            The command that made the comparison, as page and table.json give it; by default the call of `compare`.
        """
        folder, figure = Path(folder), self.figure()
        about: dict[str, Any] = {
            "command": self.call if command is None else command,
            "seed": self.seed,
            "versions": {"python": platform.python_version()} | {name: version(name) for name in PACKAGES},
            "uncertainty": SPREAD,
        }
        paths = [
            self.animate(folder / "film.gif").path,
            save_figure(figure, folder / "figure.png"),
            save_figure(figure, folder / "figure.svg"),
            self.table.save(folder / "table.csv"),
            self.table.save_json(folder / "table.json", **about),
        ]
        panels = [Panel(name, c.run.clock, c.pixel_sources, c.perturbations) for name, c in self.columns.items()]
        report = Report(**about, table=self.table, film=paths[0], figure=self.figure(table=False), panels=panels)
        return [*paths, write_report(report, folder / "index.html")]


@overload
def compare(
    rules: Mapping[str, Rule],
    *,
    reference: None = None,
    samples: int = 4,
    shapes: Mapping[str, tuple[int, int]] | None = None,
    rng: int = 0,
    frames: int = FRAMES,
    measures: Mapping[str, Measure] | None = None,
    progress: bool = False,
) -> Comparison: ...


@overload
def compare(
    rules: Mapping[str, Rule],
    *,
    reference: str,
    seeds: int | None = None,
    samples: int = 4,
    rng: int = 0,
    measures: Mapping[str, Measure] | None = None,
    progress: bool = False,
) -> Agreements: ...


def compare(
    rules: Mapping[str, Rule],
    *,
    reference: str | None = None,
    seeds: int | None = None,
    samples: int = 4,
    shapes: Mapping[str, tuple[int, int]] | None = None,
    rng: int = 0,
    frames: int = FRAMES,
    measures: Mapping[str, Measure] | None = None,
    progress: bool = False,
) -> Comparison | Agreements:
    """Run every rule from its own initial state along its own times, and measure the final states.

    With a `reference`, such as a trained network, all rules are denoisers and start from the *same* noises, along the
    reference's levels: see `turingdiff.comparison.against_reference.against_reference`.

    Parameters
    ----------
    rules
        Title to rule, of either family: one to four, with a reference any number.
    reference
        The title of the rule that the others are to predict.
    seeds
        With a reference: how many noises (100).
    samples
        Replicas of each; with a reference, how many noises figure and film show.
    shapes
        Title to (H, W). By default the size of the training images for a machine, else 128 x 128.
    rng
        Seed; the same for every rule.
    frames
        About how many frames to keep of each run; with a reference, every level is kept.
    measures
        Your own rows of the table: name (with its unit in brackets) to a function of the final pictures (B, C, H, W),
        as a film shows them. It returns one number, or one for each picture, which become mean ± standard error. With a
        reference they are columns, and the reference has a row too.

    Raises
    ------
    ValueError
        For no rules or more than four, options that do not go together, a measure that fails or has the name of a row,
        or what the rules themselves refuse.
    TypeError
        For a seed that is no whole number, or a measure that is no function.
    """
    measures = check_measures(measures)
    if reference is not None:
        if shapes is not None:
            raise ValueError("with a reference all rules make images of its size: leave shapes out")
        noises = 100 if seeds is None else seeds
        return against_reference(
            rules, reference, seeds=noises, shown=samples, rng=rng, measures=measures, progress=progress
        )
    if seeds is not None:
        raise ValueError("seeds counts the noises that rules share with a reference=; without one, give samples=")
    if not 1 <= len(rules) <= 4:
        raise ValueError(f"compare takes one to four rules, as a mapping title -> rule; got {len(rules)}")
    if not isinstance(rng, int | np.integer):
        raise TypeError(f"rng is the seed of every rule, a whole number; got {rng!r}")
    shapes = shapes or {}
    for name in shapes:
        if name not in rules:
            raise ValueError(f"shapes: {unknown('rule', name, rules)}")
    columns, rows = {}, {}
    for name, rule in rules.items():
        check_rule(rule)
        default = rule.canvas if isinstance(rule, Denoiser) else TURING_SHAPE
        columns[name] = make_column(rule, shapes.get(name, default), samples, rng, frames, progress)
        rows[name] = rows_of(columns[name])
        if taken := [own for own in measures if own in rows[name]]:
            raise ValueError(f"the table has a row {taken[0]!r} already: give the measure another name")
        rows[name] |= measured(measures, columns[name].pictures, name)
    titles = ", ".join(f"{name!r}: {rule.name}" for name, rule in rules.items())
    sizes = f", shapes={dict(shapes)!r}" if shapes else ""
    own = f", measures={{{', '.join(f'{name!r}: ...' for name in measures)}}}" if measures else ""
    call = f"td.compare({{{titles}}}, samples={samples}{sizes}, rng={rng}{own})"
    return Comparison(columns, Table.of_columns(rows), call, int(rng))


def check_folder(folder: str | os.PathLike[str]) -> Path:
    """Make `folder` and try it, so that a long job does not fail at its end.

    Raises
    ------
    OSError
        If it cannot be made or written.
    """
    folder = Path(folder)
    new_file_beside(folder / "probe").unlink()
    return folder
