"""Claim: extra fingers and extra legs arise alike: a local rule does not know how many there are already.

Look at the histograms, all on one axis. Above, digits of the Bmp-Sox9-Wnt network on a limb bud with walls
(examples/digits.py says which noise it starts from), counted when half as high as in the end: later they merge.
A bud has 5.3 on average, 7.3 if it is 1.4 times as wide, 7.1 with half the dose, 10.0 with both. Linear theory predicts
width / wavelength, and half a digit more, because walls cut the wave anywhere. The counts are 11 to 21% above: in this
network all short waves grow, and some are still there.

Below, legs by the equivariant local machine (ELS) of 60 trousers, with the patch sizes published for a U-Net and
Fashion-MNIST: 25 pixels at high noise, nearly the picture, 3 at low. Then 4% have more than two legs, and no training
image has. With patches up to 13, which differ from the published ones only at noise of 1.6 and more, 40% have; smaller
ones add none, and at 5 the pieces that are counted are hardly legs. On a canvas twice as wide all have, 5.4 on average.
Not found: making late patches small, 3 at noise below 1, frays the legs and does not add any (7%, within the error of
4%). How many there are is decided at higher noise.

Legs are counted at the height of the shins (`count_legs`). Of 79 pictures labelled by eye the count of 15 differs, of
all but one by 1. On the usual canvas no picture with two legs or fewer is counted as more, and 5 of 11 with more are
missed, so that the shares are too low; on the wide one it counts 0.6 too many (docs/results/legs.json).

    runs, images: how many of each kind are counted, and how many trousers the machine knows
"""

import argparse
import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from digits import DISTAL, bud, dose_map
from matplotlib.figure import Figure

import turingdiff as td
from turingdiff.denoising._patch_sizes import SCHEDULES
from turingdiff.files import atomic_path
from turingdiff.show import save_figure

CLAIM = "Extra fingers and extra legs arise alike: a local rule does not know how many there are already."
LENGTH, EVERY = 48, 29  # cells along the limb; steps between two looks, one unit of time
BUDS = {  # cells across, dose
    "bud": (60, 1.0),
    "wider bud": (84, 1.0),
    "lower dose": (60, 0.5),
    "wider, lower dose": (84, 0.5),
}
TROUSERS = 1  # Fashion-MNIST's label
PUBLISHED = SCHEDULES["fashion-unet-zeros"]
LATE = 1.0  # sigma half-way along the cosine schedule
CANVAS, WIDE = (28, 28), (28, 56)
CONDITIONS = {  # largest patch, at noise below, canvas
    "published patches": (25, math.inf, CANVAS),
    "late patches 3": (3, LATE, CANVAS),
    "patches up to 13": (13, math.inf, CANVAS),
    "patches up to 9": (9, math.inf, CANVAS),
    "patches up to 5": (5, math.inf, CANVAS),
    "canvas 28 x 56": (25, math.inf, WIDE),
}
SHOWN = 5  # pictures beside a histogram


@dataclass(frozen=True, eq=False)
class Kind:
    """How many digits or legs each run has, some of the pictures, and what theory says the mean is."""

    counts: np.ndarray
    pictures: np.ndarray
    predicted: float | None = None


def main(out="out", runs=200, images=60, t_end=80.0, seed=0):
    pictures, labels = td.data.fashion()
    trousers = pictures[labels == TROUSERS]
    digits = {name: grow(*bud_and_dose, runs, t_end, seed) for name, bud_and_dose in BUDS.items()}
    made = {"training images": trousers}
    made |= {name: legs(name, trousers[:images], runs, seed) for name in CONDITIONS}
    legged = {
        name: Kind(np.array([td.measure.count_legs(p) for p in batch]), batch[:SHOWN, 0])
        for name, batch in made.items()
    }
    normal = {"digits": int(np.median(digits["bud"].counts)), "legs": int(np.median(legged["training images"].counts))}
    rows = [
        row
        for unit, kinds in (("digits", digits), ("legs", legged))
        for name, kind in kinds.items()
        for row in told(name, kind, unit, normal[unit])
    ]
    for row in rows:
        print("{what:45} {value:6.3f} [{low:.3f}, {high:.3f}] {unit}".format(**row))
    verdict = judge(digits, legged, normal)
    print(verdict)
    folder = Path(out) / "claim_extra_fingers"
    with atomic_path(folder / "numbers.json") as path:
        path.write_text(json.dumps({"claim": CLAIM, "rows": rows, "verdict": verdict}, indent=1), encoding="utf-8")
    save_figure(draw(digits, legged, normal), folder / "figure.png")
    return rows


