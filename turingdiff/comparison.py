"""The main job: rules of both families, run by the same engine, side by side, measured with the same rulers."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, overload

import numpy as np

from turingdiff.agreements import Agreements, against_reference
from turingdiff.denoising import Machine, Mosaic, mosaic
from turingdiff.denoising.denoiser import Denoiser
from turingdiff.engine import Run, simulate
from turingdiff.files import atomic_path
from turingdiff.measure import Novelty, Spectrum, Wavelength, leave_one_out, novelty, spectrum, wavelength
from turingdiff.rule import Rule
from turingdiff.show import Film, animate_side_by_side
from turingdiff.show.figures import Strip, comparison_figure, save_figure
from turingdiff.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TURING_SHAPE = (128, 128)
FRAMES = 150


@dataclass(frozen=True, eq=False)
class Column:
    """What was made and measured of one rule. The last four are of machines only."""

    rule: Rule
    run: Run
    steps: int
    seconds: float
    pictures: np.ndarray  # (B, C, H, W), the final view
    spectrum: Spectrum
    wavelength: Wavelength | None
    images: np.ndarray | None = None
    novelty: Novelty | None = None
    mosaics: tuple[Mosaic, ...] = ()


@dataclass(frozen=True, eq=False)
class Comparison:
    """The result of `compare`: one `Column` a rule."""

    columns: Mapping[str, Column]

    @property
    def runs(self) -> dict[str, Run]:
        """The recorded run of every rule."""
        return {name: column.run for name, column in self.columns.items()}

    @property
    def table(self) -> Table:
        """One row a measure, one column a rule."""
        return Table.of_columns({name: _texts(column) for name, column in self.columns.items()})

    def figure(self) -> Figure:
        """Final states; nearest training images and mosaics under samples; spectra; the table."""
        strips = [strip for name, column in self.columns.items() for strip in _strips(name, column)]
        spectra = {}
        for name, column in self.columns.items():
            dx = column.rule.neighbourhood.dx
            spectra[name] = (column.spectrum.wavenumber * dx, column.spectrum.power)
        return comparison_figure(strips, spectra, self.table)

    def animate(self, path: str | os.PathLike[str]) -> Film:
        """The film of all rules side by side, each with its clock."""
        return animate_side_by_side(self.runs, path)

    def save(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Write film.gif, figure.png and table.csv; returns their paths."""
        folder = Path(folder)
        film = self.animate(folder / "film.gif")
        figure = save_figure(self.figure(), folder / "figure.png")
        return [film.path, figure, self.table.save(folder / "table.csv")]


@overload
def compare(
    rules: Mapping[str, Rule],
    *,
    reference: None = None,
    samples: int = 4,
    shapes: Mapping[str, tuple[int, int]] | None = None,
    rng: int = 0,
    frames: int = FRAMES,
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
    progress: bool = False,
) -> Comparison | Agreements:
    """Run every rule from its own initial state along its own times, and measure the final states.

    With a `reference`, such as a trained network, all rules are denoisers and start from the *same* noises, along the
    reference's levels: see `turingdiff.agreements.against_reference`.

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

    Raises
    ------
    ValueError
        For no rules or more than four, options that do not go together, or what the rules themselves refuse.
    """
    if reference is not None:
        if shapes is not None:
            raise ValueError("with a reference all rules make images of its size: leave shapes out")
        noises = 100 if seeds is None else seeds
        return against_reference(rules, reference, seeds=noises, shown=samples, rng=rng, progress=progress)
    if seeds is not None:
        raise ValueError("seeds counts the noises that rules share with a reference=; without one, give samples=")
    if not 1 <= len(rules) <= 4:
        raise ValueError(f"compare takes one to four rules, as a mapping title -> rule; got {len(rules)}")
    shapes = shapes or {}
    if unknown := set(shapes) - set(rules):
        raise ValueError(f"shapes names {sorted(unknown)}, which is none of the rules {list(rules)}")
    columns = {}
    for name, rule in rules.items():
        default = rule.canvas if isinstance(rule, Denoiser) else TURING_SHAPE
        columns[name] = _column(rule, shapes.get(name, default), samples, rng, frames, progress)
    return Comparison(columns)


