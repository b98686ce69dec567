"""Colours: one palette and fixed limits for a whole film.

A film is made of palette indices from the start, so that a value has the same colour in every frame:
nothing is quantised frame by frame, and nothing flickers.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

import numpy as np

from turingdiff.measure._patterned import negligible
from turingdiff.show.files import TRANSPARENT

if TYPE_CHECKING:
    from matplotlib.colors import Colormap

COLORMAP = "magma"
"""The colour map of patterns: even steps in lightness, so that shades can be compared by eye."""

GREY = "gray"
"""The colour map of denoising."""

BACKGROUND = (26, 26, 32)
INK = (236, 236, 240)
SHADES = 16  # from background to ink: the smooth edges of letters
COLOURS = 128  # of a colour map; 256 look the same and make a file half as large again

Paint = Callable[[np.ndarray], np.ndarray]


def colours(colormap: str | Colormap, n: int) -> np.ndarray:
    """Return n colours of a matplotlib colour map or of the one of that name, low to high end: (n, 3) uint8.

    Raises
    ------
    ValueError
        matplotlib has no colour map of that name.
    TypeError
        It is neither a colour map nor a name.
    """
    import matplotlib
    from matplotlib.colors import Colormap

    if isinstance(colormap, str):
        if colormap not in matplotlib.colormaps:
            near = get_close_matches(colormap, list(matplotlib.colormaps), n=3)
            hint = f"; did you mean {' or '.join(near)}?" if near else "; try magma, viridis or gray"
            raise ValueError(f"colormap {colormap!r} is not one of matplotlib's{hint}")
        colormap = matplotlib.colormaps[colormap]
    if not isinstance(colormap, Colormap):
        raise TypeError(f"colormap is {colormap!r}; expected a matplotlib colour map or the name of one")
    return np.rint(255 * np.asarray(colormap(np.linspace(0.0, 1.0, n)))[:, :3]).astype(np.uint8)


def limits(pictures: Iterable[np.ndarray], largest: float = 0.0) -> tuple[float, float]:
    """Return the values at the two ends of the colour map, one pair for a whole film.

    They are the range of the later half of the film: the pattern as it ends up has full contrast,
    whatever spike the start went through (that is clipped). "Range" leaves out one cell in a thousand
    at either end. Where the later half has less than a tenth of the range of the whole film, the
    pattern died: the limits then span a tenth of that range, so that what is left looks as faint as it
    is.

    What varies by no more than 1e-5 of its largest value is drawn uniform, and a warning says so unless
    it is constant.

    Parameters
    ----------
    largest
        The largest magnitude in the run of which these pictures are a part: a pattern that died is uniform
        by what it was.
    """
    ranges = np.array([_range(picture) for picture in pictures])
    if len(ranges) == 0:
        raise ValueError("there is no picture to take colour limits from; give at least one")
    low, high = _union(ranges[len(ranges) // 2 :])
    whole_low, whole_high = _union(ranges)
    contrast, size = whole_high - whole_low, max(abs(whole_low), abs(whole_high))
    if contrast <= (least := negligible(size, largest)):
        if contrast > 0:
            warnings.warn(
                f"the field varies by {contrast:.2g}, no more than {least:.2g} (1e-5 of its largest value): "
                "it is drawn uniform, unless limits=(low, high) are given",
                stacklevel=2,
            )
        middle, span = (low + high) / 2, max(size, largest) if max(size, largest) > least else 1.0
        low = middle - 0.501 * span  # not half way, where two shades of an even number meet
        return float(low), float(low + span)
    if high - low < contrast / 10:
        middle = (low + high) / 2
        low, high = middle - contrast / 20, middle + contrast / 20
    return float(low), float(high)


def _range(picture: np.ndarray) -> tuple[float, float]:
    values = np.asarray(picture, dtype=np.float64).ravel()
    # An odd stride, so that on a canvas of even width the sample visits every column.
    low, high = np.percentile(values[:: (values.size // 65536) | 1], (0.1, 99.9))
    return low, high


def _union(ranges: np.ndarray) -> tuple[float, float]:
    return ranges[:, 0].min(), ranges[:, 1].max()


def indexed(picture: np.ndarray, low: float, high: float, n: int, first: int = 0) -> np.ndarray:
    """Map values to palette indices: `low` and below to `first`, `high` and above to `first + n - 1`.

    Parameters
    ----------
    picture
        (H, W), or of any other shape.
    low, high
        Values at the ends of the colour map, low < high.
    n, first
        The stretch of the palette that holds the colour map; first + n <= 256.

    Returns
    -------
    numpy.ndarray
        uint8, of the shape of `picture`.
    """
    share = np.clip((np.asarray(picture, dtype=np.float64) - low) / (high - low), 0.0, 1.0)
    return (share * (n - 1) + (first + 0.5)).astype(np.uint8)


def to_bytes(picture: np.ndarray, low: float = -1.0, high: float = 1.0) -> np.ndarray:
    """Map an RGB picture (3, H, W) to (H, W, 3) uint8; values outside low ... high are clipped."""
    return np.ascontiguousarray(np.moveaxis(indexed(picture, low, high, 256), 0, -1))


def common_colours(pictures: Iterable[np.ndarray], finals: Iterable[np.ndarray], n: int) -> np.ndarray:
    """Return n colours that serve all the RGB pictures (H, W, 3), uint8, of a film: (n, 3) uint8.

    Median cut over a montage of up to about 4096 pixels of each. `finals`, the pictures that the film
    ends with and the ones looked at, fill about three quarters of it: noise has far more colours.
    """
    from PIL import Image

    passing, last = [
        np.concatenate([p.reshape(-1, 3)[:: (p.size // (3 * 4096)) | 1] for p in group]) for group in (pictures, finals)
    ]
    times = -(-3 * len(passing) // len(last))
    montage = np.concatenate([passing, np.tile(last, (times, 1))])
    image = Image.fromarray(montage[None])
    palette = image.quantize(n, method=Image.Quantize.MEDIANCUT, kmeans=1, dither=Image.Dither.NONE)
    found = np.array((palette.getpalette() or [])[: 3 * n], dtype=np.uint8).reshape(-1, 3)
    return np.resize(found, (n, 3))  # a film of few colours repeats them


def nearest(picture: np.ndarray, rgb: np.ndarray, first: int = 0) -> np.ndarray:
    """Map an (H, W, 3) uint8 picture to the nearest of the (n, 3) colours: (H, W) uint8, from `first`.

    Undithered: dither dances from frame to frame.
    """
    from PIL import Image

    holder = Image.new("P", (1, 1))
    holder.putpalette(np.resize(rgb, (256, 3)).tobytes())  # repeats, for Pillow would fill up with black
    index = Image.fromarray(picture).quantize(palette=holder, dither=Image.Dither.NONE)
    return (np.asarray(index) % len(rgb) + first).astype(np.uint8)


@dataclass(frozen=True)
class Look:
    """What a run is shown in: a colour map, or None for RGB, and the values at its ends."""

    colormap: str | Colormap | None
    low: float
    high: float


def share_palette(
    looks: Sequence[Look], pictures: Iterable[np.ndarray], finals: Iterable[np.ndarray]
) -> tuple[list[Paint], np.ndarray]:
    """Give each colour map, and all RGB runs together, a stretch of one palette.

    Parameters
    ----------
    looks
        One a run.
    pictures, finals
        All and the last (H, W, 3) uint8 pictures of the RGB runs.

    Returns
    -------
    paints : list of functions
        For each run, what turns a picture (C, H, W) into palette indices (H, W).
    palette : numpy.ndarray
        (n, 3) uint8, n <= 255. The first `SHADES` lead from the background to the ink of letters.
    """
    stretches = [np.rint(np.linspace(BACKGROUND, INK, SHADES)).astype(np.uint8)]
    maps: list[str | Colormap | None] = []  # no set: a colour map has no hash
    for look in looks:
        if look.colormap not in maps:
            maps.append(look.colormap)
    # RGB counts twice: colours in three dimensions, against shades along a line.
    room = (TRANSPARENT - SHADES) // (len(maps) + (None in maps))
    for name in maps:
        if name is None:
            stretches.append(common_colours(pictures, finals, 2 * room))
        else:
            stretches.append(colours(name, min(room, COLOURS)))
    starts = np.cumsum([len(stretch) for stretch in stretches])
    paints = []
    for look in looks:
        place = maps.index(look.colormap)
        paints.append(_paint(look, int(starts[place]), stretches[place + 1]))
    return paints, np.concatenate(stretches)


def _paint(look: Look, first: int, entries: np.ndarray) -> Paint:
    if look.colormap is None:
        return lambda picture: nearest(to_bytes(picture, look.low, look.high), entries, first)
    return lambda picture: indexed(picture[0], look.low, look.high, len(entries), first)
