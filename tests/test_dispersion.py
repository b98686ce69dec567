"""Dispersion relations against closed forms: continuum, discrete, and of rules that are no reactions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from quick import all_in_one
from rules import decay_rule, heat_rule, last

import turingdiff as td
from turingdiff.engine.stencils import isotropic_laplacian, laplacian

dispersion = td.measure.dispersion
brusselator, gray_scott, schnakenberg = (
    td.morphogenesis.brusselator,
    td.morphogenesis.gray_scott,
    td.morphogenesis.schnakenberg,
)


@td.reaction(species="uv")
def spots(u, v, a=0.5, b=1.0, c=6.1):
    """Gierer & Meinhardt."""
    return a + u * u / v - b * u, u * u - c * v


spots.diffusion = (1.0, 100.0)
spots.steady_state = lambda a, b, c: ((a + c) / b, ((a + c) / b) ** 2 / c)


@td.reaction(species="uv")
def nerve(u, v):
    """FitzHugh & Nagumo."""
    return u - u * u * u - v, 0.5 * (u - v + 0.1)


nerve.diffusion = (1.0, 20.0)
nerve.steady_state = lambda: (-np.cbrt(0.1), 0.1 - np.cbrt(0.1))


@td.reaction(species="uv")
def cima(u, v, a=15.0, b=9.0):
    """Lengyel & Epstein."""
    w = u * v / (1 + u * u)
    return a - u - 4 * w, b * (u - w)


cima.diffusion = (1.0, 15.0)
cima.steady_state = lambda a, b: (a / 5, 1 + a * a / 25)


@td.reaction(species="as")
def leopard(a, s):
    """Koch & Meinhardt 1994, eq. 3."""
    made = a * a * s / (1 + 0.25 * a * a)
    return 0.01 * made - 0.01 * a, 0.02 - 0.02 * made


leopard.diffusion = (0.005, 0.2)
leopard.steady_state = lambda: (1.0, 1.25)


@td.reaction(species="uv")
def turing_1952(u, v):
    return (16 - u * v) / 16, (u * v - v - 12) / 16


turing_1952.diffusion = (1 / 4, 1 / 16)
turing_1952.steady_state = lambda: (4.0, 4.0)


def jacobian_of_leopard():
    q = 1 / 1.25  # a²/(1 + a²/4)
    dq = 2 / 1.25**2
    return [[0.01 * 1.25 * dq - 0.01, 0.01 * q], [-0.02 * 1.25 * dq, -0.02 * q]]


def jacobian_of_cima(a=15.0, b=9.0):
    u, v = a / 5, 1 + a * a / 25
    wu, wv = v * (1 - u * u) / (1 + u * u) ** 2, u / (1 + u * u)
    return [[-1 - 4 * wu, -4 * wv], [b * (1 - wu), -b * wv]]


# Jacobian by hand, D, and k_max, growth rate and wavelength as computed for this project (facts, section 4).
SYSTEMS = {
    "schnakenberg": (schnakenberg, [[0.8, 1.0], [-1.8, -1.0]], (1, 10), (0.5644, 0.05719, 11.13)),
    "brusselator": (brusselator, [[2.0, 4.0], [-3.0, -4.0]], (1, 8), (0.8471, 0.05773, 7.418)),
    "gierer_meinhardt": (
        spots,
        [[2 * 6.1 / 6.6 - 1, -((6.1 / 6.6) ** 2)], [13.2, -6.1]],
        (1, 100),
        (0.5219, 0.2403, 12.04),
    ),
    "fitzhugh_nagumo": (nerve, [[1 - 3 * 0.1 ** (2 / 3), -1], [0.5, -0.5]], (1, 20), (0.3603, 0.0657, 17.44)),
    "lengyel_epstein": (cima, jacobian_of_cima(), (1, 15), (0.9752, 0.1105, 6.443)),
    "activator_substrate": (leopard, jacobian_of_leopard(), (0.005, 0.2), (0.6474, 0.001375, 9.706)),
}
systems = pytest.mark.parametrize("name", SYSTEMS)


def symbol_5(kx, ky, dx):
    return -(4 - 2 * np.cos(kx * dx) - 2 * np.cos(ky * dx)) / dx**2


def symbol_9(kx, ky, dx):
    x, y = np.cos(kx * dx), np.cos(ky * dx)
    return (8 * (x + y) + 4 * x * y - 20) / (6 * dx**2)


def fastest(J, D):
    """k_max and its growth rate of two species in the continuum (docs/mathematics.md, Turing's condition)."""
    (fu, fv), (gu, gv) = J
    Du, Dv = D
    product = -Du * Dv * fv * gu
    k2 = ((Du + Dv) * np.sqrt(product) / (Du * Dv) - (fu - gv)) / (Dv - Du)
    return np.sqrt(k2), (Dv * fu - Du * gv - 2 * np.sqrt(product)) / (Dv - Du)


def band(J, D):
    """Between which k² the determinant of J - k² D is negative."""
    (fu, fv), (gu, gv) = J
    return np.sort(np.roots([D[0] * D[1], -(D[1] * fu + D[0] * gv), fu * gv - fv * gu]))


def grid_wavenumber(k2, dx):
    """The k whose five-point symbol is -k2."""
    return 2 / dx * np.arcsin(np.sqrt(k2) * dx / 2)


# --- closed forms


@systems
def test_the_fastest_wave_is_that_of_the_closed_form_as_the_grid_is_refined(name):
    system, J, D, (k_max, growth, wavelength) = SYSTEMS[name]
    exact, rate = fastest(J, D)
    assert (exact, rate) == (pytest.approx(k_max, abs=6e-5), pytest.approx(growth, rel=1e-3))
    errors = []
    for cells in (12, 24, 48):  # a wavelength
        curve = dispersion(system(dx=wavelength / cells))
        assert curve.max_growth == pytest.approx(rate, rel=1e-8)  # the grid moves the wave, not its rate
        assert curve.regime == "Turing"
        errors.append(curve.k_max - exact)
    assert errors[0] / errors[1] == pytest.approx(4, abs=0.1)  # order dx²
    assert errors[1] / errors[2] == pytest.approx(4, abs=0.03)
    assert curve.wavelength == pytest.approx(wavelength, rel=2e-3)


@systems
def test_growth_at_a_fixed_wave_converges_at_second_order(name):
    system, J, D, (k, _, wavelength) = SYSTEMS[name]
    k = 0.8 * k
    exact = np.linalg.eigvals(np.array(J) - k**2 * np.diag(D)).real.max()
    errors = [dispersion(system(dx=wavelength / cells)).growth(k) - exact for cells in (16, 32, 64)]
    assert errors[0] / errors[1] == pytest.approx(4, abs=0.1)
    assert errors[1] / errors[2] == pytest.approx(4, abs=0.1)


@systems
def test_the_unstable_band_ends_where_the_determinant_changes_sign(name):
    system, J, D, (*_, wavelength) = SYSTEMS[name]
    dx = wavelength / 20
    curve = dispersion(system(dx=dx))
    np.testing.assert_allclose(curve.unstable_band, grid_wavenumber(band(J, D), dx), rtol=1e-7)
    assert not curve.oscillatory


@pytest.mark.parametrize(
    "name, stencil, symbol",
    [(name, laplacian, symbol_5) for name in SYSTEMS] + [("brusselator", isotropic_laplacian, symbol_9)],
)
def test_eigenvalues_are_those_of_the_jacobian_and_the_symbol_of_the_stencil(name, stencil, symbol):
    system, J, D, (k, *_) = SYSTEMS[name]
    dx = 0.5 / k
    curve = dispersion(system(dx=dx, stencil=stencil))
    kx = np.array([0, k, 0, 0.7 * k, -0.4 * k, np.pi / dx, 0])
    ky = np.array([0, 0, k, 0.7 * k, 1.3 * k, np.pi / dx, np.pi / dx])
    matrices = np.array(J) + symbol(kx, ky, dx)[:, None, None] * np.diag(D)
    expected = -np.sort(-np.linalg.eigvals(matrices).astype(complex))
    scale = np.abs(expected).max(axis=1, keepdims=True)
    assert (np.abs(curve.eigenvalues(kx, ky) - expected) <= 1e-9 * scale).all()
    assert np.abs(curve.matrix(kx, ky) - matrices).max() < 1e-12 * np.abs(matrices).max()
    np.testing.assert_array_equal(curve.growth(kx, ky), curve.eigenvalues(kx, ky)[:, 0].real)
    np.testing.assert_array_equal(curve.frequency(kx, ky), np.abs(curve.eigenvalues(kx, ky)[:, 0].imag))


def test_shapes_follow_the_wavenumbers():
    curve = dispersion(brusselator())
    assert curve.eigenvalues(0.3).shape == (2,)
    assert curve.eigenvalues(np.zeros((3, 1)), np.zeros(4)).shape == (3, 4, 2)
    assert curve.matrix([0.1, 0.2]).shape == (2, 2, 2)
    assert curve.growth([0.1, 0.2]).shape == (2,)
    assert float(curve.growth(0.0)) == pytest.approx(-1)


@pytest.mark.parametrize("a, b", [(2.0, 3.0), (1.0, 2.5), (1.0, 1.5)])
def test_the_uniform_mode_of_the_brusselator_swings(a, b):
    # lambda² - (b - 1 - a²) lambda + a² = 0
    real, imaginary = (b - 1 - a * a) / 2, np.sqrt(a * a - (b - 1 - a * a) ** 2 / 4)
    found = dispersion(brusselator(a=a, b=b)).eigenvalues(0.0)
    np.testing.assert_allclose(found, [real + 1j * imaginary, real - 1j * imaginary], rtol=1e-11)


@pytest.mark.parametrize("share, grows", [(1 - 1e-4, False), (1 + 1e-4, True)])
def test_the_brusselator_has_its_threshold_at_7_4641_on_the_grid_too(share, grows):
    critical = 4 / (np.sqrt(3) - 1) ** 2
    assert critical == pytest.approx(7.4641, abs=5e-5)
    k = grid_wavenumber(np.sqrt(4 / (critical * share)), 0.5)
    curve = dispersion(brusselator(Dv=critical * share, dx=0.5))
    assert (curve.growth(k) > 0) == grows
    assert (curve.regime, curve.unstable_band is None) == (("Turing", False) if grows else ("stable", True))
    assert curve.k_max == pytest.approx(k, rel=1e-3)


def test_turing_s_own_parameters_are_marginal_and_not_called_unstable():
    curve = dispersion(turing_1952(dx=0.5))
    assert abs(curve.max_growth) <= curve.tolerance < 1e-9
    assert curve.k_max == pytest.approx(grid_wavenumber(1.0, 0.5), rel=1e-5)
    assert curve.unstable_band is None
    assert curve.regime == "stable"


@pytest.mark.parametrize("F, k", [(0.03, 0.062), (0.058, 0.065)])
def test_the_fed_state_of_gray_scott_decays_at_F_and_F_plus_k(F, k):
    curve = dispersion(gray_scott(F=F, k=k))
    np.testing.assert_allclose(curve.eigenvalues(0.0), [-F, -F - k], rtol=1e-12)
    assert (curve.k_max, curve.wavelength, curve.regime) == (0, np.inf, "stable")
    assert curve.max_growth == pytest.approx(-F, rel=1e-12)


def test_a_run_grows_as_predicted():
    # One Euler step multiplies a mode by 1 + dt lambda.
    rule, dt, steps = schnakenberg(dx=1.0), 0.01, 200
    curve = dispersion(rule)
    k = 2 * np.pi * 3 / 32
    values, vectors = np.linalg.eig(curve.matrix(k))
    vector = vectors[:, values.argmax()].reshape(2, 1, 1)
    wave = np.cos(k * np.arange(32))
    start = curve.state.reshape(2, 1, 1) + 1e-6 * vector * wave
    end = last(td.evolve(rule, start, td.uniform(0, steps * dt, dt)))
    measured = np.log(np.ptp(end[0]) / np.ptp(start[0])) / (steps * dt)
    assert measured == pytest.approx(np.log(1 + dt * curve.growth(k)) / dt, rel=1e-5)


@given(
    J=st.lists(st.floats(-3, 3), min_size=4, max_size=4),
    D=st.lists(st.floats(0, 20), min_size=2, max_size=2),
    dx=st.floats(0.2, 3),
    angle=st.floats(0, 2 * np.pi),
)
def test_the_eigenvalues_of_any_linear_rule_are_numpy_s(J, D, dx, angle):
    rule = td.Rule(linear, [*D, *J], "uv", td.Neighbourhood(1, dx=dx), equilibrium=(0, 0))
    curve = dispersion(rule)
    k = np.linspace(0, np.pi / dx, 9)
    kx, ky = k * np.cos(angle), k * np.sin(angle)
    matrices = np.reshape(J, (2, 2)) + symbol_5(kx, ky, dx)[:, None, None] * np.diag(D)
    scale = np.abs(matrices).max() + 1e-9
    np.testing.assert_allclose(curve.matrix(kx, ky), matrices, rtol=0, atol=1e-11 * scale)
    expected = np.linalg.eigvals(curve.matrix(kx, ky)).astype(complex)
    np.testing.assert_array_equal(curve.eigenvalues(kx, ky), -np.sort(-expected))
    dense = curve.growth(np.linspace(0, np.pi / dx, 400))
    assert curve.max_growth >= dense.max() - 1e-9 * scale


def linear(phi, i, j, t, p, g, out):
    Du, Dv, a, b, c, d = p
    u, v = phi[0, i, j], phi[1, i, j]
    out[0, i, j] = Du * laplacian(phi, 0, i, j, g) + a * u + b * v
    out[1, i, j] = Dv * laplacian(phi, 1, i, j, g) + c * u + d * v


# --- rules that are no reactions


def twice(phi, c, i, j, g):
    """The five-point Laplacian of the five-point Laplacian."""
    around = laplacian(phi, c, i - 1, j, g) + laplacian(phi, c, i + 1, j, g)
    around += laplacian(phi, c, i, j - 1, g) + laplacian(phi, c, i, j + 1, g)
    return (around - 4 * laplacian(phi, c, i, j, g)) * g.per_dx2


def swift_hohenberg(phi, i, j, t, p, g, out):
    """Channel by channel eps u - (q² + ∇²)² u - u³, carried along x."""
    drift = p[0]
    for c in range(phi.shape[0]):
        eps, q2, u = p[1 + 2 * c], p[2 + 2 * c], phi[c, i, j]
        waves = q2 * q2 * u + 2 * q2 * laplacian(phi, c, i, j, g) + twice(phi, c, i, j, g)
        carried = drift * (phi[c, i, j + 1] - phi[c, i, j - 1]) / (2 * g.dx)
        out[c, i, j] = eps * u - waves - u * u * u - carried


def swift_hohenberg_rule(*pairs, drift=0.0, dx=0.5):
    params = [drift, *np.ravel(pairs)]
    return td.Rule(
        swift_hohenberg, params, len(pairs), td.Neighbourhood(2, dx=dx), equilibrium=[0.0] * len(pairs), name="SH"
    )


def test_a_rule_of_radius_2_against_its_symbol():
    curve = dispersion(swift_hohenberg_rule((0.1, 1.0)))
    kx, ky = np.linspace(-6, 6, 13), np.linspace(0, 6, 5)[:, None]
    expected = 0.1 - (1 + symbol_5(kx, ky, 0.5)) ** 2
    np.testing.assert_allclose(curve.growth(kx, ky), expected, rtol=1e-9, atol=1e-9)
    assert curve.kernel.shape == (1, 1, 5, 5)
    assert curve.regime == "Turing"
    assert curve.max_growth == pytest.approx(0.1, rel=1e-9)
    assert curve.k_max == pytest.approx(grid_wavenumber(1.0, 0.5), rel=1e-6)
    edges = grid_wavenumber(1 + np.sqrt(0.1) * np.array([-1, 1]), 0.5)
    np.testing.assert_allclose(curve.unstable_band, edges, rtol=1e-8)


def test_a_band_narrower_than_the_samples_is_found():
    curve = dispersion(swift_hohenberg_rule((1e-6, 1.0)))
    edges = grid_wavenumber(1 + 1e-3 * np.array([-1, 1]), 0.5)
    np.testing.assert_allclose(curve.unstable_band, edges, rtol=1e-5)


def test_of_two_humps_the_higher_wins_and_of_equals_the_longer_wave():
    for tall, low, winner in ((0.2, 0.1, 1.0), (0.1, 0.2, 3.0), (0.1, 0.1, 1.0)):
        curve = dispersion(swift_hohenberg_rule((low, 3.0), (tall, 1.0)))
        assert curve.k_max == pytest.approx(grid_wavenumber(winner, 0.5), rel=1e-6)
        assert curve.unstable_band[0] < curve.k_max < curve.unstable_band[1] < np.pi / 0.5


def test_a_rule_that_is_not_mirror_symmetric_travels():
    curve = dispersion(swift_hohenberg_rule((0.1, 1.0), drift=0.3))
    k = np.array([-1.0, 0.5, 1.0])
    np.testing.assert_allclose(curve.eigenvalues(k)[:, 0].imag, -0.3 * np.sin(0.5 * k) / 0.5, rtol=1e-9)
    np.testing.assert_allclose(curve.eigenvalues(0.0, k)[:, 0].imag, 0, atol=1e-9)
    assert curve.oscillatory
    assert curve.regime == "wave"


def cahn_hilliard(phi, i, j, t, p, g, out):
    around = 0.0
    for y, x in ((i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)):
        around += phi[0, y, x] ** 3 - phi[0, y, x] - laplacian(phi, 0, y, x, g)
    here = phi[0, i, j] ** 3 - phi[0, i, j] - laplacian(phi, 0, i, j, g)
    out[0, i, j] = (around - 4 * here) * g.per_dx2


@pytest.mark.parametrize("mean", [0.0, 0.3])
def test_a_conserved_mean_neither_grows_nor_decays(mean):
    rule = td.Rule(cahn_hilliard, (), ["c"], td.Neighbourhood(2, dx=0.5), equilibrium=[mean])
    curve = dispersion(rule)
    k = np.linspace(0, 6, 20)
    L = symbol_5(k, 0, 0.5)
    np.testing.assert_allclose(curve.growth(k), -L * (1 - 3 * mean**2) - L**2, rtol=1e-9, atol=1e-9)
    assert curve.k_max == pytest.approx(grid_wavenumber((1 - 3 * mean**2) / 2, 0.5), rel=1e-6)
    low, high = curve.unstable_band
    assert low == 0
    assert high == pytest.approx(grid_wavenumber(1 - 3 * mean**2, 0.5), rel=1e-8)
    assert curve.regime == "long-wave"


def ginzburg_landau(phi, i, j, t, p, g, out):
    b, c, w = p
    u, v = phi[0, i, j], phi[1, i, j]
    Lu, Lv, s = laplacian(phi, 0, i, j, g), laplacian(phi, 1, i, j, g), u * u + v * v
    out[0, i, j] = u - w * v + Lu - b * Lv - s * (u - c * v)
    out[1, i, j] = v + w * u + Lv + b * Lu - s * (v + c * u)


def test_complex_ginzburg_landau_has_a_complex_pair_at_every_wave():
    rule = td.Rule(ginzburg_landau, (2.0, -1.5, 0.5), "uv", td.Neighbourhood(1, dx=0.5), equilibrium=(0, 0))
    curve = dispersion(rule)
    kx, ky = np.linspace(0.1, 6, 9), 0.3
    L = symbol_5(kx, ky, 0.5)
    np.testing.assert_allclose(curve.growth(kx, ky), 1 + L, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(curve.frequency(kx, ky), np.abs(0.5 + 2 * L), rtol=1e-9)
    assert (curve.k_max, curve.oscillatory, curve.regime) == (0, True, "Hopf")
    assert curve.unstable_band == (0, pytest.approx(grid_wavenumber(1.0, 0.5), rel=1e-8))


def test_the_fastest_wave_may_be_the_shortest_of_the_grid():
    curve = dispersion(heat_rule(D=-1.0, dx=0.5, equilibrium=[0.0]))
    assert curve.k_max == np.pi / 0.5
    assert curve.unstable_band == (0, np.pi / 0.5)
    assert curve.max_growth == pytest.approx(16, rel=1e-9)


def test_cells_that_do_not_see_each_other_have_no_wavelength():
    curve = dispersion(decay_rule(2.0, equilibrium=[0.0]))
    np.testing.assert_allclose(curve.growth(np.linspace(0, 3, 7)), -2, rtol=1e-12)
    assert (curve.k_max, curve.wavelength, curve.unstable_band) == (0, np.inf, None)


# --- what is refused


def test_a_uniform_field_serves_as_a_state():
    rule = brusselator()
    field = rule.steady_state().reshape(2, 1, 1) * np.ones((1, 5, 4))
    np.testing.assert_array_equal(dispersion(rule, field).kernel, dispersion(rule).kernel)


@all_in_one("boundary", ["no_flux", "zero", td.fixed(0.1), ("no_flux", "no_flux", "periodic", "periodic")])
def test_walls_are_refused(boundary):
    with pytest.raises(ValueError, match='make the rule with boundary="periodic"'):
        dispersion(brusselator(boundary=boundary))


def test_maps_are_refused():
    with pytest.raises(ValueError, match="b is a map"):
        dispersion(brusselator(b=np.full((8, 8), 3.0)), [2.0, 1.5])


def test_a_cell_function_that_asks_where_it_stands_is_refused():
    def striped(phi, i, j, t, p, g, out):
        out[0, i, j] = -phi[0, i, j] * (1 + 0.01 * ((i + j) % 2))

    def sloping(phi, i, j, t, p, g, out):
        out[0, i, j] = 0.01 * (j - g.pad) - phi[0, i, j]

    for cell, state in ((striped, 0.0), (sloping, 0.01)):
        with pytest.raises(ValueError, match="torus"):
            dispersion(td.Rule(cell, (), ["u"]), [state])


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ([2.0, 1.6], "u: 0.4, v: -0.4.*use rule.steady_state"),
        ([2.0], "one real value for each of u, v"),
        ([2.0, np.nan], "finite"),
        ([2.0, 1.5j], "real"),
        (np.ones((2, 3)), "uniform field"),
        (np.random.default_rng(0).uniform(1, 2, (2, 4, 4)), "must be uniform"),
    ],
)
def test_a_state_that_is_none(state, message):
    with pytest.raises(ValueError, match=message):
        dispersion(brusselator(), state)


