from functools import partial

import naive_denoising as naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from quick import all_in_one

import turingdiff as td
from turingdiff.denoising import _patch_composite as patch_averages
from turingdiff.denoising import cosine_levels, ideal, karras_levels, local
from turingdiff.denoising._patch_composite import onto_pixels, patch_composite
from turingdiff.patches.box_sums import run_sums

LEVELS = [*cosine_levels(20)[:-1], 0.05]
boundaries = pytest.mark.parametrize("boundary", ["zero", "periodic"])
# The published sizes for CIFAR10, from high noise to low.
SIZES = [32] * 7 + [23, 15, 11, 7, 5] + [3] * 6


def pictures(shape, dtype=np.float32, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, shape, np.uint8) if dtype == np.uint8 else rng.uniform(-1, 1, shape).astype(dtype)


def noisy(shape, sigma, seed=1, dtype=np.float64):
    rng = np.random.default_rng(seed)
    return (rng.uniform(-1, 1, shape) + sigma * rng.standard_normal(shape)).astype(dtype)


def brute_force(images, y, sigma, k, boundary):
    """The composite of one field, patch by patch: crop, posterior mean of the crop, put back, divide by the count."""
    x, (H, W) = naive.unit(images), y.shape[1:]
    kh, kw = min(k, H), min(k, W)
    torus = boundary == "periodic"
    composite, count = np.zeros(y.shape), np.zeros((H, W))
    for top in range(H if torus else H - kh + 1):
        for left in range(W if torus else W - kw + 1):
            crop = np.ix_(np.arange(top, top + kh) % H, np.arange(left, left + kw) % W)
            patches, query = x[:, :, *crop], y[:, *crop]
            squared = ((query - patches) ** 2).sum((1, 2, 3))
            weights = np.exp((squared.min() - squared) / (2 * sigma**2))
            composite[:, *crop] += np.tensordot(weights / weights.sum(), patches, 1)
            count[crop] += 1
    return composite / count


# --- equal to the brute force


@boundaries
@pytest.mark.parametrize("shape", [(3, 1, 5, 6), (9, 3, 4, 5), (5, 2, 6, 3)])
@pytest.mark.parametrize("k", [1, 2, 3, 4, 5, 6, 9])
def test_pixels_equal_the_brute_force_at_every_level(shape, k, boundary):
    images = pictures(shape)
    machine = patch_composite(images, k, boundary)
    for sigma in LEVELS:
        y = noisy((2, *shape[1:]), sigma)
        expected = [brute_force(images, field, sigma, k, boundary) for field in y]
        np.testing.assert_allclose(machine.denoise(y, sigma), expected, rtol=0, atol=1e-11)


@boundaries
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize("field", [np.float32, np.float64])
def test_more_images_than_two_blocks(boundary, dtype, field):
    images = pictures((2 * patch_averages.IMAGES_AT_ONCE + 3, 3, 6, 5), dtype)
    for sigma in (0.05, 0.5, 3.0, 80.0):
        y = noisy((3, 3, 6, 5), sigma, dtype=field)
        found = patch_composite(images, 3, boundary).denoise(y, sigma)
        expected = [brute_force(images, one, sigma, 3, boundary) for one in y.astype(float)]
        assert found.dtype == field
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6 if field == np.float32 else 1e-11)


@given(
    shape=st.tuples(st.integers(1, 5), st.integers(1, 3), st.integers(1, 7), st.integers(1, 7)),
    k=st.integers(1, 8),
    sigma=st.floats(0.02, 100),
    boundary=st.sampled_from(["zero", "periodic"]),
    seed=st.integers(0, 99),
)
def test_anything_equals_the_brute_force(shape, k, sigma, boundary, seed):
    images, y = pictures(shape, seed=seed), noisy(shape[1:], sigma, seed + 1)
    found = patch_composite(images, k, boundary).denoise(y, sigma)
    np.testing.assert_allclose(found, brute_force(images, y, sigma, k, boundary), rtol=0, atol=1e-10)


# --- sums over windows


@given(st.integers(1, 30), st.data())
def test_run_sums_are_the_sums_of_neighbours(n, data):
    k = data.draw(st.integers(1, n))
    a = data.draw(st.lists(st.integers(-99, 99), min_size=n, max_size=n).map(np.array))
    np.testing.assert_array_equal(run_sums(a.astype(float), k), np.convolve(a, np.ones(k), "valid"))


@pytest.mark.parametrize("k", range(1, 17))
def test_what_is_outside_a_run_leaves_no_trace(k):
    a = np.random.default_rng(0).uniform(size=30)
    for i in range(30 - k + 1):
        other = np.full(30, 1e16)
        other[i : i + k] = a[i : i + k]
        assert run_sums(other, k)[i] == run_sums(a, k)[i]


