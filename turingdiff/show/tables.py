"""A small table: one row a measure, one column a rule, as text, as CSV and as JSON."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from turingdiff.engine.short_repr import short_repr
from turingdiff.files import atomic_path

NOTHING = "-"


class Number(str):
    """The text of a number that also knows the number, and its uncertainty where it has one.

    Raises
    ------
    ValueError
        For a number that is not finite: say in words why there is none.
    """

    value: float
    uncertainty: float | None

    def __new__(cls, text: str, value: float, uncertainty: float | None = None) -> Number:
        """Make it of all three."""
        if not all(math.isfinite(x) for x in (value, uncertainty or 0.0)):
            raise ValueError(f"a number of a table is finite, got {value} ± {uncertainty} for {text!r}")
        made = super().__new__(cls, text)
        made.value, made.uncertainty = value, uncertainty
        return made


@short_repr
@dataclass(frozen=True)
class Table:
    """``rows`` maps a row's name, with its unit in brackets, to one text a column; a missing value is "-".

    A text may be a `Number`. ``corner`` says what the rows are.
    """

    columns: tuple[str, ...]
    rows: Mapping[str, tuple[str, ...]]
    corner: str = ""

    @classmethod
    def of_columns(cls, columns: Mapping[str, Mapping[str, str]], corner: str = "") -> Table:
        """Set columns, each a mapping of measure to text, side by side; rows in order of first appearance."""
        names = list(dict.fromkeys(name for column in columns.values() for name in column))
        rows = {name: tuple(column.get(name, NOTHING) for column in columns.values()) for name in names}
        return cls(tuple(columns), rows, corner)

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

    def save_json(self, path: str | Path, **about: Any) -> Path:
        """Write JSON, atomically: `about`, and the numbers as numbers; returns the path.

        ``rows`` is a list of ``{name, unit, cells}``, ``cells`` one ``{text, value, uncertainty}`` for each of
        ``columns``; value and uncertainty are null where there is none.
        """
        held = about | {"columns": list(self.columns), "rows": [_row(name, cells) for name, cells in self.rows.items()]}
        with atomic_path(path) as temporary, open(temporary, "w", encoding="utf-8") as file:
            json.dump(held, file, indent=1, ensure_ascii=False, allow_nan=False)
            file.write("\n")
        return Path(path)


def _row(name: str, cells: tuple[str, ...]) -> dict[str, Any]:
    title, _, unit = name.partition(" [")
    return {
        "name": title,
        "unit": unit.rstrip("]") or None,
        "cells": [
            {"text": cell, "value": getattr(cell, "value", None), "uncertainty": getattr(cell, "uncertainty", None)}
            for cell in cells
        ],
    }
