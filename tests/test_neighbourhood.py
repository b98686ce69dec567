import numpy as np
import plain
import pytest
from hypothesis import given
from hypothesis import strategies as st

import turingdiff as td
from turingdiff.engine.kernels import fill_halo

NUMPY_MODES = {"periodic": "wrap", "no_flux": "symmetric", "zero": "constant"}

lengths = st.integers(2, 5)
pads = st.integers(1, 12)
seeds = st.integers(0, 2**32 - 1)
one_sided = st.sampled_from(["no_flux", "zero", td.fixed(0.3), td.fixed(-2.0)])
axes = st.one_of(st.just(("periodic", "periodic")), st.tuples(one_sided, one_sided))


def framed(field, neighbourhood, pad):
    """`field` with the ghost cells that the engine gives it."""
    channels, height, width = field.shape
    phi = np.pad(field, ((0, 0), (pad, pad), (pad, pad)), constant_values=np.nan)
    rows, columns = neighbourhood.halos(channels, height, width, pad)
    fill_halo(phi, (*rows, *columns), td.Geometry(1.0, 1.0, pad, pad, height, width))
    return phi


def numbers(height, width, channels=1, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (channels, height, width))


@pytest.mark.parametrize("boundary", NUMPY_MODES)
@given(lengths, lengths, pads, seeds)
def test_halo_is_numpys_padding_even_where_it_is_wider_than_the_field(boundary, height, width, pad, seed):
    field = numbers(height, width, channels=2, seed=seed)
    expected = np.pad(field, ((0, 0), (pad, pad), (pad, pad)), mode=NUMPY_MODES[boundary])
    np.testing.assert_array_equal(framed(field, td.Neighbourhood(pad, boundary), pad), expected)


@given(lengths, lengths, pads, seeds, axes, axes)
def test_each_side_has_its_own_boundary(height, width, pad, seed, vertical, horizontal):
    field = numbers(height, width, seed=seed)
    found = framed(field, td.Neighbourhood(pad, (*vertical, *horizontal)), pad)[0]
    faces = [side.value[0] if isinstance(side, type(td.fixed(0))) else side for side in (*vertical, *horizontal)]
    rows = [plain.ghosts(row, *faces[2:], pad) for row in field[0]]
    expected = np.array([plain.ghosts(column, *faces[:2], pad) for column in np.transpose(rows)]).T
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_fixed_is_the_odd_reflection_about_the_value_at_the_face():
    line = np.array([[[1.0, 2.0, 4.0], [1.0, 2.0, 4.0]]])
    found = framed(line, td.Neighbourhood(2, ("no_flux", "no_flux", td.fixed(0.5), td.fixed(10.0))), 2)
    np.testing.assert_array_equal(found[0, 2], [-1, 0, 1, 2, 4, 16, 18])
    # The face lies halfway between the outermost cell and the first ghost.
    assert (found[0, 2, 1] + found[0, 2, 2]) / 2 == 0.5
    assert (found[0, 2, 4] + found[0, 2, 5]) / 2 == 10


def test_fixed_takes_one_value_a_channel():
    field = numbers(3, 4, channels=2)
    found = framed(field, td.Neighbourhood(1, td.fixed((1.0, -3.0))), 1)
    np.testing.assert_array_equal(found[0, 0, 1:-1], 2 - field[0, 0])
    np.testing.assert_array_equal(found[1, 0, 1:-1], -6 - field[1, 0])


@pytest.mark.parametrize("boundary", ["periodic", "no_flux", "zero", td.fixed(7.0)])
def test_no_flux_along_an_axis_of_length_one(boundary):
    field = numbers(1, 6)
    phi = framed(field, td.Neighbourhood(3, (boundary, boundary, "zero", td.fixed(2.0))), 3)
    np.testing.assert_array_equal(phi[0], np.tile(phi[0, 3], (7, 1)))
    standing = np.swapaxes(field, 1, 2).copy()
    phi = framed(standing, td.Neighbourhood(2, ("no_flux", "zero", boundary, boundary)), 2)
    np.testing.assert_array_equal(phi[0], np.tile(phi[0, :, 2:3], (1, 5)))


def test_a_single_cell_sees_only_itself():
    np.testing.assert_array_equal(
        framed(np.full((1, 1, 1), 3.0), td.Neighbourhood(2, "zero"), 2), np.full((1, 5, 5), 3)
    )


def test_numbers_of_any_kind_become_plain_ones():
    neighbourhood = td.Neighbourhood(np.int64(2), ["zero"] * 4, np.float32(0.5))
    assert (type(neighbourhood.radius), type(neighbourhood.dx)) == (int, float)
    assert type(td.Neighbourhood(1.0).radius) is int
    assert neighbourhood.sides == ("zero",) * 4
    assert td.Neighbourhood(None).radius is None


def test_only_a_torus_is_periodic():
    assert td.Neighbourhood(1, "periodic").periodic
    assert not td.Neighbourhood(1, ("periodic", "periodic", "zero", "zero")).periodic


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((-1,), "radius must be a whole number >= 0 or None, got -1"),
        ((1.5,), "radius must be a whole number"),
        ((1, "reflecting"), "boundary must be .* got 'reflecting'"),
        ((1, 0.0), "boundary must be .* got 0.0"),
        ((1, None), "boundary must be .* got None"),
        ((1, ("zero", "zero")), "one value or four .top, bottom, left, right., got"),
        ((1, ("periodic", "zero", "zero", "zero")), "a periodic side needs a periodic opposite side"),
        ((1, ("zero", "zero", "no_flux", "periodic")), "a periodic side needs a periodic opposite side"),
        ((1, "zero", 0.0), "dx must be a positive length, got 0.0"),
        ((1, "zero", -1.0), "dx must be a positive length"),
        ((1, "zero", np.inf), "dx must be a positive length"),
        ((1, "zero", np.nan), "dx must be a positive length"),
    ],
)
def test_a_neighbourhood_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        td.Neighbourhood(*arguments)


@pytest.mark.parametrize("value", [np.nan, np.inf, [[1.0, 2.0]], [0.0, np.nan]])
def test_fixed_refuses_all_but_finite_numbers(value):
    with pytest.raises(ValueError, match="finite number, or one a channel"):
        td.fixed(value)


def test_fixed_values_must_match_the_channels():
    neighbourhood = td.Neighbourhood(1, td.fixed((1.0, 2.0)))
    with pytest.raises(ValueError, match="gives 2 values for 3 channels"):
        neighbourhood.halos(3, 4, 4, 1)
