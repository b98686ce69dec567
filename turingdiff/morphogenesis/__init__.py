"""Reaction–diffusion systems: one file each, named after the paper."""

from turingdiff.morphogenesis.activator_substrate_1994 import activator_substrate
from turingdiff.morphogenesis.bmp_sox9_wnt_2014 import bmp_sox9_wnt
from turingdiff.morphogenesis.brusselator_1968 import brusselator
from turingdiff.morphogenesis.cahn_hilliard_1958 import cahn_hilliard
from turingdiff.morphogenesis.chemical_basis_1952 import turing_1952
from turingdiff.morphogenesis.complex_ginzburg_landau_1971 import complex_ginzburg_landau
from turingdiff.morphogenesis.fitzhugh_nagumo_1961 import fitzhugh_nagumo
from turingdiff.morphogenesis.gierer_meinhardt_1972 import gierer_meinhardt
from turingdiff.morphogenesis.gray_scott_1984 import gray_scott
from turingdiff.morphogenesis.lengyel_epstein_1991 import lengyel_epstein
from turingdiff.morphogenesis.meinhardt_stripes_1982 import meinhardt_stripes
from turingdiff.morphogenesis.miyazawa_2010 import miyazawa
from turingdiff.morphogenesis.positional_information_1969 import positional_information
from turingdiff.morphogenesis.schnakenberg_1979 import schnakenberg
from turingdiff.morphogenesis.swift_hohenberg_1977 import swift_hohenberg

__all__ = [
    "activator_substrate",
    "bmp_sox9_wnt",
    "brusselator",
    "cahn_hilliard",
    "complex_ginzburg_landau",
    "fitzhugh_nagumo",
    "gierer_meinhardt",
    "gray_scott",
    "lengyel_epstein",
    "meinhardt_stripes",
    "miyazawa",
    "positional_information",
    "schnakenberg",
    "swift_hohenberg",
    "turing_1952",
]
