"""Regimes and their maps against closed forms, and the figures of theory."""

import math
from functools import partial

import numpy as np
import pytest
from quick import all_in_one

import turingdiff as td
from turingdiff.engine.stencils import laplacian
from turingdiff.show import dispersion_figure, turing_space_figure
from turingdiff.show.figures import save_figure

brusselator, gray_scott = td.morphogenesis.brusselator, td.morphogenesis.gray_scott
turing_space, dispersion = td.measure.turing_space, td.measure.dispersion


def expected_regime(a, b, Dv):
    """Hopf at b = 1 + a², a node at (1 + a)²; Turing at D = a²/(sqrt(b) - 1)² (Prigogine & Lefever 1968; Du = 1)."""
    if b > (1 + a) ** 2:
        return "unstable"
    turing = b > 1 and Dv > a * a / (np.sqrt(b) - 1) ** 2
    if b > 1 + a * a:
        return "Turing-Hopf" if turing else "Hopf"
    return "Turing" if turing else "stable"


def test_the_map_of_the_brusselator_has_the_boundaries_of_the_closed_form():
    # No point lies within half a percent of a boundary.
    b, Dv = np.linspace(1.13, 6.49, 14), np.geomspace(0.71, 19.3, 12)
    space = turing_space(brusselator, b=b, Dv=Dv, a=1.5)
    expected = [[expected_regime(1.5, x, y) for x in b] for y in Dv]
    assert {*np.ravel(expected)} == {"stable", "Turing", "Turing-Hopf", "Hopf", "unstable"}
    np.testing.assert_array_equal(space.regime, expected)
    assert (space.names, space.system) == (("b", "Dv"), "brusselator")
    np.testing.assert_array_equal(np.isnan(space.wavelength), space.regime == "stable")
    np.testing.assert_array_equal(space.growth < 0, space.regime == "stable")
    turing = space.regime == "Turing"
    assert np.isfinite(space.wavelength[turing]).all()
    assert np.isinf(space.wavelength[space.regime == "Hopf"]).all()
    one = dispersion(brusselator(a=1.5, b=b[5], Dv=Dv[-1]))
    assert (space.growth[-1, 5], space.wavelength[-1, 5]) == (one.max_growth, one.wavelength)


@pytest.mark.parametrize("share", [1 - 1e-3, 1 + 1e-3])
def test_both_thresholds_of_the_brusselator_are_sharp(share):
    a, b, Dv = 2.0, 5.0, 3.0
    hopf = turing_space(brusselator, b=np.array([b * share]), Dv=np.array([0.5])).regime.item()
    assert hopf == ("Hopf" if share > 1 else "stable")
    critical = a * a / (np.sqrt(Dv) - 1) ** 2  # at b = 3
    turing = turing_space(brusselator, b=np.array([3.0]), Dv=np.array([critical * share])).regime.item()
    assert turing == ("Turing" if share > 1 else "stable")
    critical = a * a / (np.sqrt(5.5) - 1) ** 2
    both = turing_space(brusselator, b=np.array([5.5]), Dv=np.array([critical * share])).regime.item()
    assert both == ("Turing-Hopf" if share > 1 else "Hopf")


def test_the_fed_state_of_gray_scott_is_stable_everywhere():
    space = turing_space(gray_scott, k=np.linspace(0.03, 0.07, 5), F=np.linspace(0.01, 0.1, 4))
    assert (space.regime == "stable").all()
    np.testing.assert_allclose(space.growth, -space.y[:, None] * np.ones((1, 5)), rtol=1e-9)
    assert str(space) == "gray_scott over k x F, 5 x 4 points: stable 100%"


def linear(phi, i, j, t, p, g, out):
    Du, Dv, a, b, c, d = p
    u, v = phi[0, i, j], phi[1, i, j]
    out[0, i, j] = Du * laplacian(phi, 0, i, j, g) + a * u + b * v
    out[1, i, j] = Dv * laplacian(phi, 1, i, j, g) + c * u + d * v


@pytest.mark.parametrize(
    ("D", "J", "regime"),
    [
        ((1, 1), (-1, 0, 0, -2), "stable"),
        ((1, 1), (0, 0, 0, -2), "stable"),  # marginal
        ((1, 1), (0, -2, 2, 0), "stable"),  # a centre, also marginal
        ((1, 1), (1, 0, 0, -2), "unstable"),
        ((1, 1), (0.1, -2, 2, 0.1), "Hopf"),
        ((1, 20), (1, -2, 2, -2), "Turing"),
        ((1, 60), (1.5, -2, 2, -1.4), "Turing-Hopf"),
        ((0, 30), (1.2, -2, 2, -1), "Turing-Hopf"),
        ((-0.1, -0.1), (-0.01, -2, 2, -0.01), "wave"),
    ],
)
def test_every_regime_has_its_word(D, J, regime):
    curve = dispersion(td.Rule(linear, (*D, *J), "uv", equilibrium=(0, 0)))
    assert curve.regime == regime
    assert (curve.unstable_band is None) == (regime == "stable")


