"""Distances between all patches, by shifts and box sums.

For one shift s the squared difference of the query and a training image moved by s, summed over a window, is the
squared distance of *every* pixel's patch to the patch s away: no patch is ever copied and the cost of a pair does not
depend on the patch size. The innermost axis runs over LANES training images, so that all loops are long and flat.

Window sums never subtract: what leaves a window leaves no trace, and a change outside a pixel's window cannot touch
its last bit. Vertically a window is cut at a multiple of its height into the end of one block of rows and the
beginning of the next (van Herk's scheme: three additions a row whatever the height); horizontally sums are doubled.

Padded coordinates: with a halo of r cells, the window of pixel (y, x) covers rows y ... y + 2r of the padded query.
"""

from __future__ import annotations

from numba import prange

from turingdiff.engine.compile import allocating_helper, patch_helper, patch_kernel
from turingdiff.engine.subnormals import flush_subnormals, restore_subnormals
from turingdiff.patches.box_sums import add_to, box_row
from turingdiff.patches.lanes import LANES, fast_exp, lanes, least_of_lanes, square_lanes

# Pairs this many nats below the best so far are skipped: P pairs lose at most P exp(-32) of relative mass.
SKIP = -32.0
# The accumulators are rescaled when a pair is better by more: weights stay below exp(20).
RESCALE = 20.0
START = 1e30


@patch_helper
def square_onto(q, t, base, out):
    """Out = base + (q - t)², with one `q` a pixel."""
    for x in range(q.size):
        square_lanes(q[x], t, base, out, x * LANES)


@patch_helper
def visit_pairs(consume, query, bank, row_shifts, column_shifts, r, scratch, state):
    """Call ``consume(box, y, xa, dy, dx, bank, state)`` with the distances of row y, for every shift and row.

    query
        (C, Hq, Wq): padded.
    bank
        (C, Hb, Wb * LANES): LANES padded images; rows are taken modulo Hb.
    row_shifts, column_shifts
        (n, 3): a shift and the range of pixels (from, to) that it is admissible for.
    """
    channels, rows, k = bank.shape[0], bank.shape[1], 2 * r + 1
    suffix, prefix, column, box, power, zero = scratch
    for vertical in range(row_shifts.shape[0]):
        dy, ya, yb = row_shifts[vertical, 0], row_shifts[vertical, 1], row_shifts[vertical, 2]
        for horizontal in range(column_shifts.shape[0]):
            dx, xa, xb = (
                column_shifts[horizontal, 0],
                column_shifts[horizontal, 1],
                column_shifts[horizontal, 2],
            )
            lo, hi, n = xa, xb + 2 * r, (xb - xa) * LANES
            start, length = (xa + dx) * LANES, (hi - lo) * LANES
            for block in range(ya, yb, k):
                # Window sums that end with this block of k rows.
                for j in range(k - 1, -1, -1):
                    y = block + j
                    row = (y + dy) % rows
                    above = suffix[j + 1, :length] if j < k - 1 else zero[:length]
                    for c in range(channels):
                        base = above if c == 0 else suffix[j, :length]
                        square_onto(query[c, y, lo:hi], bank[c, row, start : start + length], base, suffix[j, :length])
                box_row(suffix[0, :length], k, power, box[:n])
                consume(box[:n], block, xa, dy, dx, bank, state)
                # Window sums that begin in this block and end in the next one.
                for m in range(length):
                    prefix[m] = 0
                for j in range(1, min(k, yb - block)):
                    y = block + k - 1 + j
                    row = (y + dy) % rows
                    below = prefix[:length]
                    for c in range(channels):
                        square_onto(query[c, y, lo:hi], bank[c, row, start : start + length], below, below)
                    add_to(suffix[j, :length], below, column[:length])
                    box_row(column[:length], k, power, box[:n])
                    consume(box[:n], block + j, xa, dy, dx, bank, state)


