"""The commands and their options."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from turingdiff.cli.commands import run_compare, run_denoise, run_grow, run_info, run_list, run_live
from turingdiff.cli.names import CALIBRATED, DEFAULT_IMAGES, HELD_OUT, MACHINES, MODELS, SHORT_NAMES
from turingdiff.cli.networks import DEFAULT_SEEDS, run_train
from turingdiff.cli.user_files import OrInFile
from turingdiff.engine.suggestions import unknown
from turingdiff.network._network import SHIPPED
from turingdiff.network._weights import PADDINGS

IN_FILE = "FILE.py:NAME, one of your own"
IMAGES = ".npz, .npy, IDX, CIFAR or a folder of pictures"


class _Parser(argparse.ArgumentParser):
    """A parser that answers an unknown name with the nearest known one."""

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            what = str(action.metavar or action.dest).lower()
            raise argparse.ArgumentError(action, unknown(what, str(value), map(str, action.choices)))


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    root = _Parser(
        prog="turingdiff",
        description="Turing patterns and local-score diffusion models on one engine.",
        epilog="example: turingdiff compare --out demo",
    )
    root.add_argument("--version", action="version", version=f"turingdiff {version('turingdiff')}")
    commands = root.add_subparsers(dest="name", required=True, metavar="COMMAND")

    one = _command(commands, "compare", run_compare, "grow a pattern and denoise images, side by side, measured",
                   "turingdiff compare --model gray_scott --machine ls --samples 4 --out demo")  # fmt: skip
    one.add_argument("--model", choices=OrInFile(MODELS), metavar="MODEL", help="Turing system (schnakenberg)")
    one.add_argument("--machine", choices=OrInFile(MACHINES), metavar="MACHINE", help="denoiser (els)")
    one.add_argument("--network", metavar="NAME", help=f"instead: what machines predict of a trained network, from the "
                     f"same noise; {', '.join(SHIPPED)}, or the file of one")  # fmt: skip
    one.add_argument("--seeds", type=int, metavar="N", help=f"with --network: how many noises ({DEFAULT_SEEDS})")
    one.add_argument("--samples", type=int, default=4, help="replicas of each; with --network, how many are shown (4)")
    _add_model_options(one)
    _add_machine_options(one)
    _add_output(one)

    two = _command(commands, "grow", run_grow, "film and picture of one Turing system",
                   "turingdiff grow gray_scott --preset maze --size 256x256")  # fmt: skip
    two.add_argument(
        "model", choices=OrInFile(MODELS), metavar="MODEL", help=f"one of {', '.join(MODELS)}; or {IN_FILE}"
    )
    two.add_argument("--size", type=_size, metavar="HxW", help="cells (256x256, or those of the mask)")
    two.add_argument("--boundary", choices=("periodic", "no_flux", "zero"), help="(the model's own, most: periodic)")
    two.add_argument("--mask", type=Path, metavar="PICTURE", help="grow on the dark places of a picture only")
    two.add_argument("--map", type=_map, action="append", default=[], metavar="NAME=PICTURE:LOW:HIGH",
                     help="a parameter as a map: LOW where the picture is black, HIGH where it is white")  # fmt: skip
    two.add_argument("--grow", type=float, metavar="RATE", help="the domain stretches as exp(RATE t) along each axis")
    two.add_argument("--t-end", type=float, metavar="T", help="end of the clock (depends on the model)")
    _add_frames(two)
    two.add_argument("--dispersion", action="store_true",
                     help="also draw which waves linear theory lets grow, on the torus, above the final "
                     "field's spectrum (with no_flux, under a Hann window)")  # fmt: skip
    _add_model_options(two)
    _add_output(two)

    three = _command(commands, "denoise", run_denoise, "film and picture of one machine, from noise to images",
                     "turingdiff denoise els --size 40x100 --patch 7 --limit 200")  # fmt: skip
    three.add_argument("machine", metavar="MACHINE", help=f"one of {', '.join(SHORT_NAMES)}, or its name in Python; or "
                       f"a trained network: {', '.join(SHIPPED)}, or the file of one; or {IN_FILE}")  # fmt: skip
    three.add_argument("--samples", type=int, default=4, help="images (4)")
    three.add_argument("--size", type=_size, metavar="HxW", help="canvas (that of the training images)")
    three.add_argument("--boundary", choices=("zero", "periodic"), help="of machines of patches (zero)")
    three.add_argument("--steps", type=int, default=20, help="noise levels (20)")
    _add_frames(three)
    _add_machine_options(three)
    _add_output(three)

    four = _command(commands, "train", run_train, "train the paper's minimal network; needs PyTorch, the extra train",
                    "turingdiff train --padding circular --out mine.npz")  # fmt: skip
    four.add_argument("--data", type=Path, metavar="PATH", help=IMAGES)
    four.add_argument("--full", action="store_true", help="the full Fashion-MNIST (the bundled 2,000 images)")
    four.add_argument("--limit", type=int, help="training images (all)")
    four.add_argument("--label", type=int, help="one kind of clothes, 0 to 9 (all of them)")
    four.add_argument("--classes", action="store_true", help="tell the network the kind of clothes")
    four.add_argument("--padding", choices=PADDINGS, default="zeros", help="of every layer (zeros)")
    four.add_argument("--width", type=int, default=64, help="channels (64)")
    four.add_argument("--layers", type=int, default=6, help="residual convolutions (6)")
    four.add_argument("--steps", type=int, default=10_000, help="(10,000)")
    four.add_argument("--batch", type=int, default=32, help="images a step (32)")
    four.add_argument("--rate", type=float, default=1e-3, help="step size of AdamW (0.001)")
    four.add_argument("--save-every", type=int, default=500, metavar="N", help="steps between checkpoints (500)")
    four.add_argument("--resume", action="store_true", help="go on from the checkpoint beside --out")
    four.add_argument("--seed", type=int, default=0, help="the same seed gives the same weights (0)")
    four.add_argument("--out", type=Path, default=Path("network.npz"), metavar="FILE", help="(network.npz)")

    five = _command(commands, "live", run_live, "a page on which rules run and are touched",
                    "turingdiff live gray_scott els --port 8000")  # fmt: skip
    five.add_argument("rules", nargs="*", metavar="MODEL|MACHINE|FILE", help="systems, machines, networks, or saved "
                      "sessions, side by side (gray_scott)")  # fmt: skip
    five.add_argument("--port", type=int, default=0, help="of the address 127.0.0.1 (a free one)")
    five.add_argument("--no-browser", action="store_true", help="only print the address")
    five.add_argument("--size", type=_size, metavar="HxW", help="cells (256x256; of machines: the training images)")
    five.add_argument("--seed", type=int, default=0, help="of the initial state (0)")
    _add_model_options(five)
    _add_machine_options(five)

    _command(commands, "list", run_list, "models with presets, machines, patch schedules", "turingdiff list")
    six = _command(commands, "info", run_info, "versions, threads, kernel cache, data found", "turingdiff info")
    six.add_argument("--clear-cache", action="store_true", help="first remove all compiled kernels from disk")
    return root


def _command(
    commands: argparse._SubParsersAction, name: str, run: Callable[[argparse.Namespace], None], text: str, example: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text, description=text, epilog=f"example: {example}")
    command.set_defaults(command=run)
    return command


def _add_frames(command: argparse.ArgumentParser) -> None:
    command.add_argument("--frames", type=int, metavar="N",
                         help="about how many frames the film has (200, or what fits in memory)")  # fmt: skip


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
    command.add_argument("--data", type=Path, metavar="PATH", help=IMAGES)
    command.add_argument("--limit", type=int, help=f"training images ({DEFAULT_IMAGES}; those of the network)")
    command.add_argument("--label", type=int, help="one kind of clothes, 0 to 9 (all of them)")
    command.add_argument("--patch", type=_patch, metavar="SIZE",
                         help=f"odd number, schedule, or {CALIBRATED!r}, for els and ls: by how well {HELD_OUT} other "
                         "images are denoised (a published schedule)")  # fmt: skip


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


def _map(text: str) -> tuple[str, Path, float, float]:
    name, _, rest = text.partition("=")
    path, low, high = (rest.rsplit(":", 2) + ["", ""])[:3]
    try:
        return name, Path(path), float(low), float(high)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"expected NAME=PICTURE:LOW:HIGH like F=ramp.png:0.02:0.06, got {text!r}"
        ) from None


def _patch(text: str) -> int | str:
    return int(text) if text.lstrip("-").isdigit() else text
