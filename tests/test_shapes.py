"""The measure of patterns, on fields whose counts are known; and expected patterns."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from quick import all_in_one
from scipy.ndimage import gaussian_filter

import turingdiff as td
from turingdiff.measure import change, check_pattern, observe, shapes, wavelength

BOUNDARIES = ["periodic", "no_flux"]
both_boundaries = pytest.mark.parametrize("boundary", BOUNDARIES)
counts = ("components", "holes", "euler")


def counted(field, **options):
    found = shapes(field, **options)
    return tuple(getattr(found, name) for name in counts)


def discs(shape, centres, radius):
    """Discs on the torus: 1 inside, 0 outside."""
    y, x = np.indices(shape)
    field = np.zeros(shape)
    for cy, cx in centres:
        dy = (y - cy + shape[0] / 2) % shape[0] - shape[0] / 2
        dx = (x - cx + shape[1] / 2) % shape[1] - shape[1] / 2
        field[np.hypot(dy, dx) <= radius] = 1
    return field


def honeycomb(shape=(104, 120), periods=(4, 8)):
    """64 spots where three waves at 120 degrees meet (26/15 for sqrt(3))."""
    y, x = 2 * np.pi * np.indices(shape) / np.reshape(shape, (2, 1, 1)) * np.reshape(periods, (2, 1, 1))
    return np.cos(2 * y) + 2 * np.cos(y) * np.cos(x)


def waves(shape, ky, kx, phase=0.3):
    y, x = np.indices(shape)
    return np.sin(2 * np.pi * (ky * y / shape[0] + kx * x / shape[1]) + phase)


def labyrinth(side=128, cycles=10, seed=0):
    """Stripes without a direction: the sign of narrow-banded noise, banded again and again."""
    k = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side)) * side
    field = np.random.default_rng(seed).standard_normal((side, side))
    for _ in range(30):
        field = np.fft.ifft2(np.fft.fft2(np.tanh(3 * field)) * np.exp(-((k - cycles) ** 2) / 8)).real
        field /= field.std()
    return field


def random_field(side, cycles, seed, width=1.0):
    """A Gaussian field with its power in a narrow ring of wavenumbers."""
    k = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side)) * side
    noise = np.fft.fft2(np.random.default_rng(seed).standard_normal((side, side)))
    field = np.fft.ifft2(noise * np.exp(-(((k - cycles) / (2 * width)) ** 2))).real
    return field / field.std()


def flood(region, steps, wraps):
    """The number of connected regions, cell by cell."""
    left, found = {tuple(cell) for cell in np.argwhere(region)}, 0
    while left:
        found += 1
        queue = [left.pop()]
        while queue:
            y, x = queue.pop()
            for dy, dx in steps:
                cell = (y + dy, x + dx)
                if wraps:
                    cell = (cell[0] % region.shape[0], cell[1] % region.shape[1])
                if cell in left:
                    left.remove(cell)
                    queue.append(cell)
    return found


EDGES = [(0, 1), (1, 0), (0, -1), (-1, 0)]
CORNERS = [*EDGES, (1, 1), (1, -1), (-1, 1), (-1, -1)]

regions = st.tuples(st.integers(1, 7), st.integers(1, 7), st.integers(0, 2**32 - 1), st.floats(0.2, 0.8)).map(
    lambda drawn: np.random.default_rng(drawn[2]).random(drawn[:2]) < drawn[3]
)


# --- components, holes, Euler characteristic


@pytest.mark.parametrize(
    ("centres", "on_torus", "on_sheet"),
    [
        ([(16, 16)], (1, 1, 1), (1, 1, 1)),
        ([(16, 0)], (1, 1, 1), (2, 1, 2)),  # over one edge
        ([(0, 0)], (1, 1, 1), (4, 1, 4)),  # over both: four quarters
        ([(0, 0), (16, 0), (16, 16), (0, 20), (8, 30), (24, 12)], (6, 1, 6), None),
        ([(16, 16), (16, 22)], (1, 1, 1), (1, 1, 1)),  # they overlap
    ],
)
def test_discs_are_counted(centres, on_torus, on_sheet):
    field = discs((32, 40), centres, 3.4)
    assert counted(field) == on_torus
    assert on_sheet is None or counted(field, boundary="no_flux") == on_sheet
    assert shapes(field).covered == field.mean()
    assert shapes(field).pattern == "spots"


@pytest.mark.parametrize("k", [1, 2, 5])
def test_stripes_are_counted(k):
    field = waves((30, 40), 0, k)
    assert counted(field) == (k, k, 0)
    assert counted(field.T) == (k, k, 0)
    assert shapes(field).pattern == shapes(field, boundary="no_flux").pattern == "stripes"
    edges = waves((30, 40), 0, k, phase=np.pi / 2)  # high at both edges
    assert counted(edges, boundary="no_flux") == (k + 1, k, k + 1)
    assert shapes(edges, boundary="no_flux").density == 0  # mirrored, they close


@pytest.mark.parametrize("ky, kx, pieces", [(1, 1, 1), (2, 3, 1), (2, 4, 2), (3, 3, 3)])
def test_stripes_that_wind_around_the_torus_close_upon_themselves(ky, kx, pieces):
    assert counted(waves((60, 60), ky, kx)) == (pieces, pieces, 0)


@both_boundaries
def test_a_ring_is_one_component_with_two_sides_and_no_euler_characteristic(boundary):
    ring = discs((30, 30), [(15, 15)], 9) - discs((30, 30), [(15, 15)], 5)
    assert counted(ring, boundary=boundary) == (1, 2, 0)
    target = ring + discs((30, 30), [(15, 15)], 2)
    assert counted(target, boundary=boundary) == (2, 2, 1)


def test_a_mesh_has_a_loop_more_on_the_torus_than_it_has_holes():
    mesh = -discs((40, 40), [(10, 10), (10, 30), (30, 10), (30, 30)], 6)
    assert counted(mesh) == (1, 4, -4)
    assert counted(mesh, boundary="no_flux") == (1, 4, 1 - 4)
    assert shapes(mesh).pattern == shapes(mesh, boundary="no_flux").pattern == "holes"


def test_high_cells_hang_together_by_edges_and_low_ones_by_corners_too():
    board = np.indices((6, 8)).sum(0) % 2
    assert counted(board) == (24, 1, 24)
    assert counted(board, boundary="no_flux") == (24, 1, 24)
    pair = np.zeros((5, 5))
    pair[[1, 2], [1, 2]] = 1
    assert counted(pair) == (2, 1, 2)
    assert counted(-pair) == (1, 1, -1)
    seam = np.zeros((5, 5))
    seam[[0, 4], [0, 4]] = -1  # low cells that touch at the corner of the torus
    assert counted(seam)[1] == 1
    assert counted(seam, boundary="no_flux")[1] == 2


@given(regions, st.sampled_from(BOUNDARIES))
def test_regions_are_those_that_a_flood_finds(region, boundary):
    wraps = boundary == "periodic"
    found = shapes(region, boundary=boundary, level=0.5)
    assert found.components == flood(region, EDGES, wraps)
    assert found.holes == flood(~region, CORNERS, wraps)


@given(regions.filter(lambda region: min(region.shape) > 1))
def test_on_a_sheet_euler_is_components_less_the_holes_that_they_enclose(region):
    enclosed = flood(np.pad(~region, 1, constant_values=True), CORNERS, False) - 1
    found = shapes(region, boundary="no_flux", level=0.5)
    assert found.euler == found.components - enclosed


def closed_euler(region):
    """Euler characteristic of the union of *closed* cells on the torus: faces - edges + vertices that they touch."""
    below, right = np.roll(region, -1, 0), np.roll(region, -1, 1)
    edges = (region | below).sum() + (region | right).sum()
    return region.sum() - edges + (region | below | right | np.roll(below, -1, 1)).sum()


@given(regions)
def test_the_two_phases_of_a_torus_have_opposite_euler_characteristics(region):
    assert shapes(region, level=0.5).euler == -closed_euler(~region)


@given(st.integers(0, 2**32 - 1), st.integers(0, 31), st.integers(0, 31), st.floats(1e-30, 1e30), st.floats(-1, 1))
def test_the_counts_do_not_depend_on_place_orientation_unit_and_origin(seed, dy, dx, scale, offset):
    field = random_field(32, 3, seed)
    same = [np.roll(field, (dy, dx), (0, 1)), field.T, field[::-1], field[:, ::-1], (field + offset) * scale]
    found = shapes(field)
    for other in map(shapes, same):
        assert [getattr(other, name) for name in counts] == [getattr(found, name) for name in counts]
        assert (other.pattern, other.covered) == (found.pattern, found.covered)
        assert other.density == pytest.approx(found.density, rel=1e-6)
        assert other.roundness == found.roundness
    for other in same[1:]:
        assert counted(other, boundary="no_flux") == counted(field, boundary="no_flux")


@pytest.mark.parametrize("bands", [1, 3, 8])
@both_boundaries
@pytest.mark.parametrize("turn", [np.asarray, np.transpose])
def test_a_row_of_cells_stands_for_stripes(bands, boundary, turn):
    row = turn(waves((1, 48), 0, bands))
    found = shapes(row, dx=0.5, boundary=boundary)
    assert (found.pattern, found.euler, found.density) == ("stripes", 0, 0)
    sheet = np.tile(row, (9, 1) if row.shape[0] == 1 else (1, 9))
    assert found.components == shapes(sheet, boundary=boundary).components
    assert shapes(row).components == bands
    window = "hann" if boundary == "no_flux" else None
    assert found.wavelength == pytest.approx(wavelength(row, 0.5, window=window).value)


# --- density, roundness, level


def test_a_honeycomb_of_spots_has_density_sqrt3_over_2_and_one_of_holes_the_negative():
    spots = shapes(honeycomb())
    assert spots.components == spots.euler == 64
    assert spots.density == pytest.approx(math.sqrt(3) / 2, rel=0.003)
    assert spots.roundness == pytest.approx(1, rel=0.05)
    holes = shapes(-honeycomb())
    assert (holes.components, holes.holes, holes.euler) == (1, 64, -64)
    assert holes.density == pytest.approx(-math.sqrt(3) / 2, rel=0.003)
    assert holes.roundness == pytest.approx(-1, rel=0.05)


def test_density_is_free_of_the_grid_spacing_and_of_walls():
    spots = honeycomb()
    assert shapes(spots, dx=0.1).density == pytest.approx(shapes(spots).density)
    assert shapes(spots, dx=0.1).wavelength == pytest.approx(0.1 * shapes(spots).wavelength)
    for sign in (1, -1):  # cut through the spots of a row and of a column, which count half
        walled = shapes(sign * spots, boundary="no_flux")
        assert walled.density == pytest.approx(sign * math.sqrt(3) / 2, rel=0.05)


def capsule(times, angle, width=9):
    """As long as so many times its width."""
    y, x = np.indices((128, 128)) - 63.5
    along, across = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
    return np.hypot(np.maximum(np.abs(along) - (times - 1) * width / 2, 0), across) <= width / 2


@pytest.mark.parametrize("angle", [0, 0.2, 0.4, np.pi / 4])
@pytest.mark.parametrize("times, pattern", [(1, "spots"), (4, "spots"), (7, "stripes"), (10, "stripes")])
def test_a_spot_passes_into_a_stripe_at_five_times_its_width(times, pattern, angle):
    found = shapes(capsule(times, angle))
    exact = 4 * np.pi * (np.pi / 4 + times - 1) / (np.pi + 2 * (times - 1)) ** 2
    assert found.roundness == pytest.approx(exact, rel=0.21)
    assert found.pattern == pattern


def test_a_single_spot_in_a_wide_field_is_found_over_ripples():
    field = 0.01 * waves((200, 200), 7, 5)
    field[50:60, 50:60] += 1
    assert np.percentile(field, 99) < 0.02
    assert counted(field) == (1, 1, 1)
    assert shapes(field).pattern == "spots"


def test_the_level_lies_midway_between_the_two_classes():
    field = np.repeat([[0.0, 0.0, 1.0, 5.0]], 3, axis=0)
    assert shapes(field).level == pytest.approx((1 / 3 + 5) / 2)
    assert shapes(field).contrast == 5
    assert shapes(field, level=0.5).covered == 0.5
    assert shapes(field, level=1).covered == 0.25  # above is above


@pytest.mark.parametrize("h", [-1.0, 0.5, 1.0])
def test_a_random_field_has_the_euler_density_of_adler(h):
    """Adler 1981: per area (2 pi)^(-3/2) k²/2 h exp(-h²/2), k² the mean square wavenumber; here by lambda = 2 pi/k."""
    found = [shapes(random_field(256, 16, seed, width=0.5), level=h).density for seed in range(8)]
    assert np.mean(found) == pytest.approx(math.sqrt(np.pi / 2) * h * math.exp(-h * h / 2), rel=0.1)


# --- the word


@pytest.mark.parametrize("seed", range(4))
def test_patterns_are_named(seed):
    rng = np.random.default_rng(seed)
    noise = 0.3 * rng.standard_normal((104, 120))
    assert shapes(gaussian_filter(honeycomb() + noise, 2, mode="wrap")).pattern == "spots"
    assert shapes(gaussian_filter(-honeycomb() + noise, 2, mode="wrap")).pattern == "holes"
    assert shapes(gaussian_filter(waves((104, 120), 5, 3) + noise, 2, mode="wrap")).pattern == "stripes"
    winding = labyrinth(seed=seed)
    for boundary in BOUNDARIES:
        found = shapes(winding, boundary=boundary)
        assert found.pattern == "stripes"
        assert abs(found.density) < 0.2
        assert abs(found.roundness) < 0.25
    assert abs(shapes(random_field(128, 12, seed)).roundness) < 0.4


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_field_that_varies_by_rounding_is_uniform(dtype):
    rng = np.random.default_rng(0)
    field = (dtype(0.7) + np.finfo(dtype).eps * rng.integers(-1, 2, (20, 20))).astype(dtype)
    found = shapes(field)
    assert (found.pattern, found.components, found.holes, found.euler) == ("uniform", 0, 1, 0)
    assert (found.density, found.roundness, found.covered) == (0, 0, 0)
    assert math.isnan(found.wavelength)
    assert 0 < found.contrast < 1e-6


def test_a_contrast_that_nobody_would_see_is_none():
    faint = 0.7 + 2e-6 * waves((20, 20), 0, 2)
    assert shapes(faint).pattern == "uniform"
    assert shapes(faint, tolerance=0).pattern == "stripes"
    assert shapes(0.7 + 2e-5 * waves((20, 20), 0, 2)).pattern == "stripes"
    assert shapes(1e-100 * waves((20, 20), 0, 2)).pattern == "stripes"
    assert shapes(1e-178 * waves((20, 20), 0, 2)).pattern == "uniform"


@pytest.mark.parametrize("value", [0, 3, True, 0.1, -7e11])
@both_boundaries
def test_a_constant_is_uniform(value, boundary):
    found = shapes(np.full((5, 6), value), boundary=boundary)
    assert (found.pattern, found.contrast, found.level) == ("uniform", 0, value)
    assert shapes(np.full((1, 1), value), boundary=boundary).pattern == "uniform"


def test_a_field_that_is_nowhere_or_everywhere_above_the_level_is_uniform():
    field = waves((20, 20), 0, 2)
    assert shapes(field, level=2).pattern == shapes(field, level=-2).pattern == "uniform"
    assert counted(field, level=-2) == (1, 0, 0)  # a whole torus
    assert counted(field, level=-2, boundary="no_flux") == (1, 0, 1)


@all_in_one(
    ("field", "options", "error", "match"),
    [
        (np.zeros(5), {}, ValueError, r"got shape \(5,\)"),
        (np.zeros((2, 5, 5)), {}, ValueError, r"\(2, 5, 5\), expected one channel.*field\[c\]"),
        (np.zeros((2, 1, 5, 5)), {}, ValueError, "expected one channel"),
        (np.full((4, 4), np.nan), {}, ValueError, "NaN or infinite"),
        (np.ones((4, 4), complex), {}, TypeError, "complex128"),
        (np.eye(4), {"dx": 0}, ValueError, "dx is 0"),
        (np.eye(4), {"boundary": "zero"}, ValueError, "'zero', expected 'periodic'.*'no_flux'"),
        (np.eye(4), {"boundary": ("periodic",) * 4}, ValueError, "expected 'periodic'"),
        (np.eye(4), {"level": np.nan}, ValueError, "level is nan"),
        (np.eye(4), {"tolerance": -1}, ValueError, "tolerance is -1"),
    ],
)
def test_shapes_refuses(field, options, error, match):
    with pytest.raises(error, match=match):
        shapes(field, **options)


def test_one_channel_may_keep_its_axis():
    field = honeycomb()
    assert shapes(field[None]) == shapes(field)


# --- change


@given(st.floats(-10, 10), st.floats(0.01, 100))
def test_a_sine_that_travels_changes_by_two_sines_of_half_the_angle(angle, scale):
    before, after = (scale * waves((24, 32), 2, 3, phase) + 5 for phase in (0.0, angle))
    assert change(before, after) == pytest.approx(2 * abs(math.sin(angle / 2)), abs=1e-9)


def test_change_of_steady_opposite_and_unrelated_patterns():
    wave = waves((24, 32), 2, 3)
    assert change(wave, wave) == 0
    assert change(wave, np.roll(wave, 8, axis=1)[:, :]) == pytest.approx(2 * math.sin(3 * np.pi / 4))
    assert change(wave, -wave) == pytest.approx(2)
    assert change(wave, waves((24, 32), 3, 2)) == pytest.approx(math.sqrt(2))
    assert change(0 * wave, wave) == change(wave, 0 * wave) == pytest.approx(1)


def test_each_channel_changes_by_its_own_scale_and_the_largest_counts():
    wave = waves((16, 16), 1, 0)
    quarter = np.roll(wave, 4, axis=0)
    still = np.full((16, 16), 0.3)
    assert change([wave, 1e6 * wave, still], [wave, 1e6 * wave, still]) == 0
    assert change([1e-6 * wave, 1e6 * wave], [1e-6 * quarter, 1e6 * wave]) == pytest.approx(math.sqrt(2))
    assert change([wave, still], [1.1 * wave, still * (1 + 1e-16)]) == pytest.approx(0.1 / 1.1)


def test_an_oscillation_in_step_changes_by_how_much_of_its_magnitude_it_moves():
    assert change(np.full((8, 8), 2.0), np.full((8, 8), 1.5)) == pytest.approx(0.25)
    assert change(np.full((8, 8), 1.0), np.full((8, 8), -1.0)) == 2
    assert change(np.zeros((8, 8)), np.zeros((8, 8))) == 0
    rng = np.random.default_rng(0)
    rounding = 0.7 + np.finfo(np.float32).eps * rng.integers(-1, 2, (2, 8, 8))
    assert change(*rounding.astype(np.float32)) == 0
    assert change(*rounding) > 1
    assert change(*rounding, tolerance=1e-5) == 0


@all_in_one(
    ("earlier", "later", "options", "match"),
    [
        (np.eye(4), np.eye(5), {}, r"earlier has shape \(4, 4\) and later \(5, 5\)"),
        (np.ones((1, 2, 4, 4)), np.ones((1, 2, 4, 4)), {}, r"expected the same \(H, W\) or \(C, H, W\)"),
        (np.eye(4), np.full((4, 4), np.inf), {}, "later: has NaN or infinite"),
        (np.eye(4), np.eye(4), {"tolerance": np.nan}, "tolerance is nan"),
    ],
)
def test_change_refuses(earlier, later, options, match):
    with pytest.raises(ValueError, match=match):
        change(earlier, later, **options)


# --- expected patterns


def run_of(picture, frames=11, end=10.0, shown=1):
    """A run that shows ``picture(t)`` in its second channel, and noise in its first."""
    times = np.linspace(0, end, frames)
    noise = np.random.default_rng(0).standard_normal((frames, *np.shape(picture(0.0))))
    fields = np.stack([noise, [picture(t) for t in times]], axis=1)
    return td.Run(times, fields, "made", "time", ("u", "v"), shown, 0.5)


def drifting(t):
    return np.roll(honeycomb(), int(10 * t), axis=1)


def settling(t):
    return honeycomb() * (1 + math.exp(-t))


EXPECTED = td.ExpectedPattern((104, 120), 10.0, "spots", False, components=(60, 70), wavelength=(6, 7))


def test_a_run_with_the_expected_pattern_has_no_differences():
    assert check_pattern(EXPECTED, run_of(settling)) == []
    assert check_pattern(td.ExpectedPattern((104, 120), 10.0, "spots", True), run_of(drifting)) == []
    assert check_pattern(td.ExpectedPattern((104, 120), 10.0), run_of(drifting)) == []  # leaves all open
    assert (
        check_pattern(td.ExpectedPattern((30, 30), 10.0, "uniform", False), run_of(lambda t: np.ones((30, 30)))) == []
    )


def test_every_difference_is_a_sentence():
    stripes = run_of(lambda t: waves((104, 120), 0, 4, phase=t))
    pattern, moving, components, length = check_pattern(EXPECTED, stripes)
    assert pattern.startswith("expected spots, found stripes (roundness 0.00, Euler density 0.00")
    assert moving.startswith("expected a pattern that is steady, found one that moves: it changed by 0.96 in the")
    assert components == "expected components from 60 to 70, found 4"
    assert length == "expected wavelength from 6 to 7, found 15"
    (growing,) = check_pattern(EXPECTED, run_of(lambda t: honeycomb() * math.exp(t / 2)))
    assert "found one that has not settled: it changed by 0.39 in the last tenth" in growing


def test_the_shown_channel_is_what_is_observed_or_the_first_one():
    assert observe(run_of(settling)).shapes == shapes(settling(10.0), 0.5)
    assert observe(run_of(settling)).change == change(settling(9.0), settling(10.0))
    assert observe(run_of(settling, shown=None)).shapes.components > 500
    walled = observe(run_of(settling), boundary="no_flux").shapes
    assert walled == shapes(settling(10.0), 0.5, boundary="no_flux")


def test_a_pattern_that_has_died_is_uniform_and_steady():
    found = observe(run_of(lambda t: waves((24, 24), 1, 2) * math.exp(-20 * t)))
    assert (found.shapes.pattern, found.change, found.moving) == ("uniform", 0, False)
    assert shapes(waves((24, 24), 1, 2) * math.exp(-200)).pattern == "stripes"  # what the last frame alone tells


def test_the_last_tenth_is_found_among_frames_that_are_unevenly_spaced():
    rule = td.morphogenesis.brusselator()
    run = td.simulate(rule, rule.initial((12, 12), rng=0), td.uniform(0, 0.505, 0.005), frames=11)
    assert run.times[-3:] / 0.505 == pytest.approx([88 / 101, 99 / 101, 1])  # 11 steps apart, and what is left
    assert observe(run).change == change(run.frames[-3, 0], run.final[0])


@all_in_one(
    ("run", "match"),
    [
        (run_of(settling, frames=4), "nearest to nine tenths of the run is at 1 of it.*at least 11 frames"),
        (run_of(settling, end=20.0), r"at t = 10, the run has one of \(104, 120\) and goes to t = 20"),
        (run_of(lambda t: np.eye(5)), r"expected on a field of \(104, 120\).*one of \(5, 5\)"),
        (td.Run(np.arange(11.0), np.ones((11, 2, 1, 104, 120)), "", "time", ("u",), 0, 1.0), "no batch"),
    ],
)
def test_a_run_of_another_size_or_length_is_refused(run, match):
    with pytest.raises(ValueError, match=match):
        check_pattern(EXPECTED, run)


@all_in_one(
    ("options", "match"),
    [
        ({"shape": (5,)}, r"shape must be \(H, W\)"),
        ({"shape": (5, 0)}, "whole numbers >= 1"),
        ({"t_end": 0.0}, "t_end must be a positive time"),
        ({"pattern": "spot"}, "no pattern 'spot'; did you mean 'spots'"),
        ({"components": (5, 3)}, r"components must be \(least, greatest\).*\(5, 3\)"),
        ({"wavelength": (np.nan, 3)}, "wavelength must be"),
    ],
)
def test_an_expected_pattern_refuses(options, match):
    with pytest.raises(ValueError, match=match):
        td.ExpectedPattern(**{"shape": (8, 8), "t_end": 1.0, **options})


# --- what the thresholds were chosen by


@pytest.mark.slow
@pytest.mark.compiled
@pytest.mark.parametrize(
    ("preset", "t_end", "pattern", "moving"),
    [
        ("spots", 5000, "spots", False),
        ("maze", 5000, "stripes", False),
        ("gliders", 5000, "spots", True),
        ("spirals", 5000, None, True),
        ("worms", 20_000, "stripes", None),
    ],
)
@pytest.mark.parametrize("seed", [0, 1])
def test_gray_scott_patterns_are_told_apart_with_a_margin(preset, t_end, pattern, moving, seed):
    rule = td.morphogenesis.gray_scott(preset)
    run = td.simulate(rule, rule.initial((128, 128), rng=seed), rule.times(t_end=t_end), frames=11)
    expected = td.ExpectedPattern((128, 128), t_end, pattern, moving, seed=seed)
    assert check_pattern(expected, run) == []
    found = observe(run)
    assert pattern is None or abs(found.shapes.roundness - 0.5) > 0.25
    assert moving is None or abs(found.change - 0.55) > 0.35
