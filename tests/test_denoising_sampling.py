from functools import partial
from itertools import pairwise

import naive_denoising as naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from quick import all_in_one

import turingdiff as td
from turingdiff.denoising import (
    add_noise,
    cosine_levels,
    equivariant_local,
    ideal,
    karras_levels,
    linear_levels,
    local,
    sample,
)

compiled = pytest.mark.compiled
RNG = np.random.default_rng(0)
IMAGES = RNG.uniform(-1, 1, (3, 1, 5, 5)).astype(np.float32)
COLOUR = RNG.uniform(-1, 1, (5, 3, 7, 6)).astype(np.float32)
MACHINES = {
    "ideal": ideal,
    "local": partial(local, patch=3),
    "ELS": partial(equivariant_local, patch=3),
    "ELS torus": partial(equivariant_local, patch=3, boundary="periodic"),
    "ELS schedule": equivariant_local,
}
machines = pytest.mark.parametrize("make", MACHINES.values(), ids=MACHINES)
steppers = pytest.mark.parametrize("stepper", [td.euler, td.heun, td.rk4, td.ancestral])


# --- levels


def test_cosine_levels_are_those_of_the_paper():
    levels = cosine_levels(20)
    t = np.arange(20, -1, -1) / 20
    abar = np.cos(np.pi / 2 * t / 1.008) ** 2  # beta = 1 - cos²(pi/2 t/1.008) in the paper's code
    np.testing.assert_allclose(levels, np.sqrt((1 - abar) / abar), atol=1e-9)
    assert levels.shape == (21,)
    assert levels.dtype == np.float64
    assert levels[0] == np.tan(np.pi / 2 / 1.008)
    assert levels[0] == pytest.approx(80.21, abs=0.01)
    assert levels[-2] == pytest.approx(0.0781, abs=5e-5)
    assert levels[-1] == 0


@given(st.integers(1, 300))
def test_levels_fall_to_zero_in_n_steps(n):
    for levels in (cosine_levels(n), karras_levels(n)):
        assert levels.shape == (n + 1,)
        assert (np.diff(levels) < 0).all()
        assert levels[-1] == 0
        assert levels[0] == pytest.approx(80, abs=0.3)


@pytest.mark.parametrize("n", [2, 18])
def test_karras_levels_are_the_formula_of_edm(n):
    # Karras et al. (2022), eq. 5
    i = np.arange(n)
    expected = (80 ** (1 / 7) + i / (n - 1) * (0.002 ** (1 / 7) - 80 ** (1 / 7))) ** 7
    np.testing.assert_allclose(karras_levels(n), [*expected, 0], rtol=1e-12)
    assert karras_levels(n)[-2] == pytest.approx(0.002, rel=1e-12)


def test_karras_levels_take_their_own_ends_and_exponent():
    np.testing.assert_allclose(karras_levels(3, sigma_max=9, sigma_min=1, rho=2), [9, 4, 1, 0], rtol=1e-12)
    np.testing.assert_allclose(karras_levels(1, sigma_max=9, sigma_min=1), [9, 0], rtol=1e-12)


@pytest.mark.parametrize("n", [1, 10, 37, 1000])
def test_linear_levels_are_the_steps_of_ddpm(n):
    # Ho et al. (2020), section 4: beta_1 = 1e-4 to beta_1000 = 0.02, evenly; step by step, as the forward process goes.
    abar = {0: 1.0}
    for s in range(1, 1001):
        abar[s] = abar[s - 1] * (1 - (1e-4 + (s - 1) / 999 * (0.02 - 1e-4)))
    expected = [np.sqrt((1 - abar[s]) / abar[s]) for s in (round(1000 * (n - k) / n) for k in range(n + 1))]
    np.testing.assert_allclose(linear_levels(n), expected, rtol=1e-9)
    assert linear_levels(n)[0] == pytest.approx(157.41, abs=0.01)
    assert linear_levels(1000)[-2] == pytest.approx(np.sqrt(1e-4 / (1 - 1e-4)), rel=1e-9)


