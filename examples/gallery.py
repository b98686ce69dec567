"""The gallery: every Turing system of the package on one contact sheet.

Below each picture stand the equations, the parameters, and the wavelength that linear theory predicts beside the one
that is measured. They agree near onset. They need not where a system is far beyond it, where patterns coarsen or move,
and where they grow from a finite push and there is nothing to predict.
"""

import argparse
from pathlib import Path

import numpy as np

import turingdiff as td
from turingdiff.show import save_figure


def main(out="out", names=td.morphogenesis.__all__, seed=0):
    cards = []
    for name in names:
        system = getattr(td.morphogenesis, name)
        preset, expected = next(iter(system.expected_patterns.items()))  # its first preset, at the size that shows it
        rule = system(preset)
        run = td.simulate(rule, rule.initial(expected.shape, rng=seed), rule.times(t_end=expected.t_end))
        prediction, measurement = predicted(rule), measured(run, rule)
        print(f"{rule.name:32} wavelength predicted {prediction:28} measured {measurement}")
        lines = [*system.equations.splitlines(), "", parameters(rule), ""]
        lines += [f"predicted {prediction}", f"measured  {measurement}"]
        cards.append(td.show.Card(f"{name}, {preset}", picture(run), lines))
    sheet = td.show.contact_sheet(cards, title="Local rules that make patterns")
    print(save_figure(sheet, Path(out) / "gallery" / "gallery.png"))
    return cards


def predicted(rule):
    """What linear theory says of the rule on the torus."""
    try:
        curve = td.measure.dispersion(rule.on_torus())
    except ValueError:  # no uniform steady state, or not the same everywhere
        return "nothing: no uniform state"
    if curve.unstable_band is None:
        return "none: stable to small waves"
    if curve.k_max == 0:
        return f"none: the uniform mode grows ({curve.regime})"
    return f"{curve.wavelength:.3g} ({curve.regime})"


def measured(run, rule):
    """Of the final picture, under a window where the field is no torus."""
    final = run.view(-1)
    if np.ptp(final) < 1e-3 * np.abs(final).max():
        return "none: uniform"
    found = td.measure.wavelength(final, run.dx, window=None if rule.neighbourhood.periodic else "hann")
    return str(found) if found.uncertainty < 0.2 * found.value else f"none stands out ({found})"


def parameters(rule):
    """All of them, and the grid spacing."""
    numbers = [f"{name}={value:.4g}" for name, value in rule.params.items() if np.ndim(value) == 0]
    numbers += [f"{name} varies" for name, value in rule.params.items() if np.ndim(value)]
    return "  ".join([*numbers, f"dx={rule.neighbourhood.dx:g}"])


def picture(run):
    """The final field; of a ring of cells its history, time downwards."""
    if run.final.shape[1] > 1:
        return run.view(-1)
    return np.stack([run.view(k)[0] for k in range(len(run.times))])


QUICK = {"names": ["schnakenberg", "brusselator", "gray_scott"]}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small and fast")
    parser.add_argument("--out", default="out", metavar="DIR")
    options = parser.parse_args()
    main(options.out, **(QUICK if options.quick else {}))
