"""Titles and clocks: several pictures on one sheet, each under its name and above its time."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from turingdiff.show import colour
from turingdiff.show.pictures import Draw, Recorded, over_time


def compose(panels: Mapping[str, Recorded], draws: list[Draw]) -> tuple[Draw, int]:
    """Set pictures side by side with titles and clocks; return how to draw a frame, and how many."""
    from PIL import ImageFont

    shapes = [draw(0).shape for draw in draws]
    tall = max(height for height, _ in shapes)
    size = max(14, round(tall / 15))
    # Pillow's own font has no sigma and no dash; matplotlib brings one that has, with digits of one width.
    font = ImageFont.truetype(_font_file(), size)
    titles = [_letters(title, font) for title in panels]
    clocks = [[_letters(text, font) for text in _clock_texts(run)] for run in panels.values()]
    widths = [
        max(width, title.shape[1], *(text.shape[1] for text in texts))
        for (_, width), title, texts in zip(shapes, titles, clocks, strict=True)
    ]
    line, margin = titles[0].shape[0], round(1.4 * size)
    top = margin + line + size // 2
    below = top + tall + size // 2
    ground = np.zeros((below + line + margin, sum(widths) + margin * (len(widths) + 1)), dtype=np.uint8)
    # Title, picture and clock share their left edge: a centred clock would sway with its digits.
    lefts = [margin * (n + 1) + sum(widths[:n]) for n in range(len(widths))]
    for left, title in zip(lefts, titles, strict=True):
        _put(ground, title, margin, left)
    count = max(map(len, clocks))

    def draw_frame(n: int) -> np.ndarray:
        frame = ground.copy()
        for left, draw, texts in zip(lefts, draws, clocks, strict=True):
            k = round(n * (len(texts) - 1) / max(1, count - 1))
            picture = draw(k)
            _put(frame, picture, top + (tall - picture.shape[0]) // 2, left)
            _put(frame, texts[k], below, left)
        return frame

    return draw_frame, count


def _font_file() -> str:
    import matplotlib

    return os.path.join(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")


def _letters(text: str, font: Any) -> np.ndarray:
    """Draw one line of text as palette indices, as high as any other line of the font."""
    from PIL import Image, ImageDraw

    ascent, descent = font.getmetrics()
    text = " ".join(text.split()) or " "
    image = Image.new("L", (math.ceil(font.getlength(text)), ascent + descent))
    ImageDraw.Draw(image).text((0, 0), text, fill=255, font=font)
    return np.rint(np.asarray(image) * ((colour.SHADES - 1) / 255)).astype(np.uint8)


def _put(sheet: np.ndarray, piece: np.ndarray, top: int, left: int) -> None:
    sheet[top : top + piece.shape[0], left : left + piece.shape[1]] = piece


def _clock_texts(run: Recorded) -> list[str]:
    """Write every time of a run: times with the same decimals throughout, sigmas to three figures."""
    times = np.asarray(run.times, dtype=np.float64)
    if over_time(run):
        longest = float(np.abs(times).max())
        figures = math.floor(math.log10(longest)) if longest > 0 else 0
        form = f".{max(0, 3 - figures)}f" if -3 <= figures < 7 else ".3e"
        return [f"t = {t:{form}}" for t in times]
    return [f"σ = {s:.0f}" if s == 0 or s >= 100 else f"σ = {s:#.3g}" for s in times]
