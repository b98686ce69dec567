"""FILE.py:NAME on the command line, and machines that the command line finds by themselves."""

import os
import subprocess
import sys

import numpy as np
import pytest

import turingdiff as td
from turingdiff.cli import main, names
from turingdiff.cli.user_files import read

pytestmark = pytest.mark.compiled

FILE = """
import numpy as np
import turingdiff as td
from beside import HALF


@td.reaction(species="uv")
def mine(u, v, a=0.1, b=0.9):
    return a - u + u * u * v, b - u * u * v


mine.diffusion = (1.0, 10.0)
mine.steady_state = lambda a, b: (a + b, b / (a + b) ** 2)
made = mine(dx=0.5)


def life(phi, i, j, t, p, g, out):
    out[0, i, j] = HALF * (phi[0, i, j - 1] - phi[0, i, j])


def start(rule, shape, rng):
    return rng.standard_normal((1, *shape))


drift = td.Rule(life, (), ["u"], td.Neighbourhood(1), start=start)


class Shrink(td.denoising.Denoiser):
    def posterior(self, fields, sigma):
        return fields / (1 + sigma**2)


def shrink_cell(phi, i, j, t, p, g, out):
    out[0, i, j] = phi[0, i, j] * t / (1 + t * t)


bare = td.Rule(shrink_cell, (), ["grey"], td.Neighbourhood(0), clock="sigma")


def factory(images, patch=3):
    return td.denoising.equivariant_local(images, patch=patch)


def nothing():
    return 3


number = 3
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    (folder / "beside.py").write_text("HALF = 0.5\n")
    (folder / "mine.py").write_text(FILE)
    return folder / "mine.py"


def run(*arguments):
    return main([str(argument) for argument in arguments])


@pytest.mark.parametrize(
    ("name", "options"),
    [("mine", ("--set", "a=0.2", "--t-end", 0.2)), ("made", ("--t-end", 0.2)), ("drift", ("--t-end", 1))],
)
def test_grow_takes_a_system_or_a_rule_of_a_file(file, name, options, tmp_path):
    assert run("grow", f"{file}:{name}", "--size", "12x12", *options, "--out", tmp_path) == 0
    assert sorted(os.listdir(tmp_path)) == [f"{name}.gif", f"{name}.png"]


@pytest.mark.parametrize(
    ("name", "options"),
    [("Shrink", ("--size", "9x9")), ("bare", ("--size", "9x9")), ("factory", ("--limit", 3, "--patch", 5))],
)
def test_denoise_takes_a_machine_a_rule_or_a_function_of_a_file(file, name, options, tmp_path):
    assert run("denoise", f"{file}:{name}", "--steps", 2, "--samples", 1, *options, "--out", tmp_path) == 0
    assert sorted(os.listdir(tmp_path)) == [f"{name}.gif", f"{name}.png"]


def test_compare_takes_both_from_a_file(file, tmp_path, monkeypatch):
    monkeypatch.setattr("turingdiff.comparison.side_by_side.TURING_SHAPE", (12, 12))
    (file.parent / "short.py").write_text(
        "import turingdiff as td\ndef model(): return td.morphogenesis.brusselator(t_end=1.0)\n"
    )
    assert run("compare", "--model", f"{file.parent / 'short.py'}:model", "--machine", f"{file}:Shrink", "--samples", 1,
               "--out", tmp_path) == 0  # fmt: skip
    assert "index.html" in os.listdir(tmp_path)


@pytest.mark.parametrize(
    ("command", "name", "options", "message"),
    [
        ("grow", "mane", (), "no name 'mane' of {file}; did you mean 'mine'? There are mine, made"),
        ("grow", "Shrink", (), "runs along sigma, and no pattern grows: turingdiff denoise runs it"),
        ("denoise", "mine", (), "runs along time, and denoises nothing: turingdiff grow runs it"),
        ("grow", "number", (), "is 3, expected a system, a rule, a machine, or a function that returns one"),
        ("grow", "nothing", (), "returned 3, expected a system"),
        ("grow", "made", ("--set", "a=1"), "made already: a would change nothing"),
        ("grow", "drift", (), "drift has no times of its own: give --t-end"),
        ("denoise", "Shrink", ("--limit", 3), "takes no training images: --limit would change nothing"),
        ("denoise", "bare", (), "does not say how large its images are"),
        ("denoise", "factory", ("--limit", 3, "--boundary", "zero"), "has no boundary to choose; els, ls, composite"),
    ],
)
def test_what_is_refused(file, command, name, options, message, tmp_path, capsys):
    if name == "drift":
        message = message.replace("drift", "life")
    assert run(command, f"{file}:{name}", *options, "--out", tmp_path / "out") == 2
    assert message.format(file=file) in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_files_that_are_not_there_or_do_not_run(file, tmp_path, capsys):
    assert run("grow", "no/such.py:mine", "--out", tmp_path / "out") == 2
    assert "there is no file 'no/such.py'" in capsys.readouterr().err
    assert run("grow", file, "--out", tmp_path / "out") == 2
    assert f"say what to take from {file}: {file}:NAME. There are mine, made" in capsys.readouterr().err
    for text, message in (("x = 1\nx = y\n", "line 2: NameError: name 'y'"), ("x = (\n", "SyntaxError: '(' was")):
        (tmp_path / "broken.py").write_text(text)
        assert run("grow", f"{tmp_path / 'broken.py'}:x", "--out", tmp_path / "out") == 2
        assert message in capsys.readouterr().err


def test_what_a_file_says_is_read_anew(tmp_path):
    for value in (1, 2):
        (tmp_path / "changing.py").write_text(f"x = {value}  #{'#' * value}\n")
        assert read(f"{tmp_path / 'changing.py'}:x") == value


def test_a_copy_of_a_file_does_not_need_the_file_it_was_copied_from(file, tmp_path):
    # Numba's cache imports the module of a cell function, so that equal code of two files must not share a kernel.
    (tmp_path / "beside.py").write_text("HALF = 0.5\n")
    for name in ("one", "other"):
        (tmp_path / f"{name}.py").write_text(FILE)
        words = ["-m", "turingdiff", "grow", f"{name}.py:drift", "--size", "6x6", "--t-end", "1", "--out", "out"]
        done = subprocess.run([sys.executable, *words], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        (tmp_path / f"{name}.py").unlink()


@pytest.mark.parametrize("command", ["denoise", "compare"])
def test_a_misspelt_machine_is_answered_with_the_nearest(command, tmp_path, capsys):
    words = ["denoise", "wienr"] if command == "denoise" else ["compare", "--machine", "wienr"]
    try:
        status = run(*words, "--out", tmp_path / "out")
    except SystemExit as error:  # what argparse refuses
        status = error.code
    assert status == 2
    assert "wiener" in capsys.readouterr().err


def test_a_built_in_machine_is_its_module_and_its_line_in_the_package(monkeypatch, tmp_path, capsys):
    from turingdiff.denoising._machine import make_machine, short_name

    def mean_cell(phi, i, j, t, p, g, out):
        out[0, i, j] = (phi[0, i, j] - p[0]) / t

    @short_name("av")
    def average(images, patch=1):
        """The average image."""
        mean = td.data.to_unit(images).mean()

        def posterior(fields, sigma):
            return np.full_like(fields, mean)

        here = td.Neighbourhood(0, "periodic")
        return make_machine("average", mean_cell, images, here, posterior, average, params={"mean": mean})

    monkeypatch.setattr(td.denoising, "average", average, raising=False)
    machines = names.short_names()
    assert machines["av"] is average
    monkeypatch.setattr(names, "MACHINES", names.all_names(machines))
    monkeypatch.setattr(names, "SHORT_NAMES", machines)
    assert run("denoise", "av", "--limit", 3, "--samples", 1, "--steps", 2, "--patch", 3, "--out", tmp_path) == 0
    assert "av.gif" in os.listdir(tmp_path)
    assert run("denoise", "average", "--boundary", "zero", "--out", tmp_path) == 2
    assert "average has no boundary to choose" in capsys.readouterr().err
    with pytest.raises(ValueError, match="such as equivariant_local and local, got average"):
        td.denoising.calibrate(td.data.fashion()[0][:3], td.data.fashion()[0][3:5], average)
    found = td.compare({"average": average(td.data.fashion()[0][:3])}, samples=1, shapes={"average": (28, 28)})
    assert found.table.rows["training images"] == ("3",)
    assert "pixels with one source [share]" not in found.table.rows
