"""Small rules with known solutions, shared so that each is compiled once."""

import math

import numpy as np

import turingdiff as td
from turingdiff.engine.stencils import isotropic_laplacian, laplacian

ONE = np.float64(1)  # makes the rate of a float32 field a float64, which is rounded before the step is taken


def heat(phi, i, j, t, p, g, out):
    out[0, i, j] = p[0] * laplacian(phi, 0, i, j, g)


def isotropic_heat(phi, i, j, t, p, g, out):
    out[0, i, j] = p[0] * isotropic_laplacian(phi, 0, i, j, g)


def swinging_heat(phi, i, j, t, p, g, out):
    """Depends on everything: neighbours, clock and a parameter."""
    out[0, i, j] = math.cos(t) * p[0] * laplacian(phi, 0, i, j, g) - phi[0, i, j]


def swinging_logistic(phi, i, j, t, p, g, out):
    """du/dt = cos(t) u (1 - u): u = 1/(1 + (1/u0 - 1) exp(-sin t))."""
    u = phi[0, i, j]
    out[0, i, j] = math.cos(t) * u * (ONE - u)


def decay(phi, i, j, t, p, g, out):
    out[0, i, j] = -p[0] * phi[0, i, j]


def heat_rule(D=1.0, boundary="periodic", dx=1.0, cell=heat, **options):
    return td.Rule(cell, {"D": D}, ["u"], td.Neighbourhood(1, boundary, dx), **options)


def logistic_rule(**options):
    return td.Rule(swinging_logistic, (), ["u"], td.Neighbourhood(0), **options)


def decay_rule(rate=1.0, dx=1.0, **options):
    return td.Rule(decay, {"rate": rate}, ["u"], td.Neighbourhood(0, dx=dx), **options)


def last(evolution):
    """The last field of an evolution."""
    *_, (_, field) = evolution
    return field
