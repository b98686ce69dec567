"""Figures of linear theory: the growth of waves above what was measured, and the map of a plane of parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from turingdiff.measure import Dispersion, Speciation, Spectrum, TuringSpace
from turingdiff.show.figures import DPI

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

GROWTH, FREQUENCY, POWER, FASTEST = "#1f4e79", "#777777", "#c2571a", "#b0182b"
# Every regime has its colour, on every map.
REGIMES = {
    "stable": "#eeece4",
    "Turing": "#f2a65a",
    "long-wave": "#d9c27a",
    "Turing-Hopf": "#b56b8c",
    "Hopf": "#7fa3c7",
    "wave": "#7fb59b",
    "unstable": "#a9a9b3",
    "no steady state found": "#ffffff",
}
POINTS = 600
# Waves decay at 1, or little faster; on a state that was left long ago, some grow at hundreds.
FAST = 2.0


def dispersion_figure(dispersion: Dispersion, spectrum: Spectrum | None = None) -> Figure:
    """Growth rate against wavenumber, the unstable band shaded; below it, on the same axis, a measured spectrum.

    A dashed line, against the axis on the right, is the frequency of the fastest mode where it has one.

    Parameters
    ----------
    spectrum
        Of a field of the same rule and ``dx``: ``td.measure.spectrum(run.final, dx)``.
    """
    from matplotlib.figure import Figure

    rows = 1 if spectrum is None else 2
    figure = Figure(figsize=(7.2, 3.4 * rows), dpi=DPI, facecolor="white", layout="constrained")
    axes = figure.subplots(rows, 1, sharex=True, squeeze=False)[:, 0]
    _draw_growth(axes[0], dispersion)
    if spectrum is not None:
        _draw_spectrum(axes[1], dispersion, spectrum)
    for ax in axes:
        ax.set_xlim(0, _last_wavenumber(dispersion))
        ax.spines[["top", "right"]].set_visible(False)
        ax.tick_params(labelsize=8)
    axes[-1].set_xlabel("wavenumber [radians per length]", fontsize=9)
    return figure


def speciation_figure(speciation: Speciation) -> Figure:
    """Which waves a denoiser decides, and when: maps of lambda(k; sigma), and the plane of waves by their sigma.

    Above, growth per unit of -ln sigma for waves along x and along y, noise falling downwards; the black line is where
    growth begins, and colours end at 2. A patch schedule leaves steps, where its size changes. Below, the uniform state
    at each level, and over the plane of waves the sigma at which each begins to grow, white where it never does.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 7.6), dpi=DPI, facecolor="white", layout="constrained")
    (top_left, top_right), (low_left, low_right) = figure.subplots(2, 2)
    _draw_growth_map(top_left, speciation, 0)
    _draw_growth_map(top_right, speciation, 1)
    _draw_states(low_left, speciation)
    _draw_decided(low_right, speciation)
    for ax in (top_left, top_right, low_left, low_right):
        ax.tick_params(labelsize=8)
    figure.suptitle(str(speciation), fontsize=10, x=0.01, ha="left")
    return figure