def grow(width, dose, runs, t_end, seed):
    """Digits of as many buds, counted across each of them when its digits are half as high as in the end."""
    shape = (width, LENGTH)
    rule = td.morphogenesis.bmp_sox9_wnt(m=dose_map(dose, shape))
    start = np.stack([bud(shape, (seed, n)) for n in range(runs)])
    lines, seen = [], []
    for _, field in td.evolve(rule, start, rule.times(t_end=t_end), every=EVERY):
        lines.append(field[:, 0, :, int(DISTAL * LENGTH)])
        seen.append(field[:SHOWN, 0])
    heights = np.ptp(lines, axis=2)
    onset = np.argmax(heights > heights[-1] / 2, axis=0)
    counts = [td.measure.count_runs(lines[k][n][None], 0, 0.0) for n, k in enumerate(onset)]
    wave = td.measure.dispersion(td.morphogenesis.bmp_sox9_wnt(m=dose, boundary="periodic")).wavelength
    pictures = np.array([seen[k][n] for n, k in enumerate(onset[:SHOWN])])
    return Kind(np.array(counts), pictures, width * rule.neighbourhood.dx / wave + 0.5)


def legs(name, known, count, seed):
    """Pictures (count, 1, H, W) by the equivariant local machine of the trousers that it knows."""
    largest, below, canvas = CONDITIONS[name]
    machine = td.denoising.equivariant_local(known, patch=capped(largest, below))
    return td.denoising.sample(machine, count, canvas, rng=seed)


def capped(largest, below):
    """The published patch sizes, none larger than `largest` at noise below `below`."""
    return lambda sigma: min(PUBLISHED(sigma), largest) if sigma < below else PUBLISHED(sigma)


def told(name, kind, unit, normal):
    """Rows of the table: the mean, and the shares that have more and fewer than is normal."""
    yield {"what": f"{name}: mean", **asdict(td.measure.mean_interval(kind.counts)), "unit": unit}
    for word, hits in (("more", kind.counts > normal), ("fewer", kind.counts < normal)):
        yield {"what": f"{name}: share with {word} than {normal} {unit}", **asdict(share(hits)), "unit": "1"}


def share(hits):
    return td.measure.share_interval(int(hits.sum()), len(hits))


def judge(digits, legged, normal):
    """A verdict from the numbers: more often than usual is where the intervals of the shares lie apart."""
    parts, without = [], []
    for unit, kinds, usual in (("digits", digits, "bud"), ("legs", legged, "published patches")):
        found = {name: share(kind.counts > normal[unit]) for name, kind in kinds.items()}
        changed = [name for name in kinds if name not in (usual, "training images")]
        more = [name for name in changed if found[name].low > found[usual].high]
        without += [f"{name} ({found[name].value:.0%})" for name in changed if name not in more]
        listed = ", ".join(f"{name} {found[name].value:.0%}" for name in more) or "none"
        parts.append(f"more than {normal[unit]} {unit}: {usual} {found[usual].value:.0%}; more often: {listed}")
    count = len(digits) + len(legged) - 3  # less the two usual kinds and the training images
    word = f"holds for {count - len(without)} of {count} changes" + (
        f", not for {', '.join(without)}" if without else ""
    )
    errors = [kind.counts.mean() / kind.predicted - 1 for kind in digits.values()]
    theory = f"mean digits differ from linear theory by {min(errors):+.0%} to {max(errors):+.0%}"
    return f"The claim {word}. {'. '.join(part.capitalize() for part in parts)}. {theory.capitalize()}."


