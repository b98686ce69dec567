"""The stages of a stabilised Runge–Kutta step: four arrays and one operation between them.

    next = w0 base + w1 slope + w2 here + w3 before + w4 f(here, t)

`base` is the field at the start of the step, `slope` its rate, `here` and `before` the last two stages.
"""

from __future__ import annotations

import numpy as np

from turingdiff.engine.flow import Flow


class Stages:
    """The stages of one step, on whole fields: for rules whose rate is not one compiled loop."""

    def __init__(self, flow: Flow):
        self.flow = flow

    def last(
        self, field: np.ndarray, slope: np.ndarray, first: float, weights: np.ndarray, clocks: np.ndarray
    ) -> np.ndarray:
        """The last stage of a step from `field`, whose rate is `slope`.

        The first stage is field + first * slope; each row of `weights` (n, 5) makes another one, from the rate of the
        stage before at the reading of `clocks` (n,).
        """
        before, here = field, field + first * slope
        for (w0, w1, w2, w3, w4), t in zip(weights.tolist(), clocks.tolist(), strict=True):
            start, recent = w0 * field + w1 * slope, w2 * here + w3 * before
            before, here = here, (start + recent) + w4 * self.flow.rate(here, t)
        return here


class FusedStages(Stages):
    """The same in padded arrays, each stage one compiled pass over the field: nothing is copied between stages."""

    def last(
        self, field: np.ndarray, slope: np.ndarray, first: float, weights: np.ndarray, clocks: np.ndarray
    ) -> np.ndarray:
        """See `Stages.last`."""
        flow = self.flow
        g = flow.geometry(0.0)
        buffers = flow.buffers(g.pad, 4)
        for buffer, values in zip(buffers, (field, slope, field + first * slope, field), strict=True):
            flow.interior(buffer, g.pad)[...] = values
        numbers = (weights.astype(flow.dtype), clocks.astype(flow.dtype))
        flow.call("stages", flow.threads() > 1, *buffers, *numbers, flow.halo(g.pad), flow.params, g, flow.bands())
        result = buffers[3] if clocks.size % 2 else buffers[2]
        return flow.interior(result, g.pad).reshape(flow.shape).copy()


def stages(flow: Flow) -> Stages:
    """The stages of steps of `flow`."""
    return FusedStages(flow) if flow.fuses else Stages(flow)
