"""Patch sizes from a network: the best cosine similarity of scores along the network's own trajectory."""

import numpy as np
import pytest
from quick import all_in_one

import turingdiff as td
from turingdiff.denoising import calibrate_to, equivariant_local, ideal, local

LEVELS = (3.0, 1.0, 0.4, 0.15, 0)
SIZES = (3, 5, 7)


def pictures(count=12, size=9, seed=0):
    """Smooth pictures, so that windows of different sizes say different things."""
    rough = np.random.default_rng(seed).uniform(-1, 1, (count, 1, size, size)).astype(np.float32)
    return (rough + np.roll(rough, 1, 2) + np.roll(rough, 1, 3)) / 3


def stepped(sigma):
    return {3.0: 7, 1.0: 5, 0.4: 5, 0.15: 3}[min(LEVELS[:-1], key=lambda level: abs(level - sigma))]


@pytest.mark.parametrize("machine", [equivariant_local, local])
@pytest.mark.parametrize("boundary", ["zero", "periodic"])
def test_the_sizes_of_a_network_that_is_a_machine_are_found_level_by_level(machine, boundary):
    images = pictures()
    made = machine(images, patch=stepped, boundary=boundary)
    found = calibrate_to(made, images, machine, levels=LEVELS, patches=SIZES, trajectories=3)
    assert found.sizes == (3, 5, 5, 7)
    for sigma, size in zip(LEVELS, (7, 5, 5, 3), strict=False):
        assert found(sigma) == size
        similar = found.similarities[list(found.levels).index(sigma), SIZES.index(size)]
        np.testing.assert_allclose(similar, 1, atol=1e-5)
    assert (found.similarities <= 1 + 1e-6).all()


def test_a_size_is_used_at_the_level_it_was_chosen_at():
    images = pictures()
    found = calibrate_to(equivariant_local(images, patch=stepped), images, levels=LEVELS, patches=SIZES, trajectories=1)
    machine = equivariant_local(images, patch=found)
    assert [2 * machine.radius(sigma) + 1 for sigma in LEVELS[:-1]] == [7, 5, 5, 3]


def test_the_similarity_is_that_of_the_scores_on_the_networks_trajectory():
    images = pictures()
    network = ideal(images)
    found = calibrate_to(network, images, boundary="zero", levels=LEVELS, patches=SIZES, trajectories=2, rng=5)
    fields = dict(td.evolve(network, network.initial((9, 9), 5, replicas=2), LEVELS))
    for n, sigma in enumerate(found.levels):
        abar = 1 / (1 + sigma**2)
        phi = fields[sigma] * np.sqrt(abar).astype(np.float32)
        theirs = network.score(phi, abar).reshape(2, -1)
        for m, size in enumerate(SIZES):
            ours = equivariant_local(images, patch=size).score(phi, abar).reshape(2, -1)
            cosine = (ours * theirs).sum(1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(theirs, axis=1)
            np.testing.assert_allclose(found.similarities[n, m], cosine, atol=1e-4)


def test_the_median_over_trajectories_is_the_lower_one():
    images = pictures()
    found = calibrate_to(ideal(images), images, boundary="zero", levels=LEVELS, patches=SIZES, trajectories=4)
    for sizes, size in zip(found.similarities.argmax(axis=1), found.sizes, strict=True):
        assert SIZES.index(size) == sorted(sizes)[1]


def test_the_default_sizes_end_at_the_receptive_field():
    images = pictures(size=11)
    network = equivariant_local(images, patch=5)
    found = calibrate_to(network, images, levels=(1.0, 0.3, 0), trajectories=1)
    assert found.patches == (3, 5)
    assert calibrate_to(ideal(images), images, levels=(1.0, 0), trajectories=1).patches == (3, 5, 7, 9, 11)
    assert str(found).splitlines()[0] == "   sigma  patch  cosine similarity"
    assert len(str(found).splitlines()) == 3


@all_in_one(
    ("options", "match"),
    [
        ({"machine": ideal}, "such as equivariant_local and local, got ideal"),
        ({"trajectories": 0}, "trajectories must be a whole number >= 1, got 0"),
        ({"levels": (0.1, 1.0)}, r"levels must fall from noise to image, got 0\.1 to 1\.0"),
        ({"patches": (4,)}, "must be odd"),
        ({"patches": ()}, "no patch sizes to choose from"),
    ],
)
def test_refused(options, match):
    images = pictures(4)
    with pytest.raises(ValueError, match=match):
        calibrate_to(equivariant_local(images, patch=3), images, **options)


def test_images_of_other_channels_are_refused():
    images = pictures(4)
    with pytest.raises(ValueError, match="ELS has 1 channels, the images 2"):
        calibrate_to(equivariant_local(images, patch=3), np.concatenate([images, images], axis=1))
