"""How new the parts of an image are: the distance of every local window to the nearest one of the training set."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from turingdiff.engine.short_repr import short_repr
from turingdiff.measure._novelty import _check_pair, _check_sample, _unit
from turingdiff.patches.nearest_windows import Boundary, nearest_windows

__all__ = ["PatchDistance", "patch_distance", "patch_leave_one_out"]


@short_repr
@dataclass(frozen=True, eq=False)
class PatchDistance:
    """The nearest training window of every local window; of a batch every attribute has a leading axis B.

    Attributes
    ----------
    distance
        Root-mean-square of `map`, in units of the images; 0 where every window is a copy.
    map
        (H', W') root-mean-square difference over the pixels and channels of a window. [i, j] is the window centred at
        pixel (i, j) or, with ``boundary=None``, at (i + patch//2, j + patch//2).
    image
        (H', W') index of the training image with the nearest window.
    row, column
        (H', W') pixel of that image at which the window is centred.
    relative
        ``distance`` over the median leave-one-out patch distance of the training set: 0 for a copy, about 1 for what is
        made as one more training image would be. NaN where that median is 0 or there is only one training image.
    """

    distance: float | NDArray[np.float64]
    map: NDArray[np.float64]
    image: NDArray[np.int64]
    row: NDArray[np.int64]
    column: NDArray[np.int64]
    relative: float | NDArray[np.float64]


def patch_distance(
    image: ArrayLike,
    images: ArrayLike,
    patch: int,
    *,
    boundary: Boundary = None,
    yardstick: ArrayLike | None = None,
) -> PatchDistance:
    """Measure how far every local window of an image is from the nearest window of any training image.

        map[x] = min over n, z of sqrt(mean over offsets d of the window and channels c of
                                       (image[c, x + d] - images[n, c, z + d])²)

    A training image has 0 everywhere, and so has the inside of any piece of one, wherever it was put: of a mosaic only
    windows that reach across a seam differ. With `novelty` it spans the plane of creativity: copies lie at the origin,
    noise far out on both, what is new and locally right far out in novelty alone. On the torus, for an image of the
    size of the training images, it never exceeds the distance of `novelty`, which takes all windows from one place.

    Exact: what is skipped has been shown to be farther, and distances are summed directly in float64, so a copy has
    distance 0. Ties go to the lowest index, then to the lowest row and column. A few seconds for a 28x28 image among
    2000; windows of noise, which are far from all, take a few times longer.

    The mean over windows is the coherence term of Simakov et al. (2008, bidirectional similarity).

    Parameters
    ----------
    image
        (C, H, W) or (B, C, H, W), of any size that holds a window.
    images
        (N, C, H', W'), on the scale of ``image``. uint8, in either, stands for u/127.5 - 1.
    patch
        Odd side of the window in pixels.
    boundary
        Which windows there are, in the image and in the training images alike. None: those inside. "periodic": one
        about every pixel, on a torus, for Turing patterns and machines on one. "zero": one about every pixel, with
        zeros beyond the edge, as a boundary-broken machine sees them.
    yardstick
        Distances whose median is the unit of ``relative``, as ``patch_leave_one_out(images, patch)`` gives them. None
        computes them, at the cost of 16 more look-ups; compute them once if you ask often.

    Raises
    ------
    TypeError
        If an array is neither uint8 nor float, or the patch no whole number.
    ValueError
        If shapes do not fit, values are not finite, the patch is even or larger than an image, or ``boundary`` is
        another word.
    """
    query, train = _check_pair(image, images)
    patch = _check_patch(patch, boundary, query, train)
    if yardstick is None and len(train) > 1:
        yardstick = patch_leave_one_out(train, patch, boundary=boundary)
    unit = _unit(train, yardstick)
    one = query.ndim == 3
    found = nearest_windows(query[None] if one else query, train, patch, boundary)
    squares = found.square / (train.shape[1] * patch**2)
    distance = np.sqrt(squares.mean(axis=(1, 2)))
    middle = 0 if boundary else patch // 2
    maps, row, column = np.sqrt(squares), found.row + middle, found.column + middle
    if one:
        nearest = float(distance[0])
        return PatchDistance(nearest, maps[0], found.image[0], row[0], column[0], nearest / unit)
    return PatchDistance(distance, maps, found.image, row, column, distance / unit)


def patch_leave_one_out(
    images: ArrayLike, patch: int, *, boundary: Boundary = None, sample: int = 16
) -> NDArray[np.float64]:
    """Measure how far the local windows of training images are from those of the *others*.

    Parameters
    ----------
    images, patch, boundary
        As in `patch_distance`; at least two images.
    sample
        How many to measure, evenly spaced through the set; all of them if it has no more.

    Returns
    -------
    numpy.ndarray
        (min(sample, N),) distances as in `patch_distance`, in the order of the set.

    Raises
    ------
    TypeError, ValueError
        As `patch_distance`, and if there are fewer than two images or ``sample`` is below 1.
    """
    train, chosen = _check_sample(images, sample)
    patch = _check_patch(patch, boundary, train, train)
    found = nearest_windows(train[chosen], train, patch, boundary, skip=chosen)
    return np.sqrt(found.square.mean(axis=(1, 2)) / (train.shape[1] * patch**2))


def _check_patch(patch: int, boundary: Boundary, query: NDArray, train: NDArray) -> int:
    if boundary not in (None, "periodic", "zero"):
        raise ValueError(
            f"boundary is {boundary!r}, expected None (windows inside), 'periodic' (a torus) or 'zero' (zeros beyond)"
        )
    if isinstance(patch, bool) or not isinstance(patch, int | np.integer):
        raise TypeError(f"patch is {patch!r}, expected an odd whole number of pixels")
    largest = min(*query.shape[-2:], *train.shape[-2:])
    if patch < 1 or patch % 2 == 0 or patch > largest:
        raise ValueError(
            f"patch is {patch}, expected an odd number from 1 to {largest}, the shortest side of image "
            f"{query.shape} and images {train.shape}"
        )
    return int(patch)