def test_linear_levels_fall_to_zero_for_every_number_of_steps():
    for n in range(1, 1001):
        levels = linear_levels(n)
        assert levels.shape == (n + 1,)
        assert (np.diff(levels) < 0).all()
        assert levels[-1] == 0


def test_there_are_no_more_linear_levels_than_steps():
    with pytest.raises(ValueError, match="the linear schedule has 1000 steps, got n = 1001"):
        linear_levels(1001)


@pytest.mark.parametrize("levels", [cosine_levels, karras_levels, linear_levels])
@pytest.mark.parametrize("n", [0, -1, 2.5])
def test_refused_numbers_of_steps(levels, n):
    with pytest.raises(ValueError, match=f"whole number >= 1, got {n}"):
        levels(n)


@all_in_one("ends", [(1, 1), (1, 2), (1, 0), (1, -1), (np.nan, 0.1)])
def test_refused_ends_of_karras_levels(ends):
    with pytest.raises(ValueError, match=f"0 < sigma_min < sigma_max, got {ends[1]} and {ends[0]}"):
        karras_levels(10, *ends)


# --- samplers


@machines
def test_euler_over_sigma_is_ddim(make):
    machine = make(COLOUR)
    noise = np.random.default_rng(1).standard_normal((3, 7, 6))
    levels = cosine_levels(20)
    run = td.simulate(machine, noise * np.sqrt(1 + levels[0] ** 2), levels, every=1)
    np.testing.assert_allclose(run.final, naive.ddim(machine.denoise, noise, 20), rtol=0, atol=1e-6)


def test_ddim_with_brute_force_denoisers():
    noise = np.random.default_rng(1).standard_normal((1, 5, 5))
    for machine, denoiser in {
        ideal(IMAGES): partial(naive.ideal, IMAGES),
        equivariant_local(IMAGES, 3): lambda y, sigma: naive.denoise("equivariant zero", IMAGES, y, sigma, 3),
    }.items():
        start = noise * np.sqrt(1 + cosine_levels(4)[0] ** 2)
        run = td.simulate(machine, start, cosine_levels(4), every=1)
        np.testing.assert_allclose(run.final, naive.ddim(denoiser, noise, 4), rtol=0, atol=1e-6)


@machines
def test_heun_over_karras_levels_is_the_edm_sampler(make):
    machine = make(COLOUR)
    levels = karras_levels(7)
    x = 80 * np.random.default_rng(1).standard_normal((3, 7, 6))
    run = td.simulate(machine, x, levels, stepper=td.heun, every=1)
    for s, lower in pairwise(levels):  # Karras et al. (2022), algorithm 1
        d = (x - machine.denoise(x, s)) / s
        ahead = x + (lower - s) * d
        if lower > 0:
            ahead = x + (lower - s) * (d + (ahead - machine.denoise(ahead, lower)) / lower) / 2
        x = ahead
    np.testing.assert_allclose(run.final, x, rtol=0, atol=1e-8)


def test_ancestral_sampling_keeps_the_noise_at_its_level():
    # One training image x: D = x, so y at level s is x + s n if it was so at the start.
    image = RNG.uniform(-1, 1, (1, 1, 60, 60)).astype(np.float32)
    start = image + 10 * np.random.default_rng(1).standard_normal((8, 1, 60, 60))
    for s, y in td.evolve(ideal(image), start, [10.0, 3.0, 1.0, 0.2], stepper=td.ancestral, rng=2):
        assert (y - image).std() == pytest.approx(s, rel=0.02)
        assert abs((y - image).mean()) < 0.02 * s


def test_ancestral_noise_is_new_at_every_step():
    image = np.zeros((1, 1, 60, 60), np.float32)
    start = 10 * np.random.default_rng(1).standard_normal((1, 60, 60))
    run = td.simulate(ideal(image), start, [10.0, 1.0, 0.1], stepper=td.ancestral, rng=2, every=1)
    # y' = (s'/s)² y + new noise: correlated by s'/s
    for before, after in pairwise(run.frames):
        assert np.corrcoef(before.ravel(), after.ravel())[0, 1] == pytest.approx(0.1, abs=0.05)


