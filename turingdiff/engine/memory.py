"""Arrays that begin a cache line where it pays: stores that straddle two lines are slow."""

from __future__ import annotations

import math

import numpy as np

CACHE_LINE = 64


def on_cache_line(shape: tuple[int, ...], dtype: np.dtype, element: int = 0) -> np.ndarray:
    """Contiguous zeros whose element number `element` starts a cache line."""
    size, line = math.prod(shape), CACHE_LINE // dtype.itemsize
    raw = np.zeros(size + line, dtype)
    first = (-raw.ctypes.data // dtype.itemsize - element) % line
    return raw[first : first + size].reshape(shape)
