"""The trained network as a bare cell function: what one pixel gets from its receptive field, in plain Python.

A pixel's noise is computed on its own window, 2 (layers + 2) + 1 wide, from the outside in: after each convolution
one ring less is known. With zero padding the cells outside the field are zero again in every layer, so a pixel near
the border knows where the border is; on the torus nothing tells one place from another.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from turingdiff.network._weights import SLOWEST, TIME_TO_ANGLE


def network_cell(name: str, holds: Callable) -> Callable:
    """The cell function of a residual network; ``holds(x, size)`` says whether its layers have a pixel at x."""

    def cell(phi, i, j, t, p, g, out):
        up, up_bias, middle, middle_bias, down, down_bias, time, time_bias, shift = p
        channels, (layers, width) = phi.shape[0], shift.shape[:2]
        y, x, reach, scale = i - g.pad, j - g.pad, layers + 2, 1 / math.sqrt(1 + t * t)
        h = np.zeros((width, 2 * reach + 1, 2 * reach + 1))
        for a in range(1 - reach, reach):
            for b in range(1 - reach, reach):
                if holds(y + a, g.height) and holds(x + b, g.width):
                    for o in range(width):
                        total = up_bias[o]
                        for c in range(channels):
                            for v in range(3):
                                for u in range(3):
                                    # Asked here too: the halo mirrors an axis of length 1, whatever the boundary.
                                    if holds(y + a + v - 1, g.height) and holds(x + b + u - 1, g.width):
                                        total += up[o, c, v, u] * phi[c, i + a + v - 1, j + b + u - 1] * scale
                        h[o, reach + a, reach + b] = total
        constants = time_constants(t, time, time_bias, shift)
        for layer in range(layers):
            known, rest = reach - 1 - layer, h
            h = np.zeros(rest.shape)
            for a in range(1 - known, known):
                for b in range(1 - known, known):
                    if holds(y + a, g.height) and holds(x + b, g.width):
                        for o in range(width):
                            total = middle_bias[0, layer, o] + constants[layer, o]
                            for c in range(width):
                                for v in range(3):
                                    for u in range(3):
                                        weight = middle[layer, o, c, v, u]
                                        total += weight * rest[c, reach + a + v - 1, reach + b + u - 1]
                            h[o, reach + a, reach + b] = rest[o, reach + a, reach + b] + max(total, 0.0)
        for c in range(channels):
            total = down_bias[c]
            for o in range(width):
                for v in range(3):
                    for u in range(3):
                        total += down[c, o, v, u] * h[o, reach + v - 1, reach + u - 1]
            out[c, i, j] = total

    cell.__name__ = name
    return cell


def time_constants(sigma, time, time_bias, shift):
    """V_l z(t): what the clock adds in each layer (layers, width)."""
    layers, width, embedding = shift.shape
    frequencies = time.shape[2] // 2
    constants = np.zeros((layers, width))
    for e in range(embedding):
        z = time_bias[e]
        for f in range(frequencies):
            angle = math.atan(sigma) * TIME_TO_ANGLE * SLOWEST ** (-f / max(frequencies - 1, 1))
            z += time[0, e, f] * math.sin(angle) + time[0, e, frequencies + f] * math.cos(angle)
        for layer in range(layers):
            for o in range(width):
                constants[layer, o] += shift[layer, o, e] * max(z, 0.0)
    return constants


def inside(x, size):
    """Zero padding: the layers end at the border."""
    return 0 <= x < size


def anywhere(x, size):
    """Circular padding: they go on at the other side."""
    return True


zeros_network_cell = network_cell("residual_network", inside)
circular_network_cell = network_cell("residual_network_torus", anywhere)
