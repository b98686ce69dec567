"""The command line: compare, grow, denoise, list, info."""

from __future__ import annotations

import argparse
import platform
import sys
import textwrap
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np

from turingdiff import data, denoising, morphogenesis
from turingdiff.comparison import check_folder, compare
from turingdiff.denoising.patch_sizes import PUBLISHED
from turingdiff.engine import BlowUpError, Run, simulate
from turingdiff.engine.compile import cache_folder
from turingdiff.measure import Dispersion, dispersion, spectrum, wavelength
from turingdiff.rule import Rule
from turingdiff.show import animate, dispersion_figure, kymograph, save_figure, save_frame
from turingdiff.systems import System

USER_ERROR = 2
INTERRUPTED = 130
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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status: 0, 2 for a user's mistake, 130 after Ctrl-C."""
    options = parser().parse_args(arguments)
    try:
        options.command(options)
    except (ValueError, TypeError, OSError, ImportError, BlowUpError) as error:
        print(f"turingdiff {options.name}: {error}", file=sys.stderr)
        return USER_ERROR
    except KeyboardInterrupt:
        print("interrupted; finished files are whole", file=sys.stderr)
        return INTERRUPTED
    return 0


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    root = argparse.ArgumentParser(
        prog="turingdiff",
        description="Turing patterns and local-score diffusion models on one engine.",
        epilog="example: turingdiff compare --out demo",
    )
    root.add_argument("--version", action="version", version=f"turingdiff {version('turingdiff')}")
    commands = root.add_subparsers(dest="name", required=True, metavar="COMMAND")

    one = _command(commands, "compare", run_compare, "grow a pattern and denoise images, side by side, measured",
                   "turingdiff compare --model gray_scott --machine ls --samples 4 --out demo")  # fmt: skip
    one.add_argument("--model", choices=MODELS, default="schnakenberg", help="Turing system (schnakenberg)")
    one.add_argument("--machine", choices=MACHINES, default="els", metavar="MACHINE", help="denoiser (els)")
    one.add_argument("--samples", type=int, default=4, help="replicas of each (4)")
    _add_model_options(one)
    _add_machine_options(one)
    _add_output(one)

    two = _command(commands, "grow", run_grow, "film and picture of one Turing system",
                   "turingdiff grow gray_scott --preset maze --size 256x256")  # fmt: skip
    two.add_argument("model", choices=MODELS, metavar="MODEL", help=f"one of {', '.join(MODELS)}")
    two.add_argument("--size", type=_size, default=(256, 256), metavar="HxW", help="cells (256x256)")
    two.add_argument("--boundary", choices=("periodic", "no_flux", "zero"), help="(the model's own, most: periodic)")
    two.add_argument("--t-end", type=float, metavar="T", help="end of the clock (depends on the model)")
    two.add_argument("--dispersion", action="store_true",
                     help="also draw which waves linear theory lets grow, on the torus, above the final "
                     "field's spectrum (with no_flux, under a Hann window)")  # fmt: skip
    _add_model_options(two)
    _add_output(two)

    three = _command(commands, "denoise", run_denoise, "film and picture of one machine, from noise to images",
                     "turingdiff denoise els --size 40x100 --patch 7 --limit 200")  # fmt: skip
    three.add_argument("machine", choices=MACHINES, metavar="MACHINE",
                       help=f"one of {', '.join(SHORT_NAMES)}, or its name in Python")  # fmt: skip
    three.add_argument("--samples", type=int, default=4, help="images (4)")
    three.add_argument("--size", type=_size, metavar="HxW", help="canvas (that of the training images)")
    three.add_argument("--boundary", choices=("zero", "periodic"), help="of machines of patches (zero)")
    three.add_argument("--steps", type=int, default=20, help="noise levels (20)")
    _add_machine_options(three)
    _add_output(three)

    _command(commands, "list", run_list, "models with presets, machines, patch schedules", "turingdiff list")
    _command(commands, "info", run_info, "versions, threads, cache folder, data found", "turingdiff info")
    return root