def test_a_growing_uniform_mode_that_stands_beside_one_that_swings_is_no_turing_band():
    def three(phi, i, j, t, p, g, out):
        u, v, w = phi[0, i, j], phi[1, i, j], phi[2, i, j]
        out[0, i, j] = laplacian(phi, 0, i, j, g) + 0.2 * u - 2 * v
        out[1, i, j] = laplacian(phi, 1, i, j, g) + 2 * u + 0.2 * v
        out[2, i, j] = p[0] * laplacian(phi, 2, i, j, g) + 0.1 * w

    assert dispersion(td.Rule(three, (1.0,), "uvw", equilibrium=(0, 0, 0))).regime == "Hopf"


def fed(root):
    """Gray & Scott's other state, v = F(1 + s)/(2(F + k)) with s = sqrt(1 - 4(F + k)²/F): F >= 4(F + k)²."""

    @td.reaction(species="uv")
    def blue(u, v, F=0.03, k=0.062):
        uvv = u * v * v
        return F * (1 - u) - uvv, uvv - (F + k) * v

    def state(F, k):
        s = root(1 - 4 * (F + k) ** 2 / F)
        return (1 - s) / 2, F * (1 + s) / (2 * (F + k))

    blue.diffusion, blue.steady_state = (0.2, 0.1), state
    return blue


@pytest.mark.parametrize("root", [np.sqrt, lambda x: x**0.5], ids=["nan", "complex"])
def test_where_no_steady_state_is_real_the_map_says_so(root):
    F, k = np.linspace(0.02, 0.07, 6), np.linspace(0.04, 0.07, 7)
    space = turing_space(fed(root), F=F, k=k)
    exists = 4 * (F + k[:, None]) ** 2 <= F
    np.testing.assert_array_equal(space.regime != "no steady state found", exists)
    np.testing.assert_array_equal(np.isfinite(space.growth), exists)
    assert np.isnan(space.wavelength[~exists]).all()


def test_where_the_guess_fails_the_state_of_the_point_before_serves():
    @td.reaction(species="u")
    def flat(u, r=0.0):
        return (np.tanh(r - u),)

    flat.guess = lambda r: (0.0,)
    r = np.arange(0.5, 21, 1.5)
    with pytest.raises(ValueError, match="no steady state found"):  # far off, the rate hardly depends on u
        flat(r=r[-1]).steady_state()
    space = turing_space(flat, r=r, Du=np.array([1.0]))
    assert (space.regime == "stable").all()
    np.testing.assert_allclose(space.growth, -1, rtol=1e-6)


def test_a_neutral_uniform_mode_is_long_wave():
    curve = dispersion(td.morphogenesis.cahn_hilliard())
    assert curve.regime == "long-wave"
    assert curve.unstable_band[0] == 0
    assert curve.growth(0.0) == pytest.approx(0, abs=1e-12)


def test_a_search_that_finds_no_steady_state_is_a_place_on_the_map():
    @td.reaction(species="u")
    def fold(u, r=0.0):
        return (u * u - r,)

    def from_a_guess(r, D):
        rule = fold(r=r, Du=D)
        return td.Rule(rule.cell, rule.params, rule.channels, rule.neighbourhood, guess=(1.3,))

    space = turing_space(from_a_guess, r=np.array([-1.0, 4.0]), D=np.array([1.0]))
    assert space.regime.tolist() == [["no steady state found", "unstable"]]


def test_lists_are_axes_unless_there_are_two_arrays():
    x, y = np.array([2.5, 3.5]), np.array([4.0, 16.0])
    plain = turing_space(brusselator, b=x, Dv=y)
    np.testing.assert_array_equal(turing_space(brusselator, b=[2.5, 3.5], Dv=y).growth, plain.growth)
    np.testing.assert_array_equal(turing_space(brusselator, b=[2.5, 3.5], Dv=[4, 16]).growth, plain.growth)
    assert turing_space(brusselator, b=x, a=y, diffusion=[2.0, 8.0]).names == ("b", "a")


def test_a_partial_or_any_function_makes_the_rules():
    x, y = np.array([2.5, 3.5]), np.array([4.0, 16.0])
    plain = turing_space(brusselator, b=x, Dv=y, dx=1.0, diffusion=(2.0, 8.0))
    part = turing_space(partial(brusselator, dx=1.0, diffusion=(2.0, 8.0)), b=x, Dv=y)
    mine = turing_space(lambda b, D: brusselator(b=b, dx=1.0, diffusion=(2.0, D)), b=x, D=y)
    np.testing.assert_array_equal(plain.growth, part.growth)
    np.testing.assert_array_equal(plain.growth, mine.growth)
    assert part.system == "brusselator"


