"""The report of a comparison: one page of HTML that holds everything, opens without a network and answers clicks."""

from __future__ import annotations

import base64
import io
import json
import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from turingdiff.files import atomic_path
from turingdiff.show.colour import COLORMAP, colours, indexed, limits
from turingdiff.show.figures import write_figure
from turingdiff.show.tables import Number, Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

UNTOUCHED = (217, 222, 227)  # what no news has reached
DECADES, SHADES = 6, 24  # of the maps of differences


@dataclass(frozen=True, eq=False)
class Origins:
    """Where every pixel comes from: S samples at L - 1 noise levels and, last, finished.

    Attributes
    ----------
    sigma, patch
        (L,) noise level, 0 for the finished samples, and side of the window.
    levels
        How many levels the run took.
    pictures
        (S, L, C, H, W) the samples, -1 ... 1.
    images, number
        (n, C, h, w) the training images that are a source of any pixel, -1 ... 1, and (n,) which of the set they are.
    image, row, column, weight
        (S, L, H, W) the source with the largest weight: index into `images`, place of the window's centre, weight.
    periodic
        Whether windows go on at the other side.
    """

    sigma: NDArray
    patch: NDArray
    levels: int
    pictures: NDArray
    images: NDArray
    number: NDArray
    image: NDArray
    row: NDArray
    column: NDArray
    weight: NDArray
    periodic: bool


@dataclass(frozen=True, eq=False)
class Nudges:
    """What became of N cells of a pattern, each changed alone, at K readings of the clock.

    Attributes
    ----------
    picture
        (C, H, W) the pattern that was nudged.
    cells
        (N, 2) row and column.
    times, steps
        (K,) the clock, and the steps since the nudge.
    maps
        (N, K, H, W) the difference that the nudge made.
    seen, felt
        (N, K) how many cells away the difference is above a share of the largest; is there at all. nan for nowhere.
    bound
        (K,) how far it can be by the declared radii.
    edge
        How many cells away the farthest cell is.
    """

    picture: NDArray
    cells: NDArray
    times: NDArray
    steps: NDArray
    maps: NDArray
    seen: NDArray
    felt: NDArray
    bound: NDArray
    edge: int


@dataclass(frozen=True)
class Panel:
    """One rule of the report: its title and clock, and what clicks on it show."""

    title: str
    clock: str
    origins: Origins | None = None
    nudges: Nudges | None = None


@dataclass(frozen=True)
class Report:
    """What the page shows: `uncertainty` says what ± means in the table."""

    command: str
    seed: int
    versions: Mapping[str, str]
    uncertainty: str
    table: Table
    film: Path
    figure: Figure
    panels: Sequence[Panel]


def write_report(report: Report, path: str | os.PathLike[str]) -> Path:
    """Write the page, atomically: no file or address beside it is needed."""
    titles = [panel.title for panel in report.panels]
    together = " and ".join([", ".join(titles[:-1]), titles[-1]] if len(titles) > 1 else titles)
    filled = {
        "title": escape(together),
        "film": _uri("image/gif", report.film.read_bytes()),
        "figure": _uri("image/svg+xml", _svg(report.figure)),
        "table": _table(report.table),
        "uncertainty": escape(report.uncertainty),
        "command": escape(report.command),
        "seed": escape(str(report.seed)),
        "versions": escape(", ".join(f"{name} {text}" for name, text in report.versions.items())),
        # A title must not be able to end the script.
        "data": json.dumps([_panel(panel) for panel in report.panels], allow_nan=False).replace("<", "\\u003c"),
    }
    page = resources.files("turingdiff.show").joinpath("report.html").read_text(encoding="utf-8")
    page = re.sub(r"\{\{(\w+)\}\}", lambda found: filled[found[1]], page)  # in one pass: no filling is filled again
    with atomic_path(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return Path(path)


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in (table.corner or "measure", *table.columns))
    rows = [f"<thead><tr>{head}</tr></thead><tbody>"]
    for name, cells in table.rows.items():
        texts = "".join(f"<td{' class=number' * isinstance(c, Number)}>{escape(c)}</td>" for c in cells)
        title, _, unit = name.partition(" [")
        unit = f' <span class="unit">[{escape(unit)}</span>' if unit else ""
        rows.append(f'<tr><th scope="row">{escape(title)}{unit}</th>{texts}</tr>')
    return "<table>" + "\n".join(rows) + "</tbody></table>"


