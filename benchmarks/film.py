"""How long a film takes and how large it is: 200 frames of 256 x 256, a pattern that grows and drifts.

    python benchmarks/film.py [FILE.gif]

Prints the figures of `turingdiff.show.animate` on one thread, and for comparison those of Pillow's own
`save_all` on the same pictures in the same colours.
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from turingdiff.show import animate, colour

FRAMES, SIDE, WAVELENGTH = 200, 256, 16.0


@dataclass(frozen=True)
class Drift:
    """A run as far as a film needs one."""

    times: np.ndarray
    frames: np.ndarray
    clock: str = "time"

    def view(self, k: int) -> np.ndarray:
        """Return the first species."""
        return self.frames[k, 0]


def pattern(seed: int = 0) -> Drift:
    """Noise narrows to a band of wavelengths as it grows, saturates, and drifts to the end."""
    rng = np.random.default_rng(seed)
    k = np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE)[None])
    band = -(((k * WAVELENGTH - 1) / 0.12) ** 2)
    noise = np.fft.rfft2(rng.normal(size=(SIDE, SIDE)))
    turn = rng.normal(size=k.shape)
    share = np.linspace(0, 1, FRAMES)
    frames = np.empty((FRAMES, 1, SIDE, SIDE))
    for frame, s in zip(frames, share, strict=True):
        field = np.fft.irfft2(noise * np.exp(band * (0.02 + 2 * s) + 3j * s * turn), (SIDE, SIDE))
        frame[0] = np.tanh(1.5 * field / field.std() * min(1.0, 0.02 + 1.5 * s))
    return Drift(200 * share, frames)


def by_pillow(run: Drift, path: Path) -> None:
    """Write the same film through `save_all`: deltas as transparency, one global palette."""
    low, high = colour.limits(run.frames[:, 0])
    rgb = colour.colours(colour.COLORMAP, colour.COLOURS)
    # save_all needs 256 entries, no two alike: greys fill up.
    spare = np.repeat(np.arange(256 - len(rgb), dtype=np.uint8)[:, None], 3, axis=1)
    palette = np.concatenate([rgb, spare]).tobytes()
    images = []
    for picture in run.frames[:, 0]:
        image = Image.fromarray(colour.indexed(picture, low, high, len(rgb)))
        image.putpalette(palette)
        images.append(image)
    images[0].save(
        path,
        save_all=True,
        append_images=images[1:],
        palette=palette,
        duration=40,
        loop=0,
        optimize=True,
        transparency=255,
        disposal=1,
    )


def report(name: str, seconds: float, path: Path) -> None:
    with Image.open(path) as image:
        frames = getattr(image, "n_frames", 1)
    megabytes = path.stat().st_size / 1e6
    print(f"{name:22s} {seconds:5.2f} s  {megabytes:5.2f} MB  {frames} frames of {SIDE} x {SIDE}")


def main() -> None:
    run = pattern()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(folder, "film.gif")
        start = time.perf_counter()
        animate(run, path)
        report("turingdiff.animate", time.perf_counter() - start, path)
        other = Path(folder, "pillow.gif")
        start = time.perf_counter()
        by_pillow(run, other)
        report("Pillow's save_all", time.perf_counter() - start, other)


if __name__ == "__main__":
    main()
