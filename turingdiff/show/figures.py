"""The figure of a comparison."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from turingdiff.engine.short_repr import short_repr
from turingdiff.files import atomic_path
from turingdiff.show.colour import COLORMAP, limits
from turingdiff.show.tables import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 130
GOLDEN_RATIO = 0.618034
LETTERS = 15  # of the size of a table, in an inch


@short_repr
@dataclass(frozen=True, eq=False)
class Strip:
    """Pictures in a row under one title.

    Attributes
    ----------
    pictures
        (B, C, H, W); uint8, or -1 ... 1 for grey and RGB.
    colormap
        "gray" with fixed limits, or None for the pattern colours with limits of their own.
    sources
        (B, H, W) labels: draws the map of which label each pixel has, shaded by the picture.
    weights
        (B, H, W) from 0 to 1, of these labels: how much colour a pixel has; grey where its label weighs nothing.
    largest
        The largest magnitude in the run that ends in these pictures, see `turingdiff.show.colour.limits`.
    """

    title: str
    pictures: np.ndarray
    colormap: str | None
    sources: np.ndarray | None = None
    weights: np.ndarray | float = 1.0
    largest: float = 0.0


def comparison_figure(
    strips: Sequence[Strip], spectra: Mapping[str, tuple[np.ndarray, np.ndarray]], table: Table | None = None
) -> Figure:
    """Strips of pictures on the left; spectra (wavenumber per cell, power) and the table, if any, on the right."""
    from matplotlib.figure import Figure

    tall = [1 / _aspect(strip) for strip in strips]
    width, strip_width = 13.0, 6.0
    heights = [strip_width * t for t in tall]
    table_height = 0.24 * (len(table.rows) + 1) + 0.3 if table is not None else 0.0
    title = 0.32  # inches above each strip
    stacked = sum(heights) + title * (len(strips) + 0.5)
    height = max(stacked, 3.2 + table_height + 0.8)
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    halves: Any = figure.subfigures(1, 2, width_ratios=(strip_width + 0.4, width - strip_width - 0.4))
    left, right = halves
    axes = left.subplots(len(strips), 1, height_ratios=heights, squeeze=False)[:, 0]
    left.subplots_adjust(
        0.02, 1.01 - stacked / height, 0.98, 1 - title / height, hspace=title / float(np.mean(heights))
    )
    for ax, strip in zip(axes, strips, strict=True):
        _draw_strip(ax, strip)
    if table is None:
        right.subplots_adjust(0.12, 0.5 / height, 0.98, 1 - 0.35 / height)
        _draw_spectra(right.subplots(), spectra)
        return figure
    panels = right.subplots(2, 1, height_ratios=(height - table_height - 0.6, table_height))
    right.subplots_adjust(0.12, 0.02, 0.98, 1 - 0.35 / height, hspace=0.7 / (height / 2))
    _draw_spectra(panels[0], spectra)
    draw_table(panels[1], table, width - strip_width - 0.8)
    return figure


def save_figure(figure: Figure, path: str | os.PathLike[str], **options: Any) -> Path:
    """Write a figure atomically, in the format of the suffix; the bytes do not depend on the day.

    Options are those of matplotlib's ``Figure.savefig``, such as ``bbox_inches="tight"``.
    """
    path = Path(path)
    with atomic_path(path) as temporary:
        write_figure(figure, temporary, path.suffix.removeprefix(".").lower(), **options)
    return path


def write_figure(figure: Figure, file: Path | BinaryIO, kind: str, **options: Any) -> None:
    """Write a figure as "png", "svg" or another of matplotlib's formats; the bytes do not depend on the day."""
    from matplotlib import rc_context

    metadata = {"svg": {"Date": None}, "png": {"Software": None}}.get(kind, {})
    # Without a salt of ours the names inside an SVG are drawn at random.
    with rc_context({"svg.hashsalt": "turingdiff"}):
        figure.savefig(file, format=kind, metadata=metadata, **options)


