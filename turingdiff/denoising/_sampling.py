"""Forward noising and sampling."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from turingdiff.data.images import check_images, to_unit
from turingdiff.denoising._denoiser import initial_noise, no_cell
from turingdiff.denoising._noise_prediction import as_denoiser
from turingdiff.engine.evolution import evolve
from turingdiff.engine.rule import Rule
from turingdiff.engine.steppers import AnyStepper, euler
from turingdiff.engine.times import check_times


def add_noise(images: np.ndarray, sigma: float, rng: int | np.random.Generator) -> np.ndarray:
    """Add noise: y = x + sigma n of images x (N, C, H, W), float32."""
    if not (np.isfinite(sigma) and sigma >= 0):
        raise ValueError(f"sigma must be finite and >= 0, got {sigma!r}")
    clean = to_unit(check_images(images))
    noise = np.random.default_rng(rng).standard_normal(clean.shape, np.float32)
    return clean + np.float32(sigma) * noise


def sample(
    machine: Rule,
    n: int = 8,
    shape: tuple[int, int] | None = None,
    levels: Sequence[float] | None = None,
    *,
    labels: Sequence[Any] | None = None,
    rng: int | np.random.Generator = 0,
    stepper: AnyStepper = euler,
    dtype: Any = np.float32,
) -> np.ndarray:
    """N new images (n, C, H, W) in [-1, 1], from noise along `levels` (by default 20 cosine levels).

    Image i is the same for every n. `shape` is by default that of the training images.

    Parameters
    ----------
    machine
        A machine, a network, a denoiser of your own, or a ``td.Rule(clock="sigma")``, which needs a `shape`.
    labels
        (n,) the class of each image, for a machine that was given labels, or a network that was.

    Raises
    ------
    TypeError
        For a rule that is no denoiser, as `Denoiser.reverse_sde`.
    ValueError
        For a canvas on which the machine is not defined, levels that do not fall, or labels that do not fit.
    """
    machine = as_denoiser(machine, shape)
    if n != int(n) or n < 1:
        raise ValueError(f"n must be a whole number >= 1, got {n!r}")
    if labels is not None and np.shape(labels) != (n,):
        raise ValueError(f"labels must be one for each of the {n} images, got {labels!r}")
    grid = check_times(machine.times() if levels is None else levels)
    if grid[-1] > grid[0]:
        raise ValueError(f"levels must fall from noise to image, got {grid[0]} to {grid[-1]}")
    canvas: Any = machine.canvas if shape is None else tuple(shape)
    generator = np.random.default_rng(rng)
    noise = Rule(no_cell, (), machine.channels, clock="sigma", start=partial(initial_noise, sigma=grid[0]))
    start = noise.initial(canvas, generator, dtype, int(n))
    if labels is None:
        return _last_picture(machine, start, grid, stepper, generator)
    of_class = {label: machine.conditional(label) for label in dict.fromkeys(np.asarray(labels).tolist())}
    return np.stack(
        [
            _last_picture(of_class[label], field, grid, stepper, noise)
            for label, field, noise in zip(np.asarray(labels).tolist(), start, generator.spawn(n), strict=True)
        ]
    )


def _last_picture(machine, start, grid, stepper, rng) -> np.ndarray:
    *_, (sigma, field) = evolve(machine, start, grid, stepper=stepper, every=len(grid) - 1, rng=rng)
    return machine.view(field, sigma)
