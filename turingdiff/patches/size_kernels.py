"""Posteriors over windows of several sizes in one pass: the squared differences of two images serve them all.

Loops and shapes as in `turingdiff.patches.kernels`.
"""

from __future__ import annotations

from numba import prange

from turingdiff.engine.compile import patch_helper, patch_kernel
from turingdiff.engine.subnormals import flush_subnormals, restore_subnormals
from turingdiff.patches.box_sums import add_to, box_row
from turingdiff.patches.kernels import START, accumulate, square_onto, sum_lanes
from turingdiff.patches.lanes import LANES, lanes


@patch_helper
def square_rows(query, bank, dy, dx, top, bottom, left, right, zero, squares):
    """Squared differences of the padded query and the bank moved by (dy, dx), summed over channels, row by row."""
    start, length = (left + dx) * LANES, (right - left) * LANES
    for y in range(top, bottom):
        row = (y + dy) % bank.shape[1]
        for c in range(bank.shape[0]):
            base = zero[:length] if c == 0 else squares[y, :length]
            square_onto(query[c, y, left:right], bank[c, row, start : start + length], base, squares[y, :length])


@patch_helper
def add_both(a, b, out):
    """Out += a + b."""
    for m in range(out.size):
        out[m] += a[m] + b[m]


@patch_helper
def accumulate_sizes(query, bank, row_shifts, column_shifts, row_ranges, column_ranges, radii, scratch, state):
    """`accumulate` for windows of several radii, from the same squared differences.

    Vertical sums grow with the window, two rows at a time; `box_row` adds up columns.

    row_shifts, column_shifts
        (n, 3): a shift, and the padded rows or columns (from, to) that its windows meet.
    row_ranges, column_ranges
        (sizes, n, 2): the range of pixels that a shift is admissible for; where empty, then for larger windows too.
    radii
        (sizes,), rising; the halo of `query` and `bank` is the last.
    """
    precision, least, total, weighted = state
    squares, down, box, power, zero = scratch
    halo = radii[radii.size - 1]
    for vertical in range(row_shifts.shape[0]):
        dy, top, bottom = row_shifts[vertical, 0], row_shifts[vertical, 1], row_shifts[vertical, 2]
        for horizontal in range(column_shifts.shape[0]):
            dx, left, right = column_shifts[horizontal, 0], column_shifts[horizontal, 1], column_shifts[horizontal, 2]
            square_rows(query, bank, dy, dx, top, bottom, left, right, zero, squares)
            length, inner = (right - left) * LANES, 0
            for n in range(radii.size):
                ya, yb = row_ranges[n, vertical, 0], row_ranges[n, vertical, 1]
                xa, xb = column_ranges[n, horizontal, 0], column_ranges[n, horizontal, 1]
                if ya >= yb or xa >= xb:
                    break
                r, size = radii[n], (xb - xa) * LANES
                lo, hi = (xa + halo - r - left) * LANES, (xb + halo + r - left) * LANES
                sums = (halo, precision, least[n], total[n], weighted[n])
                for y in range(ya, yb):
                    column, middle = down[y, :length], y + halo
                    if n == 0:
                        add_to(squares[middle, :length], zero[:length], column)
                    for a in range(inner + 1, r + 1):
                        add_both(squares[middle - a, :length], squares[middle + a, :length], column)
                    box_row(column[lo:hi], 2 * r + 1, power, box[:size])
                    accumulate(box[:size], y, xa, dy, dx, bank, sums)
                inner = r


@patch_kernel
def posterior_states_of_sizes(
    queries, banks, row_shifts, column_shifts, row_ranges, column_ranges, radii, precision, least, total, weighted
):
    """As `posterior_states` for windows of several radii: one more first axis of the states."""
    height, width = least.shape[3], least.shape[4]
    channels, blocks, sizes = queries.shape[1], banks.shape[0], radii.size
    for task in prange(queries.shape[0] * blocks):
        b, block = task // blocks, task % blocks
        previous = flush_subnormals()
        query = queries[b]
        lanes_least = lanes(sizes * height, width, queries).reshape(sizes, height, width * LANES)
        lanes_least[:] = START
        lanes_total = lanes(sizes * height, width, queries).reshape(sizes, height, width * LANES)
        lanes_weighted = lanes(sizes * channels * height, width, queries)
        lanes_weighted = lanes_weighted.reshape(sizes, channels, height, width * LANES)
        rows = lanes(2, query.shape[2], query)
        squares, down = lanes(query.shape[1], query.shape[2], query), lanes(height, query.shape[2], query)
        scratch = (squares, down, rows[0], lanes(2, query.shape[2], query), rows[1])
        state = (precision, lanes_least, lanes_total, lanes_weighted)
        accumulate_sizes(
            query, banks[block], row_shifts, column_shifts, row_ranges, column_ranges, radii, scratch, state
        )
        for n in range(sizes):
            sum_lanes(
                lanes_least[n], lanes_total[n], lanes_weighted[n],
                least[n, b, block], total[n, b, block], weighted[n, b, block],
            )  # fmt: skip
        restore_subnormals(previous)