# --- sample


@machines
def test_sample_gives_images_of_the_training_size_in_range(make):
    images = sample(make(COLOUR), 3)
    assert images.shape == (3, 3, 7, 6)
    assert images.dtype == np.float32
    assert np.abs(images).max() <= 1 + 1e-6
    assert images.std() > 0.1
    assert len({image.tobytes() for image in images}) > 1


@pytest.mark.parametrize("boundary", ["zero", "periodic"])
@pytest.mark.parametrize("shape", [(8, 5), (6, 11), [9, 9]])
def test_sample_on_another_canvas(boundary, shape):
    images = sample(equivariant_local(IMAGES, 3, boundary), 1, shape, cosine_levels(3))
    assert images.shape == (1, 1, *shape)
    assert np.abs(images).max() <= 1 + 1e-6


def test_ideal_samples_are_training_images():
    images = sample(ideal(COLOUR), 4, levels=cosine_levels(40))
    distances = np.abs(images[:, None] - COLOUR).max((2, 3, 4)).min(1)
    np.testing.assert_allclose(distances, 0, atol=1e-5)


@steppers
@pytest.mark.parametrize("make", [ideal, partial(equivariant_local, patch=3)])
def test_an_image_does_not_depend_on_how_many_are_asked_for(stepper, make):
    machine = make(IMAGES)
    few = sample(machine, 2, levels=cosine_levels(3), rng=5, stepper=stepper)
    more = sample(machine, 4, levels=cosine_levels(3), rng=5, stepper=stepper)
    assert more[:2].tobytes() == few.tobytes()


@steppers
def test_same_seed_same_bytes(stepper):
    machine = equivariant_local(IMAGES, 3)
    first, again, generator, other = (
        sample(machine, 2, levels=cosine_levels(3), rng=rng, stepper=stepper).tobytes()
        for rng in (5, 5, np.random.default_rng(5), 6)
    )
    assert first == again == generator
    assert other != first


@steppers
@pytest.mark.parametrize("levels", [cosine_levels(4), karras_levels(4)])
@machines
def test_every_stepper_ends_at_finite_images(stepper, levels, make):
    images = sample(make(IMAGES), 2, levels=levels, stepper=stepper)
    assert np.isfinite(images).all()
    assert np.abs(images).max() <= 1 + 1e-6


@steppers
def test_the_end_is_the_denoised_field_of_the_last_level(stepper):
    machine = equivariant_local(IMAGES, 3)
    start = machine.initial((5, 5), rng=0)
    *_, (sigma, before), (end, last) = td.evolve(machine, start, cosine_levels(3), stepper=stepper, rng=0)
    assert end == 0
    np.testing.assert_allclose(last, machine.denoise(before, sigma), atol=1e-6)


def test_default_levels_are_the_papers_twenty():
    machine = ideal(IMAGES)
    assert sample(machine, 2).tobytes() == sample(machine, 2, levels=cosine_levels(20)).tobytes()
    np.testing.assert_array_equal(machine.times(), cosine_levels(20))
    np.testing.assert_array_equal(machine.times(n=7), cosine_levels(7))


def test_levels_that_end_above_zero_give_the_variance_preserving_picture():
    machine, levels = ideal(IMAGES), [80.0, 10.0]
    noise = np.random.default_rng(0).standard_normal((2, 1, 5, 5))
    *_, (_, y) = td.evolve(machine, (np.sqrt(1 + 80.0**2) * noise).astype(np.float32), levels)
    np.testing.assert_allclose(sample(machine, 2, levels=levels), y / np.sqrt(101), rtol=1e-6)


def test_double_precision_samples():
    images = sample(equivariant_local(IMAGES, 3), 1, levels=cosine_levels(3), dtype=np.float64)
    assert images.dtype == np.float64
    np.testing.assert_allclose(images, sample(equivariant_local(IMAGES, 3), 1, levels=cosine_levels(3)), atol=1e-3)


