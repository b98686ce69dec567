"""Trained networks: their file, their equations, and what a user can do with one."""

import io
import json
import os
import pickle
import subprocess
import sys
import zipfile
from dataclasses import asdict, replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import plain
import pytest
from hypothesis import given
from hypothesis import strategies as st
from quick import all_in_one
from tiny_networks import SMALL, same, tiny

import turingdiff as td
from turingdiff.denoising import Network, network, sample
from turingdiff.denoising._levels import cosine_sigma
from turingdiff.network import _convolutions as convolutions
from turingdiff.network._network import SHIPPED
from turingdiff.network._weights import (
    FORMAT,
    PADDINGS,
    Architecture,
    Weights,
    images_digest,
    load_weights,
    save_weights,
    time_features,
)

KINDS = {
    "grey": {},
    "colour": {"colours": 3},
    "classes": {"classes": 3},
    "colour classes": {"colours": 3, "classes": 2, "width": 4, "layers": 3, "frequencies": 1},
}
LEVELS = [0.02, 0.7, 9.0, 80.0]
LABEL = 1
both_paddings = pytest.mark.parametrize("padding", PADDINGS)
kinds = pytest.mark.parametrize("kind", KINDS)


def made(kind="grey", padding="zeros", seed=0):
    weights = tiny(seed, **KINDS[kind], padding=padding)
    return network(weights, label=LABEL if weights.architecture.classes else None)


def pixels(*shape, seed=1, dtype=np.float32):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype) * 2


def noisy(machine, shape=(6, 7), dtype=np.float32, seed=1):
    return pixels(len(machine.channels), *shape, seed=seed, dtype=dtype)


# --- the equations


def torch_noise(weights, field, sigma, label):
    """The noise as PyTorch computes it, in the variance-preserving frame."""
    torch = pytest.importorskip("torch")
    from turingdiff.network._residual_network import ResidualNetwork

    features = time_features(np.array([sigma]), weights.architecture.frequencies).astype(np.float32)
    labels = torch.tensor([label]) if weights.architecture.classes else None
    phi = torch.from_numpy((field / np.sqrt(1 + sigma**2)).astype(np.float32))
    with torch.no_grad():
        return ResidualNetwork.of(weights)(phi[None], torch.from_numpy(features), labels)[0].numpy()


@kinds
@both_paddings
@pytest.mark.parametrize("sigma", LEVELS)
def test_the_rate_is_pytorchs_forward(kind, padding, sigma):
    machine = made(kind, padding)
    field = noisy(machine)
    expected = torch_noise(machine.weights, field, sigma, LABEL)
    np.testing.assert_allclose(machine.rate(field, sigma), expected, rtol=0, atol=1e-5)


# For those without PyTorch, made by
#   from test_network import *; arrays = {}
#   for kind in KINDS:
#       weights, field = tiny(5, **KINDS[kind]), pixels(KINDS[kind].get("colours", 1), 6, 7)
#       arrays |= {f"{kind}/{name}": array for name, array in weights.arrays.items()} | {f"{kind}/field": field}
#       for padding in PADDINGS:
#           told = replace(weights, architecture=replace(weights.architecture, padding=padding))
#           arrays[f"{kind}/{padding}"] = np.stack([torch_noise(told, field, sigma, LABEL) for sigma in LEVELS])
#   np.savez_compressed("data_network.npz", **arrays)
REFERENCE = Path(__file__).with_name("data_network.npz")


@kinds
@both_paddings
def test_the_rate_is_what_pytorch_once_gave(kind, padding):
    architecture = Architecture(**(SMALL | KINDS[kind]), padding=padding)
    with np.load(REFERENCE) as held:
        arrays = {name: held[f"{kind}/{name}"] for name in architecture.shapes}
        field, expected = held[f"{kind}/field"], held[f"{kind}/{padding}"]
    weights = Weights(architecture, arrays, {"size": [6, 7]})
    machine = network(weights, label=LABEL if architecture.classes else None)
    for sigma, noise in zip(LEVELS, expected, strict=True):
        np.testing.assert_allclose(machine.rate(field, sigma), noise, rtol=0, atol=1e-5)


