"""Transport in flux form: known answers, and what it keeps."""

import numpy as np
import pytest
from rules import last

import turingdiff as td
from turingdiff.engine import transport


def rule_of(cell_transport, faces, neighbourhood):
    return td.Rule(CELLS[cell_transport], {"faces": faces}, ["u"], neighbourhood)


def diffuse(phi, i, j, t, p, g, out):
    out[0, i, j] = transport.div_grad(phi, 0, i, j, p[0], g)


def spread(phi, i, j, t, p, g, out):
    out[0, i, j] = transport.div_tensor_grad(phi, 0, i, j, p[0], g)


def carry(phi, i, j, t, p, g, out):
    out[0, i, j] = transport.upwind(phi, 0, i, j, p[0], g)


CELLS = {"div_grad": diffuse, "div_tensor_grad": spread, "upwind": carry}
SHAPE = (12, 13)
BLOB = td.shapes.ellipse(SHAPE, (0.45, 0.4))


def numbers(shape=SHAPE, seed=0):
    return np.random.default_rng(seed).uniform(0.5, 1.5, shape)


@pytest.mark.parametrize("mask", [None, BLOB], ids=["field", "mask"])
@pytest.mark.parametrize("boundary", ["no_flux", "periodic"])
@pytest.mark.parametrize("kind", CELLS)
def test_what_leaves_a_cell_enters_its_neighbour(kind, boundary, mask):
    around = td.Neighbourhood(1, boundary, 0.5, mask)
    jump = np.where(np.arange(SHAPE[1]) < 6, 1.0, 1e-3) * numbers()
    faces = {
        "div_grad": lambda: transport.diffusion_faces(jump, around),
        "div_tensor_grad": lambda: transport.tensor_faces(jump, 0.2 * jump, numbers(seed=1), around),
        "upwind": lambda: transport.flow_faces(numbers(seed=2) - 1, numbers(seed=3) - 1, around),
    }[kind]()
    rate = rule_of(kind, faces, around).rate(numbers()[None])[0]
    assert abs(rate.sum()) < 1e-11 * np.abs(rate).sum()
    if mask is not None:
        assert not rate[~mask].any()


def test_a_uniform_tensor_is_the_laplacian():
    around = td.Neighbourhood(1, "periodic", 0.5)
    field = numbers()[None]
    laplacian = sum(np.roll(field, s, a) for a in (1, 2) for s in (1, -1)) - 4 * field
    for faces, kind in (
        (transport.diffusion_faces(np.full(SHAPE, 2.0), around), "div_grad"),
        (transport.tensor_faces(np.full(SHAPE, 2.0), 2.0, 0.7, around), "div_tensor_grad"),
    ):
        rate = rule_of(kind, faces, around).rate(field)
        np.testing.assert_allclose(rate, 2 * laplacian / 0.25, rtol=0, atol=1e-12)


def test_the_steady_profile_of_two_materials_has_the_slopes_of_their_resistances():
    """In series, D du/dx is the same throughout: the drop over each half is in proportion to 1/D."""
    D = np.full((1, 20), 1.0)
    D[0, 10:] = 0.25
    around = td.Neighbourhood(1, ("no_flux", "no_flux", td.fixed(0.0), td.fixed(1.0)), 0.1)
    rule = rule_of("div_grad", transport.diffusion_faces(D, around), around)
    final = last(td.evolve(rule, np.zeros((1, 1, 20)), td.uniform(0, 60, 0.004)))[0, 0]
    resistance = np.concatenate([[0.5], np.full(9, 1.0), [2.5], np.full(9, 4.0), [2.0]])
    np.testing.assert_allclose(final, (np.cumsum(resistance) / resistance.sum())[:-1], rtol=0, atol=1e-9)


