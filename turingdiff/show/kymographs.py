"""A kymograph: a one-dimensional run as one picture, space along x and time downwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from turingdiff.engine import Run
from turingdiff.show import colour
from turingdiff.show.figures import DPI
from turingdiff.show.pictures import over_time

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure


def kymograph(run: Run, *, colormap: str | Colormap = colour.COLORMAP) -> Figure:
    """Draw the shown species of a one-dimensional run, one row for each frame, the first at the top.

    Rows are as high as the time between frames; colours have the limits of a film of the run.

    Parameters
    ----------
    run
        Of a field (C, 1, W), with at least two frames.
    colormap
        A matplotlib colour map or its name.

    Raises
    ------
    ValueError
        For a run in two dimensions, of a batch, of a single frame, or of which all channels are shown.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.8), dpi=DPI, facecolor="white", layout="constrained")
    ax = figure.subplots()
    figure.colorbar(draw_kymograph(ax, run, colormap=colormap), ax=ax, label=run.channels[run.shown or 0])
    ax.set_title(run.name, fontsize=9, loc="left")
    return figure


def draw_kymograph(ax: Axes, run: Run, *, colormap: str | Colormap = colour.COLORMAP) -> QuadMesh:
    """Draw `kymograph` into given axes; returns what a colour bar needs."""
    rows = _rows(run)
    low, high = colour.limits(rows)
    width = rows.shape[1]
    mesh = ax.pcolormesh(
        np.arange(width + 1) * run.dx, _edges(run.times), rows, cmap=colormap, vmin=low, vmax=high, rasterized=True
    )
    ax.set_ylim(*_edges(run.times)[[-1, 0]])  # time runs downwards
    ax.set_xlabel("x", fontsize=9)
    ax.set_ylabel("time, downwards" if over_time(run) else "sigma, downwards", fontsize=9)
    ax.tick_params(labelsize=8)
    return mesh


def _rows(run: Run) -> np.ndarray:
    """(K, W): the shown species of every frame."""
    if run.frames.ndim != 4 or run.frames.shape[-2] != 1:
        raise ValueError(
            f"a kymograph shows a run in one dimension, with frames of shape (K, C, 1, W); {run.name} has "
            f"{run.frames.shape}: start from rule.initial((W,), rng), or take one row of a field, field[:, :1]"
        )
    if len(run.frames) < 2:
        raise ValueError(f"a kymograph needs at least two frames, {run.name} has {len(run.frames)}: give frames=200")
    if run.shown is None and len(run.channels) > 1:
        raise ValueError(f"{run.name} shows all of {', '.join(run.channels)}; a kymograph shows one: set rule.shown")
    return np.stack([np.reshape(run.view(k), -1) for k in range(len(run.frames))])


def _edges(times: np.ndarray) -> np.ndarray:
    """Where rows begin and end: half way between frames."""
    between = (times[1:] + times[:-1]) / 2
    return np.concatenate([[1.5 * times[0] - 0.5 * times[1]], between, [1.5 * times[-1] - 0.5 * times[-2]]])
