"""Schnakenberg (1979): the simplest activator–substrate kinetics with a Turing instability.

    u_t = D_u ∇²u + a - u + u²v
    v_t = D_v ∇²v + b - u²v

u is the activator: it makes more of itself out of the substrate v. The uniform state (a + b, b/(a + b)²) is stable
without diffusion and unstable to a band of wavelengths where v spreads fast enough; with the defaults the fastest
growing wavelength is 11.13 (growth rate 0.0572).

J. Schnakenberg, Simple chemical reaction systems with limit cycle behaviour, J. Theor. Biol. 81 (1979) 389.
Parameters of the presets after VisualPDE.
"""

from turingdiff.reactions import reaction


@reaction(species="uv")
def schnakenberg(u, v, a=0.1, b=0.9):
    """Schnakenberg kinetics: `a` feeds the activator u, `b` the substrate v (concentration per time)."""
    uuv = u * u * v
    return a - u + uuv, b - uuv


schnakenberg.diffusion = (1.0, 10.0)
schnakenberg.dx = 0.5
schnakenberg.t_end = 200.0
schnakenberg.steady_state = lambda a, b: (a + b, b / (a + b) ** 2)
schnakenberg.presets = {
    "spots": {"a": 0.01, "b": 2.0, "diffusion": (1.0, 100.0), "t_end": 60.0},
    "stripes": {"a": 0.01, "b": 2.0, "diffusion": (1.0, 30.0), "t_end": 150.0},
}
