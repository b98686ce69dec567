"""Eight machines, the same noise: some remember, some create.

The ideal denoiser returns a training image, to the last grey level, and the equivariant one a shifted one. The smoothed
one, with perturbations as large as the distance between images, returns means of a few. Wiener's knows only means and
covariances, and its images are blurred. The local machines see only patches, so their images are mosaics that are in no
training set: look at ELS's third trouser leg. The numbers are novelties: distance to the nearest training image over
all shifts, in units of the typical distance of a training image to the nearest other one (0: a copy; 1: as new as one
more training image).
"""

import argparse
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import turingdiff as td
from turingdiff.show import animate_side_by_side, save_figure

NAMES = ("T-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot")
MACHINES = {
    "ideal": td.denoising.ideal,
    "ES": td.denoising.equivariant,
    "smoothed": partial(td.denoising.smoothed, std=4.0),
    "Wiener": td.denoising.wiener,
    "PCA-local": td.denoising.pca_local,
    "composite": td.denoising.patch_composite,
    "LS": td.denoising.local,
    "ELS": td.denoising.equivariant_local,
}
IN_FILM = ("ideal", "Wiener", "LS", "ELS")


def main(out="out", classes=(0, 1, 2, 3, 4, 5, 7, 8, 9), images=200, steps=20, seed=40):
    pictures, labels = td.data.fashion()
    runs, nearest, novelties = ({name: [] for name in MACHINES} for _ in range(3))
    for label in classes:
        known = pictures[labels == label][:images]
        yardstick = td.measure.leave_one_out(known)
        for name, make in MACHINES.items():
            machine = make(known)
            noise = machine.initial(known.shape[2:], rng=seed + label, replicas=1)  # the same for all machines
            run = td.simulate(machine, noise, machine.times(n=steps), every=1)
            novelty = td.measure.novelty(run.view(-1)[0], known, yardstick=yardstick)
            runs[name].append(run)
            nearest[name].append(np.roll(known[novelty.index, 0], novelty.shift, axis=(0, 1)))
            novelties[name].append(novelty.relative)
    films = {name: replace(row[0], frames=np.concatenate([run.frames for run in row], 1)) for name, row in runs.items()}
    rows = [("noise", films["ideal"].view(0)[:, 0], None)]
    for name, film in films.items():
        print(f"{name:9} median novelty {np.median(novelties[name]):.2f}")
        rows += [(name, film.view(-1)[:, 0], novelties[name]), ("nearest", nearest[name], None)]
    folder = Path(out) / "memorise_or_create"
    animate_side_by_side({name: films[name] for name in IN_FILM}, folder / "film.gif", fps=6, hold=3)
    save_figure(draw(rows, [NAMES[label] for label in classes]), folder / "figure.png", dpi=110, bbox_inches="tight")
    return novelties


def draw(rows, names):
    """Rows of (title, pictures, numbers) as one sheet, with white gaps, wider above every machine."""
    gap, size = 2, rows[0][1][0].shape[0] + 2
    figure = Figure(figsize=(1.1 * len(names) + 1.3, 1.2 * len(rows)))
    ax = figure.add_subplot()
    for n, (_, pictures, numbers) in enumerate(rows):
        top = n * (size + gap) + (n + 1) // 2 * 2 * gap
        ax.text(-2, top + size / 2, rows[n][0], ha="right", va="center")
        for column, picture in enumerate(pictures):
            left = column * (size + gap)
            ax.imshow(picture, cmap="gray", vmin=-1, vmax=1, extent=(left, left + size, top + size, top))
            if numbers is not None:
                box = {"facecolor": "black", "pad": 1, "linewidth": 0}
                ax.text(left + 1, top + 3, f"{numbers[column]:.2f}", color="orange", fontsize=8, va="center", bbox=box)
    for column, name in enumerate(names):
        ax.text(column * (size + gap) + size / 2, -2, name, ha="center")
    ax.set(xlim=(0, len(names) * (size + gap)), ylim=(top + size, 0))
    ax.axis("off")
    return figure


QUICK = {"classes": (1, 9), "images": 24, "steps": 8}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small and fast")
    parser.add_argument("--out", default="out", metavar="DIR")
    options = parser.parse_args()
    main(options.out, **(QUICK if options.quick else {}))
