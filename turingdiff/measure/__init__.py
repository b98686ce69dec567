"""Measures: a number or a map computed from a field, a rule or a run, of either family."""

from __future__ import annotations

from .compare_images import Agreement, agreement
from .crossings import count_runs
from .denoiser_waves import Speciation, speciation, uniform_fixed_point
from .influence_cones import Influence, influence, influences
from .linear import dispersion
from .lyapunov import Divergence, divergence
from .nearest import Novelty, leave_one_out, novelty
from .patch_distances import PatchDistance, patch_distance, patch_leave_one_out
from .pattern_statistics import Structure, structure
from .pieces import Sources, sources
from .promises import Observation, change, disagreements, observe
from .receptive_fields import JacobianMap, jacobian_map
from .regimes import TuringSpace, turing_space
from .spectra import Spectrum, Wavelength, spectrum, wavelength
from .topology import Shapes, shapes
from .waves import Dispersion

__all__ = [
    "Agreement",
    "Dispersion",
    "Divergence",
    "Influence",
    "JacobianMap",
    "Novelty",
    "Observation",
    "PatchDistance",
    "Shapes",
    "Sources",
    "Speciation",
    "Spectrum",
    "Structure",
    "TuringSpace",
    "Wavelength",
    "agreement",
    "change",
    "count_runs",
    "disagreements",
    "dispersion",
    "divergence",
    "influence",
    "influences",
    "jacobian_map",
    "leave_one_out",
    "novelty",
    "observe",
    "patch_distance",
    "patch_leave_one_out",
    "shapes",
    "sources",
    "speciation",
    "spectrum",
    "structure",
    "turing_space",
    "uniform_fixed_point",
    "wavelength",
]
