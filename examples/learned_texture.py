"""A pattern as training data: the patch must be as wide as the wavelength.

Small pictures are cut out of a Turing pattern (Schnakenberg's stripes), and the equivariant local machine, which knows
nothing of reactions or diffusion, makes new textures of them. Look at the wavelengths: where the patch is wider than
one wave, that of the new texture is close to that of the training pattern, though its spectrum is broader; a patch of
half a wave has seen only slopes and makes blotches of another size, and one of just under a wave is in between.

How far to trust it: this is one seed, and the constant patch of 13 was chosen after patches that shrink with the noise
had done worse. The other settings tried gave somewhat longer waves too, so there may be a small bias. The novelty says
only that a texture is no copy (0: a copy; 1: as new as one more training picture): the failed ones are the newest.
"""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import turingdiff as td
from turingdiff.show import save_figure


def main(out="out", patches=(5, 9, 13), canvas=64, pictures=100, size=32, grown=128, seed=0):
    rule = td.morphogenesis.schnakenberg("stripes", dx=1.0)
    run = td.simulate(rule, rule.initial((grown, grown), rng=seed), rule.times(), frames=2)
    pattern = to_unit(run.final[0])
    known = cut(pattern, pictures, size, np.random.default_rng(seed))
    yardstick = td.measure.leave_one_out(known)
    textures, lengths, spectra = {}, {}, {}
    name = "reaction–diffusion"
    lengths[name], spectra[name] = td.measure.wavelength(pattern), td.measure.spectrum(pattern)
    print(f"{name:18} wavelength {lengths[name]} cells")
    for side in patches:
        name = f"patch {side}"
        machine = td.denoising.equivariant_local(known, patch=side)
        texture = td.denoising.sample(machine, 1, (canvas, canvas), rng=seed)[0]
        textures[name], lengths[name] = texture[0], td.measure.wavelength(texture)
        spectra[name] = td.measure.spectrum(texture)
        corner = (canvas - size) // 2
        middle = texture[:, corner : corner + size, corner : corner + size]
        novelty = td.measure.novelty(middle, known, yardstick=yardstick).relative
        print(f"{name:18} wavelength {lengths[name]} cells   novelty {novelty:.2f}")
    figure = draw(pattern[:canvas, :canvas], known, textures, lengths, spectra)
    save_figure(figure, Path(out) / "learned_texture" / "figure.png")
    return lengths


def to_unit(field):
    """The field on the machines' scale, -1 ... 1."""
    low, high = field.min(), field.max()
    return (2 * (field - low) / (high - low) - 1).astype(np.float32)


def cut(pattern, count, size, rng):
    """`count` pictures (count, 1, size, size) from random places of a pattern on the torus."""
    wrapped = np.pad(pattern, ((0, size), (0, size)), mode="wrap")
    places = rng.integers(0, pattern.shape, (count, 2))
    return np.stack([wrapped[y : y + size, x : x + size] for y, x in places])[:, None]


def draw(pattern, known, textures, lengths, spectra):
    look = {"cmap": "gray", "vmin": -1, "vmax": 1}
    figure = Figure(figsize=(3 * (len(textures) + 2), 7.2), dpi=110, layout="constrained")
    top, bottom = figure.subfigures(2, 1, height_ratios=(1.1, 0.9))
    axes = top.subplots(1, len(textures) + 2)
    panels = {"reaction–diffusion": pattern, "training pictures": sheet(known[:9, 0]), **textures}
    for ax, (name, picture) in zip(axes, panels.items(), strict=True):
        ax.imshow(picture, **look)
        ax.set_title(name)
        ax.set(xticks=[], yticks=[])
        if name in lengths:
            ax.set_xlabel(f"wavelength {lengths[name]}")
    ax = bottom.subplots()
    for name, found in spectra.items():
        ax.plot(found.wavenumber, found.power * found.modes / (found.power * found.modes).sum(), label=name)
    ax.axvline(2 * np.pi / lengths["reaction–diffusion"].value, color="0.6", linestyle=":")
    ax.set(xlabel="wavenumber [radians per cell]", ylabel="share of the variance", xlim=(0, 2))
    ax.legend(frameon=False)
    return figure


def sheet(pictures, gap=2):
    """Nine pictures as one, three by three, with white gaps."""
    framed = np.pad(pictures, ((0, 0), (0, gap), (0, gap)), constant_values=1)
    return np.block([[framed[3 * row + column] for column in range(3)] for row in range(3)])[:-gap, :-gap]


QUICK = {"patches": (5, 13), "canvas": 48, "pictures": 40, "grown": 64}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small and fast")
    parser.add_argument("--out", default="out", metavar="DIR")
    options = parser.parse_args()
    main(options.out, **(QUICK if options.quick else {}))
