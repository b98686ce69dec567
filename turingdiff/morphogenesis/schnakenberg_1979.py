"""Schnakenberg (1979): the simplest activator–substrate kinetics with a Turing instability.

u is the activator: it makes more of itself out of the substrate v. The uniform state (a + b, b/(a + b)²) is stable
without diffusion and unstable to a band of wavelengths where v spreads fast enough.

- J. Schnakenberg, Simple chemical reaction systems with limit cycle behaviour, J. Theor. Biol. 81 (1979) 389.

Parameters of the presets after VisualPDE; the defaults are Chebfun's (spin2), whose reactions are three times faster.
"""

from turingdiff.engine.expected_pattern import ExpectedPattern
from turingdiff.morphogenesis._reaction import reaction


@reaction(species="uv")
def schnakenberg(u, v, a=0.1, b=0.9):
    """Schnakenberg kinetics: an activator u and the substrate v that it eats.

        u_t = D_u ∇²u + a - u + u²v
        v_t = D_v ∇²v + b - u²v

    Parameters
    ----------
    a, b
        Feeds of the activator and of the substrate, concentration per time.
    """
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
schnakenberg.expected_patterns = {
    "spots": ExpectedPattern((96, 96), 60.0, "spots", moving=False, components=(14, 20), wavelength=(10.4, 11.9)),
    "stripes": ExpectedPattern((96, 96), 150.0, "stripes", moving=False, components=(2, 8), wavelength=(9.2, 10.3)),
}
