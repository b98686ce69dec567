"""What a prompt or a notebook prints of a result fits a screen."""

import importlib
import inspect
import pkgutil
from dataclasses import fields, is_dataclass

import numpy as np
import pytest

import turingdiff as td

PACKAGES = ("comparison", "denoising", "measure", "network", "show", "patches")
# Their values are few, or their fields cannot be arrays: they have a repr of their own, or that of a dataclass.
ARRAYS = ("ndarray", "NDArray", "Mapping", "Sequence", "tuple[int, ...]", "tuple[float, ...]")
OWN = {"Machine", "Denoiser", "Network", "NoisePredictor"}  # rules: `Rule.__repr__`


def results():
    """The dataclasses of the public packages that hold arrays or other results."""
    for package in PACKAGES:
        home = importlib.import_module(f"turingdiff.{package}")
        for module in pkgutil.iter_modules(home.__path__):
            if module.name in ("_training", "_residual_network"):
                continue
            for name, cls in vars(importlib.import_module(f"{home.__name__}.{module.name}")).items():
                if is_dataclass(cls) and inspect.isclass(cls) and cls.__module__.endswith(module.name):
                    wide = any(word in str(field.type) for field in fields(cls) for word in ARRAYS)
                    if wide and not name.startswith("_") and name not in OWN and package != "patches":
                        yield cls


VALUES = [
    np.random.default_rng(0).random((4, 1, 28, 28)),
    {f"title {n}": np.zeros(9) for n in range(99)},
    (1,) * 999,
    "word " * 999,
    td.morphogenesis.brusselator(),
]


@pytest.mark.parametrize("cls", list(results()), ids=lambda cls: cls.__name__)
def test_the_repr_of_a_result_fits_a_screen(cls):
    for value in VALUES:
        one = object.__new__(cls)
        for field in fields(cls):
            object.__setattr__(one, field.name, value)
        text = repr(one)
        assert text.startswith(f"{cls.__name__}(")
        assert len(text.splitlines()) <= 10
        assert max(map(len, text.splitlines())) <= 110


def test_an_array_is_its_shape_and_range():
    text = repr(td.denoising.Uncertainty(np.array([[0.0, np.nan, 2.5]]), np.ones((1, 3)), np.zeros(0, int), 0.5, 3))
    words = "Uncertainty(entropy=<float64 1 x 3, 0 to 2.5>, largest=<float64 1 x 3, 1 to 1>, patches=<int64 0>,"
    assert " ".join(text.split()) == f"{words} sigma=0.5, patch=3)"
