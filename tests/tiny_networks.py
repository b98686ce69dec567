"""Small networks with random weights, shared by the tests of networks and of the contract."""

import numpy as np

from turingdiff.network._weights import Architecture, Weights

SMALL = {"width": 3, "layers": 2, "embedding": 4, "frequencies": 2}


def tiny(seed=0, **options):
    """Random weights of a size that keeps values near 1 and about half of the units on."""
    architecture, rng = Architecture(**(SMALL | options)), np.random.default_rng(seed)
    arrays = {name: rng.standard_normal(shape) / np.sqrt(_inputs(shape)) for name, shape in architecture.shapes.items()}
    arrays = {name: array.astype(np.float32) for name, array in arrays.items()}
    return Weights(architecture, arrays, {"size": [6, 7], "seed": seed})


def _inputs(shape):
    """How many numbers one unit adds up."""
    return np.prod(shape[-3:]) if len(shape) >= 4 else shape[-1]


def same(found, expected):
    """Whether two networks agree to the last bit."""
    arrays = (found.arrays, expected.arrays)
    return (
        found.architecture == expected.architecture
        and found.record == expected.record
        and [list(held) for held in arrays] == [list(expected.architecture.shapes)] * 2
        and all(found.arrays[name].tobytes() == array.tobytes() for name, array in expected.arrays.items())
    )
