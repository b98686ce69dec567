"""What the commands do: compare, grow, denoise, live, list, info."""

from __future__ import annotations

import argparse
import platform
import sys
import textwrap
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import numpy as np

from turingdiff import data
from turingdiff.cli.names import MODELS, SHORT_NAMES, denoiser_named, machine_named, print_file, session_named
from turingdiff.cli.networks import compare_with_network
from turingdiff.comparison import check_folder, compare
from turingdiff.denoising._patch_sizes import SCHEDULES
from turingdiff.engine import Run, simulate
from turingdiff.engine.compile import cache_folder
from turingdiff.engine.rule import Rule
from turingdiff.measure import Dispersion, dispersion, spectrum, wavelength
from turingdiff.network._network import SHIPPED
from turingdiff.show import animate, dispersion_figure, kymograph, save_figure, save_frame


def run_compare(options: argparse.Namespace) -> None:
    """Film, figure, table and page of a Turing system and a machine; or a network, and the machines that predict it."""
    if options.network is not None:
        compare_with_network(options)
        return
    if options.seeds is not None:
        raise ValueError("--seeds is for --network; --samples sets the number of replicas")
    model = MODELS[options.model or "schnakenberg"](preset=options.preset, **dict(options.set))
    machine = machine_named(options.machine or "els", options, None)
    folder = check_folder(options.out)
    title = f"{machine.name} ({len(machine.images)} images)"
    rules: dict[str, Rule] = {f"Turing ({model.name})": model, title: machine}
    result = compare(rules, samples=options.samples, rng=options.seed, progress=sys.stderr.isatty())
    print(result.table)
    made = ", ".join(f"{name} in {column.seconds:.1f} s" for name, column in result.columns.items())
    print(f"made {made}")
    for path in result.save(folder, command=options.command_line):
        print_file(path)


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
    machine = denoiser_named(options.machine, options, options.boundary)
    start = machine.initial(options.size or machine.canvas, rng=options.seed, replicas=options.samples)
    _simulate_and_save(machine, start, machine.times(n=options.steps), options, Path(options.machine).stem)


def run_live(options: argparse.Namespace) -> None:
    """A page on which rules run and are touched."""
    from turingdiff.live.server import serve

    serve([session_named(name, options) for name in options.rules or ["gray_scott"]], options.port,
          browser=not options.no_browser)  # fmt: skip


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
    print(f"trained networks (turingdiff denoise, turingdiff compare --network): {', '.join(SHIPPED)}")
    print("patch schedules (--patch NAME, or an odd number):")
    print("\n".join(f"  {name}" for name in SCHEDULES))


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


def _simulate_and_save(
    rule: Rule, start: np.ndarray, times: Sequence[float], options: argparse.Namespace, name: str
) -> Run:
    folder = check_folder(options.out)
    run = simulate(rule, start, times, progress=sys.stderr.isatty())
    print_file(animate(run, folder / f"{name}.gif").path)
    if run.frames.ndim == 4 and run.final.shape[1] == 1:  # the picture of a line of cells is its history
        print_file(save_figure(kymograph(run), folder / f"{name}.png"))
    else:
        print_file(save_frame(run, folder / f"{name}.png"))
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
    print_file(save_figure(figure, options.out / f"{options.model}-dispersion.png"))


def _wrapped(title: str, text: str) -> str:
    return textwrap.fill(f"{title}: {text}", 100, initial_indent=" " * 6, subsequent_indent=" " * 10)


def _first_line(thing: object) -> str:
    return (thing.__doc__ or "").strip().partition("\n")[0]
