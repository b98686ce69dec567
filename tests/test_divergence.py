"""Determinism, and the finite-time Lyapunov exponent against known answers."""

import numpy as np
import pytest
from quick import all_in_one
from rules import decay_rule, heat_rule
from test_contract import DENOISERS, MACHINES, noisy, pixels

import turingdiff as td
from turingdiff.measure import dispersion, divergence

ROWS = td.uniform(0, 10, 0.01)
FALLING = np.geomspace(4, 0.5, 801)


# --- same noise, same bytes


@pytest.mark.parametrize("name", ["ideal", "local", "ELS", "ES", "wiener", "network zeros"])
@pytest.mark.parametrize("stepper", [td.euler, td.ancestral])
def test_the_same_noise_makes_the_same_image(name, stepper):
    machine = DENOISERS[name]
    runs = [
        td.simulate(machine, machine.initial(machine.canvas, rng=4), [2, 1, 0.5, 0], stepper=stepper, rng=5)
        for _ in "ab"
    ]
    assert runs[0].frames.tobytes() == runs[1].frames.tobytes()
    other = td.simulate(machine, machine.initial(machine.canvas, rng=6), [2, 1, 0.5, 0], stepper=stepper, rng=5)
    assert other.frames.tobytes() != runs[0].frames.tobytes()


@pytest.mark.parametrize("stepper", [td.euler, td.rkc, td.adaptive, td.euler_maruyama])
def test_the_same_start_makes_the_same_pattern(stepper):
    rule = td.morphogenesis.schnakenberg(noise=0.01 if stepper is td.euler_maruyama else 0)
    runs = [
        td.simulate(rule, rule.initial((12, 13), rng=4), td.uniform(0, 0.5, 0.005), stepper=stepper, rng=5)
        for _ in "ab"
    ]
    assert runs[0].frames.tobytes() == runs[1].frames.tobytes()


def test_the_same_seed_measures_the_same():
    rule = td.morphogenesis.schnakenberg()
    field = rule.initial((8, 9), rng=0)
    first, second, other = (divergence(rule, field, td.uniform(0, 0.1, 0.005), rng=seed) for seed in (1, 1, 2))
    assert first.distance.tobytes() == second.distance.tobytes()
    assert first.distance.tobytes() != other.distance.tobytes()


# --- known answers over time


def test_decay_brings_runs_together_at_its_rate():
    found = divergence(decay_rule(0.7), np.ones((1, 6, 7)), ROWS, rng=0, size=1e-3, stepper=td.rk4, directions=3)
    assert found.distance[0] == pytest.approx(1e-3)
    np.testing.assert_allclose(found.rates, -0.7, rtol=1e-6)
    assert found.exponent == pytest.approx(-0.7, rel=1e-6)
    assert found.uncertainty < 1e-6
    assert found.in_pictures() is found
    assert "exponent -0.7" in str(found)


def test_an_euler_step_decays_as_an_euler_step_does():
    found = divergence(decay_rule(0.5), np.ones((1, 6, 7)), td.uniform(0, 10, 0.1), rng=0)
    assert found.exponent == pytest.approx(np.log(1 - 0.05) / 0.1, rel=1e-6)


def test_heat_leaves_its_slowest_mode_which_decays_at_its_rate():
    n = 8  # between walls that are held: modes sin(m pi x/n), eigenvalues 2 (cos(m pi/n) - 1)
    rule = heat_rule(boundary=("no_flux", "no_flux", td.fixed(0.0), td.fixed(0.0)))
    found = divergence(rule, np.zeros((1, 1, n)), td.uniform(0, 60, 0.05), rng=0, stepper=td.rk4)
    np.testing.assert_allclose(found.rates[-20:], 2 * (np.cos(np.pi / n) - 1), rtol=1e-5)