@pytest.mark.parametrize("torus", [False, True])
@pytest.mark.parametrize("window", [(1, 1), (3, 2), (4, 4), (6, 7)])
def test_putting_back_is_the_transpose_of_cropping(torus, window):
    rng = np.random.default_rng(0)
    pixels = rng.integers(-9, 10, (6, 7)).astype(float)
    windows = (6, 7) if torus else (6 - window[0] + 1, 7 - window[1] + 1)
    weights = rng.integers(-9, 10, windows).astype(float)
    rows, columns = ((np.arange(n)[:, None] + np.arange(k)) for n, k in zip(windows, window, strict=True))
    crops = pixels[rows[:, None, :, None] % 6, columns[None, :, None, :] % 7]
    back = onto_pixels(weights[..., None], window, torus)[..., 0]
    assert (back * pixels).sum() == (weights * crops.sum((2, 3))).sum()


# --- known answers and limits


def test_a_pixel_is_the_average_of_its_windows_and_need_not_be_that_of_any_image():
    images = np.float32([[[[-1, -1, -1]]], [[[1, 1, 1]]]])
    D = patch_composite(images, 2).denoise(np.array([[[-1.0, -1.0, 1.0]]]), 0.05)
    np.testing.assert_allclose(D, [[[-1, -0.5, 0]]], atol=1e-12)  # the window (-1, 1) cannot decide
    with pytest.raises(ValueError, match="has no softmax over the patches of a pixel"):
        td.denoising.mosaic(patch_composite(images, 2), images[0])


@boundaries
@pytest.mark.parametrize("shape", [(5, 1, 6, 6), (5, 3, 4, 7)])
@pytest.mark.parametrize("extra", [0, 1, 30])
def test_a_window_as_large_as_the_image_makes_the_ideal_machine(boundary, shape, extra):
    images = pictures(shape)
    machine = patch_composite(images, max(shape) + extra, boundary)
    for sigma in LEVELS:
        y = noisy((2, *shape[1:]), sigma)
        np.testing.assert_allclose(machine.denoise(y, sigma), ideal(images).denoise(y, sigma), rtol=0, atol=1e-12)


@boundaries
def test_a_window_of_one_pixel_makes_the_local_machine_of_one_pixel(boundary):
    images = pictures((9, 3, 5, 4))
    for sigma in LEVELS:
        y = noisy((2, 3, 5, 4), sigma)
        np.testing.assert_allclose(
            patch_composite(images, 1, boundary).denoise(y, sigma),
            local(images, 1, boundary).denoise(y, sigma),
            rtol=0,
            atol=1e-9,
        )


def test_pure_noise_becomes_the_mean_of_the_images():
    images = pictures((70, 2, 6, 6))
    D = patch_composite(images, 3).denoise(noisy((2, 6, 6), 1e5), 1e5)
    np.testing.assert_allclose(D, images.mean(0, dtype=float), atol=1e-3)


# --- locality, and what is not there


@boundaries
@pytest.mark.parametrize("k", [1, 2, 3, 6, 7])
@pytest.mark.parametrize("sigma", [0.5, 3.0])
def test_a_pixel_feels_k_minus_1_cells_and_nothing_beyond_to_the_last_bit(boundary, k, sigma):
    machine, y = patch_composite(pictures((70, 2, 14, 15)), k, boundary), noisy((2, 14, 15), sigma)
    D = machine.denoise(y, sigma)
    assert machine.radius(sigma) == k - 1
    for row, column in [(0, 0), (6, 7), (13, 3)]:
        away = [np.abs(np.arange(n) - x) for n, x in ((14, row), (15, column))]
        if boundary == "periodic":
            away = [np.minimum(d, n - d) for d, n in zip(away, (14, 15), strict=True)]
        distance = np.maximum(away[0][:, None], away[1])
        changed = machine.denoise(np.where(distance >= k, y + 50, y), sigma)
        assert changed[:, row, column].tobytes() == D[:, row, column].tobytes()
        at_the_rim = machine.denoise(np.where(distance == k - 1, y + 0.3, y), sigma)
        assert (at_the_rim[:, row, column] != D[:, row, column]).all()


def test_on_the_torus_shifting_field_and_images_together_shifts_the_answer():
    images, y = pictures((9, 2, 6, 7)), noisy((2, 6, 7), 0.5)
    D = patch_composite(images, 3, "periodic").denoise(y, 0.5)
    for shift in [(1, 0), (0, 1), (4, 5)]:
        machine = patch_composite(np.roll(images, shift, (2, 3)), 3, "periodic")
        moved = machine.denoise(np.roll(y, shift, (1, 2)), 0.5)
        np.testing.assert_allclose(moved, np.roll(D, shift, (1, 2)), rtol=0, atol=1e-12)


@boundaries
def test_it_knows_places_and_is_not_equivariant(boundary):
    machine, y = patch_composite(pictures((9, 1, 8, 8)), 3, boundary), noisy((1, 8, 8), 0.5)
    error = np.abs(machine.denoise(np.roll(y, 1, 2), 0.5) - np.roll(machine.denoise(y, 0.5), 1, 2))
    assert error[:, 3:-3, 3:-3].max() > 0.01


# --- what must not matter


