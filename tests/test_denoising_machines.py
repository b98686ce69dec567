import subprocess
import sys
import textwrap
from functools import partial

import naive_denoising as naive
import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from quick import slow, slow_unless

import turingdiff as td
from turingdiff.denoising import cosine_levels, equivariant_local, ideal, local
from turingdiff.patches import posterior, softmax
from turingdiff.patches.cells import one_more
from turingdiff.patches.lanes import LANES

compiled = pytest.mark.compiled
LEVELS = cosine_levels(20)[:-1]
MACHINES = {
    "local zero": local,
    "local periodic": partial(local, boundary="periodic"),
    "equivariant zero": equivariant_local,
    "equivariant periodic": partial(equivariant_local, boundary="periodic"),
}
kinds = pytest.mark.parametrize("kind", naive.KINDS)
equivariant_kinds = pytest.mark.parametrize("kind", naive.KINDS[2:])


def pictures(shape, dtype=np.float32, seed=0):
    rng = np.random.default_rng(seed)
    if dtype == np.uint8:
        return rng.integers(0, 256, shape, np.uint8)
    return rng.uniform(-1, 1, shape).astype(dtype)


def noisy(shape, sigma, seed=1, dtype=np.float32):
    rng = np.random.default_rng(seed)
    return (rng.uniform(-1, 1, shape) + sigma * rng.standard_normal(shape)).astype(dtype)


def assert_brute_force(machine, kind, images, y, sigma, k, atol=1e-4):
    expected = [naive.denoise(kind, images, field, sigma, k) for field in y]
    np.testing.assert_allclose(machine.denoise(y, sigma), expected, rtol=0, atol=atol)


# --- equal to the brute force


@kinds
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_tiny_fields_equal_the_brute_force(kind, dtype):
    images, y = pictures((3, 2, 5, 5)), noisy((2, 2, 5, 5), 0.5, dtype=dtype)
    assert_brute_force(MACHINES[kind](images, 3), kind, images, y, 0.5, 3, atol=1e-5 if dtype == np.float32 else 1e-12)


@compiled
@pytest.mark.parametrize(
    ("kind", "k"),
    [
        *((kind, k) for kind in ("local zero", "equivariant zero") for k in (1, 3, 5, 7, 9, 11, 13)),
        *((kind, k) for kind in ("local periodic", "equivariant periodic") for k in (1, 3, 5)),
    ],
)
def test_pixels_equal_the_brute_force_at_every_level(kind, k):
    images = pictures((9, 2, 5, 6))
    machine = MACHINES[kind](images, k)
    for sigma in LEVELS:
        assert_brute_force(machine, kind, images, noisy((2, 2, 5, 6), sigma), sigma, k)


@compiled
@kinds
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_more_images_than_two_blocks_of_lanes(kind, dtype):
    images = pictures((2 * LANES + 3, 3, 6, 5), dtype)
    machine = MACHINES[kind](images, 3)
    for sigma in (0.0781, 0.5, 3.0, 80.0):
        assert_brute_force(machine, kind, images, noisy((3, 3, 6, 5), sigma), sigma, 3)


@compiled
@kinds
@pytest.mark.parametrize("size", [5, 7, 8, 9])
def test_other_sizes_with_more_than_one_block(kind, size):
    images, sigma = pictures((LANES + 1, 1, size, size)), 0.3
    assert_brute_force(MACHINES[kind](images, 5), kind, images, noisy((1, 1, size, size), sigma), sigma, 5)


@compiled
@equivariant_kinds
@pytest.mark.parametrize("canvas", [(6, 17), (15, 7), (12, 13), (5, 6), (4, 30)])
@pytest.mark.parametrize("k", [1, 3])
def test_any_canvas_equals_the_brute_force(kind, canvas, k):
    images = pictures((4, 2, 7, 6))
    machine = MACHINES[kind](images, k)
    for sigma in (0.0781, 1.0, 20.0):
        assert_brute_force(machine, kind, images, noisy((2, 2, *canvas), sigma), sigma, k)