def test_the_clock_is_shown_as_angles_of_a_thousand_t_and_slower():
    t = np.array([0.001, 0.3, 1.0])
    features = time_features(cosine_sigma(t), 3)
    rates = np.array([1, 1e-2, 1e-4])
    angles = 1000 * t[:, None] * rates
    np.testing.assert_allclose(features, np.hstack([np.sin(angles), np.cos(angles)]), atol=1e-9)
    np.testing.assert_allclose(time_features(cosine_sigma(0.3), 1), [np.sin(300), np.cos(300)], atol=1e-9)


@both_paddings
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("sigma", [0.1, 3.0])
def test_D_is_y_minus_sigma_times_the_rate(padding, dtype, sigma):
    machine = made("colour", padding)
    field = noisy(machine, dtype=dtype)
    rate, clean = machine.rate(field, sigma), machine.denoise(field, sigma)
    assert rate.dtype == clean.dtype == dtype
    np.testing.assert_array_equal(clean, field - dtype(sigma) * rate)


@both_paddings
def test_a_network_is_the_same_in_every_frame(padding):
    machine = made("colour", padding)
    phi, abar = noisy(machine, dtype=np.float64), 0.3
    sigma = np.sqrt((1 - abar) / abar)
    score = machine.score(phi, abar)
    np.testing.assert_allclose(score, -machine.rate(phi / np.sqrt(abar), sigma) / np.sqrt(1 - abar), atol=1e-12)
    x, t = phi, 0.7
    clean = machine.denoise(x / t, (1 - t) / t)
    np.testing.assert_allclose(machine.velocity(x, t), (clean - x) / (1 - t), atol=1e-12)


def test_the_reverse_sde_of_a_network_drifts_twice_as_fast():
    machine = made()
    rule, field = machine.reverse_sde(), noisy(machine, dtype=np.float64)
    np.testing.assert_array_equal(rule.rate(field, 0.7), 2 * machine.rate(field, 0.7))
    np.testing.assert_allclose(rule.rate(field, 0.7), 2 * plain.rate(machine, field, 0.7), atol=1e-12)


@pytest.mark.parametrize("bits", [0x7F800000, 0x7F800001, 0x7FC00000, 0x7F7FFFFF, 0xFF800000], ids=hex)
def test_what_lay_in_memory_before_is_not_felt(bits, monkeypatch):
    machine = made()
    field = noisy(machine)
    expected = machine.rate(field, 1.3)
    empty = np.empty

    def used(shape, dtype=float, **options):
        array = empty(shape, dtype, **options)
        if array.dtype == np.float32:
            array.view(np.uint32)[...] = bits
        return array

    monkeypatch.setattr(convolutions.np, "empty", used)
    found = machine.rate(field, 1.3)  # a warning of NumPy would be an error
    assert found.tobytes() == expected.tobytes()


BYTES = """
import hashlib, sys
sys.path.insert(0, sys.argv[1])
import numpy as np
from tiny_networks import tiny
from turingdiff.denoising import network
machine = network(tiny(width=32))
for dtype in (np.float32, np.float64):
    field = np.random.default_rng(1).standard_normal((1, 60, 70)).astype(dtype)
    print(hashlib.sha256(machine.rate(field, 1.3).tobytes()).hexdigest())
"""


def test_the_number_of_blas_threads_does_not_change_the_bytes():
    digests = []
    for count in "12":
        environment = os.environ | {"OPENBLAS_NUM_THREADS": count, "MKL_NUM_THREADS": count, "OMP_NUM_THREADS": count}
        command = [sys.executable, "-c", BYTES, str(Path(__file__).parent)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        digests.append(done.stdout)
    assert digests[0] == digests[1]


# --- a network as a rule


def test_a_network_says_what_it_is():
    machine = made("colour", "circular")
    assert isinstance(machine, Network)
    assert machine.channels == ("red", "green", "blue")
    assert machine.clock == "sigma"
    assert machine.name == "network"
    assert machine.label is None
    assert machine.canvas == (6, 7)
    assert [machine.radius(sigma) for sigma in (0.01, 80)] == [4, 4]
    assert machine.neighbourhood == td.Neighbourhood(4, "periodic")
    assert made().neighbourhood == td.Neighbourhood(4, "zero")
    assert "network of red, green, blue" in repr(machine)


def test_a_field_that_cannot_be_written_is_read():
    machine = made("classes")
    field = noisy(machine)
    field.flags.writeable = False
    for found in (machine.rate(field, 0.7), machine.denoise(field, 0.7)):
        assert found.flags.writeable
        assert not np.shares_memory(found, field)


@pytest.mark.parametrize(
    "field",
    [np.asfortranarray(pixels(3, 6, 7)), pixels(6, 7, 3).transpose(2, 0, 1), pixels(3, 12, 14)[:, ::-2, ::2]],
    ids=["columns first", "channels last", "every other pixel"],
)
def test_the_layout_of_a_field_does_not_matter(field):
    machine = made("colour")
    np.testing.assert_array_equal(machine.rate(field, 0.7), machine.rate(np.ascontiguousarray(field), 0.7))


@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (5, 1), (2, 3), (31, 17)])
@both_paddings
def test_a_network_goes_on_any_canvas(padding, shape):
    images = sample(made(padding=padding), n=2, shape=shape, levels=td.denoising.cosine_levels(3))
    assert images.shape == (2, 1, *shape)
    assert np.isfinite(images).all()


