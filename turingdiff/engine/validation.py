"""Input validation: rules, fields, and the times of a run."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from turingdiff.engine.rule import Rule
from turingdiff.engine.times import check_times


def check_rule(rule: Rule) -> None:
    """Raise TypeError unless given a Rule."""
    if not isinstance(rule, Rule):
        raise TypeError(f"expected a rule, got {rule!r}: calling a system makes one, as schnakenberg()")


def check_field(rule: Rule, field: np.ndarray) -> np.ndarray:
    """Pass on a field (C, H, W) or (B, C, H, W), float32 or float64, finite, with the channels of `rule`."""
    check_rule(rule)
    array = np.asarray(field)
    if array.dtype not in (np.float32, np.float64):
        raise TypeError(f"a field is float32 or float64, got {array.dtype}: use field.astype(np.float64)")
    count = len(rule.channels)
    if array.ndim not in (3, 4) or array.shape[-3] != count or 0 in array.shape:
        raise ValueError(
            f"{rule.name} has {count} channel{'s' * (count != 1)} ({', '.join(rule.channels)}): its field has shape "
            f"({count}, H, W) or (B, {count}, H, W), got {array.shape}"
        )
    finite = np.isfinite(array)
    if not finite.all():
        where = tuple(int(n) for n in np.argwhere(~finite)[0])
        raise ValueError(f"the field holds {array[where]} at {where}: a run starts from finite values")
    mask = rule.neighbourhood.mask
    if mask is not None and mask.shape != array.shape[-2:]:
        raise ValueError(
            f"the mask of {rule.name} has the shape {mask.shape}, but the field is {array.shape[-2:]}: start from "
            "rule.initial(), which takes its shape from the mask, or resample the mask"
        )
    if rule.hold is not None and rule.hold[0].shape != array.shape[-2:]:
        raise ValueError(f"hold has cells of shape {rule.hold[0].shape}, but the field is {array.shape[-2:]}")
    for name, value in rule.params.items():
        if np.ndim(value) == 2 and value.shape != array.shape[-2:]:
            raise ValueError(f"parameter {name} is a map of shape {value.shape}, but the field is {array.shape[-2:]}")
    if rule.admits is not None:
        rule.admits(array.shape[-2:])
    return array


def check_clock(rule: Rule, times: Sequence[float]) -> Sequence[float]:
    """Pass on the times of a run, monotone and on the near side of the singular end."""
    times = check_times(times)
    if rule.singular_end is not None and (min(times[0], times[-1]) < rule.singular_end or times[0] == 0):
        raise ValueError(f"{rule.name} runs along sigma > 0, down to 0 at most; got {times[0]} to {times[-1]}")
    return times


def check_every(every: int) -> int:
    """Pass on a number of steps."""
    if every != int(every) or every < 1:
        raise ValueError(f"every must be a whole number of steps >= 1, got {every!r}")
    return int(every)
