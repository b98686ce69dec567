"""95% intervals: known answers, and how often they hold what they should."""

import numpy as np
import pytest
from quick import all_in_one, slow

import turingdiff as td

measure = td.measure


def test_the_mean_of_five_numbers():
    found = measure.mean_interval([1, 2, 3, 4, 5])
    half = 2.7764451051977987 * np.sqrt(2.5) / np.sqrt(5)  # Student's t of 4 degrees of freedom
    assert (found.value, found.runs) == (3, 5)
    assert (found.low, found.high) == pytest.approx((3 - half, 3 + half), rel=1e-12)


def test_the_mean_of_one_value_has_no_interval():
    with pytest.raises(ValueError, match="at least two"):
        measure.mean_interval([2.0])


def test_wilsons_interval_solves_its_equation():
    # The ends p satisfy (share - p)² = z² p (1 - p) / n.
    found = measure.share_interval(7, 40)
    z = 1.959963984540054
    for end in (found.low, found.high):
        assert (found.value - end) ** 2 == pytest.approx(z**2 * end * (1 - end) / 40, rel=1e-9)
    nothing, everything = measure.share_interval(0, 200), measure.share_interval(200, 200)
    assert nothing.low == pytest.approx(0, abs=1e-12)
    assert 0 < nothing.high < 0.02
    assert everything.low == pytest.approx(1 - nothing.high)


def test_the_bootstrap_is_that_of_all_resamples_at_once():
    values = np.random.default_rng(3).normal(size=31)
    again = np.median(np.random.default_rng(0).choice(values, (2000, 31)), axis=1)
    found = measure.median_interval(values)
    assert (found.low, found.high) == tuple(np.quantile(again, (0.025, 0.975)))
    assert found.value == np.median(values)
    assert measure.median_interval(values) == found


@pytest.mark.parametrize("interval", [measure.mean_interval, *slow(measure.median_interval)])
def test_nineteen_of_twenty_hold_the_truth(interval):
    draws = np.random.default_rng(0).normal(1.5, 2.0, (150, 40))
    found = [interval(draw) for draw in draws]
    assert 0.88 < np.mean([one.low < 1.5 < one.high for one in found]) < 0.99


@pytest.mark.parametrize("values", [[], [1.0, np.nan], np.zeros((2, 2)), 3.0])
@pytest.mark.parametrize("interval", [measure.mean_interval, measure.median_interval])
def test_what_is_no_row_of_numbers_is_refused(interval, values):
    with pytest.raises(ValueError, match="row of finite numbers"):
        interval(values)


@all_in_one(("hits", "runs"), [(1, 0), (-1, 3), (4, 3)])
def test_impossible_shares_are_refused(hits, runs):
    with pytest.raises(ValueError, match="hits of"):
        measure.share_interval(hits, runs)


def test_no_runs_and_no_whole_numbers_are_refused():
    with pytest.raises(ValueError, match="at least one of each"):
        measure.bootstrap_interval(lambda n: 0.0, 0)
    with pytest.raises(TypeError):
        measure.share_interval(0.5, 2)
