"""The folders in which Numba keeps compiled kernels: what they take, and what in them is out of date."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

KEPT = 64  # kernels of one name: rules of one name, and versions of a rule


def cache_size(folders: Iterable[Path]) -> int:
    """Bytes of all compiled kernels in `folders`."""
    return sum(_size(file) for folder in folders for file in _kernels(folder))


def clear_cache(folders: Iterable[Path]) -> None:
    """Remove all compiled kernels in `folders`."""
    for folder in folders:
        for file in _kernels(folder):
            _remove(file)


def remove_superseded(folder: Path, base: str, key: str) -> None:
    """Make room for a new kernel with the file name `base`, in which `key`, two hashes, stands.

    Removed are kernels of the same rule by another edition of the package, and all but the newest of the same name.
    A process that is about to load one of them compiles it instead.
    """
    before = base.partition(key)[0]
    pattern = re.compile(rf"{re.escape(before)}([0-9a-f]+)_[0-9a-f]+-\d+\.py.*\.nbi")
    found = [(file, match[1]) for file in _kernels(folder) if (match := pattern.fullmatch(file.name))]
    if any(key in file.name for file, _ in found):
        return
    rule = key.partition("_")[0]
    newest = sorted((file for file, other in found if other != rule), key=_time, reverse=True)
    for index in [*(file for file, other in found if other == rule), *newest[KEPT - 1 :]]:
        _remove(index)  # first: without its index no process finds the data
        for data in folder.glob(f"{glob.escape(index.stem)}.*.nbc"):
            _remove(data)


def _kernels(folder: Path) -> list[Path]:
    return list(folder.glob("*.nb[ic]"))


def _remove(file: Path) -> None:
    with suppress(OSError):  # another process was first, or the folder is not ours
        file.unlink()


def _size(file: Path) -> int:
    with suppress(OSError):
        return file.stat().st_size
    return 0


def _time(file: Path) -> float:
    with suppress(OSError):
        return file.stat().st_mtime
    return 0.0
