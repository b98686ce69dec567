"""What each level decides: how many patches every pixel still draws from, from the first noise level to the last.

The equivariant local machine makes garments. At every level its best guess stands beside a map of its uncertainty: the
entropy of the softmax over training patches, whose exponential is the number of patches that a pixel still draws from.
Look at the maps: at high noise a pixel draws from nearly all patches that it may be compared with (fewer near the
border, in steps). Then the sources of edges are settled, which stay dark to the end. Plain parts turn bright again as
patches shrink with the noise: there thousands of patches are alike, and their colour is certain though their source is
not.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import turingdiff as td
from turingdiff.show import animate_side_by_side, save_figure


def main(out="out", label=9, images=200, samples=4, steps=20, shown=10, seed=3):
    pictures, labels = td.data.fashion()
    machine = td.denoising.equivariant_local(pictures[labels == label][:images])
    levels = machine.times(n=steps)
    run = td.simulate(machine, machine.initial((28, 28), rng=seed, replicas=samples), levels, every=1)
    guesses, found = [], []
    for y, sigma in zip(run.frames[:-1], run.times[:-1], strict=True):
        guesses.append(machine.denoise(y, sigma))
        found.append(td.denoising.uncertainty(machine, y, sigma))
        sources = np.median(found[-1].sources)
        print(f"sigma {sigma:7.3f}   median entropy {np.median(found[-1].entropy):6.3f} nats   {sources:9.1f} patches")
    entropy = np.stack([each.entropy for each in found])
    folder = Path(out) / "what_each_level_decides"
    films = {
        "noisy image": replace(run, times=run.times[:-1], frames=run.frames[:-1]),
        "best guess": as_film(run, np.stack(guesses)),
        "entropy": as_film(run, 2 * entropy[:, :, None] / entropy.max() - 1),
    }
    animate_side_by_side(films, folder / "film.gif", fps=3, hold=3)
    chosen = np.linspace(0, steps - 1, min(shown, steps)).round().astype(int)
    save_figure(draw(run, guesses, found, chosen), folder / "figure.png", dpi=110, bbox_inches="tight")
    return entropy


def as_film(run, pictures):
    """Pictures on the [-1, 1] scale at the levels of a run, as the noisy fields whose view they are."""
    scale = np.sqrt(1 + run.times[:-1] ** 2).reshape(-1, 1, 1, 1, 1)
    return replace(run, times=run.times[:-1], frames=pictures * scale)


def draw(run, guesses, found, chosen):
    figure = Figure(figsize=(1.2 * len(chosen) + 1, 6.2))
    top, bottom = figure.subfigures(2, 1, height_ratios=(3, 2.2))
    axes = top.subplots(3, len(chosen), squeeze=False)
    highest = max(each.entropy.max() for each in found)
    for column, n in zip(axes.T, chosen, strict=True):
        column[0].imshow(run.view(n)[0, 0], cmap="gray", vmin=-1, vmax=1)
        column[1].imshow(guesses[n][0, 0], cmap="gray", vmin=-1, vmax=1)
        column[2].imshow(found[n].entropy[0], cmap="inferno", vmin=0, vmax=highest)
        column[0].set_title(f"σ = {run.times[n]:.2g}", fontsize=9)
    for ax, name in zip(axes[:, 0], ("noisy", "best guess", "entropy"), strict=True):
        ax.set_ylabel(name)
    for ax in axes.ravel():
        ax.set(xticks=[], yticks=[])
    curve = bottom.subplots()
    quartiles = np.array([np.percentile(each.sources, (10, 50, 90)) for each in found])
    curve.fill_between(run.times[:-1], quartiles[:, 0], quartiles[:, 2], alpha=0.2, label="pixels, 10% to 90%")
    curve.loglog(run.times[:-1], quartiles[:, 1], "o-", label="median")
    curve.invert_xaxis()
    curve.set(xlabel="noise level σ, in the order of sampling", ylabel="patches a pixel draws from")
    curve.grid(alpha=0.3)
    curve.legend()
    return figure


QUICK = {"images": 24, "samples": 1, "steps": 8, "shown": 8}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small and fast")
    parser.add_argument("--out", default="out", metavar="DIR")
    options = parser.parse_args()
    main(options.out, **(QUICK if options.quick else {}))
