"""Positional information (Wolpert 1969): a French flag, the control of the analogy.

*Not* self-organising. A cell reads from a gradient where it stands and becomes what is due there; the rule itself
knows a place, for only the cells of the left edge make the morphogen. It is local and deterministic, as every system
here, but shifting a field does not just shift its rate: it is to a Turing system what the local machine (LS), with
patches for every place, is to the equivariant one. It needs no noise, selects no wavelength, and does not scale: on a
longer field the last band is longer.

L. Wolpert, Positional information and the spatial pattern of cellular differentiation, J. Theor. Biol. 25 (1969) 1.
The constants are chosen for three equal bands on 256 cells: the gradient falls by a factor e in 40 cells.
"""

import numpy as np

from turingdiff.engine.expected_pattern import ExpectedPattern
from turingdiff.engine.rule import Rule
from turingdiff.engine.stencils import laplacian
from turingdiff.morphogenesis._system import system


@system(species=["morphogen", "fate"], D=1.0, decay=1 / 1600, influx=0.025, high=0.12, low=0.0145, speed=0.01)
def positional_information(phi, i, j, t, p, g, out):
    """A gradient m from the left edge, and the fate f that it tells each cell: 1, 1/2 or 0.

        m_t = D ∇²m - decay m, with an influx at the left edge
        f_t = speed (fate(m) - f), fate = 1 above high, 1/2 above low, else 0

    Parameters
    ----------
    D
        Diffusion constant of the morphogen, in squared length per time.
    decay
        Of the morphogen, per time; the gradient falls by a factor e in sqrt(D/decay).
    influx
        What enters through the left edge, in concentration times length per time.
    high, low
        Thresholds of the morphogen.
    speed
        Rate at which a cell takes on its fate, per time.
    """
    D, decay, influx, high, low, speed = p
    m, fate = phi[0, i, j], phi[1, i, j]
    change = D * laplacian(phi, 0, i, j, g) - decay * m
    if j == g.pad:
        change += influx / g.dx
    out[0, i, j] = change
    if m > high:
        out[1, i, j] = speed * (1 - fate)
    elif m > low:
        out[1, i, j] = speed * (0.5 - fate)
    else:
        out[1, i, j] = -speed * fate


def nothing(rule: Rule, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """No morphogen and fate 0 everywhere; nothing is drawn from `rng`."""
    return np.zeros((2, *shape))


positional_information.boundary = "no_flux"
positional_information.t_end = 10_000.0
positional_information.shown = 1
positional_information.initial = nothing
positional_information.stiffness = lambda dx, D, decay, influx, high, low, speed: max(8 * D / dx**2 + decay, speed)
positional_information.presets = {"french flag": {}}
positional_information.expected_patterns = {
    "french flag": ExpectedPattern((16, 256), 10_000.0, pattern="stripes", moving=False, components=(1, 1)),
}
