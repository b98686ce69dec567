"""`rkc`: order, stability boundary, internal consistency, and what it keeps between steps."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rules import decay_rule, heat_rule, last, logistic_rule

import turingdiff as td
from turingdiff.engine import flow
from turingdiff.engine.flow import Flow
from turingdiff.engine.rkc import MOST_STAGES, coefficients, stages_needed


def amplification(s, z):
    """The stability polynomial: one step of s stages of y' = (z/h) y."""
    method = coefficients(s)
    y, before, here = 1.0, 1.0, 1.0 + method.first * z
    for base, slope, w, v, rate in method.weights:
        before, here = here, (base + slope * z) * y + w * here + v * before + rate * z * here
    return here


@pytest.mark.parametrize("s", [2, 3, 4, 7, 10, 25, 100, 400])
def test_the_stability_polynomial_is_the_damped_chebyshev_polynomial(s):
    # Sommeijer, Shampine & Verwer 1998, eq. 2.3: P(z) = a_s + b_s T_s(w0 + w1 z).
    w0 = 1 + (2 / 13) / s**2
    T = np.polynomial.chebyshev.Chebyshev.basis(s)
    w1 = T.deriv(1)(w0) / T.deriv(2)(w0)
    b = T.deriv(2)(w0) / T.deriv(1)(w0) ** 2
    for z in np.linspace(-coefficients(s).reach, 0, 11):
        assert amplification(s, z) == pytest.approx(1 - b * T(w0) + b * T(w0 + w1 * z), abs=1e-12 * s * s)


@pytest.mark.parametrize("s", [2, 4, 10, 40])  # with an odd number of stages there is some room beyond
def test_the_stability_boundary(s):
    reach = coefficients(s).reach
    assert reach == pytest.approx(2 / 3 * (s * s - 1) * (1 - 2 / 15 * 2 / 13), rel=0.005)  # eq. 2.6
    inside = [amplification(s, z) for z in np.linspace(-reach, -0.1, 2000)]
    assert np.abs(inside).max() <= 1 - 1e-3  # damped: well below 1 but for the slowest mode
    assert abs(amplification(s, -1.02 * reach)) > 1


@pytest.mark.parametrize("s", [2, 3, 5, 20])
def test_the_polynomial_agrees_with_the_exponential_to_second_order(s):
    errors = [abs(amplification(s, -h) - np.exp(-h)) for h in (0.02, 0.01)]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(3, abs=0.05)


@given(st.floats(1e-3, 1e5))
def test_the_least_number_of_stages_that_is_stable(z):
    s = stages_needed(z)
    assert coefficients(s).reach >= z
    assert s == 2 or coefficients(s - 1).reach < z


@pytest.mark.parametrize("t0, t1", [(0.0, 2.0), (2.0, 0.0)], ids=["forward", "backward"])
@pytest.mark.parametrize("stiff", [False, True])
def test_rkc_converges_at_second_order(t0, t1, stiff):
    # `stiff` asks for many stages, as fast diffusion elsewhere in the field would.
    rule = logistic_rule(stiffness=lambda rule, field: 3000.0 if stiff else 2.0)
    u0 = np.array([[[0.1, 0.3, 0.6, 1.5]]])
    start, end = (1 / (1 + (1 / u0 - 1) * np.exp(-np.sin(t))) for t in (t0, t1))
    errors = []
    for n in (40, 80, 160):
        found = last(td.evolve(rule, start, td.uniform(t0, t1, 2 / n), stepper=td.rkc, every=n))
        errors.append(np.abs(found - end).max())
    np.testing.assert_allclose(np.log2(np.divide(errors[:-1], errors[1:])), 2, atol=0.15)


