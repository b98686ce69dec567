"""An influence cone: how far a perturbation of one cell spreads, against the clock, and maps of the difference."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from turingdiff.measure import Influence
from turingdiff.show import colour
from turingdiff.show.animation import animate
from turingdiff.show.figures import DPI
from turingdiff.show.files import Film

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

BOUND, DETECTABLE, VISIBLE, UNTOUCHED = "#777777", "#1f4e79", "#c2571a", "#d9dee3"
THRESHOLD = 0.01  # of the largest difference: what the eye makes out
DECADES = 6  # of differences in the maps
MAPS = 6


def influence_figure(influence: Influence) -> Figure:
    """Draw radius against clock under the bound of the declared radii; below, maps of the difference at six readings.

    The solid line is where anything differs, the dotted one where the difference is above a hundredth of the largest of
    its moment. In the maps colour is the decimal logarithm of the difference, the largest of each map 0; what does not
    differ at all is grey, and a ring marks the cell. Along sigma readings are drawn at even distances.

    Raises
    ------
    ValueError
        If the influence has fewer than two readings.
    """
    from matplotlib.figure import Figure

    if len(influence.times) < 2:
        raise ValueError(f"a cone needs at least two readings, {influence.name} has {len(influence.times)}")
    height, width = influence.distance.shape
    chosen = _chosen(influence)
    tall = float(np.clip(9.0 / len(chosen) * height / width, 0.5, 3.0))
    figure = Figure(figsize=(9.0, 3.6 + tall + 0.8), dpi=DPI, facecolor="white", layout="constrained")
    grid = figure.add_gridspec(2, len(chosen), height_ratios=(3.6, tall + 0.4))
    draw_cone(figure.add_subplot(grid[0, :]), influence, chosen)
    axes = [figure.add_subplot(grid[1, n]) for n in range(len(chosen))]
    for ax, k in zip(axes, chosen, strict=True):
        image = _draw_map(ax, influence, k)
    bar = figure.colorbar(image, ax=axes, shrink=0.8, pad=0.01)
    bar.set_label("log10 of difference, largest = 0", fontsize=8)
    bar.ax.tick_params(labelsize=8)
    return figure


def draw_cone(ax: Axes, influence: Influence, marked: np.ndarray | None = None) -> None:
    """Draw radius against clock of `influence_figure` into given axes; `marked` readings get a tick on the line."""
    clock, edge = _clock(influence), int(influence.distance.max())
    bound = np.minimum(influence.bound, 10.0 * (edge + 1))  # the whole field: off the picture
    ax.plot(clock, bound, color=BOUND, linewidth=1.2, linestyle="--", label="bound by the declared radii")
    ax.fill_between(clock, bound, color=BOUND, alpha=0.08, linewidth=0)
    ax.axhline(edge, color=BOUND, linewidth=0.8, linestyle=":")
    ax.annotate(
        "farthest cell of the field", (1, edge), xycoords=("axes fraction", "data"), xytext=(-4, 3),
        textcoords="offset points", fontsize=7, color=BOUND, ha="right",
    )  # fmt: skip
    ax.plot(clock, influence.radius, color=DETECTABLE, linewidth=1.6, label="differs at all")
    label = f"differs by more than {THRESHOLD:.0%} of the largest"
    ax.plot(clock, influence.reach(THRESHOLD), color=VISIBLE, linewidth=1.4, linestyle=(0, (1, 1)), label=label)
    if marked is not None:
        ax.plot(clock[marked], influence.radius[marked], "o", color=DETECTABLE, markersize=4)
    top = float(np.fmax(influence.radius, np.minimum(influence.bound, edge)).max())
    ax.set_ylim(0, 1.15 * max(top, 1.0))
    ax.set_xlim(clock[0], clock[-1])
    ax.set_ylabel("distance [cells]", fontsize=9)
    ax.set_title(f"{influence.name}: spread of a perturbation of cell {influence.at}", fontsize=9, loc="left", pad=20)
    _label_clock(ax, influence)
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(labelsize=8)
    ax.legend(fontsize=8, frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderpad=0.2)


def animate_influence(influence: Influence, path: str | os.PathLike[str], **options: Any) -> Film:
    """Write the cone as a film: the logarithm of the difference, six decades below the largest of its moment.

    Parameters
    ----------
    path
        The suffix says the format: .gif or .mp4.
    **options
        ``fps``, ``scale``, ``hold``, ``colormap`` of `animate`.

    Raises
    ------
    ValueError, ImportError, OSError
        As `animate`.
    """
    film = _Film(influence.times, influence.maps[:, None], influence.clock)
    return animate(film, path, **{"colormap": colour.COLORMAP, "limits": (-DECADES, 0.0), **options})


@dataclass(frozen=True, eq=False)
class _Film:
    """What a film needs of an influence."""

    times: np.ndarray
    frames: np.ndarray
    clock: str

    def view(self, k: int) -> np.ndarray:
        """Frame k, as a logarithm."""
        return np.nan_to_num(_logarithm(self.frames[k]), nan=-DECADES)


def _logarithm(difference: np.ndarray) -> np.ndarray:
    """Decades below the largest; nan where nothing differs."""
    values = difference.astype(np.float64)
    differs = values > 0
    share = np.where(differs, values, 1.0) / (values.max() if differs.any() else 1.0)
    return np.where(differs, np.maximum(np.log10(np.maximum(share, 1e-300)), -DECADES), np.nan)


def _chosen(influence: Influence) -> np.ndarray:
    """Readings at even steps, the first and the last among them."""
    last = len(influence.times) - 1
    return np.unique(np.rint(np.linspace(0, last, min(MAPS, last + 1))).astype(int))


def _clock(influence: Influence) -> np.ndarray:
    """Positions along the axis: time itself; along sigma the number of the reading, as levels lie unevenly."""
    return influence.times if influence.clock != "sigma" else np.arange(len(influence.times), dtype=float)


def _label_clock(ax: Axes, influence: Influence) -> None:
    if influence.clock != "sigma":
        ax.set_xlabel("time", fontsize=9)
        return
    last = len(influence.times) - 1
    ticks = np.unique(np.rint(np.linspace(0, last, min(11, last + 1))).astype(int))
    ax.set_xticks(ticks, [f"{influence.times[k]:.3g}" for k in ticks])
    ax.set_xlabel("noise level sigma", fontsize=9)


def _draw_map(ax: Axes, influence: Influence, k: int) -> AxesImage:
    shown = np.ma.masked_invalid(_logarithm(influence.maps[k]))
    image = ax.imshow(shown, cmap=colour.COLORMAP, vmin=-DECADES, vmax=0, interpolation="nearest")
    row, column = influence.at
    ax.plot(column, row, "o", markersize=7, markerfacecolor="none", markeredgecolor="#36b37e", markeredgewidth=1)
    symbol = "sigma" if influence.clock == "sigma" else "t"
    largest = f"largest: {influence.maps[k].max():.2g}"
    ax.set_title(f"{symbol} = {influence.times[k]:.3g}\n{largest}", fontsize=8)
    ax.set_facecolor(UNTOUCHED)
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_color("#cccccc")
    return image
