"""A patch mosaic: where the pixels of a new image come from.

The equivariant local machine (ELS) knows boots by their patches. By the theorem of Kamb & Ganguli (2025, 4.1) every
pixel of its sample is, in the limit of low last levels, the centre of the nearest training patch; the consistency is
the share of pixels for which this holds. Look at the colours: a region of one colour comes from one training image,
and the boots beside it show, in the same colour, which pixels they gave. A line leads from the patch of a pixel to its
place in the source, which need not be the same place. Grey regions come from other images. Background is left out:
black patches are all equal, so that their source means nothing.
"""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import ConnectionPatch, Rectangle

import turingdiff as td
from turingdiff.show import save_figure

COLOURS = ("tab:red", "tab:blue", "tab:green", "tab:orange", "tab:purple", "tab:cyan")
PLAIN = -0.8  # darker pixels count as background


def main(out="out", label=9, images=200, patch=9, steps=40, seed=0):
    pictures, labels = td.data.fashion()
    machine = td.denoising.equivariant_local(pictures[labels == label][:images], patch=patch)
    levels = np.append(np.geomspace(80, 1e-3, steps), 0)  # a low last level: the theorem is about the limit
    sample = td.denoising.sample(machine, 1, levels=levels, rng=seed)[0]
    mosaic = td.denoising.mosaic(machine, sample)
    drawn = sample[0] > PLAIN
    pixels = np.bincount(mosaic.image[drawn], minlength=len(machine.images))
    consistent = mosaic.consistency(sample).fraction
    print(f"source images {np.count_nonzero(pixels)}")
    print(f"share of the largest {pixels.max() / pixels.sum():.3f}")
    print(f"consistency {consistent:.4f}")
    givers = [giver for giver in np.argsort(-pixels, kind="stable")[: len(COLOURS)] if pixels[giver]]
    save_figure(draw(sample[0], drawn, mosaic, machine.images[:, 0], givers), Path(out) / "patch_mosaic" / "figure.png")
    return pixels, consistent


def draw(sample, drawn, mosaic, images, givers):
    figure = Figure(figsize=(13, 5.4), dpi=110)
    grid = figure.add_gridspec(3, 4, width_ratios=(3, 1, 3, 1), left=0.01, right=0.99, top=0.93, bottom=0.01)
    plain, coloured = figure.add_subplot(grid[:, 0]), figure.add_subplot(grid[:, 2])
    plain.imshow(sample, cmap="gray", vmin=-1, vmax=1)
    plain.set_title("a sample")
    coloured.imshow(painted(sample, [drawn & (mosaic.image == giver) for giver in givers]))
    coloured.set_title("its pixels, by training image")
    for n, giver in enumerate(givers):
        own = drawn & (mosaic.image == giver)
        given = np.zeros(images.shape[1:], bool)
        given[mosaic.row[own], mosaic.column[own]] = True
        ax = figure.add_subplot(grid[n // 2, 1 + 2 * (n % 2)])
        ax.imshow(painted(td.data.to_unit(images[giver]), [given], COLOURS[n:]))
        ax.set_title(f"image {giver}: {own.sum()} pixels", fontsize=9, color=COLOURS[n])
        connect(figure, coloured, ax, middle(own), mosaic, COLOURS[n])
    for ax in figure.axes:
        ax.set(xticks=[], yticks=[], xlim=(-0.5, sample.shape[1] - 0.5), ylim=(sample.shape[0] - 0.5, -0.5))
    return figure


def painted(picture, regions, colours=COLOURS):
    """A picture in dim grey, with each region in its colour, as bright as the picture."""
    grey = np.clip((picture + 1) / 2, 0, 1)[..., None]
    canvas = (0.55 * grey).repeat(3, axis=-1)
    for region, colour in zip(regions, colours, strict=False):
        canvas[region] = (0.35 + 0.65 * grey[region]) * to_rgb(colour)
    return canvas


def middle(region):
    """The pixel of a region that is nearest to its centre of mass."""
    places = np.argwhere(region)
    return tuple(places[((places - places.mean(0)) ** 2).sum(1).argmin()])


def connect(figure, target, source, pixel, mosaic, colour):
    """A frame around a pixel's patch, one around its source, and a line between the two."""
    here, there = pixel[::-1], (mosaic.column[pixel], mosaic.row[pixel])
    for ax, (x, y) in ((target, here), (source, there)):
        corner = (x - mosaic.patch / 2, y - mosaic.patch / 2)
        ax.add_patch(Rectangle(corner, mosaic.patch, mosaic.patch, fill=False, edgecolor=colour, linewidth=1.2))
        ax.plot(x, y, "o", color="white", markeredgecolor=colour, markersize=4)
    figure.add_artist(ConnectionPatch(here, there, "data", "data", axesA=target, axesB=source, color=colour))


QUICK = {"images": 40, "steps": 20}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small and fast")
    parser.add_argument("--out", default="out", metavar="DIR")
    options = parser.parse_args()
    main(options.out, **(QUICK if options.quick else {}))