def draw(digits, legged, normal):
    """A strip for each kind: pictures, and the histogram of its counts; all histograms have one axis."""
    top = max(int(kind.counts.max()) for kinds in (digits, legged) for kind in kinds.values())
    figure = Figure(figsize=(12.5, len(digits) + len(legged) + 1.6), dpi=110)
    outer = figure.add_gridspec(
        2, 1, height_ratios=(len(digits), len(legged)), left=0.15, right=0.86, bottom=0.05, top=0.965, hspace=0.09
    )
    ax = None
    for half, unit, kinds in ((outer[0], "digits", digits), (outer[1], "legs", legged)):
        grid = half.subgridspec(len(kinds), 2, width_ratios=(5.2, 6), hspace=0.16, wspace=0.03)
        for n, (name, kind) in enumerate(kinds.items()):
            draw_pictures(figure.add_subplot(grid[n, 0]), kind.pictures, unit)
            ax = figure.add_subplot(grid[n, 1], sharex=ax)
            draw_counts(ax, kind, normal[unit], top, "tab:orange" if unit == "digits" else "tab:blue")
            place = grid[n, 0].get_position(figure)
            label = f"{name}\n{BUDS[name][0]} cells, dose {BUDS[name][1]:g}" if unit == "digits" else name
            figure.text(0.14, (place.y0 + place.y1) / 2, label, ha="right", va="center", fontsize=9.5)
            if n == 0:
                theory = "; dotted: linear theory" if unit == "digits" else ""
                title = f"number of {unit}; in colour: more than {normal[unit]}; dot: mean and its 95% interval{theory}"
                ax.set_title(title, fontsize=9, loc="left", pad=3)
    ax.set_xticks(range(top + 1))
    ax.tick_params(labelbottom=True)
    ax.set_xlabel("number of digits (above), number of legs (below); heights are shares of the runs, a line at 50%")
    return figure


def draw_counts(ax, kind, normal, top, colour):
    shares = np.bincount(kind.counts, minlength=top + 1) / len(kind.counts)
    ax.bar(np.arange(top + 1), shares, 0.86, color=[colour if k > normal else "0.7" for k in range(top + 1)])
    mean = td.measure.mean_interval(kind.counts)
    look = {"color": "black", "markersize": 4, "capsize": 3}
    ax.errorbar(mean.value, 1.1, xerr=[[mean.value - mean.low], [mean.high - mean.value]], fmt="o", **look)
    if kind.predicted is not None:
        ax.axvline(kind.predicted, color="black", linestyle=":", linewidth=1.5)
    more = share(kind.counts > normal)
    text = (
        f"mean {mean.value:.2f}, {mean.runs} runs\nmore than {normal}: {more.value:.0%}\n"
        f"   ({more.low:.0%} to {more.high:.0%})\nfewer: {np.mean(kind.counts < normal):.0%}"
    )
    ax.text(1.01, 0.5, text, transform=ax.transAxes, va="center", fontsize=8.5)
    ax.set(ylim=(0, 1.2), yticks=[0.5], yticklabels=[], xlim=(-0.6, top + 0.6))
    ax.grid(axis="y", alpha=0.3)
    ax.tick_params(labelbottom=False)


def draw_pictures(ax, pictures, unit):
    """As many pictures as fit, side by side; a limb points down, as a leg does."""
    if unit == "digits":
        pictures = pictures.transpose(0, 2, 1)
        pictures = pictures / np.abs(pictures).max((1, 2), keepdims=True)
    framed = np.pad(pictures, ((0, 0), (0, 0), (1, 1)), constant_values=np.nan)
    fitting = int(5.4 * framed.shape[1] / framed.shape[2])
    colours = "magma" if unit == "digits" else "gray"
    ax.imshow(np.hstack(framed[: max(fitting, 1)]), cmap=colours, vmin=-1, vmax=1)
    ax.set_anchor("E")
    ax.axis("off")


QUICK = {"runs": 6, "images": 12, "t_end": 40.0}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small and fast")
    parser.add_argument("--out", default="out", metavar="DIR")
    options = parser.parse_args()
    main(options.out, **(QUICK if options.quick else {}))
