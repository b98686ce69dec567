"""The Brusselator (Prigogine & Lefever 1968): the textbook reaction with both a Hopf and a Turing instability.

    u_t = D_u ∇²u + a - (b + 1) u + u²v
    v_t = D_v ∇²v + b u - u²v

The uniform state (a, b/a) is stable without diffusion for b < 1 + a²; it forms patterns for
D_v/D_u > a²/(sqrt(b) - 1)², 7.4641 with the defaults, which lie just above (wavelength 7.42, growth rate 0.0577).

I. Prigogine, R. Lefever, Symmetry breaking instabilities in dissipative systems II, J. Chem. Phys. 48 (1968) 1695.
"""

from turingdiff.reactions import reaction


@reaction(species="uv")
def brusselator(u, v, a=2.0, b=3.0):
    """Brusselator kinetics: `a` feeds u (concentration per time), `b` turns u into v (per time)."""
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
