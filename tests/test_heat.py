"""The heat equation: every mode decays by a factor known to the last digits."""

import numpy as np
import pytest
from rules import heat, heat_rule, isotropic_heat, last

import turingdiff as td

STEPS = 20
both_stencils = pytest.mark.parametrize("cell", [heat, isotropic_heat], ids=["5-point", "isotropic"])

# On n cells: the shape of mode m and its wavenumber times dx. Cells lie at half-integers between the faces.
MODES = {
    "periodic": ("periodic", lambda m, n: np.cos(2 * np.pi * m * np.arange(n) / n), lambda m, n: 2 * np.pi * m / n),
    "no_flux": ("no_flux", lambda m, n: np.cos(np.pi * m * (np.arange(n) + 0.5) / n), lambda m, n: np.pi * m / n),
    "fixed": (td.fixed(0), lambda m, n: np.sin(np.pi * m * (np.arange(n) + 0.5) / n), lambda m, n: np.pi * m / n),
}


def symbol(cell, a, b):
    """Times dx²; `a` and `b` are wavenumbers times dx."""
    edges, corners = 2 * np.cos(a) + 2 * np.cos(b), 4 * np.cos(a) * np.cos(b)
    return edges - 4 if cell is heat else (4 * edges + corners - 20) / 6


@both_stencils
@pytest.mark.parametrize("kind", MODES)
def test_modes_decay_by_the_exact_discrete_factor(kind, cell):
    boundary, shape, wavenumber = MODES[kind]
    (m, height), (n, width), D, dx, dt = (1, 12), (2, 16), 0.7, 0.5, 0.04
    mode = np.outer(shape(m, height), shape(n, width))[None]
    found = last(
        td.evolve(heat_rule(D, boundary, dx, cell), mode, td.uniform(0, STEPS * dt, dt), stepper=td.euler, every=STEPS)
    )
    factor = 1 + D * dt * symbol(cell, wavenumber(m, height), wavenumber(n, width)) / dx**2
    assert 0.5 < factor < 1
    np.testing.assert_allclose(found / factor**STEPS, mode, rtol=0, atol=1e-13)


@both_stencils
@pytest.mark.parametrize("kind", MODES)
def test_modes_of_a_line_decay_by_the_exact_discrete_factor(kind, cell):
    boundary, shape, wavenumber = MODES[kind]
    m, width, D, dx, dt = 2, 20, 0.7, 0.5, 0.04
    mode = shape(m, width)[None, None]
    found = last(td.evolve(heat_rule(D, boundary, dx, cell), mode, td.uniform(0, STEPS * dt, dt), every=STEPS))
    # On a line both stencils are the 3-point one.
    factor = 1 - D * dt * (2 - 2 * np.cos(wavenumber(m, width))) / dx**2
    np.testing.assert_allclose(found / factor**STEPS, mode, rtol=0, atol=1e-13)


@both_stencils
@pytest.mark.parametrize("D, dx, dt", [(1.0, 1.0, 0.125), (2.0, 0.5, 0.03)])
def test_second_moment_of_a_point_grows_by_2_D_dt_an_axis_a_step(cell, D, dx, dt):
    centre, side = 12, 25
    point = np.zeros((1, side, side))
    point[0, centre, centre] = 1
    square = ((np.arange(side) - centre) * dx) ** 2
    for n, (_, field) in enumerate(td.evolve(heat_rule(D, dx=dx, cell=cell), point, td.uniform(0, 10 * dt, dt))):
        plane = field[0]
        assert (plane >= 0).all()  # no sum below can cancel
        assert plane.sum() == pytest.approx(1, rel=1e-14)
        assert (plane.sum(1) * square).sum() == pytest.approx(2 * D * dt * n, rel=1e-13)
        assert (plane.sum(0) * square).sum() == pytest.approx(2 * D * dt * n, rel=1e-13)


def test_second_moment_of_a_point_on_a_line():
    point = np.zeros((1, 1, 41))
    point[0, 0, 20] = 1
    found = last(td.evolve(heat_rule(3.0, dx=2.0), point, td.uniform(0, 4, 0.25)))[0, 0]
    assert found.sum() == pytest.approx(1, rel=1e-14)
    assert (found * (2.0 * (np.arange(41) - 20)) ** 2).sum() == pytest.approx(2 * 3.0 * 4, rel=1e-13)


def test_mass_is_exact_where_the_arithmetic_is():
    # D dt = 1/8 and whole numbers: every product and sum below fits a float64.
    field = np.random.default_rng(0).integers(0, 100, (1, 8, 9)).astype(float)
    for boundary in ("periodic", "no_flux"):
        found = last(td.evolve(heat_rule(0.5, boundary), field, td.uniform(0, 2, 0.25)))
        assert found.sum() == field.sum()
        assert not np.array_equal(found, field)


def test_heat_flows_into_zero_padding_faster_than_out_of_a_fixed_zero():
    field = np.ones((1, 1, 4))
    np.testing.assert_array_equal(heat_rule(boundary="zero").rate(field), [[[-1, 0, 0, -1]]])
    np.testing.assert_array_equal(heat_rule(boundary=td.fixed(0)).rate(field), [[[-2, 0, 0, -2]]])


@pytest.mark.parametrize("cell, limit", [(heat, 0.25), (isotropic_heat, 0.375)], ids=["5-point", "isotropic"])
def test_euler_is_stable_up_to_the_tabulated_limit(cell, limit):
    board = np.where(np.indices((6, 8)).sum(0) % 2, -1.0, 1.0)[None]
    at_limit = last(td.evolve(heat_rule(cell=cell), board, [0, limit]))
    np.testing.assert_allclose(at_limit, -board, rtol=1e-15)
    beyond = last(td.evolve(heat_rule(cell=cell), board, td.uniform(0, 40 * 1.04 * limit, 1.04 * limit)))
    assert np.abs(beyond).min() == pytest.approx(1.08**40, rel=1e-10)


def test_euler_is_stable_up_to_one_half_on_a_line():
    board = np.where(np.arange(8) % 2, -1.0, 1.0)[None, None]
    np.testing.assert_array_equal(last(td.evolve(heat_rule(), board, [0, 0.5])), -board)


def test_steady_profile_between_two_fixed_faces_is_linear():
    # Faces at x = 0 and 8 dx hold 0 and 1; cells lie between.
    profile = ((np.arange(8) + 0.5) / 8)[None, None]
    boundary = ("no_flux", "no_flux", td.fixed(0), td.fixed(1))
    np.testing.assert_allclose(heat_rule(boundary=boundary).rate(profile), 0, atol=1e-15)
    relaxed = last(td.evolve(heat_rule(boundary=boundary), np.zeros((1, 1, 8)), td.uniform(0, 300, 0.4), every=750))
    np.testing.assert_allclose(relaxed, profile, rtol=0, atol=1e-12)
