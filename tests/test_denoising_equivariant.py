"""The equivariant machine (ES): exact over the orbit of the training set."""

from itertools import pairwise

import naive_denoising as naive
import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from quick import all_in_one

import turingdiff as td
from turingdiff.denoising import _equivariant as orbits
from turingdiff.denoising import equivariant, equivariant_local, ideal

SIGMAS = (0.05, 0.3, 1.0, 5.0, 80.0)


def pictures(shape, dtype=np.float32, seed=0):
    rng = np.random.default_rng(seed)
    if dtype == np.uint8:
        return rng.integers(0, 256, shape, np.uint8)
    return rng.uniform(-1, 1, shape).astype(dtype)


def moved(images, seed=1):
    """Every image circularly translated to some place."""
    shifts = np.random.default_rng(seed).integers(0, 99, (len(images), 2))
    return np.stack([np.roll(x, shift, (1, 2)) for x, shift in zip(naive.unit(images), shifts, strict=True)])


def near(images, sigma, count=2, seed=1):
    """Fields at a level's own noise from translated training images."""
    clean = moved(images, seed)[np.arange(count) % len(images)]
    return clean + sigma * np.random.default_rng(seed).standard_normal(clean.shape)


def brute_force(images, y, sigma):
    return np.stack([naive.ideal(naive.shifts(images), field, sigma) for field in y])


# --- equal to the brute force


@pytest.mark.parametrize("sigma", [1e-9, 1e-4, 0.01, *SIGMAS])
@pytest.mark.parametrize(
    "shape, dtype",
    [((7, 1, 6, 6), np.float32), ((5, 3, 5, 7), np.float32), ((6, 1, 8, 5), np.uint8), ((4, 2, 1, 9), np.float32)],
)
def test_the_posterior_is_that_of_all_translations(shape, dtype, sigma):
    images = pictures(shape, dtype)
    for y in (near(images, sigma), pictures((2, *shape[1:]), float, seed=5) * (1 + sigma)):
        expected, machine = brute_force(images, y, sigma), equivariant(images)
        np.testing.assert_allclose(machine.denoise(y, sigma), expected, rtol=0, atol=2e-8)
        single = machine.denoise(y.astype(np.float32), sigma)
        np.testing.assert_allclose(single, brute_force(images, y.astype(np.float32), sigma), rtol=0, atol=1e-6)


@given(
    shape=st.tuples(st.integers(1, 6), st.integers(1, 3), st.integers(1, 7), st.integers(1, 7)),
    sigma=st.floats(1e-4, 100),
    dtype=st.sampled_from([np.uint8, np.float32]),
    seed=st.integers(0, 99),
)
def test_anything_equals_the_brute_force(shape, sigma, dtype, seed):
    images = pictures(shape, dtype, seed)
    y = near(images, sigma, seed=seed)
    np.testing.assert_allclose(equivariant(images).denoise(y, sigma), brute_force(images, y, sigma), rtol=0, atol=2e-8)


def test_many_blocks_and_parts_are_merged_exactly(monkeypatch):
    images = pictures((23, 2, 5, 4))
    for sigma in (0.01, 0.3, 20.0):
        y = near(images, sigma, count=3)
        expected = brute_force(images, y, sigma)
        for numbers in (1, 80, 120, 10**6):
            monkeypatch.setattr(orbits, "NUMBERS_AT_ONCE", numbers)
            for blocks in (1, 3):
                monkeypatch.setattr(orbits, "BLOCKS_A_STATE", blocks)
                np.testing.assert_allclose(equivariant(images).denoise(y, sigma), expected, rtol=0, atol=2e-8)


# --- rounding


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 7, 11), (1, 28, 28), (3, 31, 23)])
def test_the_rounding_of_correlated_distances_is_bounded(shape):
    for scale in (0.1, 1.0, 30.0):
        for y, x in (
            (scale * pictures((1, *shape), float), pictures((3, *shape), float, seed=1)),
            (np.full((1, *shape), 0.7), np.full((3, *shape), 0.7)),
        ):
            query, block = orbits._Transformed(y), orbits._Transformed(x)
            found = orbits._squared(query, block)
            directly = orbits._summed_directly(query, block, np.ones(found.shape, bool))
            assert np.abs(found - directly).max() < orbits._rounding(query, block)


@pytest.fixture
def direct_sums(monkeypatch):
    """How many distances have been summed directly, call by call."""
    counts, original = [], orbits._summed_directly
    monkeypatch.setattr(orbits, "_summed_directly", lambda *a: (counts.append(int(a[2].sum())), original(*a))[1])
    return counts


