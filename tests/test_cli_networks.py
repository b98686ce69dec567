"""The commands about trained networks: train, denoise NETWORK, compare --network."""

import csv
import os
import sys
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from tiny_networks import same, tiny

import turingdiff as td
from turingdiff.cli import main
from turingdiff.cli.names import MACHINES
from turingdiff.denoising._patch_sizes import OURS
from turingdiff.network._network import SHIPPED
from turingdiff.network._weights import images_digest, load_weights, save_weights

compiled = pytest.mark.compiled
SMALL = ("--width", 4, "--layers", 1, "--limit", 12, "--batch", 4)
FILES = ["figure.png", "figure.svg", "film.gif", "table.csv", "table.json"]
NOTE = "note: these are not the images that the network was trained on"


def run(*arguments):
    return main([str(argument) for argument in arguments])


def names(folder):
    return sorted(os.listdir(folder))


@pytest.fixture
def one_thread():
    """PyTorch on one thread."""
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def images(tmp_path):
    """A file of 12 small pictures."""
    rough = np.random.default_rng(0).integers(0, 86, (12, 8, 8), dtype=np.uint8)
    np.save(tmp_path / "images.npy", rough + np.roll(rough, 1, 1) + np.roll(rough, 1, 2))
    return tmp_path / "images.npy"


def random_network(path, images=None, size=(8, 8), **options):
    """A file of a network that nobody trained; its record says that it was trained on `images`."""
    record = {"size": list(size)}
    if images is not None:
        held = td.data.load(images)
        record |= {"images": len(held), "images_sha256": images_digest(held)}
    save_weights(replace(tiny(**options), record=record), path)
    return path


# --- train


@pytest.mark.usefixtures("one_thread")
def test_train_writes_a_network_that_can_be_run_and_compared(tmp_path, capsys):
    path = tmp_path / "new" / "mine.npz"
    assert run("train", *SMALL, "--steps", 20, "--out", path) == 0
    assert "mine.npz  (" in capsys.readouterr().out
    assert names(path.parent) == ["mine.npz"]
    weights = load_weights(path)
    assert (weights.architecture.width, weights.architecture.layers, weights.architecture.classes) == (4, 1, 0)
    assert weights.record["images_sha256"] == images_digest(td.data.fashion()[0][:12])
    assert (weights.record["steps"], weights.record["batch"], weights.record["size"]) == (20, 4, [28, 28])
    assert run("denoise", path, "--samples", 1, "--steps", 3, "--out", tmp_path / "out") == 0
    assert names(tmp_path / "out") == ["mine.gif", "mine.png"]


@compiled
@pytest.mark.usefixtures("one_thread")
def test_a_network_is_compared_on_its_own_images_without_a_note(tmp_path, capsys):
    path = tmp_path / "mine.npz"
    assert run("train", *SMALL, "--steps", 20, "--out", path) == 0
    options = ("--network", path, "--limit", 12, "--seeds", 2, "--samples", 1, "--patch", 3)
    assert run("compare", *options, "--out", tmp_path / "out") == 0
    assert NOTE not in capsys.readouterr().out
    assert names(tmp_path / "out") == FILES


@pytest.mark.usefixtures("one_thread")
def test_train_says_how_the_loss_went(tmp_path, capsys):
    assert run("train", *SMALL, "--steps", 200, "--rate", 0.003, "--seed", 5, "--out", tmp_path / "a.npz") == 0
    record = load_weights(tmp_path / "a.npz").record
    first, last = record["loss"]
    assert f"loss {first} in the first steps, {last} in the last" in capsys.readouterr().out
    assert (record["rate"], record["seed"]) == (0.003, 5)


