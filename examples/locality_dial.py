"""The locality dial: from texture to memory.

One noise, denoised by equivariant local machines (ELS) whose patches are 3, 5, 9, ... pixels wide, and at last by the
ideal machine, whose patch is the image. Look along a row: small patches make texture, middling ones new garments,
large ones a training image, to the last grey level. Below is the novelty: distance to the nearest training image over
all shifts, in units of the typical distance of a training image to the nearest other one (0: a copy).
"""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import turingdiff as td
from turingdiff.show import save_figure


def main(out="out", label=9, images=100, patches=(3, 5, 9, 15, 21, 27), noises=3, steps=20, seed=0):
    pictures, labels = td.data.fashion()
    known = pictures[labels == label][:images]
    yardstick = td.measure.leave_one_out(known)
    machines = {f"{k} × {k}": td.denoising.equivariant_local(known, patch=k) for k in patches}
    machines["ideal"] = td.denoising.ideal(known)
    samples, novelties = {}, {}
    for name, machine in machines.items():
        samples[name] = td.denoising.sample(machine, noises, levels=machine.times(n=steps), rng=seed)  # one noise
        novelties[name] = td.measure.novelty(samples[name], known, yardstick=yardstick).relative
        print(f"{name:8} median novelty {np.median(novelties[name]):.3f}")
    save_figure(draw(samples, novelties), Path(out) / "locality_dial" / "figure.png")
    return novelties


def draw(samples, novelties):
    """A column for each machine: its samples, and under them their novelties."""
    names, (count, _, size, _) = list(samples), samples["ideal"].shape
    figure = Figure(figsize=(1.3 * len(names) + 0.9, 1.3 * count + 2.7), dpi=110)
    heights = (1.3 * count, 2.0)
    sheet, curve = figure.subplots(2, 1, height_ratios=heights, sharex=True)
    figure.subplots_adjust(0.9 / figure.get_figwidth(), 0.55 / figure.get_figheight(), 1, 0.99, hspace=0.04)
    framed = {
        name: np.pad(batch[:, 0], ((0, 0), (1, 1), (1, 1)), constant_values=np.nan) for name, batch in samples.items()
    }
    sheet.imshow(
        np.hstack([np.vstack(column) for column in framed.values()]), cmap="gray", vmin=-1, vmax=1, aspect="auto"
    )
    sheet.axis("off")
    centres = (np.arange(len(names)) + 0.5) * (size + 2) - 0.5
    values = np.array([novelties[name] for name in names])
    curve.plot(centres, values, "o", color="tab:blue", alpha=0.4)
    curve.plot(centres, np.median(values, axis=1), "-", color="tab:blue")
    curve.axhline(1, color="0.6", linestyle="--", linewidth=1)
    curve.text(centres[-1], 1.02, "one more\ntraining image", ha="center", va="bottom", fontsize=8, color="0.4")
    curve.set_xticks(centres, names)
    curve.set(xlabel="patch that a pixel sees", ylabel="novelty", ylim=(-0.1, max(1.5, 1.1 * values.max())))
    curve.grid(alpha=0.3)
    return figure


QUICK = {"images": 30, "noises": 2, "steps": 10}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small and fast")
    parser.add_argument("--out", default="out", metavar="DIR")
    options = parser.parse_args()
    main(options.out, **(QUICK if options.quick else {}))
