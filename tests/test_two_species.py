"""Known answers of two-species systems: their linear theory, the waves that it selects, and exact fronts.

The Jacobians are written out here by hand, so nothing below relies on the package's own linearisation.
"""

import math

import numpy as np
import pytest
from quick import slow_unless
from rules import last

import turingdiff as td
from turingdiff.engine.stencils import laplacian
from turingdiff.morphogenesis.gray_scott_1984 import blue_state

m = td.morphogenesis
NAMES = (
    "activator_substrate",
    "brusselator",
    "fitzhugh_nagumo",
    "gierer_meinhardt",
    "gray_scott",
    "lengyel_epstein",
    "schnakenberg",
)
every_system = pytest.mark.parametrize("name", NAMES)
every_preset = pytest.mark.parametrize(
    "name, preset",
    slow_unless(
        lambda name, preset: preset is None,
        [(name, preset) for name in NAMES for preset in (None, *getattr(m, name).presets)],
    ),
)


# --- steady states


@every_preset
def test_the_steady_state_is_a_root_of_the_rate(name, preset):
    rule = getattr(m, name)(preset)
    state = rule.steady_state()
    cell = state.reshape(2, 1, 1)
    turnover = np.abs(rule.rate(1.001 * cell + 1e-3) - rule.rate(cell)).max()
    assert np.abs(rule.rate(cell)).max() <= 1e-10 * turnover


@every_preset
@pytest.mark.parametrize("shape", [(1, 30), (9, 40), (70, 130)])
def test_the_start_fits_any_field_and_is_not_uniform(name, preset, shape):
    rule = getattr(m, name)(preset)
    start = rule.initial(shape, rng=3)
    assert start.shape == (2, *shape)
    assert np.isfinite(start).all()
    assert (np.ptp(start, axis=(1, 2)) > 0).any()
    assert start.tobytes() == rule.initial(shape, rng=3).tobytes()


def test_saturation_has_the_steady_state_of_a_cubic():
    # b K u³ - a K u² + b u - (a + c) = 0, which has one positive root.
    a, b, c, K = 0.5, 1.0, 6.1, 0.003
    (u,) = [root.real for root in np.roots([b * K, -a * K, b, -(a + c)]) if abs(root.imag) < 1e-9]
    np.testing.assert_allclose(m.gierer_meinhardt("stripes").steady_state(), [u, u * u / c], rtol=1e-12)


# --- dispersion relations


def schnakenberg(a, b):
    u, v = a + b, b / (a + b) ** 2
    return [[2 * u * v - 1, u * u], [-2 * u * v, -u * u]]


def brusselator(a, b):
    return [[b - 1, a * a], [-b, -a * a]]


def gierer_meinhardt(a, b, c):
    u = (a + c) / b
    v = u * u / c
    return [[2 * u / v - b, -((u / v) ** 2)], [2 * u, -c]]


def fitzhugh_nagumo(epsilon, a):
    return [[1 - 3 * np.cbrt(a) ** 2, -1], [epsilon, -epsilon]]


def lengyel_epstein(a, b):
    u = a / 5
    w = 1 + u * u
    return [[(3 * u * u - 5) / w, -4 * u / w], [2 * b * u * u / w, -b * u / w]]


def activator_substrate(rho_a, rho_s, mu_a, sigma_s, kappa):
    a = rho_a * sigma_s / rho_s / mu_a
    s = sigma_s * (1 + kappa * a * a) / (rho_s * a * a)
    f_a, f_s = 2 * a * s / (1 + kappa * a * a) ** 2, a * a / (1 + kappa * a * a)
    return [[rho_a * f_a - mu_a, rho_a * f_s], [-rho_s * f_a, -rho_s * f_s]]


