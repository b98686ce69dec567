"""Measure how well the machines predict trained networks, and write what docs/theory-and-experiment.md says of it.

    python scripts/theory_and_experiment.py STAGE ... [--networks FOLDER] [--seeds 100]

Stages: `calibrate` (patch sizes for every network that is there, into docs/results/patches.json); `zeros`, `circular`,
`twenty`, `factors` (each measures, and saves docs/results/STAGE.json and its figure); and `page`, which writes the
numbers into the page. Networks that do not come with the package are read from the folder; the
commands that train them are in NETWORKS, and `train` runs those that are missing (hours; extra `train`).
"""

import argparse
import json
import shlex
import subprocess
import time
from pathlib import Path

import numpy as np
from pages import about, filled

import turingdiff as td
from turingdiff.denoising import calibrate_to, cosine_levels, equivariant_local, local
from turingdiff.denoising._patch_sizes import Schedule
from turingdiff.network._network import SHIPPED
from turingdiff.show import save_figure

DOCS = Path(__file__).parent.parent / "docs"
RESULTS, PAGE = DOCS / "results", DOCS / "theory-and-experiment.md"
# Name to the options of `turingdiff train`; one thread each, see the page.
NETWORKS = {
    "resnet-zeros": "--padding zeros --steps 10000",
    "resnet-circular": "--padding circular --steps 5000",
    "zeros-b": "--padding zeros --steps 4000 --seed 1",
    "twenty": "--padding zeros --steps 2500 --limit 20",
    "short": "--padding zeros --steps 2000",
    "narrow": "--padding zeros --steps 4000 --width 32",
}
OTHERS = {
    "zeros-b": "4,000 training steps, other initial weights",
    "short": "2,000 training steps",
    "narrow": "4,000 training steps, 32 channels",
}
CALIBRATED = ("resnet-zeros", "resnet-circular", "twenty")
IMAGES = td.data.fashion()[0]
TRAJECTORIES = 10
CALIBRATION_SEED = (0, 1)  # the compared noises have the seed 0


def network(name, folder):
    return td.denoising.network(name if name in SHIPPED else folder / f"{name}.npz")


def train(options):
    """Train what is missing."""
    for name, settings in NETWORKS.items():
        path = options.networks / f"{name}.npz"
        if name not in SHIPPED and not path.exists():
            resume = ["--resume"] if path.with_suffix(".checkpoint").exists() else []
            command = ["turingdiff", "train", *shlex.split(settings), "--out", str(path), *resume]
            subprocess.run(command, check=True)


def machines(target, images, patches):
    """All machines that are to predict a network, ELS and LS with the patch sizes `patches`."""
    boundary = str(target.neighbourhood.boundary)
    return {
        "ELS": equivariant_local(images, patch=patches["ELS"], boundary=boundary),
        "LS": local(images, patch=patches["LS"], boundary=boundary),
        "ES": td.denoising.equivariant(images),
        "ideal": td.denoising.ideal(images),
        "Wiener": td.denoising.wiener(images),
        "PCA-local": td.denoising.pca_local(images),
    }


def calibrate(options):
    """Patch sizes of ELS and LS for every network, on noises that are not compared."""
    path = RESULTS / "patches.json"
    RESULTS.mkdir(exist_ok=True)
    saved = json.loads(path.read_text()) if path.exists() else {}
    for name in CALIBRATED:
        if name in saved or not (name in SHIPPED or (options.networks / f"{name}.npz").exists()):
            continue
        target = network(name, options.networks)
        images, sizes = IMAGES[: target.weights.record["images"]], {}
        for machine in (equivariant_local, local):
            rng = np.random.default_rng(CALIBRATION_SEED)
            found = calibrate_to(target, images, machine, trajectories=TRAJECTORIES, rng=rng)
            sizes["ELS" if machine is equivariant_local else "LS"] = found.sizes
            print(f"{name}\n{found}", flush=True)
        saved[name] = sizes
        path.write_text(json.dumps(saved, indent=1) + "\n")


