"""The dispersion relation of a denoiser: the growth rates of waves on a uniform field while the noise falls.

The probability flow dy/dsigma = (y - D(y; sigma))/sigma is, on the clock -ln sigma, which rises during generation,

    dy/d(-ln sigma) = D(y; sigma) - y.

A uniform field y* with D(y*) = y* is a fixed point, and a small wave on it grows at the eigenvalues of the symbol J(k)
of D's Jacobian, minus 1. Of a posterior mean, J[o] = Cov(x_0, x_o)/sigma² over the patches (or images) that compete for
a pixel. Where they agree, waves decay at the rate 1 at which noise decays; where their covariance outweighs that, a
wave grows. At high noise no wave grows; the first instability as the noise falls is the speciation of the data set.

Over whole images J[o] = J[-o]^T, since D - y = sigma² grad log p: all eigenvalues are real and no wave travels. The
flow of a machine of patches is not a gradient (each pixel has its own set of patches): its waves may travel.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from turingdiff.engine.flow import check_rule
from turingdiff.engine.rule import Rule
from turingdiff.measure._dispersion_relation import Dispersion
from turingdiff.measure._linearisation import check_no_maps, check_same_everywhere, check_uniform, kernel_of
from turingdiff.measure._perturbations import perturbed

# Perturbation of a cell, in units of min(sigma, sigma²): D changes with y over lengths of sigma²/(size of a pixel).
# Central differences then err by less than 1e-6 of J, half by truncation, half by the pairs that machines skip.
STEP = 2.0**-12
ACCURACY = 1e-6
HIGHEST = 80.0  # where a rule has no levels of its own, the search begins here
FALL = 2.0  # noise falls at most by this factor between two searches
CLOSE = 1e-6  # a step of Newton's, in units of min(sigma, sigma²), with which it ends
NEWTON = 12  # steps of Newton's method at most
ITERATIONS = 200  # of y -> D(y) at most


def denoiser_dispersion(rule: Rule, state: ArrayLike | None, sigma: float) -> Dispersion:
    """The dispersion relation of a denoiser at `sigma`: see `dispersion`."""
    canvas = check_denoiser(rule, [sigma], state)
    if state is None:
        return follow_fixed_point(rule, canvas, [float(sigma)])[-1]
    return linearised_about(rule, canvas, check_uniform(rule, state), float(sigma))[0]


def check_denoiser(rule: Rule, levels: Sequence[float], state: ArrayLike | None) -> tuple[int, int]:
    """Refuse a rule that has no waves at `levels`, and return the canvas on which to linearise it.

    The canvas is (H, W) with room for every cell's window; where the rule sees the whole field, that of `state` or its
    own. The errors are those of `dispersion`.
    """
    for sigma in levels:
        _check_level(rule, sigma)
    canvas = _canvas(rule, None if state is None else np.shape(state)[1:])
    check_no_maps(rule)
    for sigma in levels:
        _check_commutes_with_shifts(rule, canvas, sigma)
    return canvas


def linearised_about(
    rule: Rule, canvas: tuple[int, int], state: NDArray[np.float64], sigma: float
) -> tuple[Dispersion, NDArray[np.float64]]:
    """The dispersion relation about a uniform state, and D - y (C,) there, in one call of the rule."""
    count, (height, width) = len(state), canvas
    middle, step = (height // 2, width // 2), STEP * _unit(sigma)
    base = np.broadcast_to(state[:, None, None], (count, *canvas))
    pairs = perturbed(base, (np.arange(count), *middle), np.full(count, step), (1, -1))
    uniform, *rest = _denoised(rule, np.concatenate([base[None], pairs.reshape(-1, *base.shape)]), sigma)
    up, down = np.moveaxis(np.reshape(rest, pairs.shape), 1, 0)
    response = np.swapaxes((up - down) / (2 * step), 0, 1)
    if not np.isfinite(response).all():
        raise ValueError(f"{rule.name} is not finite about the uniform field {state.tolist()} at sigma = {sigma:g}")
    radius = rule.radius(sigma)
    kernel = kernel_of(response, canvas, radius)
    centre = tuple(n // 2 for n in kernel.shape[-2:])
    kernel[..., *centre] -= np.eye(count)
    curve = Dispersion(
        rule.name, tuple(rule.channels), "sigma", sigma, state, kernel, rule.neighbourhood.dx,
        canvas if radius is None else None, ACCURACY,
    )  # fmt: skip
    return curve, uniform[:, *middle] - state


def follow_fixed_point(rule: Rule, canvas: tuple[int, int], levels: Sequence[float]) -> list[Dispersion]:
    """The waves at falling `levels` about the fixed point that continues the one at the highest level of the rule."""
    top = max(HIGHEST if rule.grid is None else float(next(iter(rule.times()))), levels[0])
    state = _denoised(rule, np.zeros((len(rule.channels), *canvas)), top)[:, 0, 0]  # the mean of the training set
    before, curves = top, []
    for sigma in levels:
        count = max(1, math.ceil(math.log(before / sigma) / math.log(FALL) - 1e-9))
        for between in np.geomspace(before, sigma, count + 1)[1:-1]:
            state = fixed_point_near(rule, canvas, state, float(between)).state
        curves.append(fixed_point_near(rule, canvas, state, sigma))
        state, before = curves[-1].state, sigma
    return curves


def fixed_point_near(rule: Rule, canvas: tuple[int, int], state: NDArray, sigma: float) -> Dispersion:
    """Newton's method from `state`; where it does not converge, once more from the limit of y -> D(y)."""
    curve = _newton(rule, canvas, state, sigma)
    if curve is None:
        curve = _newton(rule, canvas, _iterated(rule, canvas, state, sigma), sigma)
    if curve is None:
        raise ValueError(
            f"{rule.name}: no uniform field that is its own denoised image was found at sigma = {sigma:g} from "
            f"{state.tolist()}; give dispersion a state"
        )
    return curve


