"""95% confidence intervals of a mean, a median, a share, and of any statistic of repeated runs."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

RESAMPLES = 2000


@dataclass(frozen=True)
class Interval:
    """An estimate, the ends of its 95% interval, and the number of runs that it comes from."""

    value: float
    low: float
    high: float
    runs: int


def mean_interval(values: ArrayLike) -> Interval:
    """The mean, by Student's t: mean ± t s / sqrt(n), s the standard deviation of the n values.

    Raises
    ------
    ValueError
        For values that are not a row of finite numbers, and for a single one, which has no spread.
    """
    from scipy.stats import t as student  # here: it takes longer to load than to use

    array = _row(values)
    if array.size < 2:
        raise ValueError("values: got one, expected at least two, whose spread gives the error of their mean")
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
        If these are not whole numbers with 0 <= hits <= runs and at least one run.
    """
    from scipy.stats import binomtest  # here: it takes longer to load than to use

    hits, runs = operator.index(hits), operator.index(runs)
    if runs < 1 or not 0 <= hits <= runs:
        raise ValueError(f"got {hits} hits of {runs} runs, expected at least one run and from 0 to all of them hits")
    interval = binomtest(hits, runs).proportion_ci(method="wilson")
    return Interval(hits / runs, float(interval.low), float(interval.high), runs)


def bootstrap_interval(
    statistic: Callable[[NDArray[np.int64]], float], runs: int, *, resamples: int = RESAMPLES
) -> Interval:
    """A statistic of runs, by the percentile bootstrap (Efron 1979), always with the same resamples.

    Parameters
    ----------
    statistic
        A function that computes a number from (runs,) indices of resampled runs, some of them repeated.
    runs
        Number of runs.
    resamples
        Number of samples, each of as many runs.

    Raises
    ------
    ValueError
        For fewer than one run or resample.
    """
    if runs < 1 or resamples < 1:
        raise ValueError(f"got {runs} runs and {resamples} resamples, expected at least one of each")
    rng = np.random.default_rng(0)
    resampled = [statistic(rng.integers(runs, size=runs)) for _ in range(resamples)]
    low, high = np.quantile(resampled, (0.025, 0.975))
    return Interval(float(statistic(np.arange(runs))), float(low), float(high), runs)


def _row(values: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(values, float)
    if array.ndim != 1 or not array.size or not np.isfinite(array).all():
        raise ValueError(f"values: got shape {array.shape}, expected a row of finite numbers, at least one")
    return array
