"""Patch sizes from the images themselves: the window that denoises best at each level."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from inspect import signature

import numpy as np

from turingdiff.data.images import check_images, to_unit
from turingdiff.denoising._equivariant_local import equivariant_local
from turingdiff.denoising._levels import cosine_levels, level
from turingdiff.denoising._machine import Machine
from turingdiff.denoising._patch_sizes import ChosenSizes, odd
from turingdiff.engine.short_repr import short_repr
from turingdiff.patches.posterior import posterior_of_sizes


@short_repr
@dataclass(frozen=True, eq=False)
class Calibration(ChosenSizes):
    """A patch size for each noise level, from the lowest up; machines take it as `patch`.

    Attributes
    ----------
    levels, sizes
        The levels, rising, and the size chosen at each; as a function of sigma, that of the nearest in log sigma.
    patches
        The sizes that were tried.
    errors
        (levels, patches): mean squared error of the denoised held-out images; NaN for sizes below that of the level
        before, which were not tried.
    """

    errors: np.ndarray

    def __str__(self) -> str:
        """Level, size and error, a line each."""
        return self.listing("mean squared error", self.errors)


def calibrate(
    images: np.ndarray,
    held_out: np.ndarray,
    machine: Callable[..., Machine] = equivariant_local,
    *,
    boundary: str = "zero",
    levels: Sequence[float] | np.ndarray | None = None,
    patches: Iterable[int] | None = None,
    rng: int | np.random.Generator = 0,
) -> Calibration:
    """Choose the patch sizes of a machine by how well it denoises images that it does not know; no network is needed.

    From the lowest level up the patch grows while the error on the held-out images, mean ||D(x + sigma n) - x||² a
    number, does not rise; it never shrinks as sigma grows. The noise n is drawn once for each held-out image and
    serves all levels and sizes: give an image several times for several draws.

    All sizes of a level are computed together: the squared differences of an image and a shifted one serve them all.
    The sizes below that of the level before are left out.

    Cost: a denoising of every held-out image at every level and size that is tried, in float32 throughout.

    Parameters
    ----------
    images
        The training set (N, C, H, W).
    held_out
        (M, C, H, W) images of the same kind that are not in it.
    machine, boundary
        `equivariant_local` or `local`, and its boundary.
    levels
        Noise levels; by default the 20 of `cosine_levels`. A level 0 is left out.
    patches
        Odd sizes, by default all from 3 to the side of the images.
    rng
        Seed of the noise.

    Raises
    ------
    ValueError
        For held-out images of another shape or from the training set, no sizes, even ones, or ones for which the
        machine is not defined; for levels below 0, or none above.
    """
    images, clean = check_images(images), _check_held_out(held_out, images)
    grid = _rising(cosine_levels(20) if levels is None else levels)
    sizes = odd_sizes(range(3, min(images.shape[2:]) + 1, 2) if patches is None else patches)
    made = made_with(machine, images, sizes[-1], boundary)
    noise = np.random.default_rng(rng).standard_normal(clean.shape, np.float32)
    errors = np.full((len(grid), len(sizes)), np.nan)
    chosen, n = [], 0
    for sigma, row in zip(grid, errors, strict=True):
        found = denoise_with_sizes(made, clean + np.float32(sigma) * noise, float(sigma), sizes[n:])
        row[n:] = ((found - clean) ** 2).mean(axis=(1, 2, 3, 4), dtype=float)
        while n + 1 < len(sizes) and row[n + 1] <= row[n]:
            n += 1
        chosen.append(sizes[n])
    return Calibration(grid, tuple(chosen), sizes, errors)


def denoise_with_sizes(machine: Machine, fields: np.ndarray, sigma: float, sizes: Sequence[int]) -> np.ndarray:
    """D of (B, C, H, W) fields of the images' size with each of several rising patch sizes: (sizes, B, C, H, W)."""
    assert machine.admissible is not None  # the machines of `calibrate` have it
    return posterior_of_sizes(machine.images, machine.admissible, fields, level(sigma), sizes)


def made_with(machine: Callable[..., Machine], images: np.ndarray, patch: int, boundary: str) -> Machine:
    """Make a machine whose patch sizes can be chosen: D is a softmax over the admissible patches of a pixel."""
    takes_patch = callable(machine) and {"patch", "boundary"} <= set(signature(machine).parameters)
    made = machine(images, patch=patch, boundary=boundary) if takes_patch else None
    if made is None or made.admissible is None:
        name = getattr(machine, "__name__", repr(machine))
        raise ValueError(
            "patch sizes are chosen for machines that weigh the training patches of a pixel, such as "
            f"equivariant_local and local, got {name}"
        )
    return made


def _check_held_out(held_out: np.ndarray, images: np.ndarray) -> np.ndarray:
    clean, known = to_unit(check_images(held_out)), to_unit(images)
    if clean.shape[1:] != known.shape[1:]:
        raise ValueError(f"held-out images must have the shape of the others, {known.shape[1:]}, got {clean.shape[1:]}")
    index = {image.tobytes(): n for n, image in enumerate(known)}
    for m, image in enumerate(clean):
        if image.tobytes() in index:
            raise ValueError(
                f"held-out image {m} is training image {index[image.tobytes()]}: the largest patch would always win. "
                "Take it out of one of the two"
            )
    return clean


def _rising(levels: Sequence[float] | np.ndarray) -> np.ndarray:
    grid = np.unique(np.asarray(levels, float))
    if not np.isfinite(grid).all() or (grid < 0).any() or not (grid > 0).any():
        raise ValueError(f"levels must be finite and positive (0 may stand at the end), got {levels!r}")
    return grid[grid > 0]


def odd_sizes(patches: Iterable[int]) -> tuple[int, ...]:
    """Patch sizes to choose from, rising."""
    sizes = tuple(sorted({odd(size, "a size in patches") for size in patches}))
    if not sizes:
        raise ValueError(f"there are no patch sizes to choose from, got {patches!r}")
    return sizes
