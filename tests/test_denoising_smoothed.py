"""The smoothed machine: closed-form diffusion with perturbations drawn once."""

from itertools import combinations_with_replacement

import naive_denoising as naive
import numpy as np
import pytest
from quick import all_in_one

import turingdiff as td
from turingdiff.denoising import ideal, sample, smoothed
from turingdiff.denoising._smoothed import smoothed_cell

SIGMAS = (0.05, 0.3, 1.0, 5.0, 80.0)


def pictures(shape, dtype=np.float32, seed=0):
    rng = np.random.default_rng(seed)
    if dtype == np.uint8:
        return rng.integers(0, 256, shape, np.uint8)
    return rng.uniform(-1, 1, shape).astype(dtype)


def in_the_frame_of_the_authors(images, noise, std, z, t):
    """k_t(z + std e) averaged over e, and from it the clean image k/t: z = t x + (1 - t) n."""
    x, total = naive.unit(images), 0
    for e in noise:
        squared = ((z + std * e - t * x) ** 2).sum((1, 2, 3))
        weights = np.exp((squared.min() - squared) / (2 * (1 - t) ** 2))
        total = total + np.tensordot(weights / weights.sum(), t * x, 1)
    return total / len(noise) / t


# --- the definition


@pytest.mark.parametrize("sigma", SIGMAS)
@pytest.mark.parametrize("shape, dtype", [((7, 1, 5, 6), np.float32), ((300, 3, 4, 4), np.uint8)])
def test_it_is_the_definition_of_the_authors_in_their_frame(shape, dtype, sigma):
    images = pictures(shape, dtype)
    machine = smoothed(images, std=0.4, perturbations=6, seed=3)
    y = pictures((2, *shape[1:]), float, seed=1) * (1 + sigma)
    t = 1 / (1 + sigma)
    noise = machine.params["perturbations"]
    expected = [in_the_frame_of_the_authors(images, noise, 0.4, t * field, t) for field in y]
    np.testing.assert_allclose(machine.denoise(y, sigma), expected, rtol=0, atol=1e-10)
    single = machine.denoise(y.astype(np.float32), sigma)
    np.testing.assert_allclose(single, machine.denoise(y.astype(np.float32).astype(float), sigma), rtol=0, atol=1e-6)


def test_the_perturbations_are_standard_normal_and_drawn_once_from_the_seed():
    images = pictures((2, 3, 16, 16))
    machine = smoothed(images, perturbations=40, seed=5)
    noise = machine.params["perturbations"]
    assert noise.shape == (40, 3, 16, 16)
    assert noise.mean() == pytest.approx(0, abs=5 / np.sqrt(noise.size))
    assert noise.var() == pytest.approx(1, abs=5 * np.sqrt(2 / noise.size))
    y = pictures((1, 3, 16, 16))
    first = machine.denoise(y, 0.2).tobytes()
    assert machine.denoise(y, 0.2).tobytes() == first
    assert smoothed(images, perturbations=40, seed=5).denoise(y, 0.2).tobytes() == first
    np.testing.assert_array_equal(smoothed(images, perturbations=9, seed=5).params["perturbations"], noise[:9])
    assert not np.array_equal(smoothed(images, perturbations=9, seed=6).params["perturbations"], noise[:9])


def test_an_average_of_whole_scores_would_push_the_field():
    # By the mean perturbation over sigma²: the difference between the definition and the score's own average.
    images, sigma = pictures((5, 1, 4, 4)), 0.1
    machine = smoothed(images, std=0.3, perturbations=4)
    y = images[0].astype(float)
    offsets = 0.3 * (1 + sigma) * machine.params["perturbations"]
    scores = [(ideal(images).denoise(y + e, sigma) - (y + e)) / sigma**2 for e in offsets]
    score = (machine.denoise(y, sigma) - y) / sigma**2
    np.testing.assert_allclose(np.mean(scores, axis=0), score - offsets.mean(axis=0) / sigma**2, atol=1e-9)
    assert np.abs(offsets.mean(axis=0) / sigma**2).max() > 10


# --- limits


@pytest.mark.parametrize("sigma", SIGMAS)
def test_without_perturbation_it_is_the_ideal_machine(sigma):
    images, y = pictures((6, 2, 4, 5)), pictures((2, 2, 4, 5), float, seed=1)
    exact = ideal(images).denoise(y, sigma)
    np.testing.assert_allclose(smoothed(images, std=0).denoise(y, sigma), exact, rtol=0, atol=1e-15)
    errors = [np.abs(smoothed(images, std=std).denoise(y, sigma) - exact).max() for std in (1e-1, 1e-3, 1e-5)]
    assert errors[2] <= 1e-9 or errors[0] > 10 * errors[1] > 100 * errors[2]


