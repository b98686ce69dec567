"""The training loop: every step's noise comes from its own seed, so a resumed training is the same one."""

from __future__ import annotations

import json
import os
import pickle
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from turingdiff.data import check_images, to_unit
from turingdiff.denoising._levels import cosine_sigma
from turingdiff.files import atomic_path
from turingdiff.network._residual_network import ResidualNetwork
from turingdiff.network._weights import Architecture, Weights, images_digest, load_weights, save_weights, time_features

RECORD_EVERY = 100  # steps to an entry of the loss curve
# The share of the steps over which the rate falls to 0. At a constant rate the weights are so restless that at the
# highest level, where an error of the noise is multiplied by 80, samples of one checkpoint and the next differ.
FALLING = 0.4


@dataclass(frozen=True)
class Settings:
    """How to train.

    Parameters
    ----------
    steps, batch
        Number of steps, and images a step.
    rate
        Step size of AdamW (no weight decay); over the last 40% of the steps it falls linearly to 0.
    seed
        Of the initial weights, the batches and the noise.
    save_every
        Steps between two checkpoints.
    """

    architecture: Architecture = field(default_factory=Architecture)
    steps: int = 10_000
    batch: int = 32
    rate: float = 1e-3
    seed: int = 0
    save_every: int = 500

    def __post_init__(self) -> None:
        for name in ("steps", "batch", "save_every"):
            if getattr(self, name) != int(getattr(self, name)) or getattr(self, name) < 1:
                raise ValueError(f"{name} must be a whole number >= 1, got {getattr(self, name)!r}")
        if not isinstance(self.seed, int) or self.seed < 0:
            raise ValueError(f"seed must be a whole number >= 0, got {self.seed!r}")
        if not (np.isfinite(self.rate) and self.rate > 0):
            raise ValueError(f"rate must be a positive number, got {self.rate!r}")


def train(
    images: np.ndarray,
    path: str | os.PathLike[str],
    settings: Settings | None = None,
    *,
    labels: Sequence[int] | np.ndarray | None = None,
    resume: bool = False,
    progress: bool = False,
) -> Weights:
    """Train a network to predict the noise in noisy images, and write it to `path`.

    Minimises the mean of ||noise - network(phi, t)||² over images, noise and t uniform in [0, 1] (stratified within a
    batch), phi = cos(a) x + sin(a) noise, tan(a) = sigma(t) of the cosine schedule (Kamb & Ganguli 2025, C.1).

    Beside `path` lies its checkpoint while training goes on. The same settings give the same weights, in one go or
    resumed, with the same number of threads of PyTorch (another number rounds sums differently).

    Parameters
    ----------
    labels
        (N,) whole numbers from 0, where the architecture has classes.
    resume
        Go on from the checkpoint; more `steps` than it was made for are allowed before
        its rate falls.

    Raises
    ------
    FileExistsError
        If there is a checkpoint and `resume` is not asked for.
    ValueError
        For images, labels or settings that do not fit each other or the checkpoint, and for a loss that is not finite.
    """
    settings = settings or Settings()
    path, images = Path(path), check_images(images)
    checkpoint = path.with_suffix(".checkpoint")
    if path == checkpoint:
        raise ValueError(f"{path} would be its own checkpoint: give the network another suffix, such as .npz")
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; give the path of a file inside it")
    clean = torch.from_numpy(np.array(to_unit(images), order="C"))
    classes = _classes(labels, len(images), settings.architecture)
    if images.shape[1] != settings.architecture.colours:
        raise ValueError(f"the network is of {settings.architecture.colours} channels, the images {images.shape}")
    torch.manual_seed(settings.seed)
    network = ResidualNetwork(settings.architecture).to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), lr=settings.rate, weight_decay=0.0)
    training = _Training(network, optimiser, settings, images_digest(images, labels), checkpoint)
    training.open(resume)
    with tqdm(total=settings.steps, initial=training.step, disable=not progress, unit="step") as bar:
        while training.step < settings.steps:
            bar.set_postfix(loss=f"{training.advance(clean, classes):.4f}", refresh=False)
            bar.update()
    weights = training.weights(images.shape)
    save_weights(weights, path)
    load_weights(path)  # raises where the file is not whole: then the checkpoint stays
    training.checkpoint.unlink(missing_ok=True)
    return weights