def _column(rule: Rule, shape: tuple[int, int], samples: int, rng: int, frames: int, progress: bool) -> Column:
    begin = time.perf_counter()
    times = rule.times()
    run = simulate(rule, rule.initial(shape, rng, replicas=samples), times, frames=frames, rng=rng, progress=progress)
    seconds = time.perf_counter() - begin
    pictures = run.view(-1)
    pictures = pictures if pictures.ndim == 4 else pictures[:, None]
    dx = rule.neighbourhood.dx
    measured = (spectrum(pictures, dx), wavelength(pictures, dx) if _has_pattern(pictures) else None)
    made = (rule, run, len(times) - 1, seconds, pictures, *measured)
    if not isinstance(rule, Machine):
        return Column(*made)
    images = rule.images
    yardstick = leave_one_out(images) if len(images) > 1 else None
    distance = novelty(pictures, images, yardstick=yardstick)
    return Column(*made, images, distance, tuple(mosaic(rule, picture) for picture in pictures))


def _has_pattern(pictures: np.ndarray) -> bool:
    return bool(np.ptp(pictures) > 1e-6 * np.abs(pictures).max())


def _texts(column: Column) -> dict[str, str]:
    """The column of the table, as text with units."""
    rule, run = column.rule, column.run
    symbol = {"time": "t", "sigma": "sigma"}[rule.clock]
    dx = rule.neighbourhood.dx
    radii = [rule.radius(t) for t in run.times if t > 0 or rule.clock == "time"]
    reach = "whole field" if radii[0] is None else " to ".join(dict.fromkeys(str(radii[n]) for n in (0, -1)))
    texts = {
        "rule": rule.name,
        "clock": f"{symbol} = {run.times[0]:.4g} to {run.times[-1]:.4g}",
        "steps": str(column.steps),
        "field": " x ".join(map(str, run.frames.shape[-2:])),
        "replicas": str(len(column.pictures)),
        "radius seen [cells]": reach,
        "boundary": str(rule.neighbourhood.boundary),
        "standard deviation": f"{column.pictures.std():.3g}",
    }
    if column.wavelength is not None:
        texts["wavelength [cells]"] = f"{column.wavelength.value / dx:.3g} ± {column.wavelength.uncertainty / dx:.1g}"
    if column.images is not None and column.novelty is not None:
        texts["training images"] = str(len(column.images))
        texts["novelty: distance to nearest [rms]"] = f"{np.median(column.novelty.distance):.3g}"
        texts["novelty / leave-one-out"] = f"{np.median(column.novelty.relative):.2f}"
        sources = [len(np.unique(m.image)) for m in column.mosaics]
        texts["source images in a sample"] = f"{np.median(sources):.0f}"
        texts["pixels equal to their source"] = f"{np.mean(_equal_share(column)):.0%}"
    return texts


def _equal_share(column: Column) -> list[float]:
    """Share of pixels within one grey level of the centre of their nearest training patch."""
    pairs = zip(column.mosaics, column.pictures, strict=True)
    return [m.consistency(picture).fraction for m, picture in pairs]


def _strips(name: str, column: Column) -> list[Strip]:
    grey = column.rule.clock == "sigma"
    strips = [Strip(f"{name}, final state", column.pictures, "gray" if grey else None)]
    if column.images is not None and column.novelty is not None:
        index, shift = np.atleast_1d(column.novelty.index), np.atleast_2d(column.novelty.shift)
        pairs = zip(index, shift, strict=True)
        same_size = column.images.shape[2:] == column.pictures.shape[2:]
        nearest = [np.roll(column.images[n], s, axis=(-2, -1)) if same_size else column.images[n] for n, s in pairs]
        strips.append(Strip("nearest training image, over all shifts", np.stack(nearest), "gray"))
        sources = np.stack([m.image for m in column.mosaics])
        strips.append(Strip("which training image each pixel comes from", column.pictures, "gray", sources))
    return strips


def check_folder(folder: str | os.PathLike[str]) -> Path:
    """Make `folder` and try it, so that a long job does not fail at its end.

    Raises
    ------
    OSError
        If it cannot be made or written.
    """
    folder = Path(folder)
    probe = folder / "writable.txt"
    with atomic_path(probe):
        pass
    probe.unlink()
    return folder
