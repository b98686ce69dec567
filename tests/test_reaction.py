import numpy as np
import plain
import pytest
from quick import all_in_one, slow_unless
from rules import last

import turingdiff as td

SYSTEMS = {name: getattr(td.morphogenesis, name) for name in td.morphogenesis.__all__}
PRESETS = [(name, preset) for name, system in SYSTEMS.items() for preset in (None, *system.presets)]


def without_preset(name, preset):
    """Presets share the equations of their system."""
    return preset is None


every_preset = pytest.mark.parametrize("name, preset", slow_unless(without_preset, PRESETS), ids=str)

HALF = 0.5
THIRD = 1 / 3


@td.reaction(species="u")
def one(u, rate=0.7, limit=1.0):
    """Logistic growth."""
    return (rate * u * (limit - u),)


@td.reaction(species="uv")
def two(u, v, a=0.1, b=0.9):
    """Schnakenberg, as a user types it."""
    uuv = u * u * v
    return a - u + uuv, b - uuv


@td.reaction(species=["rock", "paper", "scissors"])
def three(rock, paper, scissors, p=0.8):
    return rock * (1 - rock - p * paper), paper * (1 - paper - p * scissors), scissors * (1 - scissors - p * rock)


@td.reaction(species="abcde")
def five(a, b, c, d, e, k=0.3):
    return b - a, k * (c - b), d * d - c, e - d, a * b - k * e


def numbers(*shape, dtype=np.float64, seed=0):
    return np.random.default_rng(seed).uniform(0.2, 0.9, shape).astype(dtype)


def definition(kinetics, field, diffusion, dx, *params):
    """D ∇²u + f on the torus, in NumPy."""
    around = sum(np.roll(field, shift, axis) for axis in (1, 2) for shift in (1, -1))
    D = np.array(diffusion).reshape(-1, 1, 1)
    return D * (around - 4 * field) / dx**2 + np.stack(kinetics(*field, *params))


@pytest.mark.parametrize("system", [one, two, three, five], ids=lambda system: system.__name__)
def test_any_number_of_species(system):
    count = len(system.species)
    field, diffusion = numbers(count, 4, 5), np.arange(1.0, count + 1)
    rule = system(diffusion=diffusion, dx=0.5)
    assert rule.channels == system.species
    expected = definition(system.kinetics, field, diffusion, 0.5, *system.defaults.values())
    np.testing.assert_allclose(rule.rate(field), expected, rtol=1e-12)


def test_a_users_system_is_the_built_in_one_to_the_last_bit():
    theirs = two(a=0.12, b=0.8, diffusion=(1, 7), dx=1.0, boundary="no_flux")
    ours = td.morphogenesis.schnakenberg(a=0.12, b=0.8, diffusion=(1, 7), dx=1.0, boundary="no_flux")
    field, times = numbers(2, 5, 6), td.uniform(0, 0.1, 0.01)
    assert theirs.rate(field).tobytes() == ours.rate(field).tobytes()
    assert last(td.evolve(theirs, field, times)).tobytes() == last(td.evolve(ours, field, times)).tobytes()


def test_the_decorated_function_describes_itself():
    assert two.__name__ == "two"
    assert two.__doc__ == "Schnakenberg, as a user types it."
    assert repr(two) == "<system two(a, b) of u, v>"
    assert two(b=1.0).params == {"Du": 1.0, "Dv": 1.0, "a": 0.1, "b": 1.0}
    assert three().params == {"Drock": 1.0, "Dpaper": 1.0, "Dscissors": 1.0, "p": 0.8}


