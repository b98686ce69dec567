"""How small waves on a uniform field grow while noise falls: the dispersion relation of a denoiser.

The probability flow dy/dsigma = (y - D(y; sigma))/sigma is, on the clock -ln sigma that generation runs down,

    dy/d(-ln sigma) = D(y; sigma) - y,

so that a uniform field y* with D(y*) = y* stands, and a small wave on it grows at the eigenvalues of the symbol J(k) of
D's Jacobian, minus 1. Of a posterior mean, J[o] = Cov(x_0, x_o)/sigma² over the patches (or images) that compete for a
pixel: where they agree, waves die at the rate 1 at which noise fades; where the choice between them outweighs that, a
wave grows. At high noise nothing can, and the first wave that does is what the denoiser decides first.

Over whole images J[o] = J[-o]^T: D - y = sigma² grad log p, all eigenvalues are real and no wave travels. A machine
of patches is the gradient of nothing (each pixel has its own set of patches): its waves may travel.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from turingdiff.engine.flow import check_rule
from turingdiff.engine.rule import Rule
from turingdiff.measure._dispersion_relation import Dispersion
from turingdiff.measure._uniform import check_no_maps, check_uniform

# Of a cell, in units of min(sigma, sigma²): D changes with y over lengths of sigma²/(size of a pixel). Central
# differences then err by less than 1e-6 of J, half by what they leave out, half by the pairs that machines skip.
STEP = 2.0**-12
ACCURACY = 1e-6
SAME = 1e-6  # a share of the response to noise within which two responses count as equal
HIGHEST = 80.0  # where a rule has no levels of its own, the search begins here
FALL = 2.0  # noise falls at most by this factor between two searches
CLOSE = 1e-6  # a step of Newton's, in units of min(sigma, sigma²), with which it ends
NEWTON = 12
FLOWS = 200


def denoiser_dispersion(rule: Rule, state: ArrayLike | None, sigma: float) -> Dispersion:
    """The dispersion relation of a denoiser at `sigma`: see `dispersion`."""
    sigma = _check_level(rule, sigma)
    canvas = _canvas(rule, None if state is None else np.shape(state)[1:])
    _check_same_everywhere(rule, canvas, sigma)
    if state is None:
        return _followed(rule, canvas, [sigma])[-1]
    return _linearised(rule, canvas, check_uniform(rule, state), sigma)[0]


def _check_level(rule: Rule, sigma: float) -> float:
    check_rule(rule)
    if rule.clock != "sigma":
        raise ValueError(f"{rule.name} runs over {rule.clock}: only a rule along sigma is followed through levels")
    if np.ndim(sigma) or not (np.isfinite(sigma) and sigma > 0):
        raise ValueError(f"{rule.name} runs along sigma > 0: give dispersion the level t, got {sigma!r}")
    if callable(rule.noise) or np.any(rule.noise):
        raise ValueError(
            f"{rule.name} is stochastic, so its rate is not (y - D)/sigma: give dispersion the denoiser itself"
        )
    return float(sigma)


def _canvas(rule: Rule, given: Sequence[int] | None) -> tuple[int, int]:
    """(H, W) of a field with room for every cell's window."""
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
            f"{rule.name} has the boundary {rule.neighbourhood.boundary!r}, and waves live on the torus: make its "
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


def _check_same_everywhere(rule: Rule, canvas: tuple[int, int], sigma: float) -> None:
    """A uniform field must stay uniform, and shifting a field of noise must shift its rate and do no more."""
    check_no_maps(rule)
    noise = sigma * np.random.default_rng(0).standard_normal((len(rule.channels), *canvas))
    shifts = ((0, 0), (1, 0), (0, 1))
    fields = [np.zeros_like(noise), *(np.roll(noise, shift, (1, 2)) for shift in shifts)]
    flat, *shifted = _denoised(rule, np.stack(fields), sigma)
    errors = [np.roll(found, (-y, -x), (1, 2)) - shifted[0] for (y, x), found in zip(shifts, shifted, strict=True)]
    error = np.abs([*errors, flat - flat[:, :1, :1]]).max()
    if not error <= SAME * max(1.0, np.abs(shifted[0]).max()):
        twin = (
            "td.denoising.equivariant(images)"
            if rule.radius(sigma) is None
            else 'td.denoising.equivariant_local(images, patch, boundary="periodic")'
        )
        raise ValueError(
            f"{rule.name} is not the same everywhere: shifting a field does not just shift its rate (or the rate is "
            "not finite), so it has no waves of its own. It compares places, or knows a border. Its twin on the torus "
            f"that does not is {twin}"
        )


def _denoised(rule: Rule, fields: NDArray, sigma: float) -> NDArray[np.float64]:
    return fields - sigma * rule.rate(fields, sigma)


def _unit(sigma: float) -> float:
    """The length over which D changes with y."""
    return min(sigma, sigma**2)


