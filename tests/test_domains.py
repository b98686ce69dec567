"""Domains with shape: masks, held cells, fluxes and profiles at the sides."""

import numpy as np
import plain
import pytest
from rules import heat, heat_rule, isotropic_heat, last
from scipy.special import jnp_zeros

import turingdiff as td
from turingdiff.engine import flow

SHAPE = (13, 14)
RING = td.shapes.annulus(SHAPE, 0.15, 0.48)
TWO_PIECES = td.shapes.ellipse(SHAPE, (0.3, 0.15), (0.5, 0.25)) | td.shapes.ellipse(SHAPE, (0.2, 0.2), (0.4, 0.8))


def masked(mask, cell=heat, boundary="no_flux", radius=1, **options):
    return td.Rule(cell, {"D": 1.0}, ["u"], td.Neighbourhood(radius, boundary, mask=mask), **options)


def numbers(channels=1, shape=SHAPE, seed=0):
    return np.random.default_rng(seed).uniform(0.5, 1.5, (channels, *shape))


# --- the contract, for every system


# One for each kind of cell function; the others differ in their kinetics only, and run with the slow tests.
QUICK = ("bmp_sox9_wnt", "cahn_hilliard", "positional_information", "schnakenberg", "swift_hohenberg")
SYSTEMS = [pytest.param(name, marks=[] if name in QUICK else [pytest.mark.slow]) for name in td.morphogenesis.__all__]


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_system_on_a_mask_keeps_the_contract(name, threads, monkeypatch):
    system = getattr(td.morphogenesis, name)
    free, whole = system(boundary="no_flux"), system(boundary="no_flux", mask=np.ones(SHAPE, bool))
    field = numbers(len(free.channels))
    assert whole.rate(field).tobytes() == free.rate(field).tobytes(), "an all-true mask is no mask"
    rule = system(boundary="no_flux", mask=RING)
    rate = rule.rate(field)
    np.testing.assert_array_equal(rate, plain.rate(rule, field))
    outside = field.copy()
    outside[:, ~RING] = 1e30  # never read
    assert rule.rate(outside).tobytes() == rate.tobytes()
    assert not rate[:, ~RING].any()
    monkeypatch.setattr(flow, "CELLS_FOR_THREADS", 1)
    assert rule.rate(field).tobytes() == rate.tobytes(), "whatever the number of threads"


@pytest.mark.parametrize("stepper", [td.euler, td.rk4, td.rkc, td.adaptive])
def test_cells_outside_keep_their_bytes_whatever_the_stepper(stepper):
    rule = td.morphogenesis.schnakenberg(boundary="no_flux", mask=TWO_PIECES)
    field = rule.initial(rng=1)
    final = last(td.evolve(rule, field, td.uniform(0, 0.02, 0.005), stepper=stepper))
    assert (final[:, TWO_PIECES] != field[:, TWO_PIECES]).all()
    assert final[:, ~TWO_PIECES].tobytes() == field[:, ~TWO_PIECES].tobytes()


def test_noise_stays_inside():
    rule = td.morphogenesis.schnakenberg(mask=RING, noise=0.1)
    field = rule.initial(rng=1)
    final = last(td.evolve(rule, field, td.uniform(0, 0.02, 0.005), stepper=td.euler_maruyama, rng=2))
    assert final[:, ~RING].tobytes() == field[:, ~RING].tobytes()


@pytest.mark.parametrize("name", ["schnakenberg", "cahn_hilliard", "swift_hohenberg"])
def test_a_mask_keeps_its_mirror_symmetry(name):
    mask = RING & RING[:, ::-1] & RING[::-1]
    rule = getattr(td.morphogenesis, name)(boundary="no_flux", mask=mask)
    field = numbers(len(rule.channels))
    field = field + field[:, :, ::-1]
    field = field + field[:, ::-1]
    final = last(td.evolve(rule, field / 4, td.uniform(0, 0.01, 0.001)))
    inside = np.where(mask, final, 0)
    np.testing.assert_array_equal(inside, inside[:, :, ::-1])
    np.testing.assert_array_equal(inside, inside[:, ::-1])


# --- known answers


