"""Which training patches a pixel is compared with: shifts along rows and columns, and the pixels they are for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Admissible:
    """Which training patches a pixel is compared with: (shift, from, to) along rows and along columns."""

    rows: np.ndarray
    columns: np.ndarray
    wraps: bool


def all_shifts(field: tuple[int, int], image: tuple[int, int], r: int) -> Admissible:
    """On the torus: every patch of the wrapped training image."""
    _check_torus(field, image, r)
    rows, columns = (np.array([(s, 0, n) for s in range(m)]) for n, m in zip(field, image, strict=True))
    return Admissible(rows, columns, wraps=True)


def same_border_overlap(field: tuple[int, int], image: tuple[int, int], r: int) -> Admissible:
    """Boundary-broken (eq. 41): patches whose window overlaps the border as the pixel's own window does.

    Interior pixels meet all interior patches; within r of an edge, the patches at the same distance from it.
    """
    rows, columns = (_border_axis(n, m, r) for n, m in zip(field, image, strict=True))
    return Admissible(rows, columns, wraps=False)


def same_place(field: tuple[int, int], image: tuple[int, int], r: int) -> Admissible:
    """Local, not equivariant (eqs. 7-8): the patch at the same place of each image."""
    return Admissible(np.array([(0, 0, field[0])]), np.array([(0, 0, field[1])]), wraps=False)


def same_place_on_torus(field: tuple[int, int], image: tuple[int, int], r: int) -> Admissible:
    """As `same_place`, with windows that wrap."""
    _check_torus(field, image, r)
    return Admissible(np.array([(0, 0, field[0])]), np.array([(0, 0, field[1])]), wraps=True)


def _check_torus(field: tuple[int, int], image: tuple[int, int], r: int) -> None:
    for name, shape, remedy in (("training images", image, 'boundary="zero"'), ("field", field, "a larger field")):
        if 2 * r + 1 > min(shape):
            raise ValueError(
                f"patch {2 * r + 1} is wider than the {name} {tuple(shape)}: on the torus its window would meet "
                f"itself. Use a patch of at most {(min(shape) - 1) // 2 * 2 + 1}, or {remedy}"
            )


def _border_axis(n: int, m: int, r: int) -> np.ndarray:
    """Shifts from a field of length `n` to an image of length `m`; edge pixels join the shift that keeps their edge."""
    shifts = []
    for s in range(min(r + 1 - n, 0), max(m - r, 1)):
        low = 0 if s == 0 else max(r, r - s)
        high = n if s == m - n else min(n - r, m - r - s)
        if low < high:
            shifts.append((s, low, high))
    covered = {x for _, low, high in shifts for x in range(low, high)}
    if len(covered) < n:
        raise ValueError(
            f"no training patch of {2 * r + 1} pixels overlaps the border as a field of length {n} needs it "
            f"(images of length {m}): use a smaller patch, or a field of at least {2 * r + 1} pixels"
        )
    return np.array(shifts)


def places_of_pixels(places: Admissible, shape: tuple[int, int]) -> np.ndarray:
    """(H, W) at how many places of a training image the patches are that a pixel is compared with."""
    rows, columns = (np.zeros(n, int) for n in shape)
    for count, shifts in ((rows, places.rows), (columns, places.columns)):
        for _, low, high in shifts:
            count[low:high] += 1
    return np.outer(rows, columns)
