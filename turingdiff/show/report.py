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

from turingdiff.engine.short_repr import short_repr
from turingdiff.files import atomic_path
from turingdiff.show.colour import COLORMAP, colours, indexed
from turingdiff.show.figures import write_figure
from turingdiff.show.tables import Number, Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

UNTOUCHED = (217, 222, 227)  # no difference at all
DECADES, SHADES = 6, 24  # of the maps of differences


@short_repr
@dataclass(frozen=True, eq=False)
class PixelSources:
    """The largest contribution to every pixel: S samples at L - 1 noise levels and, last, finished.

    Attributes
    ----------
    sigma, patch
        (L,) noise level, 0 for the finished samples, and side of the window.
    levels
        How many levels the run took.
    pictures
        (S, L, C, H, W) the samples, -1 ... 1.
    images, number
        (n, C, h, w) the training images with the largest contribution to any pixel, -1 ... 1, and (n,) which of the set
        they are.
    image, row, column, weight
        (S, L, H, W) the patch with the largest weight: index into `images`, place of the window's centre, weight.
    contributions
        (S, L, H, W) the effective number of patches that the pixel is the mean of.
    periodic
        Whether windows continue across the edges.
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
    contributions: NDArray
    periodic: bool


@short_repr
@dataclass(frozen=True, eq=False)
class Perturbations:
    """How far perturbations of N cells spread, each of one cell alone, at K readings of the clock.

    Attributes
    ----------
    picture
        (C, H, W) the pattern that was perturbed.
    limits
        The values at the ends of its colour map.
    cells
        (N, 2) row and column.
    times, steps
        (K,) the clock, and the steps since the perturbation.
    maps
        (N, K, H, W) the difference from the run without it.
    visible, detectable
        (N, K) how many cells away the difference is above a share of the largest; is not zero. nan for nowhere.
    bound
        (K,) the light-cone bound: how far it can be by the declared radii.
    edge
        How many cells away the farthest cell is.
    """

    picture: NDArray
    limits: tuple[float, float]
    cells: NDArray
    times: NDArray
    steps: NDArray
    maps: NDArray
    visible: NDArray
    detectable: NDArray
    bound: NDArray
    edge: int


@dataclass(frozen=True)
class Panel:
    """One rule of the report: its title and clock, and what clicks on it show."""

    title: str
    clock: str
    sources: PixelSources | None = None
    perturbations: Perturbations | None = None


@short_repr
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
    page = re.sub(r"\{\{(\w+)\}\}", lambda name: filled[name[1]], page)  # in one pass: no filling is filled again
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
        "sources": panel.sources and _sources(panel.sources),
        "perturbations": panel.perturbations and _perturbations(panel.perturbations),
    }


def _sources(of: PixelSources) -> dict[str, Any]:
    samples, levels, _, height, width = of.pictures.shape
    across = math.ceil(math.sqrt(len(of.images)))
    return {
        "samples": samples,
        "levels": levels,
        "recorded": of.levels,
        "size": [height, width],
        "sigma": [float(f"{s:.3g}") for s in of.sigma],
        "patch": of.patch.tolist(),
        "periodic": of.periodic,
        "pictures": _sheet(of.pictures.reshape(-1, *of.pictures.shape[2:]), levels),
        "source": {"size": list(of.images.shape[2:]), "across": across, "number": of.number.tolist(),
                   "sheet": _sheet(of.images, across)},
        "image": _packed(of.image, "<i4"),
        "row": _packed(of.row, "<i4"),
        "column": _packed(of.column, "<i4"),
        "weight": _packed(of.weight, "<f4"),
        "contributions": _packed(of.contributions, "<f4"),
    }  # fmt: skip


def _perturbations(of: Perturbations) -> dict[str, Any]:
    height, width = of.picture.shape[1:]
    if len(of.picture) == 3:
        picture = _png(np.moveaxis(indexed(of.picture, -1, 1, 256), 0, -1))
    else:
        picture = _png(colours(COLORMAP, 256)[indexed(of.picture[0], *of.limits, 256)])
    far = [None if math.isinf(r) else float(r) for r in of.bound]
    return {
        "size": [height, width],
        "picture": picture,
        "cells": of.cells.tolist(),
        "times": [float(f"{t:.6g}") for t in of.times],
        "steps": of.steps.tolist(),
        "maps": [_png(_differences(m).reshape(-1, width), _palette()) for m in of.maps],
        "visible": _numbers(of.visible),
        "detectable": _numbers(of.detectable),
        "bound": far,
        "edge": of.edge,
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