@pytest.mark.slow
@pytest.mark.compiled
def test_what_grows_about_a_uniform_state_grows_at_the_rate_of_its_fastest_wave():
    rule = td.morphogenesis.schnakenberg()
    n = 24
    field = np.ones((2, 1, n)) * rule.steady_state().reshape(2, 1, 1)
    growth = dispersion(rule).growth(2 * np.pi * np.arange(n // 2) / (n * rule.neighbourhood.dx))
    assert growth.max() > 0
    found = divergence(rule, field, td.uniform(0, 150, 0.005), rng=0, size=1e-10, stepper=td.rk4)
    assert found.distance.max() < 1e-4  # still small
    assert found.since(100).exponent == pytest.approx(growth.max(), rel=0.01)
    assert found.exponent < 0.8 * growth.max()  # at first the short waves decay


def test_directions_have_a_spread():
    found = divergence(heat_rule(), np.zeros((1, 6, 7)), td.uniform(0, 1, 0.1), rng=0, directions=8)
    assert found.distance.shape == (11, 8)
    assert found.exponents.shape == (8,)
    assert 0 < found.uncertainty < abs(found.exponent)
    single = divergence(heat_rule(), np.zeros((1, 6, 7)), td.uniform(0, 1, 0.1), rng=0)
    assert np.isnan(single.uncertainty)


def test_noise_that_runs_share_does_not_part_them():
    rule = decay_rule(0.7, noise=0.3)
    found = divergence(rule, np.ones((1, 6, 7)), td.uniform(0, 5, 0.01), rng=0, size=1e-3, stepper=td.euler_maruyama)
    np.testing.assert_allclose(found.rates, np.log(1 - 0.007) / 0.01, rtol=1e-6)


# --- known answers along sigma


def test_one_image_draws_every_run_to_itself_as_sigma_falls():
    machine = td.denoising.ideal(np.ones((1, 1, 4, 5), np.float32))
    found = divergence(machine, noisy(machine), [2, 1, 0.5, 0.1, 0], rng=0, size=1e-3)
    np.testing.assert_allclose(found.distance[:, 0], [1e-3, 5e-4, 2.5e-4, 5e-5, 0], atol=1e-15)
    np.testing.assert_allclose(found.rates[:-1, 0], -1, rtol=1e-9)
    assert np.isnan(found.rates[-1, 0])
    assert found.exponent == pytest.approx(-1)
    assert found.progress[-1] == np.inf
    later = found.since(0.5)
    np.testing.assert_array_equal(later.times, [0.5, 0.1, 0])
    assert later.exponent == pytest.approx(-1)
    with pytest.raises(ValueError, match="needs two"):
        found.since(0.05)


def test_an_ideal_denoiser_near_one_of_its_images_draws_to_it():
    images = pixels(5, 1, 4, 5)
    machine = td.denoising.ideal(images)
    found = divergence(machine, images[2] + 0.01, np.geomspace(0.3, 0.01, 30), rng=0)
    assert found.exponent == pytest.approx(-1, rel=1e-6)


def test_a_gaussian_set_draws_runs_together_as_its_variance_allows():
    images = np.array([0.8, -0.8], np.float32).reshape(2, 1, 1, 1)
    machine, variance = td.denoising.wiener(images), 0.8**2
    found = divergence(machine, np.full((1, 1, 1), 0.4), FALLING, rng=0, stepper=td.heun)
    expected = np.sqrt((variance + found.times**2) / (variance + found.times[0] ** 2))
    np.testing.assert_allclose(found.distance[:, 0] / found.distance[0, 0], expected, rtol=1e-5)
    pictures = found.in_pictures()
    np.testing.assert_allclose(pictures.distance * np.sqrt(1 + found.times**2)[:, None], found.distance)
    assert pictures.exponent > found.exponent


def test_half_way_between_two_images_runs_part_as_the_posterior_says():
    image = np.ones((1, 1, 1), np.float32)
    machine = td.denoising.ideal(np.stack([image, -image]))
    found = divergence(machine, np.zeros((1, 1, 1)), FALLING, rng=0, stepper=td.heun, every=8)
    # d ln(distance)/d(-ln sigma) = |image|²/sigma² - 1
    first, end = found.times[[0, -1]]
    expected = (1 / end**2 - 1 / first**2) / 2 / np.log(first / end) - 1
    assert found.exponent == pytest.approx(expected, rel=1e-3)
    assert found.rates[0] < 0 < found.rates[-1]
    crossing = found.times[1:][found.rates[:, 0] > 0][0]
    assert crossing == pytest.approx(1, rel=0.05)


def test_runs_that_meet_to_the_last_digit_count_until_then():
    found = divergence(decay_rule(1.0), np.ones((1, 3, 3)), td.uniform(0, 60, 0.01), rng=0, stepper=td.rk4)
    assert found.exponent == pytest.approx(-1.0, rel=1e-3)
    kicked = divergence(equalised_rule(), np.ones((1, 3, 3)), [0, 1, 2], rng=0)
    assert np.isnan(kicked.exponent)
    assert np.isnan(kicked.rates).all()


def equalised(phi, i, j, t, p, g, out):
    out[0, i, j] = p[0] - phi[0, i, j]


def equalised_rule():
    return td.Rule(equalised, {"goal": 2.0}, ["u"], td.Neighbourhood(0))


@all_in_one(
    "options, error, words",
    [
        ({"size": 0.0}, ValueError, "positive distance"),
        ({"size": np.inf}, ValueError, "positive distance"),
        ({"size": 1e-17}, ValueError, "rounding"),
        ({"directions": 0}, ValueError, "directions"),
        ({"directions": 1.5}, ValueError, "directions"),
        ({"field": np.ones((2, 1, 9, 8))}, ValueError, "batch"),
        ({"field": np.full((1, 9, 8), np.nan)}, ValueError, "finite"),
        ({"rule": MACHINES["ELS"], "field": np.ones((2, 6, 6)), "times": [1.0, -1.0]}, ValueError, "sigma > 0"),
        ({"times": [0.0, 0.0]}, ValueError, "rise or fall"),
    ],
)
def test_bad_input_is_refused_at_the_door(options, error, words):
    given = {"rule": heat_rule(), "field": np.ones((1, 9, 8)), "times": [0.0, 0.1], "rng": 0} | options
    with pytest.raises(error, match=words):
        divergence(**given)
