"""Turing space: which parameters of the Brusselator make patterns, and runs from four points of the map.

Linear theory of the grid draws the map; the pictures beside it are runs of the full equations. Each has its final
field on the left and, on the right, one of its rows as time goes down: where theory says stable, the noise of the
start dies; Turing's spots stand; Hopf's field swings; and where both grow it swings until a pattern wins.
"""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import turingdiff as td
from turingdiff.show import save_figure
from turingdiff.show.theory import draw_turing_space

POINTS = {"A": (2.2, 4.0), "B": (3.3, 9.0), "C": (5.6, 1.0), "D": (6.0, 2.4)}  # (b, Dv)
DT = 0.004  # well below the stable step: far from the steady state the reaction is stiffer


def main(out="out", points=(72, 60), shape=(128, 128), t_end=60.0, seed=0):
    columns, rows = points
    b, Dv = np.linspace(1.2, 7.0, columns), np.linspace(0.5, 16.0, rows)
    space = td.measure.turing_space(td.morphogenesis.brusselator, b=b, Dv=Dv)
    print(space)
    runs, curves = {}, {}
    for letter, (b, Dv) in POINTS.items():
        rule = td.morphogenesis.brusselator(b=b, Dv=Dv)
        curves[letter] = td.measure.dispersion(rule)
        runs[letter] = td.simulate(rule, rule.initial(shape, rng=seed), rule.times(t_end=t_end, dt=DT))
        u = runs[letter].frames[:, 0]
        swing = u.mean(axis=(1, 2))[2 * len(u) // 3 :].std()  # of the mean, over the last third of the run
        print(f"{letter} {curves[letter].regime:12} varies in space by {u[-1].std():.3f}, in time by {swing:.3f}")
    measured = td.measure.wavelength(runs["B"].final[0], runs["B"].dx)
    print(f"wavelength at B: predicted {curves['B'].wavelength:.2f}, measured {measured}")
    print(save_figure(draw(space, runs, curves), Path(out) / "turing_space" / "figure.png"))
    return space, runs, curves


def draw(space, runs, curves):
    """The map with its points; final fields and space-time pictures of u beside it, all on one scale of colours."""
    figure = Figure(figsize=(11.5, 6.6), dpi=110, layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(2, 1))
    ax = left.subplots()
    draw_turing_space(ax, space)
    for letter, (b, Dv) in POINTS.items():
        ax.text(b, Dv, letter, ha="center", va="center", color="white", fontweight="bold",
                bbox={"boxstyle": "circle", "facecolor": "black", "linewidth": 0})  # fmt: skip
    late = np.concatenate([run.frames[len(run.frames) // 2 :, 0].ravel() for run in runs.values()])
    low, high = np.percentile(late, (1, 99))
    look = {"cmap": "magma", "vmin": low, "vmax": high, "interpolation": "nearest", "aspect": "auto"}
    for row, (letter, run) in zip(right.subplots(len(runs), 2), runs.items(), strict=True):
        height, width = run.final.shape[1:]
        row[0].imshow(run.final[0], **{**look, "aspect": "equal"})
        row[1].imshow(run.frames[:, 0, height // 2], extent=(0, width, run.times[-1], 0), **look)
        row[0].set_title(f"{letter}  {curves[letter].regime}", fontsize=9, loc="left")
        row[1].set_title(f"a row, t = 0 to {run.times[-1]:g}", fontsize=9, loc="left")
        row[1].set_box_aspect(1)
        for panel in row:
            panel.set(xticks=[], yticks=[])
    return figure


QUICK = {"points": (18, 14), "shape": (48, 48), "t_end": 40.0}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small and fast")
    parser.add_argument("--out", default="out", metavar="DIR")
    options = parser.parse_args()
    main(options.out, **(QUICK if options.quick else {}))
