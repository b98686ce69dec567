"""Influence cones and effective receptive fields: never farther than declared, and known answers."""

import numpy as np
import pytest
from quick import all_in_one, slow_unless
from rules import heat_rule, last, logistic_rule
from test_contract import (
    DENOISERS,
    MACHINES,
    NETWORKS,
    ONE_EACH,
    SYSTEMS,
    THREE,
    distances,
    noisy,
    pixels,
    state,
    system,
)

import turingdiff as td
from turingdiff.measure import influence, jacobian_map
from turingdiff.measure._influence import influences

STEPPERS = {"euler": td.euler, "heun": td.heun, "rk4": td.rk4}
STOCHASTIC = {"euler_maruyama": td.euler_maruyama, "ancestral": td.ancestral}
LEVELS = [1.3, 1.15, 0.9, 0.7]
CORNER = (1, 10)
LAST = 2  # steps

steppers = pytest.mark.parametrize("stepper", STEPPERS)
denoisers = pytest.mark.parametrize("name", slow_unless(ONE_EACH.__contains__, DENOISERS))


def gently(rule, field, steps=LAST):
    """Times so short that nothing runs away."""
    return (
        td.uniform(0, steps, 1) if not np.any(rule.rate(field)) else np.arange(steps + 1) * 0.1 * rule.stable_dt(field)
    )


def held(cone):
    """Whether what was measured lies within what was declared."""
    assert cone.radius[0] == 0
    assert cone.bound[0] == 0
    return not (cone.radius > cone.bound).any()


def two_images():
    image = pixels(1, 4, 4, dtype=np.float64)
    return image, td.denoising.ideal(np.stack([image, -image]).astype(np.float32))


# --- the bound holds for every rule of the package


@pytest.mark.parametrize("boundary", ["periodic", "no_flux"])
@pytest.mark.parametrize("name", slow_unless(THREE.__contains__, SYSTEMS))
def test_a_system_carries_news_as_far_as_its_radius_allows(name, boundary):
    rule = system(name, boundary=boundary)
    field = state(rule, (11, 12))
    cone = influence(rule, field, gently(rule, field), CORNER)
    np.testing.assert_array_equal(cone.bound, np.arange(LAST + 1) * rule.radius(0.0))
    assert held(cone)
    assert (np.diff(cone.radius) > 0).all()


@steppers
@pytest.mark.parametrize("name", ["schnakenberg", "swift_hohenberg", "positional_information"])
def test_a_system_carries_news_as_far_as_the_evaluations_of_a_step_allow(name, stepper):
    rule = system(name, boundary="periodic")
    field = state(rule, (1, 40))
    cone = influence(rule, field, gently(rule, field, 1), (0, 3), stepper=STEPPERS[stepper])
    evaluations = {"euler": 1, "heun": 2, "rk4": 4}[stepper]
    assert cone.radius[-1] == cone.bound[-1] == evaluations * rule.radius(0.0)


@denoisers
def test_a_denoiser_carries_news_as_far_as_its_radii_allow(name):
    machine = DENOISERS[name]
    shape = (20, 21) if name in NETWORKS else None
    cone = influence(machine, noisy(machine, shape), [*LEVELS[:3], 0], (1, 2))
    radii = [machine.radius(level) for level in LEVELS[:3]]
    assert held(cone)
    assert cone.bound[-1] == (np.inf if None in radii else sum(radii))


