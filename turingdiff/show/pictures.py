"""What a film shows of a run: its views as pictures, their colours, and how they are laid out."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from turingdiff.show import colour

if TYPE_CHECKING:
    from matplotlib.colors import Colormap

LEAST_SIDE = 240  # pixels of the short side of a picture, unless the caller gives a scale
MOST_SIDE = 1200  # of what is enlarged
OUTLINE = 9  # the shade between background and ink in which the edge of a domain is drawn

Draw = Callable[[int], np.ndarray]  # the number of a frame -> palette indices of the whole frame


class Recorded(Protocol):
    """What a film needs of a run."""

    @property
    def times(self) -> np.ndarray: ...  # noqa: D102
    @property
    def frames(self) -> np.ndarray: ...  # noqa: D102
    @property
    def clock(self) -> str: ...  # noqa: D102
    def view(self, k: int, /) -> np.ndarray: ...  # noqa: D102


@dataclass(frozen=True)
class Grid:
    """Where the pictures of one view go, and how far they are enlarged."""

    rows: int
    columns: int
    height: int
    width: int
    scale: int

    @property
    def gap(self) -> int:
        """Pixels between pictures."""
        return max(3, self.scale // 2)

    @property
    def shape(self) -> tuple[int, int]:
        """Pixels of the whole sheet."""
        high, wide = self.height * self.scale + self.gap, self.width * self.scale + self.gap
        return self.rows * high - self.gap, self.columns * wide - self.gap

    def tile(self, cells: list[np.ndarray], fill: Any) -> np.ndarray:
        """Set pictures (H, W, ...), pixels repeated, on a sheet of `fill` that shows in the gaps."""
        sheet = np.full((*self.shape, *cells[0].shape[2:]), fill, dtype=np.uint8)
        high, wide = self.height * self.scale, self.width * self.scale
        for n, cell in enumerate(cells):
            top, left = (n // self.columns) * (high + self.gap), (n % self.columns) * (wide + self.gap)
            enlarged = cell.repeat(self.scale, axis=0).repeat(self.scale, axis=1)
            sheet[top : top + high, left : left + wide] = enlarged
        return sheet


def fit(shape: tuple[int, ...], scale: int | None) -> Grid:
    """Lay out (B, C, H, W) pictures in a grid that is nearly square."""
    count, _, height, width = shape
    columns = min(count, max(1, math.ceil(math.sqrt(count * height / width))))
    rows = -(-count // columns)
    if scale is None:  # a line of cells must not become a ribbon
        scale = math.ceil(LEAST_SIDE / min(rows * height, columns * width))
        scale = max(1, min(scale, MOST_SIDE // max(rows * height, columns * width)))
    return Grid(rows, columns, height, width, scale)


def grid_of(run: Recorded, scale: int | None) -> Grid:
    """Lay out the views of a run."""
    return fit(pictures_of(run, 0).shape, scale)


def pictures_of(run: Recorded, k: int) -> np.ndarray:
    """Frame k of a run as (B, C, H, W), C = 1 or 3, every value finite."""
    name = f"frame {k} of {len(run.frames)} ({symbol(run)} = {run.times[k]:g})"
    return as_pictures(np.asarray(run.view(k)), batched=run.frames.ndim == 5, name=name)


def as_pictures(view: np.ndarray, batched: bool, name: str) -> np.ndarray:
    """Bring a view to (B, C, H, W); refuse what is not a picture and what is not finite."""
    inner = view.shape[1:] if batched else view.shape
    if len(inner) == 2:
        inner = (1, *inner)
    if len(inner) != 3 or inner[0] not in (1, 3) or 0 in view.shape:
        each = "(B, H, W), (B, 1, H, W) or (B, 3, H, W)" if batched else "(H, W), (1, H, W) or (3, H, W)"
        raise ValueError(f"{name} has the shape {view.shape}; a picture is {each}")
    broken = view.size - np.count_nonzero(np.isfinite(view))
    if broken:
        raise ValueError(
            f"{name} holds {broken} values that are not finite; where a run blew up, take smaller steps or stop before"
        )
    return view.reshape(-1, *inner)


def look_of(
    run: Recorded, colormap: str | Colormap | None = None, limits: tuple[float, float] | None = None
) -> colour.Look:
    """Choose the colours of a run: fixed limits for all its frames."""
    ends = check_limits(limits)
    if len(run.frames) == 0:
        raise ValueError("the run holds no frame; record at least one")
    if pictures_of(run, 0).shape[1] == 3:
        return colour.Look(None, *(ends or (-1.0, 1.0)))
    if over_time(run):
        ends = ends or colour.limits(_inside(run, k) for k in range(len(run.frames)))
        return colour.Look(colormap or colour.COLORMAP, *ends)
    return colour.Look(colormap or colour.GREY, *(ends or (-1.0, 1.0)))


def paints_of(runs: Sequence[Recorded], looks: Sequence[colour.Look]) -> tuple[list[colour.Paint], np.ndarray]:
    """Share one palette among runs; return for each what turns its pictures into indices, and the palette."""
    coloured = [(run, look) for run, look in zip(runs, looks, strict=True) if look.colormap is None]
    films = (
        [colour.to_bytes(p, look.low, look.high) for p in pictures_of(run, k)]
        for run, look in coloured
        for k in range(len(run.frames))
    )
    finals = (
        [colour.to_bytes(p, look.low, look.high) for p in pictures_of(run, len(run.frames) - 1)]
        for run, look in coloured
    )
    return colour.share_palette(looks, chain.from_iterable(films), chain.from_iterable(finals))


def _inside(run: Recorded, k: int) -> np.ndarray:
    """The values of frame k in its domain."""
    pictures, mask = pictures_of(run, k), mask_of(run, k)
    return pictures if mask is None else pictures[..., mask]


def mask_of(run: Recorded, k: int) -> np.ndarray | None:
    """(H, W) the domain of frame k; None for the whole field."""
    return run.mask_at(k) if hasattr(run, "mask_at") else None


def drawer(run: Recorded, paint: colour.Paint, grid: Grid) -> Draw:
    """Return how to draw frame k of a run as palette indices: the domain on the background, in its outline."""

    def draw(k: int) -> np.ndarray:
        cells, mask = [paint(picture) for picture in pictures_of(run, k)], mask_of(run, k)
        if mask is None:
            return grid.tile(cells, 0)
        sheet = grid.tile([np.where(mask, cell, 0) for cell in cells], 0)
        domain = grid.tile([mask.astype(np.uint8)] * len(cells), 0) > 0
        return np.where(outline(domain), np.uint8(OUTLINE), sheet)

    return draw


def outline(domain: np.ndarray) -> np.ndarray:
    """The pixels outside a domain that touch it."""
    around = np.pad(domain, 1)
    beside = around[:-2, 1:-1] | around[2:, 1:-1] | around[1:-1, :-2] | around[1:-1, 2:]
    return beside & ~domain


def over_time(run: Recorded) -> bool:
    """Tell pattern formation from denoising by the clock."""
    return run.clock != "sigma"


def symbol(run: Recorded) -> str:
    """Name the clock."""
    return "t" if over_time(run) else "σ"


def check_scale(scale: int | None) -> None:
    """Refuse a scale that is not a whole number of pixels."""
    if scale is None:
        return
    if isinstance(scale, bool) or not hasattr(scale, "__index__"):
        raise TypeError(f"scale is {scale!r}; expected a whole number of pixels a cell, or None to choose one")
    if operator.index(scale) < 1:
        raise ValueError(f"scale is {scale}; expected at least 1 pixel a cell, or None")


def check_limits(limits: tuple[float, float] | None) -> tuple[float, float] | None:
    """Refuse limits that are not two rising numbers."""
    if limits is None:
        return None
    ends = np.asarray(limits, dtype=np.float64)
    if ends.shape != (2,) or not np.isfinite(ends).all() or ends[0] >= ends[1]:
        raise ValueError(f"limits are {limits!r}; expected two finite numbers (low, high), low < high")
    return float(ends[0]), float(ends[1])
