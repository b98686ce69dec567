"""The command line: compare, grow, denoise, live, train, list, info."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence

from turingdiff.cli.arguments import parser
from turingdiff.engine import BlowUpError

USER_ERROR = 2
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status: 0, 2 for a user's mistake, 130 after Ctrl-C."""
    options = parser().parse_args(arguments)
    options.command_line = shlex.join(["turingdiff", *(sys.argv[1:] if arguments is None else arguments)])
    try:
        options.command(options)
    except (ValueError, TypeError, OSError, ImportError, BlowUpError) as error:
        print(f"turingdiff {options.name}: {error}", file=sys.stderr)
        return USER_ERROR
    except KeyboardInterrupt:
        print("interrupted; finished files are whole", file=sys.stderr)
        return INTERRUPTED
    return 0
