"""Sessions of rules along sigma: machines and networks, from noise to images and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from turingdiff.denoising import Machine
from turingdiff.denoising._machine import of_class
from turingdiff.denoising._patch_sizes import odd
from turingdiff.engine.flow import Flow
from turingdiff.engine.rule import Rule
from turingdiff.live.checks import check_finite, whole
from turingdiff.live.session import Session

SIZES = tuple(range(1, 28, 2))


class Sampling(Session):
    """A denoiser on its levels: every step is Euler's from one noise level to the next, as in `sample`.

    The fields of the levels above are kept, so that one can go back to them; `on_noise` goes back by adding fresh
    noise instead, the forward process, after which the way down leads to another image.
    """

    family = "sigma"
    past: list[np.ndarray]
    _rate: np.ndarray | None

    def __init__(
        self,
        rule: Rule,
        origin: Mapping[str, Any] | None = None,
        *,
        shape: tuple[int, int] | None = None,
        seed: int = 0,
    ):
        self.base = rule
        self.levels = [float(sigma) for sigma in rule.times()]
        self.patch: int | None = None
        self.label: Any = None
        canvas = getattr(rule, "canvas", (28, 28)) if shape is None else shape
        super().__init__(dict(origin or {"own": rule.name}), rule, canvas, seed)
        self.speed = 1

    def begin(self) -> None:
        """See `Session.begin`."""
        rule = self._made()
        field = rule.initial(self.shape, rng=self.seed)
        flow = Flow(rule, field)
        self.rule, self._flow, self.past, self.goal = rule, flow, [], len(self.levels) - 1
        self.running = True
        self.touch(field)

    def _made(self) -> Rule:
        """The machine with its patch, of its class."""
        rule = of_class(self.base, self.label)
        if self.patch is None:
            return rule
        if not (isinstance(rule, Machine) and has_patch(rule)):
            raise ValueError(f"{rule.name} has no patch to choose")
        made = partial(rule.remade, patch=self.patch)(rule.images)  # type: ignore[call-arg]
        return replace(made, labels=rule.labels, numbers=rule.numbers)

    @property
    def level(self) -> int:
        """The number of the noise level, 0 for pure noise."""
        return len(self.past)

    @property
    def clock(self) -> float:
        """The noise level sigma."""
        return self.levels[self.level]

    def touch(self, field: np.ndarray) -> None:
        """See `Session.touch`."""
        self.field, self._rate = field, None

    def rate(self) -> np.ndarray:
        """The rate of the present field, computed once: the prediction shown and the next step have it in common."""
        if self._rate is None:
            flow = self._flow
            if self.rule.ending is not None and self.level == len(self.levels) - 2:
                flow = Flow(self.rule.ending, self.field)
            self._rate = flow.rate(self.field, self.clock)
        return self._rate

    def take(self, steps: int) -> int:
        """See `Session.take`; at the last level there is none to take."""
        for taken in range(steps):
            if self.level == len(self.levels) - 1:
                return taken
            step = self.levels[self.level + 1] - self.clock
            field = self.field + step * self.rate()
            if taken and not np.isfinite(field).all():
                return taken  # the next call says so
            check_finite(field, self.rule.name)
            self.past.append(self.field)
            self.touch(field)
        return steps

    def advance(self, steps: int) -> int:
        """As `Session.advance`; it pauses at the level where the slider stands."""
        taken = super().advance(steps)
        if self.level >= self.goal:
            self.running = False
        return taken

    def predicted(self) -> np.ndarray:
        """The clean image that the machine expects now, D = y - sigma rate; at the end the image itself."""
        return self.field - np.float32(self.clock) * self.rate() if self.clock else self.field

    def pictures(self, channel: int | None = None) -> list[tuple[str, np.ndarray, tuple[float, float] | None]]:
        """The noisy image in the frame that keeps its size, and the predicted clean image."""
        noisy = self.rule.view(self.field, self.clock)
        return [("noisy image", noisy, (-1.5, 1.5)), ("predicted clean image", self.predicted(), (-1.0, 1.0))]

    def background(self) -> np.ndarray:
        """Pure noise of the present level."""
        scale = np.sqrt(1 + self.clock**2)
        return (scale * self.rng().standard_normal(self.field.shape)).astype(self.field.dtype)

    def on_run(self) -> None:
        """Go on, from the finished image to nowhere: then begin with fresh noise."""
        if self.level == len(self.levels) - 1:
            raise ValueError("the image is finished: go back to a level, add noise, or reset")
        self.goal = max(self.goal, len(self.levels) - 1)
        self.running = True

    def on_level(self, index: int) -> None:
        """Go to a noise level: back to the field that was there, or on by steps that the page takes."""
        index = whole(index, "index", 0, len(self.levels) - 1)
        if index < self.level:
            field, self.past = self.past[index], self.past[:index]
            self.touch(field)
        self.goal = index
        self.running = index > self.level

    def on_noise(self, index: int) -> None:
        """Go back to a noise level by adding noise, y + sqrt(sigma'² - sigma²) n."""
        index = whole(index, "index", 0, len(self.levels) - 2)
        if index >= self.level:
            raise ValueError(f"level {index} has no more noise than the present one, {self.level}; choose one above it")
        added = np.sqrt(self.levels[index] ** 2 - self.clock**2)
        noise = self.rng().standard_normal(self.field.shape).astype(self.field.dtype)
        self.past = self.past[:index]
        self.touch(self.field + added.astype(self.field.dtype) * noise)
        self.goal, self.running = index, False

    def on_patch(self, size: int | None) -> None:
        """Another patch size for all levels; None: that of the machine itself."""
        self._change(patch=None if size is None else odd(whole(size, "size", 1, 10_000), "size"))

    def on_label(self, value: int | None) -> None:
        """Begin again with the machine of one class; None: of all."""
        self._again(label=value)

    def _change(self, **changes: Any) -> None:
        before = {name: getattr(self, name) for name in changes}
        vars(self).update(changes)
        try:
            rule = self._made()
            self._flow = Flow(rule, self.field)
        except Exception:
            vars(self).update(before)
            raise
        self.rule = rule
        self.touch(self.field)

    def about(self) -> dict[str, Any]:
        """See `Session.about`."""
        labels = getattr(self.base, "labels", None)
        known = isinstance(self.base, Machine) and has_patch(self.base)
        radius = self.rule.radius(self.clock or self.levels[-2])
        return {
            "levels": self.levels, "level": self.level, "goal": self.goal,
            "patches": list(SIZES) if known else [], "patch": self.patch,
            "window": None if radius is None else 2 * radius + 1,
            "labels": [] if labels is None else np.unique(labels).tolist(), "label": self.label,
            "images": len(self.rule.images) if isinstance(self.rule, Machine) else None,
            "sources": isinstance(self.rule, Machine) and self.rule.admissible is not None,
            "brush": [(-1.0, 1.0)] * len(self.rule.channels),
            "command": self._command(),
        }  # fmt: skip

    def python(self) -> list[str]:
        """See `Session.python`: the same bytes as the field shown."""
        origin = self.origin if self.patch is None else {**self.origin, "patch": self.patch}
        made = made_in_python(origin, self.label)
        return [
            "import turingdiff as td", "", *made, f"start = machine.initial({self.shape}, rng={self.seed})",
            "run = td.simulate(machine, start, machine.times())", 'td.animate(run, "film.gif")',
        ]  # fmt: skip

    def _command(self) -> str:
        """The command line that makes the same image."""
        plain = self.label is None and not self.touches() and "machine" in self.origin
        if not plain:
            return "turingdiff live session.json"
        height, width = self.shape
        given = {**self.origin, "patch": self.origin.get("patch") if self.patch is None else self.patch}
        options = [
            f"--{key} {given[key]}"
            for key in ("data", "limit", "label", "patch", "boundary")
            if given.get(key) is not None
        ]
        return " ".join(
            [
                "turingdiff denoise",
                given["machine"],
                *options,
                f"--samples 1 --size {height}x{width} --seed {self.seed}",
            ]
        )

    def repeated(self) -> Sampling:
        """See `Session.repeated`."""
        return Sampling(self.base, self.origin, shape=tuple(self.first["shape"]), seed=self.first["seed"])


def has_patch(machine: Machine) -> bool:
    """Whether a machine can be made again with another patch size."""
    return "patch" in getattr(machine.remade, "keywords", {})


def made_in_python(origin: Mapping[str, Any], label: Any) -> list[str]:
    """The lines that make the machine of a record, of the class `label`."""
    conditional = [] if label is None else [f"machine = machine.conditional({label!r})"]
    if "network" in origin:
        chosen = "" if origin.get("label") is None else f", label={origin['label']}"
        return [f"machine = td.denoising.network({origin['network']!r}{chosen})", *conditional]
    if "machine" not in origin:
        return [f"machine = ...  # your rule {origin['own']}", *conditional]
    limit = origin.get("limit")
    options = "".join(f", {key}={origin[key]!r}" for key in ("patch", "boundary") if origin.get(key) is not None)
    made = f"machine = td.denoising.{origin['machine']}"
    if origin.get("data") is not None:
        return [f"images = td.data.load({origin['data']!r}, {limit})", f"{made}(images{options})"]
    kind = origin.get("label")
    chosen_lines = [] if kind is None else [f"images, labels = images[labels == {kind}], labels[labels == {kind}]"]
    labels = "" if label is None else f", labels=labels[:{limit}]"
    return [
        "images, labels = td.data.fashion()",
        *chosen_lines,
        f"{made}(images[:{limit}]{options}{labels})",
        *conditional,
    ]
