"""Which cases of a list the quick suite takes (of grids, tests/conftest.py says which)."""

import pytest


def slow(*values):
    """The values as parameters that run in ``make test-slow`` only."""
    return [pytest.param(value, marks=pytest.mark.slow) for value in values]


def slow_unless(quick, cases):
    """The cases as parameters; those for which ``quick(*case)`` is false run in ``make test-slow`` only."""
    rows = [case if isinstance(case, tuple) else (case,) for case in cases]
    return [pytest.param(*row, marks=[] if quick(*row) else [pytest.mark.slow]) for row in rows]


def first_preset(system):
    """The preset that stands for the others: they share its cell function."""
    return next(iter(system.presets))
