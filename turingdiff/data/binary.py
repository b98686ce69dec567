"""Readers of two plain binary formats: IDX (MNIST and its kin) and CIFAR's batches."""

from __future__ import annotations

import gzip
import io
import math
import struct
import zlib
from pathlib import Path

import numpy as np

__all__ = ["read_cifar", "read_idx"]

IDX_TYPES = {0x08: "uint8", 0x09: "int8", 0x0B: "int16", 0x0C: "int32", 0x0D: "float32", 0x0E: "float64"}
DEFLATE_LIMIT = 1032  # no deflate stream grows by more when it is unpacked
CIFAR_PIXELS = 3 * 32 * 32


def read_idx(path: Path, limit: int | None = None) -> np.ndarray:
    """Read the first `limit` entries of an IDX file of unsigned bytes, gzipped or not.

    Returns
    -------
    numpy.ndarray
        uint8, of the shape in the header: (N, H, W) for images, (N,) for labels.

    Raises
    ------
    ValueError
        If the magic number is wrong, the values are not unsigned bytes, or the length is not what the
        header says.
    """
    try:
        with _open(path) as stream:
            shape = _idx_shape(stream, path)
            expected = math.prod(shape)
            # a damaged header can ask for any amount of memory, so compare it with the file first
            room = path.stat().st_size * (DEFLATE_LIMIT if isinstance(stream, gzip.GzipFile) else 1)
            if expected > room:
                raise ValueError(f"{path}: cut short, the header says {shape} bytes; get the file again")
            count = shape[0] if limit is None else min(limit, shape[0])
            values = np.empty((count, *shape[1:]), np.uint8)
            got = stream.readinto(values.reshape(-1).data)
            if got != values.size:
                raise ValueError(
                    f"{path}: cut short, {got} bytes where {values.size} were expected; get the file again"
                )
            if limit is None and stream.read(1):
                raise ValueError(f"{path}: longer than the {shape} bytes of its header; get the file again")
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"{path}: the gzip stream is damaged ({error}); get the file again") from error
    return values


def read_cifar(path: Path, limit: int | None = None) -> np.ndarray:
    """Read the first `limit` images of a binary batch of CIFAR-10 (3073 bytes each) or CIFAR-100 (3074).

    Returns
    -------
    numpy.ndarray
        uint8, (N, 3, 32, 32); the labels are left out.

    Raises
    ------
    ValueError
        If the length, or the labels at the head of each record, fit neither.
    """
    size = path.stat().st_size
    for classes in ((10,), (20, 100)):  # CIFAR-10: the class; CIFAR-100: the coarse and the fine one
        head = len(classes)
        record = head + CIFAR_PIXELS
        if size == 0 or size % record:
            continue
        count = size // record if limit is None else min(limit, size // record)
        rows = np.fromfile(path, np.uint8, count=count * record).reshape(count, record)
        if (rows[:, :head] < classes).all():
            return rows[:, head:].reshape(count, 3, 32, 32)
    raise ValueError(
        f"{path}: {size} bytes that are not a CIFAR batch, expected records of 3073 bytes (CIFAR-10) or 3074 "
        "(CIFAR-100) headed by their labels; use the 'binary version' of the data, unpacked"
    )


def _open(path: Path) -> gzip.GzipFile | io.BufferedReader:
    """Open for reading, through gzip where the content (not the name) says so."""
    with path.open("rb") as stream:
        packed = stream.read(2) == b"\x1f\x8b"
    return gzip.GzipFile(path, "rb") if packed else path.open("rb")


def _idx_shape(stream: gzip.GzipFile | io.BufferedReader, path: Path) -> tuple[int, ...]:
    """Read the header: two zeros, the type, the number of axes, then each length in big-endian 32 bits."""
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in IDX_TYPES or not 1 <= magic[3] <= 4:
        raise ValueError(
            f"{path}: not an IDX file, the magic number is 0x{magic.hex()}, expected 0x00000803 "
            "(unsigned bytes, 3 axes); unpack .zip and .tar files first"
        )
    if magic[2] != 0x08:
        raise ValueError(
            f"{path}: IDX values of type {IDX_TYPES[magic[2]]}, expected unsigned bytes; "
            "convert them to uint8 and save them as .npy"
        )
    lengths = stream.read(4 * magic[3])
    if len(lengths) < 4 * magic[3]:
        raise ValueError(f"{path}: cut short in the header; get the file again")
    return struct.unpack(f">{magic[3]}I", lengths)
