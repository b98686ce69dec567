"""A limb bud grows into a paddle and lays down digits, by Bmp, Sox9 and Wnt; as many as its width allows.

The bud begins as a bump and gains cells at its edge until it fills a paddle (`td.grow.edge`). The dose m of Fgf·Hoxd13
rises from the base to the tip: below 0.27 the network is stable, so that there is a palm. Nothing counts the digits.
A wider paddle has more, and the number differs from noise to noise: see limb_bud.png, and the counts along an arc below
the tip that are printed, when the paddle is grown and when digits have had time to merge. limb_bud.gif is the normal
hand.

What is put in by hand: the outline of the paddle, the gradient of the dose, and where growth happens.
"""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import turingdiff as td
from turingdiff.show import save_figure

SKIN, BONE, INK = (0.94, 0.80, 0.68), (0.33, 0.20, 0.17), (0.45, 0.30, 0.25)
WIDTHS = {"narrow": 62, "normal": 78, "wide": 110}  # of the field, in cells; the paddle takes four fifths


def main(out="out", height=130, widths=WIDTHS, seeds=4, t_end=800.0, every=6.0):
    hands = {name: [grow(height, width, seed, t_end, every) for seed in range(seeds)] for name, width in widths.items()}
    for name, runs in hands.items():
        early, late = ([digits(run, k) for run in runs] for k in (frame_when_grown(runs[0]), -1))
        print(f"{name}: digits when grown {early}, at the end {late}")
    folder = Path(out) / "limb_bud"
    save_figure(draw(hands), folder / "limb_bud.png", dpi=130)
    td.animate(hands[list(hands)[len(hands) // 2]][0], folder / "limb_bud.gif", colormap="copper_r", limits=(-0.5, 0.9))
    return hands


def grow(height, width, seed, t_end, every):
    """One limb: a bump at the base that fills a paddle, a layer of cells at a time."""
    paddle = td.shapes.paddle((height, width), length=0.88, width=0.8, stalk=0.5)
    bump = paddle & (np.arange(height)[:, None] >= 0.78 * height)
    up = 1 - (np.arange(height)[:, None] + 0.5) / height
    dose = np.broadcast_to(0.3 * (1 + np.clip((up - 0.2) / 0.5, 0, 1)), (height, width)) - 0.05
    rule = td.morphogenesis.bmp_sox9_wnt(
        m=dose, mask=bump, growth=td.grow.edge(every, within=paddle), boundary="no_flux"
    )
    return td.simulate(rule, rule.initial(rng=seed), rule.times(t_end=t_end), frames=80)


def frame_when_grown(run):
    """The first frame in which the paddle is as large as in the end."""
    sizes = run.mask.sum(axis=(1, 2))
    return int(np.argmax(sizes == sizes[-1]))


def digits(run, k):
    """How many bones cross an arc through the upper third of the paddle."""
    inside = run.mask_at(k)
    return td.measure.count_runs(np.where(inside, run.view(k), -1.0), arc(inside), threshold=0.0)


def arc(inside):
    """Cells along a curve below the tip, parallel to the edge of the domain; the flanks are left out."""
    columns = np.flatnonzero(inside.any(axis=0))
    top = inside.argmax(axis=0)
    depth = int(0.16 * len(inside))
    rows = np.minimum(top[columns] + depth, len(inside) - 1)
    kept = inside[rows, columns] & (top[columns] <= top[columns].min() + 0.25 * len(inside))
    return np.stack([rows[kept], columns[kept]], axis=1)


def picture(run, k):
    """Bones dark on skin, on white."""
    inside, bones = run.mask_at(k), run.view(k)
    image = np.ones((*bones.shape, 3))
    shade = np.clip(bones / 0.6, 0, 1)[..., None]
    image[inside] = ((1 - shade) * SKIN + shade * BONE)[inside]
    return image


def draw(hands):
    rows, columns = len(hands), 4
    figure = Figure(figsize=(2.5 * columns, 2.9 * rows), layout="constrained", facecolor="white")
    axes = figure.subplots(rows, columns, squeeze=False)
    for line, (name, runs) in zip(axes, hands.items(), strict=True):
        grown = frame_when_grown(runs[0])
        shown = [(runs[0], grown // 3), (runs[0], grown), (runs[0], -1), (runs[-1], -1)]
        titles = ["growing", "grown", "the same, later", "from other noise"]
        for ax, (run, k), title in zip(line, shown, titles, strict=True):
            k = k % len(run.times)
            ax.imshow(picture(run, k), interpolation="bicubic")
            ax.contour(run.mask_at(k), levels=[0.5], colors=[INK], linewidths=1.2)
            counted = f", {digits(run, k)} digits" if k >= grown else ""
            ax.set_title(f"{name}: {title}{counted}" if title == "growing" else f"{title}{counted}", fontsize=9)
            ax.axis("off")
    return figure


QUICK = {"height": 60, "widths": {"narrow": 30, "normal": 44}, "seeds": 1, "t_end": 60.0, "every": 1.0}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small and fast")
    parser.add_argument("--out", default="out", metavar="DIR")
    options = parser.parse_args()
    main(options.out, **(QUICK if options.quick else {}))