def test_images_that_correlation_cannot_tell_apart_are_told_apart(direct_sums):
    # They differ by 2e-7 in one pixel of 784: a squared distance of 4e-14 beside norms of about 260 each.
    images = np.repeat(pictures((1, 1, 28, 28)), 2, axis=0)
    images[1, 0, 3, 4] = 0.5
    images[0, 0, 3, 4] = np.float32(0.5 + 2e-7)
    y = np.roll(images[1].astype(float), (5, 9), (1, 2))[None]
    np.testing.assert_allclose(equivariant(images).denoise(y, 1e-8), y, rtol=0, atol=1e-12)
    assert direct_sums == [2]


def test_an_ordinary_trajectory_needs_no_direct_sums(direct_sums):
    td.denoising.sample(equivariant(td.data.fashion()[0][:60]), n=2, rng=0)
    assert direct_sums == []


def test_few_distances_are_summed_directly(direct_sums):
    images = td.data.fashion()[0][:200]
    equivariant(images).denoise(near(images[:1], 1e-3, count=1), 1e-3)
    assert 1 <= sum(direct_sums) < 100


def test_a_field_far_from_all_images_is_not_summed_directly(direct_sums):
    # Rounding of a distance in proportion to itself is all there is to gain: none.
    images = pictures((4, 1, 6, 6))
    D = equivariant(images).denoise(np.full((1, 1, 6, 6), 1e5), 1e-2)
    assert direct_sums == []
    assert np.abs(D).max() <= np.abs(images).max() * (1 + 1e-12)


# --- limits


