"""Apical growth along a run: layers of cells are added to the mask when they are due."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from turingdiff.engine.flow import Flow
from turingdiff.engine.growth import Apical

ROUNDING = 1e-12  # of the clock: a layer that is due within it is due


class Layers:
    """The mask along a run, to which apical growth adds layers of cells."""

    def __init__(self, flow: Flow, t: float):
        self.growth = flow.rule.growth if isinstance(flow.rule.growth, Apical) else None
        self.mask = flow.rule.neighbourhood.mask
        self.due = t + self.growth.every if self.growth else math.inf

    def stop(self, times: Sequence[float], n: int, stop: int) -> int:
        """The step before which the next layer is due, at most `stop`."""
        if self.growth is None:
            return stop
        readings = np.asarray(times[n + 1 : stop + 1], float)
        return min(stop, n + 1 + int(np.searchsorted(readings, self.due * (1 - ROUNDING))))

    def added(self, flow: Flow, field: np.ndarray, t: float) -> tuple[Flow, np.ndarray]:
        """The flow and the field with the layers that are due at `t`."""
        if self.growth is None or t < self.due * (1 - ROUNDING):
            return flow, field
        if field.ndim == 4 and len(field) > 1:
            raise ValueError(f"{flow.rule.name}: replicas that grow have masks of their own: run them one by one")
        assert self.mask is not None
        mask, inner = self.mask, field.reshape(field.shape[-3:])
        while t >= self.due * (1 - ROUNDING):
            mask, inner = self.growth.layer(mask, inner)
            self.due += self.growth.every
        if mask is self.mask:
            return flow, field
        self.mask, field = mask, inner.reshape(field.shape)
        around = replace(flow.rule.neighbourhood, mask=mask)
        return Flow(replace(flow.rule, neighbourhood=around), field), field