def test_a_kink_at_the_state_is_refused_and_one_beside_it_is_not():
    def clipped(phi, i, j, t, p, g, out):
        out[0, i, j] = laplacian(phi, 0, i, j, g) - max(phi[0, i, j], p[0])

    for place in (0.0, 1e-3):
        with pytest.raises(ValueError, match="not smooth"):
            dispersion(td.Rule(clipped, (place,), ["u"]), [0.0])
    assert dispersion(td.Rule(clipped, (-0.5,), ["u"]), [0.0]).growth(0.0) == pytest.approx(-1)


def test_a_rate_that_is_not_finite_is_refused():
    def singular(phi, i, j, t, p, g, out):
        out[0, i, j] = phi[0, i, j] / (phi[0, i, j] - phi[0, i, j])

    with np.errstate(all="ignore"), pytest.raises(ValueError, match="not finite"):
        dispersion(td.Rule(singular, (), ["u"]), [0.0])


def test_it_says_in_a_line_what_it_found():
    assert str(dispersion(brusselator(dx=0.1))).startswith("brusselator: Turing, fastest wavelength 7.41")
    assert str(dispersion(gray_scott())) == "gray_scott: stable, no wave grows (largest rate -0.03)"
    assert str(dispersion(turing_1952(dx=0.5))).endswith("(largest rate 0)")
