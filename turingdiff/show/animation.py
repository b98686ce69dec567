"""Films and stills of runs, of both families: GIF, MP4 and PNG.

A film is composed as palette indices from the first pixel to the last: one palette and fixed colour
limits, pictures enlarged by repeating pixels, text from a few shades between background and ink.
"""

from __future__ import annotations

import math
import operator
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from turingdiff.show import colour, files

LEAST_SIDE = 240  # pixels of the short side of a picture, unless the caller gives a scale

Draw = Callable[[int], np.ndarray]  # the number of a frame -> palette indices of the whole frame


class Recorded(Protocol):
    """What a film needs of a run."""

    @property
    def times(self) -> np.ndarray: ...  # noqa: D102
    @property
    def frames(self) -> np.ndarray: ...  # noqa: D102
    @property
    def clock(self) -> str: ...  # noqa: D102
    def view(self, k: int, /) -> np.ndarray: ...  # noqa: D102


def animate(
    run: Recorded,
    path: str | os.PathLike[str],
    *,
    fps: float = 25,
    scale: int | None = None,
    hold: float = 1.5,
    colormap: str | None = None,
    limits: tuple[float, float] | None = None,
) -> files.Film:
    """Write a run as a film that loops.

    Runs over time show one channel through a colour map whose ends are `colour.limits` of the whole
    film; denoising is grey, RGB is in colour, both over -1 ... 1. Replicas are set in a grid.

    Parameters
    ----------
    path
        The suffix says the format: .gif, or .mp4 (needs ``pip install "turingdiff[video]"``). Missing
        folders are made. The file appears when it is complete.
    fps
        Frames a second. A GIF counts in 1/100 s and no frame may be shorter than 2 of them: the nearest
        delay is taken (25 fps: 4; 30: 3, that is 33.3 fps; 50 and above: 2).
    scale
        Pixels for each cell, along each side. By default the smallest that gives the short side of the
        picture 240 pixels (1 for 256 x 256, 9 for 28 x 28).
    hold
        Seconds that the last frame stays.
    colormap
        A name that matplotlib knows. By default magma for time and gray for denoising.
    limits
        (low, high): the values at the ends of the colour map.

    Raises
    ------
    ValueError
        Another suffix, a bad `fps`, `scale`, `hold`, `colormap` or `limits`, or a frame with values that
        are not finite.
    ImportError
        .mp4 without the extra.
    OSError
        The path cannot be written (see `turingdiff.files.atomic_path`).
    """
    files.check_film(path, fps, hold)
    _check_scale(scale)
    (paint,), palette = _paints([run], [_look(run, colormap, limits)])
    draw = _drawer(run, paint, _grid(run, scale))
    return files.write_film(path, draw, len(run.frames), palette, fps, hold)


def animate_side_by_side(
    panels: Mapping[str, Recorded],
    path: str | os.PathLike[str],
    *,
    fps: float = 25,
    hold: float = 1.5,
    height: int | None = None,
    colormap: str | None = None,
) -> files.Film:
    """Write up to four runs as one film, each under its title and above its own clock.

    All start and end together: a run with fewer frames than the longest shows each for longer.

    Parameters
    ----------
    panels
        Title -> run.
    path, fps, hold
        As for `animate`.
    height
        Pixels: each picture is enlarged by the whole number that brings it nearest. By default 256, or
        the height of the tallest where that is more.
    colormap
        For the runs over time.

    Raises
    ------
    ValueError, ImportError, OSError
        As for `animate`; and ValueError for no panel or more than four.
    """
    files.check_film(path, fps, hold)
    if not 1 <= len(panels) <= 4:
        raise ValueError(f"got {len(panels)} panels; a film takes 1 to 4 runs, as a mapping title -> run")
    if height is not None and files.number("height", height) < 16:
        raise ValueError(f"height is {height} pixels; expected at least 16, or None")
    runs = list(panels.values())
    looks = [_look(run, colormap if _over_time(run) else None) for run in runs]
    paints, palette = _paints(runs, looks)
    natural = [_grid(run, 1).shape[0] for run in runs]
    target = height or max(256, *natural)
    grids = [_grid(run, max(1, round(target / h))) for run, h in zip(runs, natural, strict=True)]
    draws = [_drawer(*panel) for panel in zip(runs, paints, grids, strict=True)]
    return files.write_film(path, *_compose(panels, draws), palette, fps, hold)


