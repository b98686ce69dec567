from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from rules import decay_rule, heat_rule, last, logistic_rule
from scipy.stats import kstest

import turingdiff as td

# --- deterministic steppers


@td.one_step
def midpoint(rate, y, t, dt):
    return y + dt * rate(y + dt / 2 * rate(y, t), t + dt / 2)


def logistic(u0, t):
    return 1 / (1 + (1 / u0 - 1) * np.exp(-np.sin(t)))


@pytest.mark.parametrize("t0, t1", [(0.0, 2.0), (2.0, 0.0)], ids=["forward", "backward"])
@pytest.mark.parametrize("stepper, order", [(td.euler, 1), (td.heun, 2), (midpoint, 2), (td.rk4, 4)])
def test_convergence_order(stepper, order, t0, t1):
    u0 = np.array([[[0.1, 0.3, 0.6, 1.5]]])
    start, end = logistic(u0, t0), logistic(u0, t1)
    errors = []
    for n in (40, 80, 160):
        found = last(td.evolve(logistic_rule(), start, td.uniform(t0, t1, 2 / n), stepper=stepper, every=n))
        errors.append(np.abs(found - end).max())
    slopes = np.log2(np.divide(errors[:-1], errors[1:]))
    np.testing.assert_allclose(slopes, order, atol=0.12)


@pytest.mark.parametrize(
    "stepper, factor", [(td.euler, 0.8), (td.heun, 0.82), (td.rk4, 1 - 0.2 + 0.02 - 0.008 / 6 + 0.0016 / 24)]
)
def test_steppers_are_the_taylor_polynomials_of_the_exponential(stepper, factor):
    field = np.array([[[1.0, -2.0]]])
    found = last(td.evolve(decay_rule(2.0), field, [0, 0.1], stepper=stepper))
    np.testing.assert_allclose(found, field * factor, rtol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1, 5, 6), (3, 1, 5, 6)], ids=["one", "replicas"])
def test_fused_euler_steps_are_single_steps_to_the_last_bit(dtype, shape):
    field = np.random.default_rng(0).uniform(0.1, 0.9, shape).astype(dtype)
    times = td.uniform(0, 0.7, 0.1)
    rule = logistic_rule()
    by_hand = field
    for t in list(times)[:-1]:
        by_hand = by_hand + times.dt * rule.rate(by_hand, t)
    fused = last(td.evolve(rule, field, times, every=7))
    single = last(td.evolve(rule, field, times, every=1))
    assert fused.tobytes() == single.tobytes()
    assert fused.tobytes() == by_hand.tobytes()
    assert fused.dtype == dtype


def test_fused_euler_steps_refill_the_halo():
    rule = heat_rule(0.7, boundary=("no_flux", td.fixed(2.0), "zero", "no_flux"), dx=0.5)
    field = np.random.default_rng(0).standard_normal((1, 4, 5))
    by_hand = field
    for _ in range(5):
        by_hand = by_hand + 0.03 * rule.rate(by_hand)
    assert last(td.evolve(rule, field, td.uniform(0, 0.15, 0.03), every=5)).tobytes() == by_hand.tobytes()


# --- sigma: Euler is DDIM, and D waits at the end


def denoiser(y, sigma):
    """Posterior mean of ±1 images (two delta peaks): nonlinear, and different at every level."""
    return np.tanh(y / sigma**2)


def two_peaks(phi, i, j, t, p, g, out):
    out[0, i, j] = (phi[0, i, j] - np.tanh(phi[0, i, j] / t**2)) / t


def sigma_rule(**options):
    return td.Rule(two_peaks, (), 1, td.Neighbourhood(0), clock="sigma", **options)


def start_of(levels, shape=(1, 4, 6)):
    return np.sqrt(1 + levels[0] ** 2) * np.random.default_rng(3).standard_normal(shape)


@pytest.mark.parametrize("levels", [td.denoising.cosine_levels(20), td.denoising.karras_levels(12)])
def test_euler_over_falling_sigma_is_ddim(levels):
    # Song, Meng & Ermon 2021, eq. 12 with eta = 0, in their own frame: phi = sqrt(abar) x + sqrt(1 - abar) noise.
    y = start_of(levels)
    abar = 1 / (1 + levels**2)
    phi = np.sqrt(abar[0]) * y
    for (_, found), a, b in zip(list(td.evolve(sigma_rule(), y, levels))[1:], abar[:-1], abar[1:], strict=True):
        clean = denoiser(phi / np.sqrt(a), np.sqrt((1 - a) / a))
        noise = (phi - np.sqrt(a) * clean) / np.sqrt(1 - a)
        phi = np.sqrt(b) * clean + np.sqrt(1 - b) * noise
        np.testing.assert_allclose(np.sqrt(b) * found, phi, rtol=0, atol=1e-12)
    assert abar[-1] == 1


