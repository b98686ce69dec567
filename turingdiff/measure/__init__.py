"""Measures: a number or a map computed from a field, a rule or a run, of either family.

A public name ``x`` lives in ``_x.py`` (and the result that it makes beside it), except for these.

=================================================================  =========================
names                                                              module
=================================================================  =========================
`Dispersion`                                                       ``_dispersion_relation``
`Observation`                                                      ``_observe``
`Interval` and `mean_interval`, `median_interval`,
`share_interval`, `bootstrap_interval`                             ``_intervals``
`influences`                                                       ``_influence``
`leave_one_out`                                                    ``_novelty``
`patch_leave_one_out`                                              ``_patch_distance``
`disagreements`, the earlier name of `check_pattern`               ``_check_pattern``
=================================================================  =========================
"""

from __future__ import annotations

from turingdiff.measure._agreement import Agreement, agreement
from turingdiff.measure._change import change
from turingdiff.measure._check_pattern import check_pattern, disagreements
from turingdiff.measure._count_legs import count_legs
from turingdiff.measure._count_runs import count_runs
from turingdiff.measure._dispersion import dispersion
from turingdiff.measure._dispersion_relation import Dispersion
from turingdiff.measure._divergence import Divergence, divergence
from turingdiff.measure._influence import Influence, influence, influences
from turingdiff.measure._intervals import Interval, bootstrap_interval, mean_interval, median_interval, share_interval
from turingdiff.measure._jacobian_map import JacobianMap, jacobian_map
from turingdiff.measure._novelty import Novelty, leave_one_out, novelty
from turingdiff.measure._observe import Observation, observe
from turingdiff.measure._patch_distance import PatchDistance, patch_distance, patch_leave_one_out
from turingdiff.measure._patterned import patterned
from turingdiff.measure._shapes import Shapes, shapes
from turingdiff.measure._sources import Sources, sources
from turingdiff.measure._speciation import Speciation, speciation
from turingdiff.measure._spectrum import Spectrum, spectrum
from turingdiff.measure._structure import Structure, structure
from turingdiff.measure._turing_space import TuringSpace, turing_space
from turingdiff.measure._uniform_fixed_point import uniform_fixed_point
from turingdiff.measure._wavelength import Wavelength, wavelength

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
    "check_pattern",
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
    "patterned",
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
