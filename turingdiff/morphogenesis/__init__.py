"""Reaction–diffusion systems: one file each, named after the paper."""

from turingdiff.morphogenesis.brusselator_1968 import brusselator
from turingdiff.morphogenesis.gray_scott_1984 import gray_scott
from turingdiff.morphogenesis.schnakenberg_1979 import schnakenberg

__all__ = ["brusselator", "gray_scott", "schnakenberg"]
