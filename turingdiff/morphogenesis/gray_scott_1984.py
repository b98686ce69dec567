"""Gray–Scott (Gray & Scott 1984, Pearson 1993): autocatalysis in a fed tank, a zoo of patterns.

Honest label: with D_u = 2 D_v the famous patterns are *not* a Turing instability. The red state (1, 0) is stable for
every F and k, and patterns need a finite push: here, seeds. (The blue state has a Turing instability, but only in a
sliver of the plane beside its saddle-node, such as F = 0.06, k = 0.0620 to 0.0622; at smaller F it is Hopf-unstable
there.) Red and blue are Pearson's names, after the colours of a pH indicator. Time is in steps of Pearson's dt = 1 and
length in cells: his D_u = 2e-5, D_v = 1e-5 at dx = 2.5/256 are 0.2097152 and 0.1048576 at dx = 1.

Presets: (F, k) of the six sets of The Well; and one point for each class of Pearson ("alpha" to "mu") and of Munafo
("nu" to "sigma"), from Munafo's list of representative points, but for two. The point of "gamma" lies between his,
where more of it moves; at his point for "eta" the seeds below make spots only, so it lies beside that. "u-skate" is the
system of Munafo's glider; its start is after the one that the program Ready has for it.

- P. Gray, S. K. Scott, Autocatalytic reactions in the isothermal, continuous stirred tank reactor, Chem. Eng. Sci. 39
  (1984) 1087.
- J. E. Pearson, Complex patterns in a simple system, Science 261 (1993) 189.
- R. P. Munafo, Stable localized moving patterns in the 2-D Gray–Scott model, arXiv 1501.01990 (2014), and
  Pearson's classification (extended), mrob.com/pub/comp/xmorphia.
- R. Ohana et al., The Well, NeurIPS 2024.
"""

import numpy as np

from turingdiff.engine.expected_pattern import ExpectedPattern
from turingdiff.engine.rule import Rule
from turingdiff.morphogenesis._reaction import reaction

RED = (1.0, 0.0)
SIZE = (128, 128)
CELLS_PER_PATCH = 48 * 48
SKATE_SPACING = 64


@reaction(species="uv")
def gray_scott(u, v, F=0.03, k=0.062):
    """Gray–Scott kinetics: v makes more of itself out of u, which is fed.

        u_t = D_u ∇²u - u v² + F (1 - u)
        v_t = D_v ∇²v + u v² - (F + k) v

    Parameters
    ----------
    F
        Feed rate, per time: the tank exchanges this share of its content.
    k
        Rate at which v decays, per time.
    """
    uvv = u * v * v
    return F * (1 - u) - uvv, uvv - (F + k) * v


def blue_state(F: float, k: float) -> tuple[float, float]:
    """The uniform state (u, v) with v > 0 that may be stable; there is one for F >= 4 (F + k)².

        u = (1 - s)/2,  v = F (1 + s)/(2 (F + k)),  s = sqrt(1 - 4 (F + k)²/F)

    Raises
    ------
    ValueError
        Where there is none: beyond the saddle-node at s = 0.
    """  # fmt: skip
    square = (np.sqrt(F) - 2 * (F + k)) * (np.sqrt(F) + 2 * (F + k)) / F  # as factors: exactly 0 where s is
    if not square >= 0:
        raise ValueError(f"Gray–Scott has a blue state for F >= 4 (F + k)² only, got F = {F!r}, k = {k!r}")
    s = np.sqrt(square)
    return (1 - s) / 2, F * (1 + s) / (2 * (F + k))


