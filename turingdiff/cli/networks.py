"""Commands about trained networks: train, and compare --network."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from turingdiff import denoising
from turingdiff.cli.names import CALIBRATED, check_patch, clothes, print_files, training_images
from turingdiff.comparison import check_folder, compare
from turingdiff.comparison.against_reference import check_counts, check_reference
from turingdiff.network._network import SHIPPED, weights_of
from turingdiff.network._weights import Architecture, Weights, images_digest

DEFAULT_SEEDS = 20
TRAJECTORIES = 10
LOCAL = {"ELS": denoising.equivariant_local, "LS": denoising.local}
RECORDED = {"ELS": "", "LS": "-local"}  # what the schedules calibrated to a shipped network are called after its name
WHOLE = {
    "ideal": denoising.ideal,
    "ES": denoising.equivariant,
    "Wiener": denoising.wiener,
    "PCA-local": denoising.pca_local,
}


def compare_with_network(options: argparse.Namespace) -> None:
    """The same noise through a network and through machines: film, figure and table."""
    given = {"--model": options.model, "--machine": options.machine, "--preset": options.preset, "--set": options.set}
    if used := [option for option, value in given.items() if value]:
        raise ValueError(f"--network compares with all machines: leave out {', '.join(used)}")
    if options.patch == CALIBRATED:
        raise ValueError(f"with --network patch sizes are calibrated to it: leave out --patch {CALIBRATED}")
    seeds = DEFAULT_SEEDS if options.seeds is None else options.seeds
    check_counts(seeds, options.samples)  # before the calibration, which takes minutes
    weights, _ = weights_of(options.network)
    network = denoising.network(options.network, label=options.label if weights.architecture.classes else None)
    images, digest = _images_of(options, weights)
    check_patch(options.patch, images)
    boundary = str(network.neighbourhood.boundary)
    rules: dict[str, denoising.Denoiser] = {"network": network}
    rules |= {name: make(images, patch=options.patch or 3, boundary=boundary) for name, make in LOCAL.items()}
    rules |= {name: make(images) for name, make in WHOLE.items()}
    check_reference(rules, "network")
    folder = check_folder(options.out)
    own = digest == weights.record.get("images_sha256")
    if not own:
        print("note: these are not the images that the network was trained on")
    if options.patch is None and own and options.network in SHIPPED:
        for name, make in LOCAL.items():
            rules[name] = make(images, patch=options.network + RECORDED[name], boundary=boundary)
    elif options.patch is None:
        for name, make in LOCAL.items():
            rng = np.random.default_rng((options.seed, 1))  # not the noises that are compared
            sizes = denoising.calibrate_to(network, images, make, trajectories=TRAJECTORIES, rng=rng)
            print(f"patch sizes of {name}, from the lowest noise up: {', '.join(map(str, sizes.sizes))}")
            rules[name] = make(images, patch=sizes, boundary=boundary)
    result = compare(rules, reference="network", seeds=seeds, samples=options.samples, rng=options.seed,
                     progress=sys.stderr.isatty())  # fmt: skip
    paths: list[Path] = []
    try:
        paths = result.save(folder)
    finally:  # what was computed is shown even where it cannot be saved
        print(result.table)
        print_files(paths)


def _images_of(options: argparse.Namespace, weights: Weights) -> tuple[np.ndarray, str]:
    """The images of the machines, by default as many as the network was trained on, and the digest of its set."""
    limit = weights.record.get("images") if options.limit is None else options.limit
    if not weights.architecture.classes:
        images = training_images(options, limit)
        return images, images_digest(images)
    images, labels = clothes(options, limit)
    return images[labels == options.label], images_digest(images, labels)


def run_train(options: argparse.Namespace) -> None:
    """Train a network and write its weights."""
    try:
        from turingdiff.network import Settings, train
    except ImportError as error:
        raise ImportError(f"training needs PyTorch ({error}): pip install torch") from error
    labels = None
    if options.classes:
        if options.data is not None or options.label is not None:
            raise ValueError("--classes takes the ten classes of Fashion-MNIST: leave out --data and --label")
        images, labels = clothes(options, options.limit)
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
    print_files([options.out])
