"""Shapes of domains: boolean arrays (H, W), True inside, for the ``mask=`` of a system.

Lengths are shares of the shorter side of the field, places are (row, column) as shares of its height and width, so that
a shape looks the same on any grid. A cell belongs to a shape if its centre does. Shapes combine with ``|``, ``&`` and
``~``: ``ellipse(shape) & ~ellipse(shape, (0.1, 0.1))`` has a hole.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["annulus", "ellipse", "paddle", "polygon", "text"]

Shape = tuple[int, int]
Place = tuple[float, float]
MIDDLE = (0.5, 0.5)


def ellipse(
    shape: Shape, radii: tuple[float, float] = (0.45, 0.45), centre: Place = MIDDLE, angle: float = 0.0
) -> np.ndarray:
    """An ellipse: (y/a)² + (x/b)² <= 1 about its centre, turned by `angle`.

    Parameters
    ----------
    shape
        (H, W) of the field.
    radii
        (a, b), the semi-axes along the rows' direction (downwards) and along the columns' (to the right).
    angle
        Radians, counterclockwise.
    """
    a, b = (_positive(r, "a radius") for r in radii)
    y, x = _centred(shape, centre)
    along, across = y * math.cos(angle) + x * math.sin(angle), x * math.cos(angle) - y * math.sin(angle)
    return (along / a) ** 2 + (across / b) ** 2 <= 1


def annulus(shape: Shape, inner: float = 0.2, outer: float = 0.45, centre: Place = MIDDLE) -> np.ndarray:
    """A ring: inner² <= y² + x² <= outer²."""
    inner, outer = _positive(inner, "inner"), _positive(outer, "outer")
    if inner >= outer:
        raise ValueError(f"an annulus needs inner < outer, got {inner} and {outer}")
    y, x = _centred(shape, centre)
    return (y * y + x * x <= outer * outer) & (y * y + x * x >= inner * inner)


def polygon(shape: Shape, corners: ArrayLike) -> np.ndarray:
    """The inside of a closed polygon, by the even-odd rule: where outlines cross, the overlap is a hole.

    Parameters
    ----------
    corners
        (n, 2), n >= 3: (row, column) of each as shares of height and width, in order.
    """
    points = np.asarray(corners, float)
    if points.ndim != 2 or points.shape[1] != 2 or len(points) < 3 or not np.isfinite(points).all():
        raise ValueError(f"a polygon has at least three corners (row, column), got shape {points.shape}")
    height, width = _check_shape(shape)
    y, x = ((np.arange(height) + 0.5) / height)[:, None], (np.arange(width) + 0.5) / width
    inside = np.zeros((height, width), bool)
    for (y0, x0), (y1, x1) in zip(points, np.roll(points, -1, axis=0), strict=True):
        if y0 != y1:
            crosses = (y0 > y) != (y1 > y)
            inside ^= crosses & (x < x0 + (y - y0) / (y1 - y0) * (x1 - x0))
    return inside


def paddle(shape: Shape, length: float = 0.8, width: float = 0.8, stalk: float = 0.35, base: float = 0.0) -> np.ndarray:
    """A limb bud: a stalk that rises from the bottom of the field and widens into a rounded paddle.

    Parameters
    ----------
    length
        From the bottom to the tip, as a share of the height.
    width
        Of the paddle where it is widest, as a share of the width of the field.
    stalk
        Width of the stalk as a share of that of the paddle.
    base
        Where the stalk begins, as a share of the height from the bottom.
    """
    height, columns = _check_shape(shape)
    for value, name in ((length, "length"), (width, "width"), (stalk, "stalk")):
        _positive(value, name)
    y = (height - np.arange(height) - 0.5)[:, None] / height - base  # upwards
    x = (np.arange(columns) + 0.5 - columns / 2) / columns
    share = np.clip(y / length, 0, 1)
    # A smooth step from the stalk to the paddle, closed by half an ellipse at the tip.
    rise = np.clip((share - 0.15) / 0.35, 0, 1)
    half = width / 2 * (stalk + (1 - stalk) * rise * rise * (3 - 2 * rise))
    tip = np.clip((share - 0.6) / 0.4, 0, 1)
    return (y >= 0) & (y <= length) & (np.abs(x) <= half * np.sqrt(1 - tip * tip))


def text(shape: Shape, words: str, share: float = 0.9) -> np.ndarray:
    """Words in bold letters, as large as fit in a share of the field."""
    from PIL import Image, ImageDraw, ImageFont

    height, width = _check_shape(shape)
    if not words.strip():
        raise ValueError(f"text needs words to draw, got {words!r}")
    font = ImageFont.load_default(size=200)
    left, top, right, bottom = (round(edge) for edge in font.getbbox(words, stroke_width=4))
    drawing = Image.new("L", (right - left, bottom - top))
    ImageDraw.Draw(drawing).text((-left, -top), words, fill=255, font=font, stroke_width=4)
    scale = _positive(share, "share") * min(width / drawing.width, height / drawing.height)
    size = max(1, round(drawing.width * scale)), max(1, round(drawing.height * scale))
    letters = np.asarray(drawing.resize(size, Image.Resampling.BOX)) > 127
    y, x = (height - size[1]) // 2, (width - size[0]) // 2
    inside = np.zeros((height, width), bool)
    inside[y : y + size[1], x : x + size[0]] = letters
    return inside


def _centred(shape: Shape, centre: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Places of the cells' centres about `centre`, in units of the shorter side."""
    height, width = _check_shape(shape)
    side = min(height, width)
    return (
        ((np.arange(height) + 0.5 - centre[0] * height) / side)[:, None],
        (np.arange(width) + 0.5 - centre[1] * width) / side,
    )


def _check_shape(shape: Shape) -> Shape:
    if len(shape) != 2 or any(n != int(n) or n < 1 for n in shape):
        raise ValueError(f"shape must be (H, W) of whole numbers >= 1, got {shape!r}")
    return int(shape[0]), int(shape[1])


def _positive(value: float, name: str) -> float:
    if not (np.isfinite(value) and value > 0):
        raise ValueError(f"{name} must be a positive share of the field, got {value!r}")
    return float(value)
