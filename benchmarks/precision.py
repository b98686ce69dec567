"""How far float32 carries a patch posterior: the numbers behind `LOGIT_ERROR` in turingdiff/patches/posterior.py.

    python benchmarks/precision.py [number of training images]

First table: the largest difference between D in float32 and in float64 over pixels whose best logit, |top|, lies in a
bin; inputs are images at the level's own noise, and worse ones: clean, pale, too noisy, pure noise. Second table: the
largest |top| on ordinary sampling trajectories, which should stay below the limit.
"""

import sys

import numpy as np

import turingdiff as td
from turingdiff.patches import admissible, posterior

BINS = (0, 30, 100, 200, 300, 400, 500, 600, 700, 800, 1000, 1500, 3000)
SIGMAS = (0.0781, 0.16, 0.3, 0.6, 1.0, 3.0, 80.0)
FORMS = {
    "zero": admissible.same_border_overlap,
    "periodic": admissible.all_shifts,
    "local": admissible.same_place,
}


def smooth(rng, count, size):
    """Colour images with a 1/f spectrum in [-1, 1]."""
    f = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.fftfreq(size)) + 1 / size
    noise = np.fft.ifft2(np.fft.fft2(rng.standard_normal((count, 3, size, size))) / f).real
    return np.clip(noise / (2 * noise.std()), -1, 1).astype(np.float32)


def inputs(clean, sigma, rng):
    noise = rng.standard_normal(clean.shape)
    return {
        "own noise": clean + sigma * noise,
        "clean": clean,
        "pale": clean / 2,
        "grey": clean * 0 + 0.1 * noise,
        "unit noise": clean + noise,
        "noise": 5 * noise,
    }


def errors(images, clean, rng):
    """Yields (label, |top|, |D32 - D64|) for all forms, sizes, levels and inputs, one value a pixel."""
    size = images.shape[2:]
    for form, places_of in FORMS.items():
        for k in (3, 5, 7, 11, 17, 27):
            if k > size[0]:
                continue
            places = places_of(size, size, k // 2)
            for sigma in SIGMAS:
                for name, y in inputs(clean, sigma, rng).items():
                    y = y.astype(np.float32)
                    single, top = posterior._posterior(images, y, sigma, k // 2, places)
                    double, _ = posterior._posterior(images, y.astype(float), sigma, k // 2, places)
                    yield f"{form}, k={k}, sigma={sigma}, {name}", -top, np.abs(single - double).max(1)


def error_table(sets, rng):
    worst, largest = [("", 0.0)] * len(BINS), [0.0] * len(BINS)
    for set_name, (images, clean) in sets.items():
        for label, top, error in errors(images, clean, rng):
            bins = np.digitize(top, BINS) - 1
            for b in np.unique(bins):
                here = bins == b
                if error[here].max() > worst[b][1]:
                    worst[b] = (f"{set_name}, {label}", error[here].max())
                largest[b] = max(largest[b], (error[here] / np.maximum(top[here], 1)).max())
    print("|top| from   max error   max error/|top|   where")
    for start, (label, error), ratio in zip(BINS, worst, largest, strict=True):
        print(f"{start:10d}   {error:9.1e}   {ratio:15.1e}   {label}")


def trajectory_table(machines):
    print(f"\nlargest |top| along a sample, level by level (limit {posterior.TOLERANCE / posterior.LOGIT_ERROR:.0f})")
    for name, machine in machines.items():
        tops = []
        shape = machine.images.shape[2:]
        start = machine.initial(shape, rng=0, replicas=2)
        for sigma, y in td.evolve(machine, start, machine.times()):
            if sigma > 0:
                r = machine.radius(sigma)
                places = machine.admissible(shape, shape, r)
                tops.append(-posterior._posterior(machine.images, y, sigma, r, places)[1].min())
        print(f"{name:32s}", *(f"{top:.0f}" for top in tops))


def main(count=64):
    rng = np.random.default_rng(0)
    fashion = td.data.fashion()[0]
    colour = smooth(rng, min(count, 160), 20)
    bits = rng.choice(np.float32([-1, 1]), (64, 1, 16, 16))
    sets = {
        "Fashion": (fashion[:count], fashion[-2:]),
        "colour": (colour[1:], colour[:1]),
        "black and white noise": (bits[1:], bits[:1]),
    }
    error_table(sets, rng)
    els = td.denoising.equivariant_local
    trajectory_table(
        {
            "Fashion, zero": els(fashion[:count]),
            "Fashion, periodic": els(fashion[:count], boundary="periodic"),
            "Fashion, zero, UNet sizes": els(fashion[:count], "fashion-unet-zeros"),
            "colour, zero": els(colour, "cifar10-resnet-zeros"),
            "colour, periodic": els(colour, "cifar10-resnet-circular", boundary="periodic"),
        }
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
