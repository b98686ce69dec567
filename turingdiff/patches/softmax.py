"""Softmaxes over training patches under way: states of blocks of patches, which merge.

`turingdiff.patches.cells.one_more` is the definition, patch by patch; states are arrays of the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from typing import Any, TypeVar

import numpy as np

from turingdiff.patches.kernels import START


def more_weights(least: Any, total: Any, squared: np.ndarray, precision: Any) -> tuple[np.ndarray, ...]:
    """`one_more` for n patches at squared distances (n, ...): least distance, sum, worth of the old sums, weights."""
    lowest = np.minimum(least, squared.min(axis=0))
    before, weights = np.exp((lowest - least) * precision), np.exp((lowest - squared) * precision)
    return lowest, total * before + weights.sum(axis=0), before, weights


@dataclass(frozen=True)
class SoftmaxState:
    """A softmax under way: least squared distance and sum (..., H, W), weighted sum (..., C, H, W)."""

    least: np.ndarray
    total: np.ndarray
    weighted: np.ndarray

    def more(self, squared: np.ndarray, values: np.ndarray, precision: Any) -> SoftmaxState:
        """The state with n more patches, at squared distances (n, ..., H, W), of values (n, ..., C, H, W)."""
        least, total, before, weights = more_weights(self.least, self.total, squared, precision)
        weighted = self.weighted * over_channels(before) + (over_channels(weights) * values).sum(axis=0)
        return SoftmaxState(least, total, weighted)

    def merge(self, other: SoftmaxState, precision: Any) -> SoftmaxState:
        """The state of both; associative up to rounding."""
        least = np.minimum(self.least, other.least)
        a, b = (np.exp((least - state.least) * precision) for state in (self, other))
        weighted = self.weighted * over_channels(a) + other.weighted * over_channels(b)
        return SoftmaxState(least, self.total * a + other.total * b, weighted)

    def mean(self) -> np.ndarray:
        """The weighted mean (..., C, H, W)."""
        return self.weighted / over_channels(self.total)


def over_channels(a: np.ndarray) -> np.ndarray:
    """One number a pixel (..., H, W) as (..., 1, H, W)."""
    return a[..., None, :, :]


NO_PATCHES = SoftmaxState(np.array(np.inf), np.array(0.0), np.array(0.0))


@dataclass(frozen=True)
class Moments:
    """A softmax under way: sums of weights w = exp(l) and of w l, with l = (reference - distance) precision.

    `nearest` is the least squared distance; all are (..., H, W).
    """

    nearest: np.ndarray
    reference: np.ndarray
    total: np.ndarray
    moment: np.ndarray

    @classmethod
    def start(cls, shape: tuple[int, ...]) -> Moments:
        """No patch yet."""
        far, none = np.full(shape, START), np.zeros(shape)
        return cls(far, far.copy(), none, none.copy())

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        """What the kernels fill."""
        return self.nearest, self.reference, self.total, self.moment

    def merge(self, other: Moments, precision: float) -> Moments:
        """The state of both; associative up to rounding."""
        reference = np.minimum(self.reference, other.reference)
        sums = np.zeros((2, *reference.shape))
        for state in (self, other):
            change = (reference - state.reference) * precision
            factor = np.exp(change)
            sums += factor * state.total, factor * (state.moment + change * state.total)
        return Moments(np.minimum(self.nearest, other.nearest), reference, *sums)

    def weight(self, distance: np.ndarray, precision: float) -> np.ndarray:
        """The weight of a patch at a squared distance."""
        return np.exp((self.reference - distance) * precision) / self.total

    def largest(self, precision: float) -> np.ndarray:
        """The weight of the nearest patch."""
        return self.weight(self.nearest, precision)

    def entropy(self) -> np.ndarray:
        """-sum W log W with W = w/total: log total - sum(w l)/total."""
        return np.log(self.total) - self.moment / self.total


State = TypeVar("State", SoftmaxState, Moments)


def merge_all(states: Iterable[State], precision: Any) -> State:
    """The state of all, merged in their order: floating-point merging is not associative."""
    return reduce(lambda a, b: a.merge(b, precision), states)


def states_of_blocks(kind: type[State], arrays: Iterable[np.ndarray], axis: int) -> list[State]:
    """The states of blocks of images, which lie along `axis` of the arrays that a kernel has filled."""
    return [kind(*parts) for parts in zip(*(np.moveaxis(a, axis, 0) for a in arrays), strict=True)]
