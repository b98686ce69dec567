import os
import sys

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read when the first parallel kernel starts its threads

import numba
import numpy as np
import pytest


def pytest_collection_modifyitems(items):
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


@pytest.fixture(params=[1, 2], ids=["one thread", "two threads"])
def threads(request):
    """Run the test with one and with two Numba threads."""
    if request.param > numba.config.NUMBA_NUM_THREADS:
        pytest.skip("this machine has one core")
    before = numba.get_num_threads()
    numba.set_num_threads(request.param)
    yield request.param
    numba.set_num_threads(before)
