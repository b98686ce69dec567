"""What stands beside the field: linear theory and the measured spectrum; the sources of a pixel."""

from __future__ import annotations

import base64
from functools import lru_cache
from typing import Any

import numpy as np

from turingdiff.data.images import from_unit, to_unit
from turingdiff.denoising import Machine
from turingdiff.denoising._machine import compared_with
from turingdiff.engine.rule import Rule
from turingdiff.measure import dispersion, shapes, spectrum
from turingdiff.patches.admissible import Admissible

POINTS = 400  # of a curve
SHOWN_SOURCES = 6
NOTHING = 1e-5  # a contrast below this share of the largest value of any channel is no pattern


@lru_cache(maxsize=8)
def theory(rule: Rule) -> dict[str, Any]:
    """The growth rate of every wave by linear theory, on the torus, ready for JSON; or why there is none."""
    try:
        with np.errstate(all="ignore"):
            curve = dispersion(rule.on_torus())
    except (ValueError, ArithmeticError) as error:
        return {"none": str(error)}
    k = np.linspace(0, np.pi / curve.dx, POINTS)
    return {
        "k": _rounded(k), "growth": _rounded(curve.growth(k)), "regime": curve.regime, "fastest": curve.k_max,
        "wavelength": curve.wavelength if np.isfinite(curve.wavelength) else None, "rate": curve.max_growth,
        "band": curve.unstable_band,
    }  # fmt: skip


def measures(rule: Rule, field: np.ndarray) -> dict[str, Any]:
    """The power of every wave in the field, its wavelength and the name of the pattern, ready for JSON.

    Parameters
    ----------
    field
        (C, H, W); its shown channel is measured. Where the boundary is not periodic, under a Hann window.
    """
    plane = np.asarray(field[rule.shown or 0], float)
    if plane.size < 2 or float(np.ptp(plane)) <= NOTHING * float(np.abs(field).max()):
        return {"spectrum": None, "pattern": "uniform", "wavelength": None}
    torus, dx = rule.neighbourhood.periodic, rule.neighbourhood.dx
    waves = spectrum(plane, dx, window=None if torus else "hann")
    named = shapes(plane, dx, boundary="periodic" if torus else "no_flux")
    keep = waves.wavenumber <= np.pi / dx
    return {
        "spectrum": {"k": _rounded(waves.wavenumber[keep]), "power": _rounded((waves.power * waves.modes)[keep])},
        "pattern": named.pattern,
        "wavelength": named.wavelength if np.isfinite(named.wavelength) else None,
        "regions": named.components,
    }


def sources(machine: Rule, field: np.ndarray, sigma: float, row: int, column: int) -> dict[str, Any]:
    """The training patches that one pixel is made of at noise level `sigma`, with their shares.

    A share is the weight exp(-d²/(2 sigma²)) of a patch over the sum of all admissible ones, d the distance between
    its window and the pixel's; see `turingdiff.denoising.mosaic` for the largest of every pixel.

    Raises
    ------
    ValueError
        For a machine that weighs no training patches, or a pixel outside of the field.
    """
    if not isinstance(machine, Machine):
        raise ValueError(f"{machine.name} has no training patches to ask for")
    shape = field.shape[1:]
    if not (0 <= row < shape[0] and 0 <= column < shape[1]):
        raise ValueError(f"({row}, {column}) is no pixel of a field of {shape}")
    r, places = compared_with(machine, shape, sigma)
    distances, rows, columns = _distances(machine.images, field, r, places, row, column)
    logits = -distances / (2 * sigma**2)
    weights = np.exp(logits - logits.max())
    weights /= weights.sum()
    best = np.argsort(-weights, axis=None, kind="stable")[:SHOWN_SOURCES]
    image, y, x = np.unravel_index(best, weights.shape)
    positive = weights[weights > 0]
    return {
        "row": row, "column": column, "sigma": sigma, "window": 2 * r + 1, "patches": int(weights.size),
        "effective": float(np.exp(-(positive * np.log(positive)).sum())),
        "shape": list(machine.images.shape[1:]),
        "sources": [
            {"image": int(machine.numbered(n)), "row": int(rows[i]), "column": int(columns[j]),
             "share": float(weights[n, i, j]),
             "pixels": _bytes(machine.images[n]),
             "label": None if machine.labels is None else int(machine.labels[n])}
            for n, i, j in zip(image, y, x, strict=True)
        ],
    }  # fmt: skip


def _distances(
    images: np.ndarray, field: np.ndarray, r: int, places: Admissible, row: int, column: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Squared distances (N, rows, columns) of a pixel's window to the admissible ones, and their centres."""
    rows = row + np.array([shift for shift, low, high in places.rows if low <= row < high])
    columns = column + np.array([shift for shift, low, high in places.columns if low <= column < high])
    height, width = images.shape[2:]
    total = np.zeros((len(images), rows.size, columns.size))
    for dy in range(-r, r + 1):
        for dx in range(-r, r + 1):
            y, x = row + dy, column + dx
            if places.wraps:
                y, x = y % field.shape[1], x % field.shape[2]
            elif not (0 <= y < field.shape[1] and 0 <= x < field.shape[2]):
                continue
            there = images[:, :, (rows[:, None] + dy) % height, (columns + dx) % width]
            total += ((to_unit(there).astype(float) - field[:, y, x, None, None]) ** 2).sum(1)
    return total, rows % height, columns % width


def _bytes(image: np.ndarray) -> str:
    """An image (C, H, W) as one byte a value, for the page."""
    return base64.b64encode(np.ascontiguousarray(from_unit(to_unit(image)[None])[0]).tobytes()).decode()


def _rounded(values: np.ndarray) -> list[float]:
    return [float(f"{value:.5g}") for value in values]
