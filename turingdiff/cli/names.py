"""What names on the command line stand for: systems, machines, networks, training images."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from turingdiff import data, denoising, morphogenesis
from turingdiff.denoising._denoiser import Denoiser
from turingdiff.morphogenesis._system import System
from turingdiff.network._network import SHIPPED
from turingdiff.show.files import human_size

if TYPE_CHECKING:
    from turingdiff.live import Session

DEFAULT_IMAGES = 1000
CALIBRATED = "calibrated"
HELD_OUT = 4
MODELS: dict[str, System] = {name: getattr(morphogenesis, name) for name in morphogenesis.__all__}
SHORT_NAMES: dict[str, Callable[..., denoising.Machine]] = {
    "els": denoising.equivariant_local,
    "ls": denoising.local,
    "ideal": denoising.ideal,
    "es": denoising.equivariant,
    "wiener": denoising.wiener,
    "pca": denoising.pca_local,
    "smoothed": denoising.smoothed,
    "composite": denoising.patch_composite,
}
MACHINES = SHORT_NAMES | {machine.__name__: machine for machine in SHORT_NAMES.values()}
WITH_PATCHES = ("els", "ls", "composite")


def denoiser_named(name: str, options: argparse.Namespace, boundary: str | None) -> Denoiser:
    """The machine or the network of a name."""
    if name in MACHINES:
        return machine_named(name, options, boundary)
    try:
        network = denoising.network(name, label=options.label)
    except FileNotFoundError:
        known = ", ".join((*MACHINES, *SHIPPED))
        raise ValueError(f"there is no machine, network or file {name!r}; there are {known}") from None
    given = {"--data": options.data, "--limit": options.limit, "--patch": options.patch, "--boundary": boundary}
    if used := [option for option, value in given.items() if value is not None]:
        raise ValueError(f"a network is trained already: {', '.join(used)} would change nothing")
    return network


def machine_named(name: str, options: argparse.Namespace, boundary: str | None) -> denoising.Machine:
    """The machine of a name, of the images that the options ask for."""
    limit = DEFAULT_IMAGES if options.limit is None else options.limit
    _at_least_1(limit)
    images, others = np.split(training_images(options, limit + HELD_OUT), [limit])
    given: dict[str, Any] = {
        key: value for key, value in (("patch", options.patch), ("boundary", boundary)) if value is not None
    }
    if given and MACHINES[name] not in {SHORT_NAMES[short] for short in WITH_PATCHES}:
        raise ValueError(f"{name} has no {' or '.join(given)} to choose; {', '.join(WITH_PATCHES)} have")
    if options.patch == CALIBRATED:
        given["patch"] = _calibrated(images, others, name, boundary or "zero")
    return MACHINES[name](images, **given)


def session_named(name: str, options: argparse.Namespace) -> Session:
    """The live session of a system, a machine, a network or a saved session."""
    from turingdiff.live.open_session import open_machine, open_session, replay

    if Path(name).suffix == ".json":
        return replay(name)
    if name in MODELS:
        return open_session(name, options.size, options.seed, preset=options.preset, **dict(options.set))
    machine = MACHINES[name].__name__ if name in MACHINES else name
    origin = {key: getattr(options, key) for key in ("data", "limit", "label", "patch")}
    origin["data"] = None if options.data is None else str(options.data)
    try:
        return open_machine(machine, shape=options.size, seed=options.seed, **origin)
    except FileNotFoundError:
        raise ValueError(f"there is no {name!r}; there are {', '.join((*MODELS, *MACHINES, *SHIPPED))}") from None


def _calibrated(images: np.ndarray, others: np.ndarray, name: str, boundary: str) -> denoising.Calibration:
    if len(others) < HELD_OUT:
        raise ValueError(f"to calibrate, {HELD_OUT} images more than the {len(images)} of --limit are needed")
    sizes = denoising.calibrate(images, others, MACHINES[name], boundary=boundary)
    print(f"patch sizes, from the lowest noise up: {', '.join(map(str, sizes.sizes))}")
    return sizes


def training_images(options: argparse.Namespace, limit: int | None) -> np.ndarray:
    """The first images of those that the options ask for: own ones, or the clothes, all or of a kind."""
    if options.data is None:
        return clothes(options, limit, options.label)[0]
    if options.label is not None or getattr(options, "full", False):
        raise ValueError("--label and --full choose among the images of Fashion-MNIST: your own have no labels")
    return data.load(options.data, _at_least_1(limit))


def clothes(options: argparse.Namespace, limit: int | None, label: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The first images of Fashion-MNIST, bundled or all, and their labels; `label` takes one kind."""
    images, labels = data.fashion(full=getattr(options, "full", False))
    if label is not None:
        images, labels = images[labels == label], labels[labels == label]
    if not len(images):
        raise ValueError(f"the images of Fashion-MNIST have the labels 0 to 9, got --label {label}")
    return images[: _at_least_1(limit)], labels[:limit]


def _at_least_1(limit: int | None) -> int | None:
    if limit is not None and limit < 1:
        raise ValueError(f"--limit must be at least 1, got {limit}")
    return limit


def print_file(path: Path) -> None:
    """Say what was written."""
    print(f"{path}  ({human_size(path.stat().st_size)})")
