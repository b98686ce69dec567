"""`until_steady`, and steady states found from a guess."""

import numpy as np
import pytest
from rules import decay_rule, heat_rule

import turingdiff as td

schnakenberg, brusselator = td.morphogenesis.schnakenberg, td.morphogenesis.brusselator


def slow_growth(phi, i, j, t, p, g, out):
    """Unstable at 1, slowly; stable at 2 and 0."""
    u = phi[0, i, j]
    out[0, i, j] = p[0] * (u - 1) * (2 - u) * u


def test_a_run_ends_when_it_stands_still():
    run = td.until_steady(decay_rule(2.0), np.ones((1, 3, 3)), td.uniform(0, 100, 0.01), tolerance=1e-4, every=10)
    # 2 u <= 1e-4 of the largest u so far, 1
    assert 2 * run.final.max() <= 1e-4 < 2 * run.frames[-2].max()
    assert run.times[-1] == pytest.approx(np.log(2e4) / -np.log(0.98) * 0.01, abs=0.11)
    np.testing.assert_allclose(np.diff(run.times), 0.1)


@pytest.mark.compiled
@pytest.mark.parametrize("stepper", [td.euler, td.rkc, td.adaptive(rtol=1e-6, method="rkc")])
def test_a_turing_pattern_becomes_steady(stepper):
    rule = schnakenberg(diffusion=(1, 40), dx=1.0)
    start = rule.initial((1, 40), rng=0)
    dt = 0.004 if stepper is td.euler else 0.5
    run = td.until_steady(rule, start, td.uniform(0, 2000, dt), tolerance=1e-6, stepper=stepper, frames=400)
    assert run.times[-1] < 1000
    assert np.ptp(run.final[0]) > 1
    assert np.abs(rule.rate(run.final)).max() < 2e-5


def test_a_slow_instability_in_float32_is_not_a_steady_state():
    # A step moves 1 + 1e-6 by 1e-9, less than the last place of a float32.
    rule = td.Rule(slow_growth, {"speed": 1.0}, ["u"], name="slow", stiffness=lambda rule, field: 4.0)
    start = np.full((1, 2, 2), 1 + 1e-5)
    with pytest.raises(td.NotSteadyError, match=r"stuck at 0\.01: the field stays the same in float32") as caught:
        td.until_steady(rule, start.astype(np.float32), td.uniform(0, 100, 1e-3), every=10)
    assert caught.value.run.frames.dtype == np.float32
    run = td.until_steady(rule, start, td.uniform(0, 100, 1e-3), every=10)
    np.testing.assert_allclose(run.final, 2, atol=1e-6)


def test_float32_reaches_a_steady_state_within_its_rounding():
    rule = schnakenberg(dx=1.0)
    start = rule.initial((1, 32), rng=0, dtype=np.float32)
    with pytest.raises(ValueError, match=r"tolerance = 1e-06 is below .* that rounding to float32 leaves"):
        td.until_steady(rule, start, td.uniform(0, 500, 0.02))
    run = td.until_steady(rule, start, td.uniform(0, 500, 0.02), tolerance=1e-4)
    assert run.frames.dtype == np.float32


def test_what_moves_for_ever_is_not_steady():
    rule = brusselator(a=1.0, b=3.0, dx=1.0)
    start = rule.initial((1, 8), rng=0)
    with pytest.raises(td.NotSteadyError, match=r"brusselator still changes at 30, by .* of its size") as caught:
        td.until_steady(rule, start, td.uniform(0, 30, 0.01))
    assert caught.value.run.times[-1] == 30
    assert isinstance(caught.value, ArithmeticError)


def test_what_decays_to_nothing_is_steady():
    run = td.until_steady(heat_rule(boundary=td.fixed(0)), np.ones((1, 1, 4)), td.uniform(0, 500, 0.2))
    assert run.times[-1] < 100
    assert np.abs(run.final).max() < 1e-5


@pytest.mark.parametrize("tolerance", [0, -1, np.inf, np.nan])
def test_a_tolerance_is_positive(tolerance):
    with pytest.raises(ValueError, match="tolerance must be a positive number"):
        td.until_steady(decay_rule(), np.ones((1, 2, 2)), [0, 1], tolerance=tolerance)


# --- steady states from a guess


@pytest.mark.parametrize("boundary", ["periodic", "no_flux", td.fixed(0.3), "zero"], ids=str)
def test_a_steady_state_is_found_from_a_guess(boundary):
    rule = schnakenberg(a=0.2, b=1.3, boundary=boundary)
    np.testing.assert_allclose(rule.steady_state(guess=(1, 1)), rule.steady_state(), rtol=1e-10)


def test_the_guess_decides_which_of_several():
    rule = td.Rule(slow_growth, {"speed": 3.0}, ["u"])
    for guess, root in [(-0.2, 0), (0.9, 1), (2.3, 2)]:
        np.testing.assert_allclose(rule.steady_state(guess=[guess]), root, atol=1e-10)


def test_a_system_may_bring_its_guess():
    @td.reaction(species="uv")
    def saturated(u, v, a=0.5, c=6.1, K=0.003):
        return a + u * u / (v * (1 + K * u * u)) - u, u * u - c * v

    with pytest.raises(ValueError, match="saturated has no uniform steady state on record: give steady_state a guess"):
        saturated().steady_state()
    saturated.guess = lambda a, c, K: (a + c, (a + c) ** 2 / c)
    u, v = saturated().steady_state()
    assert v == pytest.approx(u * u / 6.1, rel=1e-12)
    assert 0.5 + 6.1 / (1 + 0.003 * u * u) - u == pytest.approx(0, abs=1e-10)
    assert saturated().initial((4, 4), rng=0).shape == (2, 4, 4)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: schnakenberg().steady_state(guess=[1]), r"one finite value for each of \('u', 'v'\), got \[1\]"),
        (lambda: schnakenberg().steady_state(guess=[1, np.nan]), "one finite value for each"),
        (lambda: schnakenberg(a=np.ones((3, 3))).steady_state(guess=(1, 1)), "uniform parameters; a is a map"),
        (lambda: growing().steady_state(guess=[0.0]), r"no steady state found from \[0\.0\]; the search ended at"),
    ],
)
def test_a_guess_that_leads_nowhere_says_so(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def growing():
    def always(phi, i, j, t, p, g, out):
        out[0, i, j] = 1 + phi[0, i, j] * phi[0, i, j]

    return td.Rule(always, (), ["u"], name="growing")
