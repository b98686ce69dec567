"""On a larger canvas: where the ideal machine stops, the local one goes on.

The machines know small pictures of trousers, and are asked for a picture of more than twenty times the area. The ideal
machine compares whole pictures, so it refuses (its answer is printed). The equivariant local machine compares patches,
which there are on any canvas: look at film.gif, beside a Turing system that does not know its size either. Legs grow as
stripes do, as many as there is room for. At the highest noise its patches are nearly as wide as a training picture, and
with zero padding it does see where the border is. Clothes and patch sizes were chosen for their looks.
"""

import argparse
from pathlib import Path

from matplotlib.figure import Figure

import turingdiff as td
from turingdiff.show import save_figure

TROUSERS = 1  # Fashion-MNIST's label


def main(out="out", canvas=(128, 128), images=60, patch="mnist-unet-zeros", steps=40, seed=0):
    pictures, labels = td.data.fashion()
    known = pictures[labels == TROUSERS][:images]
    print("ideal machine:", refusal(td.denoising.ideal(known), canvas))
    turing = td.morphogenesis.schnakenberg("stripes", dx=1.0)
    local = td.denoising.equivariant_local(known, patch=patch)
    runs = {
        "Turing: Schnakenberg": td.simulate(turing, turing.initial(canvas, rng=seed), turing.times(), frames=2 * steps),
        f"ELS: {len(known)} trousers": td.simulate(
            local, local.initial(canvas, rng=seed), local.times(n=steps), every=1
        ),
    }
    folder = Path(out) / "larger_canvas"
    td.show.animate_side_by_side(runs, folder / "film.gif", fps=10, hold=3)
    save_figure(draw(known[:4, 0], runs), folder / "figure.png")
    return runs


def refusal(machine, canvas):
    """What the machine says when it is asked for a field that it is not defined on."""
    try:
        td.denoising.sample(machine, 1, canvas)
    except ValueError as error:
        return str(error)
    raise AssertionError(f"{machine.name} accepted the canvas {canvas}")


def draw(known, runs):
    """Four training images, to the scale of the canvas, and the last picture of every run."""
    figure = Figure(figsize=(11, 5.2), dpi=110)
    views = {name: run.view(-1).squeeze() for name, run in runs.items()}
    height, width = next(iter(views.values())).shape
    small = figure.add_axes((0.01, 0.03, 0.12, 0.89))
    for n, picture in enumerate(known):
        top = n * (picture.shape[0] + 4)
        small.imshow(picture, cmap="gray", vmin=-1, vmax=1, extent=(0, picture.shape[1], top + picture.shape[0], top))
    small.set(xlim=(0, known.shape[2]), ylim=(height, 0), anchor="N")
    small.set_title("training images,\nto scale", fontsize=10)
    small.axis("off")
    for n, (name, view) in enumerate(views.items()):
        ax = figure.add_axes((0.14 + 0.43 * n, 0.03, 0.42, 0.89), anchor="N")
        denoised = name.startswith("ELS")
        ax.imshow(view, **({"cmap": "gray", "vmin": -1, "vmax": 1} if denoised else {"cmap": "magma"}))
        ax.set_title(f"{name}, {height} x {width}", fontsize=10)
        ax.axis("off")
    return figure


QUICK = {"canvas": (56, 56), "images": 24, "patch": 7, "steps": 8}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small and fast")
    parser.add_argument("--out", default="out", metavar="DIR")
    options = parser.parse_args()
    main(options.out, **(QUICK if options.quick else {}))