def test_heun_over_karras_levels_is_the_edm_sampler():
    # Karras et al. 2022, algorithm 1: Heun's correction at every level but the last.
    levels = td.denoising.karras_levels(8)
    y = start_of(levels)
    found = last(td.evolve(sigma_rule(), y, levels, stepper=td.heun))
    for s, lower in pairwise(levels):
        slope = (y - denoiser(y, s)) / s
        predicted = y + (lower - s) * slope
        if lower > 0:
            slope = (slope + (predicted - denoiser(predicted, lower)) / lower) / 2
        y = y + (lower - s) * slope
    np.testing.assert_allclose(found, y, rtol=0, atol=1e-12)


@pytest.mark.parametrize("every", [1, 3, 100])
@pytest.mark.parametrize("stepper", [td.euler, td.heun, td.rk4, midpoint, td.ancestral])
def test_the_last_interval_gives_D_whatever_the_stepper(stepper, every):
    levels = np.array([3.0, 2.0, 1.2, 0.9, 0.7, 0.0])
    y = start_of(levels)
    before = last(td.evolve(sigma_rule(), y, levels[:-1], stepper=stepper, rng=0))
    (sigma, end), *_ = reversed(list(td.evolve(sigma_rule(), y, levels, stepper=stepper, every=every, rng=0)))
    assert sigma == 0
    np.testing.assert_allclose(end, denoiser(before, 0.7), rtol=0, atol=1e-12)


# --- stochastic steppers


def variance_is(field, expected, mean=0.0):
    """Within four standard errors of a Gaussian sample."""
    error = np.sqrt(2 / field.size)
    assert abs(field.var() / expected - 1) < 4 * error
    assert abs(field.mean() - mean) < 4 * np.sqrt(expected / field.size)


def test_euler_maruyama_holds_the_variance_of_an_ornstein_uhlenbeck_process():
    # v' = (1 - theta dt)² v + a² dt/dV: from 0, v_n = a² dt/dV (1 - q^n)/(1 - q) with q = (1 - theta dt)².
    theta, a, dx, dt, n = 1.5, 0.6, 0.5, 0.2, 30
    rule = decay_rule(theta, dx=dx, noise=a)
    field = last(
        td.evolve(rule, np.zeros((1, 128, 128)), td.uniform(0, n * dt, dt), stepper=td.euler_maruyama, every=n, rng=1)
    )
    q = (1 - theta * dt) ** 2
    variance_is(field, a**2 * dt / dx**2 * (1 - q**n) / (1 - q))


@pytest.mark.parametrize("shape, volume", [((1, 100, 100), 0.25), ((1, 1, 10_000), 0.5), ((1, 10_000, 1), 0.5)])
def test_noise_without_drift_is_normal_with_variance_a2_t_over_cell_volume(shape, volume):
    rule = decay_rule(0.0, dx=0.5, noise=0.3)
    field = last(td.evolve(rule, np.zeros(shape), td.uniform(0, 2, 0.25), stepper=td.euler_maruyama, rng=5))
    deviation = 0.3 * np.sqrt(2 / volume)
    variance_is(field, deviation**2)
    assert kstest(field.ravel(), "norm", args=(0, deviation)).pvalue > 0.01


def test_noise_may_differ_by_channel_and_follow_the_clock():
    rule = td.morphogenesis.schnakenberg(dx=1.0)
    still = np.broadcast_to(rule.steady_state().reshape(2, 1, 1), (2, 6, 7)).copy()

    def kicked(noise, times):
        return last(td.evolve(replace(rule, noise=noise), still, times, stepper=td.euler_maruyama, rng=0)) - still

    one, each = kicked(1.0, [0, 0.01]), kicked((2.0, 0.0), [0, 0.01])
    assert one.all()
    np.testing.assert_allclose(each[0], 2 * one[0], rtol=1e-12)
    np.testing.assert_allclose(each[1], 0, atol=1e-15)
    early = kicked(lambda t: float(t < 0.01), [0, 0.01, 0.02])
    np.testing.assert_allclose(early, last(td.evolve(rule, still + one, [0.01, 0.02])) - still, rtol=0, atol=1e-14)
    with pytest.raises(ValueError, match="2 channels and 3 noise amplitudes"):
        kicked((1, 2, 3), [0, 0.01])


@pytest.mark.parametrize("stepper", [td.euler, td.heun, td.rk4, td.rkc, td.adaptive, midpoint])
def test_a_deterministic_stepper_refuses_a_rule_with_noise(stepper):
    for noise in (0.1, lambda t: 0.1):
        with pytest.raises(ValueError, match=r"decay has noise, which .* would drop: use stepper=td\.euler_maruyama"):
            td.evolve(decay_rule(noise=noise), np.ones((1, 2, 2)), [0, 0.1], stepper=stepper)


