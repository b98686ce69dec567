"""Commands about trained networks: train, and compare --network."""

from __future__ import annotations

import argparse
import sys

import numpy as np

from turingdiff import data, denoising
from turingdiff.cli.names import print_file, training_images
from turingdiff.comparison import check_folder, compare
from turingdiff.denoising.weights import Architecture, images_digest

DEFAULT_SEEDS = 20
TRAJECTORIES = 10


def compare_with_network(options: argparse.Namespace) -> None:
    """The same noise through a network and through machines: film, figure and table."""
    given = {"--model": options.model, "--machine": options.machine, "--preset": options.preset, "--set": options.set}
    if used := [option for option, value in given.items() if value]:
        raise ValueError(f"--network compares with all machines: leave out {', '.join(used)}")
    network = denoising.network(options.network, label=options.label)
    record = network.weights.record
    images = training_images(options, record.get("images") if options.limit is None else options.limit)
    folder = check_folder(options.out)
    if images_digest(images) != record.get("images_sha256"):
        print("note: these are not the images that the network was trained on")
    boundary = str(network.neighbourhood.boundary)
    machines = {"ELS": denoising.equivariant_local, "LS": denoising.local}
    rules: dict[str, denoising.Denoiser] = {"network": network}
    for name, machine in machines.items():
        patch = options.patch
        if patch is None:
            rng = np.random.default_rng((options.seed, 1))  # not the noises that are compared
            patch = denoising.calibrate_to(network, images, machine, trajectories=TRAJECTORIES, rng=rng)
            print(f"patch sizes of {name}, from the lowest noise up: {', '.join(map(str, patch.sizes))}")
        rules[name] = machine(images, patch=patch, boundary=boundary)
    whole = {
        "ideal": denoising.ideal,
        "ES": denoising.equivariant,
        "Wiener": denoising.wiener,
        "PCA-local": denoising.pca_local,
    }
    rules |= {name: machine(images) for name, machine in whole.items()}
    seeds = DEFAULT_SEEDS if options.seeds is None else options.seeds
    result = compare(rules, reference="network", seeds=seeds, samples=options.samples, rng=options.seed,
                     progress=sys.stderr.isatty())  # fmt: skip
    print(result.table)
    for path in result.save(folder):
        print_file(path)


def run_train(options: argparse.Namespace) -> None:
    """Train a network and write its weights."""
    try:
        from turingdiff.training import Settings, train
    except ImportError as error:
        raise ImportError(f'training needs PyTorch ({error}): pip install "turingdiff[train]"') from error
    labels = None
    if options.classes:
        if options.data is not None or options.label is not None:
            raise ValueError("--classes takes the ten classes of Fashion-MNIST: leave out --data and --label")
        images, labels = data.fashion(full=options.full)
        images, labels = images[: options.limit], labels[: options.limit]
    elif options.full:
        images = data.fashion(full=True)[0][: options.limit]
    else:
        images = training_images(options, options.limit)
    architecture = Architecture(
        colours=images.shape[1], width=options.width, layers=options.layers, padding=options.padding,
        classes=0 if labels is None else 10,
    )  # fmt: skip
    settings = Settings(architecture, options.steps, options.batch, options.rate, options.seed, options.save_every)
    weights = train(images, options.out, settings, labels=labels, resume=options.resume, progress=sys.stderr.isatty())
    losses = weights.record["loss"]
    print(f"loss {losses[0]} in the first steps, {losses[-1]} in the last" if losses else "a few steps only")
    print_file(options.out)
