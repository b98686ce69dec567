"""The main job: rules of both families, run by the same engine, side by side, measured with the same rulers."""

from __future__ import annotations

from turingdiff.comparison.columns import Column
from turingdiff.comparison.side_by_side import Comparison, check_folder, compare

__all__ = ["Column", "Comparison", "check_folder", "compare"]
