"""What the scripts that write pages share: blocks between marks, and how a result was made."""

import shlex
import sys
import time
from importlib.metadata import version


def filled(text, name, lines):
    """The page with the block `name` replaced; marks are comments, which readers of the page do not see."""
    begin, end = f"<!-- {name}: written by scripts -->", f"<!-- end of {name} -->"
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"the page has no block {begin} ... {end}")
    return f"{before}{begin}\n{lines}\n{end}{after}"


def about(began):
    """Command, seconds since `began` (time.perf_counter) and versions."""
    return {
        "command": f"python {shlex.join(sys.argv)}",
        "seconds": round(time.perf_counter() - began),
        "versions": {package: version(package) for package in ("turingdiff", "numpy", "numba")},
    }
