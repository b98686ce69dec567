"""Digits: Bmp, Sox9 and Wnt on a limb bud, with three doses of Fgf·Hoxd13 (Raspopovic et al. 2014).

The bud is a rectangle without flux through its edges, the trunk on the left. The dose m rises from nothing there to its
full value in the last third; where it is low the network is stable, so that digits have an end. Look at figure.png:
the lower the dose, the thinner and the more numerous the digits, as in limbs with fewer Hox genes (Sheth et al. 2012;
theirs is another model, so the doses are "Hox-like" only). Below, digits counted across the bud: they appear about
as many as linear theory predicts (dotted), and then merge. digits.gif is the middle dose.

One thing is put in by hand: nine tenths of the initial noise is the same along the limb. Number and width of the
digits are the network's own; that they point outwards is not: from noise without a direction grows a labyrinth.
"""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import turingdiff as td
from turingdiff.show import save_figure

NOISE, ISOTROPIC = 0.01, 0.1
DISTAL = 0.85  # where digits are counted, as a share of the length


def main(out="out", doses=(0.5, 0.75, 1.0), shape=(150, 96), t_end=300.0, seed=0):
    runs, predicted = {}, {}
    for dose in doses:
        rule = td.morphogenesis.bmp_sox9_wnt(m=dose_map(dose, shape))
        runs[dose] = td.simulate(rule, bud(shape, seed), rule.times(t_end=t_end), frames=121)
        predicted[dose] = td.measure.dispersion(td.morphogenesis.bmp_sox9_wnt(m=dose, boundary="periodic")).wavelength
    for dose, run in runs.items():
        first = appearance(run)
        widths = [float(td.measure.wavelength(across(run, k), run.dx, window="hann")) for k in (first, -1)]
        print(
            f"dose {dose:.2f}: wavelength predicted {predicted[dose]:.3f}, at t = {run.times[first]:.0f} "
            f"{widths[0]:.3f}, at the end {widths[1]:.3f}; digits at the end {digits(run, -1)}"
        )
    folder = Path(out) / "digits"
    td.animate(runs[doses[len(doses) // 2]], folder / "digits.gif")
    save_figure(draw(runs, predicted), folder / "figure.png", dpi=110)
    return runs, predicted


def dose_map(dose, shape):
    """The dose along the limb: nothing in the proximal fifth, all of it in the distal 30%."""
    along = (np.arange(shape[1]) + 0.5) / shape[1]
    return dose * np.clip(2 * along - 0.4, 0, 1) * np.ones((shape[0], 1))


def bud(shape, seed):
    """Noise about the uniform state, most of it the same along the limb."""
    rng = np.random.default_rng(seed)
    same, own = rng.standard_normal((3, shape[0], 1)), rng.standard_normal((3, *shape))
    return NOISE * ((1 - ISOTROPIC) * same + ISOTROPIC * own)


def across(run, k):
    """Sox9 along a line across the digits, as a row."""
    sox9 = run.view(k)
    return sox9[None, :, int(DISTAL * sox9.shape[1])]


def digits(run, k):
    """How many stretches of the line are above the uniform state."""
    above = across(run, k)[0] > 0
    return int(above[0]) + int(np.sum(above[1:] & ~above[:-1]))


def appearance(run):
    """The first frame in which the digits are half as high as in the end."""
    heights = [np.ptp(across(run, k)) for k in range(len(run.times))]
    return int(np.argmax(np.array(heights) > heights[-1] / 2))


def draw(runs, predicted):
    figure = Figure(figsize=(10, 9), layout="constrained")
    grid = figure.add_gridspec(2, len(runs), height_ratios=(5, 4))
    for n, (dose, run) in enumerate(runs.items()):
        ax = figure.add_subplot(grid[0, n])
        height, width = run.dx * np.array(run.view(-1).shape)
        ax.imshow(run.view(-1), cmap="magma", extent=(0, width, height, 0))
        ax.axvline(DISTAL * width, color="white", linewidth=0.8, linestyle=":")
        ax.set_title(f"dose {dose:g}: {digits(run, -1)} digits", loc="left")
        ax.set_xlabel("from the trunk to the tip")
    ax = figure.add_subplot(grid[1, :])
    for dose, run in runs.items():
        counts = [digits(run, k) for k in range(appearance(run), len(run.times))]
        (line,) = ax.step(run.times[appearance(run) :], counts, where="mid", label=f"dose {dose:g}")
        height = run.dx * run.view(-1).shape[0]
        ax.axhline(height / predicted[dose], color=line.get_color(), linestyle=":")
    ax.set(xlabel="time", ylabel="digits across the bud", ylim=(0, None))
    ax.grid(alpha=0.3)
    ax.legend(title="dotted: predicted at onset")
    return figure


QUICK = {"doses": (0.6, 1.0), "shape": (60, 48), "t_end": 120.0}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small and fast")
    parser.add_argument("--out", default="out", metavar="DIR")
    options = parser.parse_args()
    main(options.out, **(QUICK if options.quick else {}))
