"""A small table: one row a measure, one column a rule, as text and as CSV."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from turingdiff.files import atomic_path

NOTHING = "-"


@dataclass(frozen=True)
class Table:
    """``rows`` maps a row's name to one text a column; a missing value is "-". ``corner`` says what the rows are."""

    columns: tuple[str, ...]
    rows: Mapping[str, tuple[str, ...]]
    corner: str = ""

    @classmethod
    def of_columns(cls, columns: Mapping[str, Mapping[str, str]]) -> Table:
        """Set columns, each a mapping of measure to text, side by side; rows in order of first appearance."""
        names = list(dict.fromkeys(name for column in columns.values() for name in column))
        rows = {name: tuple(column.get(name, NOTHING) for column in columns.values()) for name in names}
        return cls(tuple(columns), rows)

    def __str__(self) -> str:
        lines = [(self.corner, *self.columns), *((name, *values) for name, values in self.rows.items())]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join(
            "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in lines
        )

    def save(self, path: str | Path) -> Path:
        """Write CSV, atomically; returns the path."""
        with atomic_path(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow((self.corner or "measure", *self.columns))
            writer.writerows((name, *values) for name, values in self.rows.items())
        return Path(path)
