"""An atlas of the Gray–Scott system: one run for every class of Pearson and Munafo, and where they live.

Above, the classes, each under its letter, with F and k and whether it moves; the colour is v, from red (none) to blue
(much), as in Pearson's pictures. Below, the plane of F and k. The red state, (u, v) = (1, 0), is stable everywhere.
Inside the full curve (saddle-node) there is a blue state too, which oscillates below the dashed one (Hopf). The classes
follow the edge where blue gives way to red. None is a Turing instability of the red state, so every run starts from a
finite push: seeds, holes in a blue sea, islands, or a broken wave.
"""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

import turingdiff as td
from turingdiff.show import save_figure

LETTERS = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "eta": "η", "theta": "θ",
    "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ",
    "u-skate": "u-skate",
}  # fmt: skip
PEARSON = LinearSegmentedColormap.from_list(
    "pearson", ["#7a1420", "#c9302c", "#f4a63a", "#f7e9a0", "#6fbfa8", "#2a7fb8", "#173a7a"]
)
INK = "#173a7a"
MOTION = {True: "moves", False: "steady", None: "still settling"}


def main(out="out", names=tuple(LETTERS), shape=(256, 256), t_end=30_000.0, seed=1):
    plates = []
    for name in names:
        rule = td.morphogenesis.gray_scott(name)
        run = td.simulate(rule, rule.initial(shape, rng=seed), rule.times(t_end=t_end), frames=11)
        seen = td.measure.observe(run)
        print(f"{name:8} {MOTION[seen.moving]:14} {seen.shapes.pattern:8} {seen.shapes.components:4} regions")
        plates.append((name, run, MOTION[seen.moving]))
    print(save_figure(draw(plates), Path(out) / "gray_scott_atlas" / "figure.png"))
    return plates


def draw(plates):
    columns = min(6, len(plates))
    rows = -(-len(plates) // columns)
    figure = Figure(figsize=(2.5 * columns, 2.95 * rows + 5.6), dpi=130)
    sheet, plane = figure.subfigures(2, 1, height_ratios=(2.95 * rows, 5.6))
    axes = sheet.subplots(rows, columns, squeeze=False).ravel()
    for ax, (name, run, motion) in zip(axes, plates, strict=False):
        picture = run.view(-1)
        ax.imshow(picture, cmap=PEARSON, vmin=0, vmax=np.quantile(picture, 0.999), interpolation="bilinear")
        ax.set_title(LETTERS[name], fontsize=15, fontweight="bold", pad=17)
        caption = f"F = {run.params['F']:g}   k = {run.params['k']:g}   {motion}"
        ax.text(0.5, 1.03, caption, transform=ax.transAxes, ha="center", fontsize=8)
    for ax in axes:
        ax.axis("off")
    sheet.subplots_adjust(left=0.015, right=0.985, top=1 - 0.55 / (2.95 * rows), bottom=0.01, wspace=0.05, hspace=0.27)
    draw_plane(plane.subplots(), plates)
    plane.subplots_adjust(left=0.06, right=0.975, top=0.96, bottom=0.11)
    return figure


def saddle_node(k):
    """The least and the greatest F that has a blue state, the roots of F = 4 (F + k)², for k up to 1/16."""
    root = np.sqrt(1 - 16 * k)
    return ((1 - root) / 4) ** 2, ((1 + root) / 4) ** 2


def hopf(k):
    """The F below which the blue state oscillates: there v² = k. For k up to 1/16."""
    return (np.sqrt(k) - 2 * k - np.sqrt(k - 4 * k**1.5)) / 2


def draw_plane(ax, plates):
    k = np.linspace(0, 1 / 16, 4001)
    least, greatest = saddle_node(k)
    ax.set_facecolor("#f8e0d8")
    ax.fill_between(k, hopf(k), greatest, color="#d3e4f2", lw=0)
    ax.fill_between(k, least, hopf(k), color="#bdb6df", lw=0)
    ax.plot(np.append(k, k[::-1]), np.append(least, greatest[::-1]), color=INK, lw=1.8)
    ax.plot(k, hopf(k), color=INK, lw=1.8, ls="--")
    for name, run, motion in plates:
        place, moves = (run.params["k"], run.params["F"]), motion == "moves"
        if name == "u-skate":  # it lives where pi does
            ax.annotate(
                f"u-skate ({motion})", place, (-12, 0), textcoords="offset points", ha="right", va="center", color=INK
            )
            continue
        ax.plot(*place, "o", ms=15, mfc="white" if moves else INK, mec=INK, mew=1.3)
        ax.text(*place, LETTERS[name], ha="center", va="center_baseline", color=INK if moves else "white")
    words = {"color": INK, "fontsize": 11, "style": "italic", "ha": "center", "va": "center"}
    ax.text(0.044, 0.075, "red and blue", **words)
    ax.text(0.066, 0.085, "red only", **words)
    ax.text(0.0585, 0.106, "saddle-node", **words)
    ax.text(0.0445, 0.0225, "Hopf", **words)
    ax.text(0.0446, 0.0157, "blue oscillates", rotation=9, **words)
    ax.plot([], [], "o", ms=11, mfc="white", mec=INK, label="moves")
    ax.plot([], [], "o", ms=11, mfc=INK, mec=INK, label="comes to rest")
    ax.legend(loc="upper left", frameon=False, labelcolor=INK)
    ax.set(xlim=(0.033, 0.07), ylim=(0, 0.115), xlabel="k, the rate at which v decays", ylabel="F, the feed rate")


QUICK = {"names": ("alpha", "delta", "epsilon", "lambda", "nu", "rho"), "shape": (96, 96), "t_end": 8_000.0}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small and fast")
    parser.add_argument("--out", default="out", metavar="DIR")
    options = parser.parse_args()
    main(options.out, **(QUICK if options.quick else {}))