def seeds(rule: Rule, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """The red state with square seeds of (1/2, 1/4), 12 cells wide, one for each 48² cells and at least one.

    As in Pearson's protocol the seeds carry 1% of noise; he placed a single one of 20 x 20 in the middle of 256².
    """
    return _patches(shape, rng, RED, (0.5, 0.25), (12, 12))


def holes(rule: Rule, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """The blue state with red rectangles, 12 to 28 cells a side, one for each 48² cells and at least one."""
    return _patches(shape, rng, _blue(rule), RED, (12, 28))


def islands(rule: Rule, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """The red state with blue rectangles, 12 to 28 cells a side, one for each 48² cells and at least one."""
    return _patches(shape, rng, RED, _blue(rule), (12, 28))


def broken_wave(rule: Rule, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """The red state with one wave front across half of the field, running up, down, left or right.

    The front is a band of (1/2, 1/4), 12 cells wide; behind it are 24 cells of spent medium, u = 0.2. A front that ends
    curls up, so this makes two spirals, and they live as long as the field is wide enough, here 192 cells or more.
    """
    state = _uniform(RED, shape)
    turned = np.moveaxis(state, 1, 1 + rng.integers(2))  # a view
    rows = rng.integers(turned.shape[1]) + np.arange(max(1, turned.shape[1] // 2))
    columns = rng.integers(turned.shape[2]) + rng.choice([-1, 1]) * np.arange(36)
    _fill(turned, rows, columns[:24], (0.2, 0.0))
    _fill(turned, rows, columns[24:], (0.5, 0.25))
    return state


def skates(rule: Rule, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """The blue state with U-shaped red holes, one for each 64² cells and at least one: a school of Munafo's skates.

    They are 24 x 20 cells, about 64 cells apart, and swim to the right, closed end first.
    """
    state = _uniform(_blue(rule), shape)
    for top in range(0, max(1, shape[0] - SKATE_SPACING + 1), SKATE_SPACING):
        for left in range(0, max(1, shape[1] - SKATE_SPACING + 1), SKATE_SPACING):
            rows, columns = np.arange(24) + top + rng.integers(24), np.arange(20) + left + rng.integers(24)
            for side in (rows[:9], rows[15:]):
                _fill(state, side, columns, RED)
            _fill(state, rows, columns[10:], RED)
    return state


def _blue(rule: Rule) -> tuple[float, float]:
    return blue_state(rule.params["F"], rule.params["k"])


def _patches(shape, rng, ground, patch, sides):
    state = _uniform(ground, shape)
    for _ in range(max(1, round(shape[0] * shape[1] / CELLS_PER_PATCH))):
        height, width = rng.integers(sides[0], sides[1] + 1, 2)
        rows = rng.integers(shape[0]) + np.arange(min(height, shape[0]))
        columns = rng.integers(shape[1]) + np.arange(min(width, shape[1]))
        noise = 1 + 0.01 * rng.uniform(-1, 1, (2, rows.size, columns.size))
        _fill(state, rows, columns, np.reshape(patch, (2, 1, 1)) * noise)
    return state


def _uniform(values, shape):
    return np.reshape(values, (2, 1, 1)) * np.ones(shape)


def _fill(state, rows, columns, values):
    """Write to a rectangle that may reach across the seams of the torus."""
    rows, columns = rows[:, None] % state.shape[1], columns % state.shape[2]
    state[:, rows, columns] = np.reshape(values, (2, 1, 1)) if np.ndim(values) == 1 else values


gray_scott.diffusion = (0.2097152, 0.1048576)
gray_scott.shown = 1
gray_scott.t_end = 10_000.0
gray_scott.initial = seeds
gray_scott.steady_state = lambda F, k: RED
gray_scott.presets = {
    "gliders": {"F": 0.014, "k": 0.054},
    "bubbles": {"F": 0.098, "k": 0.057, "initial": holes},  # a foam, as rho
    "maze": {"F": 0.029, "k": 0.057},
    "worms": {"F": 0.058, "k": 0.065},
    "spirals": {"F": 0.018, "k": 0.051},
    "spots": {"F": 0.03, "k": 0.062},
    "alpha": {"F": 0.01, "k": 0.047},  # chaos of wavelets and fledgling spirals that annihilate
    "beta": {"F": 0.026, "k": 0.051},  # chaos: an oscillating blue sea in which red voids open and close
    "gamma": {"F": 0.022, "k": 0.053},  # stripes that keep breaking up and growing back
    "delta": {"F": 0.03, "k": 0.055},  # a steady honeycomb of red holes
    "epsilon": {"F": 0.018, "k": 0.055},  # chaos of spots and rings that multiply and crowd each other out
    "zeta": {"F": 0.026, "k": 0.059},  # the same, but rounder spots and rarer deaths
    "eta": {"F": 0.036, "k": 0.0625},  # spots and worms together
    "theta": {"F": 0.03, "k": 0.057},  # a maze of connected stripes
    "iota": {"F": 0.046, "k": 0.0594},  # clusters of negatons, red spots that hold together like molecules
    "kappa": {"F": 0.058, "k": 0.063},  # a maze of hedges, in separate pieces
    "lambda": {"F": 0.026, "k": 0.061},  # spots that divide like cells until they fill the space, then rest
    "mu": {"F": 0.046, "k": 0.065},  # worms that grow at their ends, and spots
    "nu": {"F": 0.054, "k": 0.067},  # solitons: spots that neither grow nor divide, one for each seed
    "xi": {"F": 0.01, "k": 0.041, "initial": broken_wave},  # sustained spirals
    "pi": {"F": 0.062, "k": 0.061},  # negative stripes, loops and spots
    "rho": {"F": 0.09, "k": 0.059, "initial": holes},  # a foam: red bubbles in blue films
    "sigma": {"F": 0.09, "k": 0.057, "initial": islands},  # a foam: blue bubbles in red films
    "u-skate": {"F": 0.062, "k": 0.06093, "initial": skates},  # U-shaped holes that glide for ever
}
gray_scott.expected_patterns = {
    "gliders": ExpectedPattern(SIZE, 10_000.0, "spots", moving=True, components=(18, 40)),
    "bubbles": ExpectedPattern((192, 192), 10_000.0, moving=False, components=(1, 2), wavelength=(45, 80)),
    "maze": ExpectedPattern(SIZE, 10_000.0, "stripes", moving=False, components=(1, 5), wavelength=(13, 14.3)),
    "worms": ExpectedPattern(SIZE, 40_000.0, "stripes", components=(4, 9), wavelength=(13.5, 17.5)),
    "spirals": ExpectedPattern(SIZE, 10_000.0, moving=True, components=(6, 24), wavelength=(38, 80)),
    "spots": ExpectedPattern(SIZE, 10_000.0, "spots", moving=False, components=(76, 92), wavelength=(12.5, 13.8)),
    "alpha": ExpectedPattern(SIZE, 10_000.0, "spots", moving=True, components=(8, 30), wavelength=(45, 75)),
    "beta": ExpectedPattern(SIZE, 10_000.0, moving=True, components=(1, 4), wavelength=(45, 110)),
    "gamma": ExpectedPattern(SIZE, 20_000.0, "stripes", moving=True, components=(2, 18), wavelength=(14, 17)),
    "delta": ExpectedPattern(SIZE, 10_000.0, "holes", moving=False, components=(1, 1), wavelength=(13.9, 15.2)),
    "epsilon": ExpectedPattern(SIZE, 10_000.0, "spots", moving=True, components=(36, 58), wavelength=(16.5, 21)),
    "zeta": ExpectedPattern(SIZE, 20_000.0, "spots", moving=True, components=(52, 85)),
    "eta": ExpectedPattern(SIZE, 20_000.0, moving=False, components=(41, 66), wavelength=(12, 13.5)),
    "theta": ExpectedPattern(SIZE, 10_000.0, "stripes", moving=False, components=(1, 4), wavelength=(13, 14.1)),
    "iota": ExpectedPattern(SIZE, 10_000.0, "holes", moving=False, components=(1, 1), wavelength=(12.8, 13.8)),
    "kappa": ExpectedPattern(SIZE, 20_000.0, "stripes", components=(3, 9), wavelength=(13.3, 14.5)),
    "lambda": ExpectedPattern(SIZE, 10_000.0, "spots", moving=False, components=(70, 82), wavelength=(13.2, 14.3)),
    "mu": ExpectedPattern(SIZE, 20_000.0, moving=False, components=(18, 40), wavelength=(12.8, 14.2)),
    "nu": ExpectedPattern(SIZE, 10_000.0, "spots", moving=False, components=(2, 8), wavelength=(30, 80)),
    "xi": ExpectedPattern((192, 192), 8_000.0, "stripes", moving=True, components=(2, 6), wavelength=(33, 46)),
    "pi": ExpectedPattern(SIZE, 10_000.0, moving=False, components=(1, 3), wavelength=(13.7, 15.3)),
    "rho": ExpectedPattern((192, 192), 10_000.0, moving=False, components=(1, 2), wavelength=(42, 66)),
    "sigma": ExpectedPattern((192, 192), 10_000.0, moving=False, components=(4, 10), wavelength=(40, 90)),
    "u-skate": ExpectedPattern((64, 64), 40_000.0, moving=True, components=(1, 1), wavelength=(35, 45)),
}
