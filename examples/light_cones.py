"""How far a perturbation of one cell spreads: in a Turing pattern, a machine and a trained network.

One cell is changed a little, and both runs go on with the same rule. Nothing changes outside the light cone, the sum of
the radii of the steps (dashed): not by a single bit. For Schnakenberg's system it opens by one cell a step, for the
machine by half a patch, for the network by half its receptive field. The last two cones are wide at once; what matters
in them (dotted: a hundredth of the largest difference) comes later, as the noise falls.

Below, on one axis: which waves grow. Of the Turing system the dispersion relation, growth per time; of the equivariant
machine of 100 images, growth per unit of -ln sigma, as it goes down. At high noise nothing grows; then a band of waves
does, as in Turing's instability, and finer ones follow.
"""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import turingdiff as td
from turingdiff.show import save_figure
from turingdiff.show.cones import draw_cone


def main(out="out", size=64, steps=60, images=200, waves=100):
    known = td.data.fashion()[0][:images]
    turing = td.morphogenesis.schnakenberg(dx=0.5)
    times = turing.times()
    dt = times[1] - times[0]
    machine = td.denoising.equivariant_local(known)
    network = td.denoising.network("resnet-zeros")
    cones = [
        td.measure.influence(turing, turing.initial((size, size), rng=0), td.uniform(0, steps * dt, dt)),
        *(td.measure.influence(rule, rule.initial((28, 28), rng=0), rule.times()) for rule in (machine, network)),
    ]
    for cone in cones:
        print(cone)
    growth = td.measure.dispersion(turing)
    decided = td.measure.speciation(td.denoising.equivariant(known[:waves]))
    print(f"{turing.name}: the wave that grows fastest is {growth.wavelength:.2f} long")
    print(decided)
    save_figure(draw(cones, growth, decided), Path(out) / "light_cones" / "figure.png")
    return cones, growth, decided


def draw(cones, growth, decided):
    figure = Figure(figsize=(13, 8.4), dpi=110, layout="constrained")
    axes = figure.subplots(2, 3)
    for ax, cone in zip(axes[0], cones, strict=True):
        draw_cone(ax, cone)
        ax.set_title(cone.name, fontsize=10, loc="left", pad=4)
        ax.legend(fontsize=7, loc="lower right", bbox_to_anchor=(1, 0.2), frameon=False)
        if cone.clock == "sigma":  # there is room for every second level only
            ax.set_xticks(ax.get_xticks()[::2], [label.get_text() for label in ax.get_xticklabels()[::2]])
    k = np.linspace(0, 4 * growth.k_max, 400)
    axes[1, 0].plot(k, growth.growth(k))
    axes[1, 0].axhline(0, color="0.3", linewidth=0.8)
    axes[1, 0].set(
        ylim=(-4 * growth.growth(growth.k_max), None),
        ylabel="growth per time",
        title=f"{growth.name}: which waves grow",
    )
    waves = decided.wavenumbers[0]
    rates = decided.growth(waves)
    for sigma in (10, 3, 1.5, 1.0, 0.6):
        row = int(np.abs(np.log(decided.levels / sigma)).argmin())
        axes[1, 1].plot(waves, rates[row], ".-", label=f"sigma {decided.levels[row]:.2g}")
    axes[1, 1].axhline(0, color="0.3", linewidth=0.8)
    axes[1, 1].set(
        ylim=(-1.2, 4), ylabel="growth per unit of -ln sigma", title=f"{decided.name}: which waves grow, level by level"
    )
    axes[1, 1].legend(frameon=False, fontsize=8)
    begins = decided.decided_at(waves)
    axes[1, 2].plot(waves, begins, "o-")
    axes[1, 2].set(yscale="log", ylabel="sigma at which the wave begins to grow", title="coarse before fine")
    for ax in axes[1]:
        ax.set_xlabel("wavenumber along x [radians per length]")
        ax.title.set_fontsize(10)
    return figure


QUICK = {"size": 32, "steps": 20, "images": 60, "waves": 30}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small and fast")
    parser.add_argument("--out", default="out", metavar="DIR")
    options = parser.parse_args()
    main(options.out, **(QUICK if options.quick else {}))