def test_options_reach_the_rule():
    rule = two(dx=0.25, boundary=("zero", "zero", "periodic", "periodic"), noise=(0.1, 0.2), stencil=isotropic)
    assert rule.neighbourhood == td.Neighbourhood(1, ("zero", "zero", "periodic", "periodic"), 0.25)
    assert rule.noise == (0.1, 0.2)
    assert one(diffusion=2.0).params["Du"] == 2.0
    assert one(boundary="no_flux").neighbourhood.boundary == "no_flux"
    assert two(t_end=3.0, dx=1.0).times(dt=0.1)[-1] == 3.0
    assert two(t_end=3.0, dx=1.0).times(t_end=5.0, dt=0.1)[-1] == 5.0


isotropic = td.stencils.isotropic_laplacian


def test_the_stencil_can_be_chosen():
    field = numbers(2, 4, 5)
    rule = two(diffusion=(1.0, 3.0), stencil=isotropic)
    np.testing.assert_array_equal(rule.rate(field), plain.rate(rule, field))
    assert not np.allclose(rule.rate(field), two(diffusion=(1.0, 3.0)).rate(field))


def test_rules_of_one_system_share_their_cell_function():
    # So that it is compiled once.
    assert two(a=0.3).cell is two(boundary="zero", dx=2.0).cell
    assert two(stencil=isotropic).cell is not two().cell


def test_presets_are_keywords_of_the_call():
    system = td.morphogenesis.gray_scott
    assert system("maze").params == {"Du": 0.2097152, "Dv": 0.1048576, "F": 0.029, "k": 0.057}
    assert system("maze").name == "gray_scott maze"
    assert system("maze", F=0.03).params["F"] == 0.03
    assert system("maze", F=0.03).params["k"] == 0.057


@all_in_one(
    "call, message",
    [
        (lambda: two(c=1.0), "no parameter 'c' of two; there are a, b, Du"),
        (lambda: two("spots"), "no preset 'spots' of two; there are none"),
        (lambda: td.morphogenesis.gray_scott("spot"), "no preset 'spot' of gray_scott; did you mean 'spots'"),
        (lambda: two(diffusion=(1,)), r"two has 2 species \('u', 'v'\): give as many diffusion constants, got"),
        (lambda: two(diffusion=1.0), "give as many diffusion constants"),
        (lambda: one(diffusion=(1, 2)), "one has 1 species"),
        (lambda: two(diffusion=(1, -1)), "diffusion constants must be >= 0"),
        (lambda: two(diffusion=(1, np.array([[1.0, -0.1]]))), "diffusion constants must be >= 0"),
        (lambda: two(diffusion=(1, np.nan)), "parameter Dv must be finite"),
        (lambda: two(a=np.inf), "parameter a must be finite"),
        (lambda: two(boundary="mirror"), "no boundary 'mirror'; there are periodic, no_flux, zero, and td.fixed"),
        (lambda: two(dx=(0.5, 0.25)), "dx must be a positive length"),
        (lambda: two(a=[0.1, 0.2]), r"two: a must be a number or an \(H, W\) map, got the shape \(2,\)"),
        (lambda: two(Du=np.ones((1, 2, 3))), r"Du must be a number or an \(H, W\) map"),
        (lambda: two(a=np.ones((0, 3))), r"a must be a number or an \(H, W\) map"),
        (lambda: two(dx=-1), "dx must be a positive length"),
        (lambda: two().initial((4, 4), rng=0), "two has no uniform steady state on record"),
    ],
)
def test_a_call_refuses(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def needs_value(u, k):
    return (k * u,)


def test_a_parameter_without_a_default_is_needed():
    system = td.reaction(species="u")(needs_value)
    with pytest.raises(ValueError, match="needs_value needs a value for k"):
        system()
    assert system(k=2.0).params == {"Du": 1.0, "k": 2.0}


@pytest.mark.parametrize(
    "species, kinetics, message",
    [
        ("uv", lambda u, w: (u, w), r"must be the species \('u', 'v'\), got \['u', 'w'\]"),
        ("uv", lambda v, u: (u, v), r"must be the species \('u', 'v'\)"),
        ("uv", lambda u: (u,), r"must be the species \('u', 'v'\)"),
        ("", lambda u: (u,), "must be the species"),
        ("u", lambda u, *rest: (u,), "plain arguments"),
        ("u", lambda u, **rest: (u,), "plain arguments"),
        ("u", lambda u, *, k: (u,), "plain arguments"),
        ("u", lambda u, dx=1: (u,), r"parameter names \['dx'\] are taken"),
        ("uv", lambda u, v, Dv=1: (u, v), r"parameter names \['Dv'\] are taken"),
    ],
)
def test_kinetics_take_species_then_parameters(species, kinetics, message):
    with pytest.raises(ValueError, match=message):
        td.reaction(species=species)(kinetics)


# --- what compiled code computes


@td.reaction(species="uv")
def constants(u, v, k=0.3):
    """Python numbers in every role: in NumPy 2 none of them makes a float32 a float64."""
    gap = 1 - u
    gap -= 0.1
    hill = u / (2 * THIRD + u)
    side = hill if v > 0.7 else gap
    rest = -HALF * v + (HALF + 1) / 7 * gap
    return k * gap * hill + 3 * rest, v * v * 0.1 - hill + 0.7 * side


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("boundary", ["periodic", td.fixed(0.1)], ids=str)
def test_compiled_kinetics_are_the_plain_ones_to_the_last_bit(dtype, boundary):
    rule = constants(diffusion=(0.7, 3.0), dx=0.3, boundary=boundary)
    field = numbers(2, 6, 7, dtype=dtype)
    found = rule.rate(field)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, plain.rate(rule, field))


