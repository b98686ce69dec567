"""The state of a softmax over training patches, block by block: it merges."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from typing import Any, Protocol, TypeVar

import numpy as np

from turingdiff.patches.kernels import START


@dataclass(frozen=True)
class SoftmaxState:
    """A softmax under way: least squared distance and sum (B, H, W), weighted sum (B, C, H, W)."""

    least: np.ndarray
    total: np.ndarray
    weighted: np.ndarray

    @classmethod
    def of(cls, squared: np.ndarray, values: np.ndarray, precision: Any) -> SoftmaxState:
        """The state of n patches at squared distances (n, B, ...), with values (n, B, C, ...)."""
        least = squared.min(axis=0)
        weights = np.exp((least - squared) * precision)
        return cls(least, weights.sum(axis=0), (weights[:, :, None] * values).sum(axis=0))

    def merge(self, other: SoftmaxState, precision: Any) -> SoftmaxState:
        """The state of both; associative up to rounding."""
        least = np.minimum(self.least, other.least)
        a, b = (np.exp((least - state.least) * precision) for state in (self, other))
        total = self.total * a + other.total * b
        weighted = self.weighted * a[:, None] + other.weighted * b[:, None]
        return SoftmaxState(least, total, weighted)

    def mean(self) -> np.ndarray:
        """The weighted mean (B, C, H, W)."""
        return self.weighted / self.total[:, None]


State = TypeVar("State", bound="Merges")


class Merges(Protocol):
    """What blocks of images are gathered in."""

    def merge(self: State, other: State, precision: Any) -> State:
        """The state of both."""
        ...


def merge_all(states: Iterable[State], precision: Any) -> State:
    """The state of all, merged in their order: floating-point merging is not associative."""
    return reduce(lambda a, b: a.merge(b, precision), states)


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

    def merged(self, precision: float) -> Moments:
        """The state of all blocks of images, which are the second axis, merged in their order."""
        return merge_all((Moments(*(a[:, k] for a in self.arrays)) for k in range(self.total.shape[1])), precision)

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
