"""Rules travel to other processes."""

import copy
import pickle
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from rules import decay_rule, heat_rule, last

import turingdiff as td
from turingdiff.engine.pickling import remember_call
from turingdiff.stencils import isotropic_laplacian, laplacian

SYSTEMS = [getattr(td.morphogenesis, name) for name in td.morphogenesis.__all__]


@td.reaction(species="uv")
def mine(u, v, a=0.1, b=0.9):
    return a - u + u * u * v, b - u * u * v


@td.system(species="u", D=1.0)
def spreading(phi, i, j, t, p, g, out):
    out[0, i, j] = p[0] * laplacian(phi, 0, i, j, g)


def again(rule):
    return pickle.loads(pickle.dumps(rule))


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.__name__)
def test_every_preset_of_every_system_comes_back(system):
    for preset in (None, *system.presets):
        rule, other = system(preset), again(system(preset))
        assert other.cell is rule.cell  # nothing is compiled again
        assert repr(other) == repr(rule)
        assert (other.name, other.times(), other.shown) == (rule.name, rule.times(), rule.shown)
        start = rule.initial((6, 7), rng=0)
        assert other.initial((6, 7), rng=0).tobytes() == start.tobytes()
        assert other.stable_dt(start) == rule.stable_dt(start)
    assert again(system) is system


@pytest.mark.parametrize(
    "rule",
    [
        mine(a=np.full((6, 7), 0.2), boundary="no_flux", noise=0.1, stencil=isotropic_laplacian),
        replace(mine(b=1.1), noise=(0.1, 0.2)),
        spreading(D=2.0).on_torus(),
        heat_rule(dx=0.5, boundary=td.fixed(1.0)),
    ],
    ids=["reaction", "replaced", "system", "bare"],
)
def test_a_rule_of_your_own_comes_back_with_the_same_bytes(rule):
    field = np.random.default_rng(0).uniform(0.2, 0.8, (len(rule.channels), 6, 7))
    options = {"stepper": td.euler_maruyama, "rng": 1} if rule.has_noise else {}
    runs = [last(td.evolve(one, field, [0, 0.01, 0.02], **options)) for one in (rule, again(rule))]
    assert runs[0].tobytes() == runs[1].tobytes()


def test_a_rule_comes_back_in_another_process():
    script = "import pickle, sys; print(pickle.loads(bytes.fromhex(sys.argv[1])))"
    rule = td.morphogenesis.gray_scott("rho", noise=0.1)
    done = subprocess.run([sys.executable, "-c", script, pickle.dumps(rule).hex()], capture_output=True, text=True)
    assert done.stdout.strip() == repr(rule)


def test_what_cannot_be_imported_is_named():
    @td.reaction(species="u")
    def inner(u):
        return (-u,)

    for rule, part in (
        (inner(), "inner cannot be pickled because of its cell"),
        (
            decay_rule(start=lambda rule, shape, rng: np.ones((1, *shape))),
            "decay cannot be pickled because of its start",
        ),
        (replace(mine(), noise=lambda t: t), "mine cannot be pickled because of its noise"),
    ):
        with pytest.raises(pickle.PicklingError, match=part):
            pickle.dumps(rule)
    with pytest.raises(pickle.PicklingError, match="not inner in the module test_pickling"):
        pickle.dumps(inner)


def two_decays(rate):
    return remember_call(decay_rule(rate, stiffness=lambda rule, field: rate), two_decays, rate)


def test_a_rule_may_be_pickled_as_the_call_that_made_it():
    assert again(two_decays(3.0)).stable_dt() == 2 / 3
    with pytest.raises(pickle.PicklingError, match="because of its stiffness"):
        pickle.dumps(replace(two_decays(3.0), noise=0.1))  # another rule than the call makes


def test_a_deep_copy_has_maps_of_its_own():
    rule = decay_rule(np.ones((2, 3)), start=lambda rule, shape, rng: np.ones((1, *shape)))
    other = copy.deepcopy(rule)
    other.params["rate"][:] = 2
    assert rule.params["rate"].max() == 1
    assert other.start is rule.start
