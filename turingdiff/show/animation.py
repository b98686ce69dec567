"""Films and stills of runs, of both families: GIF, MP4 and PNG.

A film is composed as palette indices from the first pixel to the last: one palette and fixed colour
limits, pictures enlarged by repeating pixels, text from a few shades between background and ink.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from turingdiff.show import colour, files
from turingdiff.show.captions import compose
from turingdiff.show.pictures import (
    Recorded,
    as_pictures,
    check_limits,
    check_scale,
    drawer,
    fit,
    grid_of,
    look_of,
    over_time,
    paints_of,
)

if TYPE_CHECKING:
    from matplotlib.colors import Colormap


def animate(
    run: Recorded,
    path: str | os.PathLike[str],
    *,
    fps: float | None = None,
    scale: int | None = None,
    hold: float = 1.5,
    colormap: str | Colormap | None = None,
    limits: tuple[float, float] | None = None,
) -> files.Film:
    """Write a run as a film that loops.

    Runs over time show one channel through a colour map whose ends are `colour.limits` of the whole
    film; denoising is grey, RGB is in colour, both over -1 ... 1. Replicas are set in a grid.

    Parameters
    ----------
    path
        The suffix says the format: .gif, or .mp4 (needs ``pip install imageio-ffmpeg``). Missing folders
        are made. The file appears when it is complete.
    fps
        Frames a second. By default 25, or fewer (5 at least) where a film would last less than 3 seconds.
        A GIF counts in 1/100 s and no frame may be shorter than 2 of them: the nearest
        delay is taken (25 fps: 4; 30: 3, that is 33.3 fps; 50 and above: 2).
    scale
        Pixels for each cell, along each side. By default the smallest that gives the short side of the
        picture 240 pixels (1 for 256 x 256, 9 for 28 x 28).
    hold
        Seconds that the last frame stays.
    colormap
        A matplotlib colour map or its name. By default magma for time and gray for denoising.
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
    fps = _speed(len(run.frames)) if fps is None else fps
    files.check_film(path, fps, hold)
    check_scale(scale)
    (paint,), palette = paints_of([run], [look_of(run, colormap, limits)])
    draw = drawer(run, paint, grid_of(run, scale))
    return files.write_film(path, draw, len(run.frames), palette, fps, hold)


def animate_side_by_side(
    panels: Mapping[str, Recorded],
    path: str | os.PathLike[str],
    *,
    fps: float | None = None,
    hold: float = 1.5,
    height: int | None = None,
    colormap: str | Colormap | None = None,
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
    fps = _speed(max((len(run.frames) for run in panels.values()), default=0)) if fps is None else fps
    files.check_film(path, fps, hold)
    if not 1 <= len(panels) <= 4:
        raise ValueError(f"got {len(panels)} panels; a film takes 1 to 4 runs, as a mapping title -> run")
    if height is not None and files.number("height", height) < 16:
        raise ValueError(f"height is {height} pixels; expected at least 16, or None")
    runs = list(panels.values())
    looks = [look_of(run, colormap if over_time(run) else None) for run in runs]
    paints, palette = paints_of(runs, looks)
    natural = [grid_of(run, 1).shape[0] for run in runs]
    target = height or max(256, *natural)
    grids = [grid_of(run, max(1, round(target / h))) for run, h in zip(runs, natural, strict=True)]
    draws = [drawer(*panel) for panel in zip(runs, paints, grids, strict=True)]
    return files.write_film(path, *compose(panels, draws), palette, fps, hold)


def save_frame(
    run: Recorded,
    path: str | os.PathLike[str],
    frame: int = -1,
    *,
    scale: int | None = None,
    colormap: str | Colormap | None = None,
    limits: tuple[float, float] | None = None,
) -> Path:
    """Write one frame of a run, by default the last, as a PNG in the colours that it has in the film."""
    check_scale(scale)
    (paint,), palette = paints_of([run], [look_of(run, colormap, limits)])
    k = range(len(run.frames))[frame]
    return files.write_png(path, palette[drawer(run, paint, grid_of(run, scale))(k)])


def save_still(
    picture: np.ndarray,
    path: str | os.PathLike[str],
    *,
    scale: int | None = None,
    colormap: str | Colormap = colour.COLORMAP,
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
    check_scale(scale)
    pictures = as_pictures(np.asarray(picture), batched=np.ndim(picture) == 4, name="the picture")
    ends = check_limits(limits)
    if pictures.shape[1] == 3:
        cells = [colour.to_bytes(p, *(ends or (-1.0, 1.0))) for p in pictures]
    else:
        low, high = ends or colour.limits([pictures])
        table = colour.colours(colormap, 256)
        cells = [table[colour.indexed(p[0], low, high, 256)] for p in pictures]
    return files.write_png(path, fit(pictures.shape, scale).tile(cells, colour.BACKGROUND))


def _speed(frames: int) -> float:
    """Frames a second that show a short run for about 3 seconds, and a long one smoothly."""
    return min(25.0, max(5.0, frames / 3))
