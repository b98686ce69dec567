"""Training of the paper's minimal network, with PyTorch (extra ``train``); its weights run without."""

from turingdiff.training.loop import Settings, train

__all__ = ["Settings", "train"]
