"""Correlation length, orientation order and the curves against the threshold, on fields whose answers are known."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from quick import all_in_one
from scipy.special import j0, jn_zeros
from test_shapes import discs, honeycomb, random_field, waves

from turingdiff.measure import shapes, structure

BOUNDARIES = ["periodic", "no_flux"]
both_boundaries = pytest.mark.parametrize("boundary", BOUNDARIES)


def gaussian_field(side, power, seed):
    """Isotropic Gaussian noise on the torus, with power(k) at wavenumber k."""
    k = 2 * np.pi * np.hypot(np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side))
    noise = np.fft.fft2(np.random.default_rng(seed).standard_normal((side, side)))
    return np.fft.ifft2(noise * np.sqrt(power(k))).real


def stripes(angle, length=8.0, shape=(64, 64)):
    """Stripes that run along `angle`."""
    y, x = np.indices(shape)
    return np.cos(2 * np.pi / length * (np.cos(angle) * y - np.sin(angle) * x) + 0.3)


def apart(a, b):
    return abs((a - b + np.pi / 2) % np.pi - np.pi / 2)


# --- correlation length


@both_boundaries
@pytest.mark.parametrize("length", [3.0, 5.0])
def test_correlation_length_of_gaussian_correlations(boundary, length):
    """C(r) = exp(-r²/2s²): 1/e at sqrt(2) s."""
    found = [
        structure(gaussian_field(192, lambda k: np.exp(-((k * length) ** 2) / 2), seed), boundary=boundary, threshold=0)
        for seed in range(6)
    ]
    assert np.mean([one.correlation_length for one in found]) == pytest.approx(math.sqrt(2) * length, rel=0.03)


def test_correlation_length_of_exponential_correlations():
    """C(r) = exp(-r/xi): power (1 + k² xi²)^(-3/2) in two dimensions."""
    found = [
        structure(gaussian_field(256, lambda k: (1 + (6 * k) ** 2) ** -1.5, seed), threshold=0).correlation_length
        for seed in range(8)
    ]
    assert np.mean(found) == pytest.approx(6, rel=0.06)


def test_correlation_length_of_a_labyrinth_is_that_of_the_bessel_function():
    x = np.linspace(0, jn_zeros(0, 1)[0], 10_000)
    share = x[np.argmax(j0(x) <= np.exp(-1))] / (2 * np.pi)
    assert share == pytest.approx(0.28, abs=0.005)
    found = [structure(random_field(128, 8, seed, width=0.3), dx=0.5, threshold=0) for seed in range(4)]
    assert np.mean([one.correlation_length for one in found]) == pytest.approx(share * 8.0, rel=0.03)


@pytest.mark.parametrize("turn", [np.asarray, np.transpose])
@both_boundaries
def test_correlation_length_of_a_row_of_waves(turn, boundary):
    """C(r) = cos(2 pi r/128)."""
    row = turn(waves((1, 1024), 0, 8))
    expected = math.acos(math.exp(-1)) / (2 * np.pi) * 128
    assert structure(row, dx=0.1, boundary=boundary).correlation_length == pytest.approx(0.1 * expected, rel=0.02)


def test_on_a_sheet_correlations_are_those_of_the_pairs_inside():
    field = np.random.default_rng(0).standard_normal((3, 4)) + np.arange(4)
    deviation, sums = field - field.mean(), {}
    cells = list(np.ndindex(3, 4))
    for a in cells:
        for b in cells:
            distance = math.hypot(a[0] - b[0], a[1] - b[1])
            sums.setdefault(int(distance + 0.5), []).append((distance, deviation[a] * deviation[b] / field.var()))
    radius, correlation = np.transpose([np.mean(sums[ring], axis=0) for ring in sorted(sums)])
    n = np.argmax(correlation <= np.exp(-1))
    share = (correlation[n - 1] - np.exp(-1)) / (correlation[n - 1] - correlation[n])
    expected = radius[n - 1] + share * (radius[n] - radius[n - 1])
    assert structure(field, boundary="no_flux").correlation_length == pytest.approx(expected)


# --- orientation


@pytest.mark.parametrize("degrees", range(0, 180, 15))
def test_stripes_have_order_one_and_their_own_angle(degrees):
    angle = np.radians(degrees)
    found = structure(stripes(angle), boundary="no_flux", threshold=0)
    assert found.order > 0.98
    assert apart(found.angle, angle) < np.radians(0.5)
    assert 0 <= found.angle < np.pi


@pytest.mark.parametrize("periods", [(0, 1), (5, 0), (3, 4), (-2, 7), (9, 13)])
def test_whole_waves_on_the_torus_are_exact(periods):
    found = structure(waves((40, 60), *periods), threshold=0)
    across = math.atan2(periods[0] / 40, periods[1] / 60)
    assert found.order == pytest.approx(1)
    assert apart(found.angle, across + np.pi / 2) < 1e-6


def test_the_angle_goes_from_a_row_towards_rising_row_numbers():
    falling = np.eye(16) + np.eye(16, k=1) + np.eye(16, k=-1)  # down to the right
    assert structure(falling, boundary="no_flux").angle == pytest.approx(np.pi / 4, abs=0.02)
    assert structure(waves((16, 16), 2, 0)).angle == pytest.approx(0, abs=1e-9)
    assert structure(waves((16, 16), 0, 2)).angle == pytest.approx(np.pi / 2)


@both_boundaries
def test_isotropic_patterns_have_no_order(boundary):
    white = np.random.default_rng(0).standard_normal((128, 128))
    for field in (white, random_field(128, 16, 0, width=2.0), honeycomb()):
        assert structure(field, boundary=boundary, threshold=0).order < 0.12
    checks = waves((60, 60), 5, 0) + waves((60, 60), 0, 5)
    assert structure(checks, threshold=0).order < 1e-9


def test_order_is_the_average_of_doubled_directions_by_gradient_energy():
    field = 2 * waves((64, 64), 4, 0) + waves((64, 64), 0, 6)
    energies = 2**2 * 4**2, 6**2
    assert structure(field).order == pytest.approx((energies[0] - energies[1]) / sum(energies))


# --- against the threshold


@both_boundaries
def test_spots_are_counted_at_every_threshold(boundary):
    centres = [(18, 18), (18, 64), (50, 44), (54, 72)]
    field = discs((76, 92), centres, 12) + discs((76, 92), centres[:3], 8)
    found = structure(field, boundary=boundary, threshold=[-1, 0.5, 1.5, 2.5])
    torus = boundary == "periodic"
    np.testing.assert_array_equal(found.components, [1, 4, 3, 0])
    np.testing.assert_array_equal(found.euler, [0 if torus else 1, 4, 3, 0])
    np.testing.assert_allclose(found.covered, [(field > t).mean() for t in found.threshold])
    perimeter = 2 * np.pi * np.array([0, 4 * 12, 3 * 8, 0])
    np.testing.assert_allclose(found.boundary * field.size, perimeter, rtol=0.05)


def test_holes_and_stripes():
    net = structure(-honeycomb(), threshold=0.5)
    np.testing.assert_array_equal([net.components[0], net.euler[0]], [1, -64])
    straight = structure(waves((64, 64), 0, 5), dx=0.5, threshold=0)
    np.testing.assert_array_equal([straight.components[0], straight.euler[0]], [5, 0])
    assert straight.boundary[0] == pytest.approx(2 * 5 / 32, rel=0.06)  # two sides a stripe, on 32 lengths


def test_a_random_field_has_the_curves_of_adler():
    """Above h standard deviations: boundary k/(2 sqrt 2) exp(-h²/2), k the root-mean-square wavenumber; Adler 1981."""
    h = np.array([-1.0, 0.0, 1.0])
    found = [structure(random_field(256, 16, seed, width=0.5), threshold=h) for seed in range(6)]
    k = 2 * np.pi * 16 / 256
    boundary = np.mean([one.boundary for one in found], axis=0)
    np.testing.assert_allclose(boundary, k / (2 * math.sqrt(2)) * np.exp(-(h**2) / 2), rtol=0.05)
    euler = np.mean([one.euler for one in found], axis=0) / 256**2
    np.testing.assert_allclose(euler, (2 * np.pi) ** -1.5 * k**2 / 2 * h * np.exp(-(h**2) / 2), atol=2e-4)
    assert np.mean([one.covered for one in found], axis=0) == pytest.approx([0.841, 0.5, 0.159], abs=0.01)


@both_boundaries
def test_a_threshold_is_a_level_of_shapes(boundary):
    field = random_field(48, 5, 3)
    found = structure(field, 0.5, boundary=boundary)
    assert len(found.threshold) == 20
    inside = np.ptp(field) / 40
    np.testing.assert_allclose(found.threshold[[0, -1]], [field.min() + inside, field.max() - inside])
    for n, level in enumerate(found.threshold):
        one = shapes(field, 0.5, boundary=boundary, level=level)
        assert (one.components, one.euler, one.covered) == (found.components[n], found.euler[n], found.covered[n])


def test_a_wall_that_cuts_a_pattern_is_no_boundary():
    half = np.zeros((20, 20))
    half[:, :7] = 1
    assert structure(half, boundary="no_flux", threshold=0.5).boundary[0] == pytest.approx(
        structure(half, threshold=0.5).boundary[0] / 2
    )


@given(st.integers(0, 2**32 - 1), st.integers(0, 31), st.floats(1e-30, 1e30), st.floats(0.01, 100))
def test_structure_ignores_place_and_follows_turns_units_and_spacing(seed, shift, scale, dx):
    field = random_field(32, 3, seed) + 0.5 * waves((32, 32), 1, 3)
    found = structure(field)
    for other, angle in (
        (np.roll(field, (shift, 3), (0, 1)), found.angle),
        (field * scale, found.angle),
        (field[::-1, ::-1], found.angle),
        (field.T, np.pi / 2 - found.angle),
        (field[::-1], -found.angle),
    ):
        same = structure(other, dx)
        assert same.correlation_length == pytest.approx(dx * found.correlation_length, rel=1e-6)
        assert same.order == pytest.approx(found.order, abs=1e-9)
        assert apart(same.angle, angle) < 1e-6
        np.testing.assert_allclose(same.boundary * dx, found.boundary, rtol=0.01)


# --- refusals


@both_boundaries
@pytest.mark.parametrize("value", [0, 3, True, 0.1, -7e11])
def test_a_constant_has_no_structure(value, boundary):
    with pytest.raises(ValueError, match=r"constant .*no correlation length, orientation or boundary"):
        structure(np.full((5, 6), value), boundary=boundary)


@all_in_one("dtype", [np.float32, np.float64])
def test_rounding_is_no_structure_but_a_small_pattern_is(dtype):
    eps = np.finfo(dtype).eps
    with pytest.raises(ValueError, match="constant"):
        structure((1 + eps * waves((20, 20), 0, 2)).astype(dtype))
    assert structure((1 + 1000 * eps * waves((20, 20), 0, 2)).astype(dtype)).order > 0.99


@all_in_one(
    ("field", "options", "error", "match"),
    [
        (np.zeros(5), {}, ValueError, r"got shape \(5,\)"),
        (np.zeros((2, 5, 5)), {}, ValueError, r"expected one channel.*field\[c\]"),
        (np.full((4, 4), np.nan), {}, ValueError, "NaN or infinite"),
        (np.ones((4, 4), complex), {}, TypeError, "complex128"),
        (np.eye(4), {"dx": 0}, ValueError, "dx is 0"),
        (np.eye(4), {"boundary": "zero"}, ValueError, "'zero', expected 'periodic'"),
        (np.eye(4), {"threshold": np.nan}, ValueError, "threshold is nan"),
        (np.eye(4), {"threshold": []}, ValueError, "one or several finite numbers"),
        (np.eye(4), {"threshold": np.eye(2)}, ValueError, "one or several"),
    ],
)
def test_structure_refuses(field, options, error, match):
    with pytest.raises(error, match=match):
        structure(field, **options)
