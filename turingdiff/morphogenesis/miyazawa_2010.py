"""Miyazawa, Okamoto and Kondo (2010): the skins of animals, by a linear reaction between two limits.

A Turing instability. Synthesis is linear and clipped between 0 and a limit, so that all that the linear theory knows
of a skin is A: the growth of waves does not depend on C, and dark spots on light, a labyrinth and light spots on dark
have the same dispersion relation. Which one it is, only the limits decide. A cross of animals with opposite spots has
values between, and a labyrinth. A and C may be maps, (H, W): a skin that changes from place to place.

S. Miyazawa, M. Okamoto, S. Kondo, Blending of animal colour patterns by hybridization, Nature Communications 1 (2010)
66. Constants and diffusion of model M0014 of Morpheus, which varies A from 0.07 to 0.14 and C from -0.1 to 0.4.
"""

from turingdiff.engine.expected_pattern import ExpectedPattern
from turingdiff.morphogenesis._reaction import reaction


@reaction(species="uv")
def miyazawa(u, v, A=0.08, B=0.08, C=0.15, D=0.03, E=0.1, F=0.12, G=0.06, R=20.0, u_limit=0.23, v_limit=0.5):
    """Activator u and inhibitor v, with synthesis between 0 and a limit.

        u_t = D_u ∇²u + R (clip(A u - B v + C, 0, u_limit) - D u)
        v_t = D_v ∇²v + R (clip(E u - F, 0, v_limit) - G v)

    Parameters
    ----------
    A, B, C
        Synthesis of u: what u adds, what v takes, and what is made anyhow.
    D, G
        Decay of u and v.
    E, F
        Synthesis of v: what u adds, less a constant.
    R
        Rate of the whole reaction, per time.
    u_limit, v_limit
        Greatest synthesis.
    """
    made_u = min(max(A * u - B * v + C, 0), u_limit)
    made_v = min(max(E * u - F, 0), v_limit)
    return R * (made_u - D * u), R * (made_v - G * v)


def unclipped_state(A, B, C, D, E, F, G, R, u_limit, v_limit):
    """Where neither synthesis is clipped: G v = E u - F, and (A - D) u - B v + C = 0."""
    u = (C + B * F / G) / (B * E / G - (A - D))
    return u, (E * u - F) / G


miyazawa.diffusion = (1.0, 20.0)
miyazawa.t_end = 100.0
miyazawa.steady_state = unclipped_state
miyazawa.presets = {"spots": {"C": 0.0}, "labyrinth": {"C": 0.15}, "reversed spots": {"C": 0.3}}
miyazawa.expected_patterns = {
    "spots": ExpectedPattern(
        (96, 96), 100.0, pattern="spots", moving=False, components=(50, 80), wavelength=(10.0, 13.0)
    ),
    "labyrinth": ExpectedPattern((96, 96), 100.0, pattern="stripes", components=(1, 20), wavelength=(10.5, 13.5)),
    "reversed spots": ExpectedPattern(
        (96, 96), 100.0, pattern="holes", moving=False, components=(1, 1), wavelength=(10.0, 13.0)
    ),
}
