"""Turing's ring of cells (1952): how many lobes a ring grows, and how many he predicted.

His two reactions run on rings of 12, 20 and 36 cells, each from several random starts. At his constants no wave grows:
waves with one lobe for six cells neither grow nor decay, all others decay, and so does every small push. These starts
are finite, within 25% of the uniform state, and carry it over to large lobes. Look at figure.png: on the left time
runs downwards, a row for each moment; on the right the cells of the last moment stand on their ring, as far out as
their X is high, beside the uniform state (dashed). The numbers of lobes scatter about the prediction.
"""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

import turingdiff as td
from turingdiff.show import save_figure
from turingdiff.show.kymographs import draw_kymograph


def main(out="out", sizes=(12, 20, 36), starts=8, t_end=500.0, seed=0):
    rule = td.morphogenesis.turing_1952("ring")
    runs, lobes = {}, {}
    for cells in sizes:
        rings = [rule.initial((cells,), rng=seed + n) for n in range(starts)]
        runs[cells] = [td.simulate(rule, ring, rule.times(t_end=t_end), frames=300) for ring in rings]
        lobes[cells] = [td.measure.shapes(run.final[0]).components for run in runs[cells]]
        print(
            f"{cells} cells: lobes {lobes[cells]}, predicted {cells / 6:.2f}, "
            f"slowest to decay {least_damped(rule, cells)}"
        )
    folder = Path(out) / "turing_ring"
    figure = draw({cells: of_size[0] for cells, of_size in runs.items()}, lobes, rule.steady_state()[0])
    save_figure(figure, folder / "figure.png", dpi=110)
    return runs, lobes


def least_damped(rule, cells):
    """The number of lobes on a ring that linear theory lets live longest."""
    lobes = np.arange(1, cells // 2 + 1)
    rates = td.measure.dispersion(rule).growth(2 * np.pi * lobes / (cells * rule.neighbourhood.dx))
    return int(lobes[rates.argmax()])


def draw(runs, lobes, uniform):
    figure = Figure(figsize=(10, 3.6 * len(runs)), layout="constrained")
    for row, (cells, run) in enumerate(runs.items()):
        left = figure.add_subplot(len(runs), 2, 2 * row + 1)
        figure.colorbar(draw_kymograph(left, run), ax=left, label="X")
        left.set_title(f"{cells} cells", loc="left")
        left.set_xlabel("cell")
        left.xaxis.set_major_locator(MaxNLocator(integer=True))
        right = figure.add_subplot(len(runs), 2, 2 * row + 2, projection="polar")
        draw_ring(right, run.final[0, 0], uniform)
        counts = " ".join(map(str, lobes[cells]))
        right.set_title(f"{lobes[cells][0]} lobes, predicted {cells / 6:.2f}\n(all starts: {counts})", fontsize=10)
    return figure


def draw_ring(ax, X, uniform):
    """The cells of a ring, as far out as X is high."""
    angles = 2 * np.pi * np.arange(X.size) / X.size
    around = np.linspace(0, 2 * np.pi, 200)
    ax.plot(around, np.full_like(around, uniform), "--", color="grey", linewidth=1)
    ax.plot(np.append(angles, 0), np.append(X, X[0]), "-", color="#b73779", linewidth=1)
    ax.scatter(angles, X, c=X, cmap="magma", edgecolors="#666666", linewidths=0.5, s=45, zorder=3)
    ax.set_ylim(0, 1.05 * X.max())
    ax.set_xticks([])
    ax.set_yticks([])


QUICK = {"sizes": (12, 20), "starts": 3, "t_end": 150.0}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small and fast")
    parser.add_argument("--out", default="out", metavar="DIR")
    options = parser.parse_args()
    main(options.out, **(QUICK if options.quick else {}))