def test_many_perturbations_tend_to_the_smoothing_by_a_gaussian():
    # Two images ±a: D = a tanh(<y, a>/sigma²), averaged over <y, a> ~ N(., (s |a|)²), by quadrature.
    a = np.full((1, 2, 2), 0.5)
    images = np.stack([a, -a]).astype(np.float32)
    sigma, std, y = 0.5, 0.3, np.full((1, 2, 2), 0.1)
    points, weights = np.polynomial.hermite_e.hermegauss(60)
    along = (y * a).sum() + std * (1 + sigma) * np.sqrt((a * a).sum()) * points
    expected = (weights * np.tanh(along / sigma**2)).sum() / weights.sum() * a
    found = smoothed(images, std=std, perturbations=20_000, seed=1).denoise(y, sigma)
    np.testing.assert_allclose(found, expected, atol=5 * 0.5 / np.sqrt(20_000))
    assert np.abs(ideal(images).denoise(y, sigma) - expected).max() > 0.03


@pytest.mark.parametrize("sigma", [1e-3, 1e-5])
def test_at_low_noise_it_is_the_barycentre_of_the_nearest_images(sigma):
    images = 0.3 * pictures((5, 1, 3, 3))
    machine = smoothed(images, std=0.5, perturbations=4, seed=2)
    y = pictures((6, 1, 3, 3), float, seed=4) * 0.3
    for field, D in zip(y, machine.denoise(y, sigma), strict=True):
        perturbed = field + 0.5 * (1 + sigma) * machine.params["perturbations"]
        nearest = [((images - q) ** 2).sum((1, 2, 3)).argmin() for q in perturbed]
        np.testing.assert_allclose(D, images[nearest].astype(float).mean(axis=0), rtol=0, atol=1e-7)


def test_its_samples_are_barycentres_where_the_ideal_machine_remembers():
    images = 0.2 * pictures((4, 1, 3, 3))
    levels = td.denoising.karras_levels(40)
    M = 3
    machine = smoothed(images, std=0.5, perturbations=M, seed=1)
    made = sample(machine, n=12, levels=levels, rng=0, dtype=np.float64)
    memories = sample(ideal(images), n=12, levels=levels, rng=0, dtype=np.float64)
    barycentres = np.stack([images[list(k)].mean(0) for k in combinations_with_replacement(range(4), M)])

    def distance(x, to):
        return np.abs(to - x).max((1, 2, 3)).min()

    assert max(distance(x, images) for x in memories) < 1e-6
    assert max(distance(x, barycentres) for x in made) < 1e-6
    assert np.mean([distance(x, images) > 0.01 for x in made]) > 0.5


# --- what must not matter


def test_bytes_do_not_depend_on_the_other_samples():
    machine, y = smoothed(pictures((300, 1, 5, 6)), std=0.2), pictures((4, 1, 5, 6))
    together = machine.denoise(y, 0.4)
    assert [machine.denoise(field, 0.4).tobytes() for field in y] == [D.tobytes() for D in together]


def test_neither_the_order_of_the_images_nor_copies_of_them_matter():
    images, y = pictures((300, 1, 4, 4)), pictures((2, 1, 4, 4), float, seed=1)
    D = smoothed(images, std=0.2).denoise(y, 0.5)
    for same in (images[::-1], np.concatenate([images, images])):
        np.testing.assert_allclose(smoothed(same, std=0.2).denoise(y, 0.5), D, rtol=0, atol=1e-6)


def test_classes_share_the_perturbations():
    images, y = pictures((6, 1, 5, 5)), pictures((1, 1, 5, 5))
    options = {"std": 0.3, "perturbations": 4, "seed": 7}
    one = smoothed(images, **options, labels=[0, 1, 0, 2, 1, 0]).conditional(1)
    assert one.cell is smoothed_cell
    assert one.denoise(y, 0.5).tobytes() == smoothed(images[[1, 4]], **options).denoise(y, 0.5).tobytes()


def test_it_is_not_equivariant():
    images, y = pictures((4, 1, 6, 6)), pictures((1, 1, 6, 6), float, seed=1)
    machine = smoothed(images, std=0.3)
    moved = machine.denoise(np.roll(y, (1, 2), (2, 3)), 0.8)
    assert np.abs(moved - np.roll(machine.denoise(y, 0.8), (1, 2), (2, 3))).max() > 0.01


# --- at the door


@all_in_one(
    "options, error, match",
    [
        ({"std": -0.1}, ValueError, r"std must be finite and >= 0, got -0\.1"),
        ({"std": np.nan}, ValueError, "std must be finite"),
        ({"perturbations": 0}, ValueError, "perturbations must be >= 1, got 0"),
        ({"perturbations": 2.5}, TypeError, r"perturbations must be a whole number, got 2\.5"),
        ({"seed": -1}, ValueError, "seed must be >= 0, got -1"),
        ({"seed": np.random.default_rng(0)}, TypeError, "seed must be a whole number, got Generator"),
        ({"seed": True}, TypeError, "seed must be a whole number, got True"),
    ],
)
def test_refused_options(options, error, match):
    with pytest.raises(error, match=match):
        smoothed(pictures((2, 1, 5, 6)), **options)


def test_a_field_of_another_size_is_refused():
    with pytest.raises(ValueError, match=r"size of the training images \(5, 6\), got \(6, 5\)"):
        smoothed(pictures((2, 1, 5, 6))).denoise(np.zeros((1, 6, 5)), 1.0)
