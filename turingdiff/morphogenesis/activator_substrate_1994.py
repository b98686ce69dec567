"""Activator and substrate (Koch & Meinhardt 1994): an activator that starves, spots or stripes.

The activator a makes more of itself out of the substrate s, which is used up there and spreads faster. A Turing
instability. Without saturation (kappa = 0) it makes spots; the more it saturates, the wider the activated part becomes:
stripes, and then a network with holes.

- A. J. Koch, H. Meinhardt, Biological pattern formation: from basic mechanisms to complex structures, Rev. Mod. Phys.
  66 (1994) 1481, eq. 3.

Presets: "network" has the parameters that rdsolver gives for that equation; the other values of kappa are chosen here.
"""

from turingdiff.engine.expected_pattern import ExpectedPattern
from turingdiff.morphogenesis._reaction import reaction


@reaction(species="as")
def activator_substrate(a, s, rho_a=0.01, rho_s=0.02, mu_a=0.01, sigma_a=0.0, sigma_s=0.02, kappa=0.25):
    """Activator–substrate kinetics.

        a_t = D_a ∇²a + ρ_a a²s/(1 + κ a²) - μ_a a + σ_a
        s_t = D_s ∇²s - ρ_s a²s/(1 + κ a²) + σ_s

    Parameters
    ----------
    rho_a, rho_s
        Rates at which the reaction makes a and uses up s, per concentration squared and time.
    mu_a
        Decay rate of the activator, per time.
    sigma_a, sigma_s
        Basic production of activator and substrate, concentration per time.
    kappa
        Saturation of the self-activation, per concentration squared.
    """
    reacting = a * a * s / (1 + kappa * a * a)
    return rho_a * reacting - mu_a * a + sigma_a, sigma_s - rho_s * reacting


def steady_state(rho_a, rho_s, mu_a, sigma_a, sigma_s, kappa):
    """The one uniform steady state (a, s)."""
    a = (rho_a * sigma_s / rho_s + sigma_a) / mu_a
    return a, sigma_s * (1 + kappa * a * a) / (rho_s * a * a)


activator_substrate.diffusion = (0.005, 0.2)
activator_substrate.t_end = 20_000.0
activator_substrate.steady_state = steady_state
activator_substrate.presets = {
    "spots": {"kappa": 0.0},
    "stripes": {"kappa": 0.15},
    "network": {"kappa": 0.25},
}
activator_substrate.expected_patterns = {
    "spots": ExpectedPattern((96, 96), 20_000.0, "spots", moving=False, components=(150, 175), wavelength=(6.8, 7.5)),
    "stripes": ExpectedPattern((96, 96), 20_000.0, "stripes", moving=False, components=(2, 18), wavelength=(8.7, 9.4)),
    "network": ExpectedPattern((96, 96), 20_000.0, moving=False, components=(1, 2), wavelength=(9.4, 10.1)),
}
