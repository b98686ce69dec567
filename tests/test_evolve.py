import json
import re
import zipfile

import numpy as np
import plain
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rules import decay_rule, heat_rule, last, logistic_rule, swinging_heat

import turingdiff as td
from turingdiff.engine import flow, runs
from turingdiff.engine.times import check_times, rounded_down, steps_between

schnakenberg = td.morphogenesis.schnakenberg


def numbers(*shape, seed=0, dtype=np.float64):
    return np.random.default_rng(seed).uniform(0.2, 0.8, shape).astype(dtype)


# --- times


@given(st.floats(-1e3, 1e3), st.integers(1, 500), st.floats(1e-4, 10), st.booleans())
def test_uniform_times_are_t0_plus_n_dt_and_end_at_the_end(t0, n, dt, falls):
    step = -dt if falls else dt
    t1 = t0 + n * step
    times = td.uniform(t0, t1, dt)
    assert len(times) == n + 1
    assert [times[k] for k in range(n)] == [t0 + k * step for k in range(n)]
    assert times[n] == times[-1] == t1
    np.testing.assert_array_equal(np.asarray(times), list(times))
    np.testing.assert_array_equal(steps_between(times, 0, n), np.full(n, step))


def test_uniform_times_are_never_summed():
    # Ten million sums of 0.1 are off by 1.6e-4.
    times = td.uniform(0, 1e6, 0.1)
    assert len(times) == 10_000_001
    assert times[9_999_999] == 9_999_999 * 0.1
    assert times[-1] == 1e6


def test_uniform_times_are_lazy():
    times = td.uniform(0, 1e15, 1e-3)
    assert len(times) == 10**18 + 1
    assert times[10**17] == 1e14


def test_a_step_that_does_not_divide_leaves_a_shorter_last_one():
    times = td.uniform(0, 1, 0.3)
    np.testing.assert_array_equal(times, [0, 0.3, 0.6, 0.3 * 3, 1])
    np.testing.assert_array_equal(steps_between(times, 0, 4), [0.3, 0.3, 0.3, 1 - 0.3 * 3])
    np.testing.assert_array_equal(steps_between(times, 1, 3), [0.3, 0.3])
    np.testing.assert_array_equal(td.uniform(0, 1, 5), [0, 1])
    np.testing.assert_array_equal(td.uniform(1, 0, 0.4), [1, 1 - 0.4, 1 - 0.8, 0])


def test_uniform_levels_end_at_exactly_zero():
    # 0.3 - 3 * 0.1 is -5.6e-17, which is no noise level.
    assert td.uniform(0.3, 0, 0.1)[-1] == 0


def test_uniform_times_are_a_sequence():
    times = td.uniform(0, 1, 0.25)
    np.testing.assert_array_equal(times[1:4:2], [0.25, 0.75])
    assert times[-2] == 0.75
    assert 0.5 in times
    with pytest.raises(IndexError):
        times[5]


@pytest.mark.parametrize("arguments", [(0, 0, 1), (0, 1, 0), (0, np.inf, 1), (np.nan, 1, 1), (0, 1, np.nan)])
def test_uniform_refuses(arguments):
    with pytest.raises(ValueError, match=r"needs t0 != t1 and dt > 0, all finite"):
        td.uniform(*arguments)


@pytest.mark.parametrize(
    "times, message",
    [
        ([1.0], r"at least two clock readings, got shape \(1,\)"),
        ([[0.0, 1.0]], "at least two clock readings"),
        ([0, 1, np.nan], "times must be finite, got nan at 2"),
        ([0, np.inf], "times must be finite, got inf at 1"),
        ([0, 1, 1], r"1\.0 is followed by 1\.0 at 2"),
        ([0, 1, 0.5], r"1\.0 is followed by 0\.5 at 2"),
        ([3, 2, 2.5, 1], r"2\.0 is followed by 2\.5 at 2"),
        ([0, 0, 1], r"0\.0 is followed by 0\.0 at 1"),
    ],
)
def test_times_rise_or_fall_all_the_way(times, message):
    with pytest.raises(ValueError, match=message):
        check_times(times)
    with pytest.raises(ValueError, match=message):
        td.evolve(decay_rule(), np.zeros((1, 2, 2)), times)