@kinds
@both_paddings
def test_samples_of_a_network(kind, padding):
    machine = made(kind, padding)
    levels = td.denoising.cosine_levels(4)
    images = sample(machine, n=4, levels=levels, rng=3)
    assert images.shape == (4, len(machine.channels), 6, 7)
    assert images.dtype == np.float32
    for n in (1, 3):
        assert sample(machine, n=n, levels=levels, rng=3).tobytes() == images[:n].tobytes()
    assert sample(machine, n=4, levels=levels, rng=4).tobytes() != images.tobytes()


@pytest.mark.parametrize("stepper", [td.heun, td.ancestral])
def test_other_steppers_sample_from_a_network(stepper):
    images = sample(made(), n=3, levels=td.denoising.karras_levels(5), rng=3, stepper=stepper)
    fewer = sample(made(), n=2, levels=td.denoising.karras_levels(5), rng=3, stepper=stepper)
    assert images[:2].tobytes() == fewer.tobytes()


def test_the_last_step_is_to_D():
    machine = made()
    field = noisy(machine, dtype=np.float64)
    *_, (_, final) = td.evolve(machine, field, [0.7, 0.0])
    np.testing.assert_allclose(final, machine.denoise(field, 0.7), atol=1e-12)


@all_in_one(
    "field, error, message",
    [
        (pixels(3, 6, 7), ValueError, r"network has 1 channel \(grey\)"),
        (pixels(6, 7), ValueError, "its field has shape"),
        (pixels(1, 6, 7).astype(int), TypeError, "float32 or float64"),
        (np.full((1, 6, 7), np.nan), ValueError, "the field holds nan"),
    ],
)
def test_fields_that_do_not_fit_a_network(field, error, message):
    for ask in (made().rate, made().denoise):
        with pytest.raises(error, match=message):
            ask(field, 0.7)


@all_in_one("sigma", [0, -1, np.nan, np.inf])
def test_refused_noise_levels(sigma):
    for ask in (made().rate, made().denoise):
        with pytest.raises(ValueError, match="sigma must be positive and finite"):
            ask(noisy(made()), sigma)


# --- classes


@both_paddings
def test_a_network_makes_what_it_is_told(padding):
    weights = tiny(classes=3, padding=padding)
    field, levels = pixels(1, 6, 7), td.denoising.cosine_levels(3)
    told = [network(weights, label=label) for label in range(3)]
    assert [machine.label for machine in told] == [0, 1, 2]
    rates = [machine.rate(field, 0.7).tobytes() for machine in told]
    assert len(set(rates)) == 3
    assert [told[0].conditional(label).rate(field, 0.7).tobytes() for label in range(3)] == rates
    images = sample(told[0], n=3, levels=levels, labels=[2, 0, 2], rng=5)
    for k, label in enumerate([2, 0, 2]):
        np.testing.assert_array_equal(images[k], sample(told[label], n=3, levels=levels, rng=5)[k])


def test_telling_another_class_keeps_the_rest():
    machine = network(tiny(classes=3), label=0)
    other = machine.conditional(np.int64(2))
    assert isinstance(other, Network)
    assert other.label == 2
    assert other.weights is machine.weights
    assert (other.name, other.canvas, other.channels) == (machine.name, machine.canvas, machine.channels)


