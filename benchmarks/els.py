"""One boundary-broken ELS denoising (Kamb & Ganguli 2025, eq. 41) at 28x28: turingdiff beside plain PyTorch.

    python benchmarks/els.py [--images 1000] [--repeats 3] [--threads 2]

The 20 levels of the cosine schedule with the published patch sizes for Fashion-MNIST, one query, float32. PyTorch
streams batches of 16 training images through an exact softmax (maximum, sum, weighted sum), with the products q·p
by `conv2d`, the unfolded patches as filters, or by `matmul`; the faster of the two at each level counts. `clamped`
is `matmul` by someone who knows that MKL's exp is several times slower where it underflows: shown, for information.
All are first compared with a float64 brute force on 16x16 images. With one thread CPU seconds are counted, which
other programs hardly change; with several, the wall's, and only a quiet machine gives a figure worth quoting.

Floor: 3.2 M (pixel, patch) pairs an image for the 20 levels. By shifts and box sums a pair costs about 6 flops
whatever the patch, by products 2 k² flops, and then an exp if it is not negligible.

Targets: at least 10 times PyTorch; memory, at its peak, at most 3 times the uint8 training set + 64 MiB.
"""

import argparse
import math
import subprocess
import sys
import time
from functools import partial
from itertools import product
from pathlib import Path

import numba
import numpy as np

import turingdiff as td

LEVELS = td.denoising.cosine_levels(20)[-2::-1]  # from the lowest noise up
SIZES = (3, 3, 5, 5, 7, 7, 9, 9, 9, 11, 11, 11, 13, 13, 13, 15, 15, 15, 17, 17)
BATCH = 16
MIB = 2**20

try:
    import torch
    from torch.nn import functional
except ImportError:
    torch = None


def crop(x, rows, columns, r):
    """Return what the windows see that are centred in one of nine regions: -1, 0, 1 = edge, interior, edge."""
    x = functional.pad(x, [r * (columns < 0), r * (columns > 0), r * (rows < 0), r * (rows > 0)])
    band = {-1: slice(3 * r), 0: slice(None), 1: slice(-3 * r, None)}
    return x[..., band[rows], band[columns]]


def windows(x, rows, columns, r):
    """Patches as (places that are kept apart, k², images and places that are pooled)."""
    x = crop(x, rows, columns, r)
    height, width = x.shape[2] - 2 * r, x.shape[3] - 2 * r
    x = functional.unfold(x, 2 * r + 1).reshape(len(x), -1, height, width)
    apart = height ** bool(rows) * width ** bool(columns)
    order = {(0, 0): (1, 0, 2, 3), (1, 0): (2, 1, 0, 3), (0, 1): (3, 1, 0, 2), (1, 1): (2, 3, 1, 0)}
    return x.permute(order[abs(rows), abs(columns)]).reshape(apart, (2 * r + 1) ** 2, -1)


def by_matmul(image, query, patches, rows, columns, sigma):
    """Return (2 q·p - |p|²)/(2 sigma²) as (apart, patches, pixels): the logits, but for |q|², which cancels."""
    norms = patches.square().sum(1).unsqueeze(2)
    return torch.baddbmm(norms, patches.mT, query, beta=-0.5 / sigma**2, alpha=1 / sigma**2)


def by_conv2d(image, query, patches, rows, columns, sigma):
    """Return the same; by convolution where the window slides both ways, which is where most of the work is."""
    if rows or columns:
        return by_matmul(image, query, patches, rows, columns, sigma)
    k = math.isqrt(patches.shape[1])
    norms = patches.square().sum(1).flatten()
    return functional.conv2d(image / sigma**2, patches[0].T.reshape(-1, 1, k, k), norms / (-2 * sigma**2)).flatten(2)


def clamped(*arguments):
    return by_matmul(*arguments)


WAYS = (by_conv2d, by_matmul, clamped)


