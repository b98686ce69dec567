"""Black and white: the smallest training set that makes something new.

One black image, one white image, 3 x 3 windows on a torus (Kamb & Ganguli 2025, figure 3). The ideal machine can make
two images. The equivariant local machine makes images in which every pixel has the colour of the majority of its
window: that is what the theorem says of the limit. Look at the red pixels, which break the rule: fewer steps, and above
all a larger last level, leave more of them.
"""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import turingdiff as td
from turingdiff.show import save_figure

LEVELS = {
    "3 cosine levels": td.denoising.cosine_levels(3),
    "20 cosine levels": td.denoising.cosine_levels(20),
    "200 levels to 0.01": np.append(np.geomspace(80, 1e-2, 200), 0),
    "200 levels to 1e-8": np.append(np.geomspace(80, 1e-8, 200), 0),
}


def main(out="out", size=32, samples=6, seed=0):
    black_and_white = np.stack([np.full((1, 3, 3), -1), np.full((1, 3, 3), 1)]).astype(np.float32)
    machine = td.denoising.equivariant_local(black_and_white, patch=3, boundary="periodic")
    rows, shares = {}, {}
    for name, levels in LEVELS.items():
        images = td.denoising.sample(machine, samples, (size, size), levels, rng=seed, dtype=float)
        found = [td.denoising.consistency(machine, image) for image in images]
        shares[name] = float(np.mean([each.fraction for each in found]))
        majority = np.mean([obeys_majority(image[0]).mean() for image in images])
        print(f"{name:18}   obey the theorem {shares[name]:.4f}   colour of the majority {majority:.4f}")
        rows[f"{name}\n{shares[name]:.2%} obey"] = [
            painted(image[0], each.equal) for image, each in zip(images, found, strict=True)
        ]
    folder = Path(out) / "black_and_white"
    save_figure(draw(rows), folder / "figure.png", dpi=110, bbox_inches="tight")
    return shares


def obeys_majority(image):
    """Whether a pixel has the colour of the majority of its 3 x 3 window on the torus."""
    colour = np.sign(image)
    votes = sum(np.roll(colour, (a, b), (0, 1)) for a in (-1, 0, 1) for b in (-1, 0, 1))
    return np.sign(votes) == colour


def painted(image, equal):
    """The image in grey, with the pixels in red that are not the centre of their nearest patch."""
    grey = np.clip((image + 1) / 2, 0, 1)[..., None].repeat(3, axis=-1)
    grey[~equal] = (0.85, 0.1, 0.1)
    return grey


def draw(rows):
    count = len(next(iter(rows.values())))
    figure = Figure(figsize=(1.5 * count + 1.6, 1.6 * len(rows)))
    axes = figure.subplots(len(rows), count, squeeze=False)
    for row, (name, pictures) in zip(axes, rows.items(), strict=True):
        for ax, picture in zip(row, pictures, strict=True):
            ax.imshow(picture)
            ax.set(xticks=[], yticks=[])
        row[0].set_ylabel(name, rotation=0, ha="right", va="center")
    return figure


QUICK = {"size": 20, "samples": 4}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small and fast")
    parser.add_argument("--out", default="out", metavar="DIR")
    options = parser.parse_args()
    main(options.out, **(QUICK if options.quick else {}))
