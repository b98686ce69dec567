"""Pieces that cross a line: digits, legs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from quick import all_in_one

from turingdiff.measure import count_runs, shapes

fields = st.tuples(st.integers(1, 8), st.integers(1, 12), st.integers(0, 2**32 - 1)).map(
    lambda drawn: np.random.default_rng(drawn[2]).standard_normal(drawn[:2])
)


def row_of(text):
    return np.array([[float(mark == "#") for mark in text]])


@pytest.mark.parametrize(
    ("text", "open_line", "closed_line"),
    [
        ("..##..#.###.", 3, 3),
        ("##..#..", 2, 2),
        ("##..#..#", 3, 2),  # a piece lies over the seam
        ("#......", 1, 1),
        ("#.#.#.#", 4, 3),
        ("#.#.#.", 3, 3),
        ("#", 1, 1),
        (".", 0, 0),
        ("####", 1, 1),
        ("....", 0, 0),
    ],
)
def test_runs_are_counted(text, open_line, closed_line):
    assert count_runs(row_of(text), 0, 0.5) == open_line
    assert count_runs(row_of(text), 0, 0.5, periodic=True) == closed_line
    column = row_of(text).T
    assert count_runs(column, ((0, 0), (len(text) - 1, 0)), 0.5) == open_line


def test_a_hand_has_as_many_digits_as_it_has_above_the_palm():
    hand = np.zeros((20, 31))
    hand[10:, 3:28] = 1
    for digit in range(5):
        hand[2:10, 3 + 5 * digit : 8 + 5 * digit - 2] = 1
    assert [count_runs(hand, row) for row in (0, 5, 15)] == [0, 5, 1]
    assert count_runs(hand[None], ((5, 0), (5, 14))) == 3
    assert count_runs(hand, ((2, 3), (19, 20))) == 2  # a slope: the first digit, then the palm


def test_a_sloping_line_has_one_cell_in_every_column_or_row_along_its_longer_side():
    field = np.zeros((4, 7))
    line = ((0, 0), (3, 6))
    for y, x in ((0, 0), (0, 1), (1, 2), (1, 3), (2, 4), (2, 5), (3, 6)):  # half-way to the lower index
        field[y, x] = 1
    assert count_runs(field, line, 0.5) == 1
    assert count_runs(1 - field, line, 0.5) == 0
    assert count_runs(field.T, ((0, 0), (6, 3)), 0.5) == 1
    assert count_runs(1 - field.T, ((0, 0), (6, 3)), 0.5) == 0


def test_without_a_threshold_the_whole_field_says_what_stands_out():
    field = np.zeros((20, 20))
    field[4:8, 3:6] = field[4:8, 10:15] = 1
    field[5, 18] = 2.5  # one hot cell: midway between the extremes would be 1.25
    ripples = field + 0.01 * np.sin(np.arange(20))
    assert count_runs(ripples, 5) == 3
    assert count_runs(ripples, 15) == 0  # the line alone has nothing but ripples
    assert count_runs(ripples, 15, 0.0) == 4
    assert count_runs(ripples, 5) == count_runs(ripples, 5, shapes(ripples).level)


@given(fields, st.data(), st.booleans())
def test_the_count_does_not_depend_on_direction_unit_origin_and_side(field, data, periodic):
    cell = st.tuples(st.integers(0, field.shape[0] - 1), st.integers(0, field.shape[1] - 1))
    a, b = data.draw(cell), data.draw(cell)
    found = count_runs(field, (a, b), 0.1, periodic=periodic)
    steps = max(abs(a[0] - b[0]), abs(a[1] - b[1])) + 1
    assert 0 <= found <= (steps + 1) // 2
    assert count_runs(field, (b, a), 0.1, periodic=periodic) == found
    assert count_runs(4 * field + 8, (a, b), 8.4, periodic=periodic) == found
    assert count_runs(field.T, (a[::-1], b[::-1]), 0.1, periodic=periodic) == found
    whole = np.pad(field, 3, constant_values=9.0)  # what lies beside the line does not matter
    assert count_runs(whole, ((a[0] + 3, a[1] + 3), (b[0] + 3, b[1] + 3)), 0.1, periodic=periodic) == found


@given(fields.filter(lambda field: field.shape[1] > 1), st.integers(0, 11))
def test_a_closed_row_begins_anywhere_and_has_as_many_gaps_as_runs(field, shift):
    for row in range(field.shape[0]):
        found = count_runs(field, row, 0.0, periodic=True)
        assert count_runs(np.roll(field, shift, axis=1), row, 0.0, periodic=True) == found
        above = field[row] > 0
        if above.any() and not above.all():
            assert count_runs(-field, row, 0.0, periodic=True) == found
        assert 0 <= count_runs(field, row, 0.0) - found <= 1
        assert found == (np.diff(above.astype(int), append=int(above[0])) == 1).sum() + above.all()


@given(fields.filter(lambda field: field.size > 1), st.floats(0.01, 100), st.floats(-10, 10))
def test_the_default_level_moves_with_the_field(field, scale, offset):
    row = field.shape[0] // 2
    assert count_runs(field * scale + offset, row) == count_runs(field, row)


@all_in_one(
    ("field", "line", "options", "error", "match"),
    [
        (np.zeros((2, 5, 5)), 0, {}, ValueError, "expected one channel"),
        (np.full((4, 4), np.nan), 0, {}, ValueError, "NaN or infinite"),
        (np.eye(4), 4, {}, ValueError, r"line is 4, expected cells of the field, from \(0, 0\) to \(3, 3\)"),
        (np.eye(4), -1, {}, ValueError, "line is -1"),
        (np.eye(4), 1.5, {}, TypeError, "line is 1.5, expected whole numbers"),
        (np.eye(4), True, {}, TypeError, "whole numbers"),
        (np.eye(4), (1, 2), {}, ValueError, "expected a row, the two ends"),
        (np.eye(4), ((0, 0), (0, 9)), {}, ValueError, "expected cells of the field"),
        (np.eye(4), 0, {"threshold": np.inf}, ValueError, "threshold is inf"),
        (np.ones((4, 4)), 0, {}, ValueError, "the field is constant .*no pieces to count; give a threshold"),
    ],
)
def test_count_runs_refuses(field, line, options, error, match):
    with pytest.raises(error, match=match):
        count_runs(field, line, **options)


def test_a_constant_is_counted_above_a_given_threshold():
    assert count_runs(np.ones((4, 4)), 0, 0.5) == 1
    assert count_runs(np.ones((4, 4)), 0, 1.0) == 0