@pytest.mark.usefixtures("one_thread")
def test_an_interrupted_training_is_resumed(tmp_path, capsys, monkeypatch):
    from turingdiff.network import _training as loop

    options = ("train", *SMALL, "--steps", 20, "--save-every", 5, "--padding", "circular")
    assert run(*options, "--out", tmp_path / "whole.npz") == 0
    advance = loop._Training.advance

    def interrupted(training, *arguments):
        if training.step == 12:
            raise KeyboardInterrupt
        return advance(training, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(loop._Training, "advance", interrupted)
        assert run(*options, "--out", tmp_path / "parts.npz") == 130
    assert "parts.checkpoint" in names(tmp_path)
    assert run(*options, "--out", tmp_path / "parts.npz") == 2
    assert "go on with resume (--resume), or remove it" in capsys.readouterr().err
    assert run(*options, "--resume", "--out", tmp_path / "parts.npz") == 0
    assert names(tmp_path) == ["parts.npz", "whole.npz"]
    whole, parts = (load_weights(tmp_path / name) for name in ("whole.npz", "parts.npz"))
    assert whole.architecture.padding == "circular"
    assert same(replace(parts, record=whole.record), whole)


@pytest.mark.usefixtures("one_thread")
def test_a_network_that_is_told_classes(tmp_path, capsys):
    path = tmp_path / "classes.npz"
    assert run("train", *SMALL, "--steps", 2, "--classes", "--out", path) == 0
    weights = load_weights(path)
    assert weights.architecture.classes == 10
    held, labels = td.data.fashion()
    assert weights.record["images_sha256"] == images_digest(held[:12], labels[:12])
    assert run("denoise", path, "--label", 3, "--samples", 1, "--steps", 2, "--out", tmp_path / "out") == 0
    for arguments, said in (((), "label=None"), (("--label", 12), "label=12")):
        assert run("denoise", path, *arguments, "--out", tmp_path / "none") == 2
        assert f"classes knows the classes 0 to 9, got {said}" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


@pytest.mark.usefixtures("one_thread")
def test_train_on_own_images_and_on_one_kind_of_clothes(tmp_path, images):
    assert run("train", *SMALL, "--steps", 2, "--data", images, "--out", tmp_path / "own.npz") == 0
    assert load_weights(tmp_path / "own.npz").record["size"] == [8, 8]
    assert run("train", *SMALL, "--steps", 2, "--label", 7, "--out", tmp_path / "kind.npz") == 0
    held, labels = td.data.fashion()
    assert load_weights(tmp_path / "kind.npz").record["images_sha256"] == images_digest(held[labels == 7][:12])


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--resume",), "there is no checkpoint"),
        (("--classes", "--data", "x.npy"), "leave out --data and --label"),
        (("--classes", "--label", 3), "leave out --data and --label"),
        (
            ("--data", "x.npy", "--label", 3),
            "--label chooses among the images of Fashion-MNIST: leave it out with --data",
        ),
        (("--data", "no/such/file.npy"), "no/such/file.npy"),
        (("--label", 12), "labels 0 to 9, got --label 12"),
        (("--limit", 0), "--limit must be at least 1"),
        (("--steps", 0), "steps must be a whole number >= 1, got 0"),
        (("--width", 0), "width must be a whole number >= 1, got 0"),
        (("--rate", 0), "rate must be a positive number, got 0"),
        (("--seed", -1), "seed must be a whole number >= 0, got -1"),
    ],
)
def test_what_train_refuses(arguments, message, tmp_path, capsys):
    given = SMALL if "--limit" not in arguments else SMALL[:4]
    assert run("train", *given, "--steps", 2, *arguments, "--out", tmp_path / "a.npz") == 2
    assert message in capsys.readouterr().err
    assert names(tmp_path) == []


@pytest.fixture
def small_full_set(monkeypatch):
    """The full Fashion-MNIST, as small as the bundled one."""
    bundled = td.data.fashion()
    monkeypatch.setattr(td.data, "fashion", lambda full=False: bundled)
    return bundled


