"""Check a run against its preset's expected pattern."""

from __future__ import annotations

import math
from typing import Literal

from turingdiff.engine import Run
from turingdiff.engine.expected_pattern import ExpectedPattern
from turingdiff.measure._observe import MOVING, STEADY, observe

MOTION = {True: "moves", False: "is steady", None: "has not settled"}


def check_pattern(
    expected: ExpectedPattern, run: Run, *, boundary: Literal["periodic", "no_flux"] = "periodic"
) -> list[str]:
    """List where a run differs from the expected pattern, a sentence each; empty if nowhere.

    >>> rule = system(preset)
    >>> start = rule.initial(expected.shape, rng=expected.seed)
    >>> run = td.simulate(rule, start, rule.times(t_end=expected.t_end), frames=11)
    >>> assert not td.measure.check_pattern(expected, run)

    Raises
    ------
    ValueError
        As `observe`, and for a run of another size or length than those of the expected pattern.
    """
    size, end = run.frames.shape[-2:], float(run.times[-1])
    if size != tuple(expected.shape) or not math.isclose(end, expected.t_end, rel_tol=1e-6):
        raise ValueError(
            f"the pattern is expected on a field of {tuple(expected.shape)} at t = {expected.t_end:g}, "
            f"the run has one of {size} and goes to t = {end:g}"
        )
    observed = observe(run, boundary=boundary)
    shapes, differences = observed.shapes, []
    if expected.pattern not in (None, shapes.pattern):
        differences.append(
            f"expected {expected.pattern}, found {shapes.pattern} "
            f"(roundness {shapes.roundness:.2f}, Euler density {shapes.density:.2f}, contrast {shapes.contrast:.2g})"
        )
    if expected.moving not in (None, observed.moving):
        differences.append(
            f"expected a pattern that {MOTION[expected.moving]}, found one that {MOTION[observed.moving]}: it changed "
            f"by {observed.change:.2g} in the last tenth (steady is below {STEADY}, moving above {MOVING})"
        )
    ranges: list[tuple[str, tuple[float, float] | None, float]] = [
        ("components", expected.components, shapes.components),
        ("wavelength", expected.wavelength, shapes.wavelength),
    ]
    for name, limits, value in ranges:
        if limits is not None and not limits[0] <= value <= limits[1]:
            differences.append(f"expected {name} from {limits[0]:g} to {limits[1]:g}, found {value:g}")
    return differences


disagreements = check_pattern  # its earlier name
