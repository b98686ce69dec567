"""What names on the command line stand for: systems, machines, networks, training images."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from turingdiff import data, denoising, morphogenesis
from turingdiff.cli.user_files import is_in_file, made, needs, read, takes
from turingdiff.engine import growth
from turingdiff.engine.rule import Rule
from turingdiff.engine.suggestions import unknown
from turingdiff.morphogenesis._system import System
from turingdiff.network._network import SHIPPED
from turingdiff.show.files import human_size

if TYPE_CHECKING:
    from turingdiff.live import Session

DEFAULT_IMAGES = 1000
DEFAULT_SIZE = (256, 256)
CALIBRATED = "calibrated"
HELD_OUT = 4
MODELS: dict[str, System] = {name: getattr(morphogenesis, name) for name in morphogenesis.__all__}


def short_names() -> dict[str, Callable[..., denoising.Machine]]:
    """The functions that make machines, by the names that they give themselves (`short_name`)."""
    makers = [make for make in vars(denoising).values() if callable(make) and hasattr(make, "short_name")]
    return {make.short_name: make for make in makers}


def all_names(short: dict[str, Callable[..., denoising.Machine]]) -> dict[str, Callable[..., denoising.Machine]]:
    """The same, by their names in Python too."""
    return short | {make.__name__: make for make in short.values()}


SHORT_NAMES = short_names()
MACHINES = all_names(SHORT_NAMES)


def system_named(name: str, options: argparse.Namespace) -> Rule:
    """The rule along time of a system's name, or of FILE.py:NAME."""
    make = read(name) if is_in_file(name) else MODELS[name]
    chosen = {"preset": options.preset, "boundary": getattr(options, "boundary", None)}
    given = {key: value for key, value in chosen.items() if value is not None} | dict(options.set)
    rule = made(make, name, given | _domain(options))
    if rule.clock != "time":
        raise ValueError(f"{name} runs along {rule.clock}, and no pattern grows: turingdiff denoise runs it")
    return rule


def _domain(options: argparse.Namespace) -> dict[str, Any]:
    """The mask, the maps and the growth that the options of `turingdiff grow` ask for."""
    given: dict[str, Any] = {}
    size = getattr(options, "size", None)
    if getattr(options, "mask", None) is not None:
        given["mask"] = data.read_mask(options.mask, size)
        size = given["mask"].shape
    for name, path, low, high in getattr(options, "map", []):
        given[name] = low + (high - low) * data.read_map(path, size or DEFAULT_SIZE)
    if getattr(options, "grow", None) is not None:
        given["growth"] = growth.uniform(options.grow)
    return given


def denoiser_named(name: str, options: argparse.Namespace, boundary: str | None) -> Rule:
    """The rule along sigma of a name: a machine, a network, or FILE.py:NAME."""
    make: Any = read(name) if is_in_file(name) else MACHINES.get(name)
    if needs(make, "images"):
        return machine_made(make, name, options, boundary)
    given = {"--data": options.data, "--limit": options.limit, "--patch": options.patch, "--boundary": boundary}
    if make is not None:
        refuse(given | {"--label": options.label}, f"{name} takes no training images")
        rule = made(make, name, {})
        if rule.clock != "sigma":
            raise ValueError(f"{name} runs along {rule.clock}, and denoises nothing: turingdiff grow runs it")
        return rule
    try:
        network = denoising.network(name, label=options.label)
    except FileNotFoundError:
        raise ValueError(unknown("machine, network or file", name, (*MACHINES, *SHIPPED))) from None
    refuse(given, "a network is trained already")
    return network


def refuse(given: dict[str, Any], why: str) -> None:
    """Refuse options that would change nothing."""
    if used := [option for option, value in given.items() if value is not None]:
        raise ValueError(f"{why}: {', '.join(used)} would change nothing")


def machine_made(make: Callable[..., Rule], name: str, options: argparse.Namespace, boundary: str | None) -> Rule:
    """The machine that a function makes of the images that the options ask for."""
    limit = DEFAULT_IMAGES if options.limit is None else at_least_1("--limit", options.limit)
    images, others = np.split(training_images(options, limit + HELD_OUT), [limit])
    given: dict[str, Any] = {
        key: value for key, value in (("patch", options.patch), ("boundary", boundary)) if value is not None
    }
    if not all(takes(make, option) for option in given):
        able = [short for short, other in SHORT_NAMES.items() if all(takes(other, option) for option in given)]
        raise ValueError(f"{name} has no {' or '.join(given)} to choose; {', '.join(able)} have")
    if options.patch == CALIBRATED:
        given["patch"] = _calibrated(images, others, make, boundary or "zero")
    check_patch(options.patch, images)
    return made(make, name, {"images": images} | given)


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
        raise ValueError(unknown("model, machine or network", name, (*MODELS, *MACHINES, *SHIPPED))) from None


def _calibrated(images: np.ndarray, others: np.ndarray, make: Any, boundary: str) -> denoising.Calibration:
    if len(others) < HELD_OUT:
        raise ValueError(
            f"--patch {CALIBRATED} needs {HELD_OUT} images that the machine does not have: of the "
            f"{len(images) + len(others)} that there are, give it fewer with --limit"
        )
    sizes = denoising.calibrate(images, others, make, boundary=boundary)
    print(f"patch sizes, from the lowest noise up: {', '.join(map(str, sizes.sizes))}")
    return sizes


def training_images(options: argparse.Namespace, limit: int | None) -> np.ndarray:
    """The first images of those that the options ask for: own ones, or the clothes, all or of a kind."""
    if options.data is None:
        return clothes(options, limit, options.label)[0]
    given = {"--label": options.label is not None, "--full": getattr(options, "full", False)}
    if used := " and ".join(option for option, is_given in given.items() if is_given):
        raise ValueError(f"{used} chooses among the images of Fashion-MNIST: leave it out with --data")
    return data.load(options.data, None if limit is None else at_least_1("--limit", limit))


def clothes(options: argparse.Namespace, limit: int | None, label: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The first images of Fashion-MNIST, bundled or all, and their labels; `label` takes one kind."""
    images, labels = data.fashion(full=getattr(options, "full", False))
    if label is not None:
        images, labels = images[labels == label], labels[labels == label]
    if not len(images):
        raise ValueError(f"the images of Fashion-MNIST have the labels 0 to 9, got --label {label}")
    limit = None if limit is None else at_least_1("--limit", limit)
    return images[:limit], labels[:limit]


def at_least_1(option: str, value: int) -> int:
    """The value of an option that counts something."""
    if value < 1:
        raise ValueError(f"{option} must be at least 1, got {value}")
    return value


def check_patch(patch: int | str | None, images: np.ndarray) -> None:
    """Refuse windows that are wider than any that holds a whole training image about each of its pixels."""
    height, width = images.shape[-2:]
    widest = 2 * max(height, width) - 1
    if isinstance(patch, int) and patch > widest:
        raise ValueError(
            f"--patch {patch} is wider than needed: of {height}x{width} images {widest} is the whole image about any "
            f"pixel; give an odd number up to {widest}"
        )


def print_files(paths: Iterable[Path]) -> None:
    """Say what was written."""
    for path in paths:
        print(f"{path}  ({human_size(path.stat().st_size)})")
