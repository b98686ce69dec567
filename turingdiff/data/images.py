"""What a set of images is: uint8 or float32, (N, C, H, W); its check and the two ways between the forms."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

__all__ = ["channels_first", "check_images", "from_unit", "to_unit"]

TOLERANCE = 1e-6  # how far outside [-1, 1] rounding may have carried a float


def to_unit(images: ArrayLike) -> np.ndarray:
    """Bring bytes to the scale of the machines: 0..255 becomes -1..1.

    Parameters
    ----------
    images
        uint8, of any shape; float32 is taken as already in [-1, 1] and comes back as it is.

    Returns
    -------
    numpy.ndarray
        float32 of the same shape, u/127.5 - 1.

    Raises
    ------
    TypeError
        If the values are neither uint8 nor float32.
    """
    images = np.asarray(images)
    if images.dtype == np.float32:
        return images
    if images.dtype != np.uint8:
        raise TypeError(
            f"to_unit takes uint8 (or float32, left as it is), got {images.dtype}; "
            "use images.astype(np.uint8) if the values are whole numbers in 0..255"
        )
    unit = images.astype(np.float32)
    unit /= np.float32(127.5)
    unit -= np.float32(1)
    return unit


def unit_scale(images: np.ndarray) -> np.ndarray:
    """As `to_unit`, for floats of any width, which stay as they are."""
    return to_unit(images) if images.dtype == np.uint8 else images


def unit_blocks(images: np.ndarray, at_once: int, dtype: DTypeLike = np.float64) -> Iterator[np.ndarray]:
    """Images on the [-1, 1] scale, some at a time: the whole set need not fit the memory so. Not to be written to."""
    for first in range(0, len(images), at_once):
        yield unit_scale(images[first : first + at_once]).astype(dtype, copy=False)


def from_unit(images: ArrayLike) -> np.ndarray:
    """Bring images in [-1, 1] to bytes: rounded to the nearest of 0..255, what lies outside clipped.

    Parameters
    ----------
    images
        Floats of any shape; uint8 comes back as it is.

    Returns
    -------
    numpy.ndarray
        uint8 of the same shape.

    Raises
    ------
    TypeError
        If the values are neither floats nor uint8.
    ValueError
        If a value is NaN or infinite: no byte stands for it.
    """
    images = np.asarray(images)
    if images.dtype == np.uint8:
        return images
    if images.dtype.kind != "f":
        raise TypeError(
            f"from_unit takes floats in [-1, 1] (or uint8, left as it is), got {images.dtype}; "
            "use images.astype(np.uint8) if the values are whole numbers in 0..255"
        )
    if not np.isfinite(images).all():
        raise ValueError(
            "from_unit got NaN or infinite values, expected finite floats in [-1, 1]; "
            "a run that ends so has diverged: take smaller steps"
        )
    # float16 has too few digits for 127.5 * x, so it is widened first
    unit = np.clip(images, -1, 1).astype(np.result_type(images, np.float32), copy=False)
    return np.rint((unit + 1) * 127.5).astype(np.uint8)


def check_images(images: ArrayLike, name: str = "images") -> np.ndarray:
    """Check a training set, and give it in the one layout that the machines read.

    Parameters
    ----------
    images
        (N, C, H, W), or (N, H, W) for N grey images. uint8 in 0..255, or finite floats (16, 32 or 64 bits)
        in [-1, 1]. Floats are always taken as being on that scale: a set in [0, 1] cannot be told from a
        bright one in [-1, 1], so bring it there first with ``2*images - 1``.
    name
        What to call the set in an error.

    Returns
    -------
    numpy.ndarray
        (N, C, H, W); uint8 and float32 are passed on without a copy (memory maps too), other floats are
        converted to float32.

    Raises
    ------
    TypeError
        If the values are neither uint8 nor float16, float32 or float64.
    ValueError
        If the set is empty, has another shape, or holds NaN, infinities or values outside [-1, 1].
    """
    try:
        images = np.asarray(images)
    except ValueError as error:  # NumPy's word for a ragged list
        raise ValueError(
            f"{name}: not one array ({error}); expected images all of one size, stacked as (N, C, H, W)"
        ) from error
    _check_dtype(images, name)
    images = _four_axes(images, name)
    if _ends_in_channels(images.shape[1:]):
        raise ValueError(
            f"{name}: shape {images.shape} looks channel-last, expected (N, C, H, W); use np.moveaxis(images, -1, 1)"
        )
    if images.dtype == np.uint8:
        return images
    low, high = float(images.min()), float(images.max())  # both are NaN as soon as one value is
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ValueError(
            f"{name}: NaN or infinite values, expected finite floats in [-1, 1]; find them with ~np.isfinite(images)"
        )
    if low < -1 - TOLERANCE or high > 1 + TOLERANCE:
        raise ValueError(
            f"{name}: floats from {low:g} to {high:g}, expected [-1, 1]; rescale them: "
            "images/127.5 - 1 if they are in [0, 255], 2*images - 1 if in [0, 1]"
        )
    return images.astype(np.float32, copy=False)


def channels_first(images: np.ndarray, name: str = "images") -> np.ndarray:
    """Turn (N, H, W), (N, H, W, C) or (N, C, H, W) into (N, C, H, W), without touching the values.

    The last axis is read as channels where it has at most 4 entries and the two before it have more; every
    other 4-D shape is read as channel-first already (so ``(N, 4, 4, 3)`` has four channels).

    Raises
    ------
    ValueError
        If the shape is none of these.
    """
    images = _four_axes(images, name)
    if _ends_in_channels(images.shape[1:]):
        return np.ascontiguousarray(np.moveaxis(images, -1, 1))
    return images


def _check_dtype(images: np.ndarray, name: str) -> None:
    """Refuse every dtype except uint8 and the floats up to 64 bits."""
    if images.dtype == np.uint8 or (images.dtype.kind == "f" and images.dtype.itemsize <= 8):
        return
    if images.dtype.kind in "iu":
        remedy = "use images.astype(np.uint8) if they lie in 0..255; scale deeper ones to floats in [-1, 1]"
    elif images.dtype.kind == "b":
        remedy = "use images.astype(np.float32)*2 - 1 for black and white"
    else:
        remedy = "convert them with images.astype(np.float32)"
    raise TypeError(f"{name}: {images.dtype} values, expected uint8, or floats in [-1, 1]; {remedy}")


def _four_axes(images: np.ndarray, name: str) -> np.ndarray:
    """Add the channel axis to (N, H, W); refuse other dimensions, empty sets and a lone colour picture."""
    if images.ndim not in (3, 4):
        remedy = "; use images[None] for a single grey image" if images.ndim == 2 else ""
        raise ValueError(f"{name}: shape {images.shape}, expected (N, C, H, W), or (N, H, W) if grey{remedy}")
    if images.size == 0:
        raise ValueError(f"{name}: shape {images.shape} is empty, expected at least one image of one pixel")
    if images.ndim == 4:
        return images
    if _ends_in_channels(images.shape):
        raise ValueError(
            f"{name}: shape {images.shape} looks like one colour picture (H, W, C), expected (N, H, W); "
            "use np.moveaxis(images, -1, 0)[None] for one picture, images[:, None] for N narrow grey ones"
        )
    return images[:, None]


def _ends_in_channels(shape: tuple[int, ...]) -> bool:
    """Say whether three axes read as (H, W, C) rather than (C, H, W)."""
    return shape[2] <= 4 < min(shape[0], shape[1])
