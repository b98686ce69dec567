"""Readers of NumPy's files: .npy and .npz."""

from __future__ import annotations

import tokenize
import zipfile
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np

__all__ = ["read_npy", "read_npz"]

USUAL_KEYS = ("images", "x_train", "arr_0")  # ours, Keras's, and what np.savez calls a nameless array
# what NumPy and zipfile let through when a file is damaged; RuntimeError: an encrypted or unknown zip entry
DAMAGE = (ValueError, EOFError, OSError, RuntimeError, tokenize.TokenError, zipfile.BadZipFile, zlib.error)


def read_npy(path: Path, limit: int | None = None) -> np.ndarray:
    """Read the first `limit` entries of a .npy file, and no more of the file than that.

    Raises
    ------
    ValueError
        If the file is damaged, cut short, not a .npy file, or holds pickled objects.
    """
    try:
        mapped = np.lib.format.open_memmap(path, mode="r")
    except (ValueError, tokenize.TokenError) as error:
        raise ValueError(
            f"{path}: not a whole .npy file of numbers ({error}); write it with np.save(path, images)"
        ) from error
    return np.array(mapped[:limit]) if mapped.ndim else np.array(mapped)


def read_npz(path: Path, key: str | None = None) -> np.ndarray:
    """Read one array of a .npz file.

    Parameters
    ----------
    key
        Its name; otherwise ``images``, ``x_train`` or ``arr_0``, or the only array with 3 or 4 axes.

    Raises
    ------
    ValueError
        If the file is damaged or no .npz file, or if no array, or more than one, could be meant.
    """
    with path.open("rb") as stream, _archive(stream, path) as archive:
        names = archive.files
        if key is not None:
            if key not in names:
                raise ValueError(f"{path}: no array {key!r}; it holds {', '.join(names) or 'nothing'}")
            return _member(archive, key, path)
        for usual in USUAL_KEYS:
            if usual in names:
                return _member(archive, usual, path)
        arrays = {name: _member(archive, name, path) for name in names}
    stacks = [array for array in arrays.values() if array.ndim in (3, 4)]
    if len(stacks) != 1:
        held = ", ".join(f"{name} {array.shape}" for name, array in arrays.items()) or "nothing"
        raise ValueError(
            f"{path}: expected an array named {', '.join(USUAL_KEYS)}, or a single one with 3 or 4 axes; "
            f"it holds {held}; call the one that is meant 'images' (or, in Python, give key=)"
        )
    return stacks[0]


def _archive(stream: BinaryIO, path: Path) -> np.lib.npyio.NpzFile:
    """Open an archive, with errors that name the file."""
    try:
        archive = np.load(stream)
    except DAMAGE as error:
        raise ValueError(
            f"{path}: not a .npz file, or cut short; write it with np.savez(path, images=images)"
        ) from error
    if not isinstance(archive, np.lib.npyio.NpzFile):
        raise ValueError(f"{path}: a single array, expected a .npz file; give it the suffix .npy")
    return archive


def _member(archive: np.lib.npyio.NpzFile, name: str, path: Path) -> np.ndarray:
    """Read one array of an open archive, with errors that name the file."""
    try:
        member = archive[name]
    except DAMAGE as error:
        raise ValueError(
            f"{path}: {name!r} is damaged or not numbers ({error}); write the file with np.savez(path, images=images)"
        ) from error
    if not isinstance(member, np.ndarray):  # a zip entry that no np.savez wrote comes back as bytes
        raise ValueError(f"{path}: {name!r} is not a NumPy array; write it with np.savez(path, images=images)")
    return member
