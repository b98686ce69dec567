"""The training loop: what it learns, that it can be stopped and resumed, and what it refuses."""

import os
from dataclasses import asdict, replace

import numpy as np
import pytest
from quick import all_in_one
from tiny_networks import same

torch = pytest.importorskip("torch")

import turingdiff as td  # noqa: E402
from turingdiff.denoising import network  # noqa: E402
from turingdiff.denoising._levels import cosine_sigma  # noqa: E402
from turingdiff.network import Settings, train  # noqa: E402
from turingdiff.network import _training as loop  # noqa: E402
from turingdiff.network._residual_network import ResidualNetwork  # noqa: E402
from turingdiff.network._weights import Architecture, load_weights, time_features  # noqa: E402

SMALL = Architecture(width=4, layers=1, frequencies=4, embedding=8)
SHORT = Settings(architecture=SMALL, steps=40, batch=4, save_every=10)
LABELS = np.arange(12) % 3


def stripes(count=12, channels=1):
    """Images of stripes: a neighbour tells much of a pixel."""
    row = np.sign(np.sin(np.arange(8)[:, None] * 1.6 + np.arange(count)))
    return np.broadcast_to(row.T[:, None, None, :], (count, channels, 8, 8)).astype(np.float32).copy()


IMAGES = stripes()


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def killed(images, path, settings, step, **options):
    """Train, and interrupt it after `step` steps."""
    advance = loop._Training.advance

    def interrupted(training, *arguments):
        if training.step == step:
            raise KeyboardInterrupt
        return advance(training, *arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop._Training, "advance", interrupted)
        with pytest.raises(KeyboardInterrupt):
            train(images, path, settings, **options)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def arrays_equal(found, expected):
    return all(found.arrays[name].tobytes() == array.tobytes() for name, array in expected.arrays.items())


# --- what it learns


@pytest.mark.parametrize("padding", ["zeros", "circular"])
def test_training_lowers_the_loss(padding, tmp_path):
    settings = Settings(architecture=replace(SMALL, padding=padding), steps=400, batch=8, rate=3e-3)
    record = train(IMAGES, tmp_path / "net.npz", settings).record
    first, *_, last = record["loss"]
    assert len(record["loss"]) == 4
    assert first < 1.1  # a network that says 0 has 1, the noise's own variance
    assert last < 0.7 * first


@pytest.mark.parametrize("padding", ["zeros", "circular"])
def test_a_trained_network_denoises(padding, tmp_path):
    path = tmp_path / "net.npz"
    train(IMAGES, path, Settings(architecture=replace(SMALL, padding=padding), steps=400, batch=8, rate=3e-3))
    noisy = td.denoising.add_noise(IMAGES, 0.5, rng=0)
    clean = network(path).denoise(noisy, 0.5)
    assert np.mean((clean - IMAGES) ** 2) < 0.6 * np.mean((noisy - IMAGES) ** 2)


def test_an_untrained_network_sees_no_noise():
    untrained = ResidualNetwork(SMALL)
    phi = torch.ones(1, 1, 8, 8)
    assert not untrained(phi, torch.ones(1, 8)).any()


def test_a_network_with_classes_learns_them(tmp_path):
    # One image a class: where there is nothing but noise, the class alone says what the image is.
    images = np.stack([np.full((1, 8, 8), value, np.float32) for value in (-0.9, 0.9)] * 4)
    labels = np.arange(8) % 2
    settings = Settings(architecture=replace(SMALL, classes=2), steps=400, batch=8, rate=1e-2)
    path = tmp_path / "net.npz"
    train(images, path, settings, labels=labels)
    dark, bright = (network(path, label=label).denoise(np.zeros((1, 8, 8)), 3.0).mean() for label in (0, 1))
    assert dark < -0.2
    assert bright > 0.2


# --- the file


@pytest.mark.parametrize("padding", ["zeros", "circular"])
@pytest.mark.parametrize("channels, classes", [(1, 0), (3, 0), (1, 3)])
def test_what_train_writes_is_what_network_reads(padding, channels, classes, tmp_path):
    path = tmp_path / "folder" / "net.npz"
    architecture = replace(SMALL, padding=padding, colours=channels, classes=classes)
    labels = LABELS if classes else None
    weights = train(stripes(channels=channels), path, replace(SHORT, architecture=architecture), labels=labels)
    assert names(path.parent) == ["net.npz"]
    assert same(load_weights(path), weights)
    machine = network(path, label=2 if classes else None)
    assert machine.canvas == (8, 8)
    field = np.random.default_rng(0).standard_normal((channels, 8, 8)).astype(np.float32)
    features = torch.from_numpy(time_features(np.array([0.7]), 4).astype(np.float32))
    phi = torch.from_numpy(field[None] / np.float32(np.sqrt(1.49)))
    with torch.no_grad():
        expected = ResidualNetwork.of(weights)(phi, features, torch.tensor([2]))[0].numpy()
    np.testing.assert_allclose(machine.rate(field, 0.7), expected, rtol=0, atol=1e-5)


