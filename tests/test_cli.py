import gzip
import json
import os
import shlex
import subprocess
import sys

import numba
import numpy as np
import pytest
from PIL import Image

import turingdiff as td
from turingdiff.cli import main
from turingdiff.engine.compile import cache_folders

compiled = pytest.mark.compiled


def run(*arguments):
    return main([str(argument) for argument in arguments])


@compiled
def test_grow_writes_a_film_and_a_picture(tmp_path, capsys):
    assert run("grow", "gray_scott", "--preset", "maze", "--size", "24x32", "--t-end", 50, "--out", tmp_path) == 0
    with Image.open(tmp_path / "gray_scott.gif") as film:
        assert film.n_frames == 51
    assert (tmp_path / "gray_scott.png").stat().st_size > 500
    assert "gray_scott.gif" in capsys.readouterr().out


@compiled
def test_grow_sets_parameters(tmp_path):
    assert run("grow", "schnakenberg", "--set", "a=0.2", "--set", "dx=1", "--size", "8x8", "--t-end", 1,
               "--boundary", "no_flux", "--out", tmp_path) == 0  # fmt: skip


@compiled
def test_the_picture_of_a_line_of_cells_is_its_history(tmp_path):
    assert run("grow", "turing_1952", "--preset", "ring", "--size", "1x24", "--t-end", 100, "--out", tmp_path) == 0
    with Image.open(tmp_path / "turing_1952.png") as picture:
        assert min(picture.size) > 300


@compiled
def test_grow_takes_the_models_own_boundary(tmp_path, capsys):
    arguments = ("grow", "positional_information", "--size", "8x40", "--t-end", 50)
    assert run(*arguments, "--out", tmp_path / "own") == 0
    assert run(*arguments, "--boundary", "no_flux", "--out", tmp_path / "same") == 0
    films = [(tmp_path / name / "positional_information.gif").read_bytes() for name in ("own", "same")]
    assert films[0] == films[1]


@compiled
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("brusselator", "--set", "dx=1", "--t-end", 100), "predicted 7.183 (Turing), measured 7"),
        (("brusselator", "--set", "dx=1", "--t-end", 100, "--boundary", "no_flux"), "predicted 7.183 (Turing)"),
        (("gray_scott", "--t-end", 20), "predicted none (stable), measured"),
    ],
)
def test_grow_draws_theory_above_the_measured_spectrum(arguments, expected, tmp_path, capsys):
    assert run("grow", *arguments, "--size", "48x48", "--dispersion", "--out", tmp_path) == 0
    assert f"wavelength {expected}" in capsys.readouterr().out
    with Image.open(tmp_path / f"{arguments[0]}-dispersion.png") as figure:
        assert min(figure.size) > 500


@compiled
def test_a_uniform_end_has_no_measured_wavelength(tmp_path, capsys):
    assert run("grow", "brusselator", "--set", "b=1.5", "--size", "16x16", "--dispersion", "--out", tmp_path) == 0
    assert "predicted none (stable), measured none, the final field is uniform" in capsys.readouterr().out


@compiled
@pytest.mark.parametrize("machine", ["els", "ls", "ideal", "es", "wiener", "pca", "smoothed", "composite"])
def test_denoise_every_machine(machine, tmp_path):
    patch = ("--patch", 3) if machine in ("els", "ls", "composite") else ()
    assert run("denoise", machine, *patch, "--limit", 8, "--samples", 1, "--steps", 3, "--out", tmp_path) == 0
    with Image.open(tmp_path / f"{machine}.gif") as film:
        assert film.n_frames == 4


@compiled
def test_denoise_own_pictures_on_another_canvas(tmp_path):
    rng = np.random.default_rng(0)
    np.save(tmp_path / "mine.npy", rng.integers(0, 256, (6, 9, 9), dtype=np.uint8))
    assert run("denoise", "els", "--data", tmp_path / "mine.npy", "--patch", 3, "--size", "9x20", "--samples", 1,
               "--steps", 3, "--boundary", "periodic", "--out", tmp_path / "out") == 0  # fmt: skip


@compiled
def test_compare_writes_everything_and_prints_the_table(tmp_path, capsys):
    assert run("compare", "--model", "brusselator", "--machine", "ideal", "--limit", 12, "--samples", 1,
               "--out", tmp_path) == 0  # fmt: skip
    files = ["figure.png", "figure.svg", "film.gif", "index.html", "table.csv", "table.json"]
    assert sorted(os.listdir(tmp_path)) == files
    printed = capsys.readouterr().out
    assert "wavelength [cells]" in printed
    assert all(str(tmp_path / name) in printed for name in files)
    command = json.loads((tmp_path / "table.json").read_text(encoding="utf-8"))["command"]
    assert shlex.split(command)[:3] == ["turingdiff", "compare", "--model"]
    assert shlex.split(command)[-1] == str(tmp_path)


