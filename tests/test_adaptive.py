"""`adaptive`: tolerances are kept, steps are rejected, readings are met; and steppers with a memory in general."""

import numpy as np
import pytest
from rules import decay_rule, heat_rule, last, logistic_rule

import turingdiff as td
from turingdiff.engine.adaptive import _factor
from turingdiff.engine.embedded_pairs import ChebyshevPair, Trial, bogacki_shampine
from turingdiff.engine.flow import Flow

methods = pytest.mark.parametrize("method", ["bs23", "rkc"])


def logistic(u0, t):
    return 1 / (1 + (1 / u0 - 1) * np.exp(-np.sin(t)))


@methods
@pytest.mark.parametrize("t0, t1", [(0.0, 6.0), (6.0, 0.0)], ids=["forward", "backward"])
def test_the_error_follows_the_tolerance(method, t0, t1):
    u0 = np.array([[[0.1, 0.3, 0.6, 1.2]]])
    start, end = logistic(u0, t0), logistic(u0, t1)
    errors = []
    for rtol in (1e-4, 1e-6, 1e-8):
        stepper = td.adaptive(rtol=rtol, atol=0.1 * rtol, method=method)
        errors.append(np.abs(last(td.evolve(logistic_rule(), start, [t0, t1], stepper=stepper)) - end).max())
        assert errors[-1] < 50 * rtol
    assert errors[2] < errors[1] / 10 < errors[0] / 100


@methods
def test_every_reading_is_met_and_what_is_kept_does_not_matter(method):
    u0 = np.array([[[0.1, 0.3, 0.6]]])
    times, stepper = [0, 0.3, 0.31, 2.0, 5.5], td.adaptive(rtol=1e-7, method=method)
    kept = list(td.evolve(logistic_rule(), u0, times, stepper=stepper))
    assert [t for t, _ in kept] == times
    for t, field in kept:
        np.testing.assert_allclose(field, logistic(u0, t), rtol=5e-5)  # some 200 steps, each within 1e-7
    assert last(td.evolve(logistic_rule(), u0, times, stepper=stepper, every=4)).tobytes() == kept[-1][1].tobytes()


class Watched:
    """A pair that remembers what it was asked."""

    def __init__(self, trial):
        self.trial, self.asked = trial, []

    def __call__(self, flow, y, f, t, h):
        self.asked.append((t, h))
        return self.trial(flow, y, f, t, h)


def started(rule, field, **options):
    """`adaptive` begun on `rule`, its watched pair, and the flow."""
    stepper = td.adaptive(**options).start()
    stepper.steppers = [stepper.make()]
    (run,) = stepper.steppers
    run.trial = Watched(run.trial)
    return run, run.trial, Flow(rule, field)


def test_a_sudden_event_is_met_with_rejected_steps():
    def pulse(phi, i, j, t, p, g, out):
        out[0, i, j] = 1000 * np.exp(-((t - 5) ** 2) * 2e4) - phi[0, i, j]

    rule, field = td.Rule(pulse, (), ["u"]), np.zeros((1, 1, 1))
    run, pair, flow = started(rule, field, rtol=1e-5)
    readings = np.arange(0, 6, 0.25)
    found = run(flow, field, readings, np.full(readings.size, 0.25), None)
    starts = [t for t, _ in pair.asked]
    assert len(starts) > len(set(starts))  # some step was tried again from the same reading
    assert found[0, 0, 0] == pytest.approx(1000 * np.sqrt(np.pi / 2e4) * np.exp(-1) * np.exp(1 / 8e4), rel=1e-3)


def test_a_cut_at_a_reading_does_not_shorten_the_steps_after_it():
    run, pair, flow = started(decay_rule(1e-6), np.ones((1, 1, 1)), rtol=1e-4)
    run(flow, np.ones((1, 1, 1)), np.array([0.0, 100.0, 100.001]), np.array([100.0, 0.001, 99.999]), None)
    after = [h for t, h in pair.asked if t >= 100.001]
    assert len(after) == 1  # one long step, although the one before was 0.001


def test_steps_get_longer_by_at_most_5_and_shorter_by_at_most_5():
    assert _factor(0) == _factor(1e-9) == 5
    assert _factor(1e9) == _factor(np.inf) == 0.2
    assert _factor(1.0) == pytest.approx(0.9)


@pytest.mark.parametrize("pair", [bogacki_shampine, ChebyshevPair])
def test_the_error_estimate_has_the_size_of_the_error(pair):
    # y' = -y: the estimate of a pair is of third order in the step.
    rule = decay_rule(stiffness=lambda rule, field: 1.0)
    y = np.ones((1, 1, 1))
    flow, trial = Flow(rule, y), pair()
    steps = (0.2, 0.1, 0.05)
    tried = [trial(flow, y, -y, 0.0, h) for h in steps]
    assert all(isinstance(t, Trial) for t in tried)
    estimates = np.array([abs(t.error).max() for t in tried])
    np.testing.assert_allclose(np.log2(estimates[:-1] / estimates[1:]), 3, atol=0.3)
    for t in tried:
        np.testing.assert_array_equal(t.rate, -t.field)