@all_in_one(
    "call, message",
    [
        (lambda: network(tiny(classes=3)), "network knows the classes 0 to 2, got label=None"),
        (lambda: network(tiny(classes=3), label=3), "network knows the classes 0 to 2, got label=3"),
        (lambda: network(tiny(classes=3), label=-1), "network knows the classes 0 to 2, got label=-1"),
        (lambda: network(tiny(classes=3), label=0.5), "network knows the classes 0 to 2, got label=0.5"),
        (lambda: network(tiny(classes=3), label=np.nan), "network knows the classes 0 to 2, got label=nan"),
        (lambda: network(tiny(), label=0), "network knows no classes, got label=0"),
        (lambda: made().conditional(0), "network knows no classes, got label=0"),
        (lambda: made("classes").conditional(7), "network knows the classes 0 to 2, got label=7"),
        (lambda: sample(made(), n=2, labels=[0, 0]), "network knows no classes, got label=0"),
        (lambda: sample(made("classes"), n=2, labels=[0, 5]), "network knows the classes 0 to 2, got label=5"),
        (lambda: sample(made("classes"), n=2, labels=[0]), "one for each of the 2 images"),
    ],
)
def test_labels_that_do_not_fit(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# --- the file


@kinds
@both_paddings
def test_a_file_holds_a_network_byte_for_byte(kind, padding, tmp_path):
    weights = tiny(**KINDS[kind], padding=padding)
    save_weights(weights, tmp_path / "a.npz")
    save_weights(weights, tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    found = load_weights(tmp_path / "a.npz")
    assert same(found, weights)
    save_weights(found, tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == (tmp_path / "a.npz").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.npz", "again.npz", "b.npz"]


architectures = st.builds(
    Architecture,
    colours=st.integers(1, 4),
    width=st.integers(1, 5),
    layers=st.integers(1, 4),
    padding=st.sampled_from(list(PADDINGS)),
    classes=st.integers(0, 3),
    frequencies=st.integers(1, 4),
    embedding=st.integers(1, 5),
)


@given(architectures, st.integers(0, 2**32 - 1))
def test_every_network_survives_its_file(tmp_path_factory, architecture, seed):
    weights = tiny(seed, **asdict(architecture))
    path = tmp_path_factory.mktemp("networks") / "network.npz"
    save_weights(weights, path)
    assert same(load_weights(path), weights)


def test_a_network_from_a_file_is_the_one_in_memory(tmp_path):
    weights = tiny(classes=3)
    path = tmp_path / "folder" / "my digits.npz"
    save_weights(weights, path)
    for source in (path, str(path)):
        machine = network(source, label=2)
        assert machine.name == "my digits"
        field = noisy(machine)
        np.testing.assert_array_equal(machine.rate(field, 0.7), network(weights, label=2).rate(field, 0.7))


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "network.npz"
    save_weights(tiny(), path)
    before = path.read_bytes()
    told = replace(tiny(), record={"size": [6, 7], "what": object()})
    with pytest.raises(TypeError, match="not JSON serializable"):
        save_weights(told, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["none.npz", "", "resnet", "resnet-zeros.npz"])
def test_a_missing_file_is_named_and_what_there_is(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=f"no network '{name}': there are resnet-circular, resnet-zeros"):
        network(name)


def test_a_folder_is_no_network(tmp_path):
    with pytest.raises(FileNotFoundError, match="no network"):
        network(tmp_path)


def saved(weights):
    stream = io.BytesIO()
    write(stream, weights.arrays)
    return stream.getvalue()


def write(stream, arrays, about=None, digest=None, **more):
    """A network's file with something changed."""
    from turingdiff.network._weights import _digest

    good = {"format": FORMAT, "architecture": asdict(Architecture(**SMALL)), "record": {"size": [6, 7]}}
    about = good | about if isinstance(about, dict) else good if about is None else about
    digest = _digest(arrays) if digest is None else digest
    texts = {"about": np.array(about if isinstance(about, str) else json.dumps(about)), "digest": np.array(digest)}
    np.savez(stream, **texts, **arrays, **more)


def test_files_written_with_old_numpy_are_read(tmp_path):
    # np.savez(..., allow_pickle=False) of NumPy before 2.2 stored its option as an array.
    save_weights(tiny(), tmp_path / "net.npz")
    np.save(tmp_path / "allow_pickle.npy", np.array(False))
    with zipfile.ZipFile(tmp_path / "net.npz", "a") as archive:
        assert "allow_pickle.npy" not in archive.namelist()
        archive.write(tmp_path / "allow_pickle.npy", "allow_pickle.npy")
    assert set(load_weights(tmp_path / "net.npz").arrays) == set(tiny().arrays)


def without(name):
    return {key: array for key, array in tiny().arrays.items() if key != name}


def with_array(name, array):
    return tiny().arrays | {name: array}


def architecture_with(**options):
    return {"architecture": asdict(Architecture(**SMALL)) | options}


SHAPE = tiny().architecture.shapes["up.weight"]
CHANGED = {  # what is written, and what the error says
    "no format": ({"about": {"format": None}}, f"format None, expected '{FORMAT}'"),
    "later format": ({"about": {"format": "turingdiff network 2"}}, f"format 'turingdiff network 2', .* '{FORMAT}'"),
    "not JSON": ({"about": "{"}, "network.npz: "),
    "a list": ({"about": []}, "network.npz: "),
    "architecture is a list": ({"about": {"architecture": [1]}}, "network.npz: "),
    "architecture of another kind": ({"about": architecture_with(depth=3)}, "depth"),
    "unknown padding": (
        {"about": architecture_with(padding="reflect")},
        "padding must be one of zeros, circular, got 'reflect'",
    ),
    "no layers": ({"about": architecture_with(layers=0)}, "layers must be a whole number >= 1, got 0"),
    "endless": ({"about": architecture_with(width=float("inf"))}, "width"),
    "no record": ({"about": {"record": None}}, "record"),
    "a record without size": ({"about": {"record": {}}}, "record must hold size.* got None"),
    "a size of one number": ({"about": {"record": {"size": [6]}}}, r"record must hold size.* got \[6\]"),
    "another digest": ({"digest": "0" * 64}, "the digest is not that"),
    "an array beside": ({"more": np.zeros(3, np.float32)}, "the digest is not that"),
    "a missing array": ({"arrays": without("down.bias")}, "needs the array 'down.bias'; there are up.weight"),
    "an extra array": ({"arrays": with_array("more", np.zeros(3, np.float32))}, r"no arrays \['more'\]"),
    "another shape": (
        {"arrays": with_array("up.weight", np.zeros((3, 1, 3), np.float32))},
        r"up.weight must be float32 \(3, 1, 3, 3\), got float32 \(3, 1, 3\)",
    ),
    "another dtype": (
        {"arrays": with_array("up.weight", np.zeros(SHAPE))},
        r"up.weight must be float32 \(3, 1, 3, 3\), got float64 \(3, 1, 3, 3\)",
    ),
    "NaN": ({"arrays": with_array("up.weight", np.full(SHAPE, np.nan, np.float32))}, "up.weight holds NaN"),
    "infinity": ({"arrays": with_array("up.bias", np.full(3, np.inf, np.float32))}, "up.bias holds NaN or infinity"),
    "pickled objects": ({"more": np.array([{}], object)}, "Object arrays cannot be loaded"),
}


@pytest.mark.parametrize("change", CHANGED)
def test_a_file_that_is_not_as_it_should_be_says_so(change, tmp_path):
    path = tmp_path / "network.npz"
    options, message = CHANGED[change]
    with path.open("wb") as stream:
        write(stream, **({"arrays": tiny().arrays} | options))
    for read in (load_weights, network):
        with pytest.raises(ValueError, match=message) as caught:
            read(path)
        assert str(path) in str(caught.value)


def array_file():
    stream = io.BytesIO()
    np.save(stream, np.zeros((3, 1, 3, 3), np.float32))
    return stream.getvalue()


def images_file():
    stream = io.BytesIO()
    np.savez(stream, images=np.zeros((3, 1, 6, 7), np.float32))
    return stream.getvalue()


def with_member(name):
    stream = io.BytesIO(saved(tiny()))
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr(name, "hello")
    return stream.getvalue()


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "not a whole .npz file of a network"),
        (b"once upon a time", "not a whole .npz file of a network"),
        (b"PK\x03\x04 once upon a time", "not a whole .npz file of a network"),
        (pickle.dumps({"up.weight": 1}), "not a whole .npz file of a network"),
        (saved(tiny())[:-100], "not a whole .npz file of a network"),
        (array_file(), "network"),
        (images_file(), "not a network of turingdiff; it holds images"),
        (with_member("readme.txt"), "readme"),
        (with_member("readme.npy"), "readme"),
    ],
    ids=["empty", "text", "zip header", "pickle", "cut short", "npy", "other npz", "text within", "no array within"],
)
def test_a_file_of_something_else_says_so(content, message, tmp_path):
    path = tmp_path / "network.npz"
    path.write_bytes(content)
    for read in (load_weights, network):
        with pytest.raises(ValueError, match=message) as caught:
            read(path)
        assert str(path) in str(caught.value)


