"""Film formats: palette indices to GIF, MP4 and PNG, whole or not at all (`turingdiff.files`)."""

from __future__ import annotations

import importlib.util
import math
import os
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import repeat
from numbers import Real
from pathlib import Path
from typing import BinaryIO

import numpy as np

from turingdiff.files import atomic_path

TRANSPARENT = 255
"""The palette index that says "as in the frame before"; no picture may use it."""


def centiseconds(seconds: float, least: int = 2) -> int:
    """Return the delay of a GIF frame: the nearest whole number of 1/100 s, at least `least`.

    GIF counts in hundredths of a second, and browsers slow a film down to a tenth of its speed where a
    delay is below 2.
    """
    return max(least, round(100 * seconds))


def write_gif(file: BinaryIO, frames: Iterable[np.ndarray], palette: np.ndarray, delays: Sequence[int]) -> None:
    """Write a GIF that loops for ever, with one palette and one frame for each array.

    Pillow compresses; the container is written here, frame by frame as they come. Pillow's own `save_all`
    is as fast and as small, but it drops a frame that equals the one before, holds the whole film in
    memory, and maps each frame to the palette again (5 s for 200 frames where two entries are of one
    colour). A pixel that keeps its colour is stored as transparent, which halves the size of a pattern
    that is settling.

    Parameters
    ----------
    file
        Open for writing in binary mode.
    frames
        (H, W) uint8 arrays of palette indices below 255, all of one shape.
    palette
        (n, 3) uint8, n <= 255.
    delays
        1/100 s, one a frame.
    """
    from PIL import Image

    table = palette.astype(np.uint8).tobytes().ljust(3 * 256, b"\0")
    previous: np.ndarray | None = None
    for frame, delay in zip(frames, delays, strict=True):
        height, width = frame.shape
        if previous is None:
            # 0xF7: a global table of 256 colours; then the block that says: repeat for ever.
            file.write(b"GIF89a" + struct.pack("<HHBBB", width, height, 0xF7, 0, 0) + table)
            file.write(b"!\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00")
            changed, packed = frame, 4
        else:
            changed, packed = np.where(frame == previous, np.uint8(TRANSPARENT), frame), 5
        # packed: 4 = leave this frame in place under the next, + 1 = TRANSPARENT is transparent.
        file.write(struct.pack("<BBBBHBB", 0x21, 0xF9, 4, packed, delay, TRANSPARENT, 0))
        file.write(struct.pack("<BHHHHBB", 0x2C, 0, 0, width, height, 0, 8))
        file.write(Image.fromarray(changed).tobytes("gif", "L", 8, 0) + b"\0")
        previous = frame
    file.write(b";")


def write_mp4(path: Path, frames: Iterable[np.ndarray], palette: np.ndarray, fps: float) -> None:
    """Write an H.264 film that plays everywhere (yuv420p).

    Parameters
    ----------
    path
        Where to; its suffix is .mp4.
    frames
        (H, W) uint8 arrays of palette indices, all of one shape. A row or column of palette entry 0 is
        added where H or W is odd: the format stores colour for blocks of 2 x 2 pixels.
    palette
        (n, 3) uint8.
    fps
        Frames a second.
    """
    import imageio.v2 as imageio

    film = imageio.get_writer(
        path,
        format="FFMPEG",
        mode="I",
        fps=fps,
        codec="libx264",
        pixelformat="yuv420p",
        quality=8,
        macro_block_size=1,
        ffmpeg_log_level="error",
        output_params=["-movflags", "+faststart"],
    )
    with closing(film) as writer:
        for frame in frames:
            height, width = frame.shape
            writer.append_data(palette[np.pad(frame, ((0, height % 2), (0, width % 2)))])


def human_size(size: int) -> str:
    """Bytes as a person says them."""
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB" if size >= 1e4 else f"{size} B"