@pytest.mark.usefixtures("one_thread", "small_full_set")
@pytest.mark.parametrize("arguments", [("--full", "--data", "x.npy"), ("--limit", -1990)])
def test_train_refuses_what_it_would_not_do(arguments, tmp_path):
    assert run("train", *SMALL[:4], "--steps", 1, *arguments, "--out", tmp_path / "a.npz") == 2


@pytest.mark.usefixtures("one_thread")
def test_one_kind_of_clothes_of_the_full_set_is_taken_or_refused(tmp_path, small_full_set):
    images, labels = small_full_set
    status = run("train", *SMALL, "--steps", 1, "--full", "--label", 7, "--out", tmp_path / "a.npz")
    expected = images_digest(images[labels == 7][:12])
    assert status == 2 or load_weights(tmp_path / "a.npz").record["images_sha256"] == expected


def test_train_without_pytorch_names_the_extra(tmp_path, capsys, monkeypatch):
    monkeypatch.delitem(sys.modules, "turingdiff.network._training", raising=False)
    monkeypatch.delattr("turingdiff.network._training", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    assert run("train", "--out", tmp_path / "a.npz") == 2
    err = capsys.readouterr().err
    assert "training needs PyTorch" in err
    assert "pip install torch" in err
    assert names(tmp_path) == []


# --- denoise NETWORK


def test_denoise_the_file_of_a_network(tmp_path, capsys):
    path = random_network(tmp_path / "mine.npz")
    assert run("denoise", path, "--samples", 2, "--size", "9x20", "--steps", 4, "--out", tmp_path / "out") == 0
    assert "mine.gif" in capsys.readouterr().out
    with Image.open(tmp_path / "out" / "mine.gif") as film:
        assert film.n_frames == 5
    assert (tmp_path / "out" / "mine.png").exists()


def test_the_same_seed_denoises_to_the_same_files(tmp_path):
    path = random_network(tmp_path / "mine.npz")
    for seed, out in ((1, "a"), (1, "b"), (2, "c")):
        assert run("denoise", path, "--samples", 1, "--steps", 3, "--seed", seed, "--out", tmp_path / out) == 0
    a, b, c = ((tmp_path / out / "mine.gif").read_bytes() for out in "abc")
    assert a == b != c


def test_a_name_that_is_nothing_is_answered_with_all_names(tmp_path, capsys):
    assert run("denoise", "resnet-zeroes", "--out", tmp_path / "out") == 2
    err = capsys.readouterr().err
    assert "no machine, network or file 'resnet-zeroes'; did you mean 'resnet-zeros'?" in err
    for name in (*MACHINES, *SHIPPED):
        assert name in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--patch", 3), "a network is trained already: --patch would change nothing"),
        (("--data", "x.npy", "--limit", 3), "--data, --limit would change nothing"),
        (("--boundary", "zero"), "--boundary would change nothing"),
        (("--label", 3), "net knows no classes, got label=3"),
        (("--samples", 0), "--samples must be at least 1"),
        (("--steps", 0), "steps"),
    ],
)
def test_what_denoise_refuses_for_a_network(arguments, message, tmp_path, capsys):
    path, out = random_network(tmp_path / "net.npz"), tmp_path / "out"
    assert run("denoise", path, *arguments, "--out", out) == 2
    assert message in capsys.readouterr().err
    assert not out.exists() or not names(out)


@pytest.mark.parametrize("command", [("denoise",), ("compare", "--network")])
def test_a_file_that_is_no_network(command, tmp_path, capsys):
    np.savez(tmp_path / "other.npz", images=np.zeros(3))
    assert run(*command, tmp_path / "other.npz", "--out", tmp_path / "out") == 2
    assert "other.npz: not a network of turingdiff; it holds images" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


# --- compare --network