@given(st.floats(1e-12, 1e12), st.integers(1, 6))
def test_a_limit_is_rounded_down(x, digits):
    found = rounded_down(x, digits)
    assert found == float(f"{found:.{digits}g}")
    assert x * (1 - 10.0 ** (1 - digits)) <= found <= x


# --- what evolve yields


@pytest.mark.parametrize("stepper", [td.euler, td.heun])
@pytest.mark.parametrize(
    "every, kept", [(1, range(8)), (3, [0, 3, 6, 7]), (7, [0, 7]), (100, [0, 7]), (2.0, [0, 2, 4, 6, 7])]
)
def test_evolve_yields_first_every_and_last(every, kept, stepper):
    times = td.uniform(0, 0.7, 0.1)
    full = list(td.evolve(decay_rule(), numbers(1, 3, 4), times, stepper=stepper))
    some = list(td.evolve(decay_rule(), numbers(1, 3, 4), times, stepper=stepper, every=every))
    assert [t for t, _ in some] == [times[n] for n in kept]
    for (_, field), n in zip(some, kept, strict=True):
        assert field.tobytes() == full[n][1].tobytes()


def test_more_steps_than_are_checked_at_once():
    # At most 128 fused steps a call: 200 take two, and one yield.
    found = list(td.evolve(decay_rule(), numbers(1, 2, 2), td.uniform(0, 5, 0.01), every=200))
    assert [t for t, _ in found] == [0, 2, 4, 5]
    for t, field in found:
        np.testing.assert_allclose(field, numbers(1, 2, 2) * 0.99 ** (100 * t), rtol=1e-13)


def test_yielded_fields_are_copies_and_the_input_is_not_written():
    field = numbers(1, 3, 4)
    before = field.copy()
    for _, frame in td.evolve(logistic_rule(), field, td.uniform(0, 1, 0.25)):
        frame[:] = np.nan
    np.testing.assert_array_equal(field, before)
    clean = last(td.evolve(logistic_rule(), before, td.uniform(0, 1, 0.25)))
    assert np.isfinite(clean).all()


def test_what_happens_to_the_input_later_does_not_matter():
    field = numbers(1, 3, 4)
    evolution = td.evolve(decay_rule(), field, [0, 0.5, 1])
    field[:] = np.nan
    assert np.isfinite(last(evolution)).all()


@pytest.mark.parametrize(
    "view", [lambda a: a[:, ::2, ::-1], lambda a: np.asfortranarray(a), lambda a: a.swapaxes(1, 2)]
)
def test_fields_need_not_be_contiguous(view):
    field = view(numbers(1, 6, 6))
    rule = heat_rule(boundary="zero")
    assert rule.rate(field).tobytes() == rule.rate(np.ascontiguousarray(field)).tobytes()
    assert last(td.evolve(rule, field, [0, 0.1])).tobytes() == last(td.evolve(rule, field.copy(), [0, 0.1])).tobytes()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("stepper", [td.euler, td.heun, td.rk4, td.euler_maruyama])
def test_the_dtype_is_kept(stepper, dtype):
    rule = decay_rule(noise=0.1)
    fields = [
        field for _, field in td.evolve(rule, numbers(1, 3, 3, dtype=dtype), [0, 0.1, 0.2], stepper=stepper, rng=0)
    ]
    assert [field.dtype for field in fields] == [dtype] * 3
    assert rule.rate(fields[0]).dtype == dtype


@pytest.mark.parametrize("stepper", [td.euler, td.rk4])
def test_replicas_are_separate_runs(stepper):
    rule = schnakenberg(dx=1.0)
    fields = rule.initial((6, 7), rng=0, replicas=3)
    times = td.uniform(0, 0.1, 0.01)
    together = last(td.evolve(rule, fields, times, stepper=stepper))
    assert together.shape == (3, 2, 6, 7)
    for field, found in zip(fields, together, strict=True):
        assert last(td.evolve(rule, field, times, stepper=stepper)).tobytes() == found.tobytes()


def test_a_line_is_a_field_of_height_one():
    rule = schnakenberg(dx=1.0)
    line = rule.initial((9,), rng=0)
    assert line.shape == (2, 1, 9)
    # Repeated over rows it is a plane that does not know of its second dimension.
    plane = np.repeat(line, 4, axis=1)
    times = td.uniform(0, 0.05, 0.01)
    end = last(td.evolve(rule, plane, times))
    np.testing.assert_allclose(end, np.repeat(last(td.evolve(rule, line, times)), 4, axis=1), rtol=1e-14)


