"""Change the package in small ways, one at a time, and see whether the quick tests notice: mutation testing.

    python -m pip install -e ".[dev,mutants]"
    nice python scripts/mutants.py --sample 60 --out mutants.json      (one to three hours on two quiet cores)

A mutant is the package with one operator, comparison, number, decorator, condition or loop changed, by the operators
of Cosmic Ray; the tests kill it if one of them fails. Places of change are drawn at random with a fixed seed, evenly
over all lines that can change, and at each place one change. A change is written to a copy of the repository, so it
reaches compiled code too: the name of a cached kernel follows from the source. The test files run in an order, first
those that name most of what the changed module defines, and a mutant ends at the first failure; one that survives has
passed the whole quick suite. A mutant that runs past the limit counts as killed.
"""

import argparse
import ast
import difflib
import itertools
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

ROOT = Path(__file__).parent.parent
FOLDERS = ("engine", "patches", "denoising", "measure")
# Bit operations on floating-point numbers and `is` between numbers fail at once: they say nothing about the tests.
TRIVIAL = re.compile(r"(Add|Sub|Mul|Div|FloorDiv|Mod|Pow)_(Bit\w+|[LR]Shift)$|(Eq|[LG]tE?)_Is|Is(Not)?_[LG]t|_Invert$")


def operators():
    """The changes of Cosmic Ray that need no arguments, and can survive."""
    chosen = {name: get_operator(name) for name in sorted(operator_names()) if not TRIVIAL.search(name)}
    return {name: operator() for name, operator in chosen.items() if not operator.arguments()}


def outside_of_the_code(source):
    """The spans of annotations and of what only type checkers read."""
    spans = []
    for node in ast.walk(ast.parse(source)):
        parts = [getattr(node, "annotation", None), getattr(node, "returns", None)]
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            parts.append(node)
        spans += [
            ((part.lineno, part.col_offset), (part.end_lineno, part.end_col_offset))
            for part in parts
            if isinstance(part, ast.AST)
        ]
    return spans


def changes(path):
    """Every change of a file by its place: {(line, column): [(operator, occurrence), ...]}."""
    source = path.read_text(encoding="utf-8")
    tree, outside = get_ast(source), outside_of_the_code(source)
    places = {}
    for name, operator in operators().items():
        positions = (start for node in ast_nodes(tree) for start, _ in operator.mutation_positions(node))
        for occurrence, start in enumerate(positions):
            if not any(first <= start < last for first, last in outside):
                places.setdefault(start, []).append((name, occurrence))
    return places


def sample(count, seed, only):
    """`count` changes, each a file, a place and an operator."""
    rng = random.Random(seed)
    files = [path for folder in FOLDERS for path in sorted((ROOT / "turingdiff" / folder).rglob("*.py"))]
    files = [path for path in files if re.search(only, path.relative_to(ROOT).as_posix())]
    places = [(path, place, options) for path in files for place, options in sorted(changes(path).items())]
    rng.shuffle(places)
    chosen = itertools.islice(_valid(places, rng), count)
    print(f"{count} of {len(places)} places in {len(files)} files, seed {seed}", flush=True)
    return list(chosen)


def _valid(places, rng):
    """One change at each place, where the changed file is Python (a ``*`` between arguments is no product)."""
    for path, place, options in places:
        name, occurrence = rng.choice(options)
        try:
            ast.parse(mutate_code(path.read_text(encoding="utf-8"), operators()[name], occurrence))
        except SyntaxError:
            continue
        yield path.relative_to(ROOT), place, name, occurrence


def test_files(pattern):
    return [test for test in sorted((ROOT / "tests").glob("test_*.py")) if re.search(pattern, test.name)]


def tests_in_order(path, tests):
    """The test files, first those that name most of what `path` defines, the shorter first where that is equal."""
    defined = {getattr(node, "name", "") for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8")))}
    words = {name for name in defined | {path.stem.lstrip("_")} if len(name) > 3}

    def relevance(test):
        counts = Counter(re.findall(r"\w+", test.read_text(encoding="utf-8")))
        return -sum(counts[word] for word in words) / (1 + sum(counts.values())), test.stat().st_size

    return [str(test.relative_to(ROOT)) for test in sorted(tests, key=relevance)]


def copy_of_the_repository(folder):
    """The tracked files as they are now."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


def run_tests(copy, cache, tests, limit):
    """What became of a mutant, the test that killed it, and the seconds that it took."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(copy),
        "PYTHONDONTWRITEBYTECODE": "1",
        "NUMBA_CACHE_DIR": str(cache),
        "OMP_WAIT_POLICY": "PASSIVE",
    }
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-m", "not slow"]
    began = time.monotonic()
    process = subprocess.Popen(
        [*command, *tests],
        cwd=copy,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return "killed", "the time limit", limit
    first = re.search(r"^(?:FAILED|ERROR) (\S+)", output, re.MULTILINE)
    by = first[1] if first else f"exit status {process.returncode}"
    seconds = round(time.monotonic() - began)
    return ("survived", "", seconds) if process.returncode == 0 else ("killed", by, seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sample", type=int, default=60, help="number of mutants (60)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", metavar="PATTERN", help="only files whose path matches")
    parser.add_argument("--tests", default="", metavar="PATTERN", help="only test files whose name matches")
    parser.add_argument("--skip", type=int, default=0, help="leave out the first of the sample: to go on")
    parser.add_argument("--limit", type=float, default=1200, help="seconds a mutant may take (1200)")
    parser.add_argument("--out", type=Path, default=Path("mutants.json"))
    options = parser.parse_args()

    results, tests = [], test_files(options.tests)
    with tempfile.TemporaryDirectory() as folder:
        copy, cache = copy_of_the_repository(Path(folder) / "copy"), Path(folder) / "cache"
        outcome, by, seconds = run_tests(copy, cache, [str(test.relative_to(ROOT)) for test in tests], options.limit)
        if outcome != "survived":
            sys.exit(f"the unchanged package fails its tests: {by}")
        print(f"unchanged: the tests pass in {seconds} s, and the kernels are compiled", flush=True)
        drawn = sample(options.sample, options.seed, options.only)
        for number, (path, place, operator, occurrence) in enumerate(drawn[options.skip :], options.skip):
            file = copy / path
            source, times = file.read_text(encoding="utf-8"), file.stat()
            changed = mutate_code(source, operators()[operator], occurrence)
            file.write_text(changed, encoding="utf-8")
            outcome, by, seconds = run_tests(copy, cache, tests_in_order(path, tests), options.limit)
            file.write_text(source, encoding="utf-8")
            os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))  # kernels cached before are good again
            lines = difflib.unified_diff(source.splitlines(), changed.splitlines(), n=0, lineterm="")
            diff = [line for line in lines if not line.startswith(("---", "+++", "@@"))]
            name = f"{path}:{place[0]}"
            results.append({"at": name, "operator": operator, "diff": diff, "outcome": outcome, "by": by, "s": seconds})
            print(f"{number} {name} {operator} {outcome} {by} ({seconds} s)", *diff, sep="\n    ", flush=True)
            options.out.write_text(json.dumps({"seed": options.seed, "mutants": results}, indent=1) + "\n")

    print()
    for folder in FOLDERS:
        here = [one["outcome"] for one in results if one["at"].startswith(f"turingdiff/{folder}/")]
        print(f"{folder}: {here.count('killed')} of {len(here)} killed")
    killed = sum(one["outcome"] == "killed" for one in results)
    print(f"all: {killed} of {len(results)} killed, {killed / max(1, len(results)):.0%}")


if __name__ == "__main__":
    main()