@compiled
def test_compare_calibrates_the_machines_to_the_network(tmp_path, images, capsys):
    path = random_network(tmp_path / "net.npz", images)
    options = ("--network", path, "--data", images, "--seeds", 3, "--samples", 2)
    assert run("compare", *options, "--out", tmp_path / "out") == 0
    out = capsys.readouterr().out
    assert NOTE not in out
    for name in ("ELS", "LS"):
        line = next(line for line in out.splitlines() if line.startswith(f"patch sizes of {name}, from the lowest"))
        sizes = [int(text) for text in line.split(": ")[1].split(", ")]
        assert len(sizes) == 20
        assert set(sizes) <= {3, 5, 7}  # the network sees 9 x 9, an image has 8 x 8
    assert names(tmp_path / "out") == FILES
    with open(tmp_path / "out" / "table.csv", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert header[0] == "prediction of network"
    assert [row[0] for row in rows] == ["ELS", "LS", "ideal", "ES", "Wiener", "PCA-local", "ELS, other noise",
                                        "nearest training image"]  # fmt: skip
    for text in (word for row in rows for word in row):
        assert text in out
    with Image.open(tmp_path / "out" / "film.gif") as film:
        assert film.n_frames == 21


@compiled
@pytest.mark.parametrize("padding", ["zeros", "circular"])
def test_the_machines_have_the_boundary_of_the_network_and_the_patch_that_is_given(padding, tmp_path, images, capsys):
    rules, compare = {}, td.compare

    def spied(given, **options):
        rules.update(given)
        assert options["seeds"] == 20
        return compare(given, **options | {"seeds": 2})

    path = random_network(tmp_path / "net.npz", images, padding=padding)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("turingdiff.cli.networks.compare", spied)
        options = ("--network", path, "--data", images, "--limit", 5, "--patch", 3, "--samples", 1)
        assert run("compare", *options, "--out", tmp_path / "out") == 0
    out = capsys.readouterr().out
    assert NOTE in out
    assert "patch sizes of" not in out
    boundaries = {rules[name].neighbourhood.boundary for name in ("network", "ELS", "LS")}
    assert boundaries == {{"zeros": "zero", "circular": "periodic"}[padding]}
    assert all(rules[name].radius(1.0) == 1 for name in ("ELS", "LS"))
    assert all(len(rule.images) == 5 for name, rule in rules.items() if name != "network")


@compiled
@pytest.mark.slow
def test_as_many_images_are_taken_as_the_network_was_trained_on(tmp_path, images, capsys):
    np.save(tmp_path / "more.npy", np.concatenate([np.load(images), np.load(images)[:3]]))
    path = random_network(tmp_path / "net.npz", images)
    options = ("--data", tmp_path / "more.npy", "--seeds", 2, "--samples", 1, "--patch", 3)
    assert run("compare", "--network", path, *options, "--out", tmp_path / "own") == 0
    assert NOTE not in capsys.readouterr().out
    assert run("compare", "--network", path, *options, "--limit", 15, "--out", tmp_path / "all") == 0
    assert NOTE in capsys.readouterr().out


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_network_is_compared_at_its_patch_sizes_on_record(tmp_path, monkeypatch, capsys, name):
    seen = {}

    def caught(rules, **options):
        seen.update(rules)
        raise ValueError("far enough")

    monkeypatch.setattr("turingdiff.cli.networks.compare", caught)
    monkeypatch.delattr(td.denoising, "calibrate_to")  # it takes minutes
    assert run("compare", "--network", name, "--out", tmp_path) == 2
    assert "far enough" in capsys.readouterr().err
    for title, schedule in (("ELS", name), ("LS", f"{name}-local")):
        machine = seen[title]
        radii = [machine.radius(t) for t in machine.times() if t > 0]
        assert radii == [size // 2 for size in OURS[schedule][::-1]]
        assert len(machine.images) == 2000


@compiled
@pytest.mark.slow
def test_the_noises_of_the_calibration_are_others_and_depend_on_the_seed(tmp_path, images, monkeypatch):
    drawn, calibrate_to = [], td.denoising.calibrate_to

    def spied(network, *arguments, rng, **options):
        drawn.append(network.initial((8, 8), deepcopy(rng), replicas=10))
        return calibrate_to(network, *arguments, **options | {"trajectories": 1, "rng": rng})

    monkeypatch.setattr(td.denoising, "calibrate_to", spied)
    path = random_network(tmp_path / "net.npz")
    for seed in (0, 1):
        options = ("--data", images, "--seeds", 2, "--samples", 1, "--seed", seed)
        assert run("compare", "--network", path, *options, "--out", tmp_path / "out") == 0
    els, ls, other, _ = drawn
    np.testing.assert_array_equal(els, ls)
    assert not np.isin(els, other).any()
    for seed in (0, 1):
        assert not np.isin(drawn, td.denoising.network(path).initial((8, 8), seed, replicas=20)).any()


@compiled
@pytest.mark.slow
def test_the_same_seed_compares_to_the_same_files(tmp_path, images):
    options = ("--network", random_network(tmp_path / "net.npz"), "--data", images, "--seeds", 2, "--patch", 3)
    for seed, out in ((1, "a"), (1, "b"), (2, "c")):
        assert run("compare", *options, "--seed", seed, "--out", tmp_path / out) == 0
    a, b, c = ([(tmp_path / out / name).read_bytes() for name in FILES] for out in "abc")
    assert a == b
    assert all(first != other for first, other in zip(a, c, strict=True))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--model", "brusselator"), "--network compares with all machines: leave out --model"),
        (("--machine", "els", "--preset", "spots"), "leave out --machine, --preset"),
        (("--set", "dx=1"), "leave out --set"),
        (("--patch", "calibrated"), "leave out --patch calibrated"),
        (("--patch", 4), "odd"),
        (("--patch", "nosuch"), "no published patch schedule"),
        (("--limit", 0), "--limit must be at least 1"),
        (("--patch", 3, "--seeds", 1), "seeds must be a whole number >= 2"),
    ],
)
def test_what_compare_refuses_with_a_network(arguments, message, tmp_path, capsys):
    path, out = random_network(tmp_path / "net.npz"), tmp_path / "out"
    given = arguments if "--limit" in arguments else ("--limit", 3, *arguments)
    assert run("compare", "--network", path, *given, "--out", out) == 2
    err = capsys.readouterr().err
    assert message in err
    assert "Traceback" not in err
    assert not out.exists() or not names(out)


