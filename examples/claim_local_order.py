"""Claim: local rules without a blueprint make global order, in a Turing system and in a local denoiser alike.

Growth on one axis: a Turing system (Schnakenberg's stripes) has a band of waves that grow on the uniform state, and so
has the equivariant local machine (ELS) on the uniform image as noise falls. Here the machine's training images *are*
patterns of the Turing system, so that one can ask which wave each decides first, and what comes out. Found, over five
machines, each of four patterns of its own with waves of 6.3 cells:

- Nothing is felt outside the light cone of a rule. In the end one changed cell is seen over the whole field, 24 cells
  away, in the Turing system, a rule of radius 1; 13 cells away in the machine of radius 3, 16 in the network of 8.
- Where a patch is wider than one wave the machine has a Turing instability of its own: 0.97 of the pattern's wavenumber
  is decided first, and its textures have 0.97 of it. This is the analogy at its best.
- It holds because the patch has seen the wave. A patch of 5 cells, 0.8 of a wave, decides long waves first and
  makes blotches, at 0.4 of the wavenumber; one of 3 makes them too, and mostly no wave grows at all. The Turing system
  needs no such thing: its wave is six times the radius of its rule.
- On photographs (Fashion-MNIST) no wave of ELS grows at any noise (20 of them, patches of 7): grey slides into black,
  and what is decided is whether noise is pushed over a threshold. `equivariant`, which compares whole images, has an
  instability, in most sets of 100 of waves as long as the picture.

Fields are on the torus. Growth is per unit of time, or of -ln sigma, about the uniform state that is followed down from
high noise (`td.measure.speciation`).

    sets: machines, each of so many patterns, with `side` cells a side; cones: changed cells a rule, on `wide` cells
    images: photographs that `equivariant` knows, few: that ELS knows
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

CLAIM = (
    "Local rules without a blueprint make global order: news spreads inside the light cone of the rule, and the wave "
    "that grows first on a uniform field sets the scale of the picture."
)
SEEN = 0.01  # of the largest difference
EVERY = 8  # steps of the Turing system between two records
HIGH, LOW, COUNT = 8.0, 0.3, 25  # noise levels through which waves are followed


def main(out="out", patches=(3, 5, 7, 9, 11), sets=5, patterns=4, side=32, cones=3, wide=48, images=100, few=20):
    rule = td.morphogenesis.schnakenberg("stripes", dx=1.5)
    growth = td.measure.dispersion(rule)
    levels = np.geomspace(HIGH, LOW, COUNT)
    known = [grow(rule, patterns, side, seed) for seed in range(sets)]
    waves = np.array([td.measure.wavelength(x).value for x in known])  # cells
    decided = {
        patch: [td.measure.speciation(machine(x, patch), levels[levels > LOW]) for x in known] for patch in patches
    }
    textures = {
        patch: [td.denoising.sample(machine(x, patch), 2, (side, side), rng=seed) for seed, x in enumerate(known)]
        for patch in patches
    }
    first = {patch: np.array([wavenumber(s) for s in found]) * waves / (2 * np.pi) for patch, found in decided.items()}
    made = {patch: waves / [td.measure.wavelength(y).value for y in found] for patch, found in textures.items()}
    wide_enough = min(patch for patch in patches if patch > waves.mean())
    felt = influences(rule, known[0], wide_enough, cones, wide)
    fashion = td.data.fashion()[0]
    photographs = [fashion[n::sets][:images] for n in range(sets)]
    whole = [td.measure.speciation(td.denoising.equivariant(x)) for x in photographs]
    local = [td.measure.speciation(machine(x[:few], 7), levels[::3]) for x in photographs[:3]]

    rows = []
    for name, found in felt.items():
        radius = found[0].bound[1] / (EVERY if name == "Turing" else 1)
        seen = [c.reach(SEEN)[-1] / radius for c in found]
        rows += [
            row(f"{name}: felt radius / bound, largest of a run", [largest_ratio(c) for c in found], "1"),
            row(f"{name}: distance seen in the end", seen, "radii of the rule"),
        ]
    rows += [
        row("Turing: wavelength of the pattern", waves / rule.neighbourhood.radius, "radii of the rule"),
        row("Turing: wavelength / that of the fastest growth", waves * rule.neighbourhood.dx / growth.wavelength, "1"),
    ]
    for patch in patches:
        if np.isfinite(first[patch]).all():
            rows.append(row(f"ELS, patch {patch}: wavenumber decided first / the pattern's", first[patch], "1"))
        else:
            fastest = [largest_growth(s) for s in decided[patch]]
            rows.append(row(f"ELS, patch {patch}: largest growth of any wave", fastest, "per -ln sigma"))
        rows.append(row(f"ELS, patch {patch}: wavenumber of its textures / the pattern's", made[patch], "1"))
    rows += [
        row("equivariant, photographs: first wave grows below sigma", [s.first[0] for s in whole], "sigma"),
        row("equivariant, photographs: its length", [2 * np.pi / np.hypot(*s.first[1:]) for s in whole], "pixels"),
        row("ELS, photographs: largest growth of any wave", [largest_growth(s) for s in local], "per -ln sigma"),
    ]
    verdict = judge(rows, first, made, waves)
    for entry in rows:
        print(f"{entry['what']:62} {entry['value']:8.3f} [{entry['low']:.3f}, {entry['high']:.3f}] {entry['unit']}")
    print(verdict)
    folder = Path(out) / "claim_local_order"
    with atomic_path(folder / "numbers.json") as path:
        path.write_text(json.dumps({"claim": CLAIM, "rows": rows, "verdict": verdict}, indent=1), encoding="utf-8")
    save_figure(draw(felt, growth, decided, first, made, waves, known, textures), folder / "figure.png")
    return rows


def grow(rule, count, side, seed):
    """Patterns (count, 1, side, side) on the torus, grown from noise, on the scale of images and with the mean 0."""
    starts = np.stack([rule.initial((side, side), rng=np.random.default_rng((seed, n))) for n in range(count)])
    fields = td.simulate(rule, starts, rule.times(), frames=2).final[:, :1]
    fields = fields - fields.mean(axis=(1, 2, 3), keepdims=True)
    return (fields / np.abs(fields).max(axis=(1, 2, 3), keepdims=True)).astype(np.float32)


def machine(images, patch):
    return td.denoising.equivariant_local(images, patch=patch, boundary="periodic")


def influences(rule, known, patch, runs, side):
    """Light cones of a Turing system, a machine and a trained network, each from several starts."""
    rules = {
        "Turing": (rule, EVERY),
        f"ELS, patch {patch}": (machine(known, patch), 1),
        "network": (td.denoising.network("resnet-zeros"), 1),
    }
    return {
        name: [
            td.measure.influence(one, one.initial((side, side), rng=n), one.times(), every=every) for n in range(runs)
        ]
        for name, (one, every) in rules.items()
    }


def largest_ratio(cone):
    """Of the felt radius to the bound of the declared radii, over the run."""
    return float(np.nanmax(cone.radius[1:] / cone.bound[1:]))


def largest_growth(speciation):
    return max(curve.max_growth for curve in speciation.curves)


def wavenumber(speciation):
    """Of the wave that is decided first, radians per cell; nan where none ever is."""
    return np.nan if speciation.first is None else np.hypot(*speciation.first[1:])


def row(what, values, unit):
    """The mean, and its 95% interval."""
    return {"what": what, **asdict(td.measure.mean_interval(values)), "unit": unit}


def judge(rows, first, made, waves):
    """What the numbers say."""
    values = {entry["what"]: entry["value"] for entry in rows}
    inside = all(value <= 1 for what, value in values.items() if "felt radius" in what)
    wide = [patch for patch in first if patch > waves.mean()]
    told, right = (np.mean([found[patch] for patch in wide]) for found in (first, made))
    wrong = np.mean([made[patch] for patch in made if patch not in wide])
    grows = values["ELS, photographs: largest growth of any wave"] > 0
    return (
        f"{'No' if inside else 'A'} difference leaves its light cone. A Turing-trained ELS first decides a wave of "
        f"{told:.2f} of the pattern's wavenumber, and its textures have {right:.2f} of it, where a patch is wider than "
        f"one wave; where it is narrower they have {wrong:.2f}: the Turing system makes a wave that none of its "
        f"neighbourhoods spans, the machine does not. On photographs {'a' if grows else 'no'} wave of ELS grows."
    )


COLOURS = {"Turing": "tab:green", "ELS": "tab:orange", "network": "tab:blue"}


def draw(felt, growth, decided, first, made, waves, known, textures):
    figure = Figure(figsize=(13, 8), dpi=110, layout="constrained")
    top, bottom = figure.subfigures(2, 1, height_ratios=(5, 3))
    cones, curves, scales = top.subplots(1, 3)
    for name, found in felt.items():
        colour, cone = COLOURS[name.split(",")[0]], found[0]
        steps = np.arange(1, len(cone.times)) * (EVERY if name == "Turing" else 1)
        cones.loglog(steps, cone.bound[1:], "--", color=colour, linewidth=1)
        cones.loglog(steps, cone.radius[1:], color=colour, linewidth=2, label=name)
        cones.loglog(steps, cone.reach(SEEN)[1:], ":", color=colour, linewidth=2)
    cones.set(ylim=(0.9, 2 * cone.distance.max()), xlabel="evaluations of the rule", ylabel="distance [cells]")
    cones.set_title(
        "a changed cell: felt (solid), seen (dotted, 1%),\nand the bound of the radii (dashed)", fontsize=10
    )
    cones.legend(fontsize=8, frameon=False, loc="lower right")
    ratio, k = np.linspace(0, 2, 101), 2 * np.pi / waves.mean()  # radians per cell
    curves.plot(ratio, growth.growth(ratio * k / growth.dx) / growth.max_growth, color="tab:green", label="Turing")
    shades = [f"C{n}" for n in (3, 4, 1, 5, 6)]
    for patch, colour in zip(decided, shades, strict=False):
        rates = first_growth(decided[patch], ratio * k)
        curves.plot(ratio, rates / np.abs(rates).max(), color=colour, label=f"ELS, patch {patch}")
    curves.axhline(0, color="0.3", linewidth=0.8)
    curves.axvline(1, color="0.6", linestyle=":")
    curves.set(ylim=(-1.1, 1.2), xlabel="wavenumber / the pattern's", ylabel="growth, largest = 1")
    curves.set_title("which waves grow on a uniform field\n(ELS: at the noise where the first one does)", fontsize=10)
    curves.legend(fontsize=8, frameon=False, loc="upper right")
    size = np.array(list(made)) / waves.mean()
    for values, mark, label, shift in ((first, "s", "decided first", -0.015), (made, "o", "of the textures", 0.015)):
        means = [np.mean(found) for found in values.values()]
        scales.plot(size + shift, means, "-", color="0.8")
        for patch, x, colour in zip(values, size + shift, shades, strict=False):
            scales.plot(np.full(len(waves), x), values[patch], mark, color=colour, alpha=0.7, markersize=6)
        scales.plot([], [], mark, color="0.4", label=label)
    scales.axhline(1, color="tab:green", label="Turing pattern")
    scales.set(
        ylim=(-0.05, 1.35), xlabel="side of the patch / wavelength of the pattern", ylabel="wavenumber / the pattern's"
    )
    scales.set_title("the scale of the picture, against what one patch sees", fontsize=10)
    scales.legend(fontsize=8, frameon=False, loc="lower right")
    pictures = {"Turing pattern (training image)": known[0][0, 0]} | {
        f"ELS, patch {patch}" + ("" if np.isfinite(first[patch][0]) else "\n(no wave grows)"): found[0][0, 0]
        for patch, found in textures.items()
    }
    for ax, (title, picture) in zip(bottom.subplots(1, len(pictures)), pictures.items(), strict=True):
        ax.imshow(np.tile(picture, (2, 2)), cmap="magma", vmin=-1, vmax=1)  # 2 x 2 periods of a torus
        ax.set_title(title, fontsize=10)
        ax.set(xticks=[], yticks=[])
    return figure


def first_growth(found, k):
    """Growth of waves at the noise where the first one has begun to grow, the largest over directions.

    The mean of the machines; where no wave ever grows, at the level of the largest growth.
    """
    angles = np.pi * np.arange(16)[:, None] / 16
    curves = [max(s.curves, key=lambda c: (c.unstable_band is not None, c.t)) for s in found if s.first is not None]
    curves = curves or [max(s.curves, key=lambda c: c.max_growth) for s in found]
    return np.mean([curve.growth(k * np.cos(angles), k * np.sin(angles)).max(axis=0) for curve in curves], axis=0)


QUICK = {
    "patches": (3, 7), "sets": 2, "patterns": 2, "side": 24, "cones": 2, "wide": 16, "images": 20, "few": 6,
}  # fmt: skip

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small and fast")
    parser.add_argument("--out", default="out", metavar="DIR")
    options = parser.parse_args()
    main(options.out, **(QUICK if options.quick else {}))
