"""Differential operators at one cell of a halo-padded field, to be called by cell functions.

Sums pair opposite neighbours, ``(N + S) + (W + E)``, so that a mirror-symmetric field keeps its symmetry to the
last bit. Both Laplacians have weights w with sum(w) = 0 and sum(w x²)/2 = 1. On the torus a wave of wavenumber k is
multiplied by the stencil's *symbol*, which tends to -k² as dx → 0; ``SYMBOL_BOUND[stencil] / dx²`` is its largest
magnitude, so that explicit Euler with a diffusion constant D is stable up to D dt/dx² = 2/SYMBOL_BOUND.
"""

from __future__ import annotations


def laplacian(phi, c, i, j, g):
    """Five-point Laplacian of channel `c` at (i, j): second order in dx."""
    neighbours = (phi[c, i - 1, j] + phi[c, i + 1, j]) + (phi[c, i, j - 1] + phi[c, i, j + 1])
    return (neighbours - 4 * phi[c, i, j]) * g.per_dx2


def isotropic_laplacian(phi, c, i, j, g):
    """Nine-point Laplacian, weights (1, 4, -20)/6: its error is the same in all directions to order k⁴."""
    edges = (phi[c, i - 1, j] + phi[c, i + 1, j]) + (phi[c, i, j - 1] + phi[c, i, j + 1])
    corners = (phi[c, i - 1, j - 1] + phi[c, i + 1, j + 1]) + (phi[c, i - 1, j + 1] + phi[c, i + 1, j - 1])
    return ((4 * edges + corners) - 20 * phi[c, i, j]) * (g.per_dx2 * (1 / 6))


def biharmonic(phi, c, i, j, g):
    """Thirteen-point biharmonic operator ∇⁴, the five-point Laplacian applied twice: radius 2, symbol L_5²."""
    near = (phi[c, i - 1, j] + phi[c, i + 1, j]) + (phi[c, i, j - 1] + phi[c, i, j + 1])
    far = (phi[c, i - 2, j] + phi[c, i + 2, j]) + (phi[c, i, j - 2] + phi[c, i, j + 2])
    corners = (phi[c, i - 1, j - 1] + phi[c, i + 1, j + 1]) + (phi[c, i - 1, j + 1] + phi[c, i + 1, j - 1])
    return ((far + 2 * corners) + (20 * phi[c, i, j] - 8 * near)) * (g.per_dx2 * g.per_dx2)


SYMBOL_BOUND = {laplacian: 8.0, isotropic_laplacian: 16 / 3}
