"""Differential operators at one cell of a halo-padded field, to be called by cell functions.

Sums pair opposite neighbours, ``(N + S) + (W + E)``, so that a mirror-symmetric field keeps its symmetry to the
last bit. Both Laplacians have weights w with sum(w) = 0 and sum(w x²)/2 = 1. On the torus a wave of wavenumber k is
multiplied by the stencil's *symbol*, which tends to -k² as dx → 0; ``SYMBOL_BOUND[stencil] / dx²`` is its largest
magnitude, so that explicit Euler with a diffusion constant D is stable up to D dt/dx² = 2/SYMBOL_BOUND.

On a mask the sums run over the neighbours inside: the value beyond an edge is mirrored (`beyond`), so that nothing
flows across and the sum of a field over the domain is kept to rounding. An all-true mask gives the bytes of no mask.
"""

from __future__ import annotations

from numba import types

from turingdiff.engine.compile import compiled_form


def inside(i, j, g):
    """Whether (i, j) of the padded field belongs to the domain."""
    return g.mask is None or g.mask[i, j]


@compiled_form(inside)
def _compiled_inside(i, j, g):
    if isinstance(g.types[g.fields.index("mask")], types.NoneType):
        return lambda i, j, g: True
    return lambda i, j, g: g.mask[i, j]


def beyond(phi, c, i, j, mirrored, g):
    """Channel `c` at (i, j), or `mirrored` where that lies outside the domain."""
    return phi[c, i, j] if inside(i, j, g) else mirrored


def laplacian(phi, c, i, j, g):
    """Five-point Laplacian of channel `c` at (i, j): second order in dx."""
    u = phi[c, i, j]
    vertical = beyond(phi, c, i - 1, j, u, g) + beyond(phi, c, i + 1, j, u, g)
    horizontal = beyond(phi, c, i, j - 1, u, g) + beyond(phi, c, i, j + 1, u, g)
    return ((vertical + horizontal) - 4 * u) * g.per_dx2


def isotropic_laplacian(phi, c, i, j, g):
    """Nine-point Laplacian, weights (1, 4, -20)/6: its error is the same in all directions to order k⁴."""
    u = phi[c, i, j]
    vertical = beyond(phi, c, i - 1, j, u, g) + beyond(phi, c, i + 1, j, u, g)
    horizontal = beyond(phi, c, i, j - 1, u, g) + beyond(phi, c, i, j + 1, u, g)
    falling = beyond(phi, c, i - 1, j - 1, u, g) + beyond(phi, c, i + 1, j + 1, u, g)
    rising = beyond(phi, c, i - 1, j + 1, u, g) + beyond(phi, c, i + 1, j - 1, u, g)
    return ((4 * (vertical + horizontal) + (falling + rising)) - 20 * u) * (g.per_dx2 * (1 / 6))


def biharmonic(phi, c, i, j, g):
    """Thirteen-point biharmonic operator ∇⁴, the five-point Laplacian applied twice: radius 2, symbol L_5²."""
    u = phi[c, i, j]
    north, south = beyond(phi, c, i - 1, j, u, g), beyond(phi, c, i + 1, j, u, g)
    west, east = beyond(phi, c, i, j - 1, u, g), beyond(phi, c, i, j + 1, u, g)
    near = (north + south) + (west + east)
    # What the Laplacian at each neighbour sees beside u; a neighbour outside mirrors what u itself sees.
    n, s = (inside(i - 1, j, g), inside(i + 1, j, g))
    w, e = (inside(i, j - 1, g), inside(i, j + 1, g))
    far_n = beyond(phi, c, i - 2, j, north, g) if n else south
    far_s = beyond(phi, c, i + 2, j, south, g) if s else north
    far_w = beyond(phi, c, i, j - 2, west, g) if w else east
    far_e = beyond(phi, c, i, j + 2, east, g) if e else west
    nw = (beyond(phi, c, i - 1, j - 1, north, g) if n else west) + (
        beyond(phi, c, i - 1, j - 1, west, g) if w else north
    )
    ne = (beyond(phi, c, i - 1, j + 1, north, g) if n else east) + (
        beyond(phi, c, i - 1, j + 1, east, g) if e else north
    )
    sw = (beyond(phi, c, i + 1, j - 1, south, g) if s else west) + (
        beyond(phi, c, i + 1, j - 1, west, g) if w else south
    )
    se = (beyond(phi, c, i + 1, j + 1, south, g) if s else east) + (
        beyond(phi, c, i + 1, j + 1, east, g) if e else south
    )
    far = (far_n + far_s) + (far_w + far_e)
    return ((far + ((nw + se) + (ne + sw))) + (20 * u - 8 * near)) * (g.per_dx2 * g.per_dx2)


SYMBOL_BOUND = {laplacian: 8.0, isotropic_laplacian: 16 / 3}
