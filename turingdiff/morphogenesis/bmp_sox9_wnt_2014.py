"""Bmp–Sox9–Wnt (Raspopovic et al. 2014): the digits of a limb as stripes of Sox9.

A Turing instability in which one species, s, does not diffuse, so that *all* short waves grow, ever more slowly the
shorter they are; the fastest has the wavelength 0.280 with the defaults. Short waves grow where d = D_b/D_w exceeds
k4/k7, 1.2520 with the defaults. What grows then merges: at m = 1 the spacing doubles within 300 units of time.

    k4 = 1.95 - 0.36 m,    k7 = 0.55 + 0.72 m

m = Fgf·Hoxd13 modulates the two links on which Sox9 acts. Up to m = 0.266 nothing grows; above, the digits are the
thinner the smaller m is, as they are with fewer Hox genes (Sheth et al. 2012). m may be a map, (H, W).

J. Raspopovic, L. Marcon, L. Russo, J. Sharpe, Digit patterning is controlled by a Bmp–Sox9–Wnt Turing network modulated
by morphogen gradients, Science 345 (2014) 566: constants of the supplement's tables ST4 (m = 1) and ST7, D and d of
ST4, as a course of Utrecht University gives them. R. Sheth et al., Science 338 (2012) 1476.
"""

import numpy as np

from turingdiff.engine.expected_pattern import ExpectedPattern
from turingdiff.morphogenesis._reaction import reaction


@reaction(species="sbw")
def bmp_sox9_wnt(s, b, w, m=1.0, k2=1.0, k3=1.0, k5=0.1, k9=0.1):
    """Sox9 (s), Bmp (b) and Wnt (w) as deviations from their uniform state; s marks the digits.

        s_t = k2 b - k3 w - s³
        b_t = D_b ∇²b - (1.95 - 0.36 m) s - k5 b
        w_t = D_w ∇²w - (0.55 + 0.72 m) s - k9 w

    Parameters
    ----------
    m
        Fgf·Hoxd13, the dose of the modulation, without unit; a number or a map.
    k2, k3
        Bmp makes Sox9, Wnt takes it, per time.
    k5, k9
        Decay of Bmp and Wnt, per time.
    """
    return k2 * b - k3 * w - s * s * s, -(1.95 - 0.36 * m) * s - k5 * b, -(0.55 + 0.72 * m) * s - k9 * w


def uniform_state(m, k2, k3, k5, k9):
    """Zero whatever the parameters, as a map where m is one."""
    return np.zeros_like(m, float), 0.0, 0.0


bmp_sox9_wnt.diffusion = (0.0, 0.0025, 0.001)
bmp_sox9_wnt.dx = 0.02
bmp_sox9_wnt.t_end = 300.0
bmp_sox9_wnt.boundary = "no_flux"
bmp_sox9_wnt.steady_state = uniform_state
bmp_sox9_wnt.presets = {"digits": {"m": 1.0}, "thin digits": {"m": 0.5}}
bmp_sox9_wnt.expected_patterns = {
    "digits": ExpectedPattern((96, 96), 300.0, pattern="stripes", moving=False, wavelength=(0.45, 0.75)),
    "thin digits": ExpectedPattern((96, 96), 300.0, pattern="stripes", moving=False, wavelength=(0.21, 0.33)),
}
