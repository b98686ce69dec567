"""Known answers of the systems that are not in test_growth.py: steady states, linear theory, invariants, fronts.

The expected numbers were computed for this project by other means (continuum theory, a spectral method) unless the
test says where they are from.
"""

import numpy as np
import pytest
from quick import first_preset, slow_unless
from rules import last
from scipy.optimize import root

import turingdiff as td
from turingdiff.measure import dispersion

SYSTEMS = {
    name: getattr(td.morphogenesis, name)
    for name in (
        "turing_1952",
        "meinhardt_stripes",
        "bmp_sox9_wnt",
        "miyazawa",
        "swift_hohenberg",
        "cahn_hilliard",
        "complex_ginzburg_landau",
        "positional_information",
    )
}
PRESETS = [(name, preset) for name, system in SYSTEMS.items() for preset in system.presets]


def first(name, preset):
    return preset == first_preset(SYSTEMS[name])


WITH_UNIFORM_STATE = [(name, preset) for name, preset in PRESETS if name != "positional_information"]
turing_1952, meinhardt_stripes, bmp_sox9_wnt, miyazawa = list(SYSTEMS.values())[:4]
swift_hohenberg, cahn_hilliard, complex_ginzburg_landau, positional_information = list(SYSTEMS.values())[4:]


def symbol(k, dx):
    """What the five-point Laplacian multiplies a wave along x by, with its sign changed: k² as dx tends to 0."""
    return (2 - 2 * np.cos(k * dx)) / dx**2


def growth(jacobian, diffusion, squared):
    """Largest real part of the eigenvalues of J - k² D, for every k²."""
    return np.array([np.linalg.eigvals(jacobian - k2 * np.diag(diffusion)).real.max() for k2 in np.atleast_1d(squared)])


# --- 1. uniform states and linear theory of all


@pytest.mark.parametrize("name, preset", slow_unless(first, WITH_UNIFORM_STATE))
def test_nothing_changes_in_the_uniform_state(name, preset):
    rule = SYSTEMS[name](preset)
    state = rule.steady_state()
    field = state.reshape(-1, 1, 1) * np.ones((1, 5, 6))
    np.testing.assert_allclose(rule.rate(field), 0, atol=1e-14)


def test_the_uniform_states_are_those_of_the_sources():
    np.testing.assert_allclose(turing_1952("ring").steady_state(), [1, 1], rtol=1e-15)
    np.testing.assert_allclose(turing_1952("dappling").steady_state(), [4, 4], rtol=1e-15)
    np.testing.assert_allclose(meinhardt_stripes().steady_state(), [0.75, 0.75, 0.140625, 0.75, 0.75], rtol=1e-15)
    # where Morpheus starts its model M0014
    np.testing.assert_allclose(miyazawa(A=0.1, C=0.1).steady_state(), [4.1, 4.84], atol=0.006)


def meinhardt_jacobian():
    rho, decay_ab, decay_c, exchange = 0.01, 0.04, 0.06, 0.04
    a, c = 0.75, 0.140625
    own, rival, helper = 2 * rho * a * a / c - decay_ab, rho * a**3 / c**2, rho * a * a / c
    return np.array(
        [
            [own, 0, -rival, 0, helper],
            [0, own, -rival, helper, 0],
            [2 * rho * a * a, 2 * rho * a * a, -decay_c, rho * a * a, rho * a * a],
            [exchange, 0, 0, -exchange, 0],
            [0, exchange, 0, 0, -exchange],
        ]
    )


def limb_jacobian(m):
    return np.array([[0, 1, -1], [-(1.95 - 0.36 * m), -0.1, 0], [-(0.55 + 0.72 * m), 0, -0.1]])


def ring_jacobian():
    return np.array([[-64, -50], [64, 48]]) / 32


def dappling_jacobian():
    return np.array([[-4, -4], [4, 3]]) / 16


def skin_jacobian(A=0.08):
    return 20 * np.array([[A - 0.03, -0.08], [0.1, -0.06]])


