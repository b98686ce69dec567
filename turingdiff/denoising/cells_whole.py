"""The machines that see the whole field, as bare cell functions: their definitions, in plain Python.

Each writes the rate (y - D)/sigma. `ideal`, whose cell function is one of a machine of patches, is in
`turingdiff.denoising.cells`.
"""

from __future__ import annotations

import math

import numpy as np

from turingdiff.denoising.cells import one_more, unit


def equivariant_cell(phi, i, j, t, p, g, out):
    """ES: all circular translations of all images, p = (images,)."""
    images, y, x = p[0], i - g.pad, j - g.pad
    count, channels, height, width = images.shape
    peak, total, mean = -math.inf, 0.0, np.zeros(channels)
    for n in range(count):
        for dy in range(height):
            for dx in range(width):
                squared = 0.0
                for c in range(channels):
                    for v in range(height):
                        for u in range(width):
                            pixel = unit(images[n, c, (v + dy) % height, (u + dx) % width])
                            squared += (phi[c, g.pad + v, g.pad + u] - pixel) ** 2
                peak, total, before, weight = one_more(peak, total, -squared / (2 * t * t))
                for c in range(channels):
                    here = unit(images[n, c, (y + dy) % height, (x + dx) % width])
                    mean[c] = mean[c] * before + weight * here
    for c in range(channels):
        out[c, i, j] = (phi[c, i, j] - mean[c] / total) / t


def smoothed_cell(phi, i, j, t, p, g, out):
    """The ideal machine's D averaged over perturbed fields, p = (images, perturbations, std)."""
    images, perturbations, std = p
    count, channels, height, width = images.shape
    y, x, spread, average = i - g.pad, j - g.pad, std * (1 + t), np.zeros(channels)
    for m in range(perturbations.shape[0]):
        peak, total, mean = -math.inf, 0.0, np.zeros(channels)
        for n in range(count):
            squared = 0.0
            for c in range(channels):
                for v in range(height):
                    for u in range(width):
                        perturbed = phi[c, g.pad + v, g.pad + u] + spread * perturbations[m, c, v, u]
                        squared += (perturbed - unit(images[n, c, v, u])) ** 2
            peak, total, before, weight = one_more(peak, total, -squared / (2 * t * t))
            for c in range(channels):
                mean[c] = mean[c] * before + weight * unit(images[n, c, y, x])
        for c in range(channels):
            average[c] += mean[c] / total
    for c in range(channels):
        out[c, i, j] = (phi[c, i, j] - average[c] / perturbations.shape[0]) / t


def wiener_cell(phi, i, j, t, p, g, out):
    """The Gaussian posterior mean, p = (mean, modes, variances): modes (K, C, H, W) are orthonormal images."""
    average, modes, variances = p
    count, channels, height, width = modes.shape
    y, x, gained = i - g.pad, j - g.pad, np.zeros(channels)
    for k in range(count):
        amplitude = 0.0
        for c in range(channels):
            for v in range(height):
                for u in range(width):
                    amplitude += modes[k, c, v, u] * (phi[c, g.pad + v, g.pad + u] - average[c, v, u])
        gain = variances[k] / (variances[k] + t * t)
        for c in range(channels):
            gained[c] += gain * amplitude * modes[k, c, y, x]
    for c in range(channels):
        out[c, i, j] = (phi[c, i, j] - average[c, y, x] - gained[c]) / t