def calibrated(name):
    """Patch schedules for a network, of ELS and of LS."""
    levels = cosine_levels(20)[-2::-1]
    saved = json.loads((RESULTS / "patches.json").read_text())[name]
    return {machine: Schedule(levels, tuple(sizes)) for machine, sizes in saved.items()}


def measure(name, rules, seeds, began):
    """Compare, draw, and save the numbers."""
    result = td.compare(rules, reference="network", seeds=seeds, samples=5)
    print(result.table, flush=True)
    save_figure(result.figure(), DOCS / "images" / f"theory-{name}.png", dpi=80)
    rows = {title: numbers(one.final, result) for title, one in result.predictions.items()}
    levels = {
        title: np.median(one.levels.r2, axis=1).round(3).tolist()
        for title, one in result.predictions.items()
        if one.levels is not None
    }
    save(name, began, seeds=seeds, rows=rows, levels=result.runs["network"].times[:-1].round(4).tolist(), r2=levels)
    return result


def numbers(final, result):
    """Quartiles of both measures, and how often r² is above the ideal machine's."""
    ideal = result.predictions.get("ideal")
    wins = None if ideal is None or final is ideal.final else float(np.mean(np.greater(final.r2, ideal.final.r2)))
    return {"pearson": quartiles(final.pearson), "r2": quartiles(final.r2), "wins": wins}


def quartiles(values):
    return np.quantile(values, (0.25, 0.5, 0.75)).round(3).tolist()


def save(name, began, **what):
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(about(began) | what, indent=1) + "\n")


def zeros(options):
    """The central claim: the shipped zero-padded network, boundary-broken ELS, and all controls."""
    began, target = time.perf_counter(), network("resnet-zeros", options.networks)
    patches = calibrated("resnet-zeros")
    rules = {"network": target, **machines(target, IMAGES, patches)}
    measure("zeros", rules, options.seeds, began)
    add("zeros", record=record(target), patches={name: found.sizes for name, found in patches.items()})


def circular(options):
    """The torus: circular padding, ELS on the torus."""
    began, target = time.perf_counter(), network("resnet-circular", options.networks)
    patches = calibrated("resnet-circular")
    measure("circular", {"network": target, **machines(target, IMAGES, patches)}, options.seeds, began)
    add("circular", record=record(target), patches={name: found.sizes for name, found in patches.items()})


def twenty(options):
    """The reverse: a network that has seen 20 images only, and may remember them."""
    began, target, few = time.perf_counter(), network("twenty", options.networks), IMAGES[:20]
    patches = calibrated("twenty")
    result = measure("twenty", {"network": target, **machines(target, few, patches)}, options.seeds, began)
    add(
        "twenty",
        record=record(target),
        patches={name: found.sizes for name, found in patches.items()},
        novelty=quartiles(result.nearest.relative),
    )


def factors(options):
    """One factor at a time, ELS only: each against the network it is to predict."""
    began, seeds, folder = time.perf_counter(), options.seeds, options.networks
    base, sizes = network("resnet-zeros", folder), calibrated("resnet-zeros")["ELS"].sizes
    levels = cosine_levels(20)[-2::-1]

    def schedule(chosen):
        return Schedule(levels, tuple(chosen))

    start = base.initial(base.canvas, 0, replicas=seeds)
    truth = pictures(base, start)
    usual = pictures(equivariant_local(IMAGES, patch=schedule(sizes)), start)
    rows = {"as above": (usual, truth)}
    rows["patch sizes: published for Fashion-MNIST, uncalibrated"] = (pictures(equivariant_local(IMAGES), start), truth)
    shifted = schedule([*sizes[1:], sizes[-1]])  # as the published code reads its list: index i - 1 written, i read
    rows["patch sizes: calibrated, but read one level off"] = (
        pictures(equivariant_local(IMAGES, patch=shifted), start),
        truth,
    )
    for count in (1000, 500):
        few = equivariant_local(IMAGES[:count], patch=schedule(sizes))
        rows[f"images that ELS knows: the first {count}"] = (pictures(few, start), truth)
    rows["denoising steps of the network: 150"] = (usual, pictures(base, start, 150))
    for name, factor in OTHERS.items():
        if (folder / f"{name}.npz").exists():
            other = pictures(network(name, folder), start)
            rows[factor] = (usual, other)
            rows[f"the network above, predicted by the one with {factor}"] = (other, truth)
    found = {name: td.measure.agreement(ours, theirs) for name, (ours, theirs) in rows.items()}
    save(
        "factors",
        began,
        seeds=seeds,
        rows={name: {"pearson": quartiles(a.pearson), "r2": quartiles(a.r2)} for name, a in found.items()},
    )