@pytest.mark.parametrize(
    "rule, jacobian",
    [
        (turing_1952("ring"), ring_jacobian()),
        (turing_1952("dappling"), dappling_jacobian()),
        (meinhardt_stripes(), meinhardt_jacobian()),
        (bmp_sox9_wnt(boundary="periodic"), limb_jacobian(1)),
        (miyazawa(), skin_jacobian()),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_reactions_have_the_growth_rates_of_their_jacobian(rule, jacobian):
    diffusion = list(rule.params.values())[: len(jacobian)]
    dx = rule.neighbourhood.dx
    k = np.linspace(0, np.pi / dx, 7)
    found = dispersion(rule).growth(k)
    np.testing.assert_allclose(found, growth(jacobian, diffusion, symbol(k, dx)), rtol=0, atol=1e-9)


def test_the_other_systems_have_the_growth_rates_of_their_equation():
    k = np.linspace(0, np.pi / 0.7, 7)
    s = symbol(k, 0.7)
    found = dispersion(swift_hohenberg(epsilon=0.3, g=0.5, dx=0.7)).growth(k)
    np.testing.assert_allclose(found, 0.3 - (1 - s) ** 2, rtol=0, atol=1e-9 * 200)

    mixed = dispersion(cahn_hilliard(kappa=0.5, dx=0.7), [-0.4])
    np.testing.assert_allclose(mixed.growth(k), s * (1 - 3 * 0.4**2) - 0.5 * s * s, rtol=0, atol=1e-8)

    swing = dispersion(complex_ginzburg_landau(b=0.5, c=-3, dx=0.7))
    np.testing.assert_allclose(swing.growth(k), 1 - s, rtol=0, atol=1e-9)
    np.testing.assert_allclose(swing.frequency(k), 0.5 * s, rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    "system, wavelength, rate",
    [
        (meinhardt_stripes, 7.43, 0.0320),
        (miyazawa, 2 * np.pi * np.sqrt(19 / 6.2), 5.2 / 19),
        (swift_hohenberg, 2 * np.pi, 0.1),
    ],
)
def test_the_fastest_wave_tends_to_that_of_the_continuum(system, wavelength, rate):
    curve = dispersion(system(dx=0.05))
    assert curve.wavelength == pytest.approx(wavelength, rel=2e-3)
    assert curve.max_growth == pytest.approx(rate, rel=2e-3)


# --- 2. Turing's two sets are exactly at the threshold


@pytest.mark.parametrize(
    "jacobian, diffusion", [(ring_jacobian(), (1 / 2, 1 / 4)), (dappling_jacobian(), (1 / 4, 1 / 16))]
)
def test_the_determinant_of_turings_sets_touches_zero_at_k_equal_to_one(jacobian, diffusion):
    # det(J - k² D) = Dx Dy (k² - 1)², so that exactly one wave neither grows nor decays
    Dx, Dy = diffusion
    np.testing.assert_allclose(np.linalg.det(jacobian), Dx * Dy, rtol=1e-13)
    np.testing.assert_allclose(-(jacobian[0, 0] * Dy + jacobian[1, 1] * Dx), -2 * Dx * Dy, rtol=1e-13)
    assert np.trace(jacobian) < 0


def test_the_ring_is_marginal_at_one_lobe_for_six_cells_and_stable_beside_it():
    curve = dispersion(turing_1952("ring"))
    lobes = np.arange(13)
    rates = curve.growth(2 * np.pi * lobes / 24)
    assert rates[4] == pytest.approx(0, abs=1e-9)
    assert (rates[lobes != 4] < -1e-3).all()
    assert curve.regime == "stable"  # nothing grows

    rates = curve.growth(2 * np.pi * np.arange(11) / 20)
    assert rates.argmax() == 3
    assert -5e-3 < rates[3] < -1e-3


def test_the_grid_of_the_dappling_lets_nothing_grow_and_one_wave_stand():
    curve = dispersion(turing_1952("dappling"))
    assert curve.max_growth == pytest.approx(0, abs=1e-9)
    assert curve.wavelength == pytest.approx(2 * np.pi, rel=0.02)
    k = np.pi / 0.5 * np.linspace(0, 1, 9)
    assert (curve.growth(k[:, None], k) < 1e-9).all()


@pytest.mark.parametrize("push, remains", [(0.01, False), (0.25, True)])
def test_the_ring_forgets_a_small_push_and_is_carried_away_by_a_finite_one(push, remains):
    rule = turing_1952("ring")
    start = 1 + push * np.random.default_rng(0).uniform(-1, 1, (2, 1, 20))
    end = last(td.evolve(rule, start, td.uniform(0, 500, 0.2), every=10**6))
    assert np.ptp(end[1]) > 0.5 if remains else np.ptp(end[1]) < push / 4


def test_without_its_floor_the_ring_runs_away():
    @td.reaction(species="XY")
    def bottomless(X, Y):
        turned = 7 * X * X + 50 * X * Y
        return (57 - turned) / 32, (turned - 2 * Y - 55) / 32

    bottomless.diffusion = (0.5, 0.25)
    start = turing_1952("ring").initial((1, 20), rng=0)
    with pytest.raises(td.BlowUpError):
        last(td.evolve(bottomless(), start, td.uniform(0, 50, 0.1)))
    for _, field in td.evolve(turing_1952("ring"), start, td.uniform(0, 50, 0.1)):
        assert field.min() >= 0


def test_turings_start_is_a_finite_push():
    field = turing_1952("dappling").initial((40, 40), rng=0)
    assert 3 <= field.min() < 3.01
    assert 4.99 < field.max() <= 5


# --- 3. Bmp, Sox9 and Wnt: thresholds and the width of digits


def test_short_waves_grow_where_d_exceeds_k4_over_k7():
    threshold = (1.95 - 0.36) / (0.55 + 0.72)
    assert threshold == pytest.approx(1.2520, abs=5e-5)
    # For k -> infinity b and w follow s: lambda k² -> k7/Dw - k4/Db.
    k2 = 1e8
    rate = growth(limb_jacobian(1), (0, 0.0025, 0.001), k2)[0]
    assert rate * k2 == pytest.approx(1.27 / 0.001 - 1.59 / 0.0025, rel=1e-3)


@pytest.mark.parametrize("d, grows", [(1.20, False), (1.24, False), (1.26, True), (1.30, True)])
def test_the_grid_has_the_threshold_of_the_limb_in_d(d, grows):
    curve = dispersion(bmp_sox9_wnt(diffusion=(0, d * 0.001, 0.001), dx=0.01, boundary="periodic"))
    assert (curve.growth(np.pi / 0.01) > 0) == grows
    assert (curve.max_growth > 0) == grows


@pytest.mark.parametrize("m, grows", [(0.2, False), (0.264, False), (0.269, True), (0.3, True)])
def test_the_grid_has_the_threshold_of_the_limb_in_m(m, grows):
    needed = (1.95 - 0.36 * 0.266) / (0.55 + 0.72 * 0.266)  # k4/k7
    assert needed == pytest.approx(2.5, abs=2e-3)
    curve = dispersion(bmp_sox9_wnt(m=m, dx=0.01, boundary="periodic"))
    assert (curve.growth(np.pi / 0.01) > 0) == grows
    assert (curve.max_growth > 0) == grows


@pytest.mark.parametrize("m, rate, wavelength", [(0.5, 0.104, 0.218), (0.75, 0.244, 0.253), (1, 0.378, 0.280)])
def test_less_hox_and_fgf_make_digits_thinner_and_slower(m, rate, wavelength):
    k = np.linspace(5, 60, 5501)
    rates = growth(limb_jacobian(m), (0, 0.0025, 0.001), k**2)
    assert rates.max() == pytest.approx(rate, abs=5e-4)
    assert 2 * np.pi / k[rates.argmax()] == pytest.approx(wavelength, abs=5e-4)

    grid = dispersion(bmp_sox9_wnt(m=m, boundary="periodic"))
    assert grid.max_growth == pytest.approx(rate, rel=5e-3)
    assert grid.wavelength == pytest.approx(wavelength, rel=0.02)


@pytest.mark.compiled
def test_digits_appear_at_the_predicted_width_and_merge():
    measured = {}
    for m in (0.5, 1.0):
        rule = bmp_sox9_wnt(m=m, boundary="periodic")
        run = td.simulate(rule, rule.initial((96, 96), rng=0), rule.times(t_end=300), frames=31)
        measured[m] = [float(td.measure.wavelength(frame[0], rule.neighbourhood.dx)) for frame in run.frames]
    assert measured[1.0][2] == pytest.approx(0.280, rel=0.1)  # at t = 20
    assert measured[1.0][-1] > 2 * measured[1.0][2]
    assert measured[0.5][-1] < 0.6 * measured[1.0][-1]


def test_the_dose_may_be_a_map():
    doses = np.array([0.2, 0.5, 1.0])
    field = np.random.default_rng(0).standard_normal((3, 4, 3))
    mapped = bmp_sox9_wnt(m=np.tile(doses, (4, 1))).rate(field)
    for column, m in enumerate(doses):
        np.testing.assert_array_equal(mapped[..., column], bmp_sox9_wnt(m=m).rate(field)[..., column])


# --- 4. the skins of Miyazawa


def test_linear_theory_does_not_tell_spots_from_a_labyrinth():
    curves = [dispersion(miyazawa(preset)) for preset in miyazawa.presets]
    for curve in curves[1:]:
        np.testing.assert_allclose(curve.kernel, curves[0].kernel, rtol=0, atol=1e-9)
    assert curves[0].regime == "Turing"


def test_synthesis_stays_between_nothing_and_its_limit():
    rule = miyazawa(diffusion=(0, 0))
    decay = 20 * np.array([0.03, 0.06])
    u, v = np.array([0.0, 1e3, 0.0]), np.array([1e3, 0.0, 0.0])
    made = rule.rate(np.stack([u, v])[:, None])[:, 0] + decay[:, None] * np.stack([u, v])
    np.testing.assert_allclose(made[0], 20 * np.array([0, 0.23, 0.15]), atol=1e-11)
    np.testing.assert_allclose(made[1], 20 * np.array([0, 0.5, 0]), atol=1e-11)


def test_the_uniform_skin_may_vary_from_place_to_place():
    C = np.linspace(0, 0.3, 4) * np.ones((3, 1))
    state = miyazawa(C=C).steady_state()
    assert state.shape == (2, 3, 4)
    np.testing.assert_allclose(state[:, 0, 0], miyazawa(C=0.0).steady_state(), rtol=1e-14)


# --- 5. Swift–Hohenberg


@pytest.mark.parametrize("epsilon, amplitude", [(0.01, 0.115473), (0.1, 0.365243), (0.3, 0.632947)])
def test_stripes_have_the_amplitude_of_the_spectral_solution(epsilon, amplitude):
    # 64 cells a wavelength, and dx so that the wave has exactly symbol 1; a stripe is even about its crest.
    cells = 64
    rule = swift_hohenberg(epsilon=epsilon, dx=2 * np.sin(np.pi / cells))

    def rate(half):
        return rule.rate(np.concatenate([half, half[::-1]])[None, None])[0, 0, : cells // 2]

    places = (np.arange(cells) + 0.5) * 2 * np.pi / cells
    found = root(rate, np.sqrt(4 * epsilon / 3) * np.cos(places[: cells // 2]), tol=1e-13)
    stripe = np.concatenate([found.x, found.x[::-1]])
    assert np.abs(rate(found.x)).max() < 1e-9
    assert 2 * np.mean(stripe * np.cos(places)) == pytest.approx(amplitude, rel=2e-5)
    assert amplitude == pytest.approx(np.sqrt(4 * epsilon / 3), rel=1e-3)


def plain_laplacian(u, dx):
    around = sum(np.roll(u, shift, axis) for axis in (-2, -1) for shift in (1, -1))
    return (around - 4 * u) / dx**2


def swift_hohenberg_energy(u, dx, epsilon, g):
    waves = u + plain_laplacian(u, dx)
    return dx**2 * np.sum(waves**2 / 2 - epsilon * u**2 / 2 - g * u**3 / 3 + u**4 / 4)


def cahn_hilliard_energy(c, dx, kappa):
    slopes = sum((np.roll(c, -1, axis) - c) ** 2 for axis in (-2, -1)) / dx**2
    return dx**2 * np.sum((c**2 - 1) ** 2 / 4 + kappa * slopes / 2)


def gradient(energy, field, dx, step=1e-5):
    """Functional derivative of an energy: by every cell, over the area of a cell."""
    found = np.empty_like(field)
    for cell in np.ndindex(field.shape):
        push = np.zeros_like(field)
        push[cell] = step
        found[cell] = (energy(field + push) - energy(field - push)) / (2 * step * dx**2)
    return found


def test_swift_hohenberg_flows_down_the_gradient_of_its_energy():
    dx, epsilon, g = 0.8, 0.3, 0.5
    field = np.random.default_rng(0).uniform(-1, 1, (1, 6, 7))
    expected = -gradient(lambda u: swift_hohenberg_energy(u, dx, epsilon, g), field, dx)
    found = swift_hohenberg(epsilon=epsilon, g=g, dx=dx).rate(field)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


@pytest.mark.compiled
@pytest.mark.parametrize("preset", swift_hohenberg.presets)
def test_the_energy_of_swift_hohenberg_never_rises(preset):
    rule = swift_hohenberg(preset, dx=0.9)
    energies = [
        swift_hohenberg_energy(field, 0.9, *rule.params.values())
        for _, field in td.evolve(rule, rule.initial((16, 16), rng=0), rule.times(t_end=60), every=10)
    ]
    assert (np.diff(energies) < 0).all()
    assert energies[-1] < -0.1


# --- 6. Cahn–Hilliard


def test_cahn_hilliard_flows_down_the_gradient_of_its_energy():
    dx, kappa = 0.8, 0.7
    field = np.random.default_rng(0).uniform(-1, 1, (1, 6, 7))
    mu = gradient(lambda c: cahn_hilliard_energy(c, dx, kappa), field, dx)
    found = cahn_hilliard(kappa=kappa, dx=dx).rate(field)
    np.testing.assert_allclose(found, plain_laplacian(mu, dx), rtol=0, atol=1e-6)


@pytest.mark.compiled
@pytest.mark.parametrize("boundary", ["periodic", "no_flux"])
@pytest.mark.parametrize("preset", cahn_hilliard.presets)
def test_a_mixture_keeps_its_amount_and_loses_energy(preset, boundary):
    rule = cahn_hilliard(preset, boundary=boundary)
    start = rule.initial((16, 20), rng=0)
    fields = [field for _, field in td.evolve(rule, start, rule.times(t_end=80), every=40)]
    amounts = [field.mean() for field in fields]
    np.testing.assert_allclose(amounts, {"labyrinth": 0.0, "droplets": -0.4}[preset], rtol=0, atol=1e-15)
    if boundary == "periodic":
        energies = [cahn_hilliard_energy(field, 1.0, 1.0) for field in fields]
        assert (np.diff(energies) < 0).all()
    assert fields[-1].std() > 3 * start.std()


def test_the_front_between_two_phases_is_a_hyperbolic_tangent():
    def error(dx, kappa=0.5):
        x = (np.arange(round(16 / dx)) + 0.5) * dx - 8
        front = np.tanh(x / np.sqrt(2 * kappa))[None, None]
        rule = cahn_hilliard(kappa=kappa, dx=dx, boundary="no_flux")
        return np.abs(rule.rate(front)).max()

    coarse, fine, finer = error(0.2), error(0.1), error(0.05)
    assert coarse / fine == pytest.approx(4, rel=0.15)
    assert fine / finer == pytest.approx(4, rel=0.05)


def test_a_mixture_is_unstable_between_the_spinodals_only():
    rule = cahn_hilliard(kappa=2.0, dx=0.2)
    inside, outside = dispersion(rule, [0.5]), dispersion(rule, [0.6])  # 1/sqrt(3) = 0.577
    assert inside.max_growth > 0
    assert outside.regime == "stable"
    assert inside.k_max == pytest.approx(np.sqrt((1 - 3 * 0.25) / (2 * 2.0)), rel=2e-3)


# --- 7. complex Ginzburg–Landau


@pytest.mark.parametrize("preset", complex_ginzburg_landau.presets)
def test_a_uniform_oscillation_turns_at_the_rate_minus_c(preset):
    rule = complex_ginzburg_landau(preset)
    start = np.stack([np.ones((2, 3)), np.zeros((2, 3))])
    end = last(td.evolve(rule, start, td.uniform(0, 3, 0.01), stepper=td.rk4))
    amplitude = end[0] + 1j * end[1]
    np.testing.assert_allclose(amplitude, np.exp(-3j * rule.params["c"]), rtol=0, atol=1e-6)


def test_explicit_euler_swings_too_far():
    # |1 + dt (1 - (1 + ic) a)| = 1 for a = |A|²
    c, dt = 1.5, 0.05
    a = np.roots([dt * (1 + c * c), -2 - 2 * dt, 2 + dt]).min()
    assert a == pytest.approx(1 + c * c * dt / 2, abs=0.01)
    start = np.stack([np.ones((1, 1)), np.zeros((1, 1))])
    end = last(td.evolve(complex_ginzburg_landau(c=c), start, td.uniform(0, 30, dt)))
    assert np.sum(end**2) == pytest.approx(a, rel=1e-9)


def test_rest_is_unstable_to_waves_up_to_k_equal_to_one():
    curve = dispersion(complex_ginzburg_landau(dx=0.05))
    assert curve.unstable_band[0] == 0
    assert curve.unstable_band[1] == pytest.approx(1, rel=2e-3)
    assert curve.regime == "unstable"


@pytest.mark.parametrize("preset", complex_ginzburg_landau.presets)
def test_uniform_oscillations_fall_apart_where_1_plus_bc_is_negative(preset):
    # Benjamin and Feir: perturbations of A = exp(-ict) grow at -(1 + s) + sqrt((1 + s)² - s (2 (1 + bc) + (1 + b²) s))
    rule = complex_ginzburg_landau(preset)
    b, c = rule.params.values()
    cells, dx = 32, rule.neighbourhood.dx
    s = symbol(2 * np.pi / (cells * dx), dx)
    expected = -(1 + s) + np.sqrt((1 + s) ** 2 - s * (2 * (1 + b * c) + (1 + b * b) * s))
    wave = 1e-6 * np.cos(2 * np.pi * np.arange(cells) / cells)
    start = np.stack([np.ones((1, cells)), wave[None]])
    sizes = [
        np.ptp(np.angle((field[0] + 1j * field[1]) / complex(*field[:, 0, 0])))
        for _, field in td.evolve(rule, start, td.uniform(0, 20, 0.02), stepper=td.rk4, every=500)
    ]
    found = np.log(sizes[2] / sizes[1]) / 10
    assert found == pytest.approx(expected, rel=1e-3)
    assert (found > 0) == (1 + b * c < 0)


# --- 8. positional information, which is not self-organising


def steady_gradient(cells, dx, D=1.0, decay=1 / 1600, influx=0.025):
    """The exact solution on the grid: no flux at the right end, what decays is what enters at the left."""
    q = np.arccosh(1 + decay * dx**2 / (2 * D))
    scale = influx * dx / (D * (np.cosh(q * (cells + 0.5)) - np.cosh(q * (cells - 0.5))))
    return scale * np.cosh(q * (cells - 0.5 - np.arange(cells)))


def fates(morphogen):
    return np.where(morphogen > 0.12, 1.0, np.where(morphogen > 0.0145, 0.5, 0.0))


def flag(cells, dx=1.0, rows=3):
    morphogen = steady_gradient(cells, dx)
    return np.stack([morphogen, fates(morphogen)])[:, None] * np.ones((1, rows, 1))


@pytest.mark.parametrize("cells, dx", [(256, 1.0), (100, 1.0), (64, 4.0)])
def test_the_gradient_and_the_flag_are_steady(cells, dx):
    rate = positional_information(dx=dx).rate(flag(cells, dx))
    np.testing.assert_allclose(rate, 0, atol=1e-14)  # the terms of the sum are of size 0.1 to 1, and round at 1e-16


@pytest.mark.compiled
def test_the_flag_grows_out_of_nothing():
    rule = positional_information()
    start = rule.initial((1, 128), rng=0)
    assert not start.any()
    end = last(td.evolve(rule, start, rule.times(t_end=20_000), every=10**6))
    np.testing.assert_allclose(end, flag(128, rows=1), rtol=0, atol=1e-5)  # exp(-12.5) of it is missing


def test_the_default_flag_has_three_equal_bands():
    bands = np.unique(flag(256)[1, 0], return_counts=True)[1]
    assert np.abs(bands - 256 / 3).max() < 2


def test_the_flag_does_not_scale_with_the_field():
    shorter, longer = (np.unique(flag(cells)[1, 0], return_counts=True)[1][::-1] for cells in (256, 512))
    assert np.abs(shorter[:2] - longer[:2]).max() <= 1  # by what the far end reflects
    assert longer[2] - shorter[2] >= 255


def test_the_rule_knows_where_its_left_edge_is():
    rule = positional_information(boundary="periodic")
    field = np.random.default_rng(0).uniform(0.1, 1, (2, 5, 6))
    shifted = rule.rate(np.roll(field, 1, axis=-1)) - np.roll(rule.rate(field), 1, axis=-1)
    np.testing.assert_allclose(shifted[0, :, 0], 0.025, rtol=1e-12)  # the edge makes morphogen, whoever stands there
    np.testing.assert_allclose(shifted[0, :, 1], -0.025, rtol=1e-12)
    assert not shifted[0, :, 2:].any()
    with pytest.raises(ValueError, match="not the same everywhere"):
        dispersion(rule, [1.0, 1.0])


# --- 9. all presets


@pytest.mark.parametrize("name, preset", slow_unless(first, PRESETS))
def test_a_mirror_symmetric_start_stays_so_to_the_last_bit(name, preset):
    rule = SYSTEMS[name](preset)
    uniform = np.zeros(2) if name == "positional_information" else rule.steady_state()
    size = np.abs(uniform).reshape(-1, 1, 1) + 0.1
    quarter = size * np.random.default_rng(0).uniform(0.5, 1.5, (len(size), 4, 5))
    start = np.concatenate([quarter, quarter[:, ::-1]], axis=1)
    axes = (1,) if name == "positional_information" else (1, 2)
    if 2 in axes:
        start = np.concatenate([start, start[:, :, ::-1]], axis=2)
    times = td.uniform(0, 20 * (dt := 0.5 * rule.stable_dt(start)), dt)
    end = last(td.evolve(rule, start, times))
    assert not np.array_equal(end, start)
    for axis in axes:
        assert end.tobytes() == np.flip(end, axis).tobytes()


def differences(name, preset, expected, seed):
    rule = SYSTEMS[name](preset)
    run = td.simulate(rule, rule.initial(expected.shape, rng=seed), rule.times(t_end=expected.t_end), frames=11)
    boundary = "periodic" if rule.neighbourhood.periodic else "no_flux"
    return td.measure.check_pattern(expected, run, boundary=boundary)


@pytest.mark.slow
@pytest.mark.compiled
@pytest.mark.parametrize("name, preset", PRESETS)
def test_a_preset_makes_its_pattern_from_another_start_too(name, preset):
    expected = SYSTEMS[name].expected_patterns[preset]
    assert differences(name, preset, expected, expected.seed + 1) == []


@pytest.mark.slow
@pytest.mark.compiled
@pytest.mark.parametrize("name, preset", [(n, p) for n, p in PRESETS if len(SYSTEMS[n].presets) > 1])
def test_another_preset_does_not_make_the_pattern(name, preset):
    presets = list(SYSTEMS[name].presets)
    other = presets[presets.index(preset) - 1]
    assert differences(name, other, SYSTEMS[name].expected_patterns[preset], seed=0)
