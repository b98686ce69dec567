"""The final pattern of a run, and whether it still moves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from turingdiff.engine import Run
from turingdiff.measure._change import change
from turingdiff.measure._shapes import Shapes, shapes

# Gray-Scott spots and mazes that have filled the field, and settle slowly from then on, change by less than 0.2 in the
# last tenth of a run, gliders and spirals by more than 0.9 (tests/test_shapes.py). What still spreads is between.
STEADY, MOVING = 0.3, 0.8
NEGLIGIBLE = 1e-6


@dataclass(frozen=True)
class Observation:
    """The final pattern of a run; made by `observe`.

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
        """True for a change above 0.8, False for one below 0.3, None between: the pattern has not settled yet."""
        if STEADY <= self.change <= MOVING:
            return None
        return self.change > MOVING


def observe(run: Run, *, boundary: Literal["periodic", "no_flux"] = "periodic") -> Observation:
    """Measure the shown channel at the end of a run, and how much it changed over the last tenth.

    A contrast below a millionth of the largest value in the run counts as none: a pattern that has decayed is uniform.

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
    shares = (run.times - run.times[0]) / (run.times[-1] - run.times[0])
    nearest = int(np.abs(shares - 0.9).argmin())
    if abs(shares[nearest] - 0.9) > 0.05:
        raise ValueError(
            f"the frame nearest to nine tenths of the run is at {shares[nearest]:.3g} of it, expected one between "
            "0.85 and 0.95: record at least 11 frames (and take at least as many steps)"
        )
    pictures = [np.reshape(run.view(k), (-1, *run.frames.shape[-2:]))[0] for k in range(len(run.times))]
    tolerance = NEGLIGIBLE * max(float(np.abs(picture).max()) for picture in pictures)
    earlier, last = pictures[nearest], pictures[-1]
    return Observation(
        shapes(last, run.dx, boundary=boundary, tolerance=tolerance), change(earlier, last, tolerance=tolerance)
    )
