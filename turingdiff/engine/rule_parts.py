"""Input validation of the parts of a rule: its parameters, its noise, its held cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from turingdiff.engine.growth import Apical, Uniform
from turingdiff.engine.neighbourhood import check_mask


def check_hold(hold: Any, channels: int) -> tuple[np.ndarray, np.ndarray]:
    """Return held cells (H, W) and their values, (C,) or (C, H, W)."""
    if not isinstance(hold, tuple) or len(hold) != 2:
        raise TypeError(f"hold is (cells, values): a boolean (H, W) and one value a channel; got {type(hold).__name__}")
    cells, values = check_mask(hold[0]), np.asarray(hold[1], float)
    values = np.broadcast_to(values, (channels,)) if values.ndim == 0 else values
    if values.shape not in ((channels,), (channels, *cells.shape)) or not np.isfinite(values).all():
        raise ValueError(
            f"hold has values of shape {values.shape}, expected finite ({channels},) or {(channels, *cells.shape)}"
        )
    return cells, values


def check_growth(name: str, growth: Any, mask: np.ndarray | None) -> None:
    """Raise TypeError unless growth is one that `turingdiff.grow` makes, ValueError where it does not fit the mask."""
    if growth is None or isinstance(growth, Uniform):
        return
    if not isinstance(growth, Apical):
        raise TypeError(f"growth is td.grow.uniform(rate), or td.grow.edge, tip or species; got {growth!r}")
    if mask is None:
        raise ValueError(f"{growth} adds cells to a mask, and {name} has no mask: give mask=")
    if growth.within is not None and growth.within.shape != mask.shape:
        raise ValueError(f"within has the shape {growth.within.shape} and the mask {mask.shape}, expected the same")


def check_noise(name: str, channels: Sequence[str], noise: Any) -> Any:
    """Pass on the amplitude of noise, a number or a tuple of one a channel."""
    amplitude = np.asarray(noise)
    if amplitude.dtype.kind not in "biuf":
        raise TypeError(f"{name}: noise must be a number, one for each of {channels}, or a function, got {noise!r}")
    if amplitude.shape not in ((), (len(channels),)):
        raise ValueError(f"{name} has {len(channels)} channels and {amplitude.size} noise amplitudes, {noise!r}")
    if not (np.isfinite(amplitude) & (amplitude >= 0)).all():
        raise ValueError(f"{name}: noise is an amplitude, finite and >= 0, got {noise!r}")
    return tuple(amplitude.tolist()) if amplitude.ndim else amplitude.item()


def check_parameter(name: str, value: Any) -> Any:
    """Return a parameter as a number or an array."""
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"parameter {name} must be a number, an (H, W) map or an array, got {value!r}")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError(f"parameter {name} must be finite, got {value!r}")
    return array if array.ndim else array.item()