def test_weights_go_to_pytorch_and_back():
    torch.manual_seed(3)
    there = ResidualNetwork(replace(SMALL, layers=2, classes=2))
    torch.nn.init.normal_(there.down.weight)
    weights = td.network.Weights(there.architecture, there.arrays(), {"size": [8, 8]})
    back = ResidualNetwork.of(weights)
    assert {name: value.tolist() for name, value in back.state_dict().items()} == {
        name: value.tolist() for name, value in there.state_dict().items()
    }


def test_the_record_says_how_it_was_trained(tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "RECORD_EVERY", 10)
    path = tmp_path / "net.npz"
    train(IMAGES, path, SHORT)
    record = load_weights(path).record
    settings = asdict(SHORT)
    assert {name: record[name] for name in settings if name != "architecture"} == {
        name: value for name, value in settings.items() if name != "architecture"
    }
    assert record["images"] == 12
    assert record["size"] == [8, 8]
    assert record["loss_every"] == 10
    assert len(record["loss"]) == 4
    assert record["seconds"] >= 0
    assert record["threads"] == 1
    assert record["torch"] == torch.__version__
    assert len(record["images_sha256"]) == 64


def test_the_record_knows_the_images_and_their_labels(tmp_path):
    one = replace(SHORT, steps=1)
    told = replace(one, architecture=replace(SMALL, classes=3))
    bytes_ = td.data.from_unit(IMAGES)
    found = [
        train(images, tmp_path / "net.npz", settings, labels=labels).record["images_sha256"]
        for images, settings, labels in [
            (IMAGES, one, None),
            (IMAGES[::-1].copy(), one, None),
            (bytes_, one, None),
            (IMAGES, told, LABELS),
            (IMAGES, told, LABELS[::-1]),
        ]
    ]
    assert len(set(found)) == 5


def test_the_learning_rate_falls_at_the_end(tmp_path, monkeypatch):
    rates = []
    step = torch.optim.AdamW.step

    def noted(optimiser, *arguments, **options):
        rates.append(optimiser.param_groups[0]["lr"])
        return step(optimiser, *arguments, **options)

    monkeypatch.setattr(torch.optim.AdamW, "step", noted)
    train(IMAGES, tmp_path / "net.npz", replace(SHORT, steps=20, rate=0.01))
    np.testing.assert_allclose(rates, [0.01] * 13 + [0.01 * n / 8 for n in range(7, 0, -1)])


def test_every_step_sees_other_noise_at_levels_spread_over_the_clock(tmp_path, monkeypatch):
    seen = []
    forward = ResidualNetwork.forward

    def noted(self, phi, features, labels=None):
        seen.append((phi.numpy().copy(), features.numpy().copy()))
        return forward(self, phi, features, labels)

    monkeypatch.setattr(ResidualNetwork, "forward", noted)
    blank = np.full((3, 1, 8, 8), 0.5, np.float32)
    train(blank, tmp_path / "net.npz", Settings(architecture=SMALL, steps=100, batch=8))
    phi, features = (np.stack(values) for values in zip(*seen, strict=True))
    assert phi.shape == (100, 8, 1, 8, 8)
    t = np.arcsin(features[..., 3]) * 10  # the slowest angle is t/10
    np.testing.assert_array_equal(np.sort(np.floor(8 * t), axis=1), np.broadcast_to(np.arange(8), (100, 8)))
    assert (np.ptp(t, axis=0) > 0.5).all()
    angle = np.arctan(cosine_sigma(t))[..., None, None, None]
    noise = (phi - np.cos(angle) * 0.5) / np.sin(angle)
    assert noise.mean() == pytest.approx(0, abs=5 / np.sqrt(noise.size))
    assert noise.var() == pytest.approx(1, abs=5 * np.sqrt(2 / noise.size))
    apart = np.corrcoef(noise.reshape(800, 64)) - np.eye(800)
    assert np.abs(apart).max() < 0.8  # no noise twice


def test_progress_is_shown_where_asked_for(tmp_path, capsys):
    train(IMAGES, tmp_path / "net.npz", SHORT)
    assert capsys.readouterr() == ("", "")
    train(IMAGES, tmp_path / "net.npz", SHORT, progress=True)
    assert "40/40" in capsys.readouterr().err


