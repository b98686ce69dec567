"""Every preset of every system makes the pattern that its name says: see `turingdiff.ExpectedPattern`."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from quick import first_preset, slow_unless

import turingdiff as td

SYSTEMS = {name: getattr(td.morphogenesis, name) for name in td.morphogenesis.__all__}
PRESETS = [(name, preset) for name, system in SYSTEMS.items() for preset in system.presets]
RIVALS = [
    (name, preset, other)
    for name, system in SYSTEMS.items()
    for preset, other in zip(system.presets, [*system.presets][1:] + [*system.presets][:1], strict=True)
    if preset != other
]
every_system = pytest.mark.parametrize("name", SYSTEMS)
# The quick suite runs one preset of each system whose runs are short.
SHORT = set(SYSTEMS) - {"gierer_meinhardt", "lengyel_epstein", "meinhardt_stripes", "schnakenberg"}
presets = pytest.mark.parametrize(
    "name, preset", slow_unless(lambda name, preset: name in SHORT and preset == first_preset(SYSTEMS[name]), PRESETS)
)
rivals = pytest.mark.parametrize(
    "name, preset, other",
    slow_unless(lambda name, preset, other: name in SHORT and preset == first_preset(SYSTEMS[name]), RIVALS),
)

# What linear theory says of the uniform state of the default call on the torus: Gray–Scott needs a finite push,
# Turing's own numbers are marginal, and the uniform mode of Ginzburg and Landau grows by itself.
REGIMES = {
    "activator_substrate": "Turing",
    "bmp_sox9_wnt": "Turing",
    "brusselator": "Turing",
    "cahn_hilliard": "long-wave",
    "complex_ginzburg_landau": "unstable",
    "fitzhugh_nagumo": "Turing",
    "gierer_meinhardt": "Turing",
    "gray_scott": "stable",
    "lengyel_epstein": "Turing",
    "meinhardt_stripes": "long-wave",
    "miyazawa": "Turing",
    "schnakenberg": "Turing",
    "swift_hohenberg": "Turing",
    "turing_1952": "stable",
}
WITHOUT = {"positional_information"}  # its state depends on where a cell stands: a map, no pattern of its own


@cache
def run(name, preset):
    """The run that a pattern is expected of, and its boundary."""
    expected, rule = SYSTEMS[name].expected_patterns[preset], SYSTEMS[name](preset)
    start = rule.initial(expected.shape, rng=expected.seed)
    boundary = "periodic" if rule.neighbourhood.periodic else "no_flux"
    return td.simulate(rule, start, rule.times(t_end=expected.t_end), frames=11), boundary


@every_system
def test_every_preset_has_an_expected_pattern_that_says_something(name):
    assert SYSTEMS[name].presets
    assert set(SYSTEMS[name].expected_patterns) == set(SYSTEMS[name].presets)
    for expected in SYSTEMS[name].expected_patterns.values():
        given = (expected.pattern, expected.moving, expected.components, expected.wavelength)
        assert sum(one is not None for one in given) >= 2


@pytest.mark.compiled
@presets
def test_a_preset_makes_its_expected_pattern(name, preset):
    found, boundary = run(name, preset)
    assert np.isfinite(found.final).all()
    assert td.measure.check_pattern(SYSTEMS[name].expected_patterns[preset], found, boundary=boundary) == []


@pytest.mark.compiled
@rivals
def test_a_preset_does_not_make_the_pattern_of_the_next_one(name, preset, other):
    found, boundary = run(name, preset)
    mine, rival = SYSTEMS[name].expected_patterns[preset], SYSTEMS[name].expected_patterns[other]
    # Counts grow with the field, so they are compared on fields of one size only.
    components = rival.components if rival.shape == mine.shape else None
    rival = replace(rival, shape=mine.shape, t_end=mine.t_end, components=components)
    assert td.measure.check_pattern(rival, found, boundary=boundary) != []


def test_the_systems_without_linear_theory_are_those_that_do_not_organise_themselves():
    assert set(REGIMES) | WITHOUT == set(SYSTEMS)
    for name in WITHOUT:
        with pytest.raises(ValueError, match="no uniform steady state"):
            td.measure.dispersion(SYSTEMS[name](boundary="periodic"))


@pytest.mark.parametrize("name", REGIMES)
def test_linear_theory_calls_the_default_call_by_its_name(name):
    assert td.measure.dispersion(SYSTEMS[name](boundary="periodic")).regime == REGIMES[name]


@pytest.mark.parametrize("name", [name for name, regime in REGIMES.items() if regime in ("Turing", "long-wave")])
def test_the_default_grid_resolves_the_fastest_wave(name):
    rule = SYSTEMS[name](boundary="periodic")
    assert td.measure.dispersion(rule).wavelength >= 8 * rule.neighbourhood.dx