@pytest.mark.parametrize("shape", [(1, 6, 8), (3, 1, 6, 8)], ids=["one", "replicas"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_fused_stages_are_stages_of_whole_fields_to_the_last_bit(dtype, shape):
    rule = heat_rule(0.7, boundary=("no_flux", td.fixed(2.0), "zero", "no_flux"), dx=0.5)
    field = np.random.default_rng(0).uniform(0.1, 0.9, shape).astype(dtype)
    plain = replace(rule, field_rate=lambda field, t: Flow(rule, field).cell_rate(field, t))
    one, other = (last(td.evolve(r, field, [0, 0.3, 0.5], stepper=td.rkc)) for r in (rule, plain))
    assert one.dtype == dtype
    if dtype == np.float64:  # in float32 whole fields are combined in the order of NumPy's float64 weights
        np.testing.assert_allclose(one, other, rtol=1e-14)
    else:
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_every_mode_is_multiplied_by_the_stability_polynomial_also_far_beyond_eulers_limit():
    D, dx, dt, n = 100.0, 0.5, 0.004, 5
    radius = 8 * D / dx**2
    rule = heat_rule(D, dx=dx, stiffness=lambda rule, field: radius)
    assert dt > 6 * 2 / radius
    s = stages_needed(1.1 * radius * dt)
    board = np.where(np.indices((8, 8)).sum(0) % 2, -1.0, 1.0)[None]
    wave = np.cos(2 * np.pi * np.arange(8) / 8) * np.ones((1, 8, 1))
    slow = D * (2 - 2 * np.cos(2 * np.pi / 8)) / dx**2
    found = last(td.evolve(rule, wave + board, td.uniform(0, n * dt, dt), stepper=td.rkc))
    expected = amplification(s, -slow * dt) ** n * wave + amplification(s, -radius * dt) ** n * board
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_no_warning_where_the_stages_follow_the_step(recwarn):
    rule = td.morphogenesis.schnakenberg("spots")
    start = rule.initial((16, 16), rng=0)
    last(td.evolve(rule, start, [0, 0.1], stepper=td.rkc))
    assert not recwarn
    with pytest.warns(td.UnstableStepWarning):
        last(td.evolve(rule, start, [0, 1e-3], stepper=td.euler))


def test_a_step_that_needs_too_many_stages_is_cut(monkeypatch):
    monkeypatch.setitem(MOST_STAGES, np.dtype(np.float64), 5)
    rule, field = decay_rule(30.0), np.ones((1, 2, 2))
    found = last(td.evolve(rule, field, [0, 1.0], stepper=td.rkc))
    parts = int(np.ceil(1.1 * 30 / coefficients(5).reach))
    assert parts > 1
    s = stages_needed(1.1 * 30 / parts)
    np.testing.assert_allclose(found, amplification(s, -30 / parts) ** parts, rtol=1e-12)


def test_the_radius_is_measured_every_25_steps():
    asked = []

    def stiffness(rule, field):
        asked.append(1)
        return 1.0

    list(td.evolve(decay_rule(stiffness=stiffness), np.ones((1, 2, 2)), td.uniform(0, 6, 0.1), stepper=td.rkc))
    assert len(asked) == 1 + 3  # evolve asks once, for its warning; rkc at steps 1, 26 and 51
    asked.clear()
    list(td.evolve(decay_rule(stiffness=stiffness), np.ones((1, 2, 2)), [0, 0.1], stepper=td.rkc))
    assert len(asked) == 1 + 1  # nothing is kept from the run before


def test_a_bare_rule_needs_no_declared_stiffness():
    rule = heat_rule(50.0)
    field = np.random.default_rng(0).standard_normal((1, 10, 12))
    found = last(td.evolve(rule, field, td.uniform(0, 20, 0.1), stepper=td.rkc))
    np.testing.assert_allclose(found, field.mean(), atol=1e-4)


def test_rkc_replicas_do_not_depend_on_each_other():
    rule = td.morphogenesis.schnakenberg()
    fields = np.stack([rule.initial((8, 9), rng=0) * scale for scale in (1.0, 1.5, 0.7)])
    together = last(td.evolve(rule, fields, td.uniform(0, 1, 0.1), stepper=td.rkc))
    for field, found in zip(fields, together, strict=True):
        assert last(td.evolve(rule, field, td.uniform(0, 1, 0.1), stepper=td.rkc)).tobytes() == found.tobytes()


def test_a_mirror_symmetric_field_stays_so_to_the_last_bit():
    rule = td.morphogenesis.schnakenberg("spots")
    half = rule.initial((12, 8), rng=0)
    start = np.concatenate([half, half[:, :, ::-1]], axis=2)
    found = last(td.evolve(rule, start, td.uniform(0, 2, 0.1), stepper=td.rkc))
    assert found.tobytes() == np.ascontiguousarray(found[:, :, ::-1]).tobytes()
    assert not np.array_equal(found, start)


def test_a_blow_up_under_rkc_is_named():
    def runaway(phi, i, j, t, p, g, out):
        out[0, i, j] = phi[0, i, j] * phi[0, i, j]

    rule = td.Rule(runaway, (), ["u"], name="runaway", stiffness=lambda rule, field: 2.0)
    with pytest.raises(td.BlowUpError, match="runaway: channel u stopped being finite in the step from"):
        last(td.evolve(rule, np.ones((1, 2, 2)), td.uniform(0, 50, 0.5), stepper=td.rkc))


def test_the_advice_after_a_blow_up_is_about_the_stepper():
    def runaway(phi, i, j, t, p, g, out):
        out[0, i, j] = phi[0, i, j] * phi[0, i, j]

    rule = td.Rule(runaway, (), ["u"], name="runaway", stiffness=lambda rule, field: 2.0)
    advice = {td.rkc: "no step is too long for it: the reaction itself runs away", td.rk4: r"linear limit 1\.39:"}
    for stepper, message in advice.items():
        with pytest.raises(td.BlowUpError, match=message):
            last(td.evolve(rule, np.ones((1, 2, 2)), td.uniform(0, 50, 0.5), stepper=stepper))
    with pytest.warns(td.UnstableStepWarning), pytest.raises(td.BlowUpError, match=r"rk4 is stable up to dt = 1\.39"):
        last(td.evolve(rule, np.ones((1, 2, 2)), td.uniform(0, 50, 2.0), stepper=td.rk4))


def test_rates_that_overflow_are_a_blow_up():
    rule = decay_rule(stiffness=lambda rule, field: np.inf if field.max() > 0.5 else 1.0, name="d")
    stepper = td.rkc.start()
    with pytest.raises(td.BlowUpError, match=r"d: its rates overflow about the field at 0\.3"):
        stepper(Flow(rule, np.ones((1, 2, 2))), np.ones((1, 2, 2)), np.array([0.3]), np.array([0.1]), None)


@pytest.mark.parametrize("boundary", ["periodic", "no_flux"])
def test_threads_do_not_change_the_bytes_of_stages(threads, monkeypatch, boundary):
    rule = td.morphogenesis.schnakenberg("spots", boundary=boundary)
    start = rule.initial((17, 14), rng=0)
    expected = last(td.evolve(rule, start, td.uniform(0, 0.5, 0.1), stepper=td.rkc))
    monkeypatch.setattr(flow, "CELLS_FOR_THREADS", 1)
    found = last(td.evolve(rule, start, td.uniform(0, 0.5, 0.1), stepper=td.rkc))
    assert found.tobytes() == expected.tobytes()