def test_float32_stays_float32():
    u = np.float32(0.3)
    assert {type(value) for value in constants.kinetics(u, u, u)} == {np.float32}


# --- the systems of the package


@pytest.mark.parametrize(
    "name, preset",
    slow_unless(without_preset, [pair for pair in PRESETS if pair[0] != "positional_information"]),
    ids=str,
)
def test_the_steady_state_is_a_zero_of_the_rate(name, preset):
    rule = SYSTEMS[name](preset)
    state = rule.steady_state()
    field = np.broadcast_to(state.reshape(-1, 1, 1), (state.size, 1, 1)).copy()
    # Terms of the size of the rates at twice the state cancel here to the last digits.
    scale = np.abs(plain.rate(rule, 2 * field + 1)).max()
    np.testing.assert_allclose(plain.rate(rule, field), 0, atol=1e-14 * max(1, scale))


@every_preset
def test_the_default_grid_is_stable_and_the_default_start_fits(name, preset):
    rule = SYSTEMS[name](preset)
    times = rule.times()
    assert times[0] == 0
    assert 0 < times.dt <= 0.9 * rule.stable_dt()
    assert times.dt > 0.8 * rule.stable_dt()
    start = rule.initial((20, 24), rng=0)
    assert start.shape == (len(rule.channels), 20, 24)
    assert start.dtype == np.float64
    assert start.tobytes() == rule.initial((20, 24), rng=0).tobytes()
    if name != "positional_information":  # it begins empty
        assert start.tobytes() != rule.initial((20, 24), rng=1).tobytes()
    assert times.dt <= rule.stable_dt(start)


def test_the_default_start_is_the_steady_state_within_one_percent():
    rule = td.morphogenesis.brusselator()
    pushed = rule.initial((100, 100), rng=0) / rule.steady_state().reshape(2, 1, 1) - 1
    np.testing.assert_allclose(pushed.std(axis=(1, 2)), 0.01, rtol=0.03)
    assert np.abs(pushed.mean(axis=(1, 2))).max() < 4e-4
    assert abs(np.corrcoef(pushed[0].ravel(), pushed[1].ravel())[0, 1]) < 0.04


def test_where_the_steady_state_is_zero_the_start_is_not():
    @td.reaction(species="uv")
    def origin(u, v):
        return u, v

    origin.steady_state = lambda: (0.0, 2.0)
    start = origin().initial((50, 50), rng=0)
    np.testing.assert_allclose(start.std(axis=(1, 2)), [0.01, 0.02], rtol=0.1)