@boundaries
@pytest.mark.parametrize("size", [1, 7, 4096])
def test_the_softmax_does_not_depend_on_the_size_of_blocks(size, boundary, monkeypatch):
    images, y = pictures((150, 1, 6, 6)), noisy((2, 1, 6, 6), 0.4)
    D = patch_composite(images, 3, boundary).denoise(y, 0.4)
    monkeypatch.setattr(patch_averages, "IMAGES_AT_ONCE", size)
    np.testing.assert_allclose(patch_composite(images, 3, boundary).denoise(y, 0.4), D, rtol=0, atol=1e-12)


@boundaries
def test_neither_the_order_of_the_images_nor_copies_of_them_matter(boundary):
    images, y = pictures((150, 2, 6, 6)), noisy((2, 2, 6, 6), 0.4)
    D = patch_composite(images, 3, boundary).denoise(y, 0.4)
    order = np.random.default_rng(0).permutation(150)
    for same in (images[order], np.concatenate([images, images])):
        np.testing.assert_allclose(patch_composite(same, 3, boundary).denoise(y, 0.4), D, rtol=0, atol=1e-6)


@boundaries
def test_bytes_do_not_depend_on_the_other_samples(boundary):
    images, y = pictures((150, 2, 6, 6)), noisy((5, 2, 6, 6), 0.4)
    machine = patch_composite(images, 4, boundary)
    for field, D in zip(y, machine.denoise(y, 0.4), strict=True):
        assert machine.denoise(field, 0.4).tobytes() == D.tobytes()


# --- sizes


def test_the_published_sizes_are_used_at_the_levels_of_the_paper():
    machine = patch_composite(pictures((2, 1, 32, 32)))
    assert [machine.radius(sigma) + 1 for sigma in karras_levels(18)[:-1]] == SIZES
    assert machine.neighbourhood.radius == 31


def test_between_two_published_levels_the_nearer_in_log_sigma_counts():
    machine = patch_composite(pictures((2, 1, 32, 32)))
    high, low = karras_levels(18)[7:9]
    halfway = np.sqrt(high * low)
    assert [machine.radius(halfway * factor) + 1 for factor in (1.001, 0.999)] == [23, 15]
    assert [machine.radius(sigma) + 1 for sigma in (1e6, 1e-6)] == [32, 3]


def test_a_size_may_be_a_function_of_sigma_and_is_at_most_the_image():
    images = pictures((3, 1, 6, 8))
    machine = patch_composite(images, lambda sigma: 4 if sigma < 1 else 30)
    assert [machine.radius(sigma) for sigma in (0.5, 2.0)] == [3, 7]
    assert machine.neighbourhood.radius == 7
    y = noisy((1, 6, 8), 0.5)
    assert machine.denoise(y, 0.5).tobytes() == patch_composite(images, 4).denoise(y, 0.5).tobytes()


@all_in_one(
    ("patch", "error", "match"),
    [
        (0, ValueError, "at least 1 pixel, got 0"),
        (-3, ValueError, "at least 1 pixel, got -3"),
        (3.0, TypeError, r"whole number.*got 3\.0"),
        (True, TypeError, "whole number.*got True"),
        (None, TypeError, "whole number.*got None"),
        ("cifar", ValueError, "patch schedule 'cifar'; did you mean 'cifar10-edm'"),
        (lambda sigma: 0, ValueError, r"patch\(80\.\d+\) must be at least 1"),
    ],
)
def test_refused_patches(patch, error, match):
    with pytest.raises(error, match=match):
        patch_composite(pictures((2, 1, 5, 5)), patch)


def test_refused_boundaries_fields_and_labels():
    images = pictures((3, 1, 5, 5))
    with pytest.raises(
        ValueError, match=r'patch_composite is defined for boundary="zero" or "periodic", got \'no_flux'
    ):
        patch_composite(images, 3, "no_flux")
    with pytest.raises(ValueError, match=r"size of the training images \(5, 5\), got \(5, 6\)"):
        patch_composite(images, 3).denoise(np.zeros((1, 5, 6)), 1.0)
    with pytest.raises(ValueError, match="one for each of the 3 images"):
        patch_composite(images, 3, labels=[0, 1])
    with pytest.raises(ValueError, match="sigma must be positive"):
        patch_composite(images, 3).denoise(np.zeros((1, 5, 5)), 0.0)


# --- as a machine


@pytest.mark.parametrize("make", [partial(patch_composite, patch=3), patch_composite])
def test_a_class_is_the_machine_of_its_own_images(make):
    images, labels = pictures((8, 1, 5, 5)), np.arange(8) % 2
    y = noisy((1, 5, 5), 0.5)
    of_class = make(images, labels=labels).conditional(1)
    np.testing.assert_array_equal(of_class.denoise(y, 0.5), make(images[labels == 1]).denoise(y, 0.5))


def test_samples_are_made_of_it():
    images = pictures((20, 1, 6, 6))
    samples = td.denoising.sample(patch_composite(images, 3), 3, rng=0)
    assert samples.shape == (3, 1, 6, 6)
    novelty = np.abs(samples[:, None] - images).mean((2, 3, 4)).min(1)
    copied = td.denoising.sample(patch_composite(images, 6), 3, rng=0)
    assert np.abs(copied[:, None] - images).mean((2, 3, 4)).min(1).max() < 1e-3 < novelty.min()
