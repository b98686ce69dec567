"""Make turingdiff/data/fashion.npz: the first 200 training images of each class of Fashion-MNIST.

    python scripts/make_fashion_subset.py [FOLDER]

FOLDER holds the gzipped IDX files; it defaults to where the Debian package dataset-fashion-mnist puts them.
Run it where turingdiff can be imported (``pip install -e .``). The arrays are the same on every machine; the
bytes of the file are too, for the same zlib.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from turingdiff.data.binary import read_idx

FOLDER = Path("/usr/share/datasets/fashion-mnist")
TARGET = Path(__file__).resolve().parents[1] / "turingdiff" / "data" / "fashion.npz"
CLASSES = 10
PER_CLASS = 200


def make_subset(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Choose the first images of each class, and keep them in the order of the file: classes stay mixed.

    Returns
    -------
    images : numpy.ndarray
        uint8, (2000, 28, 28).
    labels : numpy.ndarray
        uint8, (2000,).
    """
    images = read_idx(folder / "train-images-idx3-ubyte.gz")
    labels = read_idx(folder / "train-labels-idx1-ubyte.gz")
    chosen = np.sort(np.concatenate([np.flatnonzero(labels == c)[:PER_CLASS] for c in range(CLASSES)]))
    return images[chosen], labels[chosen]


def main() -> None:
    """Write the subset into the package."""
    parser = argparse.ArgumentParser(description="Make turingdiff/data/fashion.npz from Fashion-MNIST.")
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER, help="the gzipped IDX files (%(default)s)")
    images, labels = make_subset(parser.parse_args().folder)
    np.savez_compressed(TARGET, images=images, labels=labels)
    print(f"{TARGET}: {images.shape[0]} images, {TARGET.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
