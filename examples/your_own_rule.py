"""Your own rule: a reaction in ten lines, and Conway's Life as a bare cell function.

For a reaction–diffusion system write the kinetics; the engine does the rest. For anything else write the cell function
itself: what one cell does, given what it sees. Look at fitzhugh_nagumo.gif, in which islands grow out of noise, and
at life.gif, in which Gosper's gun fires a glider every 30 generations.
"""

import argparse
from pathlib import Path

import numpy as np

import turingdiff as td


@td.reaction(species="uv")
def fitzhugh_nagumo(u, v, epsilon=0.5, c=0.1):
    """An activator u, and an inhibitor v that is slower by `epsilon` and spreads faster."""
    return u - u * u * u - v, epsilon * (u - v + c)


fitzhugh_nagumo.diffusion = (1.0, 20.0)
fitzhugh_nagumo.steady_state = lambda epsilon, c: (-np.cbrt(c), c - np.cbrt(c))
fitzhugh_nagumo.dx = 1.4
fitzhugh_nagumo.t_end = 250.0


def life(phi, i, j, t, p, g, out):
    """Conway's Life. A rule gives a rate: with steps of 1, new state minus old state."""
    alive = phi[0, i, j]
    around = -alive
    for y in range(i - 1, i + 2):
        for x in range(j - 1, j + 2):
            around += phi[0, y, x]
    out[0, i, j] = (1 if around == 3 or (around == 2 and alive == 1) else 0) - alive


GUN = [
    "........................O...........",
    "......................O.O...........",
    "............OO......OO............OO",
    "...........O...O....OO............OO",
    "OO........O.....O...OO..............",
    "OO........O...O.OO....O.O...........",
    "..........O.....O.......O...........",
    "...........O...O....................",
    "............OO......................",
]


def main(out="out", shape=(200, 200), t_end=None, generations=240, board=(44, 64), seed=0):
    folder = Path(out) / "your_own_rule"
    rule = fitzhugh_nagumo(boundary="no_flux")
    run = td.simulate(rule, rule.initial(shape, rng=seed), rule.times(t_end=t_end))
    print(td.animate(run, folder / "fitzhugh_nagumo.gif"))
    print("wavelength", td.measure.wavelength(run.final[0], rule.neighbourhood.dx, window="hann"))

    rule = td.Rule(life, params={}, channels=["alive"], neighbourhood=td.Neighbourhood(1, "zero"), name="Life")
    start = np.zeros((1, *board))
    start[0, 2:11, 2:38] = [[letter == "O" for letter in line] for line in GUN]
    game = td.simulate(rule, start, td.uniform(0, generations, 1), every=1)
    print(td.animate(game, folder / "life.gif", scale=8, fps=15, limits=(0, 1)))
    return run, game


QUICK = {"shape": (64, 64), "t_end": 100.0, "generations": 60}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small and fast")
    parser.add_argument("--out", default="out", metavar="DIR")
    options = parser.parse_args()
    main(options.out, **(QUICK if options.quick else {}))
