"""Claim: cut the same hole in a finished pattern and a finished image, let both regrow, measure what returns.

A Turing pattern (Schnakenberg's stripes, waves of 6.4 cells) loses a square, and goes on in time; beside it the
equivariant local machine (ELS), which knows other patterns, fills the same square. Boots that are in no training set
lose one too, and are filled by ELS and the ideal machine, which know 60 other boots, and by the trained network (which
has seen these, among 2,000 pictures). A denoiser begins with noise in the hole, and the rest of the picture is held at
every level at image + sigma n (after RePaint, Lugmayr et al. 2022). Controls: grey in the hole, and the same place of
another picture. Three questions: is it what was cut out (r2; of a pattern, the same one that was not cut and went on as
long), do windows of 5 cells fit among known ones (patch distance, 1: as those that were cut out), is there as much
contrast? Found, with 50 holes of each size:

- The Turing system does not just make a pattern in the hole: it makes the one that was there, from its edge inwards. r2
  is 0.99 for a hole of 9 cells, 0.91 for one of 15 and 0.78 for one of 21, more than three waves; 0.96 even there in an
  old pattern, which has come to rest. Contrast, windows and wavelength come back in every case (1.0).
- No denoiser does. ELS in the same patterns is worse from size to size (r2 0.58, 0.11, -0.24, -0.44) and has seams
  (windows 1.6 to 1.8 times as far as those cut out): what goes on in the hole is decided at high noise, where the edge
  says little, and there is no going back. It is better than another pattern in the hole (-0.76 to -0.93), until the
  windows of both fit alike.
- In boots ELS is right by the window (1.0 times the distance at every size) and right in the small only: r2 is 0.50
  for a hole of 5, 0.16 for one of 15. The ideal machine, which knows whole boots, is the better one from 9 cells on
  (0.48, 0.51, 0.44), and the network the worst of the three (0.26 to -0.11). Another boot in the hole, r2 = 0.39 at 15,
  beats both local ones. What they make is paler than what was cut out (0.7 to 0.9 of the contrast).

    sides: of the holes; holes: of each size; images: that the machines know; wide: cells a side of the patterns
    old: time at which an old pattern is cut; again: resamples of the bootstrap
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
    "Cut the same hole in a finished pattern and in a finished image and let both regrow: what returns is made by the "
    "rule, and fits where it is."
)
YOUNG, OLD, HEALED, STEP = 150, 1200, 300, 0.012  # times of the Turing system: at the cut, after it, and of a step
PATCH = 5  # side of the windows that are looked up among the known ones
CROPS = 5  # known pictures out of one pattern
BARE = 0.01  # noise on the uniform state in a cut Turing pattern


def main(out="out", sides=(5, 9, 15, 21), holes=50, images=60, wide=48, old=OLD, label=9, steps=12, again=1000, seed=0):
    pictures, labels = td.data.fashion()
    boots = td.data.to_unit(pictures[labels == label])
    cases = pattern_cases(holes, images, wide, boots.shape[-1], old, seed)
    cases["boots"] = boots[-holes:], boots[:images], image_healers(boots[:images])
    found, shown, waves = {}, {}, {}
    for kind, (whole, known, healers) in cases.items():
        for width in sides:
            hole = square(whole.shape[2:], width)
            for name, heal in {**healers, **CONTROLS}.items():
                healed = heal(whole, hole, steps, seed)
                found[kind, name, width] = measure(healed, whole, known, hole, again)
                shown[kind, name, width] = healed[0, 0]
                if kind != "boots" and width == sides[-1] and name != "grey":  # grey has no waves
                    waves[kind, name] = compare_waves(healed, whole, hole, again)
            shown[kind, "cut", width] = np.where(hole, np.nan, whole[0, 0])
        shown[kind, "whole", 0] = whole[0, 0]
    rows = []
    for (kind, name, width), (r2, right, contrast) in found.items():
        about = f"{kind}, hole of {width}, filled by {name}"
        rows += [
            {"what": f"r2 with what was cut out: {about}", **r2, "unit": "1"},
            {"what": f"patch distance / that of what was cut out: {about}", **right, "unit": "1"},
            {"what": f"contrast / that of what was cut out: {about}", **contrast, "unit": "1"},
        ]
    for (kind, name), one in waves.items():
        about = f"wavelength / that of what was cut out: {kind}, hole of {sides[-1]}, filled by {name}"
        rows.append({"what": about, **one, "unit": "1"})
        print(about, "{value:.2f} [{low:.2f}, {high:.2f}]".format(**one))
    print(f"{'':37} {'r2':24} {'patch distance, relative':27} contrast, relative")
    for (kind, name, width), three in found.items():
        numbers = "   ".join(f"{one['value']:6.2f} [{one['low']:5.2f}, {one['high']:5.2f}]" for one in three)
        print(f"{kind:11} hole {width:2} {name:14} {numbers}")
    verdict = judge(found, sides)
    print(verdict)
    folder = Path(out) / "claim_healing"
    with atomic_path(folder / "numbers.json") as path:
        path.write_text(json.dumps({"claim": CLAIM, "rows": rows, "verdict": verdict}, indent=1), encoding="utf-8")
    save_figure(draw(found, shown, sides), folder / "figure.png")
    return rows


def pattern_cases(holes, images, wide, size, old, seed):
    """Of young and of old patterns: pictures, known ones cut out of other patterns, and what heals them.

    The pictures are windows of larger patterns, which were not cut and went on as long as those that were.
    """
    rule = td.morphogenesis.schnakenberg("stripes", dx=1.5)
    count = holes + -(-images // CROPS)
    starts = [rule.initial((wide, wide), rng=np.random.default_rng((seed, n))) for n in range(count)]
    fields, age, cases = np.stack(starts), 0, {}
    for kind, until in (("pattern", YOUNG), ("old pattern", old)):
        fields, age = go_on(rule, fields, until - age), until
        later = go_on(rule, fields, HEALED)
        shifts = np.random.default_rng(seed).integers(wide, size=(CROPS, 2))
        others = as_pictures(later[holes:], later)
        known = np.concatenate([window(np.roll(others, shift, axis=(2, 3)), size) for shift in shifts])[:images]
        healers = {"Turing": regrower(rule, fields[:holes], later, size)}
        if kind == "pattern":
            healers["ELS"] = denoiser(td.denoising.equivariant_local(known))
        cases[kind] = window(as_pictures(later[:holes], later), size), known, healers
    return cases


def go_on(rule, fields, time):
    return td.simulate(rule, fields, td.uniform(0, time, STEP), frames=2).final


def as_pictures(fields, like):
    """The activator as pictures, between -1 and 1 for the fields that are `like` it."""
    low, high = like[:, 0].min(), like[:, 0].max()
    return (2 * (fields[:, :1] - low) / (high - low) - 1).astype(np.float32)


def window(fields, size):
    """The middle of fields."""
    first = (fields.shape[-1] - size) // 2
    return fields[..., first : first + size, first : first + size]


def square(shape, width):
    """A mask that is True in the middle."""
    mask = np.zeros(shape, bool)
    window(mask, width)[:] = True
    return mask


def regrower(rule, fields, later, size):
    """The Turing system: where the hole is, the uniform state with noise, and from there on in time."""

    def regrow(whole, hole, steps, seed):
        noise = 1 + BARE * np.random.default_rng(seed).standard_normal(fields.shape)
        bare = noise * rule.steady_state().reshape(2, 1, 1)
        cut_out = np.pad(hole, (fields.shape[-1] - size) // 2)
        return window(as_pictures(go_on(rule, np.where(cut_out, bare, fields), HEALED), later), size)

    return regrow


def image_healers(known):
    machines = td.denoising.equivariant_local(known), td.denoising.ideal(known), td.denoising.network("resnet-zeros")
    return dict(zip(("ELS", "ideal", "network"), map(denoiser, machines), strict=True))


def denoiser(machine):
    """Denoise the hole, and hold the rest at every level at image + sigma n, with one fixed noise n (after RePaint)."""

    def fill(whole, hole, steps, seed):
        levels = machine.times(n=steps)
        noise = np.random.default_rng(seed).standard_normal(whole.shape, np.float32)
        field = levels[0] * noise  # nothing is known in the hole
        for n in range(steps):
            field = np.where(hole, field, whole + levels[n] * noise).astype(np.float32)
            *_, (_, field) = td.evolve(machine, field, levels[n : n + 2])
        return np.where(hole, field, whole)

    return fill


def grey(whole, hole, steps, seed):
    """Control: the mean of what is left of the picture."""
    return np.where(hole, whole[..., ~hole].mean(axis=-1)[..., None, None], whole)


def another(whole, hole, steps, seed):
    """Control: the same place of another picture."""
    return np.where(hole, np.roll(whole, 1, axis=0), whole)


CONTROLS = {"grey": grey, "another sample": another}


def measure(healed, whole, known, hole, again):
    """Of the holes, by the bootstrap over them: r2, and relative to what was cut out patch distance and contrast."""
    a, b = (cut(fields, hole) for fields in (healed, whole))
    near, nearest = (
        td.measure.patch_distance(cut(fields, hole, PATCH // 2), known, PATCH, yardstick=[1.0]).distance
        for fields in (healed, whole)
    )
    return (
        asdict(
            td.measure.bootstrap_interval(
                lambda n: td.measure.agreement(np.concatenate(a[n, 0]), np.concatenate(b[n, 0])).r2,
                len(a),
                resamples=again,
            )
        ),
        asdict(td.measure.bootstrap_interval(lambda n: near[n].mean() / nearest[n].mean(), len(a), resamples=again)),
        asdict(
            td.measure.bootstrap_interval(
                lambda n: a[n].std(axis=(1, 2, 3)).mean() / b[n].std(axis=(1, 2, 3)).mean(), len(a), resamples=again
            )
        ),
    )


def compare_waves(healed, whole, hole, again):
    """The mean wavelength in the healed holes over that of what was cut out."""
    a, b = (
        np.array([td.measure.wavelength(field, window="hann").value for field in cut(fields, hole)])
        for fields in (healed, whole)
    )
    return asdict(td.measure.bootstrap_interval(lambda n: a[n].mean() / b[n].mean(), len(a), resamples=again))


def cut(fields, hole, margin=0):
    """What lies in the hole and, if asked for, about it."""
    rows, columns = (slice(n.min() - margin, n.max() + 1 + margin) for n in np.nonzero(hole))
    return fields[..., rows, columns]


def judge(found, sides):
    """What the numbers say, at one size of the hole."""
    width = sides[len(sides) // 2]
    r2, right, contrast = (
        {(kind, name): found[kind, name, width][n]["value"] for kind, name, _ in found} for n in range(3)
    )
    told = {
        key: f"{contrast[key]:.0%} of the contrast, {right[key]:.2f} times the patch distance and r2 = {r2[key]:.2f}"
        for key in r2
    }
    return (
        f"Beside what was cut out, holes of {width} cells have, regrown by a Turing system, "
        f"{told['pattern', 'Turing']} (in an old pattern, {told['old pattern', 'Turing']}); filled by ELS with what it "
        f"knows of other ones, {told['pattern', 'ELS']}; with another pattern, {told['pattern', 'another sample']}. "
        f"In boots they have, filled by ELS, {told['boots', 'ELS']}; by the ideal machine, {told['boots', 'ideal']}; "
        f"by a network, {told['boots', 'network']}; with another boot, {told['boots', 'another sample']}."
    )


COLOURS = {
    "Turing": "tab:green",
    "ELS": "tab:orange",
    "ideal": "tab:blue",
    "network": "black",
}
COLOURS |= {"grey": "0.6", "another sample": "tab:pink"}


def draw(found, shown, sides):
    middle = sides[len(sides) // 2]
    figure = Figure(figsize=(13, 8.6), dpi=110, layout="constrained")
    top, bottom = figure.subfigures(2, 1, height_ratios=(3, 6))
    columns = {
        "pattern": ("whole", "cut", "Turing", "ELS", "grey", "another sample"),
        "boots": ("whole", "cut", "ELS", "ideal", "network", "another sample"),
    }
    for (kind, names), axes in zip(columns.items(), top.subplots(2, 6), strict=True):
        for ax, name in zip(axes, names, strict=True):
            picture = shown[kind, name, 0 if name == "whole" else middle]
            ax.imshow(picture, cmap={"pattern": "magma", "boots": "gray"}[kind], vmin=-1, vmax=1)
            ax.set_title(f"{kind}: {name}" if name in ("whole", "cut") else f"filled by {name}", fontsize=9)
            ax.axis("off")
    titles = ("r²", "patch distance, relative", "contrast, relative")
    for kinds, axes in zip((("pattern", "old pattern"), ("boots",)), bottom.subplots(2, 3, sharex=True), strict=True):
        lines = [(kind, name) for kind in kinds for name in COLOURS if (kind, name, middle) in found]
        lines = [(kind, name) for kind, name in lines if kind != "old pattern" or name == "Turing"]
        for n, (ax, title) in enumerate(zip(axes, titles, strict=True)):
            for m, (kind, name) in enumerate(lines):
                three = [found[kind, name, width][n] for width in sides]
                values, low, high = (np.array([one[key] for one in three]) for key in ("value", "low", "high"))
                error = (values - low).clip(0), (high - values).clip(0)
                style = (
                    {"fmt": "s--", "label": f"{name}, old"} if kind == "old pattern" else {"fmt": "o-", "label": name}
                )
                x = np.array(sides) + 0.15 * (m - len(lines) / 2)
                ax.errorbar(x, values, error, color=COLOURS[name], capsize=2, **style)
            ax.axhline(n > 0, color="0.3", linewidth=0.8)
            ax.set_title(f"{kinds[0]}: {title} to what was cut out", fontsize=10)
            ax.set_ylim(*((-1.6, 1.1), (0, None), (-0.05, None))[n])
        axes[2].legend(fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    for ax in bottom.axes[3:]:
        ax.set_xticks(sides)
        ax.set_xlabel("side of the hole [cells]")
    return figure


QUICK = {"sides": (5, 9), "holes": 4, "images": 10, "wide": 28, "old": 300, "steps": 5, "again": 200}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small and fast")
    parser.add_argument("--out", default="out", metavar="DIR")
    options = parser.parse_args()
    main(options.out, **(QUICK if options.quick else {}))