@allocating_helper
def make_scratch(query, r):
    """Work space of `visit_pairs`: rows of partial window sums."""
    pixels = query.shape[2]
    rows = lanes(4, pixels, query)
    return lanes(2 * r + 1, pixels, query), rows[0], rows[1], rows[2], lanes(2, pixels, query), rows[3]


@patch_helper
def add_weights(d, precision, least, total):
    """W = exp((least - d) precision); adds the weights to `total` and leaves them in `d`."""
    for m in range(d.size):
        w = fast_exp((least[m] - d[m]) * precision)
        d[m] = w
        total[m] += w


@patch_helper
def add_weighted(w, values, out):
    """Out += w values."""
    for m in range(out.size):
        out[m] += w[m] * values[m]


@patch_helper
def rescale(new, precision, y, start, least, total, weighted):
    """Take `new` as the least distance of the pixel whose lanes begin at `start`; rescale what has been summed."""
    factor = fast_exp((new - least[y, start]) * precision)
    for m in range(start, start + LANES):
        least[y, m] = new
        total[y, m] *= factor
        for c in range(weighted.shape[0]):
            weighted[c, y, m] *= factor


@patch_helper
def accumulate(box, y, xa, dy, dx, bank, state):
    """Add one row of pairs to the softmax: least distance so far, sum of weights, weighted sum of patch centres.

    Weights are relative to the least distance: at low noise only differences of distances have digits to spare.
    Pixels with no lane within SKIP of their best are passed over; runs of the others are flat loops (over
    one-dimensional slices: a slice with a step that Numba cannot see would not vectorise).
    """
    r, precision, least, total, weighted = state
    row, lo, to_centre, begin = (y + dy + r) % bank.shape[1], xa * LANES, (dx + r) * LANES, 0
    least_row = least[y, lo : lo + box.size]
    for m in range(0, box.size + 1, LANES):
        counts = False
        if m < box.size:
            best = least_of_lanes(box, m)
            gain = (least_row[m] - best) * precision
            counts = gain > SKIP
            if gain > RESCALE:
                rescale(best, precision, y, lo + m, least, total, weighted)
        if not counts:
            if begin < m:
                weights, a, b = box[begin:m], lo + begin, lo + m
                add_weights(weights, precision, least[y, a:b], total[y, a:b])
                for c in range(bank.shape[0]):
                    add_weighted(weights, bank[c, row, a + to_centre : b + to_centre], weighted[c, y, a:b])
            begin = m + LANES


@patch_helper
def sum_lanes(lanes_least, lanes_total, lanes_weighted, least, total, weighted):
    """The softmax of every pixel from those of its lanes, which have the same least distance."""
    for y in range(least.shape[0]):
        for x in range(least.shape[1]):
            least[y, x] = lanes_least[y, x * LANES]
            for m in range(x * LANES, x * LANES + LANES):
                total[y, x] += lanes_total[y, m]
                for c in range(weighted.shape[0]):
                    weighted[c, y, x] += lanes_weighted[c, y, m]


@patch_kernel
def posterior_states(queries, banks, row_shifts, column_shifts, r, precision, least, total, weighted):
    """Softmax states of every query (B) against every bank (K): least, total (B, K, H, W), weighted (B, K, C, H, W)."""
    height, width = least.shape[2], least.shape[3]
    channels, blocks = queries.shape[1], banks.shape[0]
    for task in prange(queries.shape[0] * blocks):
        b, block = task // blocks, task % blocks
        previous = flush_subnormals()
        lanes_least = lanes(height, width, queries)
        lanes_least[:] = START
        lanes_total = lanes(height, width, queries)
        lanes_weighted = lanes(channels * height, width, queries).reshape(channels, height, width * LANES)
        state = (r, precision, lanes_least, lanes_total, lanes_weighted)
        scratch = make_scratch(queries[b], r)
        visit_pairs(accumulate, queries[b], banks[block], row_shifts, column_shifts, r, scratch, state)
        sum_lanes(lanes_least, lanes_total, lanes_weighted, least[b, block], total[b, block], weighted[b, block])
        restore_subnormals(previous)