def loaded(path):
    """The network in a file, or why there is none."""
    try:
        return load_weights(path), ""
    except ValueError as error:
        return None, str(error)


WHOLE = saved(tiny())


@given(st.integers(0, len(WHOLE) - 1))
def test_a_file_cut_short_is_refused_wherever_it_is_cut(tmp_path_factory, length):
    path = tmp_path_factory.mktemp("networks") / "network.npz"
    path.write_bytes(WHOLE[:length])
    with pytest.raises(ValueError, match=r"not a whole \.npz file"):
        load_weights(path)


@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 255))
def test_a_changed_byte_is_refused_or_does_not_matter(tmp_path_factory, place, change):
    damaged = bytearray(WHOLE)
    damaged[place] ^= change
    path = tmp_path_factory.mktemp("networks") / "network.npz"
    path.write_bytes(damaged)
    found, error = loaded(path)
    assert str(path) in error or same(found, replace(tiny(), record={"size": [6, 7]}))


@all_in_one(
    "options, message",
    [
        ({"padding": "reflect"}, "padding must be one of zeros, circular, got 'reflect'"),
        ({"classes": -1}, "classes must be a whole number >= 0, got -1"),
        ({"classes": 1.5}, "classes must be a whole number >= 0, got 1.5"),
        *[
            ({name: value}, f"{name} must be a whole number >= 1, got {value}")
            for name in ("colours", "width", "layers", "frequencies", "embedding")
            for value in (0, 2.5)
        ],
    ],
)
def test_refused_architectures(options, message):
    with pytest.raises(ValueError, match=message):
        Architecture(**options)