def test_more_replicas_do_not_change_the_first_initial_states():
    rule = schnakenberg()
    five = rule.initial((4, 5), rng=3, replicas=5)
    assert rule.initial((4, 5), rng=3, replicas=2).tobytes() == five[:2].tobytes()
    assert rule.initial((4, 5), rng=3).tobytes() == five[0].tobytes()
    assert rule.initial((4, 5), rng=3, dtype=np.float32).dtype == np.float32
    assert rule.initial((4, 5), rng=np.random.default_rng(3)).tobytes() == five[0].tobytes()


# --- threads


def bytes_of_everything(rule, field, times):
    return b"".join(
        [rule.rate(field, 0.5).tobytes(), *(frame.tobytes() for _, frame in td.evolve(rule, field, times, every=2))]
    )


# With so few cells for threads, rows are spread over them; where replicas are smaller than that, replicas are.
@pytest.mark.parametrize(
    "shape, cells",
    [((1, 7, 5), 1), ((1, 1, 9), 1), ((3, 1, 5, 6), 1), ((3, 1, 5, 6), 31)],
    ids=["plane", "line", "rows of replicas", "replicas"],
)
def test_threads_do_not_change_the_bytes_of_small_fields(threads, monkeypatch, shape, cells):
    rule = heat_rule(boundary=("no_flux", "zero", "periodic", "periodic"), cell=swinging_heat)
    field, times = numbers(*shape), td.uniform(0, 1, 0.2)
    expected = bytes_of_everything(rule, field, times)
    monkeypatch.setattr(flow, "CELLS_FOR_THREADS", cells)
    assert bytes_of_everything(rule, field, times) == expected


@pytest.mark.compiled
@pytest.mark.parametrize("shape", [(1, 256, 257), (16, 1, 64, 65)], ids=["rows", "replicas"])
def test_threads_do_not_change_the_bytes_of_large_fields(threads, shape, monkeypatch):
    rule = heat_rule(boundary="no_flux", cell=swinging_heat)
    field, times = numbers(*shape), td.uniform(0, 1, 0.2)
    found = bytes_of_everything(rule, field, times)
    monkeypatch.setattr(flow, "CELLS_FOR_THREADS", field.size)
    assert found == bytes_of_everything(rule, field, times)


@pytest.mark.compiled
def test_runs_in_other_threads_give_the_same_bytes():
    from concurrent.futures import ThreadPoolExecutor

    rule, times = schnakenberg(dx=1.0), td.uniform(0, 0.05, 0.01)
    fields = [rule.initial((256, 256), rng=seed) for seed in range(3)]
    expected = [last(td.evolve(rule, field, times)).tobytes() for field in fields]
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda field: last(td.evolve(rule, field, times)).tobytes(), fields))
    assert found == expected


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("width", [1, 7, 64])
@pytest.mark.parametrize("radius", [0, 1, 3])
def test_rows_of_the_engines_buffers_begin_on_cache_lines(dtype, width, radius):
    rule = td.Rule(decay_rule().cell, {"rate": 1.0}, 2, td.Neighbourhood(radius))
    field = numbers(3, 2, 4, width, dtype=dtype)
    for buffer in flow.Flow(rule, field)._load(field, max(radius, 1)):
        assert (buffer[:, :, :, max(radius, 1) :].ctypes.data % 64, buffer.strides[2] % 64) == (0, 0)


# --- what evolve refuses


@pytest.mark.parametrize(
    "field, message",
    [
        (np.zeros((1, 4, 4)), r"schnakenberg has 2 channels \(u, v\): .*got \(1, 4, 4\)"),
        (np.zeros((4, 4)), r"got \(4, 4\)"),
        (np.zeros((2, 3, 4, 4)), r"got \(2, 3, 4, 4\)"),
        (np.zeros((2, 0, 4)), r"got \(2, 0, 4\)"),
        (np.zeros((0, 2, 4, 4)), r"got \(0, 2, 4, 4\)"),
        (np.full((2, 4, 4), np.nan), r"the field holds nan at \(0, 0, 0\)"),
        (np.array([[[1.0, 2.0]], [[3.0, -np.inf]]]), r"the field holds -inf at \(1, 0, 1\)"),
    ],
)
def test_a_field_that_does_not_fit_is_refused_at_the_door(field, message):
    for call in (lambda: td.evolve(schnakenberg(), field, [0, 0.001]), lambda: schnakenberg().rate(field)):
        with pytest.raises(ValueError, match=message):
            call()


