"""Run rules of both families side by side and tabulate the same measures of all."""

from __future__ import annotations

from turingdiff.comparison.columns import Column
from turingdiff.comparison.side_by_side import Comparison, check_folder, compare

__all__ = ["Column", "Comparison", "check_folder", "compare"]
