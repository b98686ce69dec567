"""Claim: an ideal denoiser only memorises; locality makes it invent, as a Turing system does without a memory.

The plane of creativity. Across: novelty, how far a picture as a whole is from the nearest one that is known, wherever
that is shifted. Up: patch distance, how far its 5 x 5 windows are from known ones. Both are 1 for what is as new as one
more known picture, 0 for a copy. Everything is on a torus of 28 x 28 cells, and all machines start from the same noise.

Above, 200 pictures of clothes and the 2 x 2 of locality and equivariance. Below, the same for morphogenesis: what is
known is a library of 200 finished Turing patterns, each from its own noise. A blueprint is one of them, shifted;
positional information (a French flag) reads the place of every cell and makes one flag from whatever start, so its
library is 200 flags, on the ruler of the Turing patterns; the Turing system is run again from other noise, which by
construction is as new as the library is; ELS is the machine that knows the library by its patches. Controls: a quilt of
random pieces of 7 x 7, whose seams are wrong, and noise of the same mean and variance.

Found, as medians of novelty / patch distance: ideal and ES 0 / 0, for a shift is no invention; LS 1.39 / 1.16 and ELS
1.56 / 1.27, beside 1.09 / 1.15 of held-out clothes, 1.97 / 1.90 of quilts and 2.19 / 5.11 of noise. So it is locality
that invents, with or without equivariance; both are newer than a held-out picture, with parts about as right.
Blueprint and flag 0 / 0, Turing 1.19 / 1.12. ELS of the library, 3.89 / 2.43, is nearer to it than quilts are
(4.88 / 6.16), but it is no Turing system: its parts are less right than those of a new run.

    images, samples: how many are known, and how many of each kind are measured
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import turingdiff as td
from turingdiff.files import atomic_path
from turingdiff.show import save_figure

CLAIM = "An ideal denoiser only memorises; locality makes it invent, as Turing's local rule does without a memory."
SIZE, PATCH, PIECE = 28, 5, 7
STYLES = {  # title, colour, marker
    "ideal": ("ideal: neither", "tab:blue", "s"),
    "ES": ("ES: equivariant", "tab:cyan", "D"),
    "LS": ("LS: local", "tab:orange", "^"),
    "ELS": ("ELS: both", "tab:red", "o"),
    "held out": ("held out", "black", "P"),
    "blueprint": ("blueprint", "tab:blue", "s"),
    "flag": ("positional\ninformation", "tab:orange", "^"),
    "Turing": ("Turing", "tab:red", "o"),
    "ELS of the library": ("ELS of\nthe library", "tab:purple", "v"),
    "quilt": ("quilt", "tab:green", "X"),
    "noise": ("noise", "tab:gray", "*"),
}


def main(out="out", images=200, samples=24, seed=0):
    families = {"denoising": clothes(images, samples, seed), "morphogenesis": patterns(images, samples, seed)}
    planes = {}
    for family, (known, kinds) in families.items():
        rulers = td.measure.leave_one_out(known), td.measure.patch_leave_one_out(known, PATCH, boundary="periodic")
        planes[family] = {name: place(*pair, *rulers) for name, pair in kinds.items()}
    rows = [
        {
            "what": f"median {axis} of {name} ({family})",
            **asdict(td.measure.median_interval(values)),
            "unit": "leave-one-out",
        }
        for family, places in planes.items()
        for name, both in places.items()
        for axis, values in zip(("novelty", "patch distance"), both, strict=True)
    ]
    for row in rows:
        print("{what:57} {value:6.2f}   95% {low:.2f} to {high:.2f}".format(**row))
    verdict = judge({row["what"]: row for row in rows})
    print(verdict)
    folder = Path(out) / "claim_creativity"
    with atomic_path(folder / "numbers.json") as path:
        path.write_text(json.dumps({"claim": CLAIM, "rows": rows, "verdict": verdict}, indent=1), encoding="utf-8")
    save_figure(draw(families, planes), folder / "figure.png")
    return rows


def clothes(images, samples, seed):
    """What is known, and of every kind (pictures, what they are compared with)."""
    pictures = td.data.to_unit(td.data.fashion()[0])
    known, held_out = pictures[:images], pictures[images : images + samples]
    machines = {
        "ideal": td.denoising.ideal(known),
        "ES": td.denoising.equivariant(known),
        "LS": td.denoising.local(known, boundary="periodic"),
        "ELS": td.denoising.equivariant_local(known, boundary="periodic"),
    }
    made = {name: td.denoising.sample(machine, samples, rng=seed) for name, machine in machines.items()}
    made |= {"held out": held_out, **controls(known, samples, seed)}
    return known, {name: (each, known) for name, each in made.items()}


def patterns(images, samples, seed):
    """The same of Turing patterns, brought to the scale of pictures, -1 to 1."""
    turing = finished(td.morphogenesis.schnakenberg(dx=1.0, boundary="periodic"), images + samples, seed)
    known, again = np.split(np.interp(turing, (turing.min(), turing.max()), (-1, 1)).astype(np.float32), [images])
    flags = finished(td.morphogenesis.positional_information(dx=256 / SIZE), images + samples, seed)
    library, flag = np.split(2 * flags.astype(np.float32) - 1, [images])
    shifts = np.random.default_rng(seed).integers(SIZE, size=(samples, 2))
    copied = np.stack([np.roll(each, shift, (1, 2)) for each, shift in zip(known, shifts, strict=False)])
    machine = td.denoising.equivariant_local(known, boundary="periodic")
    made = {"blueprint": copied, "Turing": again, "ELS of the library": td.denoising.sample(machine, samples, rng=seed)}
    made |= controls(known, samples, seed)
    kinds = {name: (each, known) for name, each in made.items()}
    return known, {"blueprint": kinds.pop("blueprint"), "flag": (flag, library), **kinds}


def finished(rule, count, seed):
    """What a rule makes of as many starts, from noise of every cell: (count, 1, 28, 28)."""
    start = rule.initial((SIZE, SIZE), rng=seed, replicas=count)
    start = start + 0.01 * np.random.default_rng(seed).random(start.shape)  # a flag starts from nothing: give it noise
    return td.simulate(rule, start, rule.times(), frames=2).view(-1)[:, None]


def controls(known, samples, seed):
    """Quilts of pieces from random places of random pictures, and noise of the same mean and variance."""
    rng = np.random.default_rng(seed)
    pieces = np.lib.stride_tricks.sliding_window_view(known[:, 0], (PIECE, PIECE), (1, 2))
    grid = (samples, SIZE // PIECE, SIZE // PIECE)
    chosen = pieces[tuple(rng.integers(length, size=grid) for length in pieces.shape[:3])]
    quilt = chosen.transpose(0, 1, 3, 2, 4).reshape(samples, 1, SIZE, SIZE)
    noise = known.mean() + known.std() * rng.standard_normal(quilt.shape, np.float32)
    return {"quilt": quilt, "noise": noise}


def place(pictures, known, ruler, patch_ruler):
    """(samples,) novelties and patch distances."""
    return (
        td.measure.novelty(pictures, known, yardstick=ruler).relative,
        td.measure.patch_distance(pictures, known, PATCH, boundary="periodic", yardstick=patch_ruler).relative,
    )


def judge(rows):
    """One sentence from the numbers."""
    machines = {name: rows[f"median novelty of {name} (denoising)"] for name in ("ideal", "ES", "LS", "ELS")}
    told = ", ".join(f"{name} {row['value']:.2f}" for name, row in machines.items())
    copies = max(machines[name]["high"] for name in ("ideal", "ES"))
    new = min(machines[name]["low"] for name in ("LS", "ELS"))
    word = "holds" if copies < 0.05 < 0.5 < new else "does not hold"
    seams, right = (rows[f"median patch distance of {name} (denoising)"]["value"] for name in ("quilt", "ELS"))
    flag, turing = (rows[f"median novelty of {name} (morphogenesis)"]["value"] for name in ("flag", "Turing"))
    return (
        f"The claim {word}: median novelty {told}; equivariance alone only shifts the copy, locality invents. "
        f"The flag has {flag:.2f} and Turing's system {turing:.2f}. "
        f"Patch distance {right:.2f} of ELS against {seams:.2f} of a quilt."
    )


def draw(families, planes):
    """A row a family: pictures of every kind, and the plane."""
    figure = Figure(figsize=(13, 10.6), dpi=110, layout="constrained")
    for half, (family, (_, kinds)) in zip(figure.subfigures(2, 1), families.items(), strict=True):
        left, right = half.subfigures(1, 2, width_ratios=(6.2, 6.8))
        for row, (name, (pictures, _)) in zip(left.subplots(len(kinds), 6), kinds.items(), strict=True):
            title, colour, _ = STYLES[name]
            for ax, picture in zip(row, pictures, strict=False):
                ax.imshow(picture[0], cmap="gray" if family == "denoising" else "magma", vmin=-1, vmax=1)
                ax.set(xticks=[], yticks=[])
            row[0].set_ylabel(title, color=colour, rotation=0, ha="right", va="center", fontsize=10)
        draw_plane(right.subplots(), planes[family])
    return figure


def draw_plane(ax, places):
    for n, (name, (across, up)) in enumerate(places.items()):
        title, colour, marker = STYLES[name]
        ax.plot(across, up, marker, color=colour, markersize=4, alpha=0.3, markeredgewidth=0, clip_on=False)
        (x, y), spread = np.median([across, up], axis=1), np.quantile([across, up], (0.25, 0.75), axis=1).T
        bars = np.abs(spread - [[x], [y]])[..., None]
        size = 11 if n else 17  # the first two kinds lie on each other
        look = {"markersize": size, "markeredgecolor": "white", "capsize": 3, "clip_on": False, "zorder": 3}
        label = title.replace("\n", " ")
        ax.errorbar(x, y, xerr=bars[0], yerr=bars[1], fmt=marker, color=colour, label=label, **look)
    for axis in ("x", "y"):
        getattr(ax, f"set_{axis}scale")("symlog", linthresh=1, linscale=1.5)
        getattr(ax, f"set_{axis}lim")(-0.05, 22)
        getattr(ax, f"set_{axis}ticks")(
            (*np.linspace(0, 1, 5), 2, 4, 8, 16), ("0", "", "0.5", "", "1", "2", "4", "8", "16")
        )
    ax.axvline(1, color="0.85", zorder=0)
    ax.axhline(1, color="0.85", zorder=0)
    ax.minorticks_off()
    ax.set(xlabel="novelty of the whole", ylabel=f"distance of {PATCH} x {PATCH} patches")
    ax.set_title("1: like one more known picture; axes linear up to 1, then logarithmic", fontsize=9, loc="left")
    ax.legend(loc="upper left", frameon=False, fontsize=9, title="medians and quartiles", alignment="left")


QUICK = {"images": 20, "samples": 4}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small and fast")
    parser.add_argument("--out", default="out", metavar="DIR")
    options = parser.parse_args()
    main(options.out, **(QUICK if options.quick else {}))
