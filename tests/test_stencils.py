import numpy as np
import pytest

import turingdiff as td
from turingdiff.engine.stencils import SYMBOL_BOUND, biharmonic, isotropic_laplacian, laplacian

both = pytest.mark.parametrize("stencil", [laplacian, isotropic_laplacian])
OFFSETS = np.array([-1, 0, 1])


def geometry(dx=1.0):
    return td.Geometry(dx, 1 / dx**2, 1, 1, 1, 1)


def symbol(stencil, ky, kx, dx=1.0):
    """Factor by which a wave is multiplied: the stencil at the crest of cos(ky y + kx x)."""
    y, x = np.meshgrid(OFFSETS * dx, OFFSETS * dx, indexing="ij")
    return stencil(np.cos(ky * y + kx * x)[None], 0, 1, 1, geometry(dx))


def weights(stencil):
    return np.array([[stencil(spot, 0, 1, 1, geometry()) for spot in row] for row in np.eye(9).reshape(3, 3, 1, 3, 3)])


def everywhere(stencil, plane):
    """The stencil at every interior cell of `plane`."""
    height, width = plane.shape
    rows, columns = range(1, height - 1), range(1, width - 1)
    return np.array([[stencil(plane[None], 0, i, j, geometry()) for j in columns] for i in rows])


# Known answers of the table of stencils; the closed form is below.
@pytest.mark.parametrize(
    "stencil, axis, diagonal", [(laplacian, 0.91940, 0.95902), (isotropic_laplacian, 0.91940, 0.92070)]
)
def test_symbol_at_wavenumber_one(stencil, axis, diagonal):
    assert -symbol(stencil, 0, 1) == pytest.approx(axis, abs=5e-6)
    assert -symbol(stencil, 1, 0) == pytest.approx(axis, abs=5e-6)
    assert -symbol(stencil, *np.sqrt([0.5, 0.5])) == pytest.approx(diagonal, abs=5e-6)
    assert -symbol(stencil, *np.sqrt([0.5, 0.5]) * [1, -1]) == pytest.approx(diagonal, abs=5e-6)


def test_symbols_in_closed_form():
    ky, kx, dx = 0.7, -1.9, 0.5
    a, b = np.cos(ky * dx), np.cos(kx * dx)
    assert symbol(laplacian, ky, kx, dx) == pytest.approx((2 * a + 2 * b - 4) / dx**2, rel=1e-14)
    expected = (8 * a + 8 * b + 4 * a * b - 20) / (6 * dx**2)
    assert symbol(isotropic_laplacian, ky, kx, dx) == pytest.approx(expected, rel=1e-14)


@both
def test_weights_sum_to_zero_and_measure_curvature(stencil):
    w = weights(stencil)
    square = OFFSETS**2
    assert abs(w.sum()) < 1e-15
    assert (w * square).sum() / 2 == pytest.approx(1, rel=1e-15)
    assert (w * square[:, None]).sum() / 2 == pytest.approx(1, rel=1e-15)
    np.testing.assert_array_equal(w, w.T)
    np.testing.assert_array_equal(w, w[::-1])


def test_weights_are_those_of_the_literature():
    np.testing.assert_array_equal(weights(laplacian), [[0, 1, 0], [1, -4, 1], [0, 1, 0]])
    np.testing.assert_allclose(weights(isotropic_laplacian) * 6, [[1, 4, 1], [4, -20, 4], [1, 4, 1]], rtol=1e-15)


@both
def test_symbol_bound_is_the_largest_symbol(stencil):
    k = np.linspace(0, np.pi, 33)
    size = [-symbol(stencil, ky, kx) for ky in k for kx in k]
    assert max(size) == pytest.approx(SYMBOL_BOUND[stencil], rel=1e-14)
    assert min(size) == 0
    assert -symbol(stencil, 2 * np.pi, 2 * np.pi, dx=0.5) == pytest.approx(4 * SYMBOL_BOUND[stencil], rel=1e-14)


def test_isotropic_laplacian_is_isotropic_to_fourth_order():
    angles = np.linspace(0, np.pi / 4, 7)

    def spread(stencil, k):
        return np.ptp([symbol(stencil, k * np.sin(a), k * np.cos(a)) for a in angles])

    # Half the wavenumber, 2^4 or 2^6 times less spread among directions.
    assert spread(laplacian, 0.4) / spread(laplacian, 0.2) == pytest.approx(2**4, rel=0.05)
    assert spread(isotropic_laplacian, 0.4) / spread(isotropic_laplacian, 0.2) == pytest.approx(2**6, rel=0.05)


@both
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "mirror", [np.flipud, np.fliplr, np.transpose, np.rot90], ids=["up-down", "left-right", "diagonal", "quarter turn"]
)
def test_mirror_images_have_mirrored_laplacians_to_the_last_bit(stencil, dtype, mirror):
    plane = np.random.default_rng(0).standard_normal((9, 9)).astype(dtype)
    found = everywhere(stencil, np.ascontiguousarray(mirror(plane)))
    assert found.tobytes() == np.ascontiguousarray(mirror(everywhere(stencil, plane))).tobytes()


# --- the biharmonic operator


def test_the_biharmonic_is_the_laplacian_of_the_laplacian():
    spot = np.zeros((9, 9))
    spot[4, 4] = 1
    twice = everywhere(laplacian, everywhere(laplacian, spot))
    found = [[biharmonic(spot[None], 0, i, j, geometry()) for j in range(2, 7)] for i in range(2, 7)]
    np.testing.assert_array_equal(found, twice)
    np.testing.assert_array_equal(found[2], [1, -8, 20, -8, 1])


def test_the_symbol_of_the_biharmonic_is_that_of_the_laplacian_squared():
    ky, kx, dx = 0.7, -1.9, 0.5
    y, x = np.meshgrid(np.arange(-2, 3) * dx, np.arange(-2, 3) * dx, indexing="ij")
    found = biharmonic(np.cos(ky * y + kx * x)[None], 0, 2, 2, geometry(dx))
    assert found == pytest.approx(symbol(laplacian, ky, kx, dx) ** 2, rel=1e-12)


def test_on_a_line_the_biharmonic_is_the_fourth_difference():
    rule = td.Rule(fourth, (), ["u"], td.Neighbourhood(2, "periodic", dx=0.5))
    line = np.random.default_rng(0).standard_normal((1, 1, 9))
    far, near = (np.roll(line, s, 2) + np.roll(line, -s, 2) for s in (2, 1))
    np.testing.assert_allclose(rule.rate(line), (far - 4 * near + 6 * line) / 0.5**4, atol=1e-12)


def fourth(phi, i, j, t, p, g, out):
    out[0, i, j] = biharmonic(phi, 0, i, j, g)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_mirror_images_have_mirrored_biharmonics_to_the_last_bit(dtype):
    rule = td.Rule(fourth, (), ["u"], td.Neighbourhood(2))
    plane = np.random.default_rng(0).standard_normal((1, 9, 9)).astype(dtype)
    for mirror in (np.flip, np.rot90):
        turned = np.ascontiguousarray(mirror(plane, axes=(1, 2)) if mirror is np.rot90 else plane[:, ::-1])
        back = rule.rate(plane)
        expected = mirror(back, axes=(1, 2)) if mirror is np.rot90 else back[:, ::-1]
        assert rule.rate(turned).tobytes() == np.ascontiguousarray(expected).tobytes()