@steppers
@pytest.mark.parametrize("name", ["ELS schedule", "ELS torus schedule"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_light_cone_of_a_schedule_is_the_sum_of_its_radii(name, stepper, dtype):
    machine = MACHINES[name]  # sees 2 cells above 1 and 1 below
    stage = {"euler": (2, 2, 1, 1), "heun": (4, 3, 2, 1), "rk4": (8, 7, 4, 1)}[stepper]
    cone = influence(machine, noisy(machine, (12, 13), dtype), [*LEVELS, 0], (0, 0), stepper=STEPPERS[stepper])
    np.testing.assert_array_equal(cone.bound, [0, *np.cumsum(stage)])
    assert held(cone)
    assert cone.maps.dtype == dtype
    if dtype == np.float64:  # four stages on, the outermost difference is below the rounding of float32
        assert cone.radius[1] == min(stage[0], cone.distance.max())


@pytest.mark.parametrize("name", ["network", "network zeros", "network circular", "ELS", "local"])
def test_a_machine_that_runs_backwards_in_noise_keeps_its_bound(name):
    machine = next(machine for key, machine in DENOISERS.items() if key.startswith(name))
    rule, shape = machine.reverse_sde(), machine.canvas if name == "local" else (20, 21)
    cone = influence(rule, noisy(machine, shape), [1.3, 1.2, 0], (0, 0), stepper=td.euler_maruyama, rng=3)
    assert cone.bound[-1] == 2 * machine.radius(1.3)
    assert held(cone)


@pytest.mark.parametrize("stepper, name", [("ancestral", "ELS"), ("ancestral", "network zeros")])
def test_both_runs_have_the_same_noise(stepper, name):
    machine, generator = DENOISERS[name], np.random.default_rng(7)
    before = generator.bit_generator.state
    field = noisy(machine, (30, 31))
    cones = [
        influence(machine, field, [1.3, 0.9], stepper=STOCHASTIC[stepper], rng=rng) for rng in (7, generator, generator)
    ]
    assert held(cones[0])
    assert np.isfinite(cones[0].bound).all()
    assert len({cone.maps.tobytes() for cone in cones}) == 1
    assert generator.bit_generator.state == before


# --- what is measured


def test_the_difference_is_that_of_two_runs():
    rule, times = td.morphogenesis.schnakenberg(), td.uniform(0, 0.05, 0.005)
    field = rule.initial((9, 10), rng=0)
    changed = field.copy()
    changed[:, 2, 3] += (0.1, -0.2)
    cone = influence(rule, field, times, (2, 3), size=(0.1, -0.2), every=4)
    expected = np.abs(last(td.evolve(rule, changed, times)) - last(td.evolve(rule, field, times))).max(axis=0)
    np.testing.assert_array_equal(cone.times, np.asarray(times)[[0, 4, 8, 10]])
    np.testing.assert_array_equal(cone.maps[-1], expected)
    np.testing.assert_array_equal(cone.bound, [0, 4, 8, 10])
    assert cone.maps[0].max() == pytest.approx(0.2)


def test_by_default_the_middle_cell_changes_by_a_hundredth_of_the_size_of_its_channel():
    rule = td.Rule(two_decays, (), 2, td.Neighbourhood(0))
    field = np.zeros((2, 5, 8))
    assert influence(rule, field, [0, 1]).maps[0].max() == 0.01
    field[0] = 3
    cone = influence(rule, field, [0, 1])
    assert cone.at == (2, 4)
    assert cone.maps[0, 2, 4] == pytest.approx(0.03)


@pytest.mark.parametrize("name", ["schnakenberg", "ancestral"])
def test_several_cells_are_each_changed_alone(name):
    if name == "ancestral":
        rule = DENOISERS["ELS"]
        given = {"times": LEVELS, "stepper": td.ancestral, "rng": 7, "field": noisy(rule, (12, 13))}
    else:
        rule = td.morphogenesis.schnakenberg()
        given = {"times": td.uniform(0, 0.05, 0.005), "every": 3, "field": rule.initial((9, 10), rng=0)}
    cells = [(2, 3), None, (8, 0)]
    together = influences(rule, cells=cells, **given)
    for cell, cone in zip(cells, together, strict=True):
        alone = influence(rule, at=cell, **given)
        assert cone.at == alone.at
        for part in ("times", "maps", "radius", "bound", "distance"):
            np.testing.assert_array_equal(getattr(cone, part), getattr(alone, part))


def test_no_cells_have_no_influence():
    with pytest.raises(ValueError, match="cells is empty"):
        influences(heat_rule(), np.ones((1, 9, 8)), [0.0, 0.1], [])


def two_decays(phi, i, j, t, p, g, out):
    for c in range(2):
        out[c, i, j] = -0.5 * phi[c, i, j]


@pytest.mark.parametrize(
    "boundary, farthest", [("periodic", 5), ("no_flux", 9), (("no_flux",) * 2 + ("periodic",) * 2, 9)]
)
def test_on_a_torus_the_shorter_way_counts(boundary, farthest):
    rule = heat_rule(boundary=boundary)
    cone = influence(rule, np.ones((1, 10, 10)), [0, 0.1], (0, 9))
    assert cone.distance.max() == farthest
    assert cone.distance[1, 0] == (9 if boundary == "no_flux" else 1)


def test_a_change_that_everything_forgets_is_felt_nowhere():
    machine = td.denoising.ideal(np.ones((1, 1, 4, 5), np.float32))
    cone = influence(machine, noisy(machine), machine.times(), (3, 3))
    assert np.isnan(cone.radius[-1])
    assert np.isnan(cone.reach(0.5)[-1])
    assert "decays to nothing" in str(cone)


def test_what_is_seen_of_a_change_spreads_like_heat():
    cone = influence(heat_rule(boundary="no_flux"), np.ones((1, 1, 201)), td.uniform(0, 50, 0.1), (0, 100), every=100)
    width = np.sqrt(4 * cone.times * np.log(100))  # exp(-x²/4Dt) = 1/100
    np.testing.assert_allclose(cone.reach(0.01), width, atol=1)
    assert (cone.reach(0) == cone.radius).all()
    assert (cone.radius[1:] > cone.reach(0.01)[1:]).all()


def test_a_stepper_of_your_own_says_where_it_evaluates_the_rate():
    @td.one_step
    def midpoint(rate, y, t, dt):
        return y + dt * rate(y + dt / 2 * rate(y, t), t + dt / 2)

    rule = heat_rule()
    with pytest.raises(ValueError, match=r"stepper\.stages = \(0, 0\.5\)"):
        influence(rule, np.ones((1, 9, 9)), [0, 0.1], stepper=midpoint)
    midpoint.stages = (0, 0.5)
    cone = influence(rule, np.ones((1, 9, 9)), [0, 0.1, 0.2], stepper=midpoint)
    np.testing.assert_array_equal(cone.bound, [0, 2, 4])
    np.testing.assert_array_equal(cone.radius, [0, 2, 4])


@all_in_one("stepper", [td.adaptive, td.rkc])
def test_steppers_that_look_at_the_whole_field_are_refused(stepper):
    with pytest.raises(ValueError, match="whole field"):
        influence(heat_rule(), np.ones((1, 9, 9)), [0, 0.1], stepper=stepper)


@all_in_one(
    "options, error, words",
    [
        ({"at": (9, 0)}, ValueError, "9 rows and 8 columns"),
        ({"at": (0, -1)}, ValueError, "outside"),
        ({"at": 3}, TypeError, "two whole numbers"),
        ({"at": (1.5, 2)}, TypeError, "two whole numbers"),
        ({"at": (1, 2, 3)}, TypeError, "two whole numbers"),
        ({"size": 0.0}, ValueError, "size must change"),
        ({"size": 1e-30}, ValueError, "size must change"),
        ({"size": np.nan}, ValueError, "finite"),
        ({"size": (1.0, 2.0)}, ValueError, "1 channels"),
        ({"field": np.ones((2, 1, 9, 8))}, ValueError, "batch"),
        ({"field": np.ones((1, 9, 8), int)}, TypeError, "float32 or float64"),
        ({"rule": td.morphogenesis.schnakenberg}, TypeError, "expected a rule"),
        ({"times": [0.0]}, ValueError, "two clock readings"),
        ({"every": 0}, ValueError, "every must be"),
    ],
)
def test_bad_input_is_refused_at_the_door(options, error, words):
    given = {"rule": heat_rule(), "field": np.ones((1, 9, 8)), "times": [0.0, 0.1]} | options
    with pytest.raises(error, match=words):
        influence(**given)


@pytest.mark.parametrize("threshold", [-0.1, 1, np.nan])
def test_a_threshold_is_a_share(threshold):
    cone = influence(heat_rule(), np.ones((1, 9, 8)), [0.0, 0.1])
    with pytest.raises(ValueError, match="share of the largest"):
        cone.reach(threshold)


# --- the effective receptive field


def brute(rule, field, t, at, step):
    """The slopes along every number of the field, inside the radius and outside."""
    slopes = np.empty((len(field), *field.shape))
    for place in np.ndindex(field.shape):
        up, down = field.copy(), field.copy()
        up[place] += step
        down[place] -= step
        slopes[:, *place] = (rule.rate(up, t) - rule.rate(down, t))[:, *at] / (up[place] - down[place])
    return slopes


@pytest.mark.parametrize("boundary", ["periodic", "no_flux"])
@pytest.mark.parametrize("name", ["schnakenberg", "swift_hohenberg", "positional_information"])
def test_the_map_of_a_system_is_what_every_cell_does_to_the_rate(name, boundary):
    rule = system(name, boundary=boundary)
    field = state(rule, (8, 9))
    seen = jacobian_map(rule, field, at=(0, 4))
    expected = brute(rule, field, 0.0, (0, 4), 1e-4)
    np.testing.assert_allclose(seen.jacobian, expected, rtol=0, atol=1e-6 * np.abs(expected).max())
    outside = distances((8, 9), (0, 4), boundary == "periodic") > rule.radius(0.0)
    assert not seen.map[outside].any()
    assert not expected[..., outside].any()
    assert seen.radius(1) == rule.radius(0.0)
    assert "90% of the sensitivity" in str(seen)


@pytest.mark.parametrize(
    "name", ["local", "ELS torus schedule", "ideal", "ES", "wiener", "PCA-local", "network colour zeros"]
)
def test_the_map_of_a_denoiser_is_what_every_pixel_does_to_the_rate(name):
    machine = DENOISERS[name]
    field, sigma = noisy(machine, dtype=np.float64), 0.9
    seen = jacobian_map(machine, field, sigma, (2, 3))
    expected = brute(machine, field, sigma, (2, 3), 1e-4)
    np.testing.assert_allclose(seen.jacobian, expected, rtol=0, atol=1e-5 * np.abs(expected).max())
    if machine.radius(sigma) is not None:
        outside = distances(field.shape[1:], (2, 3), machine.neighbourhood.periodic) > machine.radius(sigma)
        assert not seen.map[outside].any()
        assert not expected[..., outside].any()


def test_the_map_of_heat_is_its_stencil():
    seen = jacobian_map(heat_rule(D=2.0, dx=0.5), np.ones((1, 5, 5)))
    expected = np.zeros((5, 5))
    expected[1:4, 2] = expected[2, 1:4] = 8
    expected[2, 2] = 32
    np.testing.assert_allclose(seen.map, expected, rtol=1e-9)
    assert seen.radius(0.4) == 0
    assert seen.radius(0.6) == seen.radius(1) == 1


def test_the_map_of_two_images_is_their_posterior_covariance():
    image, machine = two_images()
    y, sigma = 0.3 * image + 0.1, 1.7
    lean = np.tanh((image * y).sum() / sigma**2)  # D = image * lean
    seen = jacobian_map(machine, y, sigma, (1, 2)).of_denoiser()
    expected = np.abs(image[0, 1, 2] * image[0]) * (1 - lean**2) / sigma**2
    np.testing.assert_allclose(seen.map, expected, rtol=0, atol=1e-6 * expected.max())


def test_the_map_of_a_gaussian_set_is_its_gain():
    images = np.array([1, -1], np.float32).reshape(2, 1, 1, 1)
    machine = td.denoising.wiener(images)
    seen = jacobian_map(machine, np.full((1, 1, 1), 0.2), 0.5, (0, 0)).of_denoiser()
    assert seen.map.item() == pytest.approx(1 / (1 + 0.25))


def test_chunks_do_not_change_the_map(monkeypatch):
    machine = MACHINES["ideal"]
    whole = jacobian_map(machine, noisy(machine), 0.9)
    monkeypatch.setattr("turingdiff.measure._jacobian_map.AT_ONCE", 1000)
    np.testing.assert_array_equal(jacobian_map(machine, noisy(machine), 0.9).jacobian, whole.jacobian)


@all_in_one(
    "options, error, words",
    [
        ({"at": (9, 0)}, ValueError, "outside"),
        ({"t": np.inf}, ValueError, "finite clock"),
        ({"field": np.ones((2, 1, 9, 8))}, ValueError, "batch"),
        ({"rule": MACHINES["ELS"], "field": np.ones((2, 6, 6)), "t": 0.0}, ValueError, "give jacobian_map the level"),
    ],
)
def test_a_map_refuses_bad_input(options, error, words):
    with pytest.raises(error, match=words):
        jacobian_map(**({"rule": heat_rule(), "field": np.ones((1, 9, 8))} | options))


def test_a_map_refuses_what_it_cannot_measure():
    seen = jacobian_map(heat_rule(), np.ones((1, 9, 8)))
    with pytest.raises(ValueError, match="no denoiser"):
        seen.of_denoiser()
    with pytest.raises(ValueError, match="fraction"):
        seen.radius(0)
    still = jacobian_map(logistic_rule(), np.full((1, 3, 3), 0.5))  # its rate has no slope there
    with pytest.raises(ValueError, match="depends on no cell"):
        still.radius()


# --- the pictures


@pytest.mark.parametrize("shape", [(9, 8), (1, 30)])
def test_the_figure_draws_the_cone_under_its_bound(shape, tmp_path):
    cone = influence(heat_rule(), np.ones((1, *shape)), td.uniform(0, 1, 0.1))
    figure = td.show.influence_figure(cone)
    lines = {line.get_label(): line for line in figure.axes[0].lines}
    np.testing.assert_array_equal(lines["differs at all"].get_ydata(), cone.radius)
    np.testing.assert_array_equal(lines["bound by the declared radii"].get_ydata(), cone.bound)
    assert figure.axes[1].get_title().startswith("t = 0\n")
    assert td.show.save_figure(figure, tmp_path / "cone.png").stat().st_size > 10_000


def test_the_figure_of_a_machine_that_sees_everything_has_levels_along_its_axis():
    machine = MACHINES["ideal"]
    figure = td.show.influence_figure(influence(machine, noisy(machine), [2.0, 1.0, 0.5, 0]))
    assert [tick.get_text() for tick in figure.axes[0].get_xticklabels()] == ["2", "1", "0.5", "0"]
    figure.draw_without_rendering()


def test_a_change_that_is_forgotten_can_be_drawn(tmp_path):
    machine = td.denoising.ideal(np.ones((1, 1, 4, 5), np.float32))
    cone = influence(machine, noisy(machine), [1.0, 0])
    td.show.save_figure(td.show.influence_figure(cone), tmp_path / "cone.png")
    assert td.show.animate_influence(cone, tmp_path / "cone.gif", scale=4).frames == 2


def test_the_film_of_a_cone_has_a_frame_a_reading(tmp_path):
    cone = influence(heat_rule(), np.ones((1, 9, 8)), td.uniform(0, 1, 0.1))
    film = td.show.animate_influence(cone, tmp_path / "cone.gif")
    assert film.frames == 11
