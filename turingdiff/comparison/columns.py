"""One rule's part of a comparison: its run, and what was measured of it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from turingdiff.comparison.page_data import nudges, origins
from turingdiff.denoising import Machine, Mosaic, mosaic
from turingdiff.engine import Run, simulate
from turingdiff.engine.rule import Rule
from turingdiff.measure import Novelty, Spectrum, Wavelength, leave_one_out, novelty, spectrum, wavelength
from turingdiff.show.figures import Strip
from turingdiff.show.report import Nudges, Origins


@dataclass(frozen=True, eq=False)
class Column:
    """What was made and measured of one rule.

    Attributes
    ----------
    pictures
        (B, C, H, W), the final view of every replica.
    patterned
        (B,) whether a picture varies by more than rounding.
    wavelength
        Of all pictures that vary together, in the units of ``dx``; None where none does.
    nudges
        What became of nudged cells; along time only, as one nudge of a machine costs as much as a sample.
    images, novelty
        The training images, and how far every picture is from them; of machines only.
    mosaics
        Where every pixel comes from; of machines that weigh training patches only.
    """

    rule: Rule
    run: Run
    steps: int
    seconds: float
    pictures: np.ndarray
    patterned: np.ndarray
    spectrum: Spectrum
    wavelength: Wavelength | None
    nudges: Nudges | None = None
    images: np.ndarray | None = None
    novelty: Novelty | None = None
    mosaics: tuple[Mosaic, ...] = ()

    @cached_property
    def origins(self) -> Origins | None:
        """The sources of every pixel, level by level; computed when first asked for, as it takes a while."""
        if not (self.mosaics and isinstance(self.rule, Machine)):
            return None
        return origins(self.rule, self.run, self.mosaics)


def make_column(rule: Rule, shape: tuple[int, int], samples: int, rng: int, frames: int, progress: bool) -> Column:
    """Run a rule and measure the final states."""
    begin = time.perf_counter()
    times = rule.times()
    run = simulate(rule, rule.initial(shape, rng, replicas=samples), times, frames=frames, rng=rng, progress=progress)
    seconds = time.perf_counter() - begin
    pictures = run.view(-1)
    pictures = pictures if pictures.ndim == 4 else pictures[:, None]
    patterned = np.ptp(pictures, axis=(1, 2, 3)) > 1e-6 * np.abs(pictures).max()
    dx = rule.neighbourhood.dx
    length = wavelength(pictures[patterned], dx) if patterned.any() else None
    found = nudges(rule, run, times) if rule.clock == "time" else None
    made = (rule, run, len(times) - 1, seconds, pictures, patterned, spectrum(pictures, dx), length, found)
    if not isinstance(rule, Machine):
        return Column(*made)
    yardstick = leave_one_out(rule.images) if len(rule.images) > 1 else None
    distance = novelty(pictures, rule.images, yardstick=yardstick)
    weighs = rule.admissible is not None
    return Column(*made, rule.images, distance, tuple(mosaic(rule, p) for p in pictures) if weighs else ())


def strips_of(name: str, column: Column) -> list[Strip]:
    """The pictures of a column in the figure: final states, and under samples what they are made of."""
    grey = column.rule.clock == "sigma"
    strips = [Strip(f"{name}, final state", column.pictures, "gray" if grey else None)]
    if column.images is not None and column.novelty is not None:
        index, shift = np.atleast_1d(column.novelty.index), np.atleast_2d(column.novelty.shift)
        pairs = zip(index, shift, strict=True)
        same_size = column.images.shape[2:] == column.pictures.shape[2:]
        nearest = [np.roll(column.images[n], s, axis=(-2, -1)) if same_size else column.images[n] for n, s in pairs]
        strips.append(Strip("nearest training image, over all shifts", np.stack(nearest), "gray"))
    if column.mosaics:
        sources = np.stack([m.image for m in column.mosaics])
        strips.append(Strip("which training image each pixel comes from", column.pictures, "gray", sources))
    return strips
