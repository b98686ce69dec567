"""How new an image is: its distance to the nearest training image, wherever that may have been shifted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from turingdiff.engine.short_repr import short_repr
from turingdiff.patches.nearest_shift import nearest_shift

__all__ = ["Novelty", "leave_one_out", "novelty"]


@short_repr
@dataclass(frozen=True)
class Novelty:
    """The nearest training image; of a batch every attribute is an array with a leading axis B.

    Attributes
    ----------
    distance
        Root-mean-square difference over pixels and channels; 0 for a copy.
    index
        Which training image.
    shift
        (dy, dx) such that ``np.roll(images[index], shift, axis=(-2, -1))`` is nearest to the image; on a
        larger canvas, where the upper left corner of the nearest window lies. (B, 2) for a batch.
    relative
        ``distance`` over the median leave-one-out distance of the training set: 0 for a copy, about 1 for
        what is as new as one more training image would be. NaN where that median is 0 or there is only one
        training image.
    """

    distance: float | NDArray[np.float64]
    index: int | NDArray[np.int64]
    shift: tuple[int, int] | NDArray[np.int64]
    relative: float | NDArray[np.float64]


def novelty(image: ArrayLike, images: ArrayLike, *, yardstick: ArrayLike | None = None) -> Novelty:
    """Find the nearest training image over all shifts.

        distance = min over n, s of sqrt(mean over i, c of (image[c, i + s] - images[n, c, i])²)

    where i runs over the pixels of a training image, and i + s wraps at the edges of ``image``. So an image
    of the training images' size is compared with all their circular shifts, and a larger canvas is searched
    for a copy anywhere in it, across its seams too. Ties go to the lowest index, then to the first shift.

    Exact: candidates are found by Fourier transforms in float64 and measured again directly, so a copy has
    distance 0. A transform of a training image that cannot win is skipped.

    Parameters
    ----------
    image
        (C, H, W) or (B, C, H, W), at least as large as a training image.
    images
        (N, C, H', W'), on the scale of ``image``. uint8, in either, stands for u/127.5 - 1, and is converted
        block by block.
    yardstick
        Distances whose median is the unit of ``relative``, as ``leave_one_out(images)`` gives them. None
        computes them, at the cost of 32 more look-ups; compute them once if you ask often.

    Raises
    ------
    TypeError
        If an array is neither uint8 nor float.
    ValueError
        If shapes do not fit or values are not finite.
    """
    query, train = _check_pair(image, images)
    if query.shape[-2] < train.shape[2] or query.shape[-1] < train.shape[3]:
        raise ValueError(
            f"image has shape {query.shape} and images {train.shape}, "
            "expected an image at least as large both ways; cut the training images to its size"
        )
    batch = query if query.ndim == 4 else query[None]
    distance, index, shift = nearest_shift(batch, train)
    relative = distance / _unit(train, yardstick)
    if query.ndim == 4:
        return Novelty(distance, index, shift, relative)
    return Novelty(float(distance[0]), int(index[0]), (int(shift[0, 0]), int(shift[0, 1])), float(relative[0]))


def leave_one_out(images: ArrayLike, sample: int = 32) -> NDArray[np.float64]:
    """Measure how far training images are from the nearest *other* one over all shifts.

    Parameters
    ----------
    images
        (N, C, H, W) with N at least 2, as in ``novelty``.
    sample
        How many to measure, evenly spaced through the set; all of them if it has no more.

    Returns
    -------
    numpy.ndarray
        (min(sample, N),) distances as in ``novelty``, in the order of the set.

    Raises
    ------
    TypeError
        If the array is neither uint8 nor float.
    ValueError
        If there are fewer than two images, ``sample`` is below 1 or values are not finite.
    """
    train, chosen = _check_sample(images, sample)
    return nearest_shift(train[chosen], train, skip=chosen)[0]


def _check_pair(image: ArrayLike, images: ArrayLike) -> tuple[NDArray, NDArray]:
    query, train = _check(image, "image", (3, 4)), _check(images, "images", (4,))
    if query.shape[-3] != train.shape[1]:
        raise ValueError(
            f"image has {query.shape[-3]} channels (shape {query.shape}) and images have {train.shape[1]} "
            f"(shape {train.shape}), expected the same number"
        )
    return query, train


def _check_sample(images: ArrayLike, sample: int) -> tuple[NDArray, NDArray[np.int64]]:
    """The images, and the indices of `sample` of them, evenly spaced."""
    train = _check(images, "images", (4,))
    if len(train) < 2:
        raise ValueError("images holds 1 image, expected at least 2: each needs another to be near")
    if sample < 1:
        raise ValueError(f"sample is {sample}, expected at least 1")
    return train, np.unique(np.linspace(0, len(train) - 1, min(int(sample), len(train))).round().astype(np.int64))


def _check(images: ArrayLike, name: str, axes: Sequence[int]) -> NDArray:
    array = np.asarray(images)
    if array.dtype != np.uint8 and array.dtype.kind != "f":
        raise TypeError(f"{name}: got dtype {array.dtype}, expected uint8 (0..255) or float")
    if array.ndim not in axes or not array.size:
        shapes = {3: "(C, H, W)", 4: "(B, C, H, W)"} if name == "image" else {4: "(N, C, H, W)"}
        expected = " or ".join(shapes.values())
        raise ValueError(f"{name}: got shape {array.shape}, expected {expected}, none of them 0")
    if not np.isfinite([array.min(), array.max()]).all():  # both are NaN as soon as one value is
        raise ValueError(f"{name}: has NaN or infinite values, expected finite ones")
    return array


def _unit(train: NDArray, yardstick: ArrayLike | None) -> float:
    if yardstick is None:
        if len(train) < 2:
            return np.nan
        distances = leave_one_out(train)
    else:
        distances = np.asarray(yardstick, float)
        if not distances.size or not np.isfinite(distances).all() or distances.min() < 0:
            raise ValueError(
                f"yardstick is {yardstick!r}, expected finite distances of at least 0, "
                "as leave_one_out(images) gives them"
            )
    return float(np.median(distances)) or np.nan
