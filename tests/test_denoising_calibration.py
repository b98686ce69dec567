import pickle
from functools import partial

import numpy as np
import pytest
from quick import all_in_one

import turingdiff as td
from turingdiff.denoising import Calibration, add_noise, calibrate, cosine_levels, equivariant_local, local
from turingdiff.denoising._calibration import denoise_with_sizes
from turingdiff.patches.lanes import LANES

compiled = pytest.mark.compiled
MACHINES = {
    "local zero": local,
    "local periodic": partial(local, boundary="periodic"),
    "equivariant zero": equivariant_local,
    "equivariant periodic": partial(equivariant_local, boundary="periodic"),
}
kinds = pytest.mark.parametrize("kind", MACHINES)


def pictures(*shape, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


def blocks(count, side, size, seed=0):
    """Black and white images of constant squares, on a grid that begins anywhere."""
    rng = np.random.default_rng(seed)
    coarse = rng.choice(np.float32([-1, 1]), (count, 1, size // side + 2, size // side + 2))
    fine = coarse.repeat(side, 2).repeat(side, 3)
    starts = rng.integers(0, side, (count, 2))
    return np.stack([image[:, a : a + size, b : b + size] for image, (a, b) in zip(fine, starts, strict=True)])


# --- all sizes in one pass


@kinds
@pytest.mark.parametrize("sigma", [0.1, 1.0, 20.0])
def test_all_sizes_together_are_each_size_by_itself(kind, sigma):
    images, sizes = pictures(3, 2, 7, 8), (1, 3, 7)
    y = add_noise(pictures(2, 2, 7, 8, seed=1), sigma, rng=2).astype(float)
    found = denoise_with_sizes(MACHINES[kind](images, 7), y, sigma, sizes)
    expected = [MACHINES[kind](images, k).denoise(y, sigma) for k in sizes]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)


@compiled
@kinds
@pytest.mark.parametrize("sizes", [(1, 3, 5, 7, 9, 11), (5, 11), (3,)])
@pytest.mark.parametrize("dtype, bound", [(np.float64, 1e-10), (np.float32, 1e-5)])
def test_all_sizes_together_over_blocks_of_images(kind, sizes, dtype, bound):
    images = td.data.from_unit(pictures(2 * LANES + 3, 1, 11, 12))
    for sigma in (0.3, 1.0, 80.0):
        y = add_noise(images[:2], sigma, rng=2).astype(dtype)
        found = denoise_with_sizes(MACHINES[kind](images, 11), y, sigma, sizes)
        assert found.dtype == dtype
        expected = [MACHINES[kind](images, k).denoise(y, sigma) for k in sizes]
        np.testing.assert_allclose(found, expected, rtol=0, atol=bound)


@compiled
def test_without_a_torus_windows_may_be_wider_than_the_images():
    images, sizes = pictures(20, 1, 6, 6), (3, 5, 7, 11)
    y = add_noise(images[:1], 1.0, rng=2).astype(float)
    found = denoise_with_sizes(equivariant_local(images, 11), y, 1.0, sizes)
    expected = [equivariant_local(images, k).denoise(y, 1.0) for k in sizes]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)


@compiled
def test_bytes_do_not_depend_on_threads(threads):
    images = pictures(3 * LANES, 1, 9, 9)
    y = add_noise(images[:2], 0.5, rng=2)
    both = denoise_with_sizes(equivariant_local(images, 5), y, 0.5, (3, 5))
    one = denoise_with_sizes(equivariant_local(images, 5), y[1:], 0.5, (3, 5))
    assert both[:, 1:].tobytes() == one.tobytes()
    np.testing.assert_allclose(both[0], equivariant_local(images, 3).denoise(y, 0.5), rtol=0, atol=1e-5)


# --- the errors, and what is chosen


@compiled
@kinds
def test_the_errors_are_those_of_the_machine_of_each_size(kind):
    images, held_out = pictures(40, 1, 8, 8), pictures(3, 1, 8, 8, seed=1)
    make = MACHINES[kind].func if kind.endswith("periodic") else MACHINES[kind]
    found = calibrate(images, held_out, make, boundary=kind.split()[1], levels=[3, 1, 0.3, 0], patches=[7, 3, 5], rng=4)
    np.testing.assert_array_equal(found.levels, [0.3, 1, 3])
    assert found.patches == (3, 5, 7)
    noise = np.random.default_rng(4).standard_normal(held_out.shape, np.float32)
    for sigma, errors, start in zip(found.levels, found.errors, (3, *found.sizes[:-1]), strict=True):
        for k, error in zip(found.patches, errors, strict=True):
            if k < start:
                assert np.isnan(error)
                continue
            D = MACHINES[kind](images, k).denoise(held_out + np.float32(sigma) * noise, sigma)
            assert error == pytest.approx(float(((D - held_out) ** 2).mean()), abs=1e-6)


@compiled
@kinds
def test_sizes_grow_while_the_error_does_not_rise(kind):
    images = blocks(60, 3, 9)
    make = MACHINES[kind].func if kind.endswith("periodic") else MACHINES[kind]
    found = calibrate(images[:-4], images[-4:], make, boundary=kind.split()[1], patches=(1, 3, 5, 7))
    assert found.levels.shape == (20,)
    assert len(found.sizes) == 20
    n = 0
    for errors, size in zip(found.errors, found.sizes, strict=True):
        while n + 1 < len(errors) and errors[n + 1] <= errors[n]:
            n += 1
        assert size == found.patches[n]
    assert list(found.sizes) == sorted(found.sizes)


@compiled
def test_of_independent_pixels_the_smallest_patch_is_best():
    images = pictures(64, 1, 10, 10)
    found = calibrate(images[:-4], images[-4:], levels=(0.1, 0.3, 1, 3), patches=(1, 3, 5))
    assert found.sizes == (1, 1, 1, 1)
    assert (np.diff(found.errors[:3]) > 0).all()


@compiled
def test_the_patch_is_as_large_as_the_squares_of_the_images_and_grows_with_the_noise():
    levels = (0.1, 0.3, 0.5, 1, 2)
    small, large = (
        calibrate(images[:-6], images[-6:], levels=levels, patches=(1, 3, 5, 7, 9))
        for images in (blocks(200, 3, 15), blocks(200, 5, 15))
    )
    assert small.sizes[:2] == (3, 3)
    assert large.sizes[:3] == (5, 5, 5)
    assert all(a <= b for a, b in zip(small.sizes, large.sizes, strict=True))
    assert small.sizes[-1] > small.sizes[0]
    assert large.sizes[-1] > large.sizes[0]


@compiled
def test_a_calibrated_machine_is_no_worse_than_one_of_constant_patches():
    images = blocks(200, 4, 13, seed=1)
    known, held_out, others = images[:180], images[180:190], images[190:]
    levels = np.array([0.2, 0.4, 0.8, 1.6])
    found = calibrate(known, held_out, levels=levels, patches=(1, 3, 5, 7, 9))

    def error(patch):
        machine = equivariant_local(known, patch)
        fields = [(sigma, add_noise(others, sigma, rng=9)) for sigma in levels]
        return np.mean([((machine.denoise(y, sigma) - others) ** 2).mean() for sigma, y in fields])

    errors = {k: error(k) for k in (1, 3, 5, 7, 9)}
    assert error(found) <= min(errors.values()) * 1.02
    assert error(found) < 0.8 * max(errors.values())


@compiled
def test_the_seed_is_all_the_randomness():
    images = pictures(30, 1, 8, 8)
    given = {"levels": (0.3, 1), "patches": (1, 3)}
    first, again, other = (calibrate(images[:-2], images[-2:], rng=seed, **given) for seed in (0, 0, 1))
    assert first.errors.tobytes() == again.errors.tobytes()
    assert first.errors.tobytes() != other.errors.tobytes()


# --- a calibration as the patch of a machine


CALIBRATION = Calibration(np.array([0.1, 1.0, 100.0]), (3, 5, 9), (3, 5, 7, 9), np.full((3, 4), 0.25))


def test_a_calibration_is_a_patch_by_the_nearest_level_in_log_sigma():
    sigmas = (1e-3, 0.1, 0.31, 0.32, 1.0, 9.9, 10.1, 100.0, 1e4)
    expected = [3, 3, 3, 5, 5, 5, 9, 9, 9]
    assert [CALIBRATION(sigma) for sigma in sigmas] == expected
    for machine in (local(pictures(2, 1, 9, 9), CALIBRATION), equivariant_local(pictures(2, 1, 9, 9), CALIBRATION)):
        assert [2 * machine.radius(sigma) + 1 for sigma in sigmas] == expected


def test_the_size_of_a_level_beyond_the_usual_ones_counts():
    far = Calibration(np.array([1.0, 1e4]), (3, 7), (3, 7), np.zeros((2, 2)))
    assert max(far(sigma) for sigma in cosine_levels(20)[:-1]) == 3
    assert equivariant_local(pictures(2, 1, 9, 9), far).neighbourhood.radius == 3


def test_a_calibrated_machine_denoises_with_the_size_of_the_level():
    images = pictures(3, 1, 9, 9)
    machine = equivariant_local(images, CALIBRATION)
    for sigma, k in ((0.2, 3), (2.0, 5), (90.0, 9)):
        y = add_noise(images[:1], sigma, rng=0)
        assert machine.denoise(y, sigma).tobytes() == equivariant_local(images, k).denoise(y, sigma).tobytes()


def test_a_calibration_prints_a_line_a_level():
    lines = str(CALIBRATION).splitlines()
    assert lines[0].split() == ["sigma", "patch", "mean", "squared", "error"]
    assert [line.split() for line in lines[1:]] == [["0.1", "3", "0.25"], ["1", "5", "0.25"], ["100", "9", "0.25"]]


def test_a_calibration_can_be_pickled():
    again = pickle.loads(pickle.dumps(CALIBRATION))
    assert again.sizes == CALIBRATION.sizes
    assert again(2.0) == 5


# --- bad input


IMAGES = pictures(4, 1, 7, 7)
OTHERS = pictures(2, 1, 7, 7, seed=1)


@all_in_one(
    ("given", "error", "match"),
    [
        ({"held_out": pictures(2, 1, 7, 8)}, ValueError, r"shape of the others, \(1, 7, 7\), got \(1, 7, 8\)"),
        ({"held_out": IMAGES[2:3]}, ValueError, "held-out image 0 is training image 2"),
        ({"held_out": pictures(7, 7)}, ValueError, r"shape \(7, 7\), expected \(N, C, H, W\)"),
        ({"patches": ()}, ValueError, "no patch sizes to choose from"),
        ({"patches": (3, 4)}, ValueError, "a size in patches must be odd and >= 1.*got 4"),
        ({"patches": (3.0,)}, TypeError, "a size in patches must be an odd whole number"),
        ({"patches": (3, 9), "boundary": "periodic"}, ValueError, "patch 9 is wider than the training images"),
        ({"boundary": "no_flux"}, ValueError, 'boundary="zero" or "periodic"'),
        ({"levels": (1.0, -0.5)}, ValueError, "levels must be finite and positive"),
        ({"levels": (1.0, np.nan)}, ValueError, "levels must be finite and positive"),
        ({"levels": (0,)}, ValueError, "levels must be finite and positive"),
        (
            {"machine": td.denoising.ideal},
            ValueError,
            "such as equivariant_local and local, got ideal",
        ),
    ],
)
def test_refused_input(given, error, match):
    with pytest.raises(error, match=match):
        calibrate(IMAGES, **{"held_out": OTHERS, **given})