# Jacobian, diffusion, (fastest wavenumber, growth rate, wavelength) as worked out for this project, and the rule.
THEORY = {
    "schnakenberg": (schnakenberg(0.1, 0.9), (1, 10), (0.5644, 0.05719, 11.13), m.schnakenberg()),
    "schnakenberg spots": (schnakenberg(0.01, 2), (1, 100), (0.4883, 0.4680, 12.87), m.schnakenberg("spots")),
    "gierer_meinhardt": (gierer_meinhardt(0.5, 1, 6.1), (1, 100), (0.5219, 0.2403, 12.04), m.gierer_meinhardt()),
    "brusselator": (brusselator(2, 3), (1, 8), (0.8471, 0.05773, 7.418), m.brusselator()),
    "fitzhugh_nagumo": (fitzhugh_nagumo(0.5, 0.1), (1, 20), (0.3603, 0.0657, 17.44), m.fitzhugh_nagumo()),
    "the cookbook's": (
        fitzhugh_nagumo(10, 0.005),
        (2.8e-4, 0.05),
        (25.20, 0.4978, 0.2493),
        m.fitzhugh_nagumo("labyrinth", a=0.005),
    ),
    "lengyel_epstein": (lengyel_epstein(15, 9), (1, 15), (0.9752, 0.1105, 6.443), m.lengyel_epstein()),
    "lengyel_epstein stripes": (
        lengyel_epstein(12, 0.31 * 50),
        (1, 50),
        (0.8673, 0.1983, 7.245),
        m.lengyel_epstein("stripes"),
    ),
    "activator_substrate": (
        activator_substrate(0.01, 0.02, 0.01, 0.02, 0.25),
        (0.005, 0.2),
        (0.6474, 0.001375, 9.706),
        m.activator_substrate(),
    ),
}
every_theory = pytest.mark.parametrize("jacobian, D, known, rule", THEORY.values(), ids=THEORY)


def fastest(jacobian, D):
    """The wavenumber that grows fastest and its growth rate: the closed forms for Dv > Du and fv gu < 0."""
    (fu, fv), (gu, gv) = jacobian
    Du, Dv = D
    k2 = ((Du + Dv) * math.sqrt(-fv * gu / (Du * Dv)) - (fu - gv)) / (Dv - Du)
    return math.sqrt(k2), (Dv * fu - Du * gv - 2 * math.sqrt(-Du * Dv * fv * gu)) / (Dv - Du)


def eigenvalue(jacobian, D, k2):
    return np.linalg.eigvals(np.array(jacobian) - k2 * np.diag(D)).real.max()


@every_theory
def test_the_fastest_wave_has_its_closed_form(jacobian, D, known, rule):
    k, growth = fastest(jacobian, D)
    assert (k, growth, 2 * math.pi / k) == pytest.approx(known, rel=6e-4)
    assert eigenvalue(jacobian, D, k * k) == pytest.approx(growth, rel=1e-9)
    assert max(eigenvalue(jacobian, D, (k * s) ** 2) for s in (0.98, 1.02)) < growth


@every_theory
def test_the_systems_without_diffusion_are_stable(jacobian, D, known, rule):
    assert np.trace(jacobian) < 0 < np.linalg.det(jacobian)


@every_theory
def test_the_measured_dispersion_relation_is_that_of_the_five_point_laplacian(jacobian, D, known, rule):
    curve, dx = td.measure.dispersion(rule), rule.neighbourhood.dx
    k, growth = fastest(jacobian, D)
    # On the grid k² becomes (2 - 2 cos k dx)/dx², which moves the top of the curve along, not up or down.
    assert curve.k_max == pytest.approx(2 / dx * math.asin(k * dx / 2), rel=1e-5)
    assert curve.max_growth == pytest.approx(growth, rel=1e-7)
    assert (curve.regime, curve.oscillatory) == ("Turing", False)
    waves = np.array([0.0, 0.3, 1.0, 2.5]) * k
    symbols = (2 - 2 * np.cos(waves * dx)) / dx**2
    found = curve.eigenvalues(waves).sum(axis=-1), curve.eigenvalues(waves).prod(axis=-1)
    matrices = np.array(jacobian) - symbols[:, None, None] * np.diag(D)
    np.testing.assert_allclose(found[0], np.trace(matrices, axis1=1, axis2=2), rtol=1e-9)
    np.testing.assert_allclose(found[1], np.linalg.det(matrices), rtol=1e-8, atol=1e-12)


def test_an_excitable_nerve_is_stable():
    assert td.measure.dispersion(m.fitzhugh_nagumo("spirals")).regime == "stable"


# --- Gray–Scott


@pytest.mark.parametrize("F, k", [(0.03, 0.062), (0.01, 0.041), (0.11, 0.0523)])
def test_the_red_state_decays_at_F_and_F_plus_k(F, k):
    curve = td.measure.dispersion(m.gray_scott(F=F, k=k))
    np.testing.assert_allclose(curve.eigenvalues(0.0), [-F, -(F + k)], rtol=0, atol=1e-12)
    assert curve.regime == "stable"


def test_the_blue_state_begins_at_the_saddle_node():
    u, v = blue_state(0.04, 0.06)
    assert u == 0.5  # s = 0, to the bit
    assert v == pytest.approx(0.2, rel=1e-15)
    with pytest.raises(ValueError, match="blue state for F >= 4"):
        blue_state(0.04, 0.0601)


