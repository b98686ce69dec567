"""The machines once more, in float64, patch by patch: slow, and too plain to be wrong."""

import numpy as np

KINDS = ("local zero", "local periodic", "equivariant zero", "equivariant periodic")


def unit(images):
    """Training sets as the machines read them: float32, bytes at u/127.5 - 1."""
    if images.dtype == np.uint8:
        images = images.astype(np.float32) / np.float32(127.5) - np.float32(1)
    return images.astype(np.float32).astype(float)


def softmax_mean(squared, values, sigma):
    """sum_p W_p v_p, W = softmax(-squared/(2 sigma²)); the patches are the last axis of both."""
    weights = np.exp((squared.min() - squared) / (2 * sigma**2))
    return (weights * values).sum(-1) / weights.sum()


def ideal(images, y, sigma):
    """Whole images: eqs. 3-4 of Kamb & Ganguli (2025)."""
    x = unit(images)
    return softmax_mean(((y - x) ** 2).sum((1, 2, 3)), np.moveaxis(x, 0, -1), sigma)


def shifts(images):
    """Every image at every circular shift: the orbit of eqs. 5-6."""
    H, W = images.shape[2:]
    return np.concatenate([np.roll(images, (dy, dx), axis=(2, 3)) for dy in range(H) for dx in range(W)])


def reach(x, size, r):
    """How many pixels of a window of radius r lie before and behind x where the border ends it."""
    return min(x, r), min(size - 1 - x, r)


def places(kind, pixel, field, image, r):
    """The places (v, u) of the training images whose patches a pixel of the field may be compared with, in order."""
    everywhere = [(v, u) for v in range(image[0]) for u in range(image[1])]
    if kind.startswith("local"):
        return [pixel]
    if kind == "equivariant periodic":
        return everywhere
    here = [reach(x, size, r) for x, size in zip(pixel, field, strict=True)]
    return [p for p in everywhere if [reach(x, size, r) for x, size in zip(p, image, strict=True)] == here]


def window(a, place, before, behind):
    """The pixels around a place of (..., H, W), wrapping."""
    rows, columns = (np.arange(x - low, x + high + 1) for x, low, high in zip(place, before, behind, strict=True))
    return a.take(rows, -2, mode="wrap").take(columns, -1, mode="wrap")


def pairs(kind, images, y, r):
    """For every pixel: its place, the admissible ones, and the squared distances (N, places)."""
    field, image = y.shape[1:], images.shape[2:]
    known = {}
    for pixel in np.ndindex(*field):
        if kind.endswith("periodic"):
            before = behind = (r, r)
        else:
            before, behind = zip(*(reach(x, size, r) for x, size in zip(pixel, field, strict=True)), strict=True)
        seen = places(kind, pixel, field, image, r)
        key = (before, behind, *seen)
        if key not in known:
            known[key] = np.stack([window(images, p, before, behind) for p in seen], axis=1)
        q = window(y, pixel, before, behind)
        yield pixel, seen, ((known[key] - q) ** 2).sum((2, 3, 4))


def denoise(kind, images, y, sigma, k):
    """D(y; sigma) of one field (C, H, W): eqs. 7-10 and 41."""
    x, D = unit(images), np.empty(y.shape)
    for pixel, seen, squared in pairs(kind, x, y.astype(float), k // 2):
        centres = np.stack([x[:, :, v, u].T for v, u in seen], axis=-1)  # (C, N, places)
        D[:, *pixel] = softmax_mean(squared.ravel(), centres.reshape(len(y), -1), sigma)
    return D


def nearest(kind, images, image, k, tie=1e-9):
    """Of every pixel the nearest patch (image, row, column, distance); ties to the lowest of each in that order."""
    found = np.empty((4, *image.shape[1:]))
    for pixel, seen, squared in pairs(kind, unit(images), image.astype(float), k // 2):
        n, p = np.argwhere(squared <= squared.min() + tie)[0]
        found[:, *pixel] = n, *seen[p], np.sqrt(squared[n, p])
    return found


def ddim(denoiser, noise, steps):
    """DDIM in its own frame: from phi ~ N(0, 1) at t = 1 down the cosine abar, by the formula of Song et al. (2021)."""
    phi = noise
    for i in range(steps, 0, -1):
        abar, lower = (np.cos(np.pi / 2 * t / 1.008) ** 2 for t in (i / steps, (i - 1) / steps))
        clean = denoiser(phi / np.sqrt(abar), np.sqrt(1 - abar) / np.sqrt(abar))
        eps = (phi - np.sqrt(abar) * clean) / np.sqrt(1 - abar)
        phi = np.sqrt(lower) * clean + np.sqrt(1 - lower) * eps
    return phi
