"""Where every pixel of an image comes from: the patch mosaic of the theorem."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from turingdiff.data.images import to_unit
from turingdiff.denoising import patch_kernels
from turingdiff.denoising.lanes import LANES
from turingdiff.denoising.machine import Machine
from turingdiff.denoising.patch_sizes import odd
from turingdiff.denoising.posterior import image_lanes, padded_queries
from turingdiff.engine.flow import check_field

# Squared distances closer than this are equal: one grey level in one pixel of a byte image is 6e-5.
TIE = 1e-9


@dataclass(frozen=True, eq=False)
class Mosaic:
    """For each pixel of a (C, H, W) image, the training patch nearest to its window.

    Attributes
    ----------
    image
        (H, W) index of the training image.
    row, column
        (H, W) place of the patch's centre in it.
    distance
        (H, W) root of the squared distance between the windows.
    value
        (C, H, W) the centre of that patch.
    patch
        Side of the window.
    """

    image: np.ndarray
    row: np.ndarray
    column: np.ndarray
    distance: np.ndarray
    value: np.ndarray
    patch: int


def mosaic(machine: Machine, image: np.ndarray, patch: int | None = None) -> Mosaic:
    """The nearest admissible training patch of every pixel (Kamb & Ganguli 2025, theorem 4.1).

    By the theorem a finished sample of the machine equals the centre of that patch at every pixel. Ties (identical
    patches, as in plain backgrounds) go to the lowest image index, then the lowest row, then the lowest column.

    Parameters
    ----------
    image
        (C, H, W) in [-1, 1], or uint8.
    patch
        Odd side of the window; by default the one that the machine uses at its lowest level.
    """
    image = np.asarray(image)
    field = check_field(machine, to_unit(image) if image.dtype == np.uint8 else image).astype(float)
    if field.ndim != 3:
        raise ValueError(f"mosaic takes one image (C, H, W), got {field.shape}")
    shape, images = field.shape[1:], machine.images
    r = _radius(machine, patch, shape)
    if machine.admissible is None:
        raise ValueError(f"{machine.name} does not compare a pixel with training patches: it has no mosaic")
    places = machine.admissible(shape, images.shape[2:], r)
    queries = padded_queries(field[None], r, places.wraps)
    least = np.full(shape, np.inf)
    winner, place = np.zeros(shape, int), np.zeros(shape, int)
    first = 0
    for banks in image_lanes(images, shape, r, places.wraps, field.dtype, 3 * LANES):
        lanes = (1, len(banks), shape[0], shape[1] * LANES)
        best, found = np.full(lanes, np.inf), np.zeros(lanes, np.int64)
        patch_kernels.nearest_patches(
            queries, banks, places.rows, places.columns, r, TIE, *images.shape[2:], best, found
        )
        for k in range(len(banks)):
            split = (*shape, LANES)
            distances = best[0, k].reshape(split)
            lane = (distances <= distances.min(-1, keepdims=True) + TIE).argmax(-1)[..., None]
            distance = np.take_along_axis(distances, lane, -1)[..., 0]
            closer = distance < least - TIE
            least = np.where(closer, distance, least)
            winner = np.where(closer, first + lane[..., 0], winner)
            place = np.where(closer, np.take_along_axis(found[0, k].reshape(split), lane, -1)[..., 0], place)
            first += LANES
    row, column = np.divmod(place, images.shape[3])
    value = to_unit(images[winner, :, row, column]).transpose(2, 0, 1)
    return Mosaic(winner, row, column, np.sqrt(least), value, 2 * r + 1)


def _radius(machine: Machine, patch: int | None, shape: tuple[int, int]) -> int:
    if patch is not None:
        return odd(patch, "patch") // 2
    lowest = float(machine.times()[-2])
    r = machine.radius(lowest)
    return max(shape) - 1 if r is None else r
