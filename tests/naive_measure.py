"""The measures once more, in loops and definitions: slow, and too plain to be wrong."""

import itertools

import numpy as np


def mode_powers(field):
    """Every mode's wave vector in whole cycles a field (my, mx) and its power, by the sum that defines it."""
    H, W = field.shape
    y, x = np.mgrid[:H, :W]
    f = field - field.mean()
    modes = {}
    for my, mx in itertools.product(range(-((H - 1) // 2), H // 2 + 1), range(-((W - 1) // 2), W // 2 + 1)):
        a = np.sum(f * np.exp(-2j * np.pi * (my * y / H + mx * x / W))) / (H * W)
        modes[my, mx] = abs(a) ** 2
    return modes


def radial(field):
    """Ring number to (mean power, modes held); rings of |k| as wide as 2 pi/L, L the longer side."""
    H, W = field.shape
    L = max(H, W)
    rings = {}
    for (my, mx), p in mode_powers(field).items():
        ring = int(np.hypot(my / H, mx / W) * L + 0.5)
        rings.setdefault(ring, []).append(p)
    return {j: (np.mean(p), len(p)) for j, p in rings.items() if j > 0}


def agreement(a, b):
    """r2 and Pearson's r of one pair."""
    a, b = a.ravel(), b.ravel()
    return 1 - sum((a - b) ** 2) / sum((b - b.mean()) ** 2), np.corrcoef(a, b)[0, 1]


def distances(image, images):
    """(N, H, W): the RMS distance of every image to the wrapping window at every corner."""
    _, H, W = image.shape
    N, _, h, w = images.shape
    out = np.empty((N, H, W))
    for n, dy, dx in np.ndindex(N, H, W):
        window = np.roll(image, (-dy, -dx), axis=(1, 2))[:, :h, :w]
        out[n, dy, dx] = np.sqrt(np.mean((window - images[n]) ** 2))
    return out


def nearest(image, images):
    """Distance, index and shift of the nearest."""
    d = distances(image, images)
    n, dy, dx = np.unravel_index(d.argmin(), d.shape)
    return d.min(), n, (dy, dx)