@pytest.mark.parametrize("dtype", [int, np.float16, complex, ">f8"])
def test_a_field_of_another_dtype_is_refused(dtype):
    with pytest.raises(TypeError, match="a field is float32 or float64, got"):
        td.evolve(schnakenberg(), np.zeros((2, 4, 4), dtype), [0, 0.001])


def test_a_map_of_another_shape_is_refused():
    rule = schnakenberg(a=np.full((4, 5), 0.1))
    with pytest.raises(ValueError, match=r"parameter a is a map of shape \(4, 5\), but the field is \(5, 4\)"):
        td.evolve(rule, np.ones((2, 5, 4)), [0, 0.001])


@pytest.mark.parametrize("every", [0, -1, 1.5])
def test_every_is_a_number_of_steps(every):
    with pytest.raises(ValueError, match="every must be a whole number of steps >= 1"):
        td.evolve(decay_rule(), np.zeros((1, 2, 2)), [0, 1], every=every)
    with pytest.raises(ValueError, match="every must be a whole number of steps >= 1"):
        td.simulate(decay_rule(), np.zeros((1, 2, 2)), [0, 1], every=every)


@pytest.mark.parametrize("levels", [[1.0, -0.5], [0.0, 1.0], [0.5, 0.0, -0.5]])
def test_sigma_is_positive_until_the_end(levels):
    rule = decay_rule(clock="sigma")
    with pytest.raises(ValueError, match="runs along sigma > 0, down to 0 at most"):
        td.evolve(rule, np.zeros((1, 2, 2)), levels)


# --- stability


def test_a_step_above_the_limit_warns_with_one_that_is_not():
    rule = schnakenberg()
    field = rule.initial((8, 8), rng=0)
    with pytest.warns(
        td.UnstableStepWarning, match=r"dt = 0\.01 is above the stable limit .* for schnakenberg"
    ) as caught:
        td.evolve(rule, field, td.uniform(0, 1, 0.01))
    named = float(re.search(r"stable limit (\S+) ", str(caught[0].message)).group(1))
    assert named == pytest.approx(rule.stable_dt(field), rel=0.01)
    td.evolve(rule, field, td.uniform(0, 1, named))  # no warning, which would be an error here


@pytest.mark.parametrize("replicas", [None, 2])
def test_a_blow_up_names_channel_time_and_a_stable_step(replicas):
    rule = schnakenberg()
    field, dt = rule.initial((8, 8), rng=0, replicas=replicas), 0.011
    with pytest.warns(td.UnstableStepWarning):
        evolution = td.evolve(rule, field, td.uniform(0, 20, dt), every=10_000)
    message = r"schnakenberg: channel [uv] stopped being finite in the step from (\S+) to (\S+) \(dt = 0\.011\); (.*)"
    with pytest.raises(td.BlowUpError, match=message) as caught:
        list(evolution)
    start, end, advice = re.match(message, str(caught.value)).groups()
    assert float(end) - float(start) == pytest.approx(dt, rel=1e-3)
    stable = float(re.fullmatch(r"euler is stable up to dt = (\S+)", advice).group(1))
    assert stable < dt

    # The named time is right: one step before, all is finite (though huge).
    steps = round(float(start) / dt)
    with pytest.warns(td.UnstableStepWarning):
        almost = last(td.evolve(rule, field, td.uniform(0, steps * dt, dt), every=10_000))
    assert np.abs(almost).max() > 1e3
    # And the named step is stable.
    assert np.abs(last(td.evolve(rule, field, td.uniform(0, 20, stable), every=10_000))).max() < 10


def test_a_blow_up_of_a_bare_rule_names_a_stable_step_too():
    field = numbers(1, 8, 8)
    message = r"heat: channel u stopped being finite .* euler is stable up to dt = (\S+)$"
    with pytest.raises(td.BlowUpError, match=message) as caught:
        list(td.evolve(heat_rule(), field, td.uniform(0, 1000, 0.5), every=10_000))
    assert float(re.search(message, str(caught.value)).group(1)) == pytest.approx(0.25, rel=0.05)


