"""The Brusselator (Prigogine & Lefever 1968): the textbook reaction with both a Hopf and a Turing instability.

The uniform state (a, b/a) is stable without diffusion for b < 1 + a²; it has a Turing instability for
D_v/D_u > a²/(sqrt(b) - 1)², 7.4641 with the defaults, which lie just above.

- I. Prigogine, R. Lefever, Symmetry breaking instabilities in dissipative systems II, J. Chem. Phys. 48 (1968) 1695.

Presets: "onset" after VisualPDE; "strong" chosen here, with the same kinetics.
"""

from turingdiff.engine.expected_pattern import ExpectedPattern
from turingdiff.morphogenesis._reaction import reaction


@reaction(species="uv")
def brusselator(u, v, a=2.0, b=3.0):
    """Brusselator kinetics: u makes more of itself out of v, and is turned into v.

        u_t = D_u ∇²u + a - (b + 1) u + u²v
        v_t = D_v ∇²v + b u - u²v

    Parameters
    ----------
    a
        Feed of u, concentration per time.
    b
        Rate at which u is turned into v, per time.
    """
    uuv = u * u * v
    return a - (b + 1) * u + uuv, b * u - uuv


brusselator.diffusion = (1.0, 8.0)
brusselator.dx = 0.5
brusselator.t_end = 250.0
brusselator.steady_state = lambda a, b: (a, b / a)
brusselator.presets = {
    "onset": {"diffusion": (1.0, 8.0)},
    "strong": {"diffusion": (1.0, 20.0)},
}
brusselator.expected_patterns = {
    "onset": ExpectedPattern((96, 96), 300.0, "spots", moving=False, components=(36, 45), wavelength=(6.8, 7.6)),
    "strong": ExpectedPattern((96, 96), 100.0, "spots", moving=False, components=(30, 39), wavelength=(7.2, 8.2)),
}
