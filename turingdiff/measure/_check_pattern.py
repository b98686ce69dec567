"""Check a run against its preset's expected pattern."""

from __future__ import annotations

import math
from typing import Literal

from turingdiff.engine import Run
from turingdiff.engine.expected_pattern import Signature
from turingdiff.measure._observe import MOVING, STEADY, observe

MOTION = {True: "moves", False: "is steady", None: "has not settled"}


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