def test_the_images_are_not_written(tmp_path):
    images = IMAGES.copy()
    train(images, tmp_path / "net.npz", SHORT)
    np.testing.assert_array_equal(images, IMAGES)


def read_only(images):
    images.flags.writeable = False
    return images


@pytest.mark.parametrize(
    "images",
    [
        td.data.from_unit(IMAGES),
        IMAGES[:, 0],
        IMAGES.astype(np.float64),
        np.asfortranarray(IMAGES),
        IMAGES[::-1, :, ::-1],
        read_only(IMAGES.copy()),
    ],
    ids=["bytes", "no channel axis", "float64", "another order", "reversed", "read only"],
)
def test_every_set_of_images_trains(images, tmp_path):
    weights = train(images, tmp_path / "net.npz", replace(SHORT, steps=5))
    clean = td.data.to_unit(td.data.check_images(images)).copy()
    assert arrays_equal(weights, train(clean, tmp_path / "again.npz", replace(SHORT, steps=5)))


# --- the same training twice, and in two goes


def test_the_same_seed_gives_the_same_bytes_and_another_one_others(tmp_path):
    first, again, other = (
        train(IMAGES, tmp_path / f"{n}.npz", replace(SHORT, seed=seed)) for n, seed in enumerate((4, 4, 5))
    )
    assert arrays_equal(first, again)
    assert first.record["loss"] == again.record["loss"]
    assert not arrays_equal(first, other)


def test_what_was_drawn_before_does_not_matter(tmp_path):
    first = train(IMAGES, tmp_path / "net.npz", SHORT)
    torch.rand(7)
    np.random.default_rng().random(3)
    assert arrays_equal(train(IMAGES, tmp_path / "net.npz", replace(SHORT, save_every=3)), first)


@pytest.mark.parametrize("step", [0, 7, 20, 39])
@pytest.mark.parametrize("classes", [0, 3])
def test_a_killed_training_goes_on_as_if_nothing_had_been(step, classes, tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "RECORD_EVERY", 7)
    settings, path = replace(SHORT, architecture=replace(SMALL, classes=classes)), tmp_path / "net.npz"
    labels = LABELS if classes else None
    whole = train(IMAGES, tmp_path / "whole.npz", settings, labels=labels)
    killed(IMAGES, path, settings, step, labels=labels)
    assert names(tmp_path) == ["net.checkpoint", "whole.npz"]
    resumed = train(IMAGES, path, replace(settings, save_every=4), labels=labels, resume=True)
    assert arrays_equal(resumed, whole)
    assert resumed.record["loss"] == whole.record["loss"]
    assert names(tmp_path) == ["net.npz", "whole.npz"]


def test_a_training_may_be_killed_twice(tmp_path):
    whole = train(IMAGES, tmp_path / "whole.npz", SHORT)
    killed(IMAGES, tmp_path / "net.npz", SHORT, 15)
    killed(IMAGES, tmp_path / "net.npz", SHORT, 33, resume=True)
    assert arrays_equal(train(IMAGES, tmp_path / "net.npz", SHORT, resume=True), whole)


def test_a_killed_training_leaves_the_earlier_network_as_it_was(tmp_path):
    path = tmp_path / "net.npz"
    train(IMAGES, path, SHORT)
    before = path.read_bytes()
    killed(IMAGES, path, replace(SHORT, seed=1), 25)
    assert path.read_bytes() == before
    assert names(tmp_path) == ["net.checkpoint", "net.npz"]


def test_killed_while_a_checkpoint_is_written_the_one_before_holds(tmp_path):
    path, whole = tmp_path / "net.npz", train(IMAGES, tmp_path / "whole.npz", SHORT)
    write = torch.save

    def interrupted(held, to):
        write(held, to)
        if held["step"] == 20:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "save", interrupted)
        with pytest.raises(KeyboardInterrupt):
            train(IMAGES, path, SHORT)
    assert names(tmp_path) == ["net.checkpoint", "whole.npz"]
    assert torch.load(tmp_path / "net.checkpoint", weights_only=True)["step"] == 10
    assert arrays_equal(train(IMAGES, path, SHORT, resume=True), whole)


def test_a_network_that_cannot_be_read_back_leaves_its_checkpoint(tmp_path, monkeypatch):
    from turingdiff.network import _training

    monkeypatch.setattr(_training, "save_weights", lambda weights, path: path.write_bytes(b"PK"))
    with pytest.raises(ValueError, match="not a whole"):
        train(IMAGES, tmp_path / "net.npz", SHORT)
    assert names(tmp_path) == ["net.checkpoint", "net.npz"]


