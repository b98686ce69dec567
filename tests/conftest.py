import os
import sys

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read when the first parallel kernel starts its threads

import hypothesis
import numba
import numpy as np
import pytest

# Quick: few examples, the same each time. Full (`make test-slow`): many, and others each time.
hypothesis.settings.register_profile("quick", max_examples=15, deadline=None, derandomize=True, database=None)
hypothesis.settings.register_profile("full", max_examples=200, deadline=None, print_blob=True)
hypothesis.settings.load_profile("quick")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Of a large grid of parameters the quick suite tries every value of every axis; all combinations are slow."""
    functions = {}
    for item in items:
        if hasattr(item, "callspec") and not item.get_closest_marker("slow"):
            functions.setdefault((item.path, item.cls, item.originalname), []).append(item)
    for combinations in functions.values():
        for item, chosen in zip(combinations, _each_value(combinations), strict=True):
            if not chosen:
                item.add_marker(pytest.mark.slow)
    _skip_compiled(items)


def _each_value(items):
    """Which items lie on one diagonal of the grid of their parameters: every value of every axis is on it."""
    axes = []
    for mark in items[0].iter_markers("parametrize"):
        names = mark.args[0].replace(",", " ").split() if isinstance(mark.args[0], str) else mark.args[0]
        values = [tuple(id(item.callspec.params[name]) for name in names) for item in items]
        number = {value: n for n, value in enumerate(dict.fromkeys(values))}
        axes.append([number[value] for value in values])
    longest, *others = sorted(axes, key=max, reverse=True) or [[]]
    chosen, stride = [True] * len(items), 0
    for axis in others:
        size = max(axis) + 1
        diagonal = [(n + (n // stride if stride else 0)) % size for n in longest]
        chosen = [so_far and here == there for so_far, here, there in zip(chosen, diagonal, axis, strict=True)]
        stride = (stride or 1) * size
    return chosen


def _skip_compiled(items):
    if not numba.config.DISABLE_JIT:
        return
    for item in items:
        if item.get_closest_marker("compiled"):
            item.add_marker(pytest.mark.skip(reason="NUMBA_DISABLE_JIT is set"))


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture(autouse=True)
def _floating_point_errors_raise():
    """Underflow is harmless (and frequent ahead of fronts); all else is a bug unless the package says otherwise."""
    with np.errstate(divide="raise", over="raise", invalid="raise"):
        yield


@pytest.fixture(params=[pytest.param(1, marks=pytest.mark.slow), 2], ids=["one thread", "two threads"])
def threads(request):
    """Run the test with one and with two Numba threads."""
    if request.param > numba.config.NUMBA_NUM_THREADS:
        pytest.skip("this machine has one core")
    before = numba.get_num_threads()
    numba.set_num_threads(request.param)
    yield request.param
    numba.set_num_threads(before)
