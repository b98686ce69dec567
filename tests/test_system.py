"""Systems given by a cell function: `td.system`."""

import numpy as np
import pytest
from quick import all_in_one
from rules import last

import turingdiff as td
from turingdiff.engine.stencils import biharmonic, laplacian


@td.system(species="u", radius=2, epsilon=0.1, cubic=1.0)
def waves(phi, i, j, t, p, g, out):
    """Swift and Hohenberg's equation.

        u_t = εu - (1 + ∇²)²u - c u³

    Parameters
    ----------
    epsilon
        Distance from onset.
    """
    epsilon, cubic = p
    u = phi[0, i, j]
    out[0, i, j] = epsilon * u - (u + 2 * laplacian(phi, 0, i, j, g) + biharmonic(phi, 0, i, j, g)) - cubic * u * u * u


waves.steady_state = lambda epsilon, cubic: (0.0,)
waves.stiffness = lambda dx, epsilon, cubic: (8 / dx**2) ** 2
waves.presets = {"far": {"epsilon": 0.5, "dx": 0.8, "t_end": 7.0, "boundary": "no_flux"}}


def test_a_call_makes_a_rule_with_all_that_was_set():
    rule = waves("far", cubic=2.0)
    assert rule.name == "waves far"
    assert rule.params == {"epsilon": 0.5, "cubic": 2.0}
    assert (rule.neighbourhood.radius, rule.neighbourhood.dx, rule.neighbourhood.boundary) == (2, 0.8, "no_flux")
    assert rule.times()[-1] == 7.0
    assert waves("far", boundary="periodic", t_end=3.0).times()[-1] == 3.0
    assert waves("far", boundary="periodic").neighbourhood.periodic
    assert repr(waves) == "<system waves(epsilon, cubic) of u>"


def test_the_equations_are_the_indented_lines_of_the_docstring():
    assert waves.equations == "u_t = εu - (1 + ∇²)²u - c u³"


def test_the_rate_is_the_equation():
    rule = waves(dx=0.7)
    field = np.random.default_rng(0).standard_normal((1, 9, 10))
    square = sum(np.roll(field, s, axis) for axis in (1, 2) for s in (-1, 1))
    L = (square - 4 * field) / 0.49
    LL = (sum(np.roll(L, s, axis) for axis in (1, 2) for s in (-1, 1)) - 4 * L) / 0.49
    np.testing.assert_allclose(rule.rate(field), 0.1 * field - (field + 2 * L + LL) - field**3, atol=1e-11)


def test_the_step_follows_from_the_declared_stiffness():
    assert waves().stable_dt() == pytest.approx(2 / 64)
    rule = waves(dx=0.5)
    last(td.evolve(rule, rule.initial((8, 8), rng=0), rule.times(t_end=0.1)))
    with pytest.warns(td.UnstableStepWarning, match="above the stable limit"):
        last(td.evolve(rule, rule.initial((8, 8), rng=0), [0, 0.01]))


def test_an_initial_state_can_be_given_with_the_call_or_a_preset():
    def flat(rule, shape, rng):
        return np.full((1, *shape), 0.3)

    np.testing.assert_array_equal(waves(initial=flat).initial((2, 3), rng=0), np.full((1, 2, 3), 0.3))
    rule = td.morphogenesis.schnakenberg(initial=lambda rule, shape, rng: np.ones((2, *shape)))
    np.testing.assert_array_equal(rule.initial((2, 3), rng=0), np.ones((2, 2, 3)))


def test_maps_work_as_in_reactions():
    ramp = np.linspace(0, 1, 9) * np.ones((9, 1))
    field = np.random.default_rng(0).standard_normal((1, 9, 9))
    found = waves(epsilon=ramp).rate(field)
    for column in (0, 4, 8):
        expected = waves(epsilon=ramp[0, column]).rate(field)
        np.testing.assert_array_equal(found[..., column], expected[..., column])


def test_a_system_without_a_stiffness_says_what_is_missing():
    @td.system(species="u")
    def still(phi, i, j, t, p, g, out):
        out[0, i, j] = 0.0

    with pytest.raises(ValueError, match="does not declare its stiffness"):
        still().times()
    assert len(still().times(dt=0.5, t_end=1.0)) == 3


@all_in_one(
    "call, message",
    [
        (lambda: waves("near"), "no preset 'near' of waves; there are far"),
        (lambda: waves(speed=1), "no parameter 'speed' of waves; there are epsilon, cubic"),
        (lambda: waves(diffusion=1), "no parameter 'diffusion' of waves"),
        (lambda: td.system(species="u", dx=1.0)(waves.cell), r"parameter names \['dx'\] are taken"),
        (lambda: td.system(species="")(waves.cell), "at least one species"),
    ],
)
def test_a_system_refuses(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_misspelt_attribute_is_refused():
    for system, name, right in (
        (waves, "stifness", "stiffness"),
        (td.morphogenesis.schnakenberg, "difusion", "diffusion"),
        (td.morphogenesis.schnakenberg, "steadystate", "steady_state"),
    ):
        with pytest.raises(AttributeError, match=f"no attribute '{name}' of {system.__name__}; did you mean '{right}'"):
            setattr(system, name, None)
        assert not hasattr(system, name)


def test_options_of_a_preset_are_not_dropped():
    @td.reaction(species="u")
    def still(u):
        return (-u,)

    still.presets = {"noisy": {"noise": 0.2, "stencil": td.stencils.isotropic_laplacian}}
    assert still("noisy").noise == 0.2
    assert still("noisy").cell is still(stencil=td.stencils.isotropic_laplacian).cell
    assert still("noisy", noise=0.0).noise == 0.0


@pytest.mark.parametrize("stencil", ["nine", 9])
def test_a_stencil_is_a_function(stencil):
    with pytest.raises(TypeError, match=r"td\.stencils\.laplacian or td\.stencils\.isotropic_laplacian, got"):
        td.morphogenesis.schnakenberg(stencil=stencil)


def test_earlier_names_remain():
    system = td.morphogenesis.schnakenberg
    assert td.Signature is td.ExpectedPattern
    assert td.measure.disagreements is td.measure.check_pattern
    assert system.signatures is system.expected_patterns

    @td.system(species="u")
    def still(phi, i, j, t, p, g, out):
        out[0, i, j] = 0.0

    still.signatures = {"flat": td.Signature((4, 4), 1.0, "uniform")}
    assert still.expected_patterns["flat"].pattern == "uniform"
