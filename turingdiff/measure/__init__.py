"""Measures: a number or a map computed from a field, a rule or a run, of either family."""

from __future__ import annotations

from .compare_images import Agreement, agreement
from .nearest import Novelty, leave_one_out, novelty
from .spectra import Spectrum, Wavelength, spectrum, wavelength

__all__ = [
    "Agreement",
    "Novelty",
    "Spectrum",
    "Wavelength",
    "agreement",
    "leave_one_out",
    "novelty",
    "spectrum",
    "wavelength",
]
