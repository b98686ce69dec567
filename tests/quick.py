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


def all_in_one(names, cases):
    """One test of all the cases, for lists of bad input: each takes a line and no time, and the first that fails tells.

    Written as ``pytest.mark.parametrize`` is.
    """
    names = [name.strip() for name in names.split(",")] if isinstance(names, str) else names

    def decorate(test):
        def all_cases():
            for case in cases:
                try:
                    test(**dict(zip(names, case if len(names) > 1 else [case], strict=True)))
                except BaseException as error:
                    error.add_note(f"of {names}: {case!r}")
                    raise

        all_cases.__name__, all_cases.__doc__, all_cases.__module__ = test.__name__, test.__doc__, test.__module__
        return all_cases

    return decorate
