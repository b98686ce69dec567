"""Measures: a number or a map computed from a field, a rule or a run, of either family."""

from __future__ import annotations

from .compare_images import Agreement, agreement
from .linear import dispersion
from .nearest import Novelty, leave_one_out, novelty
from .promises import Observation, change, disagreements, observe
from .regimes import TuringSpace, turing_space
from .spectra import Spectrum, Wavelength, spectrum, wavelength
from .topology import Shapes, shapes
from .waves import Dispersion

__all__ = [
    "Agreement",
    "Dispersion",
    "Novelty",
    "Observation",
    "Shapes",
    "Spectrum",
    "TuringSpace",
    "Wavelength",
    "agreement",
    "change",
    "disagreements",
    "dispersion",
    "leave_one_out",
    "novelty",
    "observe",
    "shapes",
    "spectrum",
    "turing_space",
    "wavelength",
]