def run_compare(options: argparse.Namespace) -> None:
    """Film, figure and table of a Turing system and a machine."""
    model = MODELS[options.model](preset=options.preset, **dict(options.set))
    machine = _machine(options, options.machine, None)
    folder = check_folder(options.out)
    title = f"{machine.name} ({len(machine.images)} images)"
    rules: dict[str, Rule] = {f"Turing ({model.name})": model, title: machine}
    result = compare(rules, samples=options.samples, rng=options.seed, progress=sys.stderr.isatty())
    print(result.table)
    made = ", ".join(f"{name} in {column.seconds:.1f} s" for name, column in result.columns.items())
    print(f"made {made}")
    for path in result.save(folder):
        _print_file(path)


def run_grow(options: argparse.Namespace) -> None:
    """Film and picture of a Turing system."""
    rule = MODELS[options.model](preset=options.preset, boundary=options.boundary, **dict(options.set))
    times = rule.times(t_end=options.t_end)
    # Before the run: what has no dispersion relation is refused at once.
    curve = dispersion(rule.on_torus()) if options.dispersion else None
    run = _simulate_and_save(rule, rule.initial(options.size, rng=options.seed), times, options, options.model)
    if curve is not None:
        _save_dispersion(curve, run, rule, options)


def run_denoise(options: argparse.Namespace) -> None:
    """Film and picture of a machine."""
    machine = _machine(options, options.machine, options.boundary)
    start = machine.initial(options.size or machine.images.shape[2:], rng=options.seed, replicas=options.samples)
    _simulate_and_save(machine, start, machine.times(n=options.steps), options, options.machine)


def run_list(options: argparse.Namespace) -> None:
    """What there is."""
    print("models (turingdiff grow MODEL):")
    for name, model in MODELS.items():
        parameters = ", ".join(f"{key}={value:g}" for key, value in model().params.items())
        print(f"  {name}: {_first_line(model)}")
        print(_wrapped("parameters", parameters), _wrapped("presets", ", ".join(model.presets)), sep="\n")
    print("machines (turingdiff denoise MACHINE):")
    for name, machine in SHORT_NAMES.items():
        names = dict.fromkeys((name, machine.__name__))
        print(f"  {' or '.join(names)}: {_first_line(machine)}")
    print("patch schedules (--patch NAME, or an odd number):")
    print("\n".join(f"  {name}" for name in PUBLISHED))


def run_info(options: argparse.Namespace) -> None:
    """What this installation consists of."""
    import numba

    packages = ("numpy", "numba", "scipy", "matplotlib", "imageio", "pillow")
    full = data.find_fashion()
    print(f"turingdiff   {version('turingdiff')} in {Path(__file__).parent}")
    print(f"python       {platform.python_version()} on {platform.machine()}")
    print("packages     " + ", ".join(f"{name} {version(name)}" for name in packages))
    print(f"threads      {numba.get_num_threads()} (NUMBA_NUM_THREADS)")
    print(f"cache        {cache_folder()} (NUMBA_CACHE_DIR)")
    print("data         bundled: 2,000 Fashion-MNIST images")
    print(f"             full set: {full or 'not found (see turingdiff.data.fashion)'}")


def _command(
    commands: argparse._SubParsersAction, name: str, run: Callable[[argparse.Namespace], None], text: str, example: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text, description=text, epilog=f"example: {example}")
    command.set_defaults(command=run)
    return command


def _add_output(command: argparse.ArgumentParser) -> None:
    command.add_argument("--seed", type=int, default=0, help="the same seed gives the same files (0)")
    command.add_argument("--out", type=Path, default=Path("turingdiff-out"), metavar="DIR", help="(turingdiff-out)")


def _add_model_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--preset", help="named parameters of the model, see turingdiff list")
    command.add_argument(
        "--set",
        type=_setting,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter, dx, or Du",
    )


def _add_machine_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--data", type=Path, metavar="PATH", help=".npz, .npy, IDX, CIFAR or a folder of pictures")
    command.add_argument("--limit", type=int, default=DEFAULT_IMAGES, help=f"training images ({DEFAULT_IMAGES})")
    command.add_argument("--label", type=int, help="one kind of clothes, 0 to 9 (all of them)")
    command.add_argument("--patch", type=_patch, metavar="SIZE",
                         help=f"odd number, schedule, or {CALIBRATED!r}, for els and ls: by how well {HELD_OUT} other "
                         "images are denoised (a published schedule)")  # fmt: skip


