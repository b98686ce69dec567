"""Complex Ginzburg–Landau: any medium that swings, close to where it begins to.

Not a Turing instability: the uniform mode itself grows fastest, at rate 1, and waves up to k = 1 with it. What is left
is the amplitude A = u + iv of an oscillation that diffuses, with |A| = 1 almost everywhere and a phase that turns at
the rate -c where A is uniform. Where the phase goes round a point there is no phase at the point: a spiral. For
1 + bc < 0 (Benjamin–Feir) no wave is stable, and the medium is turbulent.

Explicit Euler turns such a phase outwards: |A|² settles about c² dt/2 above 1. Use ``stepper=td.rk4`` to measure.

K. Stewartson, J. T. Stuart, A non-linear instability theory for a wave system in plane Poiseuille flow, J. Fluid Mech.
48 (1971) 529; I. S. Aranson, L. Kramer, The world of the complex Ginzburg–Landau equation, Rev. Mod. Phys. 74 (2002)
99, whose b and c these are. "spirals": b and c of Chebfun's example.
"""

from turingdiff.engine.expected_pattern import ExpectedPattern
from turingdiff.engine.stencils import laplacian
from turingdiff.morphogenesis._system import system


@system(species="uv", b=0.0, c=1.5)
def complex_ginzburg_landau(phi, i, j, t, p, g, out):
    """The amplitude A = u + iv of an oscillation.

        A_t = A + (1 + ib) ∇²A - (1 + ic) |A|² A

    Parameters
    ----------
    b
        How the frequency changes with the wavenumber.
    c
        How it changes with the amplitude.
    """
    b, c = p
    u, v = phi[0, i, j], phi[1, i, j]
    spread_u, spread_v = laplacian(phi, 0, i, j, g), laplacian(phi, 1, i, j, g)
    square = u * u + v * v
    out[0, i, j] = u + (spread_u - b * spread_v) - square * (u - c * v)
    out[1, i, j] = v + (spread_v + b * spread_u) - square * (v + c * u)


def euler_bound(dx, b, c):
    """2/dt for explicit Euler, which has to damp what swings: more than the spectral radius.

    It damps the eigenvalue -s (1 + ib) up to dt = 2/(s (1 + b²)), and |A| settles if dt < sqrt(1 + 1/c²) - 1, which
    is about 1/(2 c²).
    """
    return 8 / dx**2 * (1 + b * b) + 4 * (1 + c * c)


complex_ginzburg_landau.dx = 0.75
complex_ginzburg_landau.t_end = 300.0
complex_ginzburg_landau.steady_state = lambda b, c: (0.0, 0.0)
complex_ginzburg_landau.stiffness = euler_bound
complex_ginzburg_landau.presets = {"spirals": {"b": 0.0, "c": 1.5}, "turbulence": {"b": 0.5, "c": -3.0}}
complex_ginzburg_landau.expected_patterns = {
    "spirals": ExpectedPattern((128, 128), 285.0, moving=True, components=(1, 11), wavelength=(14.5, 20.0)),
    "turbulence": ExpectedPattern((128, 128), 100.0, moving=True, components=(12, 45)),
}