def test_diffusion_along_a_fibre_has_the_second_moments_of_its_tensor():
    n, along, across, angle = 65, 1.0, 0.1, 0.6
    around = td.Neighbourhood(1, "periodic")
    faces = transport.tensor_faces(np.full((n, n), along), across, angle, around)
    field = np.zeros((1, n, n))
    field[0, n // 2, n // 2] = 1.0
    final = last(td.evolve(rule_of("div_tensor_grad", faces, around), field, td.uniform(0, 20, 0.1)))[0]
    y, x = np.mgrid[:n, :n] - n // 2
    moments = np.array([[(final * a * b).sum() for b in (x, y)] for a in (x, y)])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    np.testing.assert_allclose(moments, 2 * 20 * turn @ np.diag([along, across]) @ turn.T, rtol=1e-6, atol=1e-6)


def test_a_flow_carries_a_bump_at_its_speed():
    around = td.Neighbourhood(1, "periodic")
    faces = transport.flow_faces(np.full((4, 64), 0.0), 0.5, around)
    bump = np.exp(-(((np.arange(64) - 20) / 5) ** 2))
    field = np.broadcast_to(bump, (1, 4, 64)).copy()
    final = last(td.evolve(rule_of("upwind", faces, around), field, td.uniform(0, 40, 0.25)))[0, 0]
    assert final.sum() == pytest.approx(bump.sum(), rel=1e-12)
    assert (final @ np.arange(64)) / final.sum() == pytest.approx(40, abs=0.01)
    assert final.min() >= 0


def test_nothing_flows_through_closed_sides():
    around = td.Neighbourhood(1, "no_flux")
    rule = rule_of("upwind", transport.flow_faces(np.zeros((3, 8)), 1.0, around), around)
    final = last(td.evolve(rule, np.ones((1, 3, 8)), td.uniform(0, 60, 0.25)))
    np.testing.assert_allclose(final[0, :, -1], 8.0, rtol=1e-6)  # all of it piles up at the wall


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda a: transport.diffusion_faces(-numbers(), a), "D must be >= 0"),
        (lambda a: transport.diffusion_faces(np.ones(3), a), "map"),
        (lambda a: transport.diffusion_faces(np.full(SHAPE, np.nan), a), "finite"),
        (lambda a: transport.tensor_faces(1.0, 2.0, 0.0, a), "map"),
        (lambda a: transport.flow_faces(np.full(SHAPE, np.inf), 0.0, a), "finite"),
        (lambda a: transport.diffusion_faces(np.ones((3, 3)), td.Neighbourhood(1, mask=BLOB)), "expected the same"),
    ],
)
def test_bad_maps_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make(td.Neighbourhood(1))


# --- as options of a system


def test_a_system_takes_diffusion_in_flux_form_fibres_and_a_flow():
    D = np.where(np.arange(16) < 8, 1.0, 0.2) * np.ones((12, 1))
    rule = td.morphogenesis.schnakenberg(diffusion=(td.conserving(D), 10.0), boundary="no_flux")
    around, field = rule.neighbourhood, rule.initial(D.shape, rng=0)
    expected = rule_of("div_grad", transport.diffusion_faces(D, around), around).rate(field[:1])[0]
    u, v = field
    np.testing.assert_allclose(rule.rate(field)[0], expected + 0.1 - u + u * u * v, rtol=0, atol=1e-12)
    turned = td.morphogenesis.schnakenberg(Du=td.fibres(1.0, 0.2, np.full(D.shape, 0.5)), boundary="no_flux")
    assert turned.rate(field)[0].std() > 0
    still = td.morphogenesis.schnakenberg(boundary="no_flux")
    carried = td.morphogenesis.schnakenberg(flow=(np.zeros(D.shape), 0.3), boundary="no_flux")
    moved = rule_of("upwind", transport.flow_faces(np.zeros(D.shape), 0.3, around), around)
    expected = still.rate(field) + np.stack([moved.rate(field[c : c + 1])[0] for c in (0, 1)])
    np.testing.assert_allclose(carried.rate(field), expected, rtol=0, atol=1e-12)
    assert carried.stable_dt() < still.stable_dt(), "a flow shortens the step"
    with pytest.raises(ValueError, match="but the field is"):
        carried.rate(np.ones((2, 5, 5)))


def test_a_uniform_diffusion_in_flux_form_is_the_plain_one():
    field = td.morphogenesis.schnakenberg().initial((9, 8), rng=0)
    plain_rate = td.morphogenesis.schnakenberg(diffusion=(1.0, 10.0)).rate(field)
    flux_form = td.morphogenesis.schnakenberg(diffusion=(td.conserving(np.ones((9, 8))), 10.0)).rate(field)
    np.testing.assert_allclose(flux_form, plain_rate, rtol=0, atol=1e-12)
