"""A trained network as a rule of the engine; its weights run without PyTorch, which only training needs.

=========================================================  ====================================
names                                                      module
=========================================================  ====================================
`Architecture`, `Weights`, `load_weights`, `save_weights`  ``_weights``
`Settings`, `train`                                        ``_training``, which needs PyTorch
=========================================================  ====================================
"""

from typing import Any

from turingdiff.network._network import Network, network
from turingdiff.network._weights import Architecture, Weights, load_weights, save_weights

__all__ = [
    "Architecture",
    "Network",
    "Settings",
    "Weights",
    "load_weights",
    "network",
    "save_weights",
    "train",
]


def __getattr__(name: str) -> Any:
    if name in ("Settings", "train"):
        from turingdiff.network import _training

        return getattr(_training, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
