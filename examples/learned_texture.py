"""A pattern as training data: the patch must be as wide as the wavelength.

Small pictures are cut out of a Turing pattern (Schnakenberg's stripes), and the equivariant local machine, which knows
nothing of reactions or diffusion, makes new textures of them. Look at the last table: over several seeds, each with a
pattern and textures of its own, how long the waves of the textures are beside those of their pattern. Where the patch
is wider than one wave they are the same within a few percent, though the spectrum is broader; a patch of half a
wave has seen only slopes and makes blotches of another size, and one of just under a wave is in between. The novelty
says only that a texture is no copy (0: a copy; 1: as new as one more training picture): the failed ones are the newest.
"""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import turingdiff as td
from turingdiff.show import save_figure


def main(out="out", patches=(5, 9, 13), canvas=64, pictures=100, size=32, grown=128, seeds=4):
    ratios = {side: [] for side in patches}
    for seed in range(seeds):
        pattern = grow(grown, seed)
        known = cut(pattern, pictures, size, np.random.default_rng(seed))
        textures = {side: learn(known, side, canvas, seed) for side in patches}
        wave = td.measure.wavelength(pattern)
        print(f"seed {seed}: reaction–diffusion    wavelength {wave} cells")
        yardstick = td.measure.leave_one_out(known)
        for side, texture in textures.items():
            length = td.measure.wavelength(texture)
            ratios[side].append(length.value / wave.value)
            corner = (canvas - size) // 2
            middle = texture[:, corner : corner + size, corner : corner + size]
            novelty = td.measure.novelty(middle, known, yardstick=yardstick).relative
            print(f"        patch {side:<13} wavelength {length} cells   novelty {novelty:.2f}")
        if seed == 0:
            save_figure(draw(pattern, known, textures), Path(out) / "learned_texture" / "figure.png")
    print(f"wavelength of the textures / wavelength of their pattern, mean and standard error of {seeds} seeds:")
    for side, values in ratios.items():
        error = np.std(values, ddof=1) / np.sqrt(seeds) if seeds > 1 else np.nan
        print(f"        patch {side:<13} {np.mean(values):.3f} ± {error:.3f}")
    return ratios


def grow(side, seed):
    """Stripes on a torus."""
    rule = td.morphogenesis.schnakenberg("stripes", dx=1.0)
    return to_unit(td.simulate(rule, rule.initial((side, side), rng=seed), rule.times(), frames=2).final[0])


def learn(known, patch, canvas, seed):
    """A new texture (1, H, W)."""
    machine = td.denoising.equivariant_local(known, patch=patch)
    return td.denoising.sample(machine, 1, (canvas, canvas), rng=seed)[0]


def to_unit(field):
    """The field on the machines' scale, -1 ... 1."""
    low, high = field.min(), field.max()
    return (2 * (field - low) / (high - low) - 1).astype(np.float32)


def cut(pattern, count, size, rng):
    """`count` pictures (count, 1, size, size) from random places of a pattern on the torus."""
    wrapped = np.pad(pattern, ((0, size), (0, size)), mode="wrap")
    places = rng.integers(0, pattern.shape, (count, 2))
    return np.stack([wrapped[y : y + size, x : x + size] for y, x in places])[:, None]


def draw(pattern, known, textures):
    look = {"cmap": "gray", "vmin": -1, "vmax": 1}
    canvas = next(iter(textures.values())).shape[-1]
    fields = {"reaction–diffusion": pattern, **{f"patch {side}": texture[0] for side, texture in textures.items()}}
    lengths = {name: td.measure.wavelength(field) for name, field in fields.items()}
    figure = Figure(figsize=(3 * (len(fields) + 1), 7.2), dpi=110, layout="constrained")
    top, bottom = figure.subfigures(2, 1, height_ratios=(1.1, 0.9))
    axes = top.subplots(1, len(fields) + 1)
    panels = {"training pictures": sheet(known[:9, 0])} | fields
    for ax, (name, picture) in zip(axes, panels.items(), strict=True):
        ax.imshow(picture[:canvas, :canvas] if name in lengths else picture, **look)
        ax.set_title(name)
        ax.set(xticks=[], yticks=[])
        if name in lengths:
            ax.set_xlabel(f"wavelength {lengths[name]}")
    ax = bottom.subplots()
    for name, field in fields.items():
        found = td.measure.spectrum(field)
        ax.plot(found.wavenumber, found.power * found.modes / (found.power * found.modes).sum(), label=name)
    ax.axvline(2 * np.pi / lengths["reaction–diffusion"].value, color="0.6", linestyle=":")
    ax.set(xlabel="wavenumber [radians per cell]", ylabel="share of the variance", xlim=(0, 2))
    ax.legend(frameon=False)
    return figure


def sheet(pictures, gap=2):
    """Nine pictures as one, three by three, with white gaps."""
    framed = np.pad(pictures, ((0, 0), (0, gap), (0, gap)), constant_values=1)
    return np.block([[framed[3 * row + column] for column in range(3)] for row in range(3)])[:-gap, :-gap]


QUICK = {"patches": (5, 13), "canvas": 48, "pictures": 40, "grown": 64, "seeds": 1}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small and fast")
    parser.add_argument("--out", default="out", metavar="DIR")
    options = parser.parse_args()
    main(options.out, **(QUICK if options.quick else {}))