def test_gray_scott_starts_from_seeds():
    rule = td.morphogenesis.gray_scott()
    u, v = rule.initial((96, 96), rng=0)
    seeded = v > 0
    np.testing.assert_array_equal(u[~seeded], 1)
    assert 12 * 12 <= seeded.sum() <= 4 * 12 * 12
    assert np.abs(u[seeded] / 0.5 - 1).max() <= 0.01
    assert np.abs(v[seeded] / 0.25 - 1).max() <= 0.01
    assert (rule.initial((4, 5), rng=0)[1] > 0).all()  # a seed is cut to a small field


def test_the_kinetics_return_one_rate_a_species():
    with pytest.raises(ValueError, match="tuple of 2 rates"):
        td.reaction("uv")(lambda u, v: (u, v, u))()
    with pytest.raises(ValueError, match="tuple of 2 rates"):
        td.reaction("uv")(lambda u, v: (u,))()
    with pytest.raises(ValueError, match="needs a comma"):
        td.reaction("u")(lambda u: -u)()


def test_a_parameter_map_gives_each_cell_its_own_steady_state():
    a = np.linspace(0.05, 0.2, 12).reshape(3, 4)
    rule = td.morphogenesis.schnakenberg(a=a)
    np.testing.assert_array_equal(rule.steady_state(), [a + 0.9, 0.9 / (a + 0.9) ** 2])
    assert rule.initial((3, 4), rng=0).shape == (2, 3, 4)
    assert rule.stable_dt() == pytest.approx(td.morphogenesis.schnakenberg().stable_dt(), rel=1e-3)


def test_a_map_needs_no_map_of_steady_states():
    F = np.linspace(0.02, 0.06, 12) * np.ones((8, 1))
    rule = td.morphogenesis.gray_scott(F=F)  # (1, 0) whatever F is
    bounds = [td.morphogenesis.gray_scott(F=value).stable_dt() for value in (0.02, 0.06)]
    assert rule.stable_dt() == pytest.approx(min(bounds))
    assert rule.stable_dt(rule.initial((8, 12), rng=0)) <= rule.stable_dt()
    assert len(rule.times(t_end=10.0)) > 1


def test_the_limit_is_that_of_the_stepper():
    rule = td.morphogenesis.schnakenberg(dx=0.5)
    field = rule.initial((4, 4), rng=0)
    times = [0.0, 1.2 * rule.stable_dt(field)]
    list(td.evolve(rule, field, times, stepper=td.rk4))  # stable 1.39 times further than Euler
    for stepper in (td.euler, td.heun):
        with pytest.warns(td.UnstableStepWarning, match=f"of {stepper.__name__} for"):
            list(td.evolve(rule, field, times, stepper=stepper))
    with pytest.warns(td.UnstableStepWarning, match="of rk4 for"):
        list(td.evolve(rule, field, [0.0, 1.5 * times[1]], stepper=td.rk4))


def test_one_diffusion_constant_can_be_given_by_its_name():
    rule = td.morphogenesis.schnakenberg(Dv=30)
    assert (rule.params["Du"], rule.params["Dv"]) == (1.0, 30)
    with pytest.raises(ValueError, match="diffusion constants must be >= 0"):
        td.morphogenesis.schnakenberg(Du=-1)


@pytest.mark.parametrize("run", [td.simulate, lambda *arguments: list(td.evolve(*arguments))])
def test_the_warning_of_a_large_step_points_at_the_users_line(run):
    rule = td.morphogenesis.schnakenberg(dx=0.5)
    with pytest.warns(td.UnstableStepWarning, match="stable limit") as caught:
        run(rule, rule.initial((4, 4), rng=0), [0.0, 0.01])
    assert caught[0].filename == __file__
