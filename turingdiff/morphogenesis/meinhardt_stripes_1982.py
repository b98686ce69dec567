"""Meinhardt (1982): stripes of two cell states that exclude each other locally and need each other from afar.

A Turing instability with five species. The activators a and b compete for c, which both make, so that one wins in
every cell; d spreads from a and helps b, e spreads from b and helps a, so that neither wins everywhere: regions of a
border on regions of b and both are as wide as d and e reach. As a and b saturate, the regions are stripes, not spots.

H. Meinhardt, Models of Biological Pattern Formation, Academic Press (1982). Constants and diffusion of G. Turk's
implementation (Generating textures on arbitrary surfaces using reaction–diffusion, SIGGRAPH 1991), as in Ready; there
the grid spacing is 1, too coarse for the borders between a and b.
"""

from turingdiff.engine.expected_pattern import ExpectedPattern
from turingdiff.morphogenesis._reaction import reaction


@reaction(species="abcde")
def meinhardt_stripes(a, b, c, d, e, rho=0.01, decay_ab=0.04, decay_c=0.06, exchange=0.04):
    """Two activators that compete locally and help each other from afar.

        a_t = D_a ∇²a + rho a² e/c - decay_ab a
        b_t = D_b ∇²b + rho b² d/c - decay_ab b
        c_t = D_c ∇²c + rho a² e + rho b² d - decay_c c
        d_t = D_d ∇²d + exchange (a - d)
        e_t = D_e ∇²e + exchange (b - e)

    Parameters
    ----------
    rho
        Strength of the self-activation, per time and squared concentration.
    decay_ab, decay_c
        Decay of the activators and of what they compete for, per time.
    exchange
        Rate at which d follows a and e follows b, per time.
    """
    made_a, made_b = rho * a * a * e, rho * b * b * d
    return (
        made_a / c - decay_ab * a,
        made_b / c - decay_ab * b,
        made_a + made_b - decay_c * c,
        exchange * (a - d),
        exchange * (b - e),
    )


def uniform_state(rho, decay_ab, decay_c, exchange):
    """With a = b: from a_t = 0, rho a² = decay_ab c; from c_t = 0, 2 rho a³ = decay_c c."""
    a = decay_c / (2 * decay_ab)
    return a, a, rho * a * a / decay_ab, a, a


meinhardt_stripes.diffusion = (0.005, 0.005, 0.0, 0.4, 0.4)
meinhardt_stripes.dx = 0.5
meinhardt_stripes.t_end = 1000.0
meinhardt_stripes.steady_state = uniform_state
meinhardt_stripes.presets = {"stripes": {}}
meinhardt_stripes.expected_patterns = {
    "stripes": ExpectedPattern((96, 96), 1000.0, pattern="stripes", moving=False, wavelength=(7.5, 10.5)),
}
