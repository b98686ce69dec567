"""What the commands do: compare, grow, denoise, live, list, info."""

from __future__ import annotations

import argparse
import platform
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import numpy as np

from turingdiff import data
from turingdiff.cli.names import (
    DEFAULT_SIZE,
    MODELS,
    SHORT_NAMES,
    at_least_1,
    denoiser_named,
    print_files,
    session_named,
    system_named,
)
from turingdiff.cli.networks import compare_with_network
from turingdiff.cli.user_files import plain_title
from turingdiff.comparison import check_folder, compare
from turingdiff.denoising._noise_prediction import as_denoiser
from turingdiff.denoising._patch_sizes import SCHEDULES
from turingdiff.engine import Run, simulate
from turingdiff.engine.compile import cache_folders
from turingdiff.engine.evolution import evolution_of
from turingdiff.engine.kernel_cache import cache_size, clear_cache
from turingdiff.engine.rule import Rule
from turingdiff.engine.runs import frames_every, record
from turingdiff.engine.steppers import stepper_of
from turingdiff.engine.times import rounded_down, uniform
from turingdiff.measure import Dispersion, dispersion, patterned, spectrum, wavelength
from turingdiff.morphogenesis._system import SAFETY
from turingdiff.network._network import SHIPPED
from turingdiff.show import animate, dispersion_figure, kymograph, save_figure, save_frame


def run_compare(options: argparse.Namespace) -> None:
    """Film, figure, table and page of a Turing system and a machine; or a network, and the machines that predict it."""
    if options.network is not None:
        compare_with_network(options)
        return
    if options.seeds is not None:
        raise ValueError("--seeds is for --network; --samples sets the number of replicas")
    at_least_1("--samples", options.samples)
    model = system_named(options.model or "schnakenberg", options)
    machine = denoiser_named(options.machine or "els", options, None)
    folder = check_folder(options.out)
    images = getattr(machine, "images", None)
    title = machine.name if images is None else f"{machine.name} ({len(images)} images)"
    rules: dict[str, Rule] = {f"Turing ({model.name})": model, title: machine}
    result = compare(rules, samples=options.samples, rng=options.seed, progress=sys.stderr.isatty())
    paths: list[Path] = []
    try:
        paths = result.save(folder, command=options.command_line)
    finally:  # what was computed is shown even where it cannot be saved
        print(result.table)
        print("made " + ", ".join(f"{name} in {column.seconds:.1f} s" for name, column in result.columns.items()))
        print_files(paths)


def run_grow(options: argparse.Namespace) -> None:
    """Film and picture of a Turing system."""
    rule = system_named(options.model, options)
    mask = rule.neighbourhood.mask
    start = rule.initial(options.size or (DEFAULT_SIZE if mask is None else mask.shape), rng=options.seed)
    times = _times(rule, start, options.t_end)
    # Before the run: what has no dispersion relation is refused at once.
    curve = dispersion(rule.on_torus()) if options.dispersion else None
    run, paths = _simulate_and_save(rule, start, times, options, plain_title(options.model))
    if curve is not None:
        paths.append(_save_dispersion(curve, run, rule, options))
        print(_wavelengths(curve, run, rule))
    print_files(paths)


def run_denoise(options: argparse.Namespace) -> None:
    """Film and picture of a machine."""
    for option in ("samples", "steps"):
        at_least_1(f"--{option}", getattr(options, option))
    machine = as_denoiser(denoiser_named(options.machine, options, options.boundary), options.size)
    start = machine.initial(options.size or machine.canvas, rng=options.seed, replicas=options.samples)
    times = machine.times(n=options.steps)
    print_files(_simulate_and_save(machine, start, times, options, plain_title(options.machine))[1])


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

    if options.clear_cache:
        clear_cache(cache_folders())
    packages = ("numpy", "numba", "scipy", "matplotlib", "imageio", "pillow")
    full = data.find_fashion()
    print(f"turingdiff   {version('turingdiff')} in {Path(__file__).parent}")
    print(f"python       {platform.python_version()} on {platform.machine()}")
    print("packages     " + ", ".join(f"{name} {version(name)}" for name in packages))
    print(f"threads      {numba.get_num_threads()} (NUMBA_NUM_THREADS)")
    kept = ", ".join(map(str, cache_folders())) or "none: NUMBA_DISABLE_JIT is set"
    size = cache_size(cache_folders()) / 1e6
    print(f"cache        {size:.1f} MB of compiled kernels in {kept} (NUMBA_CACHE_DIR; --clear-cache removes them)")
    print("data         bundled: 2,000 Fashion-MNIST images")
    print(f"             full set: {full or 'not found (see turingdiff.data.fashion)'}")


