"""How many training images an image is made of, and in how many pieces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from turingdiff.engine.short_repr import short_repr

__all__ = ["Sources", "sources"]


@short_repr
@dataclass(frozen=True, eq=False)
class Sources:
    """How many training images an image is made of, and in how many pieces.

    Attributes
    ----------
    images
        Effective number of training images, exp(-sum_n p_n ln p_n), p_n the share of the pixels that come from image n:
        1 for a copy, N where N images have equal shares.
    pieces
        Effective number of pieces, the same with p the share of a piece.
    sizes
        (pieces,) pixels of each piece, the largest first.
    labels
        (H, W) which piece a pixel belongs to, an index into `sizes`; -1 where it was left out.
    """

    images: float
    pieces: float
    sizes: NDArray[np.int64]
    labels: NDArray[np.int64]


def sources(
    image: Any,
    row: ArrayLike | None = None,
    column: ArrayLike | None = None,
    *,
    period: tuple[int, int] | None = None,
    where: ArrayLike | None = None,
) -> Sources:
    """Count the training images and the pieces that an image is made of.

    Two neighbouring pixels belong to one piece if they come from the same training image and their places there are
    neighbours in the same direction, so that the piece was moved as a whole. Pieces are the
    connected regions, by edges.

        images = exp(-sum over n of p_n ln p_n),        p_n = share of the pixels that come from training image n

    and the same over pieces (the number of equivalents of the Shannon entropy: Hill 1973, order 1).

    Where many windows are equal, as in a plain background, a source is one of many and its pieces mean nothing: leave
    such pixels out with ``where``.

    Parameters
    ----------
    image
        (H, W) index of the training image of every pixel; or anything with such maps as its attributes ``image``,
        ``row`` and ``column``: a mosaic, a `PatchDistance` of one image.
    row, column
        (H, W) place of the pixel in that image; None if ``image`` has them.
    period
        Size (H', W') of training images that are tori: there the last row is a neighbour of the first, and so it is in
        the image itself. None for images with edges.
    where
        (H, W) boolean: the pixels that count; None for all.

    Raises
    ------
    TypeError
        If a map does not hold whole numbers, or ``where`` no booleans.
    ValueError
        If the maps are not (H, W) and alike, ``period`` is no size, or no pixel counts.
    """
    if row is None and column is None:
        image, row, column = _maps_of(image)
    if row is None or column is None:
        raise ValueError("sources got only one of row and column, expected both: (H, W) maps of the place")
    maps = [_check_map(values, name) for values, name in ((image, "image"), (row, "row"), (column, "column"))]
    shape = maps[0].shape
    if any(part.shape != shape for part in maps):
        raise ValueError(f"image, row and column have shapes {[part.shape for part in maps]}, expected the same (H, W)")
    if period is not None and (len(period) != 2 or min(period) < 1):
        raise ValueError(f"period is {period!r}, expected the size (H', W') of the training images, or None")
    counts = np.ones(shape, bool) if where is None else np.asarray(where)
    if counts.dtype != bool:
        raise TypeError(f"where: got dtype {counts.dtype}, expected bool: True for the pixels that count")
    if counts.shape != shape or not counts.any():
        raise ValueError(f"where: got shape {counts.shape} with {counts.sum()} pixels, expected some of {shape}")
    labels = _pieces(maps[0], maps[1], maps[2], counts, period)
    sizes = np.bincount(labels[counts])
    order = np.argsort(-sizes, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(order.size)
    images = np.unique(maps[0][counts], return_counts=True)[1]
    return Sources(_effective(images), _effective(sizes), sizes[order], np.where(counts, rank[labels], -1))


def _pieces(
    image: NDArray,
    row: NDArray,
    column: NDArray,
    counts: NDArray[np.bool_],
    period: tuple[int, int] | None,
) -> NDArray[np.int64]:
    """(H, W) number of the piece of every pixel that counts; 0 elsewhere."""
    from scipy.sparse import coo_array  # here: it takes longer to load than to use
    from scipy.sparse.csgraph import connected_components

    cells = np.arange(image.size).reshape(image.shape)
    pairs = []
    for axis in (0, 1):
        places = [row, column]
        places[axis] = places[axis] + 1
        joined = counts & np.roll(counts, -1, axis) & (image == np.roll(image, -1, axis))
        for k, (here, there) in enumerate(zip(places, (row, column), strict=True)):
            step = np.roll(there, -1, axis) - here
            joined &= (step if period is None else step % period[k]) == 0
        if period is None:
            np.moveaxis(joined, axis, 0)[-1] = False
        pairs.append(np.stack([cells[joined], np.roll(cells, -1, axis)[joined]]))
    a, b = np.concatenate(pairs, axis=1)
    graph = coo_array((np.ones(a.size, bool), (a, b)), shape=(image.size, image.size))
    numbers = connected_components(graph, directed=False)[1].reshape(image.shape)
    labels = np.zeros(image.shape, np.int64)
    labels[counts] = np.unique(numbers[counts], return_inverse=True)[1]
    return labels


def _effective(amounts: NDArray) -> float:
    shares = amounts / amounts.sum()
    return float(np.exp(-np.sum(shares * np.log(shares))))


def _maps_of(found: Any) -> tuple[Any, Any, Any]:
    if not all(hasattr(found, name) for name in ("image", "row", "column")):
        raise TypeError(
            f"sources got a {type(found).__name__}, expected a mosaic (with the attributes image, row and column), or "
            "three (H, W) maps of these"
        )
    return found.image, found.row, found.column


def _check_map(values: ArrayLike, name: str) -> NDArray[np.int64]:
    array = np.asarray(values)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name}: got dtype {array.dtype}, expected whole numbers")
    if array.ndim != 2 or not array.size:
        raise ValueError(f"{name}: got shape {array.shape}, expected (H, W), none of them 0: take one image of a batch")
    return array.astype(np.int64)
