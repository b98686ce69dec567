"""What a click in the report shows, computed beforehand: the sources of a pixel, the influence cone of a cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from turingdiff.data.images import to_unit
from turingdiff.denoising import Machine, Mosaic, mosaic
from turingdiff.engine import Run
from turingdiff.engine.rule import Rule
from turingdiff.engine.steppers import stepper_of
from turingdiff.measure._influence import Influence, influences
from turingdiff.show.colour import limits
from turingdiff.show.report import Perturbations, PixelSources

SAMPLES = 4  # with sources
MOSAICS = 32  # of all samples and levels: each costs as much as one to three denoising steps of one sample
CELLS = 8  # along each side of the field
UPDATES = 1e9  # of cells, by all perturbed runs together: some four seconds of one core for two species
STRETCH = 1 / 20  # of the run
FIRST = 64  # steps, shown from near
READINGS = 8  # of these, and as many of the whole stretch
VISIBLE = 0.01  # of the largest difference of the moment


def pixel_sources(rule: Machine, run: Run, finals: Sequence[Mosaic]) -> PixelSources:
    """The largest contribution to every pixel, at some of the recorded levels and to the finished samples.

    At a level sigma the run's field y is what the machine compares with its training patches, so the nearest admissible
    one, y_Ox - p smallest, has the largest of the weights exp(-||y_Ox - p||²/(2 sigma²)) of which D(y; sigma) is the
    mean. The finished sample is compared at the lowest level. `finals` are its mosaics.
    """
    finals = finals[:SAMPLES]
    positive = np.flatnonzero(run.times > 0)
    count = min(len(positive), max(1, MOSAICS // len(finals) - 1))
    chosen = positive[np.rint(np.linspace(0, len(positive) - 1, count)).astype(int)] if count > 1 else positive[-1:]
    maps = [
        [mosaic(rule, run.frames[k, n], sigma=float(run.times[k])) for k in chosen] + [final]
        for n, final in enumerate(finals)
    ]
    pictures = np.stack([run.view(k)[: len(finals)] for k in (*chosen, len(run.times) - 1)], axis=1)
    image, row, column, weight, contributions = (
        np.array([[getattr(m, name) for m in sample] for sample in maps])
        for name in ("image", "row", "column", "weight", "contributions")
    )
    used, sprite = np.unique(image, return_inverse=True)
    return PixelSources(
        sigma=run.times[[*chosen, -1]],
        patch=np.array([m.patch for m in maps[0]]),
        levels=int((np.asarray(rule.times()) > 0).sum()),
        pictures=pictures,
        number=used,
        images=to_unit(rule.images_numbered(used)),
        image=sprite.reshape(image.shape),
        row=row,
        column=column,
        weight=weight,
        contributions=contributions,
        periodic=rule.neighbourhood.periodic,
    )


def perturbations(rule: Rule, run: Run, times: Sequence[float], largest: float) -> Perturbations:
    """The influence of a lattice of cells over the last part of a run, on the pattern of its first replica.

    Readings are dense over the first steps, where the light cone of the declared radii is inside the field, and then
    even. What would cost more than `UPDATES` is cut short. `largest` is the largest magnitude in the run.
    """
    clock, shape = np.asarray(times, float), run.frames.shape[-2:]
    rows, columns = (_lattice(length) for length in shape)
    cells = [(row, column) for row in rows for column in columns]
    begin = int(np.flatnonzero(run.times <= clock[-1] - STRETCH * (clock[-1] - clock[0]))[-1])
    first = int(np.abs(clock - run.times[begin]).argmin())
    steps = max(1, int(UPDATES / (len(cells) + 1) / (shape[0] * shape[1])))
    stretch = clock[first : first + steps + 1]
    cones = _readings(rule, run.frames[begin, 0], stretch[: FIRST + 1], cells)
    if len(stretch) > FIRST + 1:
        late = _readings(rule, run.frames[begin, 0], stretch, cells)
        cones = [_joined(*pair) for pair in zip(cones, late, strict=True)]
    picture = run.view(begin)[0].reshape(-1, *shape)
    return Perturbations(
        picture=picture,
        limits=limits([picture], largest),
        cells=np.array(cells),
        times=cones[0].times,
        steps=np.searchsorted(stretch, cones[0].times),
        maps=np.stack([one.maps for one in cones]),
        detectable=np.stack([one.radius for one in cones]),
        visible=np.stack([one.reach(VISIBLE) for one in cones]),
        bound=cones[0].bound,
        edge=int(cones[0].distance.max()),
    )


def _lattice(length: int) -> list[int]:
    count = min(CELLS, length)
    return [(2 * n + 1) * length // (2 * count) for n in range(count)]


def _readings(rule: Rule, field: np.ndarray, times: Any, cells: list[tuple[int, int]]) -> list[Influence]:
    every = -(-(len(times) - 1) // READINGS)
    return influences(rule, field, times, cells, every=every, stepper=stepper_of(rule), rng=0)


def _joined(early: Influence, late: Influence) -> Influence:
    """The readings of both, of the later one those after the earlier one's last."""
    after = late.times > early.times[-1]
    both: dict[str, Any] = {
        name: np.concatenate([getattr(early, name), getattr(late, name)[after]])
        for name in ("times", "maps", "radius", "bound")
    }
    return replace(early, **both)
