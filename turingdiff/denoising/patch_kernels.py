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

import math

from numba import prange

from turingdiff.denoising.lanes import LANES, fast_exp, lanes, least_of_lanes, square_lanes
from turingdiff.engine.compile import allocating_helper, patch_helper, patch_kernel
from turingdiff.engine.subnormals import flush_subnormals, restore_subnormals

# Pairs this many nats below the best so far are skipped: P pairs lose at most P exp(-32) of relative mass.
SKIP = -32.0
# The accumulators are rescaled when a pair is better by more: weights stay below exp(20).
RESCALE = 20.0
START = 1e30
# For entropies, sums of -w log w: 60,000 images of 28 x 28 pixels lose at most 60,000 784 exp(-40) (40 + 18) < 2e-8.
DEEP_SKIP = -40.0


@patch_helper
def square_onto(q, t, base, out):
    """Out = base + (q - t)², with one `q` a pixel."""
    for x in range(q.size):
        square_lanes(q[x], t, base, out, x * LANES)


@patch_helper
def add_to(a, b, out):
    """Out = a + b."""
    for m in range(out.size):
        out[m] = a[m] + b[m]


@patch_helper
def add(a, out):
    """Out += a."""
    for m in range(out.size):
        out[m] += a[m]


@patch_helper
def box_row(column, k, power, box):
    """Sums of k neighbouring pixels (k odd): box[x] = column[x] + ... + column[x + k - 1], by doubling.

    `power` (2, size) is scratch: sums of 2, 4, 8 ... pixels.
    """
    n, length, width, done, turn = box.size, column.size, 1, 1, 0
    if k == 1:
        for m in range(n):
            box[m] = column[m]
        return
    source = column
    while 2 * width <= k:
        length -= width * LANES
        target = power[turn, :length]
        add_to(source[:length], source[width * LANES : width * LANES + length], target)
        source, turn, width = target, 1 - turn, 2 * width
        if k & width:
            part = source[done * LANES : done * LANES + n]
            if done == 1:
                add_to(column[:n], part, box)
            else:
                add(part, box)
            done += width


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


@patch_helper
def keep_nearest(box, y, xa, dy, dx, bank, state):
    """Keep each lane's least distance and its place (row * width + column in the image); of equals the first place."""
    tie, height, width, best, place = state
    for x in range(xa, xa + box.size // LANES):
        here = (y + dy) % height * width + (x + dx) % width
        distances, nearest, places = box[(x - xa) * LANES :], best[y, x * LANES :], place[y, x * LANES :]
        for m in range(LANES):
            closer = distances[m] < nearest[m] - tie or (distances[m] <= nearest[m] + tie and here < places[m])
            places[m] = here if closer else places[m]
            nearest[m] = min(nearest[m], distances[m])


@patch_helper
def add_logits(d, precision, reference, total, moment):
    """Add weights w = exp(l) to `total` and w l to `moment`, l = (reference - d) precision."""
    for m in range(d.size):
        logit = (reference - d[m]) * precision
        w = fast_exp(logit)
        total[m] += w
        moment[m] += w * logit


@patch_helper
def add_moments(box, y, xa, dy, dx, bank, state):
    """Add one row of pairs to each lane's sums of w = exp(l) and of w l, with l = (reference - d) precision <= RESCALE.

    Per pixel, `nearest` is the least distance, and `reference` one that is not far above it.
    """
    precision, nearest, reference, total, moment = state
    for m in range(0, box.size, LANES):
        x = xa + m // LANES
        best, a, b = least_of_lanes(box, m), x * LANES, x * LANES + LANES
        gain = (reference[y, x] - best) * precision
        nearest[y, x] = min(nearest[y, x], best)
        if gain > RESCALE:
            factor = math.exp(-gain)
            for n in range(a, b):
                moment[y, n] = (moment[y, n] - gain * total[y, n]) * factor
                total[y, n] *= factor
            reference[y, x] = best
        if gain > DEEP_SKIP:
            add_logits(box[m : m + LANES], precision, reference[y, x], total[y, a:b], moment[y, a:b])


@patch_helper
def sum_moments(lanes_total, lanes_moment, total, moment):
    """The sums of every pixel from those of its lanes."""
    for y in range(total.shape[0]):
        for x in range(total.shape[1]):
            for m in range(x * LANES, x * LANES + LANES):
                total[y, x] += lanes_total[y, m]
                moment[y, x] += lanes_moment[y, m]


@patch_helper
def keep_nearest_and_moments(box, y, xa, dy, dx, bank, state):
    """Both of `keep_nearest` and `add_moments`."""
    keep_nearest(box, y, xa, dy, dx, bank, state[0])
    add_moments(box, y, xa, dy, dx, bank, state[1])


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


@patch_kernel
def nearest_patches(
    queries, banks, row_shifts, column_shifts, r, tie, size, best, place, precision, nearest, reference, total, moment
):
    """Least distances and where, of every query (B) to every lane of every bank (K): (B, K, H, W * LANES).

    `size` is that of the training images; distances that differ by at most `tie` are equal. The last five arguments
    are those of `softmax_moments`.
    """
    blocks, height, width = banks.shape[0], total.shape[2], total.shape[3]
    for task in prange(queries.shape[0] * blocks):
        b, block = task // blocks, task % blocks
        lanes_total, lanes_moment = lanes(height, width, queries), lanes(height, width, queries)
        places = (tie, size[0], size[1], best[b, block], place[b, block])
        moments = (precision, nearest[b, block], reference[b, block], lanes_total, lanes_moment)
        scratch, consume = make_scratch(queries[b], r), keep_nearest_and_moments
        visit_pairs(consume, queries[b], banks[block], row_shifts, column_shifts, r, scratch, (places, moments))
        sum_moments(lanes_total, lanes_moment, total[b, block], moment[b, block])


@patch_kernel
def softmax_moments(queries, banks, row_shifts, column_shifts, r, precision, nearest, reference, total, moment):
    """The sums of `add_moments` of every query (B) over every bank (K): all (B, K, H, W), both distances from START."""
    blocks, height, width = banks.shape[0], total.shape[2], total.shape[3]
    for task in prange(queries.shape[0] * blocks):
        b, block = task // blocks, task % blocks
        lanes_total, lanes_moment = lanes(height, width, queries), lanes(height, width, queries)
        moments = (precision, nearest[b, block], reference[b, block], lanes_total, lanes_moment)
        scratch = make_scratch(queries[b], r)
        visit_pairs(add_moments, queries[b], banks[block], row_shifts, column_shifts, r, scratch, moments)
        sum_moments(lanes_total, lanes_moment, total[b, block], moment[b, block])


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