def test_stiff_diffusion_costs_rkc_few_rates():
    rule = heat_rule(200.0)
    start = np.random.default_rng(0).standard_normal((1, 12, 12))
    asked = {}
    for method in ("bs23", "rkc"):
        run, pair, flow = started(rule, start, rtol=1e-4, atol=1e-5, method=method)
        found = run(flow, start, np.array([0.0]), np.array([5.0]), None)
        np.testing.assert_allclose(found, start.mean(), atol=1e-3)
        asked[method] = len(pair.asked)
    assert asked["rkc"] < asked["bs23"] / 10


def test_adaptive_replicas_do_not_depend_on_each_other():
    rule = td.morphogenesis.schnakenberg(dx=1.0)
    fields = np.stack([rule.initial((6, 7), rng=0) * scale for scale in (1.0, 2.0)])
    together = last(td.evolve(rule, fields, [0, 1.0, 2.0], stepper=td.adaptive))
    for field, found in zip(fields, together, strict=True):
        assert last(td.evolve(rule, field, [0, 1.0, 2.0], stepper=td.adaptive)).tobytes() == found.tobytes()


def test_along_sigma_adaptive_ends_with_D_itself():
    def gaussian(phi, i, j, t, p, g, out):
        out[0, i, j] = phi[0, i, j] * t / (1 + t * t)

    rule = td.Rule(gaussian, (), 1, td.Neighbourhood(0), clock="sigma")  # images N(0, 1): D = y/(1 + sigma²)
    start, levels = np.full((1, 2, 2), 3.0), [10.0, 1.0, 0.01, 0.0]
    found = last(td.evolve(rule, start, levels, stepper=td.adaptive(rtol=1e-8)))
    np.testing.assert_allclose(found, 3 / np.sqrt(101), rtol=1e-4)


def test_a_reaction_that_runs_away_is_named_with_its_time():
    def runaway(phi, i, j, t, p, g, out):
        out[0, i, j] = -phi[0, i, j]
        out[1, i, j] = phi[1, i, j] * phi[1, i, j]

    rule = td.Rule(runaway, (), ["calm", "wild"], name="runaway")
    field = np.ones((2, 2, 3))
    field[1, 1, 2] = 2.0  # infinite at t = 1/2
    with pytest.raises(td.BlowUpError, match=r"runaway: from 0\.5\d* on channel wild changes so fast at \(1, 2\)"):
        last(td.evolve(rule, field, [0, 3.0], stepper=td.adaptive))


@pytest.mark.parametrize(
    "options, message",
    [
        ({"rtol": 0}, "0 < rtol < 1 and atol >= 0, got rtol=0"),
        ({"atol": -1}, "got rtol=0.0001, atol=-1"),
        ({"method": "rk45"}, "methods bs23, rkc, got 'rk45'"),
    ],
)
def test_adaptive_refuses(options, message):
    with pytest.raises(ValueError, match=message):
        td.adaptive(**options)


def test_a_tolerance_below_the_rounding_of_the_field_is_refused():
    field = np.ones((1, 2, 2), np.float32)
    with pytest.raises(ValueError, match="rtol = 1e-07 is below the rounding of float32"):
        last(td.evolve(decay_rule(), field, [0, 1.0], stepper=td.adaptive(rtol=1e-7)))
    assert last(td.evolve(decay_rule(), field, [0, 1.0], stepper=td.adaptive)).dtype == np.float32


# --- a stepper of the user's own, with a memory


class AdamsBashforth:
    """Order 2, from the rate of the step before."""

    __name__ = "adams_bashforth"

    def start(self):
        return AdamsBashforthRun()


class AdamsBashforthRun:
    __name__ = "adams_bashforth"

    def __init__(self):
        self.before = None

    def __call__(self, flow, field, times, steps, rngs):
        for t, dt in zip(times.tolist(), steps.tolist(), strict=True):
            rate = flow.rate(field, t)
            before = rate if self.before is None else self.before
            field, self.before = field + dt * (1.5 * rate - 0.5 * before), rate
        return field


def test_a_stepper_with_a_memory_keeps_it_between_frames_and_loses_it_between_runs():
    u0 = np.array([[[0.1, 0.3, 0.6, 1.5]]])
    errors = []
    for n in (100, 200, 400):
        times = td.uniform(0, 2, 2 / n)
        runs = [last(td.evolve(logistic_rule(), u0, times, stepper=AdamsBashforth(), every=e)) for e in (1, 7, n)]
        assert runs[0].tobytes() == runs[1].tobytes() == runs[2].tobytes()
        errors.append(np.abs(runs[0] - logistic(u0, 2.0)).max())
    np.testing.assert_allclose(np.log2(np.divide(errors[:-1], errors[1:])), 2, atol=0.1)


def test_a_failed_step_of_a_stepper_with_a_memory_is_repeated_from_its_memory():
    def runaway(phi, i, j, t, p, g, out):
        out[0, i, j] = phi[0, i, j] * phi[0, i, j]

    rule = td.Rule(runaway, (), ["u"], name="runaway")
    messages = set()
    for every in (1, 50):
        with pytest.raises(td.BlowUpError, match="channel u stopped being finite in the step from") as caught:
            last(td.evolve(rule, np.ones((1, 1, 1)), td.uniform(0, 50, 0.1), stepper=AdamsBashforth(), every=every))
        messages.add(str(caught.value))
    assert len(messages) == 1
