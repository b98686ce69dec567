"""A cell function that reads too far or leaves a channel unwritten is found when the rule is made."""

import numba
import numpy as np
import pytest
from rules import last

import turingdiff as td
from turingdiff.stencils import biharmonic, laplacian


def rule_of(cell, radius=1, channels="uv", params=(), **options):
    return td.Rule(cell, params, tuple(channels), td.Neighbourhood(radius), name="mine", **options)


def write_all(phi, i, j, g, out):
    for c in range(2):
        out[c, i, j] = phi[c, i, j]


def far_right(phi, i, j, t, p, g, out):
    write_all(phi, i, j, g, out)
    out[0, i, j] = phi[1, i, j + 2]


def far_row(phi, i, j, t, p, g, out):
    write_all(phi, i, j, g, out)
    row = phi[0, i - 3]
    out[0, i, j] = row[j] + row[j + 1]


def window(phi, i, j, t, p, g, out):
    write_all(phi, i, j, g, out)
    r = g.radius + 1
    out[1, i, j] = np.sum(2 * phi[1, i - r : i + r + 1, j - r : j + r + 1])


def first_corner(phi, i, j, t, p, g, out):
    write_all(phi, i, j, g, out)
    if i == g.pad and j == g.pad:
        out[0, i, j] = phi[0, i - 2, j]


def third_channel(phi, i, j, t, p, g, out):
    write_all(phi, i, j, g, out)
    out[0, i, j] = phi[2, i, j]


def first_channel_only(phi, i, j, t, p, g, out):
    out[0, i, j] = 1.0


def one_branch_only(phi, i, j, t, p, g, out):
    out[0, i, j] = 1.0
    if phi[0, i, j] > 0.9:
        out[1, i, j] = 1.0


def next_cell(phi, i, j, t, p, g, out):
    write_all(phi, i, j, g, out)
    out[0, i, j + 1] = 0.0


def vector(phi, i, j, t, p, g, out):
    write_all(phi, i, j, g, out)
    out[0, i, j] = p[0] * phi[0, i, j]


def reads_out(phi, i, j, t, p, g, out):
    write_all(phi, i, j, g, out)
    out[1, i, j] = out[0, i, j]


@pytest.mark.parametrize(
    "cell, options, message",
    [
        (far_right, {}, r"mine reads v at the offset \(0, 2\), beyond the radius 1 .* radius=2"),
        (far_right, {"radius": 0}, r"reads v at the offset \(0, 2\), beyond the radius 0"),
        (far_row, {"radius": 2}, r"reads u at the offset \(-3, 0\), beyond the radius 2"),
        (window, {}, r"reads v at the offset \(-2, -2\), beyond the radius 1"),
        (first_corner, {}, r"reads u at the offset \(-2, 0\)"),
        (far_right, {"radius": 3, "radius_at": lambda t: 3 if t > 2 else 1}, r"offset \(0, 2\), beyond the radius 1"),
        (third_channel, {}, "it has 2 channels"),
        (first_channel_only, {}, "does not write the rate of v"),
        (one_branch_only, {}, "does not write the rate of v"),
        (next_cell, {}, "may write to its own cell"),
        (vector, {"params": {"k": [1.0, 2.0]}}, r"writes an array of shape \(2,\) as the rate of u"),
        (reads_out, {}, "out is write-only"),
    ],
)
def test_a_wrong_access_is_found_when_the_rule_is_made(cell, options, message):
    with pytest.raises(ValueError, match=message):
        rule_of(cell, **options)


def test_a_stencil_or_a_radius_of_a_system_is_found_too():
    with pytest.raises(ValueError, match=r"schnakenberg reads u at the offset \(-2, 0\)"):
        td.morphogenesis.schnakenberg(stencil=biharmonic)

    @td.system(species="u")
    def waves(phi, i, j, t, p, g, out):
        out[0, i, j] = biharmonic(phi, 0, i, j, g)

    with pytest.raises(ValueError, match=r"waves reads u at the offset .* radius=2"):
        waves()


def slices(phi, i, j, t, p, g, out):
    square = phi[0, i - 1 : i + 2, j - 1 : j + 2]
    around = 0.0
    for a in range(3):
        for b in range(3):
            around += square[a, b]
    out[0, i, j] = around - phi[-1][i, j] * square.size


def in_the_middle(phi, i, j, t, p, g, out):
    y, x = i - g.pad, j - g.pad
    out[0, i, j] = p[0] * (1.0 if y == g.height // 2 and x < g.width else -1.0) + p[1][2, 0, 1]


@pytest.mark.parametrize("params", [(2.0, np.ones((3, 1, 2))), (np.arange(12.0).reshape(3, 4), np.ones((3, 1, 2)))])
def test_maps_arrays_and_places_are_no_trouble(params):
    assert rule_of(in_the_middle, radius=0, channels="u", params=params).rate(np.ones((1, 3, 4))).shape == (1, 3, 4)


def test_slices_within_the_radius_are_no_trouble():
    assert rule_of(slices, channels="u").rate(np.ones((1, 3, 4))).any() == 0


@numba.njit
def jitted(phi, i, j):
    return phi[0, i, j + 1]


def compiled_only(phi, i, j, t, p, g, out):
    out[0, i, j] = jitted(phi, i, j)


@pytest.mark.compiled
def test_what_does_not_run_as_plain_python_is_left_to_the_compiler():
    field = np.arange(6.0).reshape(1, 2, 3)
    found = rule_of(compiled_only, channels="u").rate(field)
    np.testing.assert_array_equal(found, np.roll(field, -1, axis=2))


def test_whole_fields_field_rates_and_large_arrays_are_not_tried():
    rule_of(first_channel_only, radius=None)
    rule_of(first_channel_only, field_rate=lambda field, t: field)
    rule_of(first_channel_only, params={"images": np.ones((100, 1, 20, 20))})


def heat(phi, i, j, t, p, g, out):
    out[0, i, j] = laplacian(phi, 0, i, j, g)


def test_a_rule_that_is_right_runs():
    assert (
        last(td.evolve(rule_of(heat, channels="u"), np.ones((1, 4, 4)), [0, 0.1])).tolist()
        == np.ones((1, 4, 4)).tolist()
    )