def save_frame(
    run: Recorded,
    path: str | os.PathLike[str],
    frame: int = -1,
    *,
    scale: int | None = None,
    colormap: str | None = None,
    limits: tuple[float, float] | None = None,
) -> Path:
    """Write one frame of a run, by default the last, as a PNG in the colours that it has in the film."""
    _check_scale(scale)
    (paint,), palette = _paints([run], [_look(run, colormap, limits)])
    k = range(len(run.frames))[frame]
    return files.write_png(path, palette[_drawer(run, paint, _grid(run, scale))(k)])


def save_still(
    picture: np.ndarray,
    path: str | os.PathLike[str],
    *,
    scale: int | None = None,
    colormap: str = colour.COLORMAP,
    limits: tuple[float, float] | None = None,
) -> Path:
    """Write a picture, or several in a grid, as a PNG.

    Parameters
    ----------
    picture
        (H, W), (1, H, W), (3, H, W) for RGB; several are (B, 1, H, W) or (B, 3, H, W).
    path, scale, colormap
        As for `animate`; the suffix is .png.
    limits
        (low, high). By default -1 ... 1 for RGB, else `colour.limits` of the pictures together.
    """
    _check_scale(scale)
    pictures = _as_pictures(np.asarray(picture), batched=np.ndim(picture) == 4, name="the picture")
    ends = _check_limits(limits)
    if pictures.shape[1] == 3:
        cells = [colour.to_bytes(p, *(ends or (-1.0, 1.0))) for p in pictures]
    else:
        low, high = ends or colour.limits([pictures])
        table = colour.colours(colormap, 256)
        cells = [table[colour.indexed(p[0], low, high, 256)] for p in pictures]
    return files.write_png(path, _fit(pictures.shape, scale).tile(cells, colour.BACKGROUND))


# --- pictures and their colours ------------------------------------------------------------------------