@all_in_one(
    ("options", "error", "match"),
    [
        ({"levels": [0.1, 1.0]}, ValueError, r"must fall from noise to image, got 0\.1 to 1\.0"),
        ({"levels": [2.0, 3.0, 1.0]}, ValueError, "rise or fall all the way: 3.0 is followed by 1.0"),
        ({"levels": [2.0, 2.0, 1.0]}, ValueError, "2.0 is followed by 2.0"),
        ({"levels": [2.0, 0.0, -1.0]}, ValueError, "sigma > 0, down to 0 at most"),
        ({"levels": [np.inf, 1.0]}, ValueError, "finite"),
        ({"levels": [1.0]}, ValueError, "at least two"),
        ({"n": 0}, ValueError, "n must be a whole number >= 1, got 0"),
        ({"n": 1.5}, ValueError, "n must be a whole number >= 1, got 1.5"),
        ({"shape": (4, 5)}, ValueError, r"size of the training images \(5, 5\), got \(4, 5\)"),
        ({"shape": (0, 5)}, ValueError, r"whole numbers >= 1, got \(0, 5\)"),
        ({"shape": (5, 5, 1)}, ValueError, r"\(H, W\).*got \(5, 5, 1\)"),
    ],
)
def test_sample_refuses(options, error, match):
    with pytest.raises(error, match=match):
        sample(ideal(IMAGES), **options)


# --- add_noise


def test_noise_has_its_mean_and_spread():
    images = np.random.default_rng(0).uniform(-1, 1, (50, 1, 40, 40)).astype(np.float32)
    dusty = add_noise(images, 3.0, rng=1)
    noise = dusty - images
    assert dusty.dtype == np.float32
    assert noise.mean() == pytest.approx(0, abs=5 * 3 / np.sqrt(noise.size))
    assert noise.std() == pytest.approx(3, rel=5 / np.sqrt(2 * noise.size))
    assert abs(np.corrcoef(noise.ravel(), images.ravel())[0, 1]) < 5 / np.sqrt(noise.size)
    assert abs(np.corrcoef(noise[0].ravel(), noise[1].ravel())[0, 1]) < 5 / np.sqrt(noise[0].size)


def test_no_noise_changes_nothing_and_the_images_are_not_written():
    images = IMAGES.copy()
    np.testing.assert_array_equal(add_noise(images, 0, rng=1), IMAGES)
    assert not np.array_equal(add_noise(images, 1.0, rng=1), IMAGES)
    np.testing.assert_array_equal(images, IMAGES)


def test_noise_on_bytes_is_noise_on_the_unit_scale():
    images = np.random.default_rng(0).integers(0, 256, (2, 1, 5, 5), np.uint8)
    np.testing.assert_array_equal(add_noise(images, 0.5, rng=1), add_noise(td.data.to_unit(images), 0.5, rng=1))


def test_noise_is_that_of_its_seed():
    assert add_noise(IMAGES, 1.0, rng=1).tobytes() == add_noise(IMAGES, 1.0, rng=np.random.default_rng(1)).tobytes()
    assert add_noise(IMAGES, 1.0, rng=1).tobytes() != add_noise(IMAGES, 1.0, rng=2).tobytes()


@all_in_one("sigma", [-0.1, np.nan, np.inf])
def test_add_noise_refuses_levels(sigma):
    with pytest.raises(ValueError, match=f"finite and >= 0, got {sigma}"):
        add_noise(IMAGES, sigma, rng=0)


def test_add_noise_refuses_images_on_another_scale():
    with pytest.raises(ValueError, match=r"expected \[-1, 1\]"):
        add_noise(np.full((1, 1, 5, 5), 100.0), 1.0, rng=0)


# --- machines as rules of the engine


def test_the_start_is_noise_of_the_first_level():
    machine = equivariant_local(IMAGES, 3)
    start = machine.initial((200, 200), rng=0)
    assert start.shape == (1, 200, 200)
    assert start.dtype == np.float32
    assert start.std() == pytest.approx(np.sqrt(1 + cosine_levels(20)[0] ** 2), rel=0.01)
    assert start.mean() == pytest.approx(0, abs=5 * 80 / 200)
    assert machine.view(start, machine.times()[0]).std() == pytest.approx(1, rel=0.01)


