"""Theory against experiment: the same noise through a reference, such as a trained network, and through machines."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from turingdiff.comparison.rows import Measure, check_measures, measured
from turingdiff.data import to_unit
from turingdiff.denoising._denoiser import Denoiser
from turingdiff.denoising._noise_prediction import as_denoiser
from turingdiff.engine import Run, simulate
from turingdiff.engine.rule import Rule
from turingdiff.engine.short_repr import short_repr
from turingdiff.measure import Agreement, Novelty, agreement, leave_one_out, novelty
from turingdiff.show import Film, agreement_figure, animate_side_by_side, save_figure
from turingdiff.show.tables import Number, Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NOISE, NEAREST, OTHER = "noise", "nearest training image", ", other noise"


@short_repr
@dataclass(frozen=True, eq=False)
class Prediction:
    """How well one rule predicts the reference, noise by noise.

    Attributes
    ----------
    final
        The agreement (S,) of the final pictures.
    levels
        (L, S) both measures of the denoised images at each level, every one on its own way; None for a control.
    """

    rule: Rule | None
    pictures: np.ndarray  # (S, C, H, W)
    final: Agreement
    levels: Agreement | None = None


@short_repr
@dataclass(frozen=True, eq=False)
class Agreements:
    """The result of `compare` with a reference.

    Attributes
    ----------
    reference
        Its title.
    runs
        Title to run, over all noises.
    predictions
        Title to `Prediction`: of every other rule, and the controls.
    nearest
        The training image nearest to each picture of the reference over all shifts; None without training images.
    shown
        How many noises figure and film show.
    measured
        Title to the numbers of the user's own measures, of the reference too.
    """

    reference: str
    rules: Mapping[str, Denoiser]
    runs: Mapping[str, Run]
    predictions: Mapping[str, Prediction]
    nearest: Novelty | None
    shown: int
    measured: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def table(self) -> Table:
        """A row a prediction: median and quartiles of Pearson's r and r², and how often r² is above the ideal's."""
        columns = ("Pearson", "quartiles of Pearson", "r²", "quartiles of r²", "closer than ideal")
        rivals = [one for one in self.predictions.values() if one.rule is not None and one.rule.name == "ideal"]
        rows = {}
        if own := tuple(self.measured.get(self.reference, ())):
            rows[self.reference] = (*["-"] * len(columns), *self.measured[self.reference].values())
        for name, prediction in self.predictions.items():
            texts: list[str] = []
            for values in (prediction.final.pearson, prediction.final.r2):
                low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
                # A constant picture has no correlation with anything.
                number = Number(f"{middle:.3f}", float(middle)) if not np.isnan(middle) else "-"
                texts += [number, "-" if np.isnan(middle) else f"{low:.3f} to {high:.3f}"]
            wins = "-"
            if rivals and rivals[0] is not prediction:
                wins = f"{np.mean(np.greater(prediction.final.r2, rivals[0].final.r2)):.0%}"
            rows[name] = (*texts, wins, *self.measured.get(name, {}).values())
        return Table((*columns, *own), rows, corner=f"prediction of {self.reference}")

    def figure(self) -> Figure:
        """The sheet of pictures; agreement at every level; the patch sizes; the table."""
        start = self.runs[self.reference]
        sheet = {NOISE: start.view(0), self.reference: start.view(-1)}
        sheet |= {name: one.pictures for name, one in self.predictions.items() if one.rule or name == NEAREST}
        levels = start.times[:-1]
        curves = {name: np.asarray(one.levels.r2) for name, one in self.predictions.items() if one.levels is not None}
        sizes = {}
        for name, rule in self.rules.items():
            if rule.images is not None and rule.neighbourhood.radius is not None:
                sizes[name] = [2 * (rule.radius(sigma) or 0) + 1 for sigma in levels]
        return agreement_figure({name: p[: self.shown] for name, p in sheet.items()}, levels, curves, sizes, self.table)

    def animate(self, path: str | os.PathLike[str]) -> Film:
        """The film of the reference and the first three rules, side by side, from the same noise."""
        few = dict(list(self.runs.items())[:4])
        return animate_side_by_side(
            {name: replace(r, frames=r.frames[:, : self.shown]) for name, r in few.items()}, path
        )

    def save(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Write film.gif, figure.png, figure.svg, table.csv and table.json; returns their paths."""
        folder, figure = Path(folder), self.figure()
        return [
            self.animate(folder / "film.gif").path,
            save_figure(figure, folder / "figure.png"),
            save_figure(figure, folder / "figure.svg"),
            self.table.save(folder / "table.csv"),
            self.table.save_json(
                folder / "table.json", predicted=self.reference, noises=len(self.runs[self.reference].final)
            ),
        ]


