"""Patch sizes: an odd number, a function of sigma, a schedule of levels, or the name of a published one.

Kamb & Ganguli (2025, C.2) chose, at each of the 20 levels t = 1/20 ... 1 of the cosine schedule, the size whose score
is most like the trained network's. Their code stores the size for t = i/20 at index i - 1 but reads index i there; here
a size is used at the level it was calibrated for. A schedule is looked up at the nearest level in log sigma.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from turingdiff.denoising._levels import cosine_sigma
from turingdiff.engine.short_repr import short_repr
from turingdiff.engine.suggestions import unknown

PatchSize = int | str | Callable[[float], int]

# From t = 1/20 (low noise) to t = 1, as shipped with the paper's code: data set, network, padding.
PUBLISHED = {
    "cifar10-resnet-zeros": (3, 3, 3, 3, 5, 5, 5, 7, 7, 7, 7, 9, 9, 11, 11, 13, 15, 17, 17, 17),
    "cifar10-resnet-circular": (3, 3, 3, 3, 5, 5, 5, 5, 7, 7, 7, 9, 9, 11, 11, 13, 13, 15, 15, 15),
    "cifar10-unet-zeros": (3, 3, 3, 3, 5, 5, 5, 5, 7, 7, 7, 7, 9, 9, 11, 13, 13, 15, 17, 25),
    "celeba-resnet-zeros": (3, 3, 3, 5, 5, 5, 5, 5, 7, 7, 9, 9, 9, 11, 11, 11, 13, 15, 19, 19),
    "celeba-unet-zeros": (3, 3, 3, 3, 3, 3, 3, 5, 5, 5, 5, 5, 7, 7, 9, 9, 9, 13, 19, 27),
    "fashion-resnet-zeros": (3, 3, 5, 5, 7, 7, 9, 9, 9, 11, 11, 11, 13, 13, 13, 15, 15, 15, 17, 17),
    "fashion-unet-zeros": (3, 3, 5, 5, 7, 7, 7, 9, 11, 11, 11, 13, 15, 15, 21, 23, 25, 25, 25, 25),
    "mnist-resnet-zeros": (3, 3, 5, 5, 5, 7, 7, 7, 9, 9, 11, 11, 11, 11, 13, 15, 15, 15, 15, 15),
    "mnist-resnet-circular": (3, 3, 5, 5, 5, 7, 7, 9, 9, 9, 11, 11, 11, 11, 9, 9, 7, 7, 3, 3),
    "mnist-unet-zeros": (3, 3, 3, 5, 5, 7, 7, 7, 9, 9, 9, 11, 13, 15, 17, 21, 23, 23, 25, 27),
}

# Calibrated to the networks that come with the package (scripts/theory_and_experiment.py): for ELS, and for LS.
OURS = {
    "resnet-zeros": (3, 3, 3, 5, 5, 5, 5, 7, 7, 9, 9, 9, 9, 11, 11, 13, 13, 13, 13, 13),
    "resnet-zeros-local": (3, 3, 3, 3, 3, 3, 5, 5, 5, 5, 7, 7, 7, 9, 9, 11, 13, 13, 13, 15),
    "resnet-circular": (3, 3, 3, 5, 5, 5, 7, 7, 7, 9, 9, 9, 11, 11, 13, 13, 15, 15, 13, 11),
    "resnet-circular-local": (3, 3, 3, 3, 3, 3, 5, 5, 5, 5, 7, 7, 7, 7, 9, 11, 13, 15, 17, 11),
}


@short_repr
@dataclass(frozen=True, eq=False)
class Schedule:
    """Patch sizes by noise level; as a function of sigma, the size of the level that is nearest in log sigma."""

    levels: np.ndarray
    sizes: tuple[int, ...]

    def __call__(self, sigma: float) -> int:
        """The size at sigma."""
        return self.sizes[int(np.abs(np.log(self.levels) - np.log(sigma)).argmin())]


@short_repr
@dataclass(frozen=True, eq=False)
class ChosenSizes(Schedule):
    """A schedule of sizes that were chosen among several, `patches`."""

    patches: tuple[int, ...]

    def listing(self, title: str, values: np.ndarray) -> str:
        """Level, size and the (median) value of that choice, a line each; `values` are (levels, patches, ...)."""
        rows = zip(self.levels, self.sizes, values, strict=True)
        lines = (f"{sigma:8.4g}  {n:5}  {np.median(row[self.patches.index(n)]):.4g}" for sigma, n, row in rows)
        return "\n".join([f"   sigma  patch  {title}", *lines])


SCHEDULES = {
    name: Schedule(cosine_sigma(np.arange(1, len(sizes) + 1) / len(sizes)), sizes)
    for name, sizes in (PUBLISHED | OURS).items()
}


def patch_sizes(patch: PatchSize, levels: np.ndarray) -> tuple[Callable[[float], int], int]:
    """The patch size as a function of sigma, and the largest it takes on `levels`.

    Raises
    ------
    ValueError
        For an even or non-positive size, or an unknown schedule.
    """
    size = size_function(patch, SCHEDULES, odd)
    # A schedule may have levels beyond these.
    used = size.sizes if isinstance(size, Schedule) else [size(float(sigma)) for sigma in levels if sigma > 0]
    return size, max(used)


def size_function(
    patch: PatchSize, schedules: Mapping[str, Schedule], check: Callable[[int, str], int]
) -> Callable[[float], int]:
    """The patch size as a function of sigma; `check` passes on a size or says what is wrong with it."""
    if isinstance(patch, str):
        if patch not in schedules:
            raise ValueError(unknown("published patch schedule", patch, schedules))
        return schedules[patch]
    if isinstance(patch, Schedule):
        return patch
    if callable(patch):
        return lambda sigma: check(patch(sigma), f"patch({sigma:g})")
    size = check(patch, "patch")
    return lambda sigma: size


def odd(size: int, name: str) -> int:
    """Pass on an odd number of pixels; `name` is what the error calls it."""
    if isinstance(size, bool) or not isinstance(size, (int, np.integer)):
        raise TypeError(f"{name} must be an odd whole number, a function of sigma or a schedule's name, got {size!r}")
    if size < 1 or size % 2 == 0:
        raise ValueError(f"{name} must be odd and >= 1 (a patch has a centre), got {size}: try {max(1, size - 1)}")
    return int(size)