def _linearised(
    rule: Rule, canvas: tuple[int, int], state: NDArray[np.float64], sigma: float
) -> tuple[Dispersion, NDArray[np.float64]]:
    """The waves on a uniform state, and D - y (C,) there, in one call of the rule."""
    count, (height, width) = len(state), canvas
    middle, push = (height // 2, width // 2), STEP * _unit(sigma)
    fields = np.tile(state[:, None, None], (1 + 2 * count, 1, height, width))
    for d in range(count):
        fields[1 + 2 * d, d, *middle] += push
        fields[2 + 2 * d, d, *middle] -= push
    flat, *pairs = _denoised(rule, fields, sigma)
    response = np.stack([(pairs[2 * d] - pairs[2 * d + 1]) / (2 * push) for d in range(count)], axis=1)
    if not np.isfinite(response).all():
        raise ValueError(f"{rule.name} is not finite about the uniform field {state.tolist()} at sigma = {sigma:g}")
    radius = rule.radius(sigma)
    kernel = _kernel(response, canvas, radius)
    centre = tuple(n // 2 for n in kernel.shape[-2:])
    kernel[..., *centre] -= np.eye(count)
    curve = Dispersion(
        rule.name, tuple(rule.channels), "sigma", sigma, state, kernel, rule.neighbourhood.dx,
        canvas if radius is None else None, ACCURACY,
    )  # fmt: skip
    return curve, flat[:, *middle] - state


def _kernel(response: NDArray, canvas: tuple[int, int], radius: int | None) -> NDArray[np.float64]:
    """By offset: cell `middle - o` is the one that sees the pushed cell at the offset o.

    On a whole canvas of even size the farthest offset is to either side: half of it goes to each.
    """
    for axis, size in zip((-2, -1), canvas, strict=True):
        reach = size // 2 if radius is None else radius
        offsets = np.arange(-reach, reach + 1)
        shares = np.where(2 * np.abs(offsets) == size, 0.5, 1.0)
        taken = np.take(response, (size // 2 - offsets) % size, axis=axis)
        response = taken * (shares[:, None] if axis == -2 else shares)
    return response


def _followed(rule: Rule, canvas: tuple[int, int], levels: Sequence[float]) -> list[Dispersion]:
    """The waves at falling `levels` about the fixed point that comes down from the highest level of the rule."""
    top = max(HIGHEST if rule.grid is None else float(next(iter(rule.times()))), levels[0])
    start = _denoised(rule, np.zeros((len(rule.channels), *canvas)), top)[:, 0, 0]  # the mean of the training set
    state, before, curves = start, top, []
    for sigma in levels:
        count = max(1, math.ceil(math.log(before / sigma) / math.log(FALL) - 1e-9))
        for between in np.geomspace(before, sigma, count + 1)[1:-1]:
            state = _at_fixed_point(rule, canvas, state, float(between)).state
        curves.append(_at_fixed_point(rule, canvas, state, sigma))
        state, before = curves[-1].state, sigma
    return curves


def _at_fixed_point(rule: Rule, canvas: tuple[int, int], state: NDArray, sigma: float) -> Dispersion:
    """Newton's method from `state`; where it finds none, once more from where the uniform field runs."""
    found = _newton(rule, canvas, state, sigma)
    if found is None:
        found = _newton(rule, canvas, _run_down(rule, canvas, state, sigma), sigma)
    if found is None:
        raise ValueError(
            f"{rule.name}: no uniform field that is its own denoised image was found at sigma = {sigma:g} from "
            f"{state.tolist()}; give dispersion a state"
        )
    return found


def _newton(rule: Rule, canvas: tuple[int, int], start: NDArray, sigma: float) -> Dispersion | None:
    """The waves on the fixed point within `sigma` of `start`, which is near; None where there is none."""
    state = start
    for _ in range(NEWTON):
        curve, residual = _linearised(rule, canvas, state, sigma)
        if np.abs(residual).max() <= CLOSE * ACCURACY * _unit(sigma):
            return curve
        # D - y = 0 is linearised by the uniform mode of the same kernel.
        step = np.linalg.lstsq(-curve.kernel.sum(axis=(2, 3)), residual, rcond=None)[0]
        if np.abs(step).max() <= CLOSE * _unit(sigma):
            return curve
        state = state + step
        if np.abs(state - start).max() > sigma:
            return None
    return None


def _run_down(rule: Rule, canvas: tuple[int, int], state: NDArray, sigma: float) -> NDArray[np.float64]:
    """Where a uniform field runs at a fixed level: y becomes D(y), again and again."""
    for _ in range(FLOWS):
        field = np.broadcast_to(state[:, None, None], (len(state), *canvas))
        after = _denoised(rule, field, sigma)[:, 0, 0]
        if np.abs(after - state).max() <= CLOSE * _unit(sigma):
            return after
        state = after
    return state