def turing_space_figure(space: TuringSpace) -> Figure:
    """The regimes over a plane of parameters; in the Turing region, contours of the fastest growing wavelength."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 4.8), dpi=DPI, facecolor="white", layout="constrained")
    draw_turing_space(figure.subplots(), space)
    return figure


def draw_turing_space(ax: Axes, space: TuringSpace) -> None:
    """Draw the map of `turing_space_figure` into given axes."""
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch

    words = list(REGIMES)
    number = np.vectorize(words.index)(space.regime)
    ax.pcolormesh(
        space.x, space.y, number, cmap=ListedColormap(list(REGIMES.values())), vmin=-0.5, vmax=len(words) - 0.5,
        shading="nearest", rasterized=True,
    )  # fmt: skip
    present = [word for word in words if (space.regime == word).any()]
    handles: list[Artist] = [
        Patch(facecolor=REGIMES[word], edgecolor="#666666", linewidth=0.6, label=word) for word in present
    ]
    handles += _draw_wavelengths(ax, space)
    ax.legend(handles=handles, fontsize=8, frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=8,
              columnspacing=1.2, handlelength=1.6)  # fmt: skip
    ax.set_xlabel(space.names[0], fontsize=9)
    ax.set_ylabel(space.names[1], fontsize=9)
    ax.tick_params(labelsize=8)


def _draw_growth_map(ax: Axes, speciation: Speciation, axis: int) -> None:
    """Growth of waves along x (`axis` 0) or y (1) over wavenumber and level."""
    curve = speciation.curves[0]
    half = speciation.wavenumbers[axis]
    k = half[half >= 0] if curve.canvas else np.linspace(0, np.pi / curve.dx, POINTS // 4)
    growth = speciation.growth(k) if axis == 0 else speciation.growth(0.0, k)
    limit = min(float(np.abs(growth).max()) or 1.0, FAST)
    image = ax.pcolormesh(k, speciation.levels, growth, cmap="RdBu_r", vmin=-limit, vmax=limit, shading="nearest",
                          rasterized=True)  # fmt: skip
    if min(growth.shape) > 1 and growth.min() < 0 < growth.max():
        ax.contour(k, speciation.levels, growth, levels=[0], colors="black", linewidths=1.2)
    if len(speciation.levels) > 1:
        ax.set_yscale("log")
        ax.set_ylim(speciation.levels[-1], speciation.levels[0])
    ax.set_xlabel(f"wavenumber along {'xy'[axis]} [radians per length]", fontsize=9)
    ax.set_ylabel("noise level sigma", fontsize=9)
    bar = ax.figure.colorbar(image, ax=ax, extend="max" if growth.max() > limit else "neither")
    bar.set_label("growth per unit of -ln sigma", fontsize=8)
    bar.ax.tick_params(labelsize=8)


def _draw_states(ax: Axes, speciation: Speciation) -> None:
    for name, values in zip(speciation.curves[0].channels, speciation.states.T, strict=True):
        ax.plot(speciation.levels, values, ".-", linewidth=1.3, markersize=4, label=name)
    if len(speciation.levels) > 1:
        ax.set_xscale("log")
        ax.set_xlim(speciation.levels[0], speciation.levels[-1])
    ax.set_ylim(min(-1.05, 1.05 * speciation.states.min()), max(1.05, 1.05 * speciation.states.max()))
    ax.set_xlabel("noise level sigma", fontsize=9)
    ax.set_ylabel("uniform state", fontsize=9)
    ax.legend(fontsize=8, frameon=False)
    ax.spines[["top", "right"]].set_visible(False)


def _draw_decided(ax: Axes, speciation: Speciation) -> None:
    from matplotlib.colors import LogNorm

    kx, ky = speciation.wavenumbers
    decided = np.ma.masked_invalid(speciation.decided_at(kx, ky[:, None]))
    ax.set_xlabel("kx [radians per length]", fontsize=9)
    ax.set_ylabel("ky [radians per length]", fontsize=9)
    if not decided.count():
        ax.set_xlim(0, kx[-1] or 1.0)
        ax.set_ylim(ky[0] or -1.0, ky[-1] or 1.0)
        ax.text(0.5, 0.5, "no wave grows at any level", transform=ax.transAxes, ha="center", fontsize=9)
        return
    norm = LogNorm(speciation.levels[-1], decided.max()) if decided.max() > speciation.levels[-1] else None
    image = ax.pcolormesh(kx, ky, decided, cmap="viridis", norm=norm, shading="nearest", rasterized=True)
    bar = ax.figure.colorbar(image, ax=ax)
    bar.set_label("sigma at which it begins to grow", fontsize=8)
    bar.ax.tick_params(labelsize=8)


def _draw_wavelengths(ax: Axes, space: TuringSpace) -> list[Line2D]:
    """Contours, and their entry in the legend if there are any."""
    from matplotlib.lines import Line2D
    from matplotlib.ticker import MaxNLocator

    turing = space.regime == "Turing"
    if min(space.regime.shape) < 2 or np.unique(space.wavelength[turing]).size < 2:
        return []
    wavelength = np.ma.masked_where(~turing, space.wavelength)
    # Near a threshold of zero wavenumber they run off to infinity.
    levels = MaxNLocator(7).tick_values(wavelength.min(), np.percentile(wavelength.compressed(), 95))
    lines = ax.contour(space.x, space.y, wavelength, levels=levels, colors="#333333", linewidths=0.7)
    ax.clabel(lines, fontsize=7, fmt="%g")
    return [Line2D([], [], color="#333333", linewidth=0.7, label="wavelength")]


def _last_wavenumber(dispersion: Dispersion) -> float:
    """How far to draw: somewhat beyond the band, so that it fills the picture."""
    shortest = np.pi / dispersion.dx
    if dispersion.unstable_band is not None:
        return float(min(shortest, 2 * dispersion.unstable_band[1]))
    return float(min(shortest, 3 * dispersion.k_max) or shortest)


def _draw_growth(ax: Axes, dispersion: Dispersion) -> None:
    k = np.linspace(0, _last_wavenumber(dispersion), POINTS)
    growth, frequency = dispersion.growth(k), dispersion.frequency(k)
    low, high = _growth_limits(dispersion, growth)
    unit = {"time": "time", "sigma": "-ln sigma"}[dispersion.clock]
    ax.axhline(0, color="black", linewidth=0.8)
    ax.plot(k, growth, color=GROWTH, linewidth=1.8)
    _shade_band(ax, dispersion)
    ax.plot(dispersion.k_max, dispersion.max_growth, "o", color=FASTEST, markersize=5, clip_on=False, zorder=5)
    label = "uniform mode" if dispersion.k_max == 0 else f"wavelength {dispersion.wavelength:.4g}"
    offset = (8, -12 if dispersion.unstable_band is None else 5)  # away from the line of zero growth
    top = (dispersion.k_max, dispersion.max_growth)
    ax.annotate(label, top, offset, textcoords="offset points", fontsize=8, color=FASTEST)
    ax.set_ylim(low, high)
    ax.set_ylabel(f"growth rate [1 / {unit}]", fontsize=9, color=GROWTH)
    ax.set_title(f"{dispersion.name}: {dispersion.regime}", fontsize=9, loc="left")
    swings = (frequency > dispersion.tolerance) & (growth >= low)
    if swings.any():
        right = ax.twinx()
        right.plot(k, np.where(swings, frequency, np.nan), "--", color=FREQUENCY, linewidth=1.3)
        right.set_ylim(0, 1.25 * frequency[swings].max())
        right.set_ylabel(f"frequency [radians / {unit}], dashed", fontsize=9, color=FREQUENCY)
        right.spines[["top"]].set_visible(False)
        right.tick_params(labelsize=8)


def _growth_limits(dispersion: Dispersion, growth: np.ndarray) -> tuple[float, float]:
    """The hump in full; of what decays, three times its height."""
    top = max(dispersion.max_growth, 0.0)
    bottom = growth.min() if top <= dispersion.tolerance else max(growth.min(), -3 * top)
    room = 0.15 * (top - bottom) or 1.0
    return bottom - room / 2, top + room


def _shade_band(ax: Axes, dispersion: Dispersion) -> None:
    if dispersion.unstable_band is not None:
        ax.axvspan(*dispersion.unstable_band, color=GROWTH, alpha=0.10, linewidth=0)


def _draw_spectrum(ax: Axes, dispersion: Dispersion, spectrum: Spectrum) -> None:
    power = spectrum.power / (spectrum.power.max() or 1.0)
    shown = spectrum.wavenumber <= 1.1 * _last_wavenumber(dispersion)
    ax.plot(spectrum.wavenumber[shown], power[shown], ".-", color=POWER, linewidth=1.3, markersize=5)
    _shade_band(ax, dispersion)
    if dispersion.unstable_band is not None:
        ax.axvline(dispersion.k_max, color=FASTEST, linewidth=1, linestyle=":")
    ax.set_ylim(0, 1.08)
    ax.set_ylabel("power, largest = 1", fontsize=9, color=POWER)
    shaded = "" if dispersion.unstable_band is None else "; shaded: where small waves grow"
    ax.set_title(f"spectrum of the final field{shaded}", fontsize=9, loc="left")
