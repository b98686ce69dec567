"""`simulate`: record the clock readings and fields of an evolution."""

from __future__ import annotations

import json
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from turingdiff.engine.evolution import evolution_of
from turingdiff.engine.memory import available_memory
from turingdiff.engine.rule import Rule, view
from turingdiff.engine.steppers import AnyStepper, euler
from turingdiff.engine.times import check_times
from turingdiff.files import atomic_path

DEFAULT_FRAMES = 200
MEMORY_SHARE = 1 / 4  # of the available memory, for the frames of a run that nobody asked for in number
FORMAT = "turingdiff run 1"


@dataclass(frozen=True, eq=False, repr=False)
class Run:
    """Recorded clock readings (K,) and fields (K, C, H, W) or (K, B, C, H, W)."""

    times: np.ndarray
    frames: np.ndarray
    name: str
    clock: str
    channels: tuple[str, ...]
    shown: int | None
    dx: float
    params: Mapping[str, Any] = field(default_factory=dict)
    mask: np.ndarray | None = None  # (H, W) the domain, or (K, H, W) where it grew; None for the whole field

    def __repr__(self) -> str:
        frames, *shape = self.frames.shape
        clock = f"{self.clock} {self.times[0]:g} to {self.times[-1]:g}" if frames else "no time"
        return f"<run of {self.name}: {frames} frames of {tuple(shape)}, {clock}>"

    @property
    def final(self) -> np.ndarray:
        """The last field."""
        return self.frames[-1]

    def mask_at(self, k: int) -> np.ndarray | None:
        """(H, W) the domain of frame `k`; None for the whole field."""
        return self.mask[k] if self.mask is not None and self.mask.ndim == 3 else self.mask

    def view(self, k: int) -> np.ndarray:
        """The picture of frame `k`, see `turingdiff.engine.rule.view`."""
        return view(self.frames[k], float(self.times[k]), self.clock, self.shown)

    def save(self, path: str | Path) -> Path:
        """Write everything to one ``.npz`` file, atomically; returns its path."""
        path = Path(path)
        if path.suffix != ".npz":
            raise ValueError(f"a run is saved as .npz, got {path.name!r}")
        about = {
            "format": FORMAT, "name": self.name, "clock": self.clock, "channels": self.channels,
            "shown": self.shown, "dx": self.dx, "params": _jsonable(self.params),
        }  # fmt: skip
        with atomic_path(path) as temporary:
            domain: dict[str, Any] = {} if self.mask is None else {"mask": self.mask}
            text = np.array(json.dumps(about))
            np.savez_compressed(temporary, times=self.times, frames=self.frames, about=text, **domain)
        return path


def load_run(path: str | Path) -> Run:
    """Read what `Run.save` wrote."""
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            about = json.loads(str(archive["about"]))
            times, frames = archive["times"], archive["frames"]
            mask = archive.get("mask")
    except FileNotFoundError:
        raise
    except (KeyError, TypeError, ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{path} is not a run saved by turingdiff ({error})") from error
    if about.get("format") != FORMAT:
        raise ValueError(f"{path} has format {about.get('format')!r}; this version reads {FORMAT!r}")
    rest = {key: about[key] for key in ("name", "clock", "shown", "dx", "params")}
    return Run(times, frames, channels=tuple(about["channels"]), mask=mask, **rest)


def simulate(
    rule: Rule,
    field: np.ndarray,
    times: Sequence[float],
    *,
    stepper: AnyStepper = euler,
    frames: int | None = None,
    every: int | None = None,
    rng: int | np.random.Generator | None = None,
    progress: bool = False,
) -> Run:
    """Run `rule` from `field` along `times` and keep some of it; see `evolve`.

    Parameters
    ----------
    frames
        About how many frames to keep, first and last among them. By default 200; where these would take more than a
        quarter of the available memory, as many as fit there, with a warning that says what 200 would take.
    every
        Keep every so many steps instead.
    progress
        Show a bar.
    """
    times = check_times(times)
    steps = len(times) - 1
    every = frames_every(steps, field, frames, every)
    evolution = evolution_of(rule, field, times, stepper=stepper, every=every, rng=rng)
    return record(rule, field, evolution, int(-(-steps // every)) + 1, progress)


def frames_every(steps: int, field: np.ndarray, frames: int | None, every: int | None) -> int:
    """How many steps lie between two kept frames."""
    if frames is not None and every is not None:
        raise ValueError("give frames= or every=, not both")
    if frames is not None and (frames != int(frames) or frames < 2):
        raise ValueError(f"frames must be a whole number >= 2 (the first and the last), got {frames!r}")
    if every is not None:
        return every
    kept = _fitting(min(DEFAULT_FRAMES, steps + 1), np.asarray(field).nbytes) if frames is None else frames
    return -(-steps // (kept - 1))


def _fitting(frames: int, size: int) -> int:
    """So many frames of `size` bytes, or fewer where they would fill the memory; a warning says so."""
    available = available_memory()
    fitting = max(2, int(MEMORY_SHARE * available / max(size, 1)))
    if fitting >= frames:
        return frames
    warnings.warn(
        f"about {fitting} frames are kept, not {frames}: those would take {frames * size / 1e9:.3g} GB, more than a "
        f"quarter of the {available / 1e9:.3g} GB of memory that are available; choose how many are kept with frames= "
        "or every= (on the command line --frames), or take a smaller field",
        stacklevel=4,
    )
    return fitting


def record(
    rule: Rule,
    field: np.ndarray,
    evolution: Iterable[tuple[float, np.ndarray, np.ndarray | None]],
    count: int,
    progress: bool,
) -> Run:
    """The run of an evolution from `field` that yields at most `count` frames."""
    if progress:
        from tqdm import tqdm

        evolution = tqdm(evolution, total=count, desc=rule.name, unit="frame")
    clock = np.empty(count)
    recorded = np.empty((count, *np.shape(field)), np.asarray(field).dtype)
    masks: list[np.ndarray | None] = []
    k = -1
    for k, (t, state, mask) in enumerate(evolution):
        clock[k], recorded[k] = t, state
        masks.append(mask)
    return Run(
        times=clock[: k + 1],
        frames=recorded[: k + 1],
        name=rule.name,
        clock=rule.clock,
        channels=tuple(rule.channels),
        shown=rule.shown,
        dx=rule.neighbourhood.dx,
        params=rule.params,
        mask=_mask_of(masks),
    )


def _mask_of(masks: list[np.ndarray | None]) -> np.ndarray | None:
    """(H, W) where all frames have the same mask, (K, H, W) where it grew."""
    if not masks or masks[0] is None:
        return None
    return masks[0] if all(mask is masks[0] for mask in masks) else np.stack(masks)  # type: ignore[arg-type]


def _jsonable(params: Mapping[str, Any]) -> dict[str, Any]:
    """Scalars as they are; of maps and data sets the shape, which says what was used without repeating it."""
    return {key: value if np.ndim(value) == 0 else f"array {np.shape(value)}" for key, value in params.items()}