def test_a_checkpoint_is_not_written_over(tmp_path):
    path = tmp_path / "net.npz"
    killed(IMAGES, path, SHORT, 25)
    before = (tmp_path / "net.checkpoint").read_bytes()
    with pytest.raises(FileExistsError, match=r"net\.checkpoint is of a training that was not finished.*--resume"):
        train(IMAGES, path, SHORT)
    assert (tmp_path / "net.checkpoint").read_bytes() == before


def test_there_must_be_a_checkpoint_to_resume_from(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no checkpoint .*net\.checkpoint to resume from"):
        train(IMAGES, tmp_path / "net.npz", SHORT, resume=True)
    assert names(tmp_path) == []


@pytest.mark.parametrize("length", [0, 100, -100])
def test_a_damaged_checkpoint_is_named(length, tmp_path):
    path, checkpoint = tmp_path / "net.npz", tmp_path / "net.checkpoint"
    killed(IMAGES, path, SHORT, 25)
    checkpoint.write_bytes(checkpoint.read_bytes()[:length])
    with pytest.raises(ValueError, match=r"net\.checkpoint"):
        train(IMAGES, path, SHORT, resume=True)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"rate": 0.01}, "made with rate = 0.001, not 0.01"),
        ({"batch": 5}, "made with batch = 4, not 5"),
        ({"seed": 1}, "made with seed = 0, not 1"),
        ({"architecture": replace(SMALL, width=5)}, "made with architecture = .*'width': 4.* not .*'width': 5"),
        ({"architecture": replace(SMALL, padding="circular")}, "made with architecture = .*'zeros'.* not .*'circular'"),
    ],
)
def test_other_settings_are_refused_on_resuming(change, message, tmp_path):
    killed(IMAGES, tmp_path / "net.npz", SHORT, 25)
    with pytest.raises(ValueError, match=message):
        train(IMAGES, tmp_path / "net.npz", replace(SHORT, **change), resume=True)
    assert names(tmp_path) == ["net.checkpoint"]


def test_other_images_and_labels_are_refused_on_resuming(tmp_path):
    killed(IMAGES, tmp_path / "net.npz", SHORT, 25)
    for images in (IMAGES[:11], -IMAGES, IMAGES.reshape(12, 1, 4, 16)):
        with pytest.raises(ValueError, match="made with images_sha256 = "):
            train(images, tmp_path / "net.npz", SHORT, resume=True)
    told = replace(SHORT, architecture=replace(SMALL, classes=3))
    killed(IMAGES, tmp_path / "told.npz", told, 25, labels=LABELS)
    with pytest.raises(ValueError, match="made with images_sha256 = "):
        train(IMAGES, tmp_path / "told.npz", told, labels=LABELS[::-1], resume=True)


def test_a_training_can_be_made_longer_before_its_rate_falls(tmp_path):
    longer = replace(SHORT, steps=60)
    whole = train(IMAGES, tmp_path / "whole.npz", longer)
    killed(IMAGES, tmp_path / "net.npz", SHORT, 25)  # the checkpoint is of step 20
    extended = train(IMAGES, tmp_path / "net.npz", longer, resume=True)
    assert arrays_equal(extended, whole)
    assert extended.record["steps"] == 60


@pytest.mark.parametrize("steps", [39, 41, 400])
def test_while_the_rate_falls_the_number_of_steps_is_fixed(steps, tmp_path):
    settings = replace(SHORT, save_every=5)
    killed(IMAGES, tmp_path / "net.npz", settings, 37)  # the checkpoint is of step 35
    with pytest.raises(ValueError, match="the number of steps stays 40"):
        train(IMAGES, tmp_path / "net.npz", replace(settings, steps=steps), resume=True)
    whole = train(IMAGES, tmp_path / "whole.npz", settings)
    assert arrays_equal(train(IMAGES, tmp_path / "net.npz", settings, resume=True), whole)


@pytest.mark.parametrize("steps", [10, 20, 24])
def test_a_training_cannot_be_made_shorter_than_it_is(steps, tmp_path):
    killed(IMAGES, tmp_path / "net.npz", SHORT, 25)  # the checkpoint is of step 20
    with pytest.raises(ValueError, match="checkpoint"):
        train(IMAGES, tmp_path / "net.npz", replace(SHORT, steps=steps), resume=True)
    assert names(tmp_path) == ["net.checkpoint"]


# --- what it refuses


