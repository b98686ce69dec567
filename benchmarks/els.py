"""One boundary-broken ELS denoising (Kamb & Ganguli 2025, eq. 41) on 28x28: turingdiff beside plain PyTorch.

    python benchmarks/els.py [--images 1000] [--repeats 3] [--threads 2]

The 20 levels of the cosine schedule with the published patch sizes for Fashion-MNIST, one query, float32. PyTorch
streams batches of 16 training images through an exact softmax (max, sum, weighted sum), its products q·p by
`conv2d` with the patches as filters or by matrix products of unfolded patches; the faster of the two at each level
counts. Both sides are first compared with a float64 brute force on 16x16 images.

Floor: 3.2 M (pixel, patch) pairs an image for the 20 levels; by shifts and box sums about 6 flops a pair whatever
the patch, by products 2 k² flops a pair, and then an exp for each pair that is not negligible.

Targets: at least 10 times PyTorch; peak memory above the uint8 training set at most 3 times that set + 64 MiB.
"""

import argparse
import math
import subprocess
import sys
import time
from itertools import product
from pathlib import Path

import numpy as np

import turingdiff as td

LEVELS = td.denoising.cosine_levels(20)[-2::-1]  # from the lowest noise up
SIZES = (3, 3, 5, 5, 7, 7, 9, 9, 9, 11, 11, 11, 13, 13, 13, 15, 15, 15, 17, 17)
BATCH = 16
CLAMP = 0


def crop(x, rows, columns, r):
    """Return what the windows see that are centred in one of nine regions: -1, 0, 1 = edge, interior, edge."""
    x = F.pad(x, [r * (columns < 0), r * (columns > 0), r * (rows < 0), r * (rows > 0)])
    band = {-1: slice(3 * r), 0: slice(None), 1: slice(-3 * r, None)}
    return x[..., band[rows], band[columns]]


def windows(x, rows, columns, r):
    """Patches as (places that are kept apart, k², images and places that are pooled)."""
    x = crop(x, rows, columns, r)
    height, width = x.shape[2] - 2 * r, x.shape[3] - 2 * r
    x = F.unfold(x, 2 * r + 1).reshape(len(x), -1, height, width)
    apart = height ** bool(rows) * width ** bool(columns)
    order = {(0, 0): (1, 0, 2, 3), (1, 0): (2, 1, 0, 3), (0, 1): (3, 1, 0, 2), (1, 1): (2, 3, 1, 0)}
    return x.permute(order[abs(rows), abs(columns)]).reshape(apart, (2 * r + 1) ** 2, -1)


def by_matmul(image, query, patches, rows, columns, sigma):
    """Return (2 q·p - |p|²)/(2 sigma²) as (apart, patches, pixels): the logits, but for |q|², which cancels."""
    norms = patches.square().sum(1).unsqueeze(2)
    return torch.baddbmm(norms, patches.mT, query, beta=-0.5 / sigma**2, alpha=1 / sigma**2)


def by_conv2d(image, query, patches, rows, columns, sigma):
    """Return the same; a convolution where the window slides both ways, which is where most of the work is."""
    if rows or columns:
        return by_matmul(image, query, patches, rows, columns, sigma)
    k = math.isqrt(patches.shape[1])
    norms = patches.square().sum(1).flatten()
    return F.conv2d(image / sigma**2, patches[0].T.reshape(-1, 1, k, k), norms / (-2 * sigma**2)).flatten(2)