def _check_level(rule: Rule, sigma: float) -> None:
    check_rule(rule)
    if rule.clock != "sigma":
        raise ValueError(f"{rule.name} runs over {rule.clock}: only a rule along sigma is followed through levels")
    if np.ndim(sigma) or not (np.isfinite(sigma) and sigma > 0):
        raise ValueError(f"{rule.name} runs along sigma > 0: give dispersion the level t, got {sigma!r}")
    if callable(rule.noise) or np.any(rule.noise):
        raise ValueError(
            f"{rule.name} is stochastic, so its rate is not (y - D)/sigma: give dispersion the denoiser itself"
        )


def _check_commutes_with_shifts(rule: Rule, canvas: tuple[int, int], sigma: float) -> None:
    local = rule.radius(sigma) is not None
    twin = 'equivariant_local(images, patch, boundary="periodic")' if local else "equivariant(images)"
    zeros = np.zeros((len(rule.channels), *canvas))
    check_same_everywhere(
        rule, lambda fields: _denoised(rule, fields, sigma), zeros, np.array(sigma), 1.0,
        "Waves need a rule that neither compares places nor knows a border. Its twin on the torus that does neither is "
        f"td.denoising.{twin}",
    )  # fmt: skip


def _canvas(rule: Rule, given: Sequence[int] | None) -> tuple[int, int]:
    radius, own = rule.neighbourhood.radius, getattr(rule, "canvas", None)
    if radius is None:
        if given:
            return int(given[0]), int(given[1])
        if own is None:
            raise ValueError(
                f"{rule.name} sees the whole field, and has no canvas of its own: give dispersion a uniform field "
                f"({len(rule.channels)}, H, W) as its state"
            )
        return own
    if not rule.neighbourhood.periodic:
        raise ValueError(
            f"{rule.name} has the boundary {rule.neighbourhood.boundary!r}, and waves need a torus: make its "
            'periodic twin, with boundary="periodic" (of machines that is '
            'td.denoising.equivariant_local(images, patch, boundary="periodic"), of networks one with circular padding)'
        )
    side = 2 * radius + 1
    try:
        if rule.admits is not None:
            rule.admits((side, side))
    except ValueError:
        if own is None:
            raise
        return own
    return side, side


def _denoised(rule: Rule, fields: NDArray, sigma: float) -> NDArray[np.float64]:
    return fields - sigma * rule.rate(fields, sigma)


def _unit(sigma: float) -> float:
    """The length over which D changes with y."""
    return min(sigma, sigma**2)


def _newton(rule: Rule, canvas: tuple[int, int], start: NDArray, sigma: float) -> Dispersion | None:
    """The waves on the fixed point within `sigma` of `start`, which is near; None where there is none.

    Every evaluation of D - y brings its Jacobian along, at the price of the waves that are asked for anyway.
    """
    state = start
    for _ in range(NEWTON):
        curve, residual = linearised_about(rule, canvas, state, sigma)
        if np.abs(residual).max() <= CLOSE * ACCURACY * _unit(sigma):
            return curve
        # The Jacobian of D - y for uniform fields is the uniform mode of the same kernel.
        step = np.linalg.lstsq(-curve.kernel.sum(axis=(2, 3)), residual, rcond=None)[0]
        if np.abs(step).max() <= CLOSE * _unit(sigma):
            return curve
        state = state + step
        if np.abs(state - start).max() > sigma:
            return None
    return None


def _iterated(rule: Rule, canvas: tuple[int, int], state: NDArray, sigma: float) -> NDArray[np.float64]:
    """The limit of y -> D(y) from a uniform field at a fixed level, or the last iterate."""
    for _ in range(ITERATIONS):
        field = np.broadcast_to(state[:, None, None], (len(state), *canvas))
        after = _denoised(rule, field, sigma)[:, 0, 0]
        if np.abs(after - state).max() <= CLOSE * _unit(sigma):
            return after
        state = after
    return state
