"""Linear growth rates of reaction–diffusion systems against the dispersion relation of the discrete Laplacian.

One Euler step multiplies a mode by 1 + dt lambda, so that the rate to expect is log(1 + dt lambda)/dt.
"""

import numpy as np
import pytest
from rules import last

import turingdiff as td

CELLS = 128
AMPLITUDE = 1e-6
brusselator, gray_scott, schnakenberg = (
    td.morphogenesis.brusselator,
    td.morphogenesis.gray_scott,
    td.morphogenesis.schnakenberg,
)


def schnakenberg_jacobian(a, b):
    u, v = a + b, b / (a + b) ** 2
    return np.array([[2 * u * v - 1, u * u], [-2 * u * v, -u * u]])


def brusselator_jacobian(a, b):
    return np.array([[b - 1, a * a], [-b, -a * a]])


def growing_mode(jacobian, D, m, dx):
    """The largest eigenvalue of mode m and its eigenvector."""
    k2 = (2 - 2 * np.cos(2 * np.pi * m / CELLS)) / dx**2
    values, vectors = np.linalg.eig(jacobian - k2 * np.diag(D))
    fastest = values.real.argmax()
    return values[fastest].real, vectors[:, fastest].real


def measured_growth(rule, vector, m, dt, steps=200):
    """Rate of mode m from a small push along `vector`, on a ring of cells."""
    wave = np.cos(2 * np.pi * m * np.arange(CELLS) / CELLS)
    state = rule.steady_state().reshape(-1, 1, 1)
    start = state + AMPLITUDE * vector.reshape(-1, 1, 1) * wave
    end = last(td.evolve(rule, start, td.uniform(0, steps * dt, dt), every=steps))
    sizes = [np.fft.rfft((field - state)[:, 0])[:, m].real for field in (start, end)]
    growth = np.log(sizes[1] / sizes[0]) / (steps * dt)
    np.testing.assert_allclose(growth[0], growth[1], rtol=1e-3, atol=1e-6)  # it stays an eigenvector
    return growth[0]


# The expected numbers: computed for this project, and equal to what another program measured (facts, section 6.4).
@pytest.mark.parametrize(
    "rule, jacobian, m, dt, expected",
    [
        (schnakenberg(a=0.1, b=0.9, diffusion=(1, 10), dx=1.0), schnakenberg_jacobian(0.1, 0.9), 12, 0.01, 0.0563225),
        (schnakenberg(a=0.1, b=0.9, diffusion=(1, 10), dx=0.5), schnakenberg_jacobian(0.1, 0.9), 6, 0.005, 0.0555438),
        (brusselator(a=2, b=3, diffusion=(1, 8), dx=0.5), brusselator_jacobian(2, 3), 9, 0.005, 0.0554529),
    ],
    ids=["schnakenberg dx=1", "schnakenberg dx=0.5", "brusselator"],
)
def test_growth_follows_the_discrete_dispersion_relation(rule, jacobian, m, dt, expected):
    rate, vector = growing_mode(jacobian, list(rule.params.values())[:2], m, rule.neighbourhood.dx)
    assert np.log(1 + dt * rate) / dt == pytest.approx(expected, abs=5e-8)
    assert measured_growth(rule, vector, m, dt) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("D, grows", [(7.0, False), (7.42, False), (7.5, True), (8.0, True)])
def test_brusselator_has_its_threshold_at_7_4641(D, grows):
    # D_c = a²/(sqrt(b) - 1)² = 7.4641 for (2, 3). The grid is chosen so that mode 9 sits at k_c² = sqrt(det/D_c).
    critical = 4 / (np.sqrt(3) - 1) ** 2
    assert critical == pytest.approx(7.4641, abs=5e-5)
    dx = np.sqrt((2 - 2 * np.cos(2 * np.pi * 9 / CELLS)) / np.sqrt(4 / critical))
    _, vector = growing_mode(brusselator_jacobian(2, 3), (1, D), 9, dx)
    growth = measured_growth(brusselator(a=2, b=3, diffusion=(1, D), dx=dx), vector, 9, dt=0.005)
    assert (growth > 0) == grows
    assert abs(growth) > 1e-4


def test_below_the_threshold_every_mode_of_the_brusselator_decays():
    rates = [growing_mode(brusselator_jacobian(2, 3), (1, 7.0), m, 0.5)[0] for m in range(CELLS // 2 + 1)]
    assert max(rates) < 0


@pytest.mark.parametrize("F, k", [(0.03, 0.062), (0.058, 0.065)])
def test_the_fed_state_of_gray_scott_decays_at_exactly_F_and_F_plus_k(F, k):
    rule, dt, steps = gray_scott(F=F, k=k), 0.5, 40
    fed = rule.steady_state().reshape(2, 1, 1) * np.ones((1, 4, 5))
    np.testing.assert_array_equal(fed[:, 0, 0], [1, 0])

    # Without v the equation of u is linear, whatever the size of the push.
    starved = last(td.evolve(rule, fed - np.array([0.5, 0]).reshape(2, 1, 1), td.uniform(0, dt * steps, dt)))
    np.testing.assert_allclose(1 - starved[0], 0.5 * (1 - F * dt) ** steps, rtol=1e-13)
    assert not starved[1].any()

    # v feels itself at second order.
    seeded = last(td.evolve(rule, fed + np.array([0, 1e-9]).reshape(2, 1, 1), td.uniform(0, dt * steps, dt)))
    np.testing.assert_allclose(seeded[1], 1e-9 * (1 - (F + k) * dt) ** steps, rtol=1e-7)