@pytest.mark.compiled
@pytest.mark.parametrize("shape", [(3, 1, 9, 9), (2, 3, 7, 7)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_ELS_on_the_torus_with_a_patch_of_the_size_of_the_image_is_ES(shape, dtype):
    images = pictures(shape)
    local = equivariant_local(images, patch=shape[2], boundary="periodic")
    for sigma in SIGMAS:
        y = near(images, sigma).astype(dtype)
        bound = 1e-4 if dtype == np.float32 else 1e-10
        np.testing.assert_allclose(local.denoise(y, sigma), equivariant(images).denoise(y, sigma), rtol=0, atol=bound)


def test_it_is_the_ideal_machine_of_the_orbit():
    images = pictures((3, 2, 4, 5))
    for sigma in SIGMAS:
        y = near(images, sigma)
        np.testing.assert_allclose(
            equivariant(images).denoise(y, sigma), ideal(naive.shifts(images)).denoise(y, sigma), rtol=0, atol=2e-8
        )


def test_of_one_image_it_makes_its_translations():
    image = td.data.fashion()[0][:1]
    made = td.denoising.sample(equivariant(image), n=6, rng=0)
    translations = {}
    for shift in np.ndindex(28, 28):
        translations[shift] = np.roll(td.data.to_unit(image)[0], shift, (1, 2))
    places = [min(translations, key=lambda shift, x=x: np.abs(x - translations[shift]).max()) for x in made]
    for x, place in zip(made, places, strict=True):
        np.testing.assert_allclose(x, translations[place], atol=1e-5)
    assert len(set(places)) > 1


def test_images_without_structure_are_where_they_were():
    images = np.stack([np.full((1, 4, 6), value, np.float32) for value in (-0.5, 0.25, 1)])
    y = pictures((2, 1, 4, 6), float)
    for sigma in SIGMAS:
        np.testing.assert_allclose(
            equivariant(images).denoise(y, sigma), ideal(images).denoise(y, sigma), rtol=0, atol=2e-8
        )


def test_pure_noise_becomes_the_mean_of_all_pixels():
    images = pictures((5, 2, 4, 4))
    D = equivariant(images).denoise(pictures((1, 2, 4, 4), float) * 1e6, 1e6)
    np.testing.assert_allclose(D[0], np.broadcast_to(images.mean((0, 2, 3))[:, None, None], (2, 4, 4)), atol=1e-5)


# --- symmetry


@pytest.mark.parametrize("shape", [(3, 1, 6, 6), (3, 2, 5, 8)])
def test_it_commutes_with_every_shift(shape):
    images = pictures(shape)
    machine = equivariant(images)
    for sigma in (1e-3, 0.3, 3.0):
        y = near(images, sigma)
        D = machine.denoise(y, sigma)
        for shift in np.ndindex(*shape[2:]):
            there = machine.denoise(np.roll(y, shift, (2, 3)), sigma)
            np.testing.assert_allclose(there, np.roll(D, shift, (2, 3)), rtol=0, atol=2e-8)


def test_it_does_not_know_where_its_images_were():
    images, sigma = pictures((6, 1, 5, 7)), 0.6
    y = near(images, sigma)
    np.testing.assert_allclose(
        equivariant(moved(images, seed=3)).denoise(y, sigma), equivariant(images).denoise(y, sigma), rtol=0, atol=2e-8
    )


def test_its_samples_move_with_their_noise():
    machine = equivariant(pictures((5, 1, 6, 6)))
    start = machine.initial((6, 6), rng=3, dtype=np.float64)
    *_, (_, end) = td.evolve(machine, start, machine.times())
    *_, (_, there) = td.evolve(machine, np.roll(start, (2, 5), (1, 2)), machine.times())
    np.testing.assert_allclose(there, np.roll(end, (2, 5), (1, 2)), atol=1e-6)


# --- what must not matter


def test_bytes_depend_neither_on_threads_nor_on_the_other_samples(monkeypatch):
    monkeypatch.setattr(orbits, "NUMBERS_AT_ONCE", 200)
    images, threads = pictures((70, 2, 5, 6)), numba.get_num_threads()
    machine = equivariant(images)
    for sigma in (1e-3, 0.3, 20.0):
        y = near(images, sigma, count=4)
        found = set()
        try:
            for count in range(1, threads + 1):
                numba.set_num_threads(count)
                found.add(machine.denoise(y, sigma).tobytes())
        finally:
            numba.set_num_threads(threads)
        assert found == {b"".join(machine.denoise(field, sigma).tobytes() for field in y)}


def test_neither_the_order_of_the_images_nor_copies_of_them_matter(monkeypatch):
    monkeypatch.setattr(orbits, "NUMBERS_AT_ONCE", 100)
    images = pictures((40, 1, 5, 5))
    for sigma in (0.01, 0.4, 3.0):
        y = near(images, sigma)
        D = equivariant(images).denoise(y, sigma)
        for same in (images[::-1], np.concatenate([images, images])):
            np.testing.assert_allclose(equivariant(same).denoise(y, sigma), D, rtol=0, atol=1e-6)


def test_bytes_and_floats_of_the_same_images_give_the_same():
    images, y = pictures((6, 1, 5, 5), np.uint8), pictures((1, 1, 5, 5), seed=4)
    assert equivariant(images).images is images
    found = equivariant(images).denoise(y, 0.4)
    assert equivariant(td.data.to_unit(images)).denoise(y, 0.4).tobytes() == found.tobytes()


def test_it_is_conditional_on_labels():
    images, labels = pictures((6, 1, 5, 5)), [0, 1, 0, 2, 1, 0]
    y = near(images, 0.5)
    one = equivariant(images, labels=labels).conditional(1)
    assert one.denoise(y, 0.5).tobytes() == equivariant(images[[1, 4]]).denoise(y, 0.5).tobytes()


# --- at the door


def test_a_field_of_another_size_is_refused():
    with pytest.raises(ValueError, match=r"size of the training images \(5, 6\), got \(6, 5\)"):
        equivariant(pictures((2, 1, 5, 6))).denoise(np.zeros((1, 6, 5)), 1.0)


@all_in_one("sigma", [0, -1.0, np.nan, np.inf])
def test_refused_levels(sigma):
    with pytest.raises(ValueError, match="sigma must be positive and finite"):
        equivariant(pictures((2, 1, 5, 6))).denoise(np.zeros((1, 5, 6)), sigma)


def test_refused_images():
    with pytest.raises(ValueError, match=r"expected \[-1, 1\]"):
        equivariant(np.full((2, 1, 5, 5), 3.0))


def test_a_mosaic_of_it_is_refused():
    images = pictures((2, 1, 5, 5))
    with pytest.raises(ValueError, match="has no softmax over the patches of a pixel"):
        td.denoising.mosaic(equivariant(images), images[0])


def test_the_flow_ends_on_a_translation_of_an_image():
    images = pictures((4, 1, 6, 6))
    machine = equivariant(images)
    made = td.denoising.sample(machine, n=3, levels=td.denoising.karras_levels(30), rng=1, dtype=np.float64)
    orbit = naive.shifts(naive.unit(images))
    for x in made:
        assert np.abs(orbit - x).max((1, 2, 3)).min() < 1e-6
    assert all(not np.array_equal(a, b) for a, b in pairwise(made))
