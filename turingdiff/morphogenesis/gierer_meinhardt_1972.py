"""Gierer–Meinhardt (Gierer & Meinhardt 1972): local self-activation and long-range inhibition, spots or stripes.

The activator u makes more of itself and of the inhibitor v, and v spreads faster and slows it down. A Turing
instability. Without saturation (K = 0) it makes spots; a self-activation that saturates makes stripes.

- A. Gierer, H. Meinhardt, A theory of biological pattern formation, Kybernetik 12 (1972) 30.

Parameters of the presets after VisualPDE.
"""

from turingdiff.engine.expected_pattern import ExpectedPattern
from turingdiff.morphogenesis._reaction import reaction


@reaction(species="uv")
def gierer_meinhardt(u, v, a=0.5, b=1.0, c=6.1, K=0.0):
    """Gierer–Meinhardt kinetics: an activator u and an inhibitor v.

        u_t = D_u ∇²u + a + u²/(v (1 + K u²)) - b u
        v_t = D_v ∇²v + u² - c v

    Parameters
    ----------
    a
        Basic production of the activator, concentration per time.
    b, c
        Decay rates of activator and inhibitor, per time.
    K
        Saturation of the self-activation, per concentration squared.
    """
    uu = u * u
    return a + uu / (v * (1 + K * uu)) - b * u, uu - c * v


gierer_meinhardt.diffusion = (1.0, 100.0)
gierer_meinhardt.t_end = 100.0
# With saturation u is the root of a cubic; without, this is it.
gierer_meinhardt.guess = lambda a, b, c, K: ((a + c) / b, ((a + c) / b) ** 2 / c)
gierer_meinhardt.presets = {"spots": {"K": 0.0}, "stripes": {"K": 0.003, "t_end": 400.0}}
gierer_meinhardt.expected_patterns = {
    "spots": ExpectedPattern((96, 96), 60.0, "spots", moving=False, components=(61, 73), wavelength=(10.6, 11.8)),
    "stripes": ExpectedPattern((96, 96), 400.0, "stripes", moving=False, components=(1, 4), wavelength=(12.1, 13.3)),
}
