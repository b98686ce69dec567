"""FitzHugh–Nagumo (FitzHugh 1961, Nagumo et al. 1962): a nerve that, with a fast inhibitor, makes Turing patterns.

Two regimes of the same equations. Where v is fast or spreads fast they have a Turing instability; with a = 0 they are
the same for (-u, -v) and make labyrinths. Where v is slow and does not spread, the uniform state is stable but
excitable: no Turing instability, but a finite push starts a wave, and a broken wave curls up into spirals.

- R. FitzHugh, Impulses and physiological states in theoretical models of nerve membrane, Biophys. J. 1 (1961) 445.
- J. Nagumo, S. Arimoto, S. Yoshizawa, An active pulse transmission line simulating nerve axon, Proc. IRE 50 (1962)
  2061.

Presets: "spots" after VisualPDE; "labyrinth" after the IPython Cookbook (C. Rossant), without its constant of -0.005 in
the equation of u, which cuts the labyrinth to pieces; "spirals" chosen here.
"""

import numpy as np

from turingdiff.engine.expected_pattern import ExpectedPattern
from turingdiff.engine.rule import Rule
from turingdiff.morphogenesis._reaction import reaction


@reaction(species="uv")
def fitzhugh_nagumo(u, v, epsilon=0.5, a=0.1):
    """FitzHugh–Nagumo kinetics: an excitable u and its recovery, or inhibitor, v.

        u_t = D_u ∇²u + u - u³ - v
        v_t = D_v ∇²v + ε (u - v + a)

    Parameters
    ----------
    epsilon
        Rate of v over that of u.
    a
        Offset. The uniform state is u = -a^(1/3); for a > 3^(-3/2) = 0.192 it is stable whatever epsilon is.
    """
    return u - u * u * u - v, epsilon * (u - v + a)


def broken_wave(rule: Rule, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """The uniform state with a front of u = 1 across half of the field, and v raised by 0.4 behind it, to the right.

    The front is 8 wide and the wake 30, in units of length. Its ends curl up into two spirals. There is no noise; the
    place on the torus is random.
    """
    height, width = shape
    state = rule.steady_state().reshape(2, 1, 1) * np.ones(shape)
    front, wake = (round(length / rule.neighbourhood.dx) for length in (8, 38))
    half = max(1, height // 2)
    state[0, :half, :front] = 1.0
    state[1, :half, front:wake] += 0.4
    return np.roll(state, (rng.integers(height), rng.integers(width)), (1, 2))


fitzhugh_nagumo.diffusion = (1.0, 20.0)
fitzhugh_nagumo.dx = 1.4
fitzhugh_nagumo.t_end = 250.0
fitzhugh_nagumo.steady_state = lambda epsilon, a: (-np.cbrt(a), a - np.cbrt(a))
fitzhugh_nagumo.presets = {
    "spots": {"epsilon": 0.5, "a": 0.1},
    "labyrinth": {"epsilon": 10.0, "a": 0.0, "diffusion": (2.8e-4, 0.05), "dx": 0.02, "t_end": 20.0},
    "spirals": {"epsilon": 0.05, "a": 0.2, "diffusion": (1.0, 0.0), "dx": 0.75, "t_end": 500.0, "initial": broken_wave},
}
fitzhugh_nagumo.expected_patterns = {
    "spots": ExpectedPattern((128, 128), 250.0, "spots", moving=False, components=(65, 83), wavelength=(17.7, 19.7)),
    "labyrinth": ExpectedPattern(
        (128, 128), 20.0, "stripes", moving=False, components=(4, 18), wavelength=(0.23, 0.265)
    ),
    "spirals": ExpectedPattern((160, 160), 350.0, "stripes", moving=True, components=(1, 4), wavelength=(38, 52)),
}
