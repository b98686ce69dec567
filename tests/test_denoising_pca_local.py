import naive_denoising as naive
import numpy as np
import pytest
from quick import all_in_one

import turingdiff as td
from turingdiff.denoising import _pca_local as covariance_masks
from turingdiff.denoising import cosine_levels, ideal, local
from turingdiff.denoising._pca_local import LEVELS_KEPT, mask_bits, pca_local
from turingdiff.denoising._wiener import principal_components

LEVELS = [*cosine_levels(20)[:-1], 0.05]
SHAPES = [(7, 1, 4, 5), (40, 1, 5, 4), (9, 3, 3, 4), (60, 2, 4, 3)]


def pictures(shape, dtype=np.float32, seed=0):
    """Neighbouring pixels are alike, or masks would not differ from level to level."""
    rng = np.random.default_rng(seed)
    smooth = rng.uniform(-1, 1, (*shape[:2], 3, 3)).repeat(2, 2).repeat(2, 3)[..., : shape[2], : shape[3]]
    floats = 0.7 * smooth + 0.3 * rng.uniform(-1, 1, shape)
    return np.rint((floats + 1) * 127.5).astype(np.uint8) if dtype == np.uint8 else floats.astype(dtype)


def noisy(shape, sigma, seed=1, dtype=np.float64):
    rng = np.random.default_rng(seed)
    return (rng.uniform(-1, 1, shape) + sigma * rng.standard_normal(shape)).astype(dtype)


def brute_force(images, y, sigma, threshold):
    """D of one field and the mask, coordinate by coordinate; W by inverting."""
    x = naive.unit(images).reshape(len(images), -1)
    C = np.cov(x, rowvar=False, bias=True)
    W = np.linalg.inv(C + sigma**2 * np.eye(len(C))) @ C
    M = np.array([row / (entry if entry >= 1e-6 else 1) for row, entry in zip(W, np.diag(W), strict=True)])
    mask = (np.abs(M) >= threshold * np.abs(M).max()) | np.eye(len(C), dtype=bool)
    D = [naive.softmax_mean(((y.ravel() - x) ** 2)[:, mask[:, m]].sum(1), x[:, m], sigma) for m in range(len(C))]
    return np.reshape(D, y.shape), mask


# --- equal to the brute force


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("threshold", [0.005, 0.05, 0.4])
def test_pixels_equal_the_brute_force_at_every_level(shape, threshold):
    images = pictures(shape)
    machine = pca_local(images, threshold)
    for sigma in LEVELS:
        y = noisy((2, *shape[1:]), sigma)
        expected = [brute_force(images, field, sigma, threshold)[0] for field in y]
        np.testing.assert_allclose(machine.denoise(y, sigma), expected, rtol=0, atol=1e-9)
        single = machine.denoise(y.astype(np.float32), sigma)
        assert single.dtype == np.float32
        np.testing.assert_allclose(single, expected, rtol=0, atol=1e-4)


def test_the_brute_force_has_seen_masks_of_many_sizes():
    images, threshold = pictures(SHAPES[1]), 0.05
    masks = [brute_force(images, images[0], sigma, threshold)[1] for sigma in LEVELS]
    assert min(mask.sum() for mask in masks) < 200 < 300 < max(mask.sum() for mask in masks)
    assert any((mask != mask.T).any() for mask in masks), "rows and columns differ"


def test_bytes_and_more_images_than_a_block_equal_the_brute_force():
    images = pictures((2 * covariance_masks.IMAGES_AT_ONCE + 5, 3, 3, 3), np.uint8)
    machine = pca_local(images, 0.02)
    for sigma in (0.05, 0.3, 2.0, 80.0):
        y = noisy(images.shape[1:], sigma)
        expected, _ = brute_force(images, y, sigma, 0.02)
        np.testing.assert_allclose(machine.denoise(y, sigma), expected, rtol=0, atol=1e-9)


# --- known answers and limits