def test_more_replicas_begin_with_the_same_ones():
    machine = ideal(COLOUR)
    assert (
        machine.initial((7, 6), rng=4, replicas=3)[:2].tobytes() == machine.initial((7, 6), rng=4, replicas=2).tobytes()
    )
    assert machine.initial((7, 6), rng=4, replicas=2)[0].tobytes() == machine.initial((7, 6), rng=4).tobytes()


def test_the_view_is_the_variance_preserving_frame():
    machine, y = ideal(COLOUR), np.full((3, 7, 6), 10.0, np.float32)
    np.testing.assert_allclose(machine.view(y, 3.0), y / np.sqrt(10), rtol=1e-6)
    assert machine.view(y, 3.0).dtype == np.float32
    assert machine.view(y, 3.0).shape == (3, 7, 6)
    np.testing.assert_array_equal(machine.view(y, 0.0), y)


def test_simulate_records_a_machine():
    machine = equivariant_local(COLOUR, 3)
    run = td.simulate(machine, machine.initial((7, 6), rng=0), machine.times())
    np.testing.assert_array_equal(run.times, cosine_levels(20))
    assert run.frames.shape == (21, 3, 7, 6)
    assert run.clock == "sigma"
    assert run.channels == ("red", "green", "blue")
    np.testing.assert_array_equal(run.view(3), machine.view(run.frames[3], run.times[3]))
    assert sample(machine, 1, rng=0)[0].tobytes() == run.final.tobytes()


def test_evolve_yields_levels_and_fields():
    machine = equivariant_local(IMAGES, 3)
    start = machine.initial((5, 5), rng=0, replicas=2)
    steps = list(td.evolve(machine, start, cosine_levels(5), every=2))
    assert [sigma for sigma, _ in steps] == [*cosine_levels(5)[:-1:2], 0]
    np.testing.assert_array_equal(steps[0][1], start)
    assert all(field.shape == (2, 1, 5, 5) and field.dtype == np.float32 for _, field in steps)
    assert not any(np.shares_memory(a, b) for (_, a), (_, b) in pairwise(steps))
    every_level = dict(td.evolve(machine, start, cosine_levels(5)))
    for sigma, field in steps:
        assert every_level[sigma].tobytes() == field.tobytes()


@all_in_one("levels", [[1.0, 0.0, -1.0], [0.0, 1.0], [-1.0, -2.0]])
def test_levels_below_zero_are_refused_before_the_first_step(levels):
    with pytest.raises(ValueError, match="ideal runs along sigma > 0"):
        td.evolve(ideal(IMAGES), IMAGES[0], levels)


def test_the_rate_keeps_single_precision_whatever_the_type_of_the_level():
    machine, y = equivariant_local(IMAGES, 3), IMAGES + np.float32(0.1)
    for sigma in (1, 1.0, np.float64(1), np.float32(1)):
        assert machine.rate(y, sigma).dtype == np.float32
        assert machine.rate(y, sigma).tobytes() == machine.rate(y, 1.0).tobytes()


def test_a_machine_has_no_stable_step():
    with pytest.raises(ValueError, match="steps along sigma"):
        ideal(IMAGES).stable_dt()


def test_channels_are_named():
    assert ideal(IMAGES).channels == ("grey",)
    assert ideal(COLOUR).channels == ("red", "green", "blue")
    assert ideal(COLOUR[:, :2]).channels == ("c0", "c1")


def test_only_machines_are_sampled():
    machine = td.denoising.ideal(td.data.fashion()[0][:3])
    with pytest.raises(TypeError, match=r"reverse SDE of ideal is no denoiser \(it is stochastic"):
        td.denoising.sample(machine.reverse_sde())


def test_an_array_is_no_level():
    images = td.data.fashion()[0][:3]
    with pytest.raises(TypeError, match=r"sigma is one number for all fields, got an array of shape \(2,\)"):
        td.denoising.ideal(images).denoise(images[:2], np.ones(2))