def region(image, images, sigma, r, rows, columns, logits_by):
    query = windows(image, rows, columns, r)
    top, sums = torch.full((len(query), 1, query.shape[2]), -torch.inf), torch.zeros(1)
    for batch in images.split(BATCH):
        patches = windows(batch, rows, columns, r)
        centres = patches[:, patches.shape[1] // 2]
        logits = logits_by(image, query, patches, rows, columns, sigma)
        highest = torch.maximum(top, logits.amax(1, keepdim=True))
        weights = logits.sub_(highest)
        if CLAMP: weights = weights.clamp_(min=CLAMP)
        weights = weights.exp_()
        both = torch.stack([torch.ones_like(centres), centres], 1) @ weights  # sum and weighted sum
        sums = sums * (top - highest).exp() + both
        top = highest
    mean = sums[:, 1] / sums[:, 0]
    if columns and not rows:
        return mean.T
    return mean.reshape(r if rows else image.shape[2] - 2 * r, -1)


def torch_denoise(image, images, sigma, k, logits_by):
    r = k // 2
    with torch.inference_mode():
        bands = [
            torch.cat([region(image, images, sigma, r, rows, columns, logits_by) for columns in (-1, 0, 1)], 1)
            for rows in (-1, 0, 1)
        ]
        return torch.cat(bands)


def brute_force(y, images, sigma, k):
    """Float64, pixel by pixel, from the definition."""
    r, (height, width) = k // 2, y.shape
    q, p = (np.pad(a.astype(float), [(0, 0)] * (a.ndim - 2) + [(r, r)] * 2) for a in (y, images))
    out = np.empty_like(y, dtype=float)

    def alike(at, length):
        return range(r, length - r) if r <= at < length - r else [at]

    for i, j in product(range(height), range(width)):
        places = product(alike(i, height), alike(j, width))
        patches = np.concatenate([p[:, a : a + k, b : b + k] for a, b in places])
        logits = -((patches - q[i : i + k, j : j + k]) ** 2).sum((1, 2)) / (2 * sigma**2)
        weights = np.exp(logits - logits.max())
        out[i, j] = weights @ patches[:, r, r] / weights.sum()
    return out


def verify():
    rng = np.random.default_rng(0)
    images = np.ascontiguousarray(td.data.fashion()[0][:8, :, 6:22, 6:22])
    for k, sigma in product((3, 5, 7, 9), (5.0, 0.5, LEVELS[0])):
        y = (images[0] + sigma * rng.standard_normal(images[0].shape)).astype(np.float32)
        exact = brute_force(y[0], images[:, 0], sigma, k)
        sides = {"turingdiff": td.denoising.equivariant_local(images, patch=k, boundary="zero").denoise(y, sigma)[0]}
        for products in (by_matmul, by_conv2d) if torch else ():
            y_, images_ = torch.from_numpy(y)[None], torch.from_numpy(images)
            sides[products.__name__] = torch_denoise(y_, images_, sigma, k, products).numpy()
        for name, found in sides.items():
            error = np.abs(found - exact).max()
            if not error < 1e-3:
                raise SystemExit(f"{name}: off by {error:.1e} at k = {k}, sigma = {sigma:.3g}")


def seconds(function, *arguments):
    begin = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - begin


def main(count, repeats, threads):
    print("python " + " ".join(sys.argv), flush=True)
    numba.set_num_threads(threads)
    if torch:
        torch.set_num_threads(threads)
    else:
        print('torch is missing: pip install "turingdiff[bench]"')
    verify()
    images = td.data.fashion()[0]
    query, images = images[-1], images[:count]
    machine = td.denoising.equivariant_local(images, patch="fashion-resnet-zeros", boundary="zero")
    noise = np.random.default_rng(1).standard_normal(query.shape)
    ms = np.empty((repeats, len(SIZES), 3))
    for level, (k, sigma) in enumerate(zip(SIZES, LEVELS, strict=True)):
        assert k == 2 * machine.radius(sigma) + 1, "the machine uses another schedule"
        y = (query + sigma * noise).astype(np.float32)
        machine.denoise(y, sigma)  # compile
        for n in range(repeats):
            ms[n, level, 0] = seconds(machine.denoise, y, sigma) * 1e3 / count
            for column, products in enumerate((by_conv2d, by_matmul) if torch else (), 1):
                sides = torch.from_numpy(y)[None], torch.from_numpy(images)
                ms[n, level, column] = seconds(torch_denoise, *sides, sigma, k, products) * 1e3 / count
        ours, conv, mat = np.median(ms[:, level], axis=0)
        ratio = np.median(ms[:, level, 1:].min(1) / ms[:, level, 0])
        print(f"k {k:2}  sigma {sigma:7.3f}   turingdiff {ours:6.3f}   conv2d {conv:6.3f}   matmul {mat:6.3f} ms an image   ratio {ratio:5.1f}", flush=True)
    ours, theirs = ms[:, :, 0].sum(1), ms[:, :, 1:].min(2).sum(1)
    print(f"total  turingdiff {np.median(ours):.2f}   conv2d {np.median(ms[:, :, 1].sum(1)):.2f}   matmul {np.median(ms[:, :, 2].sum(1)):.2f}   the faster at each level {np.median(theirs):.2f} ms an image")
    print(f"ratio {np.median(theirs / ours):.1f} (target >= 10)")


if __name__ == "__main__":
    try:
        import torch
        import torch.nn.functional as F
    except ImportError:
        torch = None
    import numba
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    main(options.images, options.repeats, options.threads)
