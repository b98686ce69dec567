"""Cahn–Hilliard (1958): a mixture that separates and coarsens, and keeps its amount.

Not a Turing pattern: c is conserved, nothing is made or taken away, and no wavelength is selected in the end. Between
±1/sqrt(3) the mixture is unstable to long waves, of which the one of wavenumber sqrt((1 - 3 mean²)/(2 kappa)) grows
fastest and shows first; from then on drops and ribbons grow at the cost of smaller ones, for ever. The free energy

    F = ∫ (c² - 1)²/4 + kappa |∇c|²/2

falls all the time. A flat front between the two phases is tanh(x/sqrt(2 kappa)). What comes out, a labyrinth or
droplets, is a matter of the start, not of the equation.

J. W. Cahn, J. E. Hilliard, Free energy of a nonuniform system I, J. Chem. Phys. 28 (1958) 258; J. W. Cahn, On spinodal
decomposition, Acta Metall. 9 (1961) 795.
"""

from functools import partial

import numpy as np

from turingdiff.engine.expected_pattern import ExpectedPattern
from turingdiff.engine.rule import Rule
from turingdiff.engine.stencils import beyond, biharmonic
from turingdiff.morphogenesis._system import system

NOISE = 0.05


@system(species="c", radius=2, kappa=1.0)
def cahn_hilliard(phi, i, j, t, p, g, out):
    """Flow down the gradient of the chemical potential c³ - c - kappa ∇²c.

        c_t = ∇²(c³ - c - kappa ∇²c) = ∇²(c³ - c) - kappa ∇⁴c

    Parameters
    ----------
    kappa
        Cost of a gradient, in squared length: fronts are sqrt(2 kappa) wide.
    """
    (kappa,) = p
    c = phi[0, i, j]
    vertical = slope(beyond(phi, 0, i - 1, j, c, g)) + slope(beyond(phi, 0, i + 1, j, c, g))
    horizontal = slope(beyond(phi, 0, i, j - 1, c, g)) + slope(beyond(phi, 0, i, j + 1, c, g))
    diffusion = ((vertical + horizontal) - 4 * slope(c)) * g.per_dx2
    out[0, i, j] = diffusion - kappa * biharmonic(phi, 0, i, j, g)


def slope(c):
    """The slope c³ - c of the double well (c² - 1)²/4: the potential of a cell but for gradients."""
    return c * c * c - c


def mixture(rule: Rule, shape: tuple[int, int], rng: np.random.Generator, mean: float = 0.0) -> np.ndarray:
    """Normal noise of size 0.05 about `mean`, which it keeps to rounding."""
    noise = NOISE * rng.standard_normal((1, *shape))
    return mean + (noise - noise.mean())


def spectral_bound(dx, kappa):
    """At the shortest wave, with the slope 3 c² - 1 of the potential at c = ±1."""
    shortest = 8 / dx**2
    return shortest * (2 + kappa * shortest)


cahn_hilliard.t_end = 300.0
cahn_hilliard.steady_state = lambda kappa: (0.0,)
cahn_hilliard.stiffness = spectral_bound
cahn_hilliard.presets = {"labyrinth": {}, "droplets": {"initial": partial(mixture, mean=-0.4)}}
cahn_hilliard.initial = mixture
cahn_hilliard.expected_patterns = {
    "labyrinth": ExpectedPattern((96, 96), 300.0, pattern="stripes", components=(1, 12), wavelength=(15.0, 27.0)),
    "droplets": ExpectedPattern((96, 96), 300.0, pattern="spots", components=(15, 45), wavelength=(15.0, 25.0)),
}
