"""How long one denoising takes, machine by machine, and how long a calibration without a network.

    python benchmarks/machines.py [--images 2000] [--repeats 5]

One 28 x 28 field, the bundled images, at three noise levels; set-up (covariances, masks) apart. The best of the
repeats counts. ELS beside PyTorch has a script of its own, `els.py`.

Targets: calibrate, 20 levels with a few held-out images, under two minutes on two cores.
"""

import argparse
import sys
import time

import numpy as np

import turingdiff as td

LEVELS = (0.2, 1.0, 10.0)
MACHINES = {
    "ideal": td.denoising.ideal,
    "equivariant": td.denoising.equivariant,
    "local": td.denoising.local,
    "equivariant_local": td.denoising.equivariant_local,
    "wiener": td.denoising.wiener,
    "pca_local": td.denoising.pca_local,
    "smoothed": td.denoising.smoothed,
    "patch_composite": td.denoising.patch_composite,
}


def seconds(function):
    began = time.perf_counter()
    result = function()
    return time.perf_counter() - began, result


def main(count, repeats):
    print(f"python {' '.join(sys.argv)}")
    images = td.data.fashion()[0][:count]
    noise = np.random.default_rng(0).standard_normal((1, 28, 28)).astype(np.float32)
    print(f"  {count} images{'set-up':>22}" + "".join(f"   sigma {sigma:4g}" for sigma in LEVELS) + "   seconds")
    for name, make in MACHINES.items():
        setup, machine = seconds(lambda make=make: make(images))
        fields = [images[0] + np.float32(sigma) * noise for sigma in LEVELS]
        for field, sigma in zip(fields, LEVELS, strict=True):
            machine.denoise(field, sigma)  # compiles, and fills caches
        best = [
            min(seconds(lambda m=machine, f=field, s=sigma: m.denoise(f, s))[0] for _ in range(repeats))
            for field, sigma in zip(fields, LEVELS, strict=True)
        ]
        print(f"  {name:18} {setup:12.3f}" + "".join(f"{value:13.4f}" for value in best), flush=True)
    took, calibration = seconds(lambda: td.denoising.calibrate(images[4:], images[:4]))
    print(f"  calibrate, 4 held-out images, 20 levels: {took:.0f} s (target 120)")
    print(f"  sizes from the lowest level up: {calibration.sizes}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    main(options.images, options.repeats)
