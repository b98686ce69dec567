"""Readers of pictures: a folder of training images, a mask, a map."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["PICTURE_SUFFIXES", "read_folder", "read_map", "read_mask", "resampled"]

PICTURE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp"})
NAMES = {"L": "grey", "RGB": "RGB"}
# what each of Pillow's modes becomes; what is missing here is refused
PLAIN = {"1": "L", "L": "L", "LA": "LA", "P": "RGB", "PA": "RGBA", "RGB": "RGB", "RGBA": "RGBA"}


def read_folder(folder: Path, limit: int | None = None) -> np.ndarray:
    """Read the first `limit` pictures of a folder, sorted by name.

    Hidden files, files of other kinds and sub-folders are passed over. Palettes become RGB, an alpha channel
    that is opaque everywhere is dropped, and a camera's note that the picture lies on its side is followed.

    Returns
    -------
    numpy.ndarray
        uint8, (N, 1, H, W) if grey, (N, 3, H, W) if RGB.

    Raises
    ------
    ValueError
        If there is no picture, or one is damaged, transparent, animated, deeper than 8 bits, or of another
        size or mode than the first.
    """
    paths = sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in PICTURE_SUFFIXES and not path.name.startswith(".") and path.is_file()
    )[:limit]
    if not paths:
        raise ValueError(f"{folder}: {_what_is_there(folder)}, expected {' '.join(sorted(PICTURE_SUFFIXES))}")
    first = _read_picture(paths[0])
    images = np.empty((len(paths), *first.shape), np.uint8)
    images[0] = first
    for index, path in enumerate(paths[1:], start=1):
        picture = _read_picture(path)
        if picture.shape != first.shape:
            raise ValueError(
                f"{path}: {_describe(picture)}, expected {_describe(first)} as in {paths[0].name}; "
                "crop or convert the pictures to one size and mode"
            )
        images[index] = picture
    return images


def read_map(path: str | os.PathLike[str], shape: tuple[int, int] | None = None) -> np.ndarray:
    """Read a picture as a map (H, W) of values from 0 (black) to 1 (white), the mean over its colours.

    Parameters
    ----------
    shape
        (H, W) of the canvas, to which the picture is resampled; by default its own size.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        As `read_folder`.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no picture {str(path)!r}")
    values = _read_picture(path).mean(axis=0) / 255
    return values if shape is None else resampled(values, shape)


def read_mask(path: str | os.PathLike[str], shape: tuple[int, int] | None = None) -> np.ndarray:
    """Read a picture as a mask (H, W): its dark places are the domain, its light places the background.

    A picture that is drawn light on dark is turned about with ``~``. Parameters and errors as for `read_map`.
    """
    return read_map(path, shape) < 0.5


def resampled(values: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """A map (H, W) on another canvas: means where it gets smaller, linear interpolation where it grows."""
    from PIL import Image

    picture = Image.fromarray(np.asarray(values, np.float32))
    return np.asarray(picture.resize(shape[::-1], Image.Resampling.BILINEAR), float)


def _read_picture(path: Path) -> np.ndarray:
    """Read one picture as uint8, (1, H, W) or (3, H, W)."""
    image, frames = _decode(path)
    if frames > 1:
        raise ValueError(f"{path}: holds {frames} frames, expected one; save each as a picture of its own")
    if image.mode not in PLAIN:
        raise ValueError(
            f"{path}: mode {image.mode}, expected 8-bit grey or RGB; convert it (scale 16-bit values down), "
            "or load the values from a .npy file"
        )
    mode = PLAIN[image.mode]
    if "transparency" in image.info:  # a see-through colour, kept beside the pixels
        mode = "LA" if mode == "L" else "RGBA"
    values = np.asarray(image.convert(mode))
    if mode.endswith("A"):
        if values[..., -1].min() < 255:
            raise ValueError(
                f"{path}: transparent in places (alpha down to {values[..., -1].min()}), expected opaque; "
                "flatten it on a background"
            )
        values = values[..., :-1]
    return values[None] if values.ndim == 2 else np.moveaxis(values, -1, 0)


def _decode(path: Path) -> tuple[Image, int]:
    """Read a picture and the number of its frames, with errors that name the file."""
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as image:
            return ImageOps.exif_transpose(image), getattr(image, "n_frames", 1)
    except (OSError, SyntaxError, EOFError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"{path}: cannot be read as a picture ({error}); replace or remove it") from error


def _describe(picture: np.ndarray) -> str:
    """Say the size and mode of (C, H, W) as the package writes them: height x width."""
    channels, height, width = picture.shape
    return f"{height}x{width} {'grey' if channels == 1 else 'RGB'}"


def _what_is_there(folder: Path) -> str:
    """Say what a folder without pictures holds instead."""
    entries = list(folder.iterdir())
    if not entries:
        return "an empty folder"
    if inner := sorted(entry.name for entry in entries if entry.is_dir()):
        return f"no pictures directly in this folder, but folders ({', '.join(inner[:3])}): load one of them"
    kinds = sorted({entry.suffix or entry.name for entry in entries})
    return f"no pictures in this folder (it has {', '.join(kinds[:5])}; give a data file by its own path)"
