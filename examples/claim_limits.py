"""Claim: where the analogy of pattern formation and denoising breaks, in five measurements, each of both families.

A Turing system (Schnakenberg's stripes) stands beside a trained network of photographs and beside the equivariant local
machine (ELS) of patterns of that very system. Found:

- Attractors. A Turing pattern that has come to rest is one: kicked five times with noise of half its contrast, it comes
  back each time (r2 = 0.98 with the first). A picture is none: the clock of a denoiser ends, and put back to that noise
  and run again it drifts away, further with every round (0.81 for the network, 0.55 for ELS). Not every pattern is at
  rest when it looks finished: a labyrinth of the age of the usual run still moves.
- Memory. The Turing rule is four numbers, the machine all its images (4,800 here), the network 280,257. What matters is
  the kind of the images, and not which ones: from the same noise two machines that share no image make much the same
  texture (Pearson 0.71).
- Scale. It is diffusion that sets the wave: twice the constants, 1.44 times the length (sqrt 2 is 1.41). The machine
  has no diffusion; its wave is that of its images (1.52 times as long where theirs is 1.44) as long as the patch sees
  it: a wider patch changes nothing (0.98), one below a wave makes 2.7 times as large blotches.
- Conservation. Neither family keeps the mean of what it starts with: a Turing system makes and eats, a denoiser goes to
  the brightness of its images. Phase separation (Cahn–Hilliard) does, to rounding, and so is neither.
- Noise. A Turing pattern takes from the noise where its stripes go, and forgets how strong it was: Pearson 0.997
  between patterns from some noise and from twice that noise. A denoiser is told by its clock how strong the noise is:
  from twice the noise comes another picture (0.15). Picture and noise look alike more than pattern and noise do (0.32
  against 0.16).

    runs: starts a rule; sets: machines, each of so many patterns with `side` cells a side
    rounds: kicks; grown: when a Turing pattern counts as at rest
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
    "Where the analogy breaks: attractors, the memory of the data, what sets the scale, conservation, and what becomes "
    "of the noise at the start."
)
GROWN, HEALED, STEP = 2400, 150, 0.012  # times of the Turing system: to come to rest, after a kick, and of one step
KICK = 0.5  # of the standard deviation of a finished picture
STRETCH = (0.5, 1.0, 2.0, 4.0)  # of the noise at the start
PATCHES = {"narrow": 5, "wide": 9, "wider": 13}  # sides; a wave of the pattern is 6.4 cells long
COLOURS = {"Turing": "tab:green", "ELS": "tab:orange", "network": "tab:blue", "Cahn–Hilliard": "tab:brown"}


def main(out="out", runs=8, sets=6, patterns=3, side=40, rounds=5, grown=GROWN, seed=0):
    turing = td.morphogenesis.schnakenberg("stripes", dx=1.5)
    doubled = td.morphogenesis.schnakenberg("stripes", dx=1.5, diffusion=(2.0, 60.0))
    network = td.denoising.network("resnet-zeros")
    known, other, wide = (
        [as_images(grow(rule, patterns, side, (seed, part, n))) for n in range(sets)]
        for part, rule in enumerate((turing, turing, doubled))
    )
    machine = learn(known[0], "wide")
    rules = {"Turing": turing, "ELS": machine, "network": network}
    sizes = {"Turing": (side, side), "ELS": (side, side), "network": network.canvas}
    noises = {name: rule.initial(sizes[name], rng=seed, replicas=runs) for name, rule in rules.items()}
    ends = {name: run(rule, noises[name]) for name, rule in rules.items()}

    finished = {**ends, "Turing": go_on(turing, noises["Turing"], grown)}
    kicked = {name: kicks(rules[name], field, rounds, seed) for name, field in finished.items()}
    likeness = {
        name: np.array([td.measure.agreement(field[:, :1], finished[name][:, :1]).r2 for field in fields])
        for name, fields in kicked.items()
    }
    textures = {
        (images, patch): [make(learn(x, patch), side, seed, n) for n, x in enumerate(sets_)]
        for images, sets_, patches in (("D", known, PATCHES), ("2 D", wide, ("wider",)), ("other", other, ("wide",)))
        for patch in patches
    }
    waves = {key: lengths(made) for key, made in textures.items()} | {"D": lengths(known), "2 D": lengths(wide)}
    ratios = {
        "Turing: D doubled": waves["2 D"] / waves["D"],
        "ELS: D doubled in the images": waves["2 D", "wider"] / waves["D", "wider"],
        "ELS: patch 9 to 13": waves["D", "wider"] / waves["D", "wide"],
        "ELS: patch 9 to 5": waves["D", "narrow"] / waves["D", "wide"],
    }
    same = [
        td.measure.agreement(a[0], b[0]).pearson
        for a, b in zip(textures["other", "wide"], textures["D", "wide"], strict=True)
    ]
    rules["Cahn–Hilliard"] = separated = td.morphogenesis.cahn_hilliard()
    noises["Cahn–Hilliard"] = separated.initial((side, side), rng=seed, replicas=runs)
    ends["Cahn–Hilliard"] = run(separated, noises["Cahn–Hilliard"])
    drifts = {name: drift(rules[name], noises[name], field) for name, field in ends.items()}
    stretched = {name: stretch(rules[name], noises[name], ends[name]) for name in ("Turing", "network")}
    first = {
        name: td.measure.agreement(noises[name][:, :1], ends[name][:, :1]).pearson for name in ("Turing", "network")
    }

    rows = [
        row(f"r2 after {rounds} kicks and recoveries, {name}", values[-1], "1") for name, values in likeness.items()
    ]
    numbers = {"Turing rule": len(turing.params), "ELS": known[0].size, "network": weights(network)}
    rows += [
        {"what": f"numbers in the {name}", "value": count, "low": count, "high": count, "unit": "numbers", "runs": 1}
        for name, count in numbers.items()
    ]
    rows.append(row("Pearson of two ELS of other images of the same kind, same noise", same, "1"))
    rows += [row(f"wavelength ratio, {name}", values, "1") for name, values in ratios.items()]
    rows += [row(f"drift of the mean / contrast, {name}", values, "1") for name, values in drifts.items()]
    for name, values in stretched.items():
        rows.append(row(f"Pearson of noise and picture, {name}", first[name], "1"))
        twice = values[STRETCH.index(2.0)]
        rows.append(row(f"Pearson of pictures from noise and twice that noise, {name}", twice, "1"))
    for one in rows:
        print("{what:66} {value:11.4g}   95% {low:.3g} to {high:.3g} {unit}".format(**one))
    verdict = judge({one["what"]: one["value"] for one in rows}, rounds)
    print(verdict)
    folder = Path(out) / "claim_limits"
    with atomic_path(folder / "numbers.json") as path:
        path.write_text(json.dumps({"claim": CLAIM, "rows": rows, "verdict": verdict}, indent=1), encoding="utf-8")
    save_figure(draw(finished, kicked, likeness, numbers, same, ratios, drifts, stretched), folder / "figure.png")
    return rows


def go_on(rule, fields, until):
    return td.simulate(rule, fields, td.uniform(0, until, STEP), frames=2).final


def run(rule, fields):
    """The last fields of whole runs."""
    return td.simulate(rule, fields, rule.times(), frames=2).final


def grow(rule, count, side, seed):
    """Patterns (count, 2, side, side) on the torus, from noise."""
    return run(rule, rule.initial((side, side), rng=np.random.default_rng(seed), replicas=count))


def as_images(fields):
    """The activator with the mean 0, on the scale of images."""
    found = fields[:, :1] - fields[:, :1].mean(axis=(1, 2, 3), keepdims=True)
    return (found / np.abs(found).max(axis=(1, 2, 3), keepdims=True)).astype(np.float32)


def learn(images, patch):
    return td.denoising.equivariant_local(images, patch=PATCHES[patch], boundary="periodic")


def make(machine, side, seed, n):
    """A texture (1, 1, side, side)."""
    return td.denoising.sample(machine, 1, (side, side), rng=np.random.default_rng((seed, 9, n)))


def lengths(batches):
    return np.array([td.measure.wavelength(batch).value for batch in batches])


def kicks(rule, fields, rounds, seed):
    """Fields after each of several kicks, from each of which the rule may recover.

    A kick is noise of `KICK` standard deviations of a picture. A Turing system goes on in time; a denoiser is told the
    level of the noise and goes down from there.
    """
    rng = np.random.default_rng(seed)
    levels, found = rule.times(), []
    spread = fields.std(axis=(0, 2, 3), keepdims=True)
    first = int(np.abs(np.asarray(levels) - KICK * spread[0, 0]).argmin())
    for _ in range(rounds):
        noise = rng.standard_normal(fields.shape, np.float32)
        if rule.clock == "sigma":
            noisy = fields + np.float32(levels[first]) * noise
            fields = td.simulate(rule, noisy, levels[first:], frames=2).final
        else:
            fields = go_on(rule, fields + KICK * spread * noise, HEALED)
        found.append(fields)
    return found


def drift(rule, start, end):
    """How much the mean of a channel has changed, in units of its contrast in the end; the largest of the channels.

    A denoiser's noise is taken in the frame of pictures, y/sqrt(1 + sigma²), where it has the size 1.
    """
    before = start / np.sqrt(1 + rule.times()[0] ** 2) if rule.clock == "sigma" else start
    change = end.mean(axis=(2, 3), dtype=float) - before.mean(axis=(2, 3), dtype=float)
    return (np.abs(change) / end.std(axis=(2, 3))).max(axis=1)


def stretch(rule, noise, ends):
    """Pearson of the pictures with those from stronger and weaker noise, (factors, runs)."""
    rest = rule.steady_state().reshape(-1, 1, 1) if rule.clock == "time" else 0
    found = [run(rule, (rest + factor * (noise - rest)).astype(noise.dtype)) for factor in STRETCH]
    return [td.measure.agreement(field[:, :1], ends[:, :1]).pearson for field in found]


def weights(network):
    return sum(array.size for array in network.weights.arrays.values())


def row(what, values, unit):
    """The mean, and its 95% interval."""
    return {"what": what, **asdict(td.measure.mean_interval(values)), "unit": unit}


def judge(values, rounds):
    """What the numbers say, plainly."""
    after = {name: values[f"r2 after {rounds} kicks and recoveries, {name}"] for name in ("Turing", "ELS", "network")}
    twice = {
        name: values[f"Pearson of pictures from noise and twice that noise, {name}"] for name in ("Turing", "network")
    }
    scale = {name.partition(", ")[2]: value for name, value in values.items() if name.startswith("wavelength ratio")}
    drifts = {name.rpartition(", ")[2]: value for name, value in values.items() if name.startswith("drift")}
    return (
        f"A Turing pattern comes back from {rounds} kicks with r2 = {after['Turing']:.2f}, a network's picture with "
        f"{after['network']:.2f}. The Turing rule is {values['numbers in the Turing rule']:.0f} numbers, the machine "
        f"{values['numbers in the ELS']:.0f}, the network {values['numbers in the network']:.0f}. Doubled D makes the "
        f"wave {scale['Turing: D doubled']:.2f} times as long (sqrt 2 = 1.41), a wider patch "
        f"{scale['ELS: patch 9 to 13']:.2f} times, one below the wave {scale['ELS: patch 9 to 5']:.2f} times. Neither "
        f"family keeps its mean, as phase separation does: it drifts by {drifts['Turing']:.2g} and "
        f"{drifts['network']:.2g} of the contrast, there by {drifts['Cahn–Hilliard']:.0e}. From twice the noise a "
        f"Turing pattern is the same (Pearson {twice['Turing']:.2f}), a picture is another ({twice['network']:.2f})."
    )


def draw(finished, kicked, likeness, numbers, same, ratios, drifts, stretched):
    figure = Figure(figsize=(13, 8), dpi=110, layout="constrained")
    axes = figure.subplots(2, 3)
    (back, stored, scale), (mean, noise, sheet) = axes
    for name, values in likeness.items():
        rounds = np.arange(len(values) + 1)
        shown = np.vstack([np.ones(values.shape[1]), values])
        back.plot(rounds, shown, color=COLOURS[name], alpha=0.25, linewidth=0.8)
        back.plot(rounds, shown.mean(axis=1), "o-", color=COLOURS[name], label=name)
    back.set(xlabel="kicks and recoveries", ylabel="r² with the first picture", title="an attractor, or not")
    back.legend(fontsize=8, frameon=False)
    bars = stored.bar(range(len(numbers)), list(numbers.values()), color=[COLOURS[n.split()[0]] for n in numbers])
    stored.bar_label(bars, [f"{count:,}" for count in numbers.values()], fontsize=9, padding=2)
    about = f"ELS of other such images, same noise:\nPearson of the textures {np.mean(same):.2f}"
    stored.text(0.03, 0.97, about, transform=stored.transAxes, fontsize=9, va="top")
    stored.set_xticks(range(len(numbers)), list(numbers))
    stored.set(yscale="log", ylim=(1, 1e8), ylabel="numbers", title="what the rule remembers")
    for n, (name, values) in enumerate(ratios.items()):
        scale.plot(values, np.full(len(values), n) + 0.12, "o", color=COLOURS[name.split(":")[0]], alpha=0.4)
        scale.plot(np.mean(values), n - 0.12, "D", color=COLOURS[name.split(":")[0]])
    scale.axvline(1, color="0.6", linewidth=0.8)
    scale.axvline(np.sqrt(2), color="0.6", linestyle=":")
    scale.set_yticks(range(len(ratios)), [name.replace(": ", "\n") for name in ratios])
    scale.invert_yaxis()
    scale.set(xlabel="wavelength, ratio (dotted: √2)", title="what sets the scale (diamonds: means)")
    for n, (name, values) in enumerate(drifts.items()):
        mean.plot(np.full(len(values), n), np.maximum(values, 1e-17), "o", color=COLOURS[name], alpha=0.6)
    mean.set_xticks(range(len(drifts)), list(drifts))
    mean.set(yscale="log", ylabel="|change of the mean| / contrast", title="what is conserved")
    for name, values in stretched.items():
        noise.plot(STRETCH, values, color=COLOURS[name], alpha=0.25, linewidth=0.8)
        noise.plot(STRETCH, np.mean(values, axis=1), "o-", color=COLOURS[name], label=name)
    noise.set_xscale("log", base=2)
    noise.set_xticks(STRETCH, [f"{factor:g}" for factor in STRETCH])
    noise.set(xlabel="noise at the start, times the usual", ylabel="Pearson with the usual picture")
    noise.set_title("what becomes of the noise")
    noise.legend(fontsize=8, frameon=False)
    sheet.axis("off")
    sheet.set_title("before and after the kicks")
    for n, (name, field) in enumerate(finished.items()):
        for m, picture in enumerate((field[0, 0], kicked[name][-1][0, 0])):
            ax = sheet.inset_axes((0.52 * m, 0.68 - 0.34 * n, 0.48, 0.31))
            limits = (-1, 1) if name != "Turing" else (field[:, 0].min(), field[:, 0].max())
            ax.imshow(picture, cmap="gray" if name == "network" else "magma", vmin=limits[0], vmax=limits[1])
            ax.set(xticks=[], yticks=[])
            if m == 0:
                ax.set_ylabel(name, fontsize=9)
    for ax in axes.flat:
        ax.title.set_fontsize(10)
    return figure


QUICK = {"runs": 2, "sets": 2, "patterns": 1, "side": 20, "rounds": 2, "grown": 300}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small and fast")
    parser.add_argument("--out", default="out", metavar="DIR")
    options = parser.parse_args()
    main(options.out, **(QUICK if options.quick else {}))
