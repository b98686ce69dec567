"""Claim: the invention is deterministic: the same noise makes the same picture, in a trained network as in its theory.

Three questions, each with its control. Does the same noise make the same bytes, on one thread and on all? (Control:
other noise.) What becomes of a small difference of the noise? A millionth of it is added, and followed down the noise
levels in the frame of pictures, where noise has the size 1 throughout. The exponent is the finite-time Lyapunov
exponent per unit of -ln sigma, in the frame of `td.measure.divergence`, where -1 is a denoiser that returns one image;
the growth says how much larger the share of the finished picture is than that of the noise. The Turing system is asked
the same per unit of time, while its pattern grows and afterwards. (Control: turbulence, a rule that is as local and as
deterministic, and chaotic.) And does a trained network make, from one noise, the picture that a formula says, the
equivariant local machine (ELS) of its training images? (Controls: the ideal denoiser, and ELS from other noise.)

Found, as medians: no number differs. Of a small difference 1e-12 is left in the ideal machine and ES, which return what
they remember; LS, ELS and the network hand it on to the picture at about its size (x 1.6, 2.3 and 0.93; exponents -.65,
-.64 and -.68), so that near noises make near pictures. In the Turing system it grows with the pattern (x 24 in all),
and from then on no more (exponent .001 per time, -.009 to .004); turbulence parts at .30 per time, until runs have
nothing in common. ELS makes the network's picture with a correlation of .918 (95%: .907 to .945; r2 .82), against .58
of the ideal denoiser and .30 from other noise.

    images: how many the machines of the small difference know; known: ELS beside the network (it was trained on 2,000)
    starts: noises a rule for the first two questions; noises: for the network
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import numba
import numpy as np
from matplotlib.figure import Figure

import turingdiff as td
from turingdiff.files import atomic_path
from turingdiff.show import save_figure

CLAIM = "The invention is deterministic: the same noise makes the same picture, in a trained network as in its theory."
COLOURS = {"ideal": "tab:blue", "ES": "tab:cyan", "Wiener": "tab:gray", "LS": "tab:orange", "ELS": "tab:red"}
COLOURS |= {"network": "black", "Turing": "tab:red", "turbulence": "tab:purple", "ELS, other noise": "tab:pink"}


def main(out="out", images=200, known=2000, starts=6, noises=10, seed=0):
    pictures = td.data.fashion()[0]
    network = td.denoising.network("resnet-zeros")
    machines = {
        "ideal": td.denoising.ideal(pictures[:images]),
        "ES": td.denoising.equivariant(pictures[:images]),
        "Wiener": td.denoising.wiener(pictures[:images]),
        "LS": td.denoising.local(pictures[:images]),
        "ELS": td.denoising.equivariant_local(pictures[:images]),
        "network": network,
    }
    turing = td.morphogenesis.schnakenberg(dx=1.0, boundary="periodic", t_end=400)
    chaos = td.morphogenesis.complex_ginzburg_landau("turbulence", boundary="periodic")
    seeds = range(seed, seed + starts)
    threads = numba.config.NUMBA_NUM_THREADS
    rows = []
    for name, rule, side in (("ELS", machines["ELS"], 28), ("network", network, 28), ("Turing", turing, 48)):
        one, all_ = ([finished(rule, side, each, count) for each in seeds] for count in (1, threads))
        same = [np.mean(a != b) for a, b in zip(one, all_, strict=True)]
        other = [np.mean(a != b) for a, b in zip(one, np.roll(one, 1, axis=0), strict=True)]
        rows.append(row(f"numbers that differ, {name}, threads 1 and {threads}", same, "share"))
        rows.append(row(f"numbers that differ, {name}, other noise", other, "share"))
    apart = {name: [part(rule, 28, rule.times(), each) for each in seeds] for name, rule in machines.items()}
    apart["Turing"] = [part(turing, 48, turing.times(), each) for each in seeds]
    apart["turbulence"] = [part(chaos, 48, chaos.times(t_end=60), each) for each in seeds]
    late = [one.since(turing.times()[-1] / 2) for one in apart["Turing"]]
    for name, found in {**apart, "Turing, second half": late}.items():
        unit = "per -ln sigma" if found[0].clock == "sigma" else "per time"
        rows.append(row(f"exponent of {name}", [one.exponent for one in found], unit))
        rows.append(row(f"growth of a difference, {name}", [growth(one) for one in found], "times"))
    start = network.initial(network.canvas, rng=seed, replicas=noises)
    theory = td.denoising.equivariant_local(pictures[:known], patch="resnet-zeros", boundary="zero")
    rules = {"network": network, "ELS": theory, "ideal": td.denoising.ideal(pictures[:known])}
    sheet = {name: td.simulate(rule, start, network.times(), frames=2).view(-1) for name, rule in rules.items()}
    sheet["ELS, other noise"] = np.roll(sheet["ELS"], 1, axis=0)
    likeness = {name: td.measure.agreement(made, sheet["network"]) for name, made in sheet.items() if name != "network"}
    for name, found in likeness.items():
        rows.append(row(f"Pearson of {name} with the network", found.pearson, "correlation"))
        rows.append(row(f"r2 of {name} with the network", found.r2, "share of variance"))
    for one in rows:
        print("{what:50} {value:10.3g}   95% {low:.3g} to {high:.3g} {unit}".format(**one))
    verdict = judge({one["what"]: one for one in rows}, threads)
    print(verdict)
    folder = Path(out) / "claim_determinism"
    with atomic_path(folder / "numbers.json") as path:
        path.write_text(json.dumps({"claim": CLAIM, "rows": rows, "verdict": verdict}, indent=1), encoding="utf-8")
    save_figure(draw({"noise": start, **sheet}, likeness, apart), folder / "figure.png")
    return rows


def finished(rule, side, seed, threads):
    """The last field, computed on so many threads."""
    before = numba.get_num_threads()
    numba.set_num_threads(threads)
    field = td.simulate(rule, rule.initial((side, side), rng=seed), rule.times(), frames=2).final
    numba.set_num_threads(before)
    return field


def part(rule, side, times, seed):
    """Two runs from nearly the same start."""
    return td.measure.divergence(rule, rule.initial((side, side), rng=seed), times, rng=seed)


def share(found):
    """The distance in units of the size of the picture."""
    pictures = found.in_pictures()
    return pictures.distance[:, 0] / pictures.size


def growth(found):
    """How much larger the difference is in the end, in that unit."""
    return share(found)[-1] / share(found)[0]


def row(what, values, unit):
    """The median, and its 95% interval."""
    return {"what": what, **asdict(td.measure.median_interval(values)), "unit": unit}


def judge(rows, threads):
    """One sentence from the numbers."""
    differ = max(one["high"] for what, one in rows.items() if f"threads 1 and {threads}" in what)
    rules = ("ELS", "network", "Turing", "turbulence")
    grown = {name: rows[f"growth of a difference, {name}"]["value"] for name in rules}
    *_, chaotic = grown.values()
    tame = max(grown[name] for name in rules[:-1]) < chaotic / 100
    els, ideal, other = (rows[f"Pearson of {name} with the network"] for name in ("ELS", "ideal", "ELS, other noise"))
    same = els["low"] > max(ideal["high"], other["high"])
    told = ", ".join(f"{name} {value:.3g}" for name, value in grown.items())
    return (
        f"The claim {'holds' if differ == 0 and tame and same else 'does not hold'}: with the same noise {differ:.0%} "
        f"of the numbers differ on 1 and {threads} threads; a small difference grows by a factor of {told}; and ELS "
        f"makes the picture of the network with a median correlation of {els['value']:.3f}, against "
        f"{ideal['value']:.3f} of the ideal denoiser and {other['value']:.3f} from other noise."
    )


def draw(sheet, likeness, apart):
    """Pictures of the same noise and their likeness on the left; on the right what becomes of a small difference."""
    figure = Figure(figsize=(13, 7.6), dpi=110, layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(6.4, 6.6))
    above, below = left.subfigures(2, 1, height_ratios=(5, 2.4))
    columns = min(6, len(sheet["noise"]))
    for axes, (name, pictures) in zip(above.subplots(len(sheet), columns), sheet.items(), strict=True):
        for ax, picture in zip(axes, pictures, strict=False):
            low, high = (None, None) if name == "noise" else (-1, 1)
            ax.imshow(picture[0], cmap="gray", vmin=low, vmax=high)
            ax.set(xticks=[], yticks=[])
        title = name.replace(", ", ",\n")
        axes[0].set_ylabel(title, color=COLOURS.get(name, "black"), rotation=0, ha="right", va="center", fontsize=10)
    ax = below.subplots()
    for n, (name, found) in enumerate(likeness.items()):
        ax.plot(found.pearson, np.full(len(found.pearson), -n), "o", color=COLOURS[name], alpha=0.4, markeredgewidth=0)
        ax.plot(np.median(found.pearson), -n, "|", color=COLOURS[name], markersize=24, markeredgewidth=2.5)
    ax.set(xlabel="correlation with the picture of the network, noise by noise", xlim=(None, 1.02))
    ax.set_yticks(-np.arange(len(likeness)), list(likeness))
    ax.set_ylim(0.6 - len(likeness), 0.6)
    machines, systems = right.subplots(2, 1)
    for name, found in apart.items():
        ax = machines if found[0].clock == "sigma" else systems
        for one in found:
            moving = one.times > 0 if one.clock == "sigma" else slice(None)
            label = f"{name}: × {np.median([growth(each) for each in found]):.2g}" if one is found[0] else None
            ax.plot(one.times[moving], share(one)[moving], color=COLOURS[name], alpha=0.7, linewidth=1.1, label=label)
    machines.set(xscale="log", xlabel="noise level sigma", title="denoising: a small difference of the noise")
    machines.invert_xaxis()
    systems.set(xlabel="time", title="morphogenesis: a small difference of the start")
    for ax in (machines, systems):
        low, high = (1e-9, 1e-4) if ax is machines else (1e-9, 10)
        ax.set(yscale="log", ylim=(low, high), ylabel="difference / size of the picture")
        ax.title.set_fontsize(11)
        ax.grid(alpha=0.25)
        place = "upper left" if ax is machines else "upper right"
        ax.legend(frameon=False, fontsize=9, loc=place, ncols=3, title="growth to the end", alignment="left")
    return figure


QUICK = {"images": 30, "known": 200, "starts": 2, "noises": 2}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small and fast")
    parser.add_argument("--out", default="out", metavar="DIR")
    options = parser.parse_args()
    main(options.out, **(QUICK if options.quick else {}))
