"""Claim: what a local machine invents is a mosaic, every pixel the centre of its nearest training patch.

That is the theorem of Kamb & Ganguli (2025, 4.1), and it is about the limit of noise levels near 0. The curves show how
the limit is reached: the share of a picture's pixels that equal the centre of their nearest patch to a grey level, if
the run is broken off at sigma, so that the picture is what the machine then takes for clean. The more steps, and the
lower the last level, the more pixels obey. Background is left out (black equals black in any picture). Controls: known
pictures, which obey in full; held-out pictures of the same kinds, and pictures of the Wiener filter, which knows means
and covariances only.

Found with 200 steps, as medians: of LS .66 obey at sigma = 0.1, .956 at 0.01 and 1.000 at 1e-8. Of ELS .19, .66 and
.931, and .856 with 50 steps: it still rises at 1e-8, and has not reached the limit. Of held-out pictures at the most
.19 obey, of Wiener's .05.

How fine the mosaic is: the effective number of training images that a picture is made of, and of pieces that were moved
as a whole. Look at the pieces, a colour each. LS, which must leave a patch where it found it, lays 25 (95%: 20 to 44),
and a held-out picture would need 99 (38 to 114). ELS, whose 3 x 3 patches may go anywhere, lays 223 (176 to 286), of 44
images; a held-out picture needs 305 (159 to 396), of 45: by its grain ELS's mosaic is not told from a new picture, only
by how well it fits. `examples/patch_mosaic.py` leads single pieces back to where they came from.

    images: how many are known; samples: pictures of each kind; steps: levels from 80 to `lowest`, evenly in log sigma
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
from matplotlib.colors import hsv_to_rgb
from matplotlib.figure import Figure

import turingdiff as td
from turingdiff.files import atomic_path
from turingdiff.show import save_figure

CLAIM = "A local machine lays a mosaic: as sigma goes to 0 every pixel is the centre of its nearest training patch."
MACHINES = {"ELS": (td.denoising.equivariant_local, "tab:red"), "LS": (td.denoising.local, "tab:orange")}
CONTROLS = {"held out": "black", "Wiener": "tab:gray"}
PLAIN = -0.8  # darker pixels count as background


def main(out="out", images=100, samples=6, steps=(50, 200), lowest=1e-8, seed=0):
    pictures = td.data.to_unit(td.data.fashion()[0])
    known, held_out = pictures[:images], pictures[images : images + samples]
    controls = {"known": known[:samples], "held out": held_out}
    controls["Wiener"] = td.denoising.sample(td.denoising.wiener(known), samples, rng=seed)
    decades = np.append(10.0 ** np.arange(-1, np.log10(lowest), -1), lowest)
    rows, curves, drawn = [], {}, {}
    for name, (make, _) in MACHINES.items():
        machine = make(known)
        for count in steps:
            taken = clean(machine, count, lowest, samples, seed)
            curves[name, count] = {}
            for sigma in decades:
                level, made = min(taken.items(), key=lambda item: abs(np.log(item[0] / sigma)))
                laid = [lay(machine, picture, level) for picture in made]
                curves[name, count][level] = [obeying(*pair) for pair in zip(made, laid, strict=True)]
                drawn[name, count, sigma] = made[0], laid[0]
                what = f"obey, {name}, {count} steps, sigma {level:.1g}"
                rows.append(row(what, curves[name, count][level], "share of the pixels"))
        rows += grain(name, made, laid)
        for kind, each in controls.items():
            laid = [lay(machine, picture, lowest) for picture in each]
            shares = [obeying(*pair) for pair in zip(each, laid, strict=True)]
            rows.append(row(f"obey, {kind}, by {name}", shares, "share of the pixels"))
            if kind == "held out":
                rows += grain(f"{kind}, by {name}", each, laid)
    for one in rows:
        print("{what:45} {value:8.3f}   95% {low:.3f} to {high:.3f} {unit}".format(**one))
    found = {one["what"]: one for one in rows}
    verdict = judge(found, curves, max(steps))
    print(verdict)
    folder = Path(out) / "claim_mosaic"
    with atomic_path(folder / "numbers.json") as path:
        path.write_text(json.dumps({"claim": CLAIM, "rows": rows, "verdict": verdict}, indent=1), encoding="utf-8")
    ends = [drawn[name, max(steps), sigma] for name in MACHINES for sigma in (decades[1], lowest)]
    save_figure(draw(curves, found, ends, (decades[1], lowest)), folder / "figure.png")
    return rows


def clean(machine, count, lowest, samples, seed):
    """Level to what the machine there takes for the clean pictures, where a run may be broken off."""
    levels = np.append(np.geomspace(80, lowest, count), 0)
    start = machine.initial(machine.canvas, rng=seed, dtype=np.float64, replicas=samples)
    taken, before = {}, None
    for sigma, field in td.evolve(machine, start, levels):
        if before is not None:  # an Euler step leads towards the clean pictures, and to them if it ends at 0
            taken[before[0]] = before[1] - before[0] * (field - before[1]) / (sigma - before[0])
        before = sigma, field.copy()
    return taken


def lay(machine, picture, sigma):
    """The mosaic of a picture: the nearest patch of every pixel, as wide as it is at sigma."""
    return td.denoising.mosaic(machine, picture, sigma=sigma)


def obeying(picture, laid):
    """The share of pixels, background left out, that equal the centre of their nearest patch."""
    return laid.consistency(picture).equal[picture[0] > PLAIN].mean()


def grain(name, pictures, laid):
    """How many images and pieces the pictures are made of."""
    found = [td.measure.sources(each, where=p[0] > PLAIN) for p, each in zip(pictures, laid, strict=True)]
    images = row(f"training images in a picture, {name}", [one.images for one in found], "effective number")
    return [images, row(f"pieces in a picture, {name}", [one.pieces for one in found], "effective number")]


def row(what, values, unit):
    """The median, and its 95% interval."""
    return {"what": what, **asdict(td.measure.median_interval(values)), "unit": unit}


def judge(rows, curves, count):
    """One sentence from the numbers."""
    ends = {name: [np.median(curves[name, count][level]) for level in curves[name, count]] for name in MACHINES}
    controls = {kind: max(rows[f"obey, {kind}, by {name}"]["value"] for name in MACHINES) for kind in CONTROLS}
    rises = all(values[0] < values[-1] for values in ends.values())
    apart = min(values[-1] for values in ends.values()) > max(controls.values()) + 0.2
    told = ", ".join(
        f"{name} from {values[0]:.3f} to {values[-1]:.3f} ({'over 99%' if values[-1] > 0.99 else 'not yet 99%'})"
        for name, values in ends.items()
    )
    other = ", ".join(f"{kind} {value:.3f}" for kind, value in controls.items())
    sigmas = list(curves["ELS", count])
    return (
        f"The claim {'holds' if rises and apart else 'does not hold'} as a limit: from sigma = {sigmas[0]:.1g} to "
        f"{sigmas[-1]:.1g} ({count} steps) the share of pixels that obey rises for {told}; "
        f"controls at the most {other}."
    )


def draw(curves, rows, ends, sigmas):
    """Curves on the left; on the right what does not obey, early and in the end, and the pieces."""
    figure = Figure(figsize=(13, 6.4), dpi=110, layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(6, 7))
    ax = left.subplots()
    for (name, count), curve in curves.items():
        low, middle, high = np.quantile(list(curve.values()), (0.25, 0.5, 0.75), axis=1)
        many, colour = count == max(each[1] for each in curves), MACHINES[name][1]
        ax.plot(list(curve), middle, "o-" if many else "o--", color=colour, label=f"{name}, {count} steps")
        if many:
            ax.fill_between(list(curve), low, high, color=colour, alpha=0.18, linewidth=0)
    for kind, colour in CONTROLS.items():
        for name, line in zip(MACHINES, ("-", ":"), strict=True):
            label = f"{kind}, by {name}"
            ax.axhline(rows[f"obey, {label}"]["value"], color=colour, linestyle=line, linewidth=1, label=label)
    ax.axhline(1, color="0.8", linewidth=0.8, zorder=0)
    ax.set(xscale="log", xlabel="sigma at which the run is broken off", ylim=(-0.03, 1.03))
    ax.set_ylabel("share of pixels equal to the centre of their nearest patch")
    ax.invert_xaxis()
    ax.grid(alpha=0.25)
    ax.legend(frameon=False, fontsize=9, loc="center right", bbox_to_anchor=(1, 0.42))
    ax.set_title("medians, and quartiles of the most steps; background left out", fontsize=10, loc="left")
    axes = right.subplots(2, 3)
    for n, (name, line) in enumerate(zip(MACHINES, axes, strict=True)):
        for ax, (picture, laid), sigma in zip(line, ends[2 * n :], sigmas, strict=False):
            ax.imshow(reddened(picture[0], laid.consistency(picture).equal | (picture[0] <= PLAIN)))
            ax.set_title(f"broken off at {sigma:.1g}\n{obeying(picture, laid):.0%} obey", fontsize=10)
        picture, laid = ends[2 * n + 1]
        found = td.measure.sources(laid, where=picture[0] > PLAIN)
        line[2].imshow(coloured(picture[0], found.labels))
        line[2].set_title(f"{len(found.sizes)} pieces of\n{found.images:.0f} images (effective)", fontsize=10)
        line[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=12)
        for ax in line:
            ax.set(xticks=[], yticks=[])
    right.suptitle("red: pixels that do not obey", fontsize=10, color="tab:red")
    return figure


def reddened(picture, equal):
    """The picture in grey, with the pixels in red that are not the centre of their nearest patch."""
    grey = np.clip((picture + 1) / 2, 0, 1)[..., None].repeat(3, axis=-1)
    grey[~equal] = (0.85, 0.1, 0.1)
    return grey


def coloured(picture, labels):
    """A hue for every piece, as bright as the picture; background black."""
    hue = (labels * 0.618034) % 1.0  # the golden ratio: neighbours in number are far apart in hue
    light = np.where(labels < 0, 0.0, 0.35 + 0.65 * np.clip((picture + 1) / 2, 0, 1))
    return hsv_to_rgb(np.stack([hue, np.full_like(hue, 0.75), light], axis=-1))


QUICK = {"images": 20, "samples": 2, "steps": (15, 45), "lowest": 1e-6}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small and fast")
    parser.add_argument("--out", default="out", metavar="DIR")
    options = parser.parse_args()
    main(options.out, **(QUICK if options.quick else {}))