def against_reference(
    rules: Mapping[str, Rule],
    reference: str,
    *,
    seeds: int = 100,
    shown: int = 4,
    rng: int = 0,
    measures: Mapping[str, Measure] | None = None,
    progress: bool = False,
) -> Agreements:
    """Send the same noises through all rules, and measure how well each predicts the pictures of the reference.

    Controls stand beside the rules: the first rule's pictures from *other* noise (those of the noise before), and the
    training image that is nearest to the reference's picture.

    Parameters
    ----------
    rules
        Title to denoiser, the reference among them: networks, machines and denoisers of your own, of the same channels.
    seeds
        How many noises; the first ones are the same for every number.
    measures
        Columns of your own, see `compare`.

    Raises
    ------
    ValueError
        For a reference that is none of the rules, no other rule, a title that a control has, fewer than 2 noises, none
        shown, or canvases that differ.
    TypeError
        For a rule that is no denoiser.
    """
    denoisers = check_reference(rules, reference)
    check_counts(seeds, shown)
    target = denoisers[reference]
    times: Any = target.times()
    start = target.initial(target.canvas, rng, replicas=seeds)
    runs = {name: simulate(rule, start, times, every=1, progress=progress) for name, rule in denoisers.items()}
    truth, guesses = runs[reference].view(-1), _guesses(runs[reference])
    predictions = {}
    for name, rule in denoisers.items():
        if name != reference:
            made = runs[name].view(-1)
            predictions[name] = Prediction(rule, made, agreement(made, truth), _by_level(_guesses(runs[name]), guesses))
    first = next(iter(predictions))
    other = np.roll(predictions[first].pictures, 1, axis=0)
    predictions[first + OTHER] = Prediction(None, other, agreement(other, truth))
    nearest = None
    sets = [rule.images for rule in denoisers.values() if rule.images is not None]
    if sets:
        yardstick = leave_one_out(sets[0]) if len(sets[0]) > 1 else None
        nearest = novelty(truth, sets[0], yardstick=yardstick)
        pairs = zip(np.atleast_1d(nearest.index), np.atleast_2d(nearest.shift), strict=True)
        shifted = np.stack([np.roll(to_unit(sets[0][n]), s, axis=(-2, -1)) for n, s in pairs])
        predictions[NEAREST] = Prediction(None, shifted, agreement(shifted, truth))
    pictures = {reference: truth} | {name: one.pictures for name, one in predictions.items()}
    own = {name: measured(check_measures(measures), made, name) for name, made in pictures.items()}
    return Agreements(reference, denoisers, runs, predictions, nearest, min(shown, seeds), own)


def check_counts(seeds: int, shown: int) -> None:
    """Refuse numbers of noises that cannot be compared or shown."""
    for value, name, least in ((seeds, "seeds", 2), (shown, "samples", 1)):
        if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
            why = " (one control takes other noise)" if least == 2 else ""
            raise ValueError(f"{name} must be a whole number >= {least}{why}, got {value!r}")


def _guesses(run: Run) -> np.ndarray:
    """The denoised images D (L, S, C, H, W) on which each Euler step of a run was taken."""
    frames, sigma = run.frames.astype(float), run.times.reshape(-1, *[1] * (run.frames.ndim - 1))
    return frames[:-1] - sigma[:-1] * np.diff(frames, axis=0) / np.diff(sigma, axis=0)


def _by_level(guesses: np.ndarray, truth: np.ndarray) -> Agreement:
    scores = [agreement(a, b) for a, b in zip(guesses, truth, strict=True)]
    return Agreement(np.stack([one.r2 for one in scores]), np.stack([one.pearson for one in scores]))


def check_reference(rules: Mapping[str, Rule], reference: str) -> dict[str, Denoiser]:
    """The rules as denoisers, the reference first."""
    if reference not in rules:
        raise ValueError(f"reference={reference!r} is none of the rules {list(rules)}")
    if len(rules) < 2:
        raise ValueError("there is nothing to compare the reference with: give at least one rule more")
    if taken := [name for name in rules if name in (NOISE, NEAREST) or name.endswith(OTHER)]:
        raise ValueError(f"{taken[0]!r} is the title of a control: give the rule another one")
    # A rule that does not say how large its images are makes them as large as the others do.
    canvases = [rule.canvas for rule in (rules[reference], *rules.values()) if isinstance(rule, Denoiser)]
    denoisers = {}
    for name, rule in rules.items():
        try:
            denoisers[name] = as_denoiser(rule, canvases[0] if canvases else None)
        except TypeError as error:
            raise TypeError(f"{name}: {error}") from error
    target = denoisers[reference]
    for name, rule in denoisers.items():
        if rule.canvas != target.canvas:
            raise ValueError(
                f"{name} makes images of {rule.canvas[0]}x{rule.canvas[1]}, {reference} of {target.canvas[0]}x"
                f"{target.canvas[1]}: they cannot be compared pixel by pixel; use training images of one size"
            )
        if len(rule.channels) != len(target.channels):
            raise ValueError(
                f"{name} makes images of the channels {', '.join(rule.channels)}, {reference} of "
                f"{', '.join(target.channels)}: they cannot be compared pixel by pixel"
            )
    # The reference first: it stands first in figure and film.
    return {reference: target} | denoisers
