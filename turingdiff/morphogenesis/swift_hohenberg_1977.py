"""Swift–Hohenberg (1977): the plainest equation that selects a wavelength.

Not chemistry: one field and derivatives of fourth order, a cell that sees two cells far. The uniform state is unstable
for epsilon > 0 to a band about k = 1, as in a Turing instability, and waves neither travel nor swing: an energy

    E = ∫ ((1 + ∇²) u)²/2 - epsilon u²/2 - g u³/3 + u⁴/4

falls all the time. Without g up and down are alike and there are stripes, of amplitude sqrt(4 epsilon/3) near onset;
with g > 0 there are spots on a honeycomb.

J. Swift, P. C. Hohenberg, Hydrodynamic fluctuations at the convective instability, Phys. Rev. A 15 (1977) 319; as a
model of patterns M. C. Cross, P. C. Hohenberg, Rev. Mod. Phys. 65 (1993) 851.
"""

import math

from turingdiff.engine.expected_pattern import ExpectedPattern
from turingdiff.engine.stencils import biharmonic, laplacian
from turingdiff.morphogenesis._system import system


@system(species="u", radius=2, epsilon=0.1, g=0.0)
def swift_hohenberg(phi, i, j, t, p, g, out):
    """Growth about the wavenumber 1, saturated by a cubic term.

        u_t = epsilon u - (1 + ∇²)² u + g u² - u³

    Parameters
    ----------
    epsilon
        Distance from the threshold: growth rate at k = 1.
    g
        Strength of the quadratic term, which tells up from down.
    """
    epsilon, quadratic = p
    u = phi[0, i, j]
    waves = u + 2 * laplacian(phi, 0, i, j, g) + biharmonic(phi, 0, i, j, g)
    out[0, i, j] = epsilon * u - waves + (quadratic - u) * u * u


def spectral_bound(dx, epsilon, g):
    """The symbol at the shortest wave, and the slope of the reaction up to the largest u that a spot reaches."""
    u = abs(g) + math.sqrt(g * g + 4 * abs(epsilon))
    return max((8 / dx**2 - 1) ** 2, 1) + abs(epsilon) + 2 * abs(g) * u + 3 * u * u


swift_hohenberg.dx = 0.7
swift_hohenberg.t_end = 200.0
swift_hohenberg.steady_state = lambda epsilon, g: (0.0,)
swift_hohenberg.stiffness = spectral_bound
swift_hohenberg.presets = {"stripes": {"g": 0.0}, "hexagons": {"g": 1.0}}
swift_hohenberg.expected_patterns = {
    "stripes": ExpectedPattern((128, 128), 200.0, pattern="stripes", moving=False, wavelength=(5.9, 6.7)),
    "hexagons": ExpectedPattern(
        (128, 128), 200.0, pattern="spots", moving=False, components=(140, 200), wavelength=(5.7, 6.9)
    ),
}