def test_a_loss_that_is_not_finite_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"the loss is (nan|inf) at step \d+: try a rate below 1e\+30"):
        train(IMAGES, tmp_path / "net.npz", replace(SHORT, rate=1e30))
    assert not (tmp_path / "net.npz").exists()


@pytest.mark.parametrize(
    "labels, classes, message",
    [
        (None, 3, "3 classes needs 12 labels from 0 to 2, got None"),
        (LABELS, 0, "labels are for a network with classes"),
        (LABELS[:5], 3, "3 classes needs 12 labels from 0"),
        (LABELS[:, None], 3, "3 classes needs 12 labels from 0"),
        (LABELS - 1, 3, "3 classes needs 12 labels from 0"),
        (LABELS, 2, "2 classes needs 12 labels from 0"),
        (LABELS + 0.5, 4, "4 classes needs 12 labels from 0"),
        (LABELS * np.nan, 3, "3 classes needs 12 labels from 0"),
        (["a", "b", "c"] * 4, 3, "3 classes needs 12 labels from 0"),
    ],
)
def test_labels_that_do_not_fit(labels, classes, message, tmp_path):
    settings = replace(SHORT, architecture=replace(SMALL, classes=classes))
    with pytest.raises(ValueError, match=message):
        train(IMAGES, tmp_path / "net.npz", settings, labels=labels)
    assert names(tmp_path) == []


@pytest.mark.parametrize("labels", [LABELS.tolist(), LABELS.astype(np.uint8), LABELS.astype(float)])
def test_labels_come_in_any_form(labels, tmp_path):
    told = replace(SHORT, architecture=replace(SMALL, classes=3), steps=3)
    expected = train(IMAGES, tmp_path / "net.npz", told, labels=LABELS)
    found = train(IMAGES, tmp_path / "net.npz", told, labels=labels)
    assert arrays_equal(found, expected)
    assert found.record["images_sha256"] == expected.record["images_sha256"]


@pytest.mark.parametrize(
    "images, error, message",
    [
        (stripes(channels=3), ValueError, r"the network is of 1 channels, the images \(12, 3, 8, 8\)"),
        (IMAGES * 2, ValueError, r"expected \[-1, 1\]"),
        (IMAGES * np.nan, ValueError, "NaN"),
        (IMAGES[:0], ValueError, "empty"),
        (IMAGES.astype(int), TypeError, "expected uint8"),
    ],
)
def test_images_that_do_not_fit(images, error, message, tmp_path):
    with pytest.raises(error, match=message):
        train(images, tmp_path / "net.npz", SHORT)
    assert names(tmp_path) == []


@all_in_one(
    "options, message",
    [
        *[
            ({name: value}, f"{name} must be a whole number >= 1, got {value}")
            for name in ("steps", "batch", "save_every")
            for value in (0, -3, 2.5)
        ],
        *[({"rate": value}, f"rate must be a positive number, got {value}") for value in (0, -1, np.nan, np.inf)],
        *[({"seed": value}, f"seed must be a whole number >= 0, got {value}") for value in (-1, 0.5)],
    ],
)
def test_refused_settings(options, message):
    with pytest.raises(ValueError, match=message):
        Settings(**options)


def test_the_settings_of_the_paper_are_the_default():
    assert Settings().architecture == Architecture(colours=1, width=64, layers=6, padding="zeros", classes=0)


def no_step(*_):
    raise AssertionError("a step was taken")


def test_a_place_that_cannot_be_written_is_found_before_the_first_step(tmp_path, monkeypatch):
    monkeypatch.setattr(loop._Training, "advance", no_step)
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError, match="is a file, not a folder"):
        train(IMAGES, tmp_path / "file" / "net.npz", SHORT)
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError, match="is a folder"):
        train(IMAGES, tmp_path / "folder", SHORT)
    if hasattr(os, "geteuid") and os.geteuid() != 0:
        (tmp_path / "folder").chmod(0o500)
        with pytest.raises(PermissionError, match="no permission"):
            train(IMAGES, tmp_path / "folder" / "net.npz", SHORT)


def test_a_network_is_not_taken_for_its_own_checkpoint(tmp_path):
    with pytest.raises(ValueError, match="checkpoint"):
        train(IMAGES, tmp_path / "net.checkpoint", SHORT)
    assert names(tmp_path) == []


def test_two_networks_in_a_folder_have_their_own_checkpoints(tmp_path):
    killed(IMAGES, tmp_path / "net.v1.npz", SHORT, 15)
    killed(IMAGES, tmp_path / "net.v2.npz", SHORT, 15)
    assert len(names(tmp_path)) == 2
