"""Turing (1952): the two reactions of the paper itself, both exactly at the threshold.

A Turing instability at its margin: at one wavenumber the growth rate is zero, at all others waves decay. So a small
perturbation does nothing, and a finite one carries the state over to a pattern of large amplitude. Besides, E takes
Y away at a constant rate, as long as there is any: that is the floor of the second equation, without which Y falls
below zero and X runs away.

- "ring": X and Y on a ring of cells, a field (1, N). The length is that of a cell (dx = 1), and the marginal wave has
  4 sin²(pi s/N) = 1, that is s = N/6 lobes.
- "dappling": on a surface. The marginal wave has k = 1; it grows into spots of X.

A. M. Turing, The chemical basis of morphogenesis, Phil. Trans. R. Soc. B 237 (1952) 37. The constants of "dappling"
and its start between 3 and 5 as in Ready's file Turing1952/spots.vti. Turing let a parameter of his ring drift slowly
past the threshold; here it stands at the threshold.
"""

import numpy as np

from turingdiff.engine.expected_pattern import ExpectedPattern
from turingdiff.engine.rule import Rule
from turingdiff.morphogenesis._reaction import reaction

PUSH = 0.25


@reaction(species="XY")
def turing_1952(X, Y, k=1 / 16, A=16.0, B=0.0, C=1.0, D=1.0, E=12.0):
    """Turing's two reactions: X turns into Y, which speeds that up; X is fed and Y taken away.

        X_t = D_X ∇²X + k (A - B X² - C X Y)
        Y_t = D_Y ∇²Y + max(k (B X² + C X Y - D Y - E), -Y)

    Parameters
    ----------
    k
        Rate of everything, per time.
    A
        Feed of X.
    B, C
        Turn X into Y: X alone, and X with the help of Y.
    D, E
        Take Y away: in proportion to it, and at a constant rate.
    """
    turned = B * X * X + C * X * Y
    return k * (A - turned), max(k * (turned - D * Y - E), -Y)


def finite_push(rule: Rule, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """The steady state, each cell and species times 1 + n, n uniform in ±0.25: at the margin less may not be enough."""
    return rule.steady_state().reshape(2, 1, 1) * rng.uniform(1 - PUSH, 1 + PUSH, (2, *shape))


def uniform_state(k, A, B, C, D, E):
    """What is fed is taken away, A = D Y + E; then B X² + C Y X = A, whose root is written so that B may be 0."""
    Y = (A - E) / D
    return 2 * A / (C * Y + np.sqrt((C * Y) ** 2 + 4 * A * B)), Y


turing_1952.diffusion = (0.25, 0.0625)
turing_1952.dx = 0.5
turing_1952.t_end = 2000.0
turing_1952.initial = finite_push
turing_1952.steady_state = uniform_state
turing_1952.presets = {
    "ring": {"k": 1 / 32, "A": 57.0, "B": 7.0, "C": 50.0, "D": 2.0, "E": 55.0, "diffusion": (0.5, 0.25), "dx": 1.0},
    "dappling": {"k": 1 / 16, "A": 16.0, "B": 0.0, "C": 1.0, "D": 1.0, "E": 12.0, "diffusion": (0.25, 0.0625)},
}
turing_1952.expected_patterns = {
    "ring": ExpectedPattern(
        (1, 60), 1000.0, pattern="stripes", moving=False, components=(8, 12), wavelength=(5.0, 7.2)
    ),
    "dappling": ExpectedPattern(
        (96, 96), 2000.0, pattern="spots", moving=False, components=(40, 70), wavelength=(5.6, 6.8)
    ),
}
