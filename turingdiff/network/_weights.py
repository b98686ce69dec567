"""The weights of a trained network, and the one file (.npz, no pickle) that holds them."""

from __future__ import annotations

import hashlib
import json
import math
import os
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from turingdiff.denoising._levels import COSINE_STRETCH
from turingdiff.engine.short_repr import short_repr
from turingdiff.files import atomic_path

FORMAT = "turingdiff network 1"
PADDINGS = {"zeros": "zero", "circular": "periodic"}  # the papers' words, and ours for a boundary
# The clock of the cosine schedule, t = 1.008 (2/pi) atan(sigma), is shown to the network as angles: 1000 t, and slower
# ones down to a ten-thousandth of that.
TIME_TO_ANGLE = 1000 * COSINE_STRETCH * 2 / math.pi
SLOWEST = 1e4
# What NumPy, zipfile and zlib let through when a file is damaged or is something else.
DAMAGE = (
    *(ValueError, TypeError, EOFError, OSError, KeyError, RuntimeError),
    *(tokenize.TokenError, zipfile.BadZipFile, zlib.error),
)


@dataclass(frozen=True)
class Architecture:
    """The paper's minimal residual network: 3x3 up, `layers` residual 3x3 convolutions, 3x3 down (C.1).

        h = up(phi);  h = h + ReLU(conv_l(h) + V_l z + c_l), l = 1 ... layers;  noise = down(h)
        z = ReLU(W f(t) + b [+ class])

    f holds sines and cosines of 1000 t at `frequencies` rates from 1 down to 1e-4 radians.

    Parameters
    ----------
    colours
        Channels of an image.
    padding
        ``"zeros"`` or ``"circular"``, of every layer.
    classes
        Number of classes it is told; 0: unconditional.
    """

    colours: int = 1
    width: int = 64
    layers: int = 6
    padding: str = "zeros"
    classes: int = 0
    frequencies: int = 32
    embedding: int = 128

    def __post_init__(self) -> None:
        if self.padding not in PADDINGS:
            raise ValueError(f"padding must be one of {', '.join(PADDINGS)}, got {self.padding!r}")
        for name in ("colours", "width", "layers", "frequencies", "embedding"):
            if not isinstance(getattr(self, name), int) or getattr(self, name) < 1:
                raise ValueError(f"{name} must be a whole number >= 1, got {getattr(self, name)!r}")
        if not isinstance(self.classes, int) or self.classes < 0:
            raise ValueError(f"classes must be a whole number >= 0, got {self.classes!r}")

    @property
    def radius(self) -> int:
        """How far a pixel sees: one a convolution."""
        return self.layers + 2

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The arrays of the network."""
        width, layers = self.width, self.layers
        shapes: dict[str, tuple[int, ...]] = {
            "up.weight": (width, self.colours, 3, 3),
            "up.bias": (width,),
            "middle.weight": (layers, width, width, 3, 3),
            "middle.bias": (layers, width),
            "down.weight": (self.colours, width, 3, 3),
            "down.bias": (self.colours,),
            "time.weight": (self.embedding, 2 * self.frequencies),
            "time.bias": (self.embedding,),
            "shift.weight": (layers, width, self.embedding),
        }
        # A dict keeps this order, in which the cell function takes them.
        return shapes | ({"classes": (self.classes, self.embedding)} if self.classes else {})


@short_repr
@dataclass(frozen=True, eq=False)
class Weights:
    """A trained network: architecture, arrays (float32), and the record of its training."""

    architecture: Architecture
    arrays: Mapping[str, np.ndarray]
    record: Mapping[str, Any]

    def __post_init__(self) -> None:
        for name, shape in self.architecture.shapes.items():
            if name not in self.arrays:
                raise ValueError(f"the network needs the array {name!r}; there are {', '.join(self.arrays)}")
            array = self.arrays[name]
            if array.shape != shape or array.dtype != np.float32:
                raise ValueError(f"{name} must be float32 {shape}, got {array.dtype} {array.shape}")
            if not np.isfinite(array).all():
                raise ValueError(f"{name} holds NaN or infinity: the training diverged, or the file is damaged")
        if not isinstance(self.record, Mapping):
            raise ValueError(f"the record of a training is a dictionary, got {self.record!r}")
        size = self.record.get("size")
        if not (isinstance(size, (list, tuple)) and len(size) == 2 and all(isinstance(n, int) and n > 0 for n in size)):
            raise ValueError(f"the record must hold size, the (H, W) of the training images, got {size!r}")
        if extra := set(self.arrays) - set(self.architecture.shapes):
            raise ValueError(f"the network has no arrays {sorted(extra)}")
        object.__setattr__(self, "arrays", {name: self.arrays[name] for name in self.architecture.shapes})


def time_features(sigma: float | np.ndarray, frequencies: int) -> np.ndarray:
    """Sines and cosines (..., 2 frequencies) of 1000 t, t the clock of the cosine schedule at `sigma`."""
    rates = SLOWEST ** (-np.arange(frequencies) / max(frequencies - 1, 1))
    angles = TIME_TO_ANGLE * np.arctan(np.asarray(sigma, float))[..., None] * rates
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=-1)


def save_weights(weights: Weights, path: str | os.PathLike[str]) -> None:
    """Write a network to a .npz file."""
    about = {"format": FORMAT, "architecture": asdict(weights.architecture), "record": dict(weights.record)}
    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        # No option allow_pickle: NumPy before 2.2 has none, and would store it as an array.
        texts: dict[str, Any] = {"about": np.array(json.dumps(about)), "digest": np.array(_digest(weights.arrays))}
        np.savez(stream, **{**texts, **weights.arrays})


def load_weights(path: str | os.PathLike[str]) -> Weights:
    """Read a network from a .npz file.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is damaged, not a network's, or of a later format; the text says which.
    """
    with open(path, "rb") as stream:
        if not zipfile.is_zipfile(stream):  # what NumPy would say of it is advice to trust the file
            raise ValueError(f"{path}: not a whole .npz file of a network (it is no zip archive)")
        stream.seek(0)
        try:
            with np.load(stream, allow_pickle=False) as archive:
                held = {name: np.array(archive[name]) for name in archive.files}
        except DAMAGE as error:
            raise ValueError(f"{path}: not a whole .npz file of a network ({error})") from error
    if not {"about", "digest"} <= set(held):
        raise ValueError(f"{path}: not a network of turingdiff; it holds {', '.join(held) or 'nothing'}")
    held.pop("allow_pickle", None)  # what NumPy before 2.2 wrote into files of turingdiff 0.1: its own option
    about, digest = str(held.pop("about")), str(held.pop("digest"))
    try:
        said = dict(json.loads(about))
        if said.get("format") != FORMAT:
            raise ValueError(f"format {said.get('format')!r}, expected {FORMAT!r}")
        if _digest(held) != digest:
            raise ValueError(f"changed or damaged: the digest is not that of what it holds, {', '.join(held)}")
        return Weights(Architecture(**said["architecture"]), held, said["record"])
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{path}: {error}") from error


def images_digest(images: np.ndarray, labels: Any = None) -> str:
    """SHA-256 of a training set, with which a network's record names it."""
    digest = hashlib.sha256(np.ascontiguousarray(images).tobytes())
    digest.update(str((images.shape, str(images.dtype))).encode())
    if labels is not None:
        digest.update(np.asarray(labels, np.int64).tobytes())
    return digest.hexdigest()


def _digest(arrays: Mapping[str, np.ndarray]) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(name.encode() + str(arrays[name].shape).encode() + np.ascontiguousarray(arrays[name]).tobytes())
    return digest.hexdigest()
