"""The trained network on a whole field: 3x3 convolutions as matrix products, no PyTorch needed.

A field is kept channels last with a ring of padding around it, as one long list of pixels. There a convolution is nine
products, one for each tap, of the list shifted by a fixed number of pixels with a matrix of channels; nothing is
unfolded. What lands on the ring is written over by the next padding.

The products are taken in blocks that BLAS does not spread over threads: how many it has would change the last bits.
Threads share out the fields instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numba
import numpy as np

from turingdiff.engine.short_repr import short_repr
from turingdiff.network._weights import Weights, time_features

Pad = Callable[[np.ndarray], None]
ONE_THREAD = 2**18  # multiplications up to which OpenBLAS, NumPy's own, stays on one thread


def zero_ring(padded: np.ndarray) -> None:
    """Zero padding: the ring around a field (H + 2, W + 2, C) becomes 0."""
    padded[0], padded[-1], padded[:, 0], padded[:, -1] = 0, 0, 0, 0


def wrapped_ring(padded: np.ndarray) -> None:
    """Circular padding: the ring around a field (H + 2, W + 2, C) becomes what stands at the other side."""
    padded[:, 0], padded[:, -1] = padded[:, -2], padded[:, 1]
    padded[0], padded[-1] = padded[-2], padded[1]


@short_repr
@dataclass(frozen=True, eq=False)
class ResidualLayers:
    """The layers of a network in one dtype: taps (9, in, out) and biases (out,)."""

    up: tuple[np.ndarray, np.ndarray]
    middle: Sequence[tuple[np.ndarray, np.ndarray]]
    down: tuple[np.ndarray, np.ndarray]
    pad: Pad

    def noise(self, fields: np.ndarray, constants: np.ndarray) -> np.ndarray:
        """The noise in fields (B, C, H, W) of the variance-preserving frame; `constants` (layers, width)."""
        if len(fields) == 1:
            return self._noise(fields[0], constants)[None]
        with ThreadPoolExecutor(numba.get_num_threads()) as threads:
            return np.stack(list(threads.map(lambda field: self._noise(field, constants), fields)))

    def _noise(self, field: np.ndarray, constants: np.ndarray) -> np.ndarray:
        channels, height, width = field.shape
        widest = max(channels, len(self.up[1]))
        block = max(1, min(ONE_THREAD // widest**2, height * (width + 2)))
        layout = _Layout(height + 2, width + 2, block)
        pixels = layout.pixels(channels, field.dtype)
        layout.field(pixels)[1:-1, 1:-1] = np.moveaxis(field, 0, -1)
        h = layout.pixels(len(self.up[1]), field.dtype)
        layout.inner(h)[...] = self._convolved(layout, pixels, *self.up)
        for (taps, bias), constant in zip(self.middle, constants, strict=True):
            change = self._convolved(layout, h, taps, bias + constant)
            inner = layout.inner(h)
            inner += np.maximum(change, 0, out=change)
        layout.inner(pixels)[...] = self._convolved(layout, h, *self.down)
        return np.moveaxis(layout.field(pixels)[1:-1, 1:-1], -1, 0)

    def _convolved(self, layout: _Layout, pixels: np.ndarray, taps: np.ndarray, bias: np.ndarray) -> np.ndarray:
        """The 3x3 convolution of a list of pixels at its inner ones, (blocks, block, out)."""
        self.pad(layout.field(pixels))
        pixels[layout.rows * layout.columns :] = 0
        total: np.ndarray | None = None
        for tap, matrix in enumerate(taps):
            shifted = layout.inner(pixels, (tap // 3 - 1) * layout.columns + tap % 3 - 1)
            if total is None:
                total = shifted @ matrix
                product = np.empty_like(total)
            else:
                total += np.matmul(shifted, matrix, out=product)
        assert total is not None
        total += bias
        return total


@dataclass(frozen=True)
class _Layout:
    """A padded field of rows x columns as a list of pixels; the inner ones, from the first to the last, in blocks."""

    rows: int
    columns: int
    block: int

    @property
    def blocks(self) -> int:
        return -(-(self.rows * self.columns - 2 * (self.columns + 1)) // self.block)

    def pixels(self, channels: int, dtype: np.dtype) -> np.ndarray:
        """A list that has a shifted pixel for every pixel of every block."""
        return np.zeros((2 * (self.columns + 1) + self.blocks * self.block, channels), dtype)

    def field(self, pixels: np.ndarray) -> np.ndarray:
        """The padded field, a view."""
        return pixels[: self.rows * self.columns].reshape(self.rows, self.columns, -1)

    def inner(self, pixels: np.ndarray, shift: int = 0) -> np.ndarray:
        """The inner pixels, or those `shift` further, as (blocks, block, channels), a view."""
        first = self.columns + 1 + shift
        return pixels[first : first + self.blocks * self.block].reshape(self.blocks, self.block, -1)


def residual_layers(weights: Weights, pad: Pad, dtype: np.dtype) -> ResidualLayers:
    """The layers of a network in the dtype of a field."""
    held = {name: array.astype(dtype) for name, array in weights.arrays.items()}

    def layer(kernel: np.ndarray, bias: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        out, into = kernel.shape[:2]
        return np.ascontiguousarray(kernel.transpose(2, 3, 1, 0)).reshape(9, into, out), bias

    return ResidualLayers(
        layer(held["up.weight"], held["up.bias"]),
        [layer(*both) for both in zip(held["middle.weight"], held["middle.bias"], strict=True)],
        layer(held["down.weight"], held["down.bias"]),
        pad,
    )


def layer_constants(weights: Weights, sigma: float, of_class: np.ndarray | float) -> np.ndarray:
    """V_l z: what the clock and the class add in each layer (layers, width), in float64."""
    features = time_features(sigma, weights.architecture.frequencies)
    z = np.maximum(weights.arrays["time.weight"].astype(float) @ features + weights.arrays["time.bias"] + of_class, 0)
    return weights.arrays["shift.weight"].astype(float) @ z