@all_in_one(
    ("parameters", "message"),
    [
        ({"b": np.ones(3)}, "exactly two.*b: \\(3,\\)"),
        ({}, "none"),
        ({"a": np.ones(2), "b": np.ones(2), "Dv": np.ones(2)}, "exactly two"),
        ({"b": np.ones((2, 2)), "Dv": np.ones(2)}, "one-dimensional"),
        ({"b": [2.0, 3.0], "Dv": [6.0, "9"]}, "finite numbers"),
        ({"b": np.ones(2), "Dv": np.array([])}, "finite numbers"),
        ({"b": np.ones(2), "Dv": np.array([1, np.inf])}, "finite numbers"),
        ({"b": np.ones(2), "Dv": np.array(["1", "2"])}, "finite numbers"),
        ({"b": np.ones(2), "q": np.ones(2)}, "no parameter 'q' of brusselator"),
        ({"b": np.ones(2), "Dv": np.array([1.0, -1.0])}, "must be >= 0"),
        ({"b": np.ones(2), "Dv": np.ones(2), "boundary": "no_flux"}, "torus"),
    ],
)
def test_bad_input_of_a_map(parameters, message):
    with pytest.raises(ValueError, match=message):
        turing_space(brusselator, **parameters)


def test_what_fails_at_a_point_says_where():
    with pytest.raises(ValueError, match="math domain error") as caught:
        turing_space(fed(math.sqrt), F=np.array([0.05, 0.02]), k=np.array([0.06]))
    assert caught.value.__notes__ == ["at F = 0.02, k = 0.06"]


# --- figures


def texts(figure):
    from matplotlib.text import Text

    return {text.get_text() for text in figure.findobj(Text)}


def test_the_figure_of_a_dispersion_relation_shows_the_band_and_the_spectrum(tmp_path):
    rule = brusselator()
    curve = dispersion(rule)
    field = rule.initial((24, 24), rng=0)
    spectrum = td.measure.spectrum(field[0], rule.neighbourhood.dx)
    figure, again = (dispersion_figure(curve, spectrum) for _ in range(2))
    top, bottom = figure.axes[0], figure.axes[1]
    assert {"brusselator: Turing", "wavelength 7.361"} <= texts(figure)
    np.testing.assert_array_equal(top.lines[1].get_ydata(), curve.growth(top.lines[1].get_xdata()))
    assert top.patches[0].get_extents().x0 == pytest.approx(top.transData.transform((curve.unstable_band[0], 0))[0])
    assert bottom.lines[0].get_ydata().max() == 1
    assert save_figure(figure, tmp_path / "a.png").read_bytes() == save_figure(again, tmp_path / "b.png").read_bytes()


@pytest.mark.parametrize(
    ("parameters", "words", "axes"),
    [
        ({"b": 1.5, "Dv": 1.0}, {"brusselator: stable", "uniform mode", "frequency [radians / time], dashed"}, 2),
        ({"b": 6.0, "Dv": 12.0}, {"brusselator: Turing-Hopf", "frequency [radians / time], dashed"}, 2),
        ({"b": 9.5, "Dv": 1.0}, {"brusselator: unstable"}, 1),
    ],
)
def test_a_frequency_is_drawn_where_there_is_one(parameters, words, axes, tmp_path):
    figure = dispersion_figure(dispersion(brusselator(**parameters)))
    assert words <= texts(figure)
    save_figure(figure, tmp_path / "curve.png")
    assert len(figure.axes) == axes


def test_the_figure_of_a_map_names_the_regimes_that_occur(tmp_path):
    space = turing_space(brusselator, b=np.linspace(2, 5.6, 7), Dv=np.linspace(5, 15, 6))
    figure = turing_space_figure(space)
    assert {"stable", "Turing", "Turing-Hopf", "wavelength", "b", "Dv"} <= texts(figure)
    assert "unstable" not in texts(figure)
    assert save_figure(figure, tmp_path / "map.png").stat().st_size > 5000


def test_a_map_without_waves_or_of_one_point_can_be_drawn(tmp_path):
    for space in (
        turing_space(gray_scott, k=np.linspace(0.03, 0.07, 3), F=np.linspace(0.01, 0.1, 3)),
        turing_space(brusselator, b=np.array([3.0]), Dv=np.array([9.0])),
    ):
        save_figure(turing_space_figure(space), tmp_path / "map.png")