@pytest.mark.parametrize("F, k", [(0.04, 0.06), (0.06, 0.061), (0.09, 0.057), (0.014, 0.039)])
def test_the_blue_state_is_steady(F, k):
    rate = m.gray_scott(F=F, k=k).rate(np.reshape(blue_state(F, k), (2, 1, 1)))
    np.testing.assert_allclose(rate, 0, atol=1e-16)


def blue_regime(F, k):
    return td.measure.dispersion(m.gray_scott(F=F, k=k), blue_state(F, k)).regime


def test_the_blue_state_has_a_turing_instability_in_a_sliver_only():
    # With Du = 2 Dv, beside the saddle-node at k = 0.062474.
    assert [blue_regime(0.06, k) for k in (0.058, 0.061, 0.0615)] == ["stable"] * 3
    assert [blue_regime(0.06, k) for k in (0.0620, 0.0621, 0.06225)] == ["Turing"] * 3


@pytest.mark.parametrize("k", [0.03, 0.045, 0.055])
def test_the_blue_state_has_its_hopf_instability_where_v_squared_is_k(k):
    # Its trace is k - v². With v² = k the steady state gives F = (sqrt(k) - 2k - sqrt(k - 4 k^1.5))/2.
    F = (math.sqrt(k) - 2 * k - math.sqrt(k - 4 * k**1.5)) / 2
    assert blue_state(F, k)[1] ** 2 == pytest.approx(k, rel=1e-12)
    assert blue_regime(0.98 * F, k) in ("Hopf", "Turing-Hopf")
    assert blue_regime(1.02 * F, k) not in ("Hopf", "Turing-Hopf")


@pytest.mark.parametrize("preset", ["rho", "sigma", "bubbles", "u-skate"])
def test_what_starts_from_the_blue_state_needs_it_stable(preset):
    rule = m.gray_scott(preset)
    assert blue_regime(rule.params["F"], rule.params["k"]) == "stable"


def skate_place(field):
    """Where the hole in the blue sea is along the x axis, in cells: the phase of its first Fourier mode."""
    hole = field[1].max() - field[1].mean(axis=0)
    width = hole.size
    return np.angle(hole @ np.exp(2j * np.pi * np.arange(width) / width)) * width / (2 * np.pi)


@pytest.mark.compiled
def test_a_skate_swims_at_a_constant_speed():
    rule = m.gray_scott("u-skate")
    times = td.uniform(0, 30_000, 1)
    places = [skate_place(f) for t, f in td.evolve(rule, rule.initial((64, 64), rng=0), times, every=5000) if t > 5000]
    steps = np.diff(np.unwrap(places, period=64))
    # 1.545 cells in 1000 steps, to the right, closed end first.
    np.testing.assert_allclose(steps, 5 * 1.545, rtol=0.01)


# --- the wave that is selected


@pytest.mark.compiled
@pytest.mark.parametrize(
    "name, preset, t_end",
    [("schnakenberg", None, 200), ("brusselator", "onset", 300), ("activator_substrate", None, 2e4)],
)
def test_the_selected_wavelength_is_within_15_percent_of_the_fastest(name, preset, t_end):
    rule = getattr(m, name)(preset)
    run = td.simulate(rule, rule.initial((96, 96), rng=1), rule.times(t_end=t_end), frames=2)
    found = td.measure.wavelength(run.final[0], rule.neighbourhood.dx).value
    assert found == pytest.approx(td.measure.dispersion(rule).wavelength, rel=0.15)


# --- symmetry, to the last bit


def rough(rule, shape):
    state = rule.steady_state().reshape(2, 1, 1)
    return state + (0.3 * np.abs(state) + 0.05) * np.random.default_rng(2).uniform(-1, 1, (2, *shape))


def after(rule, start, dt, steps=60):
    return last(td.evolve(rule, start, td.uniform(0, steps * dt, dt), every=steps))


@every_system
def test_a_mirror_symmetric_start_stays_symmetric_to_the_last_bit(name):
    rule = getattr(m, name)()
    start = rough(rule, (12, 12))
    for mirror in (lambda f: f[:, ::-1], lambda f: f[:, :, ::-1], lambda f: f.swapaxes(1, 2)):
        start = (start + mirror(start)) / 2
    end = after(rule, start, rule.stable_dt(start) / 2)
    assert not np.array_equal(end, start)
    for mirrored in (end[:, ::-1], end[:, :, ::-1], end.swapaxes(1, 2)):
        assert mirrored.tobytes() == end.tobytes()


