"""Patch sizes from a trained network: the window whose score is most like the network's, level by level."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from turingdiff.data.images import check_images
from turingdiff.denoising._calibration import denoise_with_sizes, made_with, odd_sizes
from turingdiff.denoising._denoiser import Denoiser
from turingdiff.denoising._equivariant_local import equivariant_local
from turingdiff.denoising._levels import cosine_levels
from turingdiff.denoising._machine import Machine
from turingdiff.denoising._noise_prediction import as_denoiser
from turingdiff.denoising._patch_sizes import ChosenSizes
from turingdiff.engine.evolution import evolve
from turingdiff.engine.rule import Rule
from turingdiff.engine.short_repr import short_repr
from turingdiff.engine.times import check_times


@short_repr
@dataclass(frozen=True, eq=False)
class NetworkCalibration(ChosenSizes):
    """The patch size for each noise level that is most like a network; machines take it as `patch`.

    Attributes
    ----------
    levels, sizes
        The levels, rising, and the size chosen at each; as a function of sigma, that of the nearest in log sigma.
    patches
        The sizes that were tried.
    similarities
        (levels, patches, trajectories): the cosine similarity of the two scores.
    """

    similarities: np.ndarray

    def __str__(self) -> str:
        """Level, size and median similarity, a line each."""
        return self.listing("cosine similarity", self.similarities)


def calibrate_to(
    network: Rule,
    images: np.ndarray,
    machine: Callable[..., Machine] = equivariant_local,
    *,
    boundary: str | None = None,
    levels: Sequence[float] | np.ndarray | None = None,
    patches: Iterable[int] | None = None,
    trajectories: int = 10,
    rng: int | np.random.Generator = 1,
) -> NetworkCalibration:
    """Choose the patch sizes of a machine by how like its score is to that of a trained network.

    The network denoises fresh noise along `levels`. At each level, on the field that the network has then, the cosine
    similarity of its score with that of the machine is taken for every patch size,

        <y - D_network, y - D_k> / (|y - D_network| |y - D_k|),

    and the best size; the size of the level is the (lower) median over the trajectories (Kamb & Ganguli 2025, C.2). It
    is used at the level it was chosen for.

    Parameters
    ----------
    network
        `network(...)`, or any other denoiser: your own, or a deterministic ``td.Rule(clock="sigma")``.
    images
        The training set (N, C, H, W), of the network too; the trajectories have the size of its images.
    machine, boundary
        `equivariant_local` or `local`, and its boundary; by default that of the network.
    levels
        Falling noise levels of the trajectories; by default the 20 of `cosine_levels`.
    patches
        Odd sizes, by default from 3 to the receptive field of the network.
    trajectories
        How many noises.
    rng
        Their seed: another one than that of the noises on which machine and network will be compared.

    Raises
    ------
    ValueError
        For another machine, a network of other channels, no sizes or even ones, or levels that do not fall.
    """
    images = check_images(images)
    network = as_denoiser(network, images.shape[2:])
    if len(network.channels) != images.shape[1]:
        raise ValueError(f"{network.name} has {len(network.channels)} channels, the images {images.shape[1]}")
    if trajectories != int(trajectories) or trajectories < 1:
        raise ValueError(f"trajectories must be a whole number >= 1, got {trajectories!r}")
    grid: Any = np.asarray(cosine_levels(20) if levels is None else levels)
    check_times(grid)
    if grid[0] < grid[-1]:
        raise ValueError(f"levels must fall from noise to image, got {grid[0]} to {grid[-1]}")
    sizes = _sizes(patches, network, images.shape[2:])
    boundary = str(network.neighbourhood.boundary) if boundary is None else boundary
    made = made_with(machine, images, sizes[-1], boundary)
    start = network.initial(images.shape[2:], rng, replicas=int(trajectories))
    found = [
        (sigma, _similarities(network, made, fields, sigma, sizes))
        for sigma, fields in evolve(network, start, grid)
        if sigma > 0
    ]
    rising = found[::-1]
    best = [np.sort(similar.argmax(axis=0)) for _, similar in rising]
    chosen = tuple(sizes[ranks[(len(ranks) - 1) // 2]] for ranks in best)
    return NetworkCalibration(np.array([s for s, _ in rising]), chosen, sizes, np.stack([s for _, s in rising]))


def _similarities(
    network: Denoiser, machine: Machine, fields: np.ndarray, sigma: float, sizes: Sequence[int]
) -> np.ndarray:
    """Cosine similarities of the scores (sizes, B) on `fields` (B, C, H, W)."""
    theirs = (fields - network.denoise(fields, sigma)).astype(float)
    ours = (fields - denoise_with_sizes(machine, fields, sigma, sizes)).astype(float)
    products = (ours * theirs).sum(axis=(2, 3, 4))
    return products / np.sqrt((ours**2).sum(axis=(2, 3, 4)) * (theirs**2).sum(axis=(1, 2, 3)))


def _sizes(patches: Iterable[int] | None, network: Denoiser, shape: tuple[int, ...]) -> tuple[int, ...]:
    reach = network.neighbourhood.radius
    seen = min(shape) if reach is None else min(2 * reach + 1, min(shape))
    return odd_sizes(range(3, seen + 1, 2) if patches is None else patches)
