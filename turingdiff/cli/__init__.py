"""The command line: compare, grow, denoise, live, train, list, info."""

from __future__ import annotations

import io
import os
import shlex
import sys
import warnings
from collections.abc import Sequence
from typing import Any

from turingdiff.cli.arguments import parser
from turingdiff.engine import BlowUpError

USER_ERROR = 2
INTERRUPTED = 130
CLOSED_PIPE = 141  # 128 + SIGPIPE, as any other command whose reader has gone


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status.

    It is 0, 2 for a user's mistake, 130 after Ctrl-C, 141 where the reader of the output has gone (as of ``| head``).
    Results are saved before they are printed, and a character that the terminal does not have is printed as "?".
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    options = parser().parse_args(arguments)
    options.command_line = shlex.join(["turingdiff", *(sys.argv[1:] if arguments is None else arguments)])

    def say(message: Warning | str, *_: Any) -> None:
        print(f"turingdiff {options.name}: {message}", file=sys.stderr)

    try:
        with warnings.catch_warnings():
            warnings.showwarning = say  # type: ignore[assignment]
            options.command(options)
        sys.stdout.flush()
    except BrokenPipeError:
        return CLOSED_PIPE
    except MemoryError as error:
        less = [f"--{name}" for name in ("size", "frames", "samples", "limit", "batch") if hasattr(options, name)]
        say(f"{str(error) or 'out of memory'}; ask for less with {' or '.join(less)}")
        return USER_ERROR
    except (ValueError, TypeError, OSError, ImportError, BlowUpError) as error:
        say(str(error))
        return USER_ERROR
    except KeyboardInterrupt:
        print("interrupted; finished files are whole", file=sys.stderr)
        return INTERRUPTED
    finally:
        _drop_what_cannot_be_written()
    return 0


def _drop_what_cannot_be_written() -> None:
    """Point stdout to nowhere if it refuses what is left, or the interpreter would complain of it at its end."""
    try:
        sys.stdout.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
