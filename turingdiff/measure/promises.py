"""Does a run keep a promise? What it ends in, whether it still moves, and where that differs from a signature."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from turingdiff.engine import Run
from turingdiff.signatures import Signature

from ._checks import check_field
from .topology import Shapes, limit, shapes

__all__ = ["Observation", "change", "disagreements", "observe"]

# Gray-Scott spots and mazes that have filled the field, and settle slowly ever after, change by less than 0.2 in the
# last tenth of a run; gliders and spirals by more than 0.9 (tests/test_shapes.py); what still spreads is between.
STEADY, MOVING = 0.3, 0.8
MOTION = {True: "moves", False: "is steady", None: "has not settled"}
NEGLIGIBLE = 1e-6


@dataclass(frozen=True)
class Observation:
    """What a run ends in.

    Attributes
    ----------
    shapes
        Of the shown channel of the last frame.
    change
        Of the shown channel over the last tenth of the run.
    """

    shapes: Shapes
    change: float

    @property
    def moving(self) -> bool | None:
        """True for a change above 0.8, False for one below 0.3; None between: it has not settled yet."""
        if STEADY <= self.change <= MOVING:
            return None
        return self.change > MOVING


def change(earlier: ArrayLike, later: ArrayLike, *, tolerance: float | None = None) -> float:
    """Measure how much a pattern has moved.

        change = max over channels of sqrt(mean over x of (later(x) - earlier(x))²) / s

    where s is the larger of the two standard deviations over x. It is 0 for a steady pattern, sqrt(2) for an
    unrelated one of the same kind, 2 for the negative, and at least 1 for a pattern that has appeared or vanished.
    A channel that is uniform in both fields has no deviation: there s is the larger of the two magnitudes, so that
    an oscillation in step counts by how much of the concentration it moves.

    Parameters
    ----------
    earlier, later
        (H, W) or (C, H, W), both the same.
    tolerance
        Deviations and differences that are not larger count as none; in units of the field. By default rounding:
        8 eps times the largest magnitude in the channel, eps that of its own dtype.

    Raises
    ------
    TypeError
        If a field is not an array of real numbers.
    ValueError
        If shapes differ or are others, values are not finite, or ``tolerance`` is negative.
    """
    before, after = check_field(earlier, "earlier"), check_field(later, "later")
    if before.shape != after.shape or before.ndim > 3:
        raise ValueError(
            f"earlier has shape {before.shape} and later {after.shape}, expected the same (H, W) or (C, H, W)"
        )
    planes = (-1, *before.shape[-2:])
    channels = zip(np.reshape(earlier, planes), np.reshape(later, planes), strict=True)
    return max(_change(a, b, limit(tolerance, a, b)) for a, b in channels)


def _change(earlier: np.ndarray, later: np.ndarray, least: float) -> float:
    a, b = earlier.astype(float), later.astype(float)
    moved = math.sqrt(np.mean((b - a) ** 2))
    if moved <= least:
        return 0.0
    deviation = max(float(a.std()), float(b.std()))
    return moved / (deviation if deviation > least else max(float(np.abs(a).max()), float(np.abs(b).max())))


def observe(run: Run, *, boundary: Literal["periodic", "no_flux"] = "periodic") -> Observation:
    """Measure the shown channel at the end of a run, and how much it moved over the last tenth.

    What is below a millionth of the largest value in the run counts as nothing: a pattern that has died is uniform.

    Parameters
    ----------
    run
        Of one field, with a frame at about nine tenths: ``td.simulate(..., frames=11)``. Where all channels are
        shown, the first one is measured.
    boundary
        As in `shapes`.

    Raises
    ------
    ValueError
        If the run is of a batch, or has no frame between 0.85 and 0.95 of its clock.
    """
    if run.frames.ndim != 4:
        raise ValueError(f"the run has frames of shape {run.frames.shape}, expected (K, C, H, W): one field, no batch")
    passed = (run.times - run.times[0]) / (run.times[-1] - run.times[0])
    nearest = int(np.abs(passed - 0.9).argmin())
    if abs(passed[nearest] - 0.9) > 0.05:
        raise ValueError(
            f"the frame nearest to nine tenths of the run is at {passed[nearest]:.3g} of it, expected one between "
            "0.85 and 0.95: record at least 11 frames (and take at least as many steps)"
        )
    pictures = [np.reshape(run.view(k), (-1, *run.frames.shape[-2:]))[0] for k in range(len(run.times))]
    tolerance = NEGLIGIBLE * max(float(np.abs(picture).max()) for picture in pictures)
    earlier, last = pictures[nearest], pictures[-1]
    return Observation(
        shapes(last, run.dx, boundary=boundary, tolerance=tolerance), change(earlier, last, tolerance=tolerance)
    )


def disagreements(
    signature: Signature, run: Run, *, boundary: Literal["periodic", "no_flux"] = "periodic"
) -> list[str]:
    """List where a run differs from what was promised, a sentence each; empty if the promise is kept.

    >>> rule = system(preset)
    >>> start = rule.initial(signature.shape, rng=signature.seed)
    >>> run = td.simulate(rule, start, rule.times(t_end=signature.t_end), frames=11)
    >>> assert not td.measure.disagreements(signature, run)

    Raises
    ------
    ValueError
        As `observe`, and if the run is of another size or length than the promise is about.
    """
    size, end = run.frames.shape[-2:], float(run.times[-1])
    if size != tuple(signature.shape) or not math.isclose(end, signature.t_end, rel_tol=1e-6):
        raise ValueError(
            f"the promise is about a field of {tuple(signature.shape)} at t = {signature.t_end:g}, "
            f"the run is one of {size} to t = {end:g}"
        )
    found = observe(run, boundary=boundary)
    seen, differences = found.shapes, []
    if signature.pattern not in (None, seen.pattern):
        differences.append(
            f"promised {signature.pattern}, found {seen.pattern} "
            f"(roundness {seen.roundness:.2f}, Euler density {seen.density:.2f}, contrast {seen.contrast:.2g})"
        )
    if signature.moving not in (None, found.moving):
        differences.append(
            f"promised a pattern that {MOTION[signature.moving]}, found one that {MOTION[found.moving]}: it changed "
            f"by {found.change:.2g} in the last tenth (steady is below {STEADY}, moving above {MOVING})"
        )
    ranges: list[tuple[str, tuple[float, float] | None, float]] = [
        ("components", signature.components, seen.components),
        ("wavelength", signature.wavelength, seen.wavelength),
    ]
    for name, promised, value in ranges:
        if promised is not None and not promised[0] <= value <= promised[1]:
            differences.append(f"promised {name} from {promised[0]:g} to {promised[1]:g}, found {value:g}")
    return differences