@dataclass(frozen=True)
class _Grid:
    """Where the pictures of one view go, and how far they are enlarged."""

    rows: int
    columns: int
    height: int
    width: int
    scale: int

    @property
    def gap(self) -> int:
        return max(3, self.scale // 2)

    @property
    def shape(self) -> tuple[int, int]:
        high, wide = self.height * self.scale + self.gap, self.width * self.scale + self.gap
        return self.rows * high - self.gap, self.columns * wide - self.gap

    def tile(self, cells: list[np.ndarray], fill: Any) -> np.ndarray:
        """Set pictures (H, W, ...), pixels repeated, on a sheet of `fill` that shows in the gaps."""
        sheet = np.full((*self.shape, *cells[0].shape[2:]), fill, dtype=np.uint8)
        high, wide = self.height * self.scale, self.width * self.scale
        for n, cell in enumerate(cells):
            top, left = (n // self.columns) * (high + self.gap), (n % self.columns) * (wide + self.gap)
            enlarged = cell.repeat(self.scale, axis=0).repeat(self.scale, axis=1)
            sheet[top : top + high, left : left + wide] = enlarged
        return sheet


def _fit(shape: tuple[int, ...], scale: int | None) -> _Grid:
    """Lay out (B, C, H, W) pictures in a grid that is nearly square."""
    count, _, height, width = shape
    columns = min(count, max(1, math.ceil(math.sqrt(count * height / width))))
    rows = -(-count // columns)
    scale = scale or math.ceil(LEAST_SIDE / min(rows * height, columns * width))
    return _Grid(rows, columns, height, width, scale)


def _grid(run: Recorded, scale: int | None) -> _Grid:
    return _fit(_view(run, 0).shape, scale)


def _view(run: Recorded, k: int) -> np.ndarray:
    """Frame k of a run as (B, C, H, W), C = 1 or 3, every value finite."""
    name = f"frame {k} of {len(run.frames)} ({_symbol(run)} = {run.times[k]:g})"
    return _as_pictures(np.asarray(run.view(k)), batched=run.frames.ndim == 5, name=name)


def _as_pictures(view: np.ndarray, batched: bool, name: str) -> np.ndarray:
    inner = view.shape[1:] if batched else view.shape
    if len(inner) == 2:
        inner = (1, *inner)
    if len(inner) != 3 or inner[0] not in (1, 3) or 0 in view.shape:
        each = "(B, H, W), (B, 1, H, W) or (B, 3, H, W)" if batched else "(H, W), (1, H, W) or (3, H, W)"
        raise ValueError(f"{name} has the shape {view.shape}; a picture is {each}")
    broken = view.size - np.count_nonzero(np.isfinite(view))
    if broken:
        raise ValueError(
            f"{name} holds {broken} values that are not finite; where a run blew up, take smaller steps or stop before"
        )
    return view.reshape(-1, *inner)


def _look(run: Recorded, colormap: str | None = None, limits: tuple[float, float] | None = None) -> colour.Look:
    ends = _check_limits(limits)
    if len(run.frames) == 0:
        raise ValueError("the run holds no frame; record at least one")
    if _view(run, 0).shape[1] == 3:
        return colour.Look(None, *(ends or (-1.0, 1.0)))
    if _over_time(run):
        ends = ends or colour.limits(_view(run, k) for k in range(len(run.frames)))
        return colour.Look(colormap or colour.COLORMAP, *ends)
    return colour.Look(colormap or colour.GREY, *(ends or (-1.0, 1.0)))


def _paints(runs: Sequence[Recorded], looks: Sequence[colour.Look]) -> tuple[list[colour.Paint], np.ndarray]:
    """Share one palette among runs; return for each what turns its pictures into indices, and the palette."""
    coloured = [(run, look) for run, look in zip(runs, looks, strict=True) if look.colormap is None]
    films = (
        [colour.to_bytes(p, look.low, look.high) for p in _view(run, k)]
        for run, look in coloured
        for k in range(len(run.frames))
    )
    finals = (
        [colour.to_bytes(p, look.low, look.high) for p in _view(run, len(run.frames) - 1)] for run, look in coloured
    )
    return colour.share_palette(looks, chain.from_iterable(films), chain.from_iterable(finals))


def _drawer(run: Recorded, paint: colour.Paint, grid: _Grid) -> Draw:
    return lambda k: grid.tile([paint(picture) for picture in _view(run, k)], 0)


# --- titles and clocks ---------------------------------------------------------------------------------


def _compose(panels: Mapping[str, Recorded], draws: list[Draw]) -> tuple[Draw, int]:
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


def _over_time(run: Recorded) -> bool:
    return run.clock != "sigma"


def _symbol(run: Recorded) -> str:
    return "t" if _over_time(run) else "σ"


def _clock_texts(run: Recorded) -> list[str]:
    """Write every time of a run: times with the same decimals throughout, sigmas to three figures."""
    times = np.asarray(run.times, dtype=np.float64)
    if _over_time(run):
        longest = float(np.abs(times).max())
        figures = math.floor(math.log10(longest)) if longest > 0 else 0
        form = f".{max(0, 3 - figures)}f" if -3 <= figures < 7 else ".3e"
        return [f"t = {t:{form}}" for t in times]
    return [f"σ = {s:.0f}" if s == 0 or s >= 100 else f"σ = {s:#.3g}" for s in times]


# --- arguments ------------------------------------------------------------------------------------------


def _check_scale(scale: int | None) -> None:
    if scale is None:
        return
    if isinstance(scale, bool) or not hasattr(scale, "__index__"):
        raise TypeError(f"scale is {scale!r}; expected a whole number of pixels a cell, or None to choose one")
    if operator.index(scale) < 1:
        raise ValueError(f"scale is {scale}; expected at least 1 pixel a cell, or None")


def _check_limits(limits: tuple[float, float] | None) -> tuple[float, float] | None:
    if limits is None:
        return None
    ends = np.asarray(limits, dtype=np.float64)
    if ends.shape != (2,) or not np.isfinite(ends).all() or ends[0] >= ends[1]:
        raise ValueError(f"limits are {limits!r}; expected two finite numbers (low, high), low < high")
    return float(ends[0]), float(ends[1])
