"""The expected pattern of a named preset: what its name says, in numbers, and the size at which it shows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from turingdiff.engine.suggestions import unknown

Pattern = Literal["uniform", "spots", "holes", "stripes"]


@dataclass(frozen=True)
class ExpectedPattern:
    """The pattern that a preset makes by the time `t_end` on a field of `shape`; None leaves open.

    Attributes
    ----------
    pattern
        "uniform", "spots", "holes" or "stripes", as `turingdiff.measure.shapes` names them.
    moving
        Whether the field still changes at the end, see `turingdiff.measure.observe`.
    components
        Least and greatest number of connected regions.
    wavelength
        Shortest and longest, in the length unit of the system.
    seed
        That of the initial state.

    Raises
    ------
    ValueError
        For an unknown pattern, a range that is empty, or a shape or time that is not positive.
    """

    shape: tuple[int, int]
    t_end: float
    pattern: Pattern | None = None
    moving: bool | None = None
    components: tuple[int, int] | None = None
    wavelength: tuple[float, float] | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if len(self.shape) != 2 or any(n != int(n) or n < 1 for n in self.shape):
            raise ValueError(f"shape must be (H, W) of whole numbers >= 1, got {self.shape!r}")
        if not 0 < self.t_end < math.inf:
            raise ValueError(f"t_end must be a positive time, got {self.t_end!r}")
        if self.pattern is not None and self.pattern not in get_args(Pattern):
            raise ValueError(f"{unknown('pattern', self.pattern, get_args(Pattern))}, or None")
        for name in ("components", "wavelength"):
            expected = getattr(self, name)
            if expected is not None and not (len(expected) == 2 and 0 <= expected[0] <= expected[1]):
                raise ValueError(f"{name} must be (least, greatest) with 0 <= least <= greatest, got {expected!r}")


Signature = ExpectedPattern  # its earlier name