def _aspect(strip: Strip) -> float:
    count, _, height, width = strip.pictures.shape
    return count * width / height


def _draw_strip(ax: Axes, strip: Strip) -> None:
    from matplotlib import colormaps

    ax.set_title(strip.title, fontsize=9, loc="left", pad=3)
    ax.axis("off")
    pictures = strip.pictures
    if pictures.dtype == np.uint8:
        pictures = pictures / 127.5 - 1
    low, high = (-1.0, 1.0) if strip.colormap else limits([pictures], strip.largest)
    unit = np.clip((pictures - low) / (high - low), 0, 1)
    if pictures.shape[1] == 3:
        cells = np.moveaxis(unit, 1, -1)
    else:
        cells = colormaps[strip.colormap or COLORMAP](unit[:, 0])[..., :3]
    if strip.sources is not None:
        shade = 0.25 + 0.75 * unit.mean(axis=1)[..., None]
        cells = _label_colours(strip.sources, strip.weights) * shade
    gap = np.ones((cells.shape[1], max(1, cells.shape[2] // 28), 3))
    pieces = [piece for cell in cells for piece in (cell, gap)][:-1]
    ax.imshow(np.concatenate(pieces, axis=1), interpolation="nearest")


def _label_colours(labels: np.ndarray, weights: np.ndarray | float) -> np.ndarray:
    """A hue for each label, of a saturation in proportion to its weight; neighbours in number are far apart in hue."""
    from matplotlib.colors import hsv_to_rgb

    hue = (labels * GOLDEN_RATIO) % 1.0
    saturation = (0.55 + 0.35 * ((labels * 7) % 11) / 10) * weights
    return hsv_to_rgb(np.stack([hue, saturation, np.ones_like(hue)], axis=-1))


def _draw_spectra(ax: Axes, spectra: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> None:
    from matplotlib.ticker import NullFormatter

    for name, (wavenumber, power) in spectra.items():
        shown = (power > 0) & (wavenumber <= np.pi)
        if shown.any():
            ax.loglog(wavenumber[shown], power[shown] / power[shown].max(), label=name, linewidth=1.5)
    ax.set_ylim(1e-9, 3)  # below, rounding and the step of the stepper
    ax.set_xlabel("wavenumber [radians per cell]", fontsize=9)
    ax.set_ylabel("power, largest = 1", fontsize=9)
    ax.set_title("spectra of the final states", fontsize=9, loc="left")
    ax.tick_params(labelsize=8)
    ax.xaxis.set_minor_formatter(NullFormatter())  # on a short axis they overlap
    ax.grid(alpha=0.25)
    if ax.lines:
        ax.legend(fontsize=8, frameon=False)


def draw_table(ax: Axes, table: Table, width: float = math.inf) -> None:
    """Draw a table over the whole of an axes, and left of it; in smaller letters where `width` inches are too few."""
    from matplotlib.transforms import Bbox

    ax.axis("off")
    drawn = ax.table(
        cellText=[[name, *values] for name, values in table.rows.items()],
        colLabels=[table.corner, *table.columns],
        cellLoc="left",
        colLoc="left",
        loc="upper left",
        bbox=Bbox.from_bounds(-0.12, 0.0, 1.12, 1.0),
    )
    drawn.auto_set_font_size(False)
    lines = [(table.corner, *table.columns), *((name, *values) for name, values in table.rows.items())]
    letters = sum(max(map(len, column)) for column in zip(*lines, strict=True))
    drawn.set_fontsize(8 * min(1.0, LETTERS * width / letters))
    drawn.auto_set_column_width(list(range(len(table.columns) + 1)))
    for (row, _), cell in drawn.get_celld().items():
        cell.set_edgecolor("#dddddd")
        cell.set_linewidth(0.5)
        if row == 0:
            cell.set_text_props(weight="bold")