@pytest.mark.parametrize("every", [1, 50])
def test_a_blow_up_by_noise_is_found_again_with_the_same_noise(every):
    rule = decay_rule(0.0, noise=1e307)
    times = td.uniform(0, 1000, 1)
    noise = np.random.default_rng(0).spawn(1)[0].standard_normal(1000)
    first = int(np.argmax(np.abs(np.cumsum(noise)) > np.finfo(float).max / 1e307))
    assert first > 50
    message = f"channel u stopped being finite in the step from {first} to {first + 1} "
    with pytest.raises(td.BlowUpError, match=message):
        list(td.evolve(rule, np.zeros((1, 1, 1)), times, stepper=td.euler_maruyama, rng=0, every=every))


def test_a_blow_up_within_the_limit_is_the_reaction_itself():
    message = (
        r"decay: channel u stopped .* within the linear limit 2: the reaction itself runs away, or try dt = 0\.125"
    )
    with pytest.raises(td.BlowUpError, match=message):
        list(td.evolve(decay_rule(-1.0), np.ones((1, 1, 3)), td.uniform(0, 1000, 0.5), every=10_000))


def test_a_blow_up_along_sigma_names_the_level():
    rule = decay_rule(clock="sigma", name="explosion")
    with pytest.raises(td.BlowUpError, match=r"explosion: channel u stopped being finite in the step from 1 to 0\.5$"):
        list(td.evolve(rule, np.ones((1, 2, 2)), [3, 2, 1, 0.5], stepper=overflowing))


@td.one_step
def overflowing(rate, y, t, dt):
    return y * (np.inf if t == 1 else 1)


def test_stable_dt_of_heat_is_2_over_the_symbol_bound():
    # 2/(8 D/dx²) in a plane, 2/(4 D/dx²) on a line; power iteration is within a few percent and from above.
    assert heat_rule(2.0, dx=0.5).stable_dt(np.zeros((1, 16, 16))) == pytest.approx(0.25**2 / 2, rel=0.03)
    assert heat_rule(2.0, dx=0.5).stable_dt(np.zeros((1, 1, 32))) == pytest.approx(0.25**2, rel=0.03)
    assert decay_rule(5.0).stable_dt(np.zeros((1, 4, 4))) == pytest.approx(2 / 5, rel=1e-6)
    assert decay_rule(0.0).stable_dt(np.zeros((1, 4, 4))) == np.inf


def test_stable_dt_of_a_field_of_any_size():
    assert heat_rule().stable_dt(np.full((1, 8, 8), 1e300)) == pytest.approx(0.25, rel=0.03)
    # Where the rate overflows, no step is stable.
    with np.errstate(over="ignore"):  # raised by the cell function where it runs as plain Python
        assert logistic_rule().stable_dt(np.full((1, 2, 2), 1e200)) == 0
    assert schnakenberg().stable_dt(np.full((2, 3, 3), 1e200)) == 0


def test_stable_dt_of_a_reaction_bounds_diffusion_and_kinetics():
    # v of Schnakenberg: D k² = 10 * 8/0.25; at the shortest wave J + symbol D has the eigenvalue -321.1 (NumPy).
    shortest = np.array([[0.8, 1.0], [-1.8, -1.0]]) - 32 * np.diag([1.0, 10.0])
    assert schnakenberg().stable_dt() == pytest.approx(2 / np.abs(np.linalg.eigvals(shortest)).max(), rel=1e-6)
    measured = schnakenberg().stable_dt(schnakenberg().initial((8, 8), rng=0))
    assert measured == pytest.approx(schnakenberg().stable_dt(), rel=1e-3)


@pytest.mark.parametrize(
    "rule, message",
    [
        (decay_rule(clock="sigma"), "steps along sigma: its levels are the accuracy, not a limit"),
        (decay_rule(), "does not declare its stiffness: give a field"),
        (schnakenberg(stencil=lambda phi, c, i, j, g: 0 * phi[c, i, j]), "does not declare its stiffness"),
    ],
)
def test_stable_dt_says_when_it_does_not_know(rule, message):
    with pytest.raises(ValueError, match=message):
        rule.stable_dt()


# --- parameter maps


@pytest.mark.parametrize("which", [["a"], ["Du", "a"]], ids=" ".join)
def test_a_constant_map_is_the_constant_to_the_last_bit(which):
    constants = {"a": 0.11, "b": 0.87, "Du": 0.9, "Dv": 3.0}
    given = {key: np.full((5, 6), value) if key in which else value for key, value in constants.items()}

    def rate(a, b, Du, Dv):
        return schnakenberg(a=a, b=b, diffusion=(Du, Dv)).rate(numbers(2, 5, 6))

    assert rate(**given).tobytes() == rate(**constants).tobytes()