def test_seeds_are_for_networks(tmp_path, capsys):
    assert run("compare", "--seeds", 3, "--out", tmp_path / "out") == 2
    assert "--seeds is for --network; --samples sets the number of replicas" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_network_that_is_not_there(tmp_path, capsys):
    assert run("compare", "--network", "resnet-zeroes", "--out", tmp_path / "out") == 2
    err = capsys.readouterr().err
    for text in ("no network 'resnet-zeroes'", *SHIPPED):
        assert text in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--seeds", 1), "seeds must be a whole number >= 2"),
        (("--samples", 0), "samples"),
        (("--data", "wide.npy"), "cannot be compared pixel by pixel"),
    ],
)
def test_compare_refuses_before_it_calibrates(arguments, message, tmp_path, images, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("wide.npy", np.random.default_rng(0).integers(0, 256, (12, 8, 9), dtype=np.uint8))
    monkeypatch.setattr(td.denoising, "calibrate_to", None)
    path = random_network(tmp_path / "net.npz")
    given = arguments if "--data" in arguments else ("--data", images, *arguments)
    assert run("compare", "--network", path, *given, "--out", "out") == 2
    assert message in capsys.readouterr().err


# --- what there is


def test_list_names_the_networks(capsys):
    assert run("list") == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("trained networks")]
    assert all(name in line for name in SHIPPED)


def test_help_of_train_shows_an_example(capsys):
    with pytest.raises(SystemExit, match="0"):
        run("train", "--help")
    assert "example: turingdiff train" in " ".join(capsys.readouterr().out.split())