def region(image, images, sigma, r, rows, columns, logits_by):
    query = windows(image, rows, columns, r)
    top, sums = torch.full((len(query), 1, query.shape[2]), -torch.inf), torch.zeros(1)
    for batch in images.split(BATCH):
        patches = windows(batch, rows, columns, r)
        centres = patches[:, patches.shape[1] // 2]
        logits = logits_by(image, query, patches, rows, columns, sigma)
        highest = torch.maximum(top, logits.amax(1, keepdim=True))
        logits.sub_(highest)
        if logits_by is clamped:
            logits.clamp_(min=-80)
        both = torch.stack([torch.ones_like(centres), centres], 1) @ logits.exp_()  # sum and weighted sum
        sums = sums * (top - highest).exp() + both
        top = highest
    mean = sums[:, 1] / sums[:, 0]
    return mean.T if columns and not rows else mean.reshape(r if rows else image.shape[2] - 2 * r, -1)


def torch_denoise(y, images, sigma, k, logits_by):
    image, images, r = torch.from_numpy(y)[None], torch.from_numpy(images), k // 2
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
        for way in WAYS if torch else ():
            sides[way.__name__] = torch_denoise(y, images, sigma, k, way).numpy()
        for name, found in sides.items():
            error = np.abs(found - exact).max()
            if not error < 1e-3:
                raise SystemExit(f"{name}: off by {error:.1e} at k = {k}, sigma = {sigma:.3g}")


def time_levels(count, repeats, clock):
    """Milliseconds an image, (repeats, levels, sides): turingdiff and the ways of PyTorch, in turn."""
    images = td.data.fashion()[0]
    query, images = images[-1], images[:count]
    machine = td.denoising.equivariant_local(images, patch="fashion-resnet-zeros", boundary="zero")
    noise = np.random.default_rng(1).standard_normal(query.shape)
    ms = np.full((repeats, len(SIZES), 1 + len(WAYS)), np.nan)
    for level, (k, sigma) in enumerate(zip(SIZES, LEVELS, strict=True)):
        if machine.radius(sigma) != k // 2:
            raise SystemExit(f"turingdiff takes radius {machine.radius(sigma)} at sigma = {sigma:.3g}, not {k // 2}")
        y = (query + sigma * noise).astype(np.float32)
        sides = [partial(machine.denoise, y, sigma)]
        sides += [partial(torch_denoise, y, images, sigma, k, way) for way in WAYS if torch]
        machine.denoise(y, sigma)  # compiles
        for n, (column, side) in product(range(repeats), enumerate(sides)):
            begin = clock()
            side()
            ms[n, level, column] = (clock() - begin) * 1e3 / count
        print(f"k {k:2}  sigma {sigma:6.3f}  " + in_words(ms[:, level]), flush=True)
    return ms


def in_words(ms):
    medians = "   ".join(f"{m:6.2f}" for m in np.median(ms, 0))
    return f"{medians} ms an image   ratio {np.median(ms[:, 1:3].min(1) / ms[:, 0]):5.1f}"


def peak_memory(count):
    """Print the bytes of `count` uint8 images, and by how much they and their machine raise the peak of the RSS."""
    few = np.round(td.data.fashion()[0][:count] * 127.5 + 127.5).astype(np.uint8)

    def status(key):
        return int(Path("/proc/self/status").read_text().split(key + ":")[1].split()[0]) * 1024

    def denoise(images):
        machine = td.denoising.equivariant_local(images, patch="fashion-resnet-zeros", boundary="zero")
        for sigma in (LEVELS[19], LEVELS[8], LEVELS[0]):
            machine.denoise(np.zeros((1, 28, 28), np.float32), float(sigma))

    denoise(few[:64])  # compiles
    Path("/proc/self/clear_refs").write_text("5")  # the peak is now the present
    before = status("VmRSS")
    images = np.resize(few, (count, 1, 28, 28))
    denoise(images)
    print(images.nbytes, status("VmHWM") - before)


def main(count, repeats, threads):
    print("python " + " ".join(sys.argv), f"  {threads} threads", flush=True)
    if not torch:
        print("torch is missing: pip install torch")
    verify()
    print(" " * 19 + "turingdiff, conv2d, matmul, (clamped)")
    ms = time_levels(count, repeats, time.perf_counter if threads > 1 else time.process_time)
    total = ms.sum(1)
    faster = ms[:, :, 1:3].min(2).sum(1)
    print("20 levels          " + "   ".join(f"{m:6.2f}" for m in np.median(total, 0)) + " ms an image")
    if torch:
        print(f"ratio {np.median(faster / total[:, 0]):.1f} to the faster of conv2d and matmul (target >= 10)")
        print(f"ratio {np.median(total[:, 3] / total[:, 0]):.1f} to clamped")
    if Path("/proc/self/clear_refs").exists():
        out = subprocess.run([sys.executable, __file__, "--memory"], check=True, capture_output=True, text=True).stdout
        held, peak = (int(word) for word in out.split())
        print(
            f"memory: {peak / MIB:.0f} MiB at its peak for {held / MIB:.0f} MiB of uint8 images "
            f"(target <= {3 * held / MIB + 64:.0f})"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory", action="store_true", help="measure the memory of 20,000 images, and nothing else")
    options = parser.parse_args()
    numba.set_num_threads(options.threads)
    if torch:
        torch.set_num_threads(options.threads)
    if options.memory:
        peak_memory(20_000)
    else:
        main(options.images, options.repeats, options.threads)
