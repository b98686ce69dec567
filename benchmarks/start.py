"""How long a user waits: for `import turingdiff`, and for the first result of a rule that was never run before.

    python benchmarks/start.py [--repeats 7]

- import: seconds of `import turingdiff` less those of `import numba`, each in a fresh process (target <= 0.15).
- first result: a script defines its own rule and takes 20 steps twice; the first run less the second is what
  compiling or loading costs. Cold: with an empty kernel cache (target <= 2). Next: in the next process (target <=
  0.2). Edited: after a change to the rule, the rest of the cache being there.
- compare: the whole command with its defaults and an empty kernel cache (target <= 90 s, with its page).

Floor: no flops and few bytes: Numba's own start. What the first call of any cached ``njit`` function costs in a
fresh process, one line of code, is printed beside ours: Numba sets up its types and looks for BLAS once a process.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from statistics import median

IMPORT = "import time; begin = time.perf_counter(); import {}; print(time.perf_counter() - begin)"
SCRIPT = """
import sys, time
import numpy as np
import turingdiff as td

@td.reaction(species="uv")
def fitzhugh(u, v, slow=0.1):
    return GAIN * u - u * u * u - v, slow * (u - v)

fitzhugh.diffusion = (0.05, 1.0)

def run(size):
    rule = fitzhugh(dx=1.0, boundary="no_flux")
    field = np.random.default_rng(0).normal(scale=0.1, size=(2, size, size))
    begin = time.perf_counter()
    for _ in td.evolve(rule, field, td.uniform(0, 2, 0.1), every=20):
        pass
    return time.perf_counter() - begin

size = int(sys.argv[1])
first = run(size)
print(first - run(size))
"""


NUMBA_SCRIPT = """
import time
import numba

@numba.njit(cache=True)
def add(a, b):
    return a + b

def run():
    begin = time.perf_counter()
    add(1.0, 2.0)
    return time.perf_counter() - begin

print(run() - run())
"""


def seconds(*command, **environment):
    """Run Python in a fresh process and read the seconds that it prints."""
    command = [sys.executable, *map(str, command)]
    # With bytecode, as an installation has it: without, every process would compile our sources, and not Numba's.
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return float(subprocess.run(command, env=inherited | environment, check=True, stdout=subprocess.PIPE).stdout)


def import_time(repeats):
    seconds("-c", IMPORT.format("turingdiff"))  # writes the bytecode
    pairs = [[seconds("-c", IMPORT.format(name)) for name in ("turingdiff", "numba")] for _ in range(repeats)]
    ours, numba = (median(column) for column in zip(*pairs, strict=True))
    more = median(a - b for a, b in pairs)
    print(
        f"import: turingdiff {ours:.3f} s, numba {numba:.3f} s, difference {more:+.3f} s (target <= 0.15)", flush=True
    )


def first_result(size, repeats):
    laps = []
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            script, plain, cache = (Path(folder) / name for name in ("own_rule.py", "plain_numba.py", "cache"))
            in_process = partial(seconds, NUMBA_CACHE_DIR=str(cache))
            script.write_text(SCRIPT.replace("GAIN", "1.0"))
            cold, following = in_process(script, size), in_process(script, size)
            script.write_text(SCRIPT.replace("GAIN", "1.1"))
            edited = in_process(script, size)
            plain.write_text(NUMBA_SCRIPT)
            in_process(plain)
            laps.append([cold, following, edited, in_process(plain)])
    cold, following, edited, floor = (median(column) for column in zip(*laps, strict=True))
    print(
        f"first call less second, {size:3}²: cold {cold:.2f} s, edited {edited:.2f} s, next process {following:.3f} s "
        f"(targets <= 2 and 0.2; Numba alone {floor:.3f} s)",
        flush=True,
    )


def compare():
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "turingdiff", "compare", "--out", str(Path(folder) / "out")]
        cold = os.environ | {"NUMBA_CACHE_DIR": str(Path(folder) / "cache")}
        begin = time.perf_counter()
        subprocess.run(command, env=cold, check=True, stdout=subprocess.DEVNULL)
        print(f"turingdiff compare, cold: {time.perf_counter() - begin:.1f} s (target <= 90)", flush=True)


def main(repeats):
    print("python " + " ".join(sys.argv), flush=True)
    import_time(repeats)
    for size in (64, 512):
        first_result(size, repeats)
    compare()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--repeats", type=int, default=7)
    main(parser.parse_args().repeats)
