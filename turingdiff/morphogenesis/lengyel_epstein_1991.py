"""Lengyel–Epstein (1991): the chlorite–iodide–malonic acid reaction, in which Turing's patterns were first seen.

u is iodide, the activator, and v is chlorite. Starch in the gel binds iodide and slows it down, which is what lets v
spread faster. A Turing instability.

- I. Lengyel, I. R. Epstein, Modeling of Turing structures in the chlorite–iodide–malonic acid–starch reaction system,
  Science 251 (1991) 650.
- V. Castets, E. Dulos, J. Boissonade, P. De Kepper, Experimental evidence of a sustained standing Turing-type
  nonequilibrium chemical pattern, Phys. Rev. Lett. 64 (1990) 2953.

Presets: "holes" has the kinetics of VisualPDE's superlattice example; "stripes", with σ = 50, b = 0.31 and c = 1 in the
paper's form, is chosen here.
"""

from turingdiff.engine.expected_pattern import ExpectedPattern
from turingdiff.morphogenesis._reaction import reaction


@reaction(species="uv")
def lengyel_epstein(u, v, a=15.0, b=9.0):
    """Lengyel–Epstein kinetics of iodide u and chlorite v, without dimensions.

        u_t = D_u ∇²u + a - u - 4 u v/(1 + u²)
        v_t = D_v ∇²v + b (u - u v/(1 + u²))

    With the paper's σ, the slowing down by starch, b is its σ b and D_v its σ c.

    Parameters
    ----------
    a
        Feed of iodide, concentration per time.
    b
        Rate of chlorite over that of iodide.
    """
    reacting = u * v / (1 + u * u)
    return a - u - 4 * reacting, b * (u - reacting)


lengyel_epstein.diffusion = (1.0, 15.0)
lengyel_epstein.dx = 0.5
lengyel_epstein.t_end = 150.0
lengyel_epstein.steady_state = lambda a, b: (a / 5, 1 + a * a / 25)
lengyel_epstein.presets = {
    "holes": {"a": 15.0, "b": 9.0, "diffusion": (1.0, 15.0)},
    "stripes": {"a": 12.0, "b": 15.5, "diffusion": (1.0, 50.0)},
}
lengyel_epstein.expected_patterns = {
    "holes": ExpectedPattern((96, 96), 150.0, "holes", moving=False, components=(1, 1), wavelength=(5.9, 6.7)),
    "stripes": ExpectedPattern((96, 96), 200.0, "stripes", moving=False, components=(1, 3), wavelength=(6.9, 7.6)),
}
