"""Measures: a number or a map computed from a field, a rule or a run, of either family."""

from __future__ import annotations

from .compare_images import Agreement, agreement
from .crossings import count_legs, count_runs
from .denoiser_waves import Speciation, speciation, uniform_fixed_point
from .influence_cones import Influence, influence, influences
from .intervals import Interval, bootstrap_interval, mean_interval, median_interval, share_interval
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
    "Interval",
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
    "bootstrap_interval",
    "change",
    "count_legs",
    "count_runs",
    "disagreements",
    "dispersion",
    "divergence",
    "influence",
    "influences",
    "jacobian_map",
    "leave_one_out",
    "mean_interval",
    "median_interval",
    "novelty",
    "observe",
    "patch_distance",
    "patch_leave_one_out",
    "shapes",
    "share_interval",
    "sources",
    "speciation",
    "spectrum",
    "structure",
    "turing_space",
    "uniform_fixed_point",
    "wavelength",
]
