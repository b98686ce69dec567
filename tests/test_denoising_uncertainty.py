from functools import partial

import naive_denoising as naive
import numpy as np
import pytest
from quick import all_in_one

import turingdiff as td
from turingdiff.denoising import add_noise, equivariant_local, ideal, local, uncertainty, wiener
from turingdiff.engine.compile import kernel
from turingdiff.patches.lanes import LANES, fast_exp

compiled = pytest.mark.compiled
MACHINES = {
    "local zero": local,
    "local periodic": partial(local, boundary="periodic"),
    "equivariant zero": equivariant_local,
    "equivariant periodic": partial(equivariant_local, boundary="periodic"),
}
kinds = pytest.mark.parametrize("kind", naive.KINDS)
SIGMAS = (0.05, 0.3, 1.0, 7.0, 80.0)


def pictures(*shape, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


def noisy(images, sigma, seed=1, dtype=float):
    return (images[0] + sigma * np.random.default_rng(seed).standard_normal(images.shape[1:])).astype(dtype)


def brute_force(kind, images, y, sigma, k):
    """Entropy, largest weight and number of patches of every pixel."""
    found = np.empty((3, *y.shape[1:]))
    for pixel, _, squared in naive.pairs(kind, naive.unit(images), y.astype(float), k // 2):
        weights = np.exp((squared.min() - squared.ravel()) / (2 * sigma**2))
        weights /= weights.sum()
        positive = weights[weights > 0]
        found[:, *pixel] = -(positive * np.log(positive)).sum(), weights.max(), weights.size
    return found


def assert_brute_force(found, kind, images, y, sigma, k):
    entropy, largest, patches = brute_force(kind, images, y, sigma, k)
    np.testing.assert_allclose(found.entropy, entropy, rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.largest, largest, rtol=1e-9)
    np.testing.assert_array_equal(found.patches, patches)
    assert (found.sigma, found.patch) == (sigma, k)


@kinds
@pytest.mark.parametrize("sigma", SIGMAS)
def test_the_entropy_of_a_small_set_is_that_of_the_brute_force(kind, sigma):
    images = pictures(3, 2, 5, 6)
    y = noisy(images, sigma)
    assert_brute_force(uncertainty(MACHINES[kind](images, 3), y, sigma), kind, images, y, sigma, 3)


@compiled
@kinds
@pytest.mark.parametrize("sigma", SIGMAS)
@pytest.mark.parametrize("shape", [(LANES + 6, 1, 8, 8), (2 * LANES + 1, 3, 7, 6)])
def test_the_entropy_over_blocks_of_images_is_that_of_the_brute_force(kind, sigma, shape):
    images = td.data.from_unit(pictures(*shape))
    y = noisy(naive.unit(images), sigma, dtype=np.float32)
    assert_brute_force(uncertainty(MACHINES[kind](images, 5), y, sigma), kind, images, y, sigma, 5)


@compiled
def test_a_canvas_larger_than_the_images():
    images, y = pictures(5, 1, 7, 6), pictures(1, 12, 9, seed=1).astype(float)
    assert_brute_force(uncertainty(equivariant_local(images, 3), y, 0.6), "equivariant zero", images, y, 0.6, 3)


@compiled
@kinds
@pytest.mark.parametrize("sigma", SIGMAS)
def test_the_entropy_lies_between_0_and_that_of_equal_weights(kind, sigma):
    images = pictures(LANES + 5, 1, 7, 7)
    found = uncertainty(MACHINES[kind](images, 3), noisy(images, sigma), sigma)
    assert (found.entropy >= 0).all()
    assert (found.entropy <= np.log(found.patches)).all()
    # The entropy of any distribution is at least that of its largest weight alone.
    assert (found.sources * found.largest >= 1 - 1e-12).all()


@kinds
def test_at_the_highest_noise_all_admissible_patches_weigh_the_same(kind):
    images = pictures(3, 1, 5, 5)
    found = uncertainty(MACHINES[kind](images, 3), noisy(images, 1.0), 1e6)
    np.testing.assert_allclose(found.sources, found.patches, rtol=1e-9)
    np.testing.assert_allclose(found.largest, 1 / found.patches, rtol=1e-4)
    places = {"local": [1] * 5, "equivariant periodic": [25] * 5, "equivariant zero": [3, 9, 9, 9, 3]}
    assert found.patches[2].tolist() == [3 * n for n in places.get(kind, places["local"])]


@kinds
def test_at_the_lowest_noise_the_nearest_patches_share_all_weight(kind):
    images = np.concatenate([pictures(2, 1, 5, 5), np.tile(pictures(1, 1, 5, 5, seed=7), (3, 1, 1, 1))])
    machine = MACHINES[kind](images, 3)
    alone, tripled = (uncertainty(machine, images[n].astype(float), 1e-4) for n in (0, 2))
    np.testing.assert_allclose(alone.entropy, 0, atol=1e-12)
    np.testing.assert_allclose(tripled.entropy, np.log(3), rtol=1e-12)
    np.testing.assert_allclose(tripled.sources, 3, rtol=1e-12)
    np.testing.assert_allclose(tripled.largest, 1 / 3, rtol=1e-12)


@pytest.mark.parametrize("sigma", SIGMAS)
def test_the_ideal_machine_has_one_distribution_for_the_whole_image(sigma):
    images = pictures(6, 2, 5, 4)
    y = noisy(images, sigma)
    found = uncertainty(ideal(images), y, sigma)
    logits = -((images.astype(float) - y) ** 2).sum((1, 2, 3)) / (2 * sigma**2)
    weights = np.exp(logits - logits.max())
    weights /= weights.sum()
    positive = weights[weights > 0]
    np.testing.assert_allclose(found.entropy, -(positive * np.log(positive)).sum(), atol=1e-10)
    np.testing.assert_allclose(found.largest, weights.max(), rtol=1e-10)
    assert (found.patches == 6).all()


def test_from_the_nearest_patch_far_off_nothing_overflows():
    images = pictures(3, 1, 5, 5)
    found = uncertainty(equivariant_local(images, 3), 1e3 * noisy(images, 1.0), 0.01)
    assert np.isfinite(found.entropy).all()
    np.testing.assert_allclose(found.largest, 1, rtol=1e-12)


@compiled
def test_replicas_are_separate_and_threads_do_not_matter(threads):
    images = pictures(3 * LANES, 1, 8, 8)
    machine = equivariant_local(images, 3)
    fields = add_noise(images[:3], 0.5, rng=1)
    together = uncertainty(machine, fields, 0.5)
    assert together.entropy.shape == together.largest.shape == (3, 8, 8)
    for n in range(3):
        alone = uncertainty(machine, fields[n], 0.5)
        assert alone.entropy.tobytes() == together.entropy[n].tobytes()
        assert alone.largest.tobytes() == together.largest[n].tobytes()
    known = brute_force("equivariant zero", images, fields[0], 0.5, 3)[0]
    np.testing.assert_allclose(together.entropy[0], known, atol=1e-9)


@compiled
def test_the_order_of_the_images_does_not_matter():
    images = pictures(2 * LANES + 9, 1, 7, 7)
    y = noisy(images, 0.4)
    forth, back = (uncertainty(equivariant_local(x, 3), y, 0.4) for x in (images, images[::-1]))
    np.testing.assert_allclose(forth.entropy, back.entropy, rtol=0, atol=1e-12)


def test_the_patch_is_the_one_of_the_level():
    images = pictures(2, 1, 5, 5)
    machine = equivariant_local(images, lambda sigma: 1 if sigma < 0.1 else 3)
    assert [uncertainty(machine, noisy(images, 1.0), sigma).patch for sigma in (0.05, 0.5)] == [1, 3]


@compiled
def test_the_exponential_of_the_kernels_in_float64():
    x = np.concatenate([np.linspace(-708, 80, 100_001), -np.geomspace(1e-18, 1, 100), [0.0, -750.0, -1e30]])
    double = kernel(_exponentials, False)
    found = np.empty_like(x)
    double(x, found)
    np.testing.assert_allclose(found, np.exp(np.maximum(x, -708.0).astype(np.longdouble)).astype(float), rtol=4.5e-16)


def _exponentials(x, out):
    for n in range(x.size):
        out[n] = fast_exp(x[n])


@all_in_one("sigma", [0, -1.0, np.inf, np.nan])
def test_refused_levels(sigma):
    images = pictures(2, 1, 5, 5)
    with pytest.raises(ValueError, match="sigma must be positive and finite"):
        uncertainty(local(images, 3), images[0], sigma)


def test_refused_machines_and_fields():
    images = pictures(3, 1, 5, 5)
    with pytest.raises(ValueError, match="wiener has no softmax over the patches of a pixel"):
        uncertainty(wiener(images), images[0], 1.0)
    with pytest.raises(ValueError, match=r"size of the training images \(5, 5\), got \(6, 5\)"):
        uncertainty(local(images, 3), pictures(1, 6, 5), 1.0)
    with pytest.raises(ValueError, match=r"1 channel \(grey\)"):
        uncertainty(local(images, 3), pictures(2, 5, 5), 1.0)