def _times(rule: Rule, start: np.ndarray, t_end: float | None) -> Sequence[float]:
    """The rule's own times; for one without, 0 to `t_end` with the largest stable step times 0.9."""
    if rule.grid is not None:
        return rule.times() if t_end is None else rule.times(t_end=t_end)
    if t_end is None:
        raise ValueError(f"{rule.name} has no times of its own: give --t-end")
    return uniform(0.0, t_end, rounded_down(SAFETY * rule.stable_dt(start), 2))


def _simulate_and_save(
    rule: Rule, start: np.ndarray, times: Sequence[float], options: argparse.Namespace, name: str
) -> tuple[Run, list[Path]]:
    folder = check_folder(options.out)
    run = _film_of(rule, start, times, options.frames, options.seed)
    film = animate(run, folder / f"{name}.gif").path
    if run.frames.ndim == 4 and run.final.shape[1] == 1:  # the picture of a line of cells is its history
        return run, [film, save_figure(kymograph(run), folder / f"{name}.png")]
    return run, [film, save_frame(run, folder / f"{name}.png")]


def _film_of(rule: Rule, start: np.ndarray, times: Sequence[float], frames: int | None, seed: int) -> Run:
    """The run in the species that its film shows: the others would take as much memory again."""
    stepper = stepper_of(rule)
    if rule.shown is None:
        return simulate(rule, start, times, stepper=stepper, rng=seed, frames=frames, progress=sys.stderr.isatty())
    shown = np.s_[..., rule.shown : rule.shown + 1, :, :]
    steps = len(times) - 1
    every = frames_every(steps, start[shown], frames, None)
    states = evolution_of(rule, start, times, stepper=stepper, rng=seed, every=every)
    evolution = ((t, field[shown], mask) for t, field, mask in states)
    run = record(rule, start[shown], evolution, -(-steps // every) + 1, sys.stderr.isatty())
    return replace(run, channels=(rule.channels[rule.shown],), shown=0)


def _save_dispersion(curve: Dispersion, run: Run, rule: Rule, options: argparse.Namespace) -> Path:
    """The curve above the spectrum of the final picture."""
    figure = dispersion_figure(curve, spectrum(run.view(-1), run.dx, window=_window(rule)))
    return save_figure(figure, options.out / f"{plain_title(options.model)}-dispersion.png")


def _wavelengths(curve: Dispersion, run: Run, rule: Rule) -> str:
    picture = run.view(-1)
    shows = patterned(picture, [run.view(k) for k in range(len(run.times))])
    measured = wavelength(picture, run.dx, window=_window(rule)) if shows else "none, the final field is uniform"
    predicted = f"{curve.wavelength:.4g}" if curve.unstable_band and curve.k_max else "none"
    return f"wavelength predicted {predicted} ({curve.regime}), measured {measured}"


def _window(rule: Rule) -> Literal["hann"] | None:
    return None if rule.neighbourhood.periodic else "hann"


def _wrapped(title: str, text: str) -> str:
    return textwrap.fill(f"{title}: {text}", 100, initial_indent=" " * 6, subsequent_indent=" " * 10)


def _first_line(thing: object) -> str:
    return (thing.__doc__ or "").strip().partition("\n")[0]