def test_every_parameter_can_be_a_map():
    rule = schnakenberg(a=numbers(5, 6, seed=1), diffusion=(numbers(5, 6, seed=2), 3.0))
    np.testing.assert_array_equal(rule.rate(numbers(2, 5, 6)), plain.rate(rule, numbers(2, 5, 6)))


def test_a_map_gives_each_cell_its_own_value():
    rates = numbers(3, 4, seed=1)
    field = numbers(2, 1, 3, 4)
    rule = decay_rule(rates)
    np.testing.assert_array_equal(rule.rate(field), -rates * field)
    np.testing.assert_allclose(last(td.evolve(rule, field, [0, 0.1, 0.2])), field * (1 - 0.1 * rates) ** 2, rtol=1e-14)


# --- simulate and runs


@pytest.mark.parametrize(
    "options, kept",
    [
        ({}, 51),
        ({"frames": 2}, 2),
        ({"frames": 6}, 6),
        ({"frames": 7}, 7),
        ({"frames": 1000}, 51),
        ({"frames": 11.0}, 11),
        ({"every": 20}, 4),
        ({"every": 25.0}, 3),
    ],
)
def test_simulate_keeps_as_many_frames_as_asked(options, kept):
    run = td.simulate(decay_rule(), numbers(1, 2, 3), td.uniform(0, 5, 0.1), **options)
    assert run.frames.shape == (kept, 1, 2, 3)
    assert (run.times[0], run.times[-1]) == (0, 5)
    np.testing.assert_array_equal(run.frames[0], numbers(1, 2, 3))
    np.testing.assert_allclose(run.frames[:, 0], numbers(1, 2, 3) * 0.9 ** (10 * run.times[:, None, None]), rtol=1e-12)
    assert run.final.tobytes() == run.frames[-1].tobytes()


def test_simulate_keeps_about_200_frames_or_what_fits_in_memory(monkeypatch):
    field, times = numbers(1, 2, 3), td.uniform(0, 10, 0.001)
    assert 190 <= len(td.simulate(decay_rule(), field, times).times) <= 200
    monkeypatch.setattr(runs, "DEFAULT_MEMORY", 10 * field.nbytes)
    assert len(td.simulate(decay_rule(), field, times).times) == 10
    monkeypatch.setattr(runs, "DEFAULT_MEMORY", 1)
    assert len(td.simulate(decay_rule(), field, times).times) == 2
    assert len(td.simulate(decay_rule(), field, times, frames=21).times) == 21  # asked for is asked for


@pytest.mark.parametrize(
    "options, message",
    [
        ({"frames": 3, "every": 2}, "frames= or every=, not both"),
        ({"frames": 1}, "frames must be a whole number >= 2"),
        ({"frames": 2.5}, "frames must be a whole number >= 2"),
    ],
)
def test_simulate_refuses(options, message):
    with pytest.raises(ValueError, match=message):
        td.simulate(decay_rule(), numbers(1, 2, 3), [0, 0.1], **options)


