"""Fashion-MNIST: the subset that comes with the package, and the user's own full copy."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path

import numpy as np

from turingdiff.data.binary import read_idx
from turingdiff.data.images import to_unit

__all__ = ["fashion", "find_fashion"]

VARIABLE = "TURINGDIFF_FASHION"
IMAGES = "train-images-idx3-ubyte"
LABELS = "train-labels-idx1-ubyte"
USUAL_PLACES = (
    "/usr/share/datasets/fashion-mnist",  # Debian: dataset-fashion-mnist
    "data",  # torchvision, with the root that its examples use
    "~/data",
    "~/.cache/torchvision",
    "~/.cache",
    "~/.keras/datasets/fashion-mnist",  # Keras
)


def fashion(full: bool = False, folder: str | os.PathLike[str] | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Give the images and labels of Fashion-MNIST: 28x28 grey pictures of clothes, in ten classes.

    Parameters
    ----------
    full
        False: the 2,000 training images, 200 a class, that come with the package. True: all 60,000, read from
        the user's disk (nothing is downloaded).
    folder
        Where the full set is: a folder with the four IDX files, gzipped or not, or a torchvision root.
        Otherwise the environment variable ``TURINGDIFF_FASHION``, and if that is not set the places where
        Debian, torchvision and Keras put it.

    Returns
    -------
    images : numpy.ndarray
        Bundled: float32 in [-1, 1], (2000, 1, 28, 28). Full: uint8, (60000, 1, 28, 28), a quarter of the
        memory; the machines take both, and `to_unit` goes from one to the other.
    labels : numpy.ndarray
        int64 in 0..9, (N,).

    Raises
    ------
    FileNotFoundError
        If the full set is in none of the places.
    ValueError
        If `folder` is given without ``full=True``, or the files are damaged or not of 28x28 images.
    """
    if full:
        return _full(folder)
    if folder is not None:
        raise ValueError(f"folder={os.fspath(folder)!r} is where the full set is; use fashion(full=True, folder=...)")
    with (files("turingdiff.data") / "fashion.npz").open("rb") as stream, np.load(stream) as archive:
        return to_unit(archive["images"])[:, None], archive["labels"].astype(np.int64)


def find_fashion(folder: str | os.PathLike[str] | None = None) -> Path | None:
    """Find the folder with the full training set, looking where `fashion` looks; None if there is none."""
    for place in _places(folder):
        if _file(place, IMAGES) and _file(place, LABELS):
            return place
    return None


def _full(folder: str | os.PathLike[str] | None) -> tuple[np.ndarray, np.ndarray]:
    """Read the user's own training set."""
    place = find_fashion(folder)
    images_path, labels_path = (_file(place, name) if place else None for name in (IMAGES, LABELS))
    if images_path is None or labels_path is None:
        looked = "\n  ".join(str(place) for place in _places(folder))
        raise FileNotFoundError(
            f"Fashion-MNIST not found: looked for {IMAGES} and {LABELS}, .gz or not, in\n  {looked}\n"
            "Get it with `apt install dataset-fashion-mnist` (Debian, Ubuntu), torchvision's FashionMNIST or "
            "keras.datasets.fashion_mnist; if it is elsewhere, set the environment variable "
            f"{VARIABLE} (or, in Python, give folder=)"
        )
    images, labels = read_idx(images_path), read_idx(labels_path)
    if images.shape[1:] != (28, 28) or labels.shape != images.shape[:1]:
        raise ValueError(
            f"{place}: images {images.shape} and labels {labels.shape}, expected (N, 28, 28) and (N,); "
            "these are not the Fashion-MNIST files: get them again"
        )
    return images[:, None], labels.astype(np.int64)


def _places(folder: str | os.PathLike[str] | None) -> list[Path]:
    """List the folders to look in: what the user named, and only that, before the usual ones."""
    named = folder if folder is not None else os.environ.get(VARIABLE) or None
    roots = [Path(root).expanduser() for root in (USUAL_PLACES if named is None else (named,))]
    return [place for root in roots for place in (root, root / "FashionMNIST" / "raw")]


def _file(place: Path, name: str) -> Path | None:
    """Find one IDX file in a folder: the unpacked one first, since it reads faster."""
    for path in (place / name, place / f"{name}.gz"):
        if path.is_file():
            return path
    return None