def _panel(panel: Panel) -> dict[str, Any]:
    return {
        "title": panel.title,
        "clock": panel.clock,
        "origins": panel.origins and _origins(panel.origins),
        "nudges": panel.nudges and _nudges(panel.nudges),
    }


def _origins(found: Origins) -> dict[str, Any]:
    samples, levels, _, height, width = found.pictures.shape
    across = math.ceil(math.sqrt(len(found.images)))
    return {
        "samples": samples,
        "levels": levels,
        "recorded": found.levels,
        "size": [height, width],
        "sigma": [float(f"{s:.3g}") for s in found.sigma],
        "patch": found.patch.tolist(),
        "periodic": found.periodic,
        "pictures": _sheet(found.pictures.reshape(-1, *found.pictures.shape[2:]), levels),
        "source": {"size": list(found.images.shape[2:]), "across": across, "number": found.number.tolist(),
                   "sheet": _sheet(found.images, across)},
        "image": _packed(found.image, "<i4"),
        "row": _packed(found.row, "<i4"),
        "column": _packed(found.column, "<i4"),
        "weight": _packed(found.weight, "<f4"),
    }  # fmt: skip


def _nudges(found: Nudges) -> dict[str, Any]:
    height, width = found.picture.shape[1:]
    if len(found.picture) == 3:
        picture = _png(np.moveaxis(indexed(found.picture, -1, 1, 256), 0, -1))
    else:
        picture = _png(colours(COLORMAP, 256)[indexed(found.picture[0], *limits([found.picture]), 256)])
    far = [None if math.isinf(r) else float(r) for r in found.bound]
    return {
        "size": [height, width],
        "picture": picture,
        "cells": found.cells.tolist(),
        "times": [float(f"{t:.6g}") for t in found.times],
        "steps": found.steps.tolist(),
        "maps": [_png(_differences(m).reshape(-1, width), _palette()) for m in found.maps],
        "seen": _numbers(found.seen),
        "felt": _numbers(found.felt),
        "bound": far,
        "edge": found.edge,
    }


def _numbers(values: NDArray) -> list[list[float | None]]:
    return [[None if math.isnan(x) else float(x) for x in row] for row in values]


def _palette() -> NDArray[np.uint8]:
    return np.concatenate([np.array([UNTOUCHED], np.uint8), colours(COLORMAP, SHADES)])


def _differences(maps: NDArray) -> NDArray[np.uint8]:
    """Palette indices of (K, H, W): 0 for no difference, else the decimal logarithm under the largest of the map."""
    largest = maps.max(axis=(1, 2), keepdims=True)
    share = np.where(maps > 0, maps, 1.0) / np.where(largest > 0, largest, 1.0)
    shade = indexed(np.log10(share), -DECADES, 0, SHADES, first=1)
    return np.where(maps > 0, shade, 0).astype(np.uint8)


def _sheet(pictures: NDArray, across: int) -> str:
    """Pictures (n, C, H, W), -1 ... 1, set in rows of `across`."""
    count, channels, height, width = pictures.shape
    if channels not in (1, 3):
        pictures, channels = pictures.mean(axis=1, keepdims=True), 1
    down = -(-count // across)
    sheet = np.zeros((down * across, height, width, channels), np.uint8)
    sheet[:count] = np.moveaxis(indexed(pictures, -1, 1, 256), 1, -1)
    sheet = sheet.reshape(down, across, height, width, channels).swapaxes(1, 2)
    return _png(sheet.reshape(down * height, across * width, channels).squeeze(-1) if channels == 1
                else sheet.reshape(down * height, across * width, 3))  # fmt: skip


def _png(pixels: NDArray[np.uint8], palette: NDArray[np.uint8] | None = None) -> str:
    """(H, W) grey or palette indices, or (H, W, 3)."""
    from PIL import Image

    image = Image.fromarray(pixels)
    if palette is not None:
        image.putpalette(palette.tobytes())
    stream = io.BytesIO()
    image.save(stream, format="PNG", optimize=palette is None)
    return _uri("image/png", stream.getvalue())


def _svg(figure: Figure) -> bytes:
    stream = io.BytesIO()
    write_figure(figure, stream, "svg")
    return stream.getvalue()


def _packed(values: NDArray, dtype: str) -> str:
    return base64.b64encode(np.ascontiguousarray(values, dtype).tobytes()).decode()


def _uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
