"""Memory: arrays that begin a cache line (stores that straddle two lines are slow), and how much there is."""

from __future__ import annotations

import math
import os
import re
from contextlib import suppress
from pathlib import Path

import numpy as np

CACHE_LINE = 64


def on_cache_line(shape: tuple[int, ...], dtype: np.dtype, element: int = 0) -> np.ndarray:
    """Contiguous zeros whose element number `element` starts a cache line."""
    size, line = math.prod(shape), CACHE_LINE // dtype.itemsize
    raw = np.zeros(size + line, dtype)
    first = (-raw.ctypes.data // dtype.itemsize - element) % line
    return raw[first : first + size].reshape(shape)


def available_memory() -> int:
    """Bytes that new arrays may take: of the machine, or of the container where that has a limit of its own."""
    found = []
    with suppress(OSError, AttributeError, ValueError):  # Windows has no sysconf
        found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2)
    with suppress(OSError):
        known = re.search(r"MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text())
        found = [1024 * int(known[1])] if known else found
    with suppress(OSError, ValueError):  # "max" where there is no limit
        group = Path("/sys/fs/cgroup")
        found.append(int((group / "memory.max").read_text()) - int((group / "memory.current").read_text()))
    return min(found, default=2**31)