def test_noise_is_not_dropped_by_anything_that_runs_a_rule():
    rule = td.morphogenesis.schnakenberg(noise=0.1)
    start, times = rule.initial((6, 6), rng=0), [0, 0.001]
    calls = [
        lambda: td.simulate(rule, start, times),
        lambda: td.until_steady(rule, start, times),
        lambda: td.measure.influence(rule, start, times),
        lambda: td.measure.divergence(rule, start, times, rng=0),
        lambda: td.evolve(td.denoising.wiener(np.ones((2, 1, 6, 6), np.float32)).reverse_sde(), start[:1], [1.0, 0.5]),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="would drop"):
            call()


def test_a_stepper_of_your_own_may_add_the_noise():
    def kicks(flow, field, times, steps, rngs):
        return field + flow.rule.noise

    kicks.adds_noise = True
    assert last(td.evolve(decay_rule(noise=0.5), np.ones((1, 1, 1)), [0, 1], stepper=kicks)).item() == 1.5


@pytest.mark.parametrize("clock, hint", [("time", "noise=0.1$"), ("sigma", "reverse_sde")])
def test_euler_maruyama_without_noise_warns_and_is_euler(clock, hint):
    rule, field, times = decay_rule(clock=clock), np.ones((1, 2, 3)), [1.0, 0.5]
    with pytest.warns(UserWarning, match=f"decay has no noise for euler_maruyama to add: .*{hint}") as caught:
        evolution = td.evolve(rule, field, times, stepper=td.euler_maruyama, rng=0)
    assert caught[0].filename == __file__
    np.testing.assert_array_equal(last(evolution), last(td.evolve(rule, field, times)))


@pytest.mark.parametrize(
    "noise, error, message",
    [
        (-1, ValueError, "finite and >= 0, got -1"),
        (np.nan, ValueError, "finite and >= 0, got nan"),
        ((0.1, -0.1), ValueError, "finite and >= 0"),
        ((0.1,), ValueError, "2 channels and 1 noise amplitudes"),
        (np.ones((3, 4)), ValueError, "2 channels and 12 noise amplitudes"),
        ("strong", TypeError, "noise must be a number"),
    ],
)
def test_noise_that_is_no_amplitude_is_refused_when_the_rule_is_made(noise, error, message):
    with pytest.raises(error, match=message):
        td.morphogenesis.schnakenberg(noise=noise)


def test_noise_of_a_clock_is_checked_as_it_comes():
    rule = decay_rule(noise=lambda t: t - 1)
    with pytest.raises(ValueError, match=r"finite and >= 0, got -1"):
        last(td.evolve(rule, np.ones((1, 2, 2)), [0, 1], stepper=td.euler_maruyama, rng=0))


def test_noise_is_shown():
    assert "noise" not in repr(decay_rule())
    assert "; noise=0.1; " in repr(decay_rule(noise=0.1))
    assert "; noise=(0.1, 0.2); " in repr(td.morphogenesis.schnakenberg(noise=[0.1, 0.2]))
    assert "; noise=a function; " in repr(decay_rule(noise=abs))


def test_facts_of_a_scheme_stand_on_the_stepper():
    assert td.rk4.real_stability == 2.785
    assert (td.euler.stages, td.heun.stages, td.rk4.stages) == ((0,), (0, 1), (0, 1 / 2, 1 / 2, 1))

    @td.one_step(stages=(0, 1 / 2), real_stability=2.0)
    def half(rate, y, t, dt):
        return y + dt * rate(y + dt / 2 * rate(y, t), t + dt / 2)

    assert (half.__name__, half.stages, half.real_stability) == ("half", (0, 1 / 2), 2.0)
    with pytest.raises(TypeError, match=r"no option 'stage' of one_step; did you mean 'stages'"):
        td.one_step(stage=(0,))


MU, S = 0.3, 0.25


def gaussian(phi, i, j, t, p, g, out):
    """Images that are N(mu, S), pixel by pixel: D = mu + S/(S + sigma²)(y - mu)."""
    mean = p[0] + p[1] / (p[1] + t * t) * (phi[0, i, j] - p[0])
    out[0, i, j] = (phi[0, i, j] - mean) / t


def gaussian_rule():
    return td.Rule(gaussian, {"mu": MU, "S": S}, 1, td.Neighbourhood(0), clock="sigma")


def gaussian_start(sigma, side=100):
    return MU + np.sqrt(S + sigma**2) * np.random.default_rng(0).standard_normal((1, side, side))


def ancestral_variance(levels):
    """Of the exact recursion y' - mu = [r + (1 - r) S/(S + s²)](y - mu) + s' sqrt(1 - r) n, r = s'²/s²."""
    variance = S + levels[0] ** 2
    for s, lower in pairwise(levels):
        r = (lower / s) ** 2
        variance = (r + (1 - r) * S / (S + s**2)) ** 2 * variance + lower**2 * (1 - r)
    return variance