@pytest.mark.parametrize("cell", [heat, isotropic_heat])
@pytest.mark.parametrize("mask", [RING, TWO_PIECES], ids=["hole", "pieces"])
def test_nothing_flows_across_a_mask(cell, mask):
    rule, field = masked(mask, cell), numbers()
    final = last(td.evolve(rule, field, td.uniform(0, 20, 0.1)))
    assert final[0, mask].sum() == pytest.approx(field[0, mask].sum(), rel=1e-13)


def test_separate_pieces_come_to_rest_at_means_of_their_own():
    rule, field = masked(TWO_PIECES), numbers()
    left = TWO_PIECES & (np.arange(SHAPE[1]) < SHAPE[1] // 2)
    final = last(td.evolve(rule, field, td.uniform(0, 400, 0.2)))
    np.testing.assert_allclose(final[0, left], field[0, left].mean(), rtol=1e-6)
    right = TWO_PIECES & ~left
    np.testing.assert_allclose(final[0, right], field[0, right].mean(), rtol=1e-6)


def test_cahn_hilliard_keeps_its_mean_on_a_mask():
    rule = td.morphogenesis.cahn_hilliard(boundary="no_flux", mask=RING)
    field = rule.initial(rng=0)
    final = last(td.evolve(rule, field, rule.times(t_end=20)))
    assert abs(final[0, RING].sum() - field[0, RING].sum()) < 1e-12
    assert np.ptp(final[0, RING]) > 0.1


@pytest.mark.parametrize("name", ["swift_hohenberg", "schnakenberg"])
def test_a_rectangle_cut_out_by_a_mask_is_the_rectangle(name):
    mask = np.zeros((12, 15), bool)
    mask[3:10, 2:11] = True
    system = getattr(td.morphogenesis, name)
    cut, alone = system(boundary="periodic", mask=mask), system(boundary="no_flux")
    field = numbers(len(alone.channels), mask.shape)
    inner = np.ascontiguousarray(field[:, 3:10, 2:11])
    np.testing.assert_allclose(cut.rate(field)[:, 3:10, 2:11], alone.rate(inner), rtol=0, atol=1e-12)


def test_the_biharmonic_operator_on_a_mask_is_the_laplacian_twice():
    def laplacian_of(values, mask):
        total = np.zeros_like(values)
        for axis in (0, 1):
            for step in (1, -1):
                there, inside = np.roll(values, step, axis), np.roll(mask, step, axis)
                total += np.where(inside, there - values, 0)
        return np.where(mask, total, 0)

    def cell(phi, i, j, t, p, g, out):
        out[0, i, j] = td.stencils.biharmonic(phi, 0, i, j, g)

    mask = np.pad(np.random.default_rng(5).random((11, 12)) < 0.7, 2)
    rule, field = td.Rule(cell, (), ["u"], td.Neighbourhood(2, mask=mask)), numbers(shape=mask.shape)
    expected = laplacian_of(laplacian_of(np.where(mask, field[0], 0), mask), mask)
    np.testing.assert_allclose(rule.rate(field)[0], expected, rtol=0, atol=1e-12)


def test_the_first_mode_of_a_disc_decays_at_the_rate_of_its_bessel_function():
    """j'_11² D/R²; the edge of a mask is a staircase, so the error falls with the first power of the spacing."""
    errors = []
    for radius in (8, 16, 32):
        n = 2 * radius + 5
        mask = td.shapes.ellipse((n, n), (radius / n, radius / n))
        rule = masked(mask)
        y = np.arange(n)[:, None] - (n - 1) / 2
        field = np.where(mask, y / radius, 0)[None] + np.zeros((1, n, n))
        times = td.uniform(0, 0.4 * radius**2, 0.2)
        run = td.simulate(rule, field, times, frames=3)
        middle, end = (float((frame[0] * y)[mask].sum()) for frame in run.frames[1:])
        rate = np.log(middle / end) / (run.times[2] - run.times[1])
        effective = np.sqrt(mask.sum() / np.pi)
        errors.append(abs(rate / (jnp_zeros(1, 1)[0] / effective) ** 2 - 1))
    assert errors[0] < 0.06
    assert errors[1] < 0.55 * errors[0]
    assert errors[2] < 0.6 * errors[1]


def test_a_flux_at_a_side_is_a_slope():
    rule = heat_rule(boundary=("no_flux", "no_flux", td.fixed(0.0), td.flux(0.3)), dx=0.5)
    line = np.zeros((1, 1, 20))
    final = last(td.evolve(rule, line, td.uniform(0, 600, 0.1)))
    np.testing.assert_allclose(final[0, 0], 0.3 * 0.5 * (np.arange(20) + 0.5), rtol=1e-6)


def test_an_influx_adds_what_enters():
    rule = heat_rule(D=2.0, boundary=("no_flux", "no_flux", td.flux(0.3), "no_flux"), dx=0.5)
    field = numbers(shape=(4, 9))
    final = last(td.evolve(rule, field, td.uniform(0, 3, 0.01)))
    gained = (final - field).sum() * 0.5**2
    assert gained == pytest.approx(2.0 * 0.3 * 3 * 4 * 0.5, rel=1e-10)  # D times slope, for the time, along the side


def test_a_profile_at_a_side_is_held_cell_by_cell():
    profile = (np.arange(7) + 0.5) / 7
    sides = (td.fixed(0.0), td.fixed(1.0), td.fixed(profile[None]), td.fixed(profile[None]))
    final = last(td.evolve(heat_rule(boundary=sides), np.zeros((1, 7, 9)), td.uniform(0, 400, 0.2)))
    np.testing.assert_allclose(final[0], np.broadcast_to(profile[:, None], (7, 9)), rtol=0, atol=1e-12)


# --- held cells


def test_held_cells_keep_their_values_and_are_seen():
    cells = np.zeros((1, 11), bool)
    cells[0, [0, 10]] = True
    values = np.zeros((1, 1, 11))
    values[0, 0, 10] = 1.0
    rule = masked(None, hold=(cells, values))
    final = last(td.evolve(rule, np.full((1, 1, 11), 0.3), td.uniform(0, 500, 0.2)))
    np.testing.assert_allclose(final[0, 0], np.linspace(0, 1, 11), atol=1e-9)


def test_a_system_takes_held_cells():
    organiser = td.shapes.ellipse((16, 16), (0.1, 0.1))
    rule = td.morphogenesis.gray_scott(hold=(organiser, (0.5, 0.25)))
    field = rule.initial((16, 16), rng=0)
    assert (field[0, organiser] == 0.5).all()
    assert (field[1, organiser] == 0.25).all()
    start = np.stack([np.ones((16, 16)), np.zeros((16, 16))])
    final = last(td.evolve(rule, start, td.uniform(0, 20, 1.0)))
    assert (final[0, organiser] == 0.5).all()
    assert (final[1, organiser] == 0.25).all()
    assert final[1, ~organiser].max() > 0.01, "it is seen by its neighbours"


# --- shapes and pictures


def test_a_picture_is_a_mask_on_its_dark_places(tmp_path):
    from PIL import Image

    drawing = np.full((10, 12), 255, np.uint8)
    drawing[2:8, 3:9] = 0
    Image.fromarray(drawing).save(tmp_path / "square.png")
    rule = td.morphogenesis.schnakenberg(mask=tmp_path / "square.png")
    np.testing.assert_array_equal(rule.neighbourhood.mask, drawing == 0)
    assert rule.initial().shape == (2, 10, 12)
    assert td.data.read_mask(tmp_path / "square.png", (20, 24)).sum() == 4 * 36


def test_shapes_have_the_areas_that_they_should():
    shape = (200, 240)
    assert td.shapes.ellipse(shape, (0.4, 0.2)).sum() == pytest.approx(np.pi * 0.08 * 200**2, rel=0.01)
    turned = td.shapes.ellipse(shape, (0.4, 0.2), angle=np.pi / 2)
    np.testing.assert_array_equal(turned, td.shapes.ellipse(shape, (0.2, 0.4)))
    assert td.shapes.annulus(shape, 0.2, 0.4).sum() == pytest.approx(np.pi * 0.12 * 200**2, rel=0.01)
    triangle = td.shapes.polygon(shape, [(0.1, 0.1), (0.9, 0.1), (0.9, 0.9)])
    assert triangle.sum() == pytest.approx(0.32 * shape[0] * shape[1], rel=0.02)
    paddle = td.shapes.paddle(shape)
    np.testing.assert_array_equal(paddle, paddle[:, ::-1])
    widths = paddle.sum(axis=1)
    assert widths[60] > 2 * widths[-1] > 0
    assert widths[0] == 0
    words = td.shapes.text(shape, "TURING")
    assert 0.05 < words.mean() < 0.6
    assert not words[:5].any()


# --- bad input


@pytest.mark.parametrize(
    "make, error, message",
    [
        (lambda: masked(np.zeros((4, 4), bool)), ValueError, "at least one cell"),
        (lambda: masked(np.ones(4, bool)), ValueError, r"shape \(H, W\)"),
        (lambda: masked(np.full((4, 4), 0.5)), TypeError, "boolean"),
        (lambda: masked(np.ones((4, 4), bool)).rate(numbers()), ValueError, "the field is"),
        (lambda: masked(None, hold=(np.ones((3, 3), bool), (1.0, 2.0))), ValueError, "hold has values"),
        (lambda: masked(None, hold=np.ones((3, 3), bool)), TypeError, "hold is"),
        (lambda: td.flux(np.nan), ValueError, "finite"),
        (lambda: masked(None).initial(), ValueError, "no initial state"),
        (lambda: td.morphogenesis.schnakenberg().initial(), ValueError, "shape"),
        (lambda: td.morphogenesis.schnakenberg(mask="nowhere.png"), FileNotFoundError, "nowhere"),
        (lambda: heat_rule(boundary=td.fixed(np.ones((1, 3)))).rate(numbers()), ValueError, "side of"),
        (lambda: td.shapes.annulus((9, 9), 0.4, 0.3), ValueError, "inner < outer"),
        (lambda: td.shapes.polygon((9, 9), [(0, 0), (1, 1)]), ValueError, "three corners"),
        (lambda: td.shapes.text((9, 9), " "), ValueError, "words"),
    ],
)
def test_what_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


# --- growth


def test_dilution_alone_keeps_the_total():
    rule = heat_rule(boundary="no_flux", growth=td.grow.uniform(0.01))
    field = numbers(shape=(8, 9))
    final = last(td.evolve(rule, field, td.uniform(0, 50, 0.01), stepper=td.rk4))
    assert final.sum() * np.exp(2 * 0.01 * 50) == pytest.approx(field.sum(), rel=1e-12)


def test_a_wave_on_a_stretching_line_decays_by_the_integral_of_its_rate():
    """ln amplitude = -D k² ∫ exp(-2 rate t) dt - rate t, k² that of the grid."""
    growth, end, n = 0.02, 30.0, 32
    rule = heat_rule(D=0.5, boundary="periodic", growth=td.grow.uniform(growth))
    wave = np.cos(2 * np.pi * 3 * np.arange(n) / n)
    final = last(td.evolve(rule, wave[None, None], td.uniform(0, end, 0.02), stepper=td.rk4))
    k2 = 2 - 2 * np.cos(2 * np.pi * 3 / n)
    expected = -0.5 * k2 * (1 - np.exp(-2 * growth * end)) / (2 * growth) - growth * end
    assert np.log(final[0, 0] @ wave / (wave @ wave)) == pytest.approx(expected, rel=1e-6)


def test_a_refined_field_has_the_same_amounts():
    field = numbers(shape=(3, 4))
    fine = td.grow.refined(field)
    assert fine.shape == (1, 6, 8)
    assert fine.sum() / 4 == pytest.approx(field.sum(), rel=1e-14)
    assert td.grow.refined(field[:, :1]).shape == (1, 1, 8)


def test_layers_come_when_they_are_due_and_begin_as_the_mean_of_their_neighbours():
    start = np.zeros((5, 5), bool)
    start[2, 2] = True
    rule = masked(start, growth=td.grow.edge(1.0))
    run = td.simulate(rule, np.full((1, 5, 5), 0.7) * start, td.uniform(0, 2.5, 0.1), every=5)
    assert run.mask.sum(axis=(1, 2)).tolist() == [1, 1, 5, 5, 13, 13]
    np.testing.assert_array_equal(run.frames[-1, 0][run.mask[-1]], 0.7)
    assert not run.frames[-1, 0][~run.mask[-1]].any()
    np.testing.assert_array_equal(run.mask_at(0), start)


def test_growth_stays_within_and_at_the_tip_or_where_a_species_is_high():
    start = np.zeros((9, 9), bool)
    start[6:, 3:6] = True
    envelope = np.zeros((9, 9), bool)
    envelope[2:, 3:6] = True
    up = td.simulate(
        masked(start, growth=td.grow.tip(0.1, reach=1, within=envelope)), start[None] * 1.0, td.uniform(0, 1, 0.05)
    )
    assert (up.mask_at(-1) == envelope).all()
    field = start[None] * 1.0
    field[0, 6:, 5] = 3.0
    high = td.simulate(masked(start, growth=td.grow.species(0.05, 0, above=2.5)), field, td.uniform(0, 0.05, 0.05))
    assert high.mask_at(-1)[6:, 6].all()
    assert not high.mask_at(-1)[:, 2].any()


def test_a_run_that_grew_is_saved_with_its_masks(tmp_path):
    rule = masked(RING, growth=td.grow.edge(0.5))
    run = td.simulate(rule, numbers(), td.uniform(0, 1, 0.1), frames=3)
    again = td.load_run(run.save(tmp_path / "run.npz"))
    np.testing.assert_array_equal(again.mask, run.mask)
    td.animate(again, tmp_path / "run.gif")


@pytest.mark.slow
def test_stripes_split_on_an_exponentially_growing_line():
    """Crampin, Gaffney & Maini (1999): the number of peaks doubles, by splitting."""
    cells, length = 256, 1.0
    rule = td.morphogenesis.schnakenberg(
        diffusion=(0.01, 1.0), dx=length / cells, boundary="no_flux", growth=td.grow.uniform(0.01)
    )
    run = td.simulate(rule, rule.initial((cells,), rng=0), td.uniform(0, 280, 0.5), stepper=td.rkc, frames=141)
    peaks = [count_peaks(frame[0, 0]) for frame in run.frames]
    steady = [count for count, before in zip(peaks[1:], peaks[:-1], strict=True) if count == before and count > 0]
    assert steady == sorted(steady), "none is lost"
    assert len(set(steady)) >= 3


def count_peaks(line):
    """Peaks of the activator, those at the ends included."""
    padded = np.concatenate([[line[0]], line, [line[-1]]])
    return int(((padded[1:-1] > padded[:-2]) & (padded[1:-1] >= padded[2:]) & (line > 1.5)).sum())


@pytest.mark.parametrize(
    "make, error, message",
    [
        (lambda: masked(None, growth=td.grow.edge(1.0)), ValueError, "no mask"),
        (lambda: masked(RING, growth=td.grow.edge(1.0, within=np.ones((3, 3), bool))), ValueError, "expected the same"),
        (lambda: masked(None, growth=0.05), TypeError, "td.grow.uniform"),
        (lambda: td.morphogenesis.schnakenberg(b=np.ones((4, 4))).initial((5, 5)), ValueError, "the map b"),
        (lambda: td.morphogenesis.schnakenberg(hold=(RING, 1.0)).initial((5, 5)), ValueError, "hold of"),
        (lambda: td.grow.edge(0), ValueError, "positive time"),
        (lambda: td.grow.tip(1, reach=0), ValueError, "whole number of rows"),
        (lambda: td.grow.uniform(np.nan), ValueError, "finite"),
        (lambda: td.grow.species(1, -1, 0.5), ValueError, "number of a species"),
    ],
)
def test_growth_that_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_digits_are_counted_along_an_arc():
    field = np.zeros((20, 21))
    field[:, [3, 10, 17]] = 1
    arc = [(8, 0), (4, 5), (3, 10), (4, 15), (8, 20)]
    assert td.measure.count_runs(field, arc) == 3
    assert td.measure.count_runs(field, arc[:3]) == 2
    with pytest.raises(ValueError, match="a path of points"):
        td.measure.count_runs(field, [(1, 2)])
