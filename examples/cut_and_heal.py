"""Cut and heal: both families close a wound, on the same engine.

Boots that are in no training set lose a square. The hole is filled with noise and denoised by a machine that knows
other boots, while the pixels around it are held, at every level, at image + sigma n with one fixed noise n (after
RePaint, Lugmayr et al. 2022). Look at the seams: the equivariant local machine (ELS) goes on with the brightness that
it meets at the edge, and invents the outline; the ideal one keeps the outline of a boot, as a piece of one training
image in a grey of its own. So the ideal one is nearer to what was cut out, and neither brings it back. A Gray-Scott
maze loses a square too: nothing is held there, and the pattern grows back from the edge, as a pattern, not as the one
that was cut away. The pictures show the boots without the noise around the hole.
"""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import turingdiff as td
from turingdiff.show import animate_side_by_side, save_figure

MACHINES = {"ELS": td.denoising.equivariant_local, "ideal": td.denoising.ideal}


def main(out="out", label=9, images=150, cut=4, steps=30, maze=128, grown=8000, healing=4000, seed=0):
    pictures, labels = td.data.fashion()
    boots = pictures[labels == label]
    whole = td.data.to_unit(boots[-cut:])  # not among the known ones
    hole = square(whole.shape[2:], side=11)
    runs = {name: fill(make(boots[:images]), whole, hole, steps, seed) for name, make in MACHINES.items()}
    for name, run in runs.items():
        print(f"{name:10} r2 of the filled holes with what was cut out {r2(run.view(-1), whole, hole):6.3f}")
    rule = td.morphogenesis.gray_scott("maze")
    pattern = td.simulate(rule, rule.initial((maze, maze), rng=seed), td.uniform(0, grown, 1), frames=2)
    wound = square((maze, maze), side=maze * 3 // 8)
    bare = np.array([1.0, 0.0]).reshape(2, 1, 1)  # the state without a pattern
    healed = td.simulate(rule, np.where(wound, bare, pattern.final), td.uniform(0, healing, 1), frames=steps + 1)
    before, after = pattern.view(-1), healed.view(-1)
    print(f"Gray-Scott r2 of the healed hole with what was cut out {r2(after, before, wound):6.3f}")
    print(f"Gray-Scott contrast in the hole, after : before {after[..., wound].std() / before[..., wound].std():6.3f}")
    folder = Path(out) / "cut_and_heal"
    animate_side_by_side({**runs, "Gray-Scott": healed}, folder / "film.gif", fps=6, hold=3)
    save_figure(draw(whole, hole, runs, before, healed), folder / "figure.png")
    return runs, healed


def square(shape, side):
    """A mask that is True in the middle."""
    mask = np.zeros(shape, bool)
    top, left = ((length - side) // 2 for length in shape)
    mask[top : top + side, left : left + side] = True
    return mask


def fill(machine, whole, hole, steps, seed):
    """Denoise the hole, holding the rest at image + sigma n; the run shows the rest without the noise."""
    levels = machine.times(n=steps)
    noise = np.random.default_rng(seed).standard_normal(whole.shape, np.float32)
    field = levels[0] * noise  # nothing is known in the hole
    shown = []
    for n, sigma in enumerate(levels):
        field = np.where(hole, field, whole + sigma * noise).astype(np.float32)
        shown.append(np.where(hole, field, whole * np.sqrt(1 + sigma**2)))
        if n < steps:
            *_, (_, field) = td.evolve(machine, field, levels[n : n + 2])
    about = machine.name, machine.clock, machine.channels, machine.shown, machine.neighbourhood.dx
    return td.Run(levels, np.stack(shown), *about)


def r2(found, original, mask):
    """Explained variance of the pixels under a mask: 1 if they are the original ones."""
    found, original = found[..., mask], original[..., mask]
    return 1 - ((found - original) ** 2).mean() / original.var()


def draw(whole, hole, runs, before, healed):
    """Columns: whole, cut, half-way, healed; a row for every machine and boot, and the maze in large below."""
    count, last = len(whole), len(healed.frames) - 1
    figure = Figure(figsize=(9.6, 1.25 * count + 3.0), dpi=110, layout="constrained")
    top, bottom = figure.subfigures(2, 1, height_ratios=(1.25 * count, 2.8))
    columns = {"whole": whole[:, 0], "cut": np.where(hole, -1, whole[:, 0])}
    for name, run in runs.items():
        columns[f"{name}\nσ = {run.times[last // 2]:.2g}"] = run.view(last // 2)[:, 0]
        columns[f"{name}\nfilled"] = run.view(last)[:, 0]
    for axes, (title, pictures) in zip(
        top.subplots(count, len(columns), squeeze=False).T, columns.items(), strict=True
    ):
        axes[0].set_title(title, fontsize=10)
        for ax, picture in zip(axes, pictures, strict=True):
            ax.imshow(picture, cmap="gray", vmin=-1, vmax=1)
    stages = {"Gray-Scott, whole": before} | {
        f"t = {healed.times[k]:.0f} after the cut": healed.view(k) for k in (0, last // 4, last)
    }
    for ax, (title, picture) in zip(bottom.subplots(1, len(stages)), stages.items(), strict=True):
        ax.set_title(title, fontsize=10)
        ax.imshow(picture, cmap="magma", vmin=before.min(), vmax=before.max())
    for ax in figure.get_axes():
        ax.set(xticks=[], yticks=[])
    return figure


QUICK = {"images": 24, "cut": 1, "steps": 8, "maze": 64, "grown": 4000, "healing": 2000}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small and fast")
    parser.add_argument("--out", default="out", metavar="DIR")
    options = parser.parse_args()
    main(options.out, **(QUICK if options.quick else {}))
