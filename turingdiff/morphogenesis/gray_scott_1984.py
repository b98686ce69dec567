"""Gray–Scott (1984), as explored by Pearson (1993): autocatalysis in a fed tank, a zoo of patterns.

    u_t = D_u ∇²u - u v² + F (1 - u)
    v_t = D_v ∇²v + u v² - (F + k) v

Honest label: with D_u = 2 D_v the famous patterns are *not* a Turing instability. The uniform state (1, 0) is stable
for every F and k, and patterns need a finite push: here, seeds. Time is in steps of Pearson's dt = 1 and length in
cells: his D_u = 2e-5, D_v = 1e-5 at dx = 2.5/256 are 0.2097152 and 0.1048576 at dx = 1.

P. Gray, S. K. Scott, Chem. Eng. Sci. 39 (1984) 1087. J. E. Pearson, Complex patterns in a simple system, Science 261
(1993) 189. Presets: (F, k) of the data set The Well (Ohana et al. 2024).
"""

import numpy as np

from turingdiff.reactions import reaction
from turingdiff.rule import Rule

SEED_SIDE = 12
CELLS_PER_SEED = 48 * 48


@reaction(species="uv")
def gray_scott(u, v, F=0.03, k=0.062):
    """Gray–Scott kinetics: `F` is the feed rate, `k` the rate at which v decays (both per time)."""
    uvv = u * v * v
    return F * (1 - u) - uvv, uvv - (F + k) * v


def seeds(rule: Rule, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """The state (1, 0) with square seeds of (1/2, 1/4), 12 cells wide, one for each 48² cells and at least one.

    As in Pearson's protocol the seeds carry 1% of noise; he placed a single one of 20 x 20 in the middle of 256².
    """
    height, width = shape
    state = np.stack([np.ones(shape), np.zeros(shape)])
    for _ in range(max(1, round(height * width / CELLS_PER_SEED))):
        rows = (rng.integers(height) + np.arange(min(SEED_SIDE, height)))[:, None] % height
        columns = (rng.integers(width) + np.arange(min(SEED_SIDE, width))) % width
        noise = 1 + 0.01 * rng.uniform(-1, 1, (2, rows.size, columns.size))
        state[:, rows, columns] = np.array([0.5, 0.25])[:, None, None] * noise
    return state


gray_scott.diffusion = (0.2097152, 0.1048576)
gray_scott.shown = 1
gray_scott.t_end = 10_000.0
gray_scott.initial = seeds
gray_scott.steady_state = lambda F, k: (1.0, 0.0)
gray_scott.presets = {
    "gliders": {"F": 0.014, "k": 0.054},
    "bubbles": {"F": 0.098, "k": 0.057},
    "maze": {"F": 0.029, "k": 0.057},
    "worms": {"F": 0.058, "k": 0.065},
    "spirals": {"F": 0.018, "k": 0.051},
    "spots": {"F": 0.03, "k": 0.062},
}