@dataclass
class _Training:
    """The state of a training: all that a checkpoint holds."""

    network: ResidualNetwork
    optimiser: torch.optim.Optimizer
    settings: Settings
    images_hash: str
    checkpoint: Path
    step: int = 0
    losses: list[float] = field(default_factory=list)
    recent: list[float] = field(default_factory=list)
    seconds: float = 0.0

    def advance(self, clean: torch.Tensor, classes: torch.Tensor | None) -> float:
        """One step of the optimiser; returns its loss."""
        begin, settings = time.perf_counter(), self.settings
        rng = np.random.default_rng([settings.seed, self.step])
        chosen = torch.from_numpy(rng.integers(len(clean), size=settings.batch))
        t = (rng.permutation(settings.batch) + rng.random(settings.batch)) / settings.batch
        angle = np.arctan(cosine_sigma(t))
        noise = torch.from_numpy(rng.standard_normal((settings.batch, *clean.shape[1:]), np.float32))
        cosine, sine = (_per_image(wave(angle)) for wave in (np.cos, np.sin))
        features = time_features(np.tan(angle), settings.architecture.frequencies).astype(np.float32)
        noisy = (cosine * clean[chosen] + sine * noise).contiguous(memory_format=torch.channels_last)
        guess = self.network(noisy, torch.from_numpy(features), None if classes is None else classes[chosen])
        loss = torch.mean((guess - noise) ** 2)
        if not torch.isfinite(loss):
            raise ValueError(f"the loss is {loss.item()} at step {self.step}: try a rate below {settings.rate:g}")
        for group in self.optimiser.param_groups:
            group["lr"] = settings.rate * min(1.0, (1 - self.step / settings.steps) / FALLING)
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        self._count(loss.item(), time.perf_counter() - begin)
        return loss.item()

    def _count(self, loss: float, seconds: float) -> None:
        self.step, self.seconds = self.step + 1, self.seconds + seconds
        self.recent.append(loss)
        if self.step % RECORD_EVERY == 0:
            self.losses.append(float(np.mean(self.recent)))
            self.recent = []
        if self.step % self.settings.save_every == 0 and self.step < self.settings.steps:
            self._save()

    def weights(self, shape: tuple[int, ...]) -> Weights:
        """The network and the record of its training."""
        settings = {name: value for name, value in asdict(self.settings).items() if name != "architecture"}
        record = {
            **settings,
            "images": shape[0],
            "size": list(shape[2:]),
            "images_sha256": self.images_hash,
            "loss_every": RECORD_EVERY,
            "loss": [round(loss, 5) for loss in self.losses],
            "seconds": round(self.seconds),
            "threads": torch.get_num_threads(),
            "torch": str(torch.__version__),
        }
        return Weights(self.settings.architecture, self.network.arrays(), record)

    def open(self, resume: bool) -> None:
        """Take up a checkpoint, where one is wanted."""
        if not resume:
            if self.checkpoint.exists():
                raise FileExistsError(
                    f"{self.checkpoint} is of a training that was not finished: go on with resume (--resume), "
                    "or remove it"
                )
            self._save()  # a folder that cannot be written is found now
            return
        if not self.checkpoint.exists():
            raise FileNotFoundError(f"there is no checkpoint {self.checkpoint} to resume from")
        try:
            held: dict[str, Any] = torch.load(self.checkpoint, weights_only=True)
        except (EOFError, OSError, RuntimeError, ValueError, pickle.UnpicklingError) as error:
            raise ValueError(f"{self.checkpoint} is damaged ({error}): remove it and train anew") from error
        self._check(json.loads(held["about"]), held["step"])
        self.network.load_state_dict(held["network"])
        self.optimiser.load_state_dict(held["optimiser"])
        self.step, self.losses = held["step"], held["losses"]
        self.recent, self.seconds = held["recent"], held["seconds"]

    def _save(self) -> None:
        held = {
            "about": json.dumps(self._about()),
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "losses": self.losses,
            "recent": self.recent,
            "seconds": self.seconds,
        }
        with atomic_path(self.checkpoint) as temporary:
            torch.save(held, temporary)

    def _about(self) -> dict[str, Any]:
        return {**asdict(replace(self.settings, save_every=1)), "images_sha256": self.images_hash}

    def _check(self, about: dict[str, Any], step: int) -> None:
        """Refuse a checkpoint of another training, at `step`."""
        wanted = self._about()
        made_for = about["steps"]
        if wanted["steps"] != made_for and step > (1 - FALLING) * min(made_for, wanted["steps"]):
            raise ValueError(f"the rate of this checkpoint is falling already: the number of steps stays {made_for}")
        for name in wanted:
            if name != "steps" and about[name] != wanted[name]:
                raise ValueError(f"the checkpoint was made with {name} = {about[name]!r}, not {wanted[name]!r}")


def _per_image(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(values.astype(np.float32))[:, None, None, None]


def _classes(labels: Any, count: int, architecture: Architecture) -> torch.Tensor | None:
    if not architecture.classes:
        if labels is not None:
            raise ValueError("labels are for a network with classes: give the architecture classes=")
        return None
    array = np.asarray(labels)
    known = range(architecture.classes)
    if array.shape != (count,) or not all(label in known for label in array.tolist()):
        raise ValueError(
            f"a network of {len(known)} classes needs {count} labels from 0 to {len(known) - 1}, got {labels!r}"
        )
    return torch.from_numpy(array.astype(np.int64))
