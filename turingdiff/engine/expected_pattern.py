"""What a named preset promises: the pattern that its name says, and at which size it shows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

Pattern = Literal["uniform", "spots", "holes", "stripes"]


@dataclass(frozen=True)
class Signature:
    """The pattern of a preset at the time `t_end` on a field of `shape`; None promises nothing.

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
        Of the initial state.

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
            raise ValueError(f"pattern is {self.pattern!r}, expected one of {', '.join(get_args(Pattern))} or None")
        for name in ("components", "wavelength"):
            promised = getattr(self, name)
            if promised is not None and not (len(promised) == 2 and 0 <= promised[0] <= promised[1]):
                raise ValueError(f"{name} must be (least, greatest) with 0 <= least <= greatest, got {promised!r}")
