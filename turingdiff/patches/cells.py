"""The machines as bare cell functions: their definitions, in plain Python.

A machine is a choice of the training patches that a pixel is compared with. Its cell function writes the rate
(y - D)/sigma of the probability-flow ODE, with D the posterior mean over those patches,

    D = sum_p W_p p(0),    W = softmax_p( -||y_O - p||² / (2 sigma²) ),

as a running softmax: (maximum, sum, weighted sum). `turingdiff.denoising.posterior` computes the same numbers for
whole fields; the contract test holds the two together. The only parameter is the training set, (N, C, H, W).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numba import types

from turingdiff.engine.compile import compiled_form


def unit(value):
    """A training pixel on the [-1, 1] scale: floats are on it, bytes are brought there."""
    # In float32, as `turingdiff.data.to_unit` has it, whatever the field's dtype.
    is_byte = isinstance(value, (int, np.integer))
    return np.float32(value) / np.float32(127.5) - np.float32(1) if is_byte else value


@compiled_form(unit)
def _compiled_unit(value):
    if isinstance(value, types.Integer):
        return lambda value: np.float32(value) / np.float32(127.5) - np.float32(1)
    return lambda value: value


def clipped(x, size, r):
    """How far the window of a pixel reaches before and behind it where it ends at the border."""
    return min(x, r), min(size - 1 - x, r)


def whole(x, size, r):
    """How far a window reaches on the torus."""
    return r, r


def one_more(peak, total, logit):
    """A softmax with one more logit: peak, sum, what the old sums are worth now, and the weight of the new logit."""
    highest = max(peak, logit)
    before, weight = math.exp(peak - highest), math.exp(logit - highest)
    return highest, total * before + weight, before, weight


def machine_cell(name: str, reach: Callable, admits: Callable) -> Callable:
    """The cell function of a machine.

    ``reach(x, size, r)`` cuts a window to the field; ``admits(x, size, u, length, r)`` says, for each axis, whether a
    pixel at x of a field of `size` is compared with patches around u of an image of `length`.
    """

    def cell(phi, i, j, t, p, g, out):
        images, r, y, x = p[0], g.radius, i - g.pad, j - g.pad
        count, channels, height, width = images.shape
        top, bottom = reach(y, g.height, r)
        left, right = reach(x, g.width, r)
        peak, total, mean = -math.inf, 0.0, np.zeros(channels)
        for v in range(height):
            for u in range(width):
                if admits(y, g.height, v, height, r) and admits(x, g.width, u, width, r):
                    for n in range(count):
                        squared = 0.0
                        for c in range(channels):
                            for a in range(-top, bottom + 1):
                                for b in range(-left, right + 1):
                                    pixel = unit(images[n, c, (v + a) % height, (u + b) % width])
                                    squared += (phi[c, i + a, j + b] - pixel) ** 2
                        peak, total, before, weight = one_more(peak, total, -squared / (2 * t * t))
                        for c in range(channels):
                            mean[c] = mean[c] * before + weight * unit(images[n, c, v, u])
        for c in range(channels):
            out[c, i, j] = (phi[c, i, j] - mean[c] / total) / t

    cell.__name__ = name
    return cell


def own_place(x, size, u, length, r):
    """Local machines: the patch at the pixel's own place."""
    return u == x


def same_overlap(x, size, u, length, r):
    """Boundary-broken equivariance: the patches that overlap the border as the pixel's window does."""
    return min(x, r) == min(u, r) and min(size - 1 - x, r) == min(length - 1 - u, r)


def any_place(x, size, u, length, r):
    """Equivariance on the torus: all patches."""
    return True