def pictures(rule, start, steps=20):
    levels = cosine_levels(steps)
    *_, (sigma, field) = td.evolve(rule, start, levels, every=steps)
    return rule.view(field, sigma)


def record(target):
    kept = ("steps", "batch", "rate", "seed", "images", "seconds", "threads", "torch")
    known = {key: target.weights.record[key] for key in kept if key in target.weights.record}
    return known | {"loss": [float(np.mean(part)) for part in np.array_split(target.weights.record["loss"], 10)]}


def add(name, **what):
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | what, indent=1) + "\n")


def page(options):
    """Write the numbers between the marks of the page."""
    text = PAGE.read_text()
    for name in ("zeros", "circular", "twenty", "factors"):
        path, picture = RESULTS / f"{name}.json", DOCS / "images" / f"theory-{name}.png"
        lines = block(json.loads(path.read_text())) if path.exists() else "Not run yet."
        if picture.exists():
            lines += f"\n\n![Noise, network, machines, nearest; agreement by level; patch sizes](images/{picture.name})"
        text = filled(text, name, lines)
    PAGE.write_text(text)


def block(saved):
    """A table of quartiles, patch sizes and training in Markdown."""
    wins = any("wins" in row for row in saved["rows"].values())
    lines = [f"| {saved['seeds']} noises | Pearson | r² |{' closer than ideal |' if wins else ''}"]
    lines.append("|---|---|---|" + "---|" * wins)
    for name, row in saved["rows"].items():
        cells = [f"**{middle:.3f}** ({low:.3f} to {high:.3f})" for low, middle, high in (row["pearson"], row["r2"])]
        if wins:
            cells.append("" if row["wins"] is None else f"{row['wins']:.0%}")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    for name, sizes in saved.get("patches", {}).items():
        lines.append(f"\nPatch sizes of {name}, from the lowest noise up: {' '.join(map(str, sizes))}.")
    if "novelty" in saved:
        low, middle, high = saved["novelty"]
        lines.append(f"\nNovelty of the network's pictures: {middle:.2f} ({low:.2f} to {high:.2f}).")
    if "record" in saved:
        told = saved["record"]
        minutes = told["seconds"] / 60
        losses = ", ".join(f"{value:.4f}" for value in told["loss"])
        lines.append(
            f"\nTraining: {told['steps']:,} steps of {told['batch']} of {told['images']:,} images, "
            f"rate {told['rate']:g}, seed {told['seed']}, {minutes:.0f} minutes on {told['threads']} thread; "
            f"mean loss of each tenth: {losses}."
        )
    lines.append(f"\n`{saved['command']}`, {saved['seconds'] / 60:.0f} minutes.")
    return "\n".join(lines)


STAGES = {
    "train": train,
    "calibrate": calibrate,
    "zeros": zeros,
    "circular": circular,
    "twenty": twenty,
    "factors": factors,
    "page": page,
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("stages", nargs="+", choices=STAGES, metavar="STAGE", help=", ".join(STAGES))
    parser.add_argument("--networks", type=Path, default=Path("out/networks"), metavar="FOLDER")
    parser.add_argument("--seeds", type=int, default=100)
    options = parser.parse_args()
    for stage in options.stages:
        STAGES[stage](options)