@pytest.mark.parametrize("threshold", [0.005, 0.5, 1.0])
@pytest.mark.parametrize("sigma", [0.1, 0.7, 3.0, 80.0])
def test_independent_black_and_white_pixels_are_denoised_one_by_one(threshold, sigma):
    # All 2^6 pictures of 6 pixels of +-1/2: no pixel tells of another, and E[x|y] = tanh(y / (2 sigma²))/2.
    images = (np.indices((2,) * 6).reshape(6, -1).T.reshape(-1, 1, 2, 3) - 0.5).astype(np.float32)
    y = noisy((2, 1, 2, 3), sigma)
    D = pca_local(images, threshold).denoise(y, sigma)
    np.testing.assert_allclose(D, np.tanh(y / (2 * sigma**2)) / 2, rtol=0, atol=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_without_a_threshold_it_is_the_ideal_machine(shape):
    images = pictures(shape)
    for sigma in LEVELS:
        y = noisy((2, *shape[1:]), sigma)
        np.testing.assert_allclose(
            pca_local(images, 0).denoise(y, sigma), ideal(images).denoise(y, sigma), rtol=0, atol=1e-12
        )


@pytest.mark.parametrize("sigma", [0.1, 1.0, 20.0])
def test_at_the_largest_threshold_a_pixel_sees_itself_but_for_the_largest_entry(sigma):
    images = pictures((50, 1, 4, 5))
    mask = brute_force(images, images[0], sigma, 1.0)[1]
    alone = mask.sum(0) == 1
    assert alone.sum() >= 19
    y = noisy((3, 1, 4, 5), sigma)
    D, itself = pca_local(images, 1.0).denoise(y, sigma), local(images, 1).denoise(y, sigma)
    np.testing.assert_allclose(D.reshape(3, -1)[:, alone], itself.reshape(3, -1)[:, alone], rtol=0, atol=1e-12)


def test_a_strong_pixel_is_compared_at_a_weak_one_and_not_the_other_way_round():
    # The weak pixel copies the strong one at a tenth: W_ab/W_aa is 10 where a is weak, 1/10 where a is strong.
    rng = np.random.default_rng(0)
    strong = rng.uniform(-1, 1, 30)
    images = np.stack([0.1 * strong, strong], axis=1).reshape(30, 1, 1, 2).astype(np.float32)
    machine, y = pca_local(images, 0.5), np.zeros((1, 1, 2))
    weak_moved, strong_moved = y + np.reshape([0.3, 0], (1, 1, 2)), y + np.reshape([0, 0.3], (1, 1, 2))
    before = machine.denoise(y, 0.5)[0, 0]
    assert machine.denoise(strong_moved, 0.5)[0, 0, 0] == before[0]
    assert machine.denoise(weak_moved, 0.5)[0, 0, 1] != before[1]
    assert machine.denoise(strong_moved, 0.5)[0, 0, 1] != before[1], "a pixel sees itself, although M_bb = 1 < 10/2"


def test_coordinates_that_never_vary_are_themselves_and_tell_nothing():
    images = pictures((40, 1, 4, 5))
    images[:, :, 0, :2] = -1
    machine, y = pca_local(images, 0.05), noisy((1, 4, 5), 0.5)
    mask = brute_force(images, y, 0.5, 0.05)[1]
    assert mask[:2].sum() == 2
    D = machine.denoise(y, 0.5)
    np.testing.assert_array_equal(D[0, 0, :2], -1)
    elsewhere = y.copy()
    elsewhere[0, 0, :2] = 30
    np.testing.assert_array_equal(machine.denoise(elsewhere, 0.5), D)


@pytest.mark.parametrize("images", [pictures((1, 2, 3, 3)), np.repeat(pictures((1, 2, 3, 3)), 5, axis=0)])
@pytest.mark.parametrize("sigma", [0.05, 80.0])
def test_images_that_are_all_the_same_come_back(images, sigma):
    D = pca_local(images).denoise(noisy((2, 3, 3), sigma), sigma)
    np.testing.assert_allclose(D, images[0], rtol=0, atol=1e-12)


def test_masks_of_clothes_lose_pixels_as_noise_falls():
    images = np.ascontiguousarray(td.data.fashion()[0][:, :, ::2, ::2])
    components = principal_components(images)
    sizes = []
    for sigma in (20.0, 5.0, 2.0, 1.0, 0.5, 0.2):
        mask = np.unpackbits(mask_bits(components, 0.005, sigma), axis=1, count=14 * 14)
        sizes.append(np.median(mask.sum(0)))
    assert sorted(sizes, reverse=True) == sizes
    assert sizes[0] > 170
    assert sizes[-1] < 20


# --- what must not matter


@pytest.mark.parametrize("size", [1, 7, 64, 4096])
def test_the_softmax_does_not_depend_on_the_size_of_blocks(size, monkeypatch):
    images, y = pictures((300, 1, 4, 4)), noisy((2, 1, 4, 4), 0.4)
    D = pca_local(images, 0.05).denoise(y, 0.4)
    monkeypatch.setattr(covariance_masks, "IMAGES_AT_ONCE", size)
    np.testing.assert_allclose(pca_local(images, 0.05).denoise(y, 0.4), D, rtol=0, atol=1e-12)


def test_the_order_of_the_images_does_not_matter():
    images, y = pictures((300, 2, 4, 4)), noisy((2, 2, 4, 4), 0.4)
    D = pca_local(images, 0.02).denoise(y, 0.4)
    order = np.random.default_rng(0).permutation(300)
    np.testing.assert_allclose(pca_local(images[order], 0.02).denoise(y, 0.4), D, rtol=0, atol=1e-6)


def test_bytes_do_not_depend_on_the_other_samples():
    images, y = pictures((300, 2, 4, 4)), noisy((5, 2, 4, 4), 0.4)
    machine = pca_local(images)
    for field, D in zip(y, machine.denoise(y, 0.4), strict=True):
        assert machine.denoise(field, 0.4).tobytes() == D.tobytes()


def test_masks_are_made_once_a_level_and_not_all_are_kept(monkeypatch):
    made, mask = [], covariance_masks.binary_mask
    monkeypatch.setattr(covariance_masks, "binary_mask", lambda *a: (made.append(1), mask(*a))[1])
    machine, y = pca_local(pictures((20, 1, 4, 4))), noisy((1, 4, 4), 1.0)
    for sigma in [*LEVELS[:20], *LEVELS[:20]]:
        machine.denoise(y, sigma)
    assert len(made) == 20
    levels = np.geomspace(0.1, 10, 3 * LEVELS_KEPT)
    for sigma in [*levels, levels[0]]:
        machine.denoise(y, sigma)
    assert len(made) == 20 + 3 * LEVELS_KEPT + 1


# --- as a machine


def test_it_sees_the_whole_field_and_is_not_equivariant():
    images = pictures((30, 1, 6, 6))
    machine, y = pca_local(images, 0.05), noisy((1, 6, 6), 0.3)
    assert machine.radius(0.3) is None
    moved = machine.denoise(np.roll(y, (1, 1), (1, 2)), 0.3)
    assert np.abs(moved - np.roll(machine.denoise(y, 0.3), (1, 1), (1, 2)))[:, 2:-1, 2:-1].max() > 0.01


def test_a_class_has_the_covariance_of_its_own_images():
    images = pictures((40, 1, 4, 4))
    labels = np.arange(40) % 2
    machine, y = pca_local(images, 0.05, labels=labels), noisy((1, 4, 4), 0.5)
    expected, _ = brute_force(images[labels == 1], y, 0.5, 0.05)
    np.testing.assert_allclose(machine.conditional(1).denoise(y, 0.5), expected, rtol=0, atol=1e-10)


def test_samples_are_made_of_it():
    images = pictures((20, 1, 5, 5))
    samples = td.denoising.sample(pca_local(images, 0.05), 3, rng=0)
    assert samples.shape == (3, 1, 5, 5)
    # At the lowest levels most pixels stand alone, and each ends at the value of an image there.
    assert np.median(np.abs(samples[:, None] - images).min(1)) < 0.01


@all_in_one(
    ("threshold", "error", "match"),
    [
        (1.5, ValueError, r"between 0 .*got 1\.5"),
        (-0.1, ValueError, r"between 0 .*got -0\.1"),
        (np.nan, ValueError, "between 0 .*got nan"),
        (None, TypeError, "number between 0 and 1, got None"),
        (True, TypeError, "number between 0 and 1, got True"),
        ("0.1", TypeError, "number between 0 and 1, got '0.1'"),
    ],
)
def test_refused_thresholds(threshold, error, match):
    with pytest.raises(error, match=match):
        pca_local(pictures((3, 1, 4, 4)), threshold)


def test_refused_images_fields_and_labels():
    images = pictures((3, 1, 4, 4))
    with pytest.raises(ValueError, match=r"rescale"):
        pca_local(images + 3)
    with pytest.raises(ValueError, match=r"size of the training images \(4, 4\), got \(4, 5\)"):
        pca_local(images).denoise(np.zeros((1, 4, 5)), 1.0)
    with pytest.raises(ValueError, match="one for each of the 3 images"):
        pca_local(images, labels=[0, 1])
    with pytest.raises(ValueError, match="has no softmax over the patches of a pixel"):
        td.denoising.mosaic(pca_local(images), images[0])
