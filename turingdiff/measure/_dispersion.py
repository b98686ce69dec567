"""The dispersion relation of a rule: the growth rates of small waves on a uniform state, from the compiled rate.

On the torus a rule that is the same everywhere, linearised about a uniform state u*, is a convolution with a small
kernel J,

    d(delta_c)(x)/dt = sum_{d, o} J[c, d, o] delta_d(x + o),

so that a wave exp(ik x) sees a matrix with one row and one column a channel,

    A(k) = sum_o J[:, :, o] exp(ik o),

whose eigenvalues are its growth rates and frequencies. J is measured by perturbing one cell, so neither the equations
nor the stencil have to be known, and A(k) is that of the grid; as dx → 0 it tends to that of the continuum.

The same along sigma is in ``_denoiser_dispersion``: there the clock falls, and the uniform state changes with it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from turingdiff.engine.flow import check_rule
from turingdiff.engine.rule import Rule
from turingdiff.measure._denoiser_dispersion import denoiser_dispersion
from turingdiff.measure._dispersion_relation import ROUNDING, Dispersion
from turingdiff.measure._linearisation import (
    NOTHING,
    SAME,
    check_no_maps,
    check_same_everywhere,
    check_uniform,
    kernel_of,
)
from turingdiff.measure._perturbations import perturbed

# Perturbation of a cell, in sizes of the state. Central differences of order 6 then err by less than 1e-12 of the
# kernel, by truncation (for a rate like 1/v) about as much as by rounding.
STEP = 2.0**-8
MULTIPLES = np.arange(-3, 4)
SLOPE = np.array([-1, 9, -45, 0, 45, -9, 1]) / 60
FOURTH_DIFFERENCE = np.array([0, 1, -4, 6, -4, 1, 0])

STEADY = 1e-6  # a rate below this share of the terms that it is a sum of counts as zero
KINK = 1e-2  # a jump of the slope that counts as one


def dispersion(rule: Rule, state: ArrayLike | None = None, t: float = 0.0) -> Dispersion:
    """Linearise a rule about a uniform state: the growth rate of every wave on its grid.

    For a rule over time, growth is per unit of time: the eigenvalues of A(k) of its rate (Turing 1952). For a
    denoiser it is per unit of -ln sigma, which rises during generation, in the frame y in which images keep their size
    while the noise falls: with D = y - sigma rate and J(k) the symbol of its Jacobian,

        d(delta)/d(-ln sigma) = (J(k; sigma) - 1) delta        lambda(k; sigma) = eigenvalues of J(k; sigma), minus 1.

    A wave with a positive lambda grows although the noise around it decays. Where the uniform mode is the first to
    become unstable, the data set splits in two (the speciation of Biroli, Bonnaire, de Bortoli & Mézard, Nature
    Communications 15 (2024) 9957, arXiv 2402.18491); where it is a wave, that is Turing's instability on the clock
    sigma. `speciation` follows the waves from level to level.

    Parameters
    ----------
    rule
        A rule with periodic boundaries and uniform parameters. The radius of a denoiser may be the whole field, if it
        commutes with shifts: then only the waves that fit on its canvas have a growth rate.
    state
        (C,), or a uniform (C, H, W) field. By default, over time ``rule.steady_state()``; along sigma
        `uniform_fixed_point`, D(y*) = y*, on the branch that continues the one at the highest level. A rule over time
        has to be steady at the state. Along sigma any uniform field will do, a fixed point of another branch or none
        (then growth rates are those at this moment). Its size is the canvas of a rule whose radius is the whole field
        and that has no canvas of its own.
    t
        The clock reading at which the rate is linearised: a time, or sigma > 0.

    Returns
    -------
    Dispersion
        Eigenvalues may be complex. Over time they are exact to about 1e-12 of the kernel; along sigma (central
        differences of D in float64, steps of min(sigma, sigma²)/4096) to about 1e-6.

    Raises
    ------
    ValueError
        For a rule that is not the same everywhere (a boundary, a parameter map, a cell function that depends on where
        it stands, a machine that compares places), with the name of its periodic twin; a rule over time whose radius
        is the whole field; a state that is not uniform or not steady, or at which a rate over time has a kink; sigma
        that is not positive.

    Examples
    --------
    >>> import turingdiff as td
    >>> curve = td.measure.dispersion(td.morphogenesis.brusselator(dx=0.1))
    >>> print(f"{curve.wavelength:.2f}", curve.regime)
    7.42 Turing
    """
    check_rule(rule)
    if rule.clock == "sigma":
        return denoiser_dispersion(rule, state, t)
    radius = _check_rule(rule, t)
    values = check_uniform(rule, rule.steady_state() if state is None else state)
    side = 2 * max(radius, rule.neighbourhood.radius or 1) + 1  # a rule may need room for its largest radius
    base = np.broadcast_to(values[:, None, None], (values.size, side, side))
    size = np.where(np.abs(values) > NOTHING, np.abs(values), 1.0)
    check_same_everywhere(
        rule, lambda fields: rule.rate(fields, t), base, STEP * size[:, None, None], 0.0,
        "Waves need a torus (boundary periodic), uniform parameters, and a cell function that does not depend on "
        "where it stands",
    )  # fmt: skip
    kernel, rate = _response(rule, base, STEP * size, t, radius)
    _check_steady(rule, kernel, rate, size)
    return Dispersion(rule.name, tuple(rule.channels), rule.clock, float(t), values, kernel, rule.neighbourhood.dx)


def _check_rule(rule: Rule, t: float) -> int:
    radius = rule.radius(t)
    if radius is None:
        raise ValueError(f"{rule.name} sees the whole field: over time only a local rule has a dispersion relation")
    if not rule.neighbourhood.periodic:
        raise ValueError(
            f"{rule.name} has the boundary {rule.neighbourhood.boundary!r}, and waves need a torus: "
            'make the rule with boundary="periodic", or take rule.on_torus()'
        )
    check_no_maps(rule)
    return radius


def _response(rule: Rule, base: NDArray, step: NDArray, t: float, radius: int) -> tuple[NDArray, NDArray]:
    """The kernel (C, C, 2R + 1, 2R + 1) and the rate (C,) of the uniform state, by perturbing the middle cell."""
    middle = base.shape[-1] // 2
    fields = perturbed(base, (np.arange(len(base)), middle, middle), step, MULTIPLES)
    rates = rule.rate(fields.reshape(-1, *base.shape), t).reshape(fields.shape)
    slopes, bends = (
        np.einsum("p,dpcyx,d->cdyx", weights, rates, 1 / step) for weights in (SLOPE, FOURTH_DIFFERENCE / 2)
    )
    # A smooth rate leaves no fourth difference; a kink leaves the jump of the slope.
    allowed = KINK * np.abs(slopes.sum(axis=(2, 3))) + SAME * np.abs(slopes).max()
    if (np.abs(bends).max(axis=(2, 3)) > allowed).any():
        raise ValueError(
            f"{rule.name} is not smooth at {base[:, 0, 0].tolist()}: its slope changes within {STEP:.1g} of the "
            "state, so it has no linearisation there"
        )
    return kernel_of(slopes, base.shape[-2:], radius), rates[0, len(MULTIPLES) // 2, :, middle, middle]


def _check_steady(rule: Rule, kernel: NDArray, rate: NDArray, size: NDArray) -> None:
    whole = np.abs(kernel.sum(axis=(2, 3))) @ size  # the terms of a rate that do not cancel in a uniform field
    rounding = ROUNDING * np.abs(kernel).sum(axis=(2, 3)) @ size
    if (np.abs(rate) > STEADY * whole + rounding).any():
        rates = ", ".join(f"{name}: {value:.3g}" for name, value in zip(rule.channels, rate, strict=True))
        raise ValueError(
            f"{rule.name} is not steady at this state, its rates are {rates}: "
            "use rule.steady_state(guess), or let the rule run to rest"
        )
