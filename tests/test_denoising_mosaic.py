import pickle
from functools import partial

import naive_denoising as naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from quick import all_in_one

import turingdiff as td
from turingdiff.denoising import consistency, equivariant_local, ideal, local, mosaic, wiener
from turingdiff.patches.lanes import LANES

compiled = pytest.mark.compiled
MACHINES = {
    "local zero": local,
    "local periodic": partial(local, boundary="periodic"),
    "equivariant zero": equivariant_local,
    "equivariant periodic": partial(equivariant_local, boundary="periodic"),
}
kinds = pytest.mark.parametrize("kind", naive.KINDS)
equivariant_kinds = pytest.mark.parametrize("kind", naive.KINDS[2:])


def pictures(*shape, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


def plain(*shape, seed=0):
    """Images of two greys and large plain parts: many identical patches, whose squares do not add up exactly."""
    return np.random.default_rng(seed).choice(np.float32([0.1, -0.7]), shape, p=[0.8, 0.2])


def assert_brute_force(found, kind, images, image, k):
    n, row, column, distance = naive.nearest(kind, images, image, k)
    np.testing.assert_allclose(found.distance, distance, atol=1e-7)
    for name, expected in (("image", n), ("row", row), ("column", column)):
        np.testing.assert_array_equal(getattr(found, name), expected, name)
    whole = naive.unit(images)
    np.testing.assert_array_equal(found.value, whole[found.image, :, found.row, found.column].transpose(2, 0, 1))
    assert found.patch == k


@kinds
def test_tiny_mosaics_equal_the_brute_force(kind):
    images, image = pictures(3, 2, 5, 5), pictures(2, 5, 5, seed=1)
    assert_brute_force(mosaic(MACHINES[kind](images, 3), image), kind, images, image, 3)


@kinds
def test_ties_go_to_the_lowest_image_then_row_then_column(kind):
    images, image = plain(3, 1, 5, 5), plain(1, 5, 5, seed=1)
    assert_brute_force(mosaic(MACHINES[kind](images, 3), image), kind, images, image, 3)


@compiled
@given(
    kind=st.sampled_from(naive.KINDS),
    shape=st.tuples(st.sampled_from([1, 4, LANES + 3]), st.integers(1, 3), st.integers(3, 7), st.integers(3, 7)),
    k=st.sampled_from([1, 3, 5, 9]),
    make=st.sampled_from([pictures, plain]),
    as_bytes=st.booleans(),
    seed=st.integers(0, 99),
)
def test_any_mosaic_equals_the_brute_force(kind, shape, k, make, as_bytes, seed):
    k = min(k, (min(shape[2:]) - 1) // 2 * 2 + 1) if kind.endswith("periodic") else k
    images, image = make(*shape, seed=seed), make(*shape[1:], seed=seed + 1)
    if as_bytes:
        images = td.data.from_unit(images)
    assert_brute_force(mosaic(MACHINES[kind](images, k), image), kind, images, image, k)


@compiled
@equivariant_kinds
@pytest.mark.parametrize("canvas", [(7, 20), (13, 9), (5, 6)])
@pytest.mark.parametrize("make", [pictures, plain])
def test_mosaic_of_another_canvas(kind, canvas, make):
    images, image = make(5, 2, 7, 6), make(2, *canvas, seed=1)
    assert_brute_force(mosaic(MACHINES[kind](images, 3), image), kind, images, image, 3)


def test_of_one_plain_colour_everything_comes_from_the_first_corner_of_the_first_image():
    images = np.zeros((3, 1, 5, 5), np.float32)
    torus = mosaic(equivariant_local(images, 3, "periodic"), images[0])
    assert not torus.image.any()
    assert not torus.row.any()
    assert not torus.column.any()
    bordered = mosaic(equivariant_local(images, 3), images[0])
    # Within r of an edge only patches at the same distance from it count; inside, the first inner place.
    np.testing.assert_array_equal(bordered.row[:, 2], [0, 1, 1, 1, 4])
    np.testing.assert_array_equal(bordered.column[2], [0, 1, 1, 1, 4])


@compiled
def test_ties_between_blocks_and_lanes_go_to_the_lowest_image():
    images = pictures(3 * LANES, 1, 5, 5)
    images[[LANES - 1, LANES, 2 * LANES + 5]] = images[7]
    found = mosaic(equivariant_local(images, 3), images[7])
    assert (found.image == 7).all()
    images[7] = 0
    assert (mosaic(equivariant_local(images, 3), images[LANES]).image == LANES - 1).all()


@kinds
def test_a_training_image_is_its_own_mosaic(kind):
    images = pictures(4, 2, 5, 6)
    found = mosaic(MACHINES[kind](images, 3), images[2])
    assert not found.distance.any()
    assert (found.image == 2).all()
    rows, columns = np.indices((5, 6))
    np.testing.assert_array_equal(found.row, rows)
    np.testing.assert_array_equal(found.column, columns)
    np.testing.assert_array_equal(found.value, images[2])


@pytest.mark.parametrize("shift", [(1, 0), (0, 2), (3, 4)])
def test_a_shifted_training_image_is_found_on_the_torus_only(shift):
    images = pictures(4, 1, 5, 6)
    image = np.roll(images[2], shift, axis=(1, 2))
    found = mosaic(equivariant_local(images, 3, "periodic"), image)
    assert not found.distance.any()
    assert (found.image == 2).all()
    rows, columns = np.indices((5, 6))
    np.testing.assert_array_equal(found.row, (rows - shift[0]) % 5)
    np.testing.assert_array_equal(found.column, (columns - shift[1]) % 6)
    assert mosaic(equivariant_local(images, 3), image).distance.any()
    assert mosaic(local(images, 3), image).distance.any()


def test_near_a_border_patches_keep_their_distance_from_it():
    found = mosaic(equivariant_local(pictures(3, 1, 8, 9), 5), pictures(1, 11, 13, seed=1))
    for place, length, size in ((found.row, 8, 11), (found.column.T, 9, 13)):
        for x in (0, 1):
            assert (place[x] == x).all()
            assert (place[size - 1 - x] == length - 1 - x).all()
        assert place[2:-2].min() >= 2
        assert place[2:-2].max() <= length - 3


def test_the_distance_is_the_root_of_the_sum_of_squares_over_window_and_channels():
    images = np.zeros((1, 2, 5, 5), np.float32)
    found = mosaic(equivariant_local(images, 3), np.full((2, 5, 5), 0.5))
    pixels = np.outer([2, 3, 3, 3, 2], [2, 3, 3, 3, 2])  # windows end at the border
    np.testing.assert_allclose(found.distance, np.sqrt(2 * 0.25 * pixels))


def test_the_patch_is_that_of_the_lowest_level_or_as_given():
    images = pictures(2, 1, 5, 5)
    machine = equivariant_local(images, lambda sigma: 1 if sigma < 0.1 else 3)
    assert mosaic(machine, images[0]).patch == 1
    found = mosaic(machine, pictures(1, 5, 5, seed=1), patch=3)
    assert_brute_force(found, "equivariant zero", images, pictures(1, 5, 5, seed=1), 3)


def test_the_mosaic_of_the_ideal_machine_is_one_image():
    images, image = pictures(4, 1, 5, 5), pictures(1, 5, 5, seed=1)
    found = mosaic(ideal(images), image)
    distances = np.sqrt(((images - image) ** 2).sum((1, 2, 3)))
    assert (found.image == distances.argmin()).all()
    np.testing.assert_allclose(found.distance, distances.min(), rtol=1e-6)
    np.testing.assert_array_equal(found.value, images[distances.argmin()])


def test_bytes_are_taken_for_what_they_show():
    images = np.random.default_rng(0).integers(0, 256, (3, 1, 5, 5), np.uint8)
    found = mosaic(equivariant_local(images, 3), images[1])
    assert (found.image == 1).all()
    assert not found.distance.any()
    np.testing.assert_array_equal(found.value, td.data.to_unit(images[1]))


# --- the weight of the winner


@kinds
@pytest.mark.parametrize("sigma", [0.02, 0.3, 2.0, 80.0])
@pytest.mark.parametrize("make", [pictures, plain])
def test_the_weight_is_that_of_the_nearest_patch_in_the_softmax(kind, sigma, make):
    images, image = make(3, 2, 5, 5), make(2, 5, 5, seed=1)
    found = mosaic(MACHINES[kind](images, 3), image, sigma=sigma)
    for pixel, _, squared in naive.pairs(kind, naive.unit(images), image.astype(float), 1):
        total = np.exp((squared.min() - squared) / (2 * sigma**2)).sum()
        assert found.weight[pixel] == pytest.approx(1 / total, rel=1e-5)  # ties are 1e-9, and 1/(2 sigma²) 1250
    assert found.sigma == sigma


@compiled
@kinds
def test_the_weight_over_blocks_of_images(kind):
    images, image = pictures(2 * LANES + 7, 1, 7, 7), pictures(1, 7, 7, seed=1)
    found = mosaic(MACHINES[kind](images, 3), image, sigma=0.7)
    for pixel, _, squared in naive.pairs(kind, naive.unit(images), image.astype(float), 1):
        assert found.weight[pixel] == pytest.approx(1 / np.exp((squared.min() - squared) / (2 * 0.7**2)).sum())


def test_equal_patches_share_the_weight():
    images = np.tile(pictures(1, 1, 5, 5), (4, 1, 1, 1))
    np.testing.assert_allclose(mosaic(local(images, 3), images[0]).weight, 1 / 4)


def test_the_weight_is_by_default_that_of_the_lowest_level_and_the_patch_that_of_the_level():
    images, image = pictures(3, 1, 5, 5), pictures(1, 5, 5, seed=1)
    machine = equivariant_local(images, lambda sigma: 1 if sigma < 0.1 else 3)
    lowest = machine.times()[-2]
    assert mosaic(machine, image).sigma == lowest
    np.testing.assert_array_equal(mosaic(machine, image).weight, mosaic(machine, image, sigma=lowest).weight)
    found = mosaic(machine, image, sigma=1.0)
    assert found.patch == 3
    np.testing.assert_array_equal(found.weight, mosaic(machine, image, patch=3, sigma=1.0).weight)


# --- theorem 4.1 of Kamb & Ganguli (2025)


@compiled
@kinds
def test_a_finished_sample_is_made_of_the_centres_of_its_nearest_patches(kind):
    # A limit: a pixel that changes its mind sets off its neighbours an e-fold of sigma later, so a few are under way
    # at any level, fewer at lower ones.
    machine = MACHINES[kind](pictures(6, 1, 8, 8), 3)
    samples = td.denoising.sample(machine, 3, levels=[*np.geomspace(80, 1e-12, 200), 0], dtype=float)
    assert np.mean([consistency(machine, image, tolerance=1e-3).fraction for image in samples]) > 0.93
    noise = np.random.default_rng(1).uniform(-1, 1, (1, 8, 8))
    assert consistency(machine, noise, tolerance=1e-3).fraction < 0.2


@pytest.mark.slow
@compiled
def test_the_theorem_becomes_true_as_the_last_steps_shrink():
    # The toy of the paper's figure 3, where patches are black or white: no more than some e-folds are needed.
    black_and_white = np.stack([np.full((1, 3, 3), -1), np.full((1, 3, 3), 1)]).astype(np.float32)
    machine = equivariant_local(black_and_white, 3, "periodic")
    fractions = []
    for lowest in (1.0, 0.1, 1e-2, 1e-4, 1e-8):
        levels = [*np.geomspace(80, lowest, 200), 0]
        samples = td.denoising.sample(machine, 6, (24, 24), levels, dtype=float)
        fractions.append(np.mean([consistency(machine, y).fraction for y in samples]))
    assert fractions == sorted(fractions)
    assert fractions[0] < 0.9
    assert fractions[-1] > 0.999


@compiled
def test_large_last_steps_break_it_at_a_few_pixels():
    black_and_white = np.stack([np.full((1, 3, 3), -1), np.full((1, 3, 3), 1)]).astype(np.float32)
    machine = equivariant_local(black_and_white, 3, "periodic")
    found = [consistency(machine, y) for y in td.denoising.sample(machine, 6, (24, 24), [80, 8, 0.8, 0], dtype=float)]
    assert 0.5 < np.mean([each.fraction for each in found]) < 1


def test_consistency_compares_with_the_centres_of_the_mosaic_in_all_channels():
    images, image = pictures(3, 2, 5, 5), pictures(2, 5, 5, seed=1)
    machine = equivariant_local(images, 3)
    found = consistency(machine, image, tolerance=0.4)
    deviation = np.abs(mosaic(machine, image).value - image).max(axis=0)
    np.testing.assert_array_equal(found.deviation, deviation)
    np.testing.assert_array_equal(found.equal, deviation <= 0.4)
    assert found.fraction == np.mean(deviation <= 0.4)
    assert found.largest == deviation.max()
    wider = consistency(machine, image, patch=5)
    np.testing.assert_array_equal(wider.deviation, np.abs(mosaic(machine, image, 5).value - image).max(axis=0))


@kinds
def test_a_training_image_obeys_to_the_last_bit(kind):
    images = td.data.from_unit(pictures(3, 1, 5, 5))
    found = consistency(MACHINES[kind](images, 3), images[1], tolerance=0)
    assert (found.fraction, found.largest) == (1, 0)


def test_one_grey_level_is_tolerated_and_two_are_not():
    images = np.full((1, 1, 5, 5), 100, np.uint8)
    machine = local(images, 3)
    assert consistency(machine, images[0] + np.uint8(1)).fraction == 1
    assert consistency(machine, images[0] + np.uint8(2)).fraction == 0


@all_in_one("tolerance", [-1e-9, np.nan, np.inf])
def test_refused_tolerances(tolerance):
    images = pictures(2, 1, 5, 5)
    with pytest.raises(ValueError, match="tolerance must be finite and >= 0, got"):
        consistency(local(images, 3), images[0], tolerance=tolerance)


def test_a_machine_without_patches_has_no_mosaic():
    images = pictures(3, 1, 5, 5)
    for explain in (mosaic, consistency):
        with pytest.raises(ValueError, match="wiener has no softmax over the patches of a pixel"):
            explain(wiener(images), images[0])


@all_in_one("sigma", [0, -1.0, np.nan])
def test_refused_levels(sigma):
    with pytest.raises(ValueError, match="sigma must be positive and finite"):
        mosaic(local(pictures(2, 1, 5, 5), 3), pictures(1, 5, 5), sigma=sigma)


def test_the_image_is_not_written():
    images, image = pictures(2, 1, 5, 5), pictures(1, 5, 5, seed=1)
    image.flags.writeable = False
    mosaic(equivariant_local(images, 3), image)


@all_in_one(
    ("patch", "error", "match"),
    [
        (4, ValueError, "odd and >= 1.*got 4: try 3"),
        (0, ValueError, "odd and >= 1.*got 0: try 1"),
        (-3, ValueError, "odd and >= 1.*got -3"),
        (3.0, TypeError, r"odd whole number.*got 3\.0"),
        ("fashion-resnet-zeros", TypeError, "odd whole number.*got 'fashion"),
    ],
)
def test_refused_patches(patch, error, match):
    with pytest.raises(error, match=match):
        mosaic(equivariant_local(pictures(2, 1, 5, 5), 3), pictures(1, 5, 5), patch)


@all_in_one(
    ("image", "error", "match"),
    [
        (pictures(2, 1, 5, 5), ValueError, r"one image \(C, H, W\), got \(2, 1, 5, 5\)"),
        (pictures(2, 5, 5), ValueError, r"1 channel \(grey\).*got \(2, 5, 5\)"),
        (pictures(5, 5), ValueError, r"got \(5, 5\)"),
        (np.full((1, 5, 5), np.nan), ValueError, "holds nan"),
        (np.zeros((1, 5, 5), int), TypeError, "got int64"),
        (pictures(1, 1, 30), ValueError, "no training patch of 3 pixels.*length 1 .*smaller patch"),
    ],
)
def test_refused_images(image, error, match):
    with pytest.raises(error, match=match):
        mosaic(equivariant_local(pictures(2, 1, 5, 5), 3), image)


def test_a_window_wider_than_the_torus_is_refused():
    with pytest.raises(ValueError, match=r"patch 7 is wider than the training images \(5, 5\).*at most 5"):
        mosaic(equivariant_local(pictures(2, 1, 5, 5), 3, "periodic"), pictures(1, 5, 5), patch=7)


def test_the_mosaic_of_a_local_machine_has_the_size_of_its_images():
    with pytest.raises(ValueError, match=r"size of the training images \(5, 5\), got \(6, 5\)"):
        mosaic(local(pictures(2, 1, 5, 5), 3), pictures(1, 6, 5))


# --- classes


LABELS = np.array([0, 1, 0, 1, 1, 0])


def test_sources_of_a_class_keep_the_index_of_the_whole_set():
    images = np.random.default_rng(7).uniform(-1, 1, (6, 1, 8, 8)).astype(np.float32)
    machine = equivariant_local(images, patch=3, labels=LABELS)
    made = td.denoising.sample(machine, n=1, labels=[1], rng=0)[0]
    found = mosaic(machine, made, label=1)
    assert set(LABELS[found.image].ravel()) == {1}
    values = images[found.image, :, found.row, found.column].transpose(2, 0, 1)
    np.testing.assert_array_equal(found.value, values)
    for conditional in (machine.conditional(1), machine.conditional(1).conditional(1)):
        again = mosaic(pickle.loads(pickle.dumps(conditional)), made)
        np.testing.assert_array_equal(again.image, found.image)
        np.testing.assert_array_equal(conditional.images_numbered(found.image), images[found.image])
    assert consistency(machine, made, label=1).fraction == found.consistency(made).fraction
    assert td.denoising.uncertainty(machine, made, 0.5, label=1).patches.max() == 3 * 36
    with pytest.raises(ValueError, match="no labels"):
        mosaic(equivariant_local(images, patch=3), made, label=1)


# --- noise levels far from the images


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("sigma", [1e-100, 1e-22, 1e-18])
def test_at_any_low_noise_d_is_the_centre_of_the_nearest_patch(sigma, dtype):
    images = pictures(LANES + 3, 1, 6, 6, seed=8)
    machine = equivariant_local(images, patch=3)
    np.testing.assert_array_equal(machine.denoise(images[1].astype(dtype), sigma), images[1].astype(dtype))
    far = (1e3 * np.random.default_rng(9).standard_normal((1, 6, 6))).astype(dtype)
    found = mosaic(machine, far, sigma=sigma)
    np.testing.assert_array_equal(machine.denoise(far, sigma), found.value.astype(dtype))
    np.testing.assert_array_equal(found.weight, 1)
    np.testing.assert_allclose(found.entropy, 0, atol=1e-12)
    np.testing.assert_allclose(td.denoising.uncertainty(machine, far, sigma).entropy, 0, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_at_the_highest_level_and_for_the_largest_fields_d_is_that_of_the_brute_force(dtype):
    images, noise = pictures(3, 1, 6, 6, seed=9), np.random.default_rng(1).standard_normal((1, 6, 6))
    for y, sigma in ((1e7 * noise, 1e7), (np.full((1, 6, 6), 1e8), 1e7), (np.full((1, 6, 6), 1e8), 1.0)):
        y = y.astype(dtype)
        expected = naive.denoise("local zero", images, y, sigma, 1)
        np.testing.assert_allclose(local(images, patch=1).denoise(y, sigma), expected, rtol=0, atol=1e-5)


def explanations(machine, y, sigma):
    """The calls that compare a field with patches."""
    return [
        lambda: machine.denoise(y, sigma),
        lambda: machine.rate(y, sigma),
        lambda: mosaic(machine, y, sigma=sigma),
        lambda: td.denoising.uncertainty(machine, y, sigma),
    ]


@all_in_one(
    ("value", "sigma", "match"),
    [
        (0, 1.1e7, "exact up to sigma = 1e.07, got 1.1e.07"),
        (0, 1e10, "exact up to sigma"),
        (1e9, 1.0, "for fields up to 1e.08, got a value of 1e.09"),
        (-1e9, 1.0, "for fields up to"),
        (0, 1e-101, "between 1e-100 and 1e.100, .*; got 1e-101"),
        (0, 1e-170, "between 1e-100 and"),
        (0, 1e160, "between 1e-100 and"),
    ],
)
def test_levels_and_fields_too_far_from_the_images_are_refused(value, sigma, match):
    for call in explanations(local(pictures(3, 1, 6, 6), patch=1), np.full((1, 6, 6), float(value)), sigma):
        with pytest.raises(ValueError, match=match):
            call()


def test_a_rule_without_classes_has_no_mosaic_of_a_class():
    with pytest.raises(ValueError, match="knows no classes"):
        mosaic(td.morphogenesis.gray_scott(), np.zeros((2, 6, 6)), label=1)