@dataclass(frozen=True)
class Film:
    """A film on disk: ``print(film)`` says what it is, ``open(film)`` works.

    `frames` counts the recorded states shown, `seconds` is one turn of the film with its hold.
    """

    path: Path
    frames: int
    width: int
    height: int
    size_bytes: int
    seconds: float

    def __fspath__(self) -> str:
        return str(self.path)

    def __str__(self) -> str:
        frames = f"{self.frames} frame{'s' * (self.frames != 1)}"
        size = human_size(self.size_bytes)
        return f"{self.path}: {frames} of {self.width} x {self.height}, {self.seconds:.1f} s, {size}"


def number(name: str, value: float) -> float:
    """Return `value` where it is a finite number; TypeError or ValueError, with its name, otherwise."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} is {value!r}; expected a number")
    if not math.isfinite(value):
        raise ValueError(f"{name} is {value}; expected a finite number")
    return float(value)


def check_film(path: str | os.PathLike[str], fps: float, hold: float) -> None:
    """Refuse, before any work is done, what `write_film` could not write.

    Raises
    ------
    ValueError
        The suffix is neither .gif nor .mp4, `fps` is not positive, or `hold` is negative.
    ImportError
        .mp4 without the encoder.
    """
    suffix = Path(path).suffix
    if suffix.lower() not in (".gif", ".mp4"):
        raise ValueError(f"the path {os.fspath(path)!r} ends in {suffix!r}; a film is a .gif or an .mp4")
    if number("fps", fps) <= 0:
        raise ValueError(f"fps is {fps}; expected a positive number of frames a second, such as 25")
    if number("hold", hold) < 0:
        raise ValueError(f"hold is {hold}; expected seconds, 0 or more, such as 1.5")
    if suffix.lower() == ".mp4" and importlib.util.find_spec("imageio_ffmpeg") is None:
        raise ImportError("an .mp4 film needs the package imageio-ffmpeg (pip install imageio-ffmpeg), or write a .gif")


def write_film(
    path: str | os.PathLike[str],
    draw: Callable[[int], np.ndarray],
    count: int,
    palette: np.ndarray,
    fps: float,
    hold: float,
) -> Film:
    """Write frames 0 ... count - 1 in the format that the suffix of `path` names, the last one held.

    Parameters
    ----------
    draw
        The number of a frame -> (H, W) uint8 palette indices below 255.
    palette
        (n, 3) uint8, n <= 255.
    fps, hold
        Frames a second; seconds for the last frame. As `check_film` admits them.
    """
    path = Path(path)
    height, width = draw(0).shape
    frames = map(draw, range(count))
    if path.suffix.lower() == ".gif":
        delay = centiseconds(1 / fps)
        delays = [delay] * (count - 1) + [centiseconds(hold, least=delay)]
        if max(height, width, *delays) > 65535:
            raise ValueError(
                f"a GIF of {width} x {height} pixels with delays up to {max(delays) / 100:g} s cannot be "
                "written; it holds at most 65535 pixels a side and 655 s a frame"
            )
        seconds = sum(delays) / 100
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            write_gif(file, frames, palette, delays)
    else:
        stay = max(1, round(hold * fps))
        seconds = (count - 1 + stay) / fps
        height, width = height + height % 2, width + width % 2
        with atomic_path(path) as temporary:
            write_mp4(temporary, _held(frames, stay), palette, fps)
    return Film(path, count, width, height, path.stat().st_size, seconds)


def _held(frames: Iterator[np.ndarray], stay: int) -> Iterator[np.ndarray]:
    frame = next(frames)
    yield frame
    for frame in frames:
        yield frame
    yield from repeat(frame, stay - 1)


def write_png(path: str | os.PathLike[str], rgb: np.ndarray) -> Path:
    """Write (H, W, 3) uint8 as a PNG; ValueError for another suffix."""
    from PIL import Image

    path = Path(path)
    if path.suffix.lower() != ".png":
        raise ValueError(f"the path {str(path)!r} ends in {path.suffix!r}; a still is a .png")
    with atomic_path(path) as temporary:
        Image.fromarray(rgb).save(temporary, format="PNG")
    return path