def test_ancestral_sampling_follows_its_recursion():
    levels = np.array([10.0, 3.0, 1.0, 0.4, 0.1])
    field = last(td.evolve(gaussian_rule(), gaussian_start(10.0), levels, stepper=td.ancestral, rng=1))
    assert ancestral_variance(levels) < 0.8 * S  # coarse levels lose variance, which the test must see
    variance_is(field, ancestral_variance(levels), MU)


def test_ancestral_sampling_keeps_the_variance_of_the_data():
    # The loss is of first order in the step: 400 levels, even in the angle of tan, are within 2%.
    levels = np.sqrt(S) * np.tan(np.linspace(1, 0, 401) * np.arctan(40.0))
    assert ancestral_variance(levels) == pytest.approx(S, rel=0.02)
    start = gaussian_start(levels[0], side=50)
    field = last(td.evolve(gaussian_rule(), start, levels, stepper=td.ancestral, every=400, rng=1))
    variance_is(field, S, MU)


def test_the_probability_flow_keeps_the_variance_of_the_data():
    levels = td.denoising.karras_levels(50, sigma_max=20, sigma_min=0.01)
    start = gaussian_start(20.0, side=50)
    field = last(td.evolve(gaussian_rule(), start, levels, stepper=td.heun, every=50))
    # Linear and deterministic: the sample keeps its shape, only its width shrinks from S + 400 to S.
    np.testing.assert_allclose(field - MU, (start - MU) * np.sqrt(S / (S + 400)), rtol=0.01)


def test_ancestral_sampling_needs_falling_sigma():
    zeros = np.zeros((1, 3, 3))
    with pytest.raises(ValueError, match="runs along sigma; d has the clock time"):
        last(td.evolve(decay_rule(name="d"), zeros, [1.0, 0.5], stepper=td.ancestral, rng=0))
    with pytest.raises(ValueError, match=r"needs falling levels, got 0\.5 then 1\.0"):
        last(td.evolve(gaussian_rule(), zeros, [0.5, 1.0], stepper=td.ancestral, rng=0))


@pytest.mark.parametrize("stepper, rule", [(td.euler_maruyama, decay_rule(noise=0.5)), (td.ancestral, gaussian_rule())])
def test_stochastic_steppers_need_a_seed(stepper, rule):
    with pytest.raises(ValueError, match=f"{stepper.__name__} draws noise.* rng="):
        last(td.evolve(rule, np.zeros((1, 3, 3)), [1.0, 0.5], stepper=stepper))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "stepper, rule", [(td.euler_maruyama, decay_rule(noise=0.5, dx=0.5)), (td.ancestral, gaussian_rule())]
)
def test_the_noise_of_a_replica_does_not_depend_on_how_many_there_are(stepper, rule, dtype):
    field, times = np.ones((5, 1, 3, 4), dtype), [2.0, 1.5, 1.0]
    five = last(td.evolve(rule, field, times, stepper=stepper, rng=7))
    two = last(td.evolve(rule, field[:2], times, stepper=stepper, rng=7))
    alone = last(td.evolve(rule, field[0], times, stepper=stepper, rng=7))
    assert five.dtype == two.dtype == alone.dtype == dtype
    assert two.tobytes() == five[:2].tobytes()
    assert alone.tobytes() == five[0].tobytes()
    assert len(np.unique(five)) == five.size  # no two replicas share their noise


@pytest.mark.parametrize("every", [1, 2, 5])
def test_noise_does_not_depend_on_what_is_recorded(every):
    rule, times = decay_rule(noise=0.5), td.uniform(0, 1, 0.1)
    field = np.ones((2, 1, 3, 3))
    found = last(td.evolve(rule, field, times, stepper=td.euler_maruyama, rng=3, every=every))
    assert found.tobytes() == last(td.evolve(rule, field, times, stepper=td.euler_maruyama, rng=3)).tobytes()


def test_a_generator_goes_on_and_a_seed_starts_again():
    rule, field = decay_rule(noise=0.5), np.ones((1, 3, 3))
    generator = np.random.default_rng(0)
    first, second = (last(td.evolve(rule, field, [0, 1], stepper=td.euler_maruyama, rng=generator)) for _ in range(2))
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(last(td.evolve(rule, field, [0, 1], stepper=td.euler_maruyama, rng=0)), first)


def test_additive_noise_is_the_same_backwards_in_time():
    # |dt|: a step back spreads as much as a step forward.
    rule, zeros = decay_rule(0.0, noise=0.5), np.zeros((1, 3, 3))
    forward, backward = (
        last(td.evolve(rule, zeros, times, stepper=td.euler_maruyama, rng=0)) for times in ([0, 1], [1, 0])
    )
    np.testing.assert_array_equal(forward, backward)
