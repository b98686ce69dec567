"""The trained network on a whole field: 3x3 convolutions as matrix products, no PyTorch needed.

A field is kept channels last with a ring of padding around it, as one long list of pixels. There a convolution is nine
products, one for each tap, of the list shifted by a fixed number of pixels with a matrix of channels: BLAS adds each to
what is there, and nothing is unfolded. What lands on the ring is written over by the next padding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from turingdiff.denoising.weights import Weights, time_features

Pad = Callable[[np.ndarray], None]


def zero_ring(padded: np.ndarray) -> None:
    """Zero padding: the ring around a field (H + 2, W + 2, C) becomes 0."""
    padded[0], padded[-1], padded[:, 0], padded[:, -1] = 0, 0, 0, 0


def wrapped_ring(padded: np.ndarray) -> None:
    """Circular padding: the ring around a field (H + 2, W + 2, C) becomes what stands at the other side."""
    padded[:, 0], padded[:, -1] = padded[:, -2], padded[:, 1]
    padded[0], padded[-1] = padded[-2], padded[1]


@dataclass(frozen=True, eq=False)
class ResidualLayers:
    """The layers of a network in one dtype: taps (9, in, out) and biases (out,)."""

    up: tuple[np.ndarray, np.ndarray]
    middle: Sequence[tuple[np.ndarray, np.ndarray]]
    down: tuple[np.ndarray, np.ndarray]
    pad: Pad

    def noise(self, phi: np.ndarray, constants: np.ndarray) -> np.ndarray:
        """The noise (C, H, W) in a field phi of the variance-preserving frame; `constants` (layers, width)."""
        channels, height, width = phi.shape
        padded = np.empty((height + 2, width + 2, channels), phi.dtype)
        padded[1:-1, 1:-1] = np.moveaxis(phi, 0, -1)
        self.pad(padded)
        h = convolution(padded, *self.up)
        self.pad(h)
        for (taps, bias), constant in zip(self.middle, constants, strict=True):
            change = convolution(h, taps, bias + constant)
            np.maximum(change, 0, out=change)
            h += change
            self.pad(h)
        return np.moveaxis(convolution(h, *self.down)[1:-1, 1:-1], -1, 0)


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


def convolution(padded: np.ndarray, taps: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """A 3x3 convolution of a padded field (H + 2, W + 2, in): (H + 2, W + 2, out), whose ring is arbitrary."""
    from scipy.linalg import get_blas_funcs

    rows, columns, channels = padded.shape
    first, count = columns + 1, rows * columns - 2 * (columns + 1)
    result = np.empty((rows, columns, taps.shape[2]), padded.dtype)
    pixels, inner = padded.reshape(-1, channels), result.reshape(-1, taps.shape[2])[first : first + count]
    inner[...] = bias
    multiply = get_blas_funcs("gemm", dtype=padded.dtype)
    for tap, matrix in enumerate(taps):
        shifted = first + (tap // 3 - 1) * columns + tap % 3 - 1
        # Transposed, C arrays are the Fortran arrays that BLAS takes without a copy; it adds to `inner` in place.
        multiply(1.0, matrix.T, pixels[shifted : shifted + count].T, beta=1.0, c=inner.T, overwrite_c=True)
    return result
