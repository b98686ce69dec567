"""To dust and back: the noise at which an image's identity is lost.

Training images get noise of a level sigma, and two machines denoise them from there. Look at the curves: with the
ideal machine an image comes back whole or as another training image, and what decides is a narrow range of sigma. The
equivariant local machine (ELS) knows patches only: it loses the image little by little, first texture, then parts,
then the whole. Every column of pictures stands under the points of its sigma.
"""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import turingdiff as td
from turingdiff.show import save_figure

MACHINES = {"ideal": td.denoising.ideal, "ELS": td.denoising.equivariant_local}


def main(out="out", a_class=20, classes=range(10), shown=(1, 8, 9), steps=20, stride=2, seed=0):
    pictures, labels = td.data.fashion()
    known = np.concatenate([pictures[labels == label][:a_class] for label in range(10)])
    chosen = np.array(classes) * a_class  # the first image of each class
    clean = known[chosen]
    levels = td.denoising.cosine_levels(steps)
    starts = range(steps - 1, 0, -stride)  # where in `levels` the way back begins: from low to high noise
    dust = [td.denoising.add_noise(clean, levels[n], rng=seed) for n in starts]
    strips = {"noisy": [y / np.sqrt(1 + levels[n] ** 2) for y, n in zip(dust, starts, strict=True)]}
    same, r2 = {}, {}
    for name, make in MACHINES.items():
        machine = make(known)
        back = [td.simulate(machine, y, levels[n:]).final for y, n in zip(dust, starts, strict=True)]
        strips[name] = back
        nearest = [td.measure.novelty(image, known, yardstick=[1.0]).index for image in back]
        same[name] = [float(np.mean(index == chosen)) for index in nearest]
        r2[name] = [float(np.median(td.measure.agreement(image, clean).r2)) for image in back]
        for n, share, value in zip(starts, same[name], r2[name], strict=True):
            print(f"{name:6} sigma {levels[n]:7.3f}   same image {share:4.0%}   median r2 {value:6.3f}")
    folder = Path(out) / "dust_and_back"
    rows = [(kind, column_of(strips[kind], list(classes).index(label))) for label in shown for kind in strips]
    save_figure(draw([levels[n] for n in starts], same, r2, rows), folder / "figure.png", dpi=110, bbox_inches="tight")
    return same, r2


def column_of(strip, image):
    """One image at every level, framed in white."""
    return [np.pad(batch[image, 0], 1, constant_values=np.nan) for batch in strip]


def draw(sigmas, same, r2, rows):
    count, size = len(sigmas), rows[0][1][0].shape[0]
    figure = Figure(figsize=(count, 3.5 + len(rows)))
    curves, sheet = figure.subplots(2, 1, height_ratios=(3.5, len(rows)), sharex=True)
    figure.subplots_adjust(0, 0, 1, 1, hspace=0)  # a picture is an inch wide; bbox_inches="tight" adds the margins
    centres = (np.arange(count) + 0.5) * size - 0.5
    for name, colour in {"ideal": "tab:blue", "ELS": "tab:orange"}.items():
        curves.plot(centres, same[name], "o-", color=colour, label=f"{name}: share that comes back as the same image")
        curves.plot(centres, r2[name], "--", color=colour, label=f"{name}: median r² with the original")
    curves.set(ylim=(-0.6, 1.1))
    curves.grid(alpha=0.3)
    curves.legend(fontsize=9)
    sheet.imshow(np.vstack([np.hstack(row) for _, row in rows]), cmap="gray", vmin=-1, vmax=1, aspect="auto")
    sheet.set_yticks([(n + 0.5) * size for n in range(len(rows))], [kind for kind, _ in rows])
    sheet.set_xticks(centres, [f"{sigma:.2g}" for sigma in sigmas])
    sheet.set_xlabel("noise level sigma, from which the way back begins")
    return figure


QUICK = {"a_class": 3, "classes": (1, 9), "shown": (9,), "steps": 8, "stride": 1}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small and fast")
    parser.add_argument("--out", default="out", metavar="DIR")
    options = parser.parse_args()
    main(options.out, **(QUICK if options.quick else {}))
