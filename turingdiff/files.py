"""How files are written: whole or not at all.

A file takes shape under a temporary name in the folder where it will live and is renamed when it is
complete, so a reader never meets half a film and an error leaves the file of yesterday in place.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Lend a temporary path and rename it to `path` once the block has ended without an error.

    The temporary file lies in the same folder (a rename never crosses file systems) and has the same
    suffix (writers choose a format by it). Missing parent folders are made. Whatever goes wrong, the
    temporary file is removed and a file already at `path` stays as it was.

    Raises
    ------
    IsADirectoryError
        `path` is a folder.
    NotADirectoryError
        Something on the way to `path` is a file.
    PermissionError
        The folder cannot be made or written.
    """
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"{str(path)!r} is a folder; give the path of a file inside it")
    temporary = new_file_beside(path)
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def new_file_beside(path: Path) -> Path:
    """Make an empty file under a random name in the folder of `path`, and the folder; errors as `atomic_path`."""
    folder = path.parent
    temporary = folder / f".{path.stem[:60]}.{secrets.token_hex(4)}{path.suffix}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Made here and not by the writer: a folder that cannot be written is found before the work is
        # done, and the file gets the permissions that any new file of this user gets.
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except (FileExistsError, NotADirectoryError) as error:
        blocker = next((parent for parent in (folder, *folder.parents) if parent.is_file()), folder)
        raise NotADirectoryError(
            f"cannot write {str(path)!r}: {str(blocker)!r} is a file, not a folder; choose another folder"
        ) from error
    except PermissionError as error:
        raise PermissionError(
            f"cannot write {str(path)!r}: no permission to write in the folder {str(folder)!r}; "
            "choose another folder or change its permissions"
        ) from error
    return temporary