@compiled
def test_the_same_seed_gives_the_same_files(tmp_path):
    for name in "ab":
        run("grow", "brusselator", "--size", "12x12", "--t-end", 2, "--seed", 3, "--out", tmp_path / name)
    run("grow", "brusselator", "--size", "12x12", "--t-end", 2, "--seed", 4, "--out", tmp_path / "c")
    a, b, c = ((tmp_path / name / "brusselator.gif").read_bytes() for name in "abc")
    assert a == b != c


def test_list_names_all_that_can_be_asked_for(capsys):
    assert run("list") == 0
    out = capsys.readouterr().out
    for name in (*td.morphogenesis.__all__, "els", "ls", "ideal", "wiener", "fashion-resnet-zeros", "maze"):
        assert name in out


def test_info_names_versions_threads_cache_and_data(capsys):
    assert run("info") == 0
    out = capsys.readouterr().out
    for word in (td.__version__, np.__version__, "threads", "cache", "full set"):
        assert word in out


@pytest.mark.compiled
def test_info_clears_the_cache_of_kernels_on_request(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    (folder,) = {folder for folder in cache_folders() if "engine" in folder.name}
    (folder / "kernels.euler-1.py311.nbi").write_bytes(bytes(2_000_000))
    assert run("info") == 0
    assert "2.0 MB" in capsys.readouterr().out
    assert run("info", "--clear-cache") == 0
    assert "0.0 MB" in capsys.readouterr().out
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("denoise", "els", "--patch", 4), "odd"),
        (("denoise", "els", "--patch", "nosuch"), "no published patch schedule"),
        (("denoise", "els", "--patch", 31, "--boundary", "periodic", "--limit", 2), "wider than the training images"),
        (("denoise", "wiener", "--boundary", "periodic"), "wiener has no boundary to choose"),
        (("denoise", "els", "--label", 12), "labels 0 to 9, got --label 12"),
        (("denoise", "els", "--label", 1, "--data", "x.npy"), "--label and --full choose among the images"),
        (("denoise", "els", "--patch", "calibrated", "--limit", 2000), "to calibrate, 4 images more than the 2000"),
        (
            ("denoise", "composite", "--patch", "calibrated", "--limit", 2),
            "calibrated for equivariant_local and local, got patch",
        ),
        (("denoise", "equivariant", "--patch", 3), "equivariant has no patch to choose"),
        (("denoise", "ideal", "--patch", 3), "ideal has no patch to choose; els, ls, composite have"),
        (("denoise", "ls", "--size", "40x40", "--limit", 2), "size of the training images"),
        (("denoise", "els", "--data", "no/such/file.npy"), "no/such/file.npy"),
        (("denoise", "els", "--limit", 0), "--limit"),
        (("denoise", "els", "--samples", 0, "--limit", 2), "replicas"),
        (("denoise", "els", "--steps", 0, "--limit", 2), "steps"),
        (("grow", "gray_scott", "--preset", "nosuch"), "maze"),
        (("grow", "gray_scott", "--set", "q=1"), "F, k"),
        (("grow", "schnakenberg", "--t-end", -1), "positive time"),
        (("compare", "--samples", 0, "--limit", 2), "replicas"),
    ],
)
def test_a_mistake_is_one_message_and_status_2(arguments, message, tmp_path, capsys):
    out = tmp_path / "out"
    assert run(*arguments, "--out", out) == 2
    err = capsys.readouterr().err
    assert message in err
    assert "Traceback" not in err
    assert not out.exists() or not any(out.iterdir())


def test_an_output_folder_that_is_a_file(tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    assert run("grow", "brusselator", "--out", tmp_path / "file") == 2
    assert "is a file" in capsys.readouterr().err
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_file_that_is_no_image_set(tmp_path, capsys):
    with gzip.open(tmp_path / "x-ubyte.gz", "wb") as file:
        file.write(b"not idx at all")
    assert run("denoise", "els", "--data", tmp_path / "x-ubyte.gz", "--out", tmp_path / "out") == 2
    assert "x-ubyte.gz" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [("grow", "nosuch"), ("grow", "brusselator", "--size", "8"), ("nosuch",), ()])
def test_wrong_words_exit_with_status_2(arguments, capsys):
    with pytest.raises(SystemExit, match="2"):
        run(*arguments)
    assert "usage" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["compare", "grow", "denoise", "list", "info"])
def test_help_shows_an_example(command, capsys):
    with pytest.raises(SystemExit, match="0"):
        run(command, "--help")
    assert f"example: turingdiff {command}" in " ".join(capsys.readouterr().out.split())


@compiled
def test_no_bar_in_a_pipe(tmp_path):
    command = [sys.executable, "-m", "turingdiff", "grow", "brusselator", "--size", "8x8", "--t-end", "1"]
    done = subprocess.run([*command, "--out", str(tmp_path)], capture_output=True, text=True, timeout=300, check=True)
    assert done.stderr == ""