def test_progress_goes_to_stderr_and_only_when_asked_for(capsys):
    arguments = decay_rule(name="slow decay"), numbers(1, 2, 3), td.uniform(0, 1, 0.1)
    quiet = td.simulate(*arguments)
    assert capsys.readouterr() == ("", "")
    shown = td.simulate(*arguments, progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "slow decay" in err
    assert "11/11" in err
    assert shown.frames.tobytes() == quiet.frames.tobytes()


def test_simulate_passes_on_stepper_and_seed():
    arguments = decay_rule(noise=0.3), numbers(1, 2, 3), td.uniform(0, 1, 0.1)
    run = td.simulate(*arguments, stepper=td.euler_maruyama, rng=4)
    assert run.final.tobytes() == last(td.evolve(*arguments, stepper=td.euler_maruyama, rng=4)).tobytes()


@pytest.mark.parametrize("replicas", [(), (2,)], ids=["one", "replicas"])
def test_a_run_survives_a_file(tmp_path, replicas):
    rule = schnakenberg(dx=np.float32(1.0), b=np.float64(0.9))
    run = td.simulate(rule, numbers(*replicas, 2, 3, 4), td.uniform(0, 0.05, 0.01), every=2)
    assert run.save(tmp_path / "new folder" / "run.npz") == tmp_path / "new folder" / "run.npz"
    read = td.load_run(tmp_path / "new folder" / "run.npz")
    assert read.frames.shape == run.frames.shape == (4, *replicas, 2, 3, 4)
    assert read.frames.tobytes() == run.frames.tobytes()
    assert read.times.tobytes() == run.times.tobytes()
    assert (read.name, read.clock, read.channels, read.shown, read.dx) == ("schnakenberg", "time", ("u", "v"), 0, 1.0)
    assert read.params == {"Du": 1.0, "Dv": 10.0, "a": 0.1, "b": 0.9}
    np.testing.assert_array_equal(read.view(1), run.frames[1][..., 0, :, :])


def test_a_saved_run_keeps_its_dtype_and_the_shape_of_maps(tmp_path):
    rule = decay_rule(numbers(3, 4))
    run = td.simulate(rule, numbers(1, 3, 4, dtype=np.float32), [0, 0.1], stepper=td.heun)
    read = td.load_run(run.save(tmp_path / "run.npz"))
    assert read.frames.dtype == run.frames.dtype == np.float32
    assert read.params == {"rate": "array (3, 4)"}


def test_the_picture_of_a_sigma_run_is_variance_preserving():
    run = td.simulate(decay_rule(clock="sigma"), numbers(1, 2, 3, dtype=np.float32), [3.0, 1.0])
    for k, sigma in enumerate((3.0, 1.0)):
        np.testing.assert_allclose(run.view(k), run.frames[k, 0] / np.sqrt(1 + sigma**2), rtol=1e-6)
        assert run.view(k).dtype == np.float32


def one_run():
    return td.simulate(decay_rule(), numbers(1, 20, 20), [0, 0.1])


def test_a_run_is_saved_as_npz(tmp_path):
    with pytest.raises(ValueError, match=r"saved as \.npz, got 'run.gif'"):
        one_run().save(tmp_path / "run.gif")


def test_an_interrupted_save_leaves_the_old_file(tmp_path, monkeypatch):
    path = one_run().save(tmp_path / "run.npz")
    before = path.read_bytes()

    def interrupted(path, **arrays):
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez_compressed", interrupted)
    with pytest.raises(KeyboardInterrupt):
        one_run().save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_file_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        td.load_run(tmp_path / "nowhere.npz")


@pytest.mark.parametrize("content", ["text", "empty", "array", "npz", "pickle", "truncated", "folder"])
def test_other_files_are_no_runs(tmp_path, content):
    path = tmp_path / "run.npz"
    if content == "text":
        path.write_text("hello")
    elif content == "empty":
        path.touch()
    elif content == "array":
        np.save(tmp_path / "run.npy", np.zeros(3))
        (tmp_path / "run.npy").rename(path)
    elif content == "npz":
        np.savez(path, x=np.zeros(3))
    elif content == "pickle":
        np.savez(path, times=np.zeros(2), frames=np.array([{}, None]), about=np.array("{}"))
    elif content == "truncated":
        one_run().save(path)
        path.write_bytes(path.read_bytes()[:-100])
    else:
        path.mkdir()
    with pytest.raises(ValueError, match=r"run\.npz is not a run saved by turingdiff"):
        td.load_run(path)


def test_a_damaged_file_is_no_run_or_the_same_run(tmp_path):
    path = one_run().save(tmp_path / "run.npz")
    data, original = path.read_bytes(), td.load_run(path)
    rng, refused = np.random.default_rng(0), 0
    for _ in range(60):
        damaged = bytearray(data)
        damaged[rng.integers(len(data))] ^= int(rng.integers(1, 256))
        path.write_bytes(damaged)
        try:
            found = td.load_run(path)
        except ValueError:
            refused += 1
        else:
            assert found.frames.tobytes() == original.frames.tobytes()
    assert refused > 40


def test_a_run_of_another_version_says_so(tmp_path):
    path = one_run().save(tmp_path / "run.npz")
    with zipfile.ZipFile(path) as archive:
        assert sorted(archive.namelist()) == ["about.npy", "frames.npy", "times.npy"]
    with np.load(path) as archive:
        arrays = dict(archive)
    about = {**json.loads(str(arrays["about"])), "format": "turingdiff run 99"}
    np.savez(path, **{**arrays, "about": np.array(json.dumps(about))})
    with pytest.raises(ValueError, match="has format 'turingdiff run 99'; this version reads 'turingdiff run 1'"):
        td.load_run(path)


# --- rules


@pytest.mark.parametrize(
    "arguments, error, message",
    [
        (("cell", (), 1), TypeError, "cell must be a function"),
        ((np.sin, (), 1), TypeError, "cell must be a function"),
        (
            (decay_rule().cell, ("fast",), 1),
            TypeError,
            "parameter p0 must be a number, an .* map or an array, got 'fast'",
        ),
        ((decay_rule().cell, (1j,), 1), TypeError, "parameter p0 must be a number"),
        ((decay_rule().cell, {"k": np.nan}, 1), ValueError, "parameter k must be finite"),
        ((decay_rule().cell, {"k": [[1.0, np.inf]]}, 1), ValueError, "parameter k must be finite"),
        ((decay_rule().cell, (), 0), ValueError, "at least one channel"),
        ((decay_rule().cell, (), ""), ValueError, "at least one channel"),
    ],
)
def test_a_rule_refuses(arguments, error, message):
    with pytest.raises(error, match=message):
        td.Rule(*arguments)


@pytest.mark.parametrize(
    "call",
    [
        lambda: td.simulate(schnakenberg, np.ones((2, 4, 4)), [0, 1]),
        lambda: td.measure.dispersion(schnakenberg),
        lambda: td.until_steady(schnakenberg, np.ones((2, 4, 4)), [0, 1]),
    ],
)
def test_a_system_that_was_not_called_is_no_rule(call):
    with pytest.raises(TypeError, match=r"expected a rule, got <system schnakenberg.*: calling a system makes one"):
        call()


@pytest.mark.parametrize("stepper", ["rkc", None, type(td.adaptive)])
def test_a_stepper_is_no_name_and_no_class(stepper):
    with pytest.raises(TypeError, match=r"stepper must be one such as td\.rkc, or an object of your own, got"):
        last(td.evolve(decay_rule(), np.ones((1, 2, 2)), [0, 1], stepper=stepper))


def test_a_rule_on_the_torus_has_no_walls():
    rule = schnakenberg(boundary="no_flux", dx=0.5)
    torus = rule.on_torus()
    assert torus.neighbourhood == td.Neighbourhood(1, "periodic", 0.5)
    field = numbers(2, 5, 6)
    np.testing.assert_array_equal(torus.rate(field), schnakenberg(dx=0.5).rate(field))


def test_rules_and_runs_are_shown_in_a_line():
    rule = td.morphogenesis.schnakenberg(a=np.full((6, 8), 0.1), dx=0.5)
    assert repr(rule).startswith("<rule schnakenberg of u, v; Du=1, Dv=10, a: (6, 8), b=0.9; Neighbourhood(radius=1,")
    run = td.simulate(rule, np.ones((2, 6, 8)), td.uniform(0, 0.01, 0.005), every=1)
    assert repr(run) == "<run of schnakenberg: 3 frames of (2, 6, 8), time 0 to 0.01>"
    machine = td.denoising.ideal(np.zeros((3, 1, 4, 4), np.float32))
    assert len(repr(machine)) < 200


def test_a_rule_has_a_clock_and_names():
    with pytest.raises(ValueError, match=r"clock must be one of .*, got 'frames'"):
        decay_rule(clock="frames")
    assert decay_rule().name == "decay"
    assert decay_rule(name="other").name == "other"
    assert td.Rule(decay_rule().cell, (1, 2.5), 3).params == {"p0": 1, "p1": 2.5}
    assert td.Rule(decay_rule().cell, (), 3).channels == ("c0", "c1", "c2")


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda rule: rule.initial((4, 4), rng=0), r"decay has no initial state of its own: make a \(1, H, W\) array"),
        (lambda rule: rule.times(), "decay has no times of its own"),
        (lambda rule: rule.steady_state(), "decay has no uniform steady state on record"),
        (lambda rule: schnakenberg().initial((4, 4, 4), rng=0), "shape must be"),
        (lambda rule: schnakenberg().initial((4, 0), rng=0), "shape must be"),
        (lambda rule: schnakenberg().initial((4, 1.5), rng=0), "shape must be"),
    ],
)
def test_what_a_rule_does_not_have(call, message):
    with pytest.raises(ValueError, match=message):
        call(decay_rule())
