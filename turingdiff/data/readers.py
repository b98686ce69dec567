"""Reading the user's own images from disk."""

from __future__ import annotations

import operator
import os
from pathlib import Path

import numpy as np

from turingdiff.data.arrays import read_npy, read_npz
from turingdiff.data.binary import read_cifar, read_idx
from turingdiff.data.images import channels_first, check_images
from turingdiff.data.pictures import PICTURE_SUFFIXES, read_folder

__all__ = ["load"]

KINDS = (
    "load reads .npy, .npz, IDX files (-idx3-ubyte, .gz or not), CIFAR's binary batches (.bin) and folders of pictures"
)


def load(path: str | os.PathLike[str], limit: int | None = None, key: str | None = None) -> np.ndarray:
    """Read a set of images from disk.

    Parameters
    ----------
    path
        One of

        - ``.npy``: uint8, or floats in [-1, 1];
        - ``.npz``: the array `key`; otherwise ``images``, ``x_train``, ``arr_0``, or the only array with 3 or
          4 axes;
        - IDX, gzipped or not (MNIST, Fashion-MNIST), of unsigned bytes;
        - a binary batch of CIFAR-10 or CIFAR-100 (``.bin``);
        - a folder of pictures (png, jpg, bmp, gif, tif, webp), taken in the order of their names.

        Arrays are (N, H, W), (N, C, H, W) or (N, H, W, C). The last axis is taken as channels where it has at
        most 4 entries and the two before it have more. Floats are taken to be in [-1, 1] as they are: bring a
        set in [0, 1] there first, with ``2*images - 1``.
    limit
        Read only the first so many images. All but .npz then read only the beginning of the data.
    key
        The name of the array in a .npz file.

    Returns
    -------
    numpy.ndarray
        (N, C, H, W): uint8 where the file has bytes (`to_unit` brings those to [-1, 1]; the machines take
        them as they are), float32 where it has floats.

    Raises
    ------
    FileNotFoundError
        If there is nothing at `path`.
    ValueError
        If the file is damaged, of an unknown kind, or holds something other than a set of images.
    TypeError
        If the values are of a type that is not an image's, or an argument is of the wrong type.
    """
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"path: {type(path).__name__}, expected a str or a Path; {KINDS}")
    path = Path(path).expanduser()
    limit = _check_limit(limit)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file or folder (from {Path.cwd()}); {KINDS}")
    if key is not None and path.suffix.lower() != ".npz":
        raise ValueError(f"{path}: key={key!r} names an array of a .npz file; leave it out for other files")
    values = _read(path, limit, key)
    return check_images(channels_first(values, str(path)), str(path))


def _read(path: Path, limit: int | None, key: str | None) -> np.ndarray:
    """Hand the path to the reader of its kind."""
    suffix = path.suffix.lower()
    if path.is_dir():
        return read_folder(path, limit)
    if suffix == ".npy":
        return read_npy(path, limit)
    if suffix == ".npz":
        return read_npz(path, key)[:limit]
    if suffix == ".bin":
        return read_cifar(path, limit)
    if "idx" in path.name.lower() or "ubyte" in path.name.lower() or suffix == ".gz":
        values = read_idx(path, limit)
        if values.ndim == 1:
            raise ValueError(f"{path}: IDX labels, expected images; load the file with 'images' in its name")
        return values
    if suffix in PICTURE_SUFFIXES:
        raise ValueError(f"{path}: a single picture, expected a set; give the folder that holds the pictures")
    raise ValueError(f"{path}: unknown kind of file ({suffix or 'no suffix'}); {KINDS}")


def _check_limit(limit: int | None) -> int | None:
    """Accept None or a whole number from 1."""
    if limit is None:
        return None
    if isinstance(limit, bool) or not hasattr(limit, "__index__"):
        raise TypeError(f"limit: {limit!r}, expected a whole number of images, or None for all")
    limit = operator.index(limit)
    if limit < 1:
        raise ValueError(f"limit: {limit}, expected at least 1, or None for all images")
    return limit
