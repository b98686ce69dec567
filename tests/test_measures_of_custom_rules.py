"""Every measure of a rule takes a bare cell function along sigma: nothing but `Rule` is asked for."""

import numpy as np
import pytest

import turingdiff as td

RADIUS, SIDE = 1, 9


def linear_denoiser(phi, i, j, t, p, g, out):
    """A linear denoiser: D is the mean over a cell and its four neighbours, shrunk by 1/(1 + t²)."""
    plus = phi[0, i, j] + phi[0, i - 1, j] + phi[0, i + 1, j] + phi[0, i, j - 1] + phi[0, i, j + 1]
    out[0, i, j] = (phi[0, i, j] - plus / 5 / (1 + t * t)) / t


@pytest.fixture(scope="module")
def rule():
    return td.Rule(linear_denoiser, (), 1, td.Neighbourhood(RADIUS, "periodic"), clock="sigma", name="bare")


@pytest.fixture(scope="module")
def field():
    return np.random.default_rng(0).standard_normal((1, SIDE, SIDE))


def symbol(kx, ky, sigma):
    return (1 + 2 * np.cos(kx) + 2 * np.cos(ky)) / 5 / (1 + sigma**2)


def test_waves_of_a_bare_denoiser_have_the_growth_rates_of_its_symbol(rule):
    levels = np.array([2.0, 1.0, 0.5])
    waves = np.linspace(0, np.pi, 7), np.linspace(-np.pi, np.pi, 5)[:, None]
    exact = np.stack([symbol(*waves, sigma) - 1 for sigma in levels])
    path = td.measure.speciation(rule, levels)
    np.testing.assert_allclose(path.growth(*waves), exact, atol=1e-6)
    np.testing.assert_allclose(td.measure.dispersion(rule, t=1.0).growth(*waves), exact[1], atol=1e-6)
    np.testing.assert_allclose(path.states, 0, atol=1e-6)
    assert path.first is None  # a linear denoiser that shrinks every wave
    assert abs(td.measure.uniform_fixed_point(rule, 0.5, [0.3])).max() < 1e-6


def test_a_bare_denoiser_has_a_receptive_field(rule, field):
    jacobian = td.measure.jacobian_map(rule, field, 0.5, (4, 4)).of_denoiser().jacobian[0, 0]
    exact = np.zeros((SIDE, SIDE))
    exact[[4, 3, 5, 4, 4], [4, 4, 4, 3, 5]] = 0.2 / 1.25
    np.testing.assert_allclose(jacobian, exact, atol=1e-9)


def test_runs_of_a_bare_denoiser_spread_within_the_light_cone_and_converge(rule, field):
    levels = [2.0, 1.0, 0.5, 0.25]
    cone = td.measure.influence(rule, field, levels)
    assert cone.radius.tolist() == cone.bound.tolist() == [0, 1, 2, 3]
    runs = td.measure.divergence(rule, field, levels, rng=0)
    assert -1 < runs.exponent < 0
