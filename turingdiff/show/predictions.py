"""The figure of theory against experiment: pictures, agreement at every level, patch sizes, the table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from turingdiff.show.figures import DPI, draw_table
from turingdiff.show.tables import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, LINE = 13.0, 0.27  # inches: the figure, a row of the table


def agreement_figure(
    sheet: Mapping[str, np.ndarray],
    levels: np.ndarray,
    curves: Mapping[str, np.ndarray],
    sizes: Mapping[str, Sequence[int]],
    table: Table,
) -> Figure:
    """Draw what machines predict of a reference.

    Parameters
    ----------
    sheet
        Title to pictures (S, C, H, W), a column each; a row is one noise.
    levels
        Noise levels, all positive.
    curves
        Title to r² (levels, S).
    sizes
        Title to patch size a level.
    """
    from matplotlib.figure import Figure

    count, _, height, width = next(iter(sheet.values())).shape
    tall = WIDTH / len(sheet) * height / width * count + 0.5
    table_height = LINE * (len(table.rows) + 1) + 0.2
    total = tall + 3.3 + table_height
    figure = Figure(figsize=(WIDTH, total), dpi=DPI, facecolor="white")
    parts: Any = figure.subfigures(3, 1, height_ratios=(tall, 3.3, table_height))
    top, middle, bottom = parts
    axes = np.atleast_2d(top.subplots(count, len(sheet), squeeze=False))
    top.subplots_adjust(0.01, 0.01, 0.99, 1 - 0.4 / tall, wspace=0.04, hspace=0.04)
    for column, (name, pictures) in zip(axes.T, sheet.items(), strict=True):
        column[0].set_title(name.replace(" training", "\ntraining"), fontsize=8)
        for ax, picture in zip(column, pictures, strict=True):
            _draw_picture(ax, picture)
    left, right = middle.subplots(1, 2, width_ratios=(1.6, 1))
    middle.subplots_adjust(0.06, 0.16, 0.98, 0.9, wspace=0.16)
    _draw_curves(left, levels, curves)
    _draw_sizes(right, levels, sizes)
    ax = bottom.subplots()
    bottom.subplots_adjust(0.13, 0.04, 0.99, 0.98)
    draw_table(ax, table)
    return figure


def _draw_picture(ax: Axes, picture: np.ndarray) -> None:
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    if len(picture) == 3:
        ax.imshow(np.clip((np.moveaxis(picture, 0, -1) + 1) / 2, 0, 1), interpolation="nearest")
    else:
        ax.imshow(picture[0], cmap="gray", vmin=-1, vmax=1, interpolation="nearest")


def _draw_curves(ax: Axes, levels: np.ndarray, curves: Mapping[str, np.ndarray]) -> None:
    for name, values in curves.items():
        low, median, high = np.quantile(values, (0.25, 0.5, 0.75), axis=1)
        (line,) = ax.plot(levels, median, label=name, linewidth=1.5, marker=".")
        ax.fill_between(levels, low, high, color=line.get_color(), alpha=0.15, linewidth=0)
    _along_levels(ax, levels)
    ax.set_ylim(-0.6, 1.05)
    ax.set_ylabel("r²", fontsize=9)
    ax.set_title("denoised image against the reference's, median and quartiles", fontsize=9, loc="left")
    ax.legend(fontsize=7, frameon=False, ncols=2)


def _draw_sizes(ax: Axes, levels: np.ndarray, sizes: Mapping[str, Sequence[int]]) -> None:
    for name, chosen in sizes.items():
        ax.step(levels, chosen, where="mid", label=name, linewidth=1.5)
    _along_levels(ax, levels)
    ax.set_ylabel("side [pixels]", fontsize=9)
    ax.set_title("patch sizes, from coarse to fine", fontsize=9, loc="left")
    if sizes:
        ax.legend(fontsize=7, frameon=False)


def _along_levels(ax: Axes, levels: np.ndarray) -> None:
    ax.set_xscale("log")
    ax.set_xlim(float(levels.max()) * 1.1, float(levels.min()) / 1.1)  # as a run goes: from noise to image
    ax.set_xlabel("noise level sigma", fontsize=9)
    ax.tick_params(labelsize=8)
    ax.grid(alpha=0.25)