def _machine(options: argparse.Namespace, name: str, boundary: str | None) -> denoising.Machine:
    if options.limit < 1:
        raise ValueError(f"--limit must be at least 1, got {options.limit}")
    images, others = np.split(_images(options, options.limit + HELD_OUT), [options.limit])
    given: dict[str, Any] = {
        key: value for key, value in (("patch", options.patch), ("boundary", boundary)) if value is not None
    }
    if given and MACHINES[name] not in {SHORT_NAMES[short] for short in WITH_PATCHES}:
        raise ValueError(f"{name} has no {' or '.join(given)} to choose; {', '.join(WITH_PATCHES)} have")
    if options.patch == CALIBRATED:
        given["patch"] = _calibrated(images, others, name, boundary or "zero")
    return MACHINES[name](images, **given)


def _calibrated(images: np.ndarray, others: np.ndarray, name: str, boundary: str) -> denoising.Calibration:
    if len(others) < HELD_OUT:
        raise ValueError(f"to calibrate, {HELD_OUT} images more than the {len(images)} of --limit are needed")
    sizes = denoising.calibrate(images, others, MACHINES[name], boundary=boundary)
    print(f"patch sizes, from the lowest noise up: {', '.join(map(str, sizes.sizes))}")
    return sizes


def _images(options: argparse.Namespace, limit: int) -> np.ndarray:
    """The first images of those that the options ask for."""
    if options.data is not None:
        if options.label is not None:
            raise ValueError("--label chooses among the bundled images: your own have no labels")
        return data.load(options.data, limit)
    images, labels = data.fashion()
    if options.label is not None:
        images = images[labels == options.label]
    if not len(images):
        raise ValueError(f"the bundled images have the labels 0 to {labels.max()}, got --label {options.label}")
    return images[:limit]


def _simulate_and_save(
    rule: Rule, start: np.ndarray, times: Sequence[float], options: argparse.Namespace, name: str
) -> Run:
    folder = check_folder(options.out)
    run = simulate(rule, start, times, progress=sys.stderr.isatty())
    _print_file(animate(run, folder / f"{name}.gif").path)
    if run.frames.ndim == 4 and run.final.shape[1] == 1:  # the picture of a line of cells is its history
        _print_file(save_figure(kymograph(run), folder / f"{name}.png"))
    else:
        _print_file(save_frame(run, folder / f"{name}.png"))
    return run


def _save_dispersion(curve: Dispersion, run: Run, rule: Rule, options: argparse.Namespace) -> None:
    """The curve above the spectrum of the final picture, and both wavelengths in a line."""
    picture = run.view(-1)
    window: Literal["hann"] | None = None if rule.neighbourhood.periodic else "hann"
    patterned = np.ptp(picture) > 1e-6 * np.abs(picture).max()
    measured = wavelength(picture, run.dx, window=window) if patterned else "none, the final field is uniform"
    predicted = f"{curve.wavelength:.4g}" if curve.unstable_band and curve.k_max else "none"
    print(f"wavelength predicted {predicted} ({curve.regime}), measured {measured}")
    figure = dispersion_figure(curve, spectrum(picture, run.dx, window=window))
    _print_file(save_figure(figure, options.out / f"{options.model}-dispersion.png"))


def _print_file(path: Path) -> None:
    print(f"{path}  ({path.stat().st_size / 1e6:.2f} MB)")


def _wrapped(title: str, text: str) -> str:
    return textwrap.fill(f"{title}: {text}", 100, initial_indent=" " * 6, subsequent_indent=" " * 10)


def _first_line(thing: object) -> str:
    return (thing.__doc__ or "").strip().partition("\n")[0]


def _size(text: str) -> tuple[int, int]:
    height, cross, width = text.partition("x")
    if not (cross and height.isdigit() and width.isdigit() and int(height) and int(width)):
        raise argparse.ArgumentTypeError(f"expected HEIGHTxWIDTH like 128x128, got {text!r}")
    return int(height), int(width)


def _setting(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected NAME=NUMBER like F=0.03, got {text!r}") from None


def _patch(text: str) -> int | str:
    return int(text) if text.lstrip("-").isdigit() else text
