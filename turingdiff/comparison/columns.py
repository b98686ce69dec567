"""One rule's part of a comparison: its run, and what was measured of it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from turingdiff.comparison.page_data import perturbations, pixel_sources
from turingdiff.denoising import Machine, Mosaic, mosaic
from turingdiff.denoising._noise_prediction import as_denoiser
from turingdiff.engine import Run, simulate
from turingdiff.engine.rule import Rule
from turingdiff.engine.short_repr import short_repr
from turingdiff.engine.steppers import stepper_of
from turingdiff.measure import Novelty, Spectrum, Wavelength, leave_one_out, novelty, patterned, spectrum, wavelength
from turingdiff.show.figures import Strip
from turingdiff.show.report import Perturbations, PixelSources


@short_repr
@dataclass(frozen=True, eq=False)
class Column:
    """What was made and measured of one rule.

    Attributes
    ----------
    pictures
        (B, C, H, W), the final view of every replica.
    patterned
        (B,) whether a picture varies by more than 1e-5 of the largest value in the run.
    largest
        That value: the largest magnitude of any picture of the run.
    wavelength
        Of all pictures that vary together, in the units of ``dx``; None where none does.
    perturbations
        How far perturbations of single cells spread; along time only, as one of a machine costs as much as a sample.
    images, novelty
        The training images, and how far every picture is from them; of denoisers that have some.
    mosaics
        The training patch with the largest weight at every pixel; of machines that weigh training patches only.
    """

    rule: Rule
    run: Run
    steps: int
    seconds: float
    pictures: np.ndarray
    patterned: np.ndarray
    largest: float
    spectrum: Spectrum
    wavelength: Wavelength | None
    perturbations: Perturbations | None = None
    images: np.ndarray | None = None
    novelty: Novelty | None = None
    mosaics: tuple[Mosaic, ...] = ()

    @cached_property
    def pixel_sources(self) -> PixelSources | None:
        """The largest contribution to every pixel, level by level; computed when first asked for: it takes a while."""
        if not (self.mosaics and isinstance(self.rule, Machine)):
            return None
        return pixel_sources(self.rule, self.run, self.mosaics)


def make_column(rule: Rule, shape: tuple[int, int], samples: int, rng: int, frames: int, progress: bool) -> Column:
    """Run a rule and measure the final states."""
    if rule.clock == "sigma" and rule.ending is None:  # a reverse SDE has an ending
        rule = as_denoiser(rule, shape)
    begin = time.perf_counter()
    times = rule.times()
    start = rule.initial(shape, rng, replicas=samples)
    run = simulate(rule, start, times, stepper=stepper_of(rule), frames=frames, rng=rng, progress=progress)
    seconds = time.perf_counter() - begin
    pictures = run.view(-1)
    pictures = pictures if pictures.ndim == 4 else pictures[:, None]
    largest = max(float(np.abs(run.view(k)).max()) for k in range(len(run.times)))
    shows = np.asarray(patterned(pictures, [largest]))
    dx = rule.neighbourhood.dx
    length = wavelength(pictures[shows], dx) if shows.any() else None
    spread = perturbations(rule, run, times, largest) if rule.clock == "time" else None
    made = (rule, run, len(times) - 1, seconds, pictures, shows, largest, spectrum(pictures, dx), length, spread)
    images = getattr(rule, "images", None)
    if images is None:
        return Column(*made)
    yardstick = leave_one_out(images) if len(images) > 1 else None
    distance = novelty(pictures, images, yardstick=yardstick)
    mosaics: tuple[Mosaic, ...] = ()
    if isinstance(rule, Machine) and rule.admissible is not None:
        mosaics = tuple(mosaic(rule, picture) for picture in pictures)
    return Column(*made, images, distance, mosaics)


def strips_of(name: str, column: Column) -> list[Strip]:
    """The pictures of a column in the figure: final states, and under samples what they are made of."""
    grey = column.rule.clock == "sigma"
    uniform = int((~column.patterned).sum())
    told = f" (uniform: {uniform} of {len(column.pictures)})" if uniform else ""
    strips = [Strip(f"{name}, final state{told}", column.pictures, "gray" if grey else None, largest=column.largest)]
    if column.images is not None and column.novelty is not None:
        index, shift = np.atleast_1d(column.novelty.index), np.atleast_2d(column.novelty.shift)
        pairs = zip(index, shift, strict=True)
        same_size = column.images.shape[2:] == column.pictures.shape[2:]
        nearest = [np.roll(column.images[n], s, axis=(-2, -1)) if same_size else column.images[n] for n, s in pairs]
        strips.append(Strip("nearest training image, over all shifts", np.stack(nearest), "gray"))
    if column.mosaics:
        sources, weights = (np.stack([getattr(m, name) for m in column.mosaics]) for name in ("image", "weight"))
        title = "training image with the largest weight at each pixel; the greyer, the less it weighs"
        strips.append(Strip(title, column.pictures, "gray", sources, weights))
    return strips