# --- those that come with the package

every_shipped = pytest.mark.parametrize("name", SHIPPED)
FASHION = td.data.fashion()[0]


@every_shipped
def test_a_shipped_network_is_the_papers(name):
    machine = network(name)
    architecture = machine.weights.architecture
    assert machine.name == name
    assert architecture == Architecture(padding=name.removeprefix("resnet-"))
    assert machine.canvas == FASHION.shape[2:]
    assert machine.weights.record["images"] == len(FASHION)
    assert machine.radius(1.0) == 8
    with pytest.raises(ValueError, match=f"{name} knows no classes"):
        network(name, label=0)


@every_shipped
def test_a_shipped_network_was_trained_on_the_shipped_images(name):
    assert network(name).weights.record["images_sha256"] == images_digest(FASHION)


@every_shipped
@pytest.mark.parametrize("sigma", [0.1, 0.5, 2.0])
def test_a_shipped_network_denoises(name, sigma):
    clean = FASHION[:8]
    noisy = td.denoising.add_noise(clean, sigma, rng=0)
    error = np.mean((network(name).denoise(noisy, sigma) - clean) ** 2)
    # Better than the best constant factor, S/(S + sigma²) y with S the mean square of a pixel.
    assert error < 0.5 * np.mean(clean**2) * sigma**2 / (np.mean(clean**2) + sigma**2)


@every_shipped
def test_a_shipped_network_samples_from_memory_or_from_its_file(name):
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "torch", None)
        images = sample(network(name), n=2, levels=td.denoising.cosine_levels(5))
    assert images.shape == (2, 1, *FASHION.shape[2:])
    assert np.abs(images).max() < 2
    assert same(network(str(files("turingdiff.data") / f"{name}.npz")).weights, network(name).weights)


def test_a_network_has_no_patches_to_explain_its_pixels():
    made = network(tiny())
    picture = np.zeros((1, 6, 7), np.float32)
    for explain in (td.denoising.mosaic, lambda *args: td.denoising.uncertainty(*args, 1.0)):
        with pytest.raises(ValueError, match="network has no training set, and so no training patches"):
            explain(made, picture)


def test_a_network_is_a_name_a_path_or_weights():
    with pytest.raises(TypeError, match="a network is a name, the path of a file, or Weights; got 3"):
        network(3)


def test_a_network_is_shown_in_a_line():
    assert "Architecture(colours=1, width=" in repr(network(tiny()))
    assert "\n" not in repr(network(tiny()))