@every_system
def test_a_whole_run_commutes_with_shifts_to_the_last_bit(name):
    rule = getattr(m, name)()
    start = rough(rule, (9, 14))
    dt = rule.stable_dt(start) / 2
    moved = after(rule, np.roll(start, (4, -3), (1, 2)), dt)
    assert moved.tobytes() == np.roll(after(rule, start, dt), (4, -3), (1, 2)).tobytes()


# --- exact solutions


@td.reaction(species="u")
def nagumo(u, a=0.25):
    return (u * (1 - u) * (u - a),)


def front_speed(dx):
    """Length per time, from when the front is at one cell until it is at another, ten lengths away."""
    x = np.arange(-20, 40, dx)
    first, final = np.searchsorted(x, [5.0, 15.0])
    rule = nagumo(dx=dx, boundary="no_flux")
    start = 1 / (1 + np.exp(x / np.sqrt(2)))
    run = td.evolve(rule, start[None, None], td.uniform(0, 45, 0.3 * dx**2), stepper=td.rk4)
    times, fields = zip(*((t, f[0, 0, [first, final]]) for t, f in run), strict=True)
    logits = np.log(np.array(fields) / (1 - np.array(fields)))  # of the exact front, straight lines in time
    reached = [np.interp(0.0, logit, times) for logit in logits.T]
    return (x[final] - x[first]) / (reached[1] - reached[0])


@pytest.mark.slow
@pytest.mark.compiled
def test_the_front_of_nagumo_has_its_speed_to_second_order():
    # The front u = 1/(1 + exp((x - ct)/sqrt(2))) has c = (1 - 2a)/sqrt(2) = 0.353553.
    exact = (1 - 2 * 0.25) / math.sqrt(2)
    speeds = np.array([front_speed(dx) for dx in (0.5, 0.25, 0.125)])
    errors = exact - speeds
    np.testing.assert_allclose(errors[:-1] / errors[1:], 4, atol=0.1)
    assert (4 * speeds[2] - speeds[1]) / 3 == pytest.approx(exact, rel=1e-6)  # without its error of second order


@td.reaction(species="u")
def fisher(u):
    return (u * (1 - u),)


def fisher_error(dx):
    x, t_end = np.arange(-25, 45, dx), 5.0
    exact = [(1 + np.exp((x - 5 / np.sqrt(6) * t) / np.sqrt(6))) ** -2 for t in (0.0, t_end)]
    rule = fisher(dx=dx, boundary="no_flux")
    times = td.uniform(0, t_end, 0.2 * dx**2)
    found = last(td.evolve(rule, exact[0][None, None], times, stepper=td.rk4, every=len(times)))
    return np.abs(found[0, 0] - exact[1]).max()


@pytest.mark.compiled
def test_the_exact_wave_of_fisher_and_kolmogorov_is_met_to_second_order():
    # Ablowitz & Zeppetella 1979: u = (1 + exp((x - ct)/sqrt(6)))^-2 at c = 5/sqrt(6).
    errors = np.array([fisher_error(dx) for dx in (0.5, 0.25, 0.125)])
    np.testing.assert_allclose(errors[:-1] / errors[1:], 4, atol=0.15)
    assert errors[-1] < 1e-3


def forced(phi, i, j, t, p, g, out):
    """u_t = ∇²u - u³ + f with f such that u = exp(-t) sin x cos y."""
    u = phi[0, i, j]
    wave = math.exp(-t) * math.sin((j - g.pad) * g.dx) * math.cos((i - g.pad) * g.dx)
    out[0, i, j] = laplacian(phi, 0, i, j, g) - u * u * u + (wave + wave * wave * wave)


def forced_error(cells):
    dx = 2 * np.pi / cells
    wave = np.outer(np.cos(dx * np.arange(cells)), np.sin(dx * np.arange(cells)))
    rule = td.Rule(forced, (), ["u"], td.Neighbourhood(1, dx=dx))
    times = td.uniform(0, 1, 0.2 * dx**2)
    found = last(td.evolve(rule, wave[None], times, stepper=td.rk4, every=len(times)))
    return np.abs(found[0] - math.exp(-1) * wave).max()


@pytest.mark.compiled
def test_a_manufactured_solution_is_met_to_second_order():
    errors = np.array([forced_error(cells) for cells in (12, 24, 48)])
    np.testing.assert_allclose(errors[:-1] / errors[1:], 4, atol=0.2)
