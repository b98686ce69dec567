"""How sure a number is: 95% intervals of a mean, a median, a share, and of any statistic of repeated runs."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Interval", "bootstrap_interval", "mean_interval", "median_interval", "share_interval"]

RESAMPLES = 2000


@dataclass(frozen=True)
class Interval:
    """A number, the ends of its 95% interval, and how many runs it comes from."""

    value: float
    low: float
    high: float
    runs: int


def mean_interval(values: ArrayLike) -> Interval:
    """The mean, by Student's t: mean ± t s / sqrt(n), s the standard deviation of the n values.

    Raises
    ------
    ValueError
        For values that are not a row of finite numbers, and for a single one, whose spread is not known.
    """
    from scipy.stats import t as student  # here: it takes longer to load than to use

    array = _row(values)
    if array.size < 2:
        raise ValueError("values: got one, expected at least two, whose spread says how sure their mean is")
    half = student.ppf(0.975, array.size - 1) * array.std(ddof=1) / np.sqrt(array.size)
    return Interval(float(array.mean()), float(array.mean() - half), float(array.mean() + half), array.size)


def median_interval(values: ArrayLike) -> Interval:
    """The median, by the bootstrap over the values.

    Raises
    ------
    ValueError
        For values that are not a row of finite numbers.
    """
    array = _row(values)
    return bootstrap_interval(lambda chosen: float(np.median(array[chosen])), array.size)


def share_interval(hits: int, runs: int) -> Interval:
    """The share hits / runs, by the score interval (Wilson 1927), which stays between 0 and 1.

    Raises
    ------
    TypeError, ValueError
        If these are no whole numbers, or not 0 <= hits <= runs with a run at least.
    """
    from scipy.stats import binomtest  # here: it takes longer to load than to use

    hits, runs = operator.index(hits), operator.index(runs)
    if runs < 1 or not 0 <= hits <= runs:
        raise ValueError(f"got {hits} hits of {runs} runs, expected at least one run and from 0 to all of them hits")
    found = binomtest(hits, runs).proportion_ci(method="wilson")
    return Interval(hits / runs, float(found.low), float(found.high), runs)


def bootstrap_interval(
    statistic: Callable[[NDArray[np.int64]], float], runs: int, *, resamples: int = RESAMPLES
) -> Interval:
    """A statistic of runs, by the percentile bootstrap (Efron 1979), always with the same resamples.

    Parameters
    ----------
    statistic
        A function of (runs,) indices of the runs that count, some of them several times, to a number.
    runs
        How many there are.
    resamples
        How many samples of as many runs are drawn.

    Raises
    ------
    ValueError
        For fewer than one run or resample.
    """
    if runs < 1 or resamples < 1:
        raise ValueError(f"got {runs} runs and {resamples} resamples, expected at least one of each")
    rng = np.random.default_rng(0)
    again = [statistic(rng.integers(runs, size=runs)) for _ in range(resamples)]
    low, high = np.quantile(again, (0.025, 0.975))
    return Interval(float(statistic(np.arange(runs))), float(low), float(high), runs)


def _row(values: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(values, float)
    if array.ndim != 1 or not array.size or not np.isfinite(array).all():
        raise ValueError(f"values: got shape {array.shape}, expected a row of finite numbers, at least one")
    return array