@compiled
@equivariant_kinds
def test_wide_canvas_with_a_patch_as_large_as_the_images(kind):
    images = pictures((5, 1, 7, 8))
    k = 7 if kind.endswith("periodic") else 5
    assert_brute_force(MACHINES[kind](images, k), kind, images, noisy((1, 1, 11, 25), 0.4), 0.4, k)


@compiled
@given(
    kind=st.sampled_from(naive.KINDS),
    shape=st.tuples(st.integers(1, 5), st.integers(1, 3), st.integers(3, 7), st.integers(3, 7)),
    r=st.integers(0, 4),
    sigma=st.floats(0.02, 100),
    dtype=st.sampled_from([np.uint8, np.float32]),
    seed=st.integers(0, 99),
)
def test_anything_equals_the_brute_force(kind, shape, r, sigma, dtype, seed):
    r = min(r, (min(shape[2:]) - 1) // 2) if kind.endswith("periodic") else r
    images = pictures(shape, dtype, seed)
    y = noisy((2, *shape[1:]), sigma, seed + 1)
    assert_brute_force(MACHINES[kind](images, 2 * r + 1), kind, images, y, sigma, 2 * r + 1)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_ideal_equals_the_brute_force_at_every_level(dtype):
    images = pictures((300, 2, 4, 5), dtype)  # more than are taken at once
    for sigma in LEVELS:
        y = noisy((2, 2, 4, 5), sigma)
        expected = [naive.ideal(images, field, sigma) for field in y]
        np.testing.assert_allclose(ideal(images).denoise(y, sigma), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("make", [ideal, partial(local, patch=3), partial(equivariant_local, patch=3)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shape_and_dtype_are_those_of_the_field_and_it_is_not_written(make, dtype):
    machine, y = make(pictures((3, 2, 5, 5))), noisy((4, 2, 5, 5), 1.0, dtype=dtype)
    y.flags.writeable = False
    D = machine.denoise(y, 1.0)
    assert D.shape == y.shape
    assert D.dtype == dtype
    assert machine.denoise(y[0], 1.0).tobytes() == D[0].tobytes()
    np.testing.assert_array_equal(machine.rate(y, 1.0), y - D)  # (y - D)/sigma


def test_a_field_in_any_memory_order():
    machine, y = equivariant_local(pictures((3, 2, 5, 5)), 3), noisy((2, 2, 5, 5), 1.0)
    assert posterior.padded_queries(np.asfortranarray(y), 1, wraps=True).flags.c_contiguous, "one kernel for all"
    assert machine.denoise(np.asfortranarray(y), 1.0).tobytes() == machine.denoise(y, 1.0).tobytes()
    assert machine.denoise(y[..., ::-1], 1.0).tobytes() == machine.denoise(y[..., ::-1].copy(), 1.0).tobytes()


# --- single precision


def as_in_double(machine, y, sigma):
    """Where D was computed in float64 and rounded: the other pixels agree by chance at best."""
    double = machine.denoise(y.astype(float), sigma).astype(np.float32)
    return (machine.denoise(y, sigma) == double).all(axis=-3)


@compiled
@pytest.mark.parametrize(
    ("kind", "k"),
    slow_unless(
        lambda kind, k: kind.startswith("local"),
        [("local zero", 3), ("local zero", 17), ("local periodic", 17), ("equivariant zero", 17)],
    ),
)
def test_fields_far_from_all_patches_are_computed_in_double(kind, k):
    fashion = td.data.fashion()[0]
    images, rng = fashion[:20], np.random.default_rng(0)
    machine = MACHINES[kind](images, k)
    for y in (fashion[None, -1], 5 * rng.standard_normal((1, 1, 28, 28), np.float32)):
        assert_brute_force(machine, kind, images, y, 0.02, k)
        assert as_in_double(machine, y, 0.02).mean() > 0.9


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_field_on_quite_another_scale_gives_its_nearest_patches(dtype):
    images = pictures((4, 1, 5, 5))
    y = np.full((1, 1, 5, 5), 1e6, dtype)
    D = equivariant_local(images, 1).denoise(y, 1e-3)
    np.testing.assert_allclose(D, images.max(), atol=1e-6)


@compiled
@pytest.mark.slow
@equivariant_kinds
def test_single_precision_holds_1e_4_for_hard_fields(kind):
    fashion = td.data.fashion()[0]
    rng = np.random.default_rng(0)
    for k in (3, 7, 17):
        machine = MACHINES[kind](fashion[:70], k)
        for sigma in (0.0781, 0.16, 0.3, 1.0, 3.0, 80.0):
            for y in (fashion[-2:], 3 * rng.standard_normal((2, 1, 28, 28)), fashion[:2] + 0.5 * rng.standard_normal()):
                y = y.astype(np.float32)
                np.testing.assert_allclose(
                    machine.denoise(y, sigma), machine.denoise(y.astype(float), sigma), atol=1e-4
                )


@pytest.fixture
def precisions(monkeypatch):
    """The dtypes in which posteriors have been computed."""
    used, original = [], posterior._posterior
    monkeypatch.setattr(posterior, "_posterior", lambda *a: (used.append(a[1].dtype.name), original(*a))[1])
    return used


@compiled
@pytest.mark.parametrize("kind", ["equivariant zero", *slow("equivariant periodic")])
def test_an_ordinary_trajectory_stays_in_single_precision(kind, precisions):
    machine = MACHINES[kind](td.data.fashion()[0][:40], "fashion-resnet-zeros")
    td.denoising.sample(machine, 2, rng=0)
    assert set(precisions) == {"float32"}
    assert len(precisions) == 20


@compiled
@pytest.mark.parametrize("k", [17, 19])
def test_colour_noise_stays_in_single_precision(k, precisions):
    machine = equivariant_local(pictures((2, 3, 32, 32)), k)
    machine.denoise(machine.initial((32, 32), rng=0, replicas=4), machine.times()[0])
    assert precisions == ["float32"]


@compiled
@pytest.mark.parametrize("kind", ["local zero", "local periodic"])
def test_two_patches_almost_equally_far_away_are_told_apart(kind):
    # Distances of about 81 that differ by about sigma² = .0025: beyond float32, whose D is off by 1e-3 here.
    rng = np.random.default_rng(0)
    images = rng.choice(np.float32([-1, 1]), (2, 1, 9, 9))
    y = 2e-4 * rng.standard_normal((20, 1, 9, 9), np.float32)
    assert_brute_force(MACHINES[kind](images, 9), kind, images, y, 0.05, 9, atol=1e-6)


@compiled
def test_a_pixel_in_doubt_is_not_felt_outside_its_neighbourhood():
    machine, y = equivariant_local(pictures((3, 1, 9, 9)), 3), noisy((1, 1, 9, 9), 0.3)
    before = machine.denoise(y, 0.3)
    y[0, 0, 0, 0] = 30
    changed = np.argwhere(machine.denoise(y, 0.3)[0, 0] != before[0, 0])
    assert changed.max() <= 1


@compiled
def test_only_samples_with_a_doubtful_pixel_are_computed_twice(precisions):
    images = pictures((3, 1, 9, 9))
    y = images.copy()
    y[1, 0, 4, 4] = 30
    equivariant_local(images, 3).denoise(y, 0.1)
    assert precisions == ["float32", "float64"]


@pytest.mark.parametrize("sigma", [1e3, 1e5, 1e7])
@kinds
def test_pure_noise_becomes_the_mean_of_the_patches(kind, sigma):
    images = pictures((LANES + 1, 1, 5, 5))
    D = MACHINES[kind](images, 1).denoise(noisy((1, 1, 5, 5), sigma, dtype=float), sigma)
    mean = images.mean(0) if kind.startswith("local") else np.broadcast_to(images.mean(), (1, 5, 5))
    np.testing.assert_allclose(D[0], mean, atol=10 / sigma)


# --- limits


@compiled
def test_torus_els_with_the_largest_patch_is_the_softmax_over_all_circular_shifts():
    images = pictures((3, 2, 9, 9))
    machine = equivariant_local(images, 9, "periodic")
    for sigma in (0.3, 2.0, 10.0):
        y = noisy((2, 2, 9, 9), sigma)
        expected = [naive.ideal(naive.shifts(images), field, sigma) for field in y]
        np.testing.assert_allclose(machine.denoise(y, sigma), expected, atol=1e-4)


@pytest.mark.parametrize("k", [9, 11])
def test_local_with_a_patch_that_always_covers_the_image_is_ideal(k):
    images = pictures((3, 2, 5, 5))
    y = noisy((2, 2, 5, 5), 2.0)
    np.testing.assert_allclose(local(images, k).denoise(y, 2.0), ideal(images).denoise(y, 2.0), atol=1e-5)


@pytest.mark.parametrize("k", [5, 7, 9, 11, 13])
def test_boundary_broken_els_with_a_patch_as_large_as_the_image_is_local(k):
    images = pictures((3, 2, 5, 5))
    y = noisy((2, 2, 5, 5), 2.0)
    np.testing.assert_allclose(
        equivariant_local(images, k).denoise(y, 2.0), local(images, k).denoise(y, 2.0), atol=1e-5
    )


def test_torus_local_with_the_largest_patch_is_ideal():
    images = pictures((3, 2, 5, 5))
    y = noisy((1, 2, 5, 5), 2.0)
    machine = local(images, 5, "periodic")
    np.testing.assert_allclose(machine.denoise(y, 2.0), ideal(images).denoise(y, 2.0), atol=1e-5)


def test_published_sizes_wider_than_the_images_are_fine_with_a_border():
    images = pictures((2, 1, 5, 5))
    y = noisy((1, 1, 5, 5), 80.0)
    np.testing.assert_allclose(equivariant_local(images).denoise(y, 80.2), ideal(images).denoise(y, 80.2), atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 9), (9, 1), (2, 2), (1, 1)])
def test_images_narrower_than_a_patch(shape):
    images, y = pictures((4, 1, *shape)), noisy((2, 1, *shape), 0.5)
    assert_brute_force(equivariant_local(images, 3), "equivariant zero", images, y, 0.5, 3)
    assert_brute_force(local(images, 3), "local zero", images, y, 0.5, 3)


# --- what must not matter


@compiled
@kinds
def test_bytes_do_not_depend_on_threads(kind):
    images, y = pictures((3 * LANES, 2, 7, 7)), noisy((3, 2, 7, 7), 0.5)
    machine, threads, found = MACHINES[kind](images, 3), numba.get_num_threads(), set()
    try:
        for count in range(1, threads + 1):
            numba.set_num_threads(count)
            found.add(machine.denoise(y, 0.5).tobytes())
    finally:
        numba.set_num_threads(threads)
    assert len(found) == 1


@compiled
@kinds
def test_bytes_do_not_depend_on_the_other_samples(kind):
    images, y = pictures((2 * LANES + 3, 2, 7, 7)), noisy((5, 2, 7, 7), 0.1)
    y[3] *= 5  # far from all patches: computed in double, the others not
    machine = MACHINES[kind](images, 3)
    together = machine.denoise(y, 0.1)
    assert [as_in_double(machine, field, 0.1).all() for field in y] == [False, False, False, True, False]
    for field, D in zip(y, together, strict=True):
        assert machine.denoise(field, 0.1).tobytes() == D.tobytes()


@compiled
def test_bytes_do_not_depend_on_how_many_blocks_fit_the_memory(monkeypatch):
    images, y = pictures((5 * LANES + 3, 1, 7, 7)), noisy((2, 1, 7, 7), 0.5)
    machine = equivariant_local(images, 3)
    expected = machine.denoise(y, 0.5).tobytes()
    for size in (1, 2**18, 2**19):
        monkeypatch.setattr("turingdiff.patches.posterior.BYTES_AT_ONCE", size)
        assert machine.denoise(y, 0.5).tobytes() == expected


@compiled
@kinds
def test_neither_the_order_of_the_images_nor_copies_of_them_matter(kind):
    images, y = pictures((LANES + 9, 2, 7, 7)), noisy((2, 2, 7, 7), 0.5)
    order = np.random.default_rng(0).permutation(len(images))
    D = MACHINES[kind](images, 3).denoise(y, 0.5)
    for same in (images[order], np.concatenate([images, images]), np.repeat(images, 3, axis=0)):
        np.testing.assert_allclose(MACHINES[kind](same, 3).denoise(y, 0.5), D, atol=1e-6)


def test_ideal_does_not_depend_on_order_copies_or_other_samples():
    images, y = pictures((300, 1, 4, 4)), noisy((3, 1, 4, 4), 1.0)
    D = ideal(images).denoise(y, 1.0)
    assert ideal(images).denoise(y[1], 1.0).tobytes() == D[1].tobytes()
    for same in (images[::-1], np.concatenate([images, images])):
        np.testing.assert_allclose(ideal(same).denoise(y, 1.0), D, atol=1e-6)


@kinds
def test_bytes_and_floats_of_the_same_images_give_the_same(kind):
    images, y = pictures((3, 1, 5, 5), np.uint8), noisy((1, 1, 5, 5), 0.5)
    as_floats = td.data.to_unit(images)
    D = MACHINES[kind](images, 3).denoise(y, 0.5)
    assert MACHINES[kind](as_floats, 3).denoise(y, 0.5).tobytes() == D.tobytes()
    assert MACHINES[kind](as_floats.astype(float), 3).denoise(y, 0.5).tobytes() == D.tobytes()


@compiled
def test_torus_els_commutes_with_shifts_of_the_field_and_of_the_images():
    images, y = pictures((5, 1, 8, 7)), noisy((1, 1, 8, 7), 0.5)
    machine = equivariant_local(images, 5, "periodic")
    D = machine.denoise(y, 0.5)
    for shift in [(1, 0), (0, 1), (3, 5)]:
        np.testing.assert_allclose(
            machine.denoise(np.roll(y, shift, (2, 3)), 0.5), np.roll(D, shift, (2, 3)), atol=1e-6
        )
        moved = equivariant_local(np.roll(images, shift, (2, 3)), 5, "periodic")
        np.testing.assert_allclose(moved.denoise(y, 0.5), D, atol=1e-6)


# --- the toy of the paper's figure 3


def black_and_white_sample(levels, shape):
    """A sample of {all black, all white}, and the majority of every 3x3 window of it."""
    images = np.stack([np.full((1, 5, 5), value, np.float32) for value in (-1, 1)])
    sample = td.denoising.sample(equivariant_local(images, 3, "periodic"), 2, shape, levels, rng=3)
    votes = sum(np.roll(np.sign(sample), (dy, dx), (2, 3)) for dy in (-1, 0, 1) for dx in (-1, 0, 1))
    return sample, np.sign(votes)


@compiled
@pytest.mark.parametrize("shape", [(12, 12), (9, 20)])
def test_with_small_steps_black_and_white_pixels_follow_the_majority_of_their_window(shape):
    # A pixel that flips may tip its neighbour an e-fold of sigma later, and so on: equal ratios, and far down.
    sample, majority = black_and_white_sample([*np.geomspace(80, 1e-8, 160), 0], shape)
    np.testing.assert_allclose(sample, majority, atol=1e-6)
    assert np.unique(majority).size == 2, "the sample is not one plain image"


@compiled
def test_too_large_steps_break_the_majority_at_a_few_pixels():
    sample, majority = black_and_white_sample(cosine_levels(10), (30, 30))
    assert 0 < np.mean(np.sign(sample) != majority) < 0.05


# --- at the door

SET = pictures((4, 1, 8, 8))


@pytest.mark.parametrize("make", [local, equivariant_local])
@pytest.mark.parametrize("boundary", ["zero", "periodic"])
@pytest.mark.parametrize(
    ("patch", "error", "match"),
    [
        (4, ValueError, r"odd and >= 1.*got 4: try 3"),
        (0, ValueError, r"odd and >= 1.*got 0: try 1"),
        (-3, ValueError, r"odd and >= 1.*got -3: try 1"),
        (3.0, TypeError, r"odd whole number.*got 3\.0"),
        (True, TypeError, "odd whole number.*got True"),
        (None, TypeError, "odd whole number.*got None"),
        ("fashion", ValueError, "'fashion'; there are cifar10-resnet-zeros.*mnist-unet-zeros"),
        (lambda sigma: 4, ValueError, r"patch\(80\.\d+\) must be odd.*got 4: try 3"),
    ],
)
def test_refused_patches(make, boundary, patch, error, match):
    with pytest.raises(error, match=match):
        make(SET, patch, boundary)


@pytest.mark.parametrize("make", [local, equivariant_local])
@pytest.mark.parametrize("patch", [9, "fashion-resnet-zeros", lambda sigma: 3 if sigma < 1 else 9])
def test_a_patch_wider_than_the_images_is_refused_on_the_torus(make, patch):
    with pytest.raises(ValueError, match=r'(9|17).*\(8, 8\).*meet itself.*at most 7.*boundary="zero"'):
        make(SET, patch, "periodic")


@pytest.mark.parametrize("make", [local, equivariant_local])
@pytest.mark.parametrize(
    "boundary", ["no_flux", "reflect", None, td.fixed(0.0), ("zero", "zero", "periodic", "periodic")]
)
def test_refused_boundaries(make, boundary):
    with pytest.raises(ValueError, match=r'defined for boundary="zero" or "periodic", got'):
        make(SET, 3, boundary)


@pytest.mark.parametrize("make", [ideal, local, equivariant_local])
@pytest.mark.parametrize(
    ("images", "error", "match"),
    [
        (np.full((2, 1, 5, 5), 3.0), ValueError, r"3 to 3, expected \[-1, 1\]; rescale"),
        (np.full((2, 1, 5, 5), np.nan), ValueError, "NaN or infinite"),
        (np.zeros((0, 1, 5, 5), np.float32), ValueError, "empty"),
        (np.zeros((2, 1, 5, 5), int), TypeError, "int64 values, expected uint8"),
        (np.zeros((5, 5)), ValueError, r"images\[None\]"),
        (np.zeros((2, 28, 28, 3)), ValueError, "channel-last"),
    ],
)
def test_refused_training_sets(make, images, error, match):
    with pytest.raises(error, match=match):
        make(images)


@pytest.mark.parametrize("call", ["denoise", "rate"])
@pytest.mark.parametrize(
    "make", [ideal, partial(local, patch=3), partial(equivariant_local, patch=3), equivariant_local]
)
@pytest.mark.parametrize("sigma", [0, 0.0, -1.0, np.nan, np.inf])
def test_refused_levels(call, make, sigma):
    with pytest.raises(ValueError, match=f"sigma must be positive and finite, got {sigma}"):
        getattr(make(SET), call)(SET, sigma)


@pytest.mark.parametrize("make", [ideal, partial(local, patch=3), partial(equivariant_local, patch=3)])
@pytest.mark.parametrize(
    ("y", "error", "match"),
    [
        (np.zeros((1, 8, 8), int), TypeError, r"float32 or float64, got int64"),
        (np.zeros((3, 8, 8)), ValueError, r"1 channel \(grey\).*got \(3, 8, 8\)"),
        (np.zeros((8, 8)), ValueError, r"\(1, H, W\) or \(B, 1, H, W\), got \(8, 8\)"),
        (np.zeros((0, 1, 8, 8)), ValueError, r"got \(0, 1, 8, 8\)"),
        (np.where(np.eye(8) == 1, np.nan, 0.0)[None], ValueError, r"holds nan at \(0, 0, 0\)"),
        (np.full((1, 8, 8), np.inf), ValueError, "holds inf"),
    ],
)
def test_refused_fields(make, y, error, match):
    with pytest.raises(error, match=match):
        make(SET).denoise(y, 1.0)


@pytest.mark.parametrize("boundary", ["zero", "periodic"])
def test_local_stays_on_the_size_of_its_images(boundary):
    with pytest.raises(ValueError, match=r"size of the training images \(8, 8\), got \(8, 9\); equivariant_local"):
        local(SET, 3, boundary).denoise(np.zeros((1, 8, 9)), 1.0)


def test_ideal_stays_on_the_size_of_its_images():
    with pytest.raises(ValueError, match=r"size of the training images \(8, 8\), got \(16, 16\); equivariant_local"):
        ideal(SET).denoise(np.zeros((1, 16, 16)), 1.0)


@pytest.mark.parametrize("boundary", ["zero", "periodic"])
@pytest.mark.parametrize("shape", [(5, 30), (30, 5)])
def test_a_canvas_too_small_for_the_patch_is_refused(boundary, shape):
    with pytest.raises(ValueError, match=r"7.*\b5\b.*(smaller patch|patch of at most 5), or a (larger )?field"):
        equivariant_local(SET, 7, boundary).denoise(np.zeros((1, *shape)), 1.0)


def test_a_canvas_whose_inside_no_training_patch_fits_is_refused():
    with pytest.raises(ValueError, match=r"no training patch of 9 pixels.*length 20.*length 8.*smaller patch"):
        equivariant_local(SET, 9).denoise(np.zeros((1, 20, 20)), 1.0)


# --- memory


@pytest.mark.parametrize("make", [ideal, local, equivariant_local])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_the_training_set_is_not_copied(make, dtype):
    images = pictures((3, 1, 5, 5), dtype)
    assert make(images).images is images


@compiled
@pytest.mark.slow
@pytest.mark.parametrize(
    "machine",
    [
        "ideal(images)",
        "local(images, 5)",
        "equivariant_local(images, 17)",
        "equivariant(images)",
        "wiener(images)",
        "smoothed(images, perturbations=3)",
    ],
)
def test_sixty_thousand_byte_images_need_little_extra_memory(machine):
    script = f"""
        import resource
        import numpy as np
        from turingdiff.denoising import *
        machine = (lambda images: {machine})(np.zeros((100, 1, 28, 28), np.uint8))
        y = np.zeros((2, 1, 28, 28), np.float32)
        machine.denoise(y, 1.0)
        peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        images = np.random.default_rng(0).integers(0, 256, (60000, 1, 28, 28), np.uint8)
        before = peak()
        {machine}.denoise(y, 1.0)
        print(peak() - before, images.nbytes)
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True, timeout=600
    )
    extra, size = map(int, run.stdout.split())
    assert extra <= 2 * size + 64 * 2**20  # with the set itself three times its size


def test_a_softmax_of_blocks_is_the_definition_one_by_one():
    squared, values = 25 * (1 + pictures((7, 3, 4))).astype(float), pictures((7, 2, 3, 4), float, seed=1)
    state = softmax.NO_PATCHES.more(squared[:4], values[:4], 0.5).more(squared[4:], values[4:], 0.5)
    halves = [softmax.NO_PATCHES.more(s, v, 0.5) for s, v in ((squared[:4], values[:4]), (squared[4:], values[4:]))]
    for y, x in np.ndindex(3, 4):
        peak, total, mean = -np.inf, 0.0, np.zeros(2)
        for d, value in zip(squared[:, y, x], values[:, :, y, x], strict=True):
            peak, total, before, weight = one_more(peak, total, -0.5 * d)
            mean = mean * before + weight * value
        for found in (state, softmax.merge_all(halves, 0.5)):
            np.testing.assert_allclose(found.least[y, x], -2 * peak, rtol=1e-12)
            np.testing.assert_allclose(found.total[y, x], total, rtol=1e-12)
            np.testing.assert_allclose(found.mean()[:, y, x], mean / total, rtol=1e-12, atol=1e-14)
