"""A session: a rule that runs, the events that touched it, and the record that repeats it bit for bit."""

from __future__ import annotations

import inspect
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from turingdiff.engine import Run
from turingdiff.engine.rule import Rule
from turingdiff.files import atomic_path
from turingdiff.live.checks import digest, number, whole
from turingdiff.live.film import record_film

FORMAT = "turingdiff session 1"
LARGEST = 2048  # cells along a side
MOST_STEPS = 10_000  # in one event
FRESH = ("reset", "seed", "size", "preset", "system", "label")  # events after which nothing earlier matters


class Session(ABC):
    """A rule, its field, and every event with the number of the step before which it came.

    Events are dictionaries, ``{"kind": "set", "name": "F", "value": 0.03}``; `apply` takes one, `advance` takes steps.
    The field after so many steps is a function of the events alone, whatever the pace at which they came.

    Attributes
    ----------
    rule, field, clock
        What runs, where it is, and the reading of its clock.
    step
        Steps taken so far.
    events
        The record.
    running, speed
        Whether the page takes steps, and how many for a picture.
    version
        Rises with every change, so that a page knows whether it has seen the latest.
    """

    family: str
    field: np.ndarray

    def __init__(self, origin: dict[str, Any], rule: Rule, shape: tuple[int, int], seed: int):
        self.origin, self.rule, self.shape, self.seed = origin, rule, tuple(shape), seed
        self.first: dict[str, Any] = {"shape": list(self.shape), "seed": seed}
        self.events: list[dict[str, Any]] = []
        self.step, self.version, self.running, self.speed = 0, 0, True, 20
        self.begin()

    @abstractmethod
    def begin(self) -> None:
        """Make the initial field of the rule, canvas and seed as they are."""

    @abstractmethod
    def take(self, steps: int) -> int:
        """Take up to so many steps; returns how many were taken."""

    @abstractmethod
    def pictures(self, channel: int | None = None) -> list[tuple[str, np.ndarray, tuple[float, float] | None]]:
        """What is shown: the title of each picture, its values (C, H, W), and the values at the ends of the colours."""

    @abstractmethod
    def about(self) -> dict[str, Any]:
        """What the page has to know to draw the controls of this family."""

    @abstractmethod
    def python(self) -> list[str]:
        """Lines of Python that make the present field, up to the touches."""

    @property
    @abstractmethod
    def clock(self) -> float:
        """The time, or the noise level."""

    def state(self) -> dict[str, Any]:
        """What the page has to know to draw its controls, ready for JSON."""
        fixed = {
            "family": self.family, "name": self.rule.name, "channels": list(self.rule.channels),
            "shown": self.rule.shown, "shape": list(self.shape), "seed": self.seed, "running": self.running,
            "speed": self.speed, "step": self.step, "clock": self.clock, "events": len(self.events),
            "python": "\n".join(self.lines()), "dx": self.rule.neighbourhood.dx,
        }  # fmt: skip
        return {**fixed, **self.about()}

    def lines(self) -> list[str]:
        """The lines of Python that repeat the session: without touches the plain ones, else from the saved record."""
        if self.touches():
            return ["import turingdiff as td", "", 'session = td.live.replay("session.json")', "field = session.field"]
        return self.python()

    def touches(self) -> bool:
        """Whether the field is more than the rule run from its initial state."""
        return any(e["kind"] not in ("run", "pause", "speed", "step") for e in self.events[self._fresh() :])

    def apply(self, event: Any) -> None:
        """Apply one event and record it.

        Raises
        ------
        ValueError
            For an event of no known kind, or with values that do not fit; then nothing has changed.
        """
        if not isinstance(event, dict) or not isinstance(event.get("kind"), str):
            raise ValueError(f'an event is an object with a "kind", got {event!r}')
        values = {key: value for key, value in event.items() if key != "kind"}
        handler = self.handlers().get(event["kind"])
        if handler is None:
            raise ValueError(f"there is no event {event['kind']!r} here; there are {', '.join(self.handlers())}")
        try:
            inspect.signature(handler).bind(**values)
        except TypeError as error:
            takes = ", ".join(inspect.signature(handler).parameters) or "nothing"
            raise ValueError(f"the event {event['kind']} takes {takes}: {error}") from None
        try:
            record = {"step": self.step, **json.loads(json.dumps(event, allow_nan=False))}
        except (TypeError, ValueError) as error:
            raise ValueError(f"an event holds finite numbers, text and lists: {error}") from None
        handler(**values)
        self.events.append(record)
        self.version += 1

    def advance(self, steps: int) -> int:
        """Take steps, all or none of them: a field that stops being finite pauses the session where it was.

        Returns
        -------
        int
            How many were taken: fewer at the end of the clock.

        Raises
        ------
        BlowUpError
            Where the field would stop being finite.
        """
        taken = self.take(steps)
        self.step += taken
        self.version += taken > 0
        return taken

    def handlers(self) -> dict[str, Callable[..., None]]:
        """The kinds of events and what they do."""
        return {name[3:]: getattr(self, name) for name in sorted(dir(self)) if name.startswith("on_")}

    def on_run(self) -> None:
        """Go on."""
        self.running = True

    def on_pause(self) -> None:
        """Stop."""
        self.running = False

    def on_speed(self, steps: int) -> None:
        """So many steps between two pictures."""
        self.speed = whole(steps, "steps", 1, MOST_STEPS)

    def on_step(self, steps: int = 1) -> None:
        """Pause and take some steps."""
        steps = whole(steps, "steps", 1, MOST_STEPS)
        self.running = False
        self.step += self.take(steps)

    def on_reset(self) -> None:
        """Begin again."""
        self.begin()

    def on_seed(self, value: int) -> None:
        """Begin again from another seed."""
        self._again(seed=whole(value, "seed", 0, 2**53))

    def on_size(self, height: int, width: int) -> None:
        """Begin again on another canvas."""
        self._again(shape=(whole(height, "height", 1, LARGEST), whole(width, "width", 1, LARGEST)))

    def _again(self, **changes: Any) -> None:
        """Begin again with other attributes; where that fails they stay as they were."""
        before = {name: getattr(self, name) for name in changes}
        vars(self).update(changes)
        try:
            self.begin()
        except Exception:
            vars(self).update(before)
            raise

    def on_brush(
        self,
        points: Sequence[Sequence[int]],
        radius: float = 3.0,
        channel: int = 0,
        value: float | None = None,
        density: float = 1.0,
    ) -> None:
        """Set the cells within `radius` of each point (row, column) to `value`; None erases them, all channels.

        `density` is the share of these cells that is set, drawn cell by cell: below 1 a spray.
        """
        radius = number(radius, "radius", 0, LARGEST)
        channel = whole(channel, "channel", 0, len(self.rule.channels) - 1)
        value = None if value is None else number(value, "value", -1e6, 1e6)
        density = number(density, "density", 0, 1)
        mask = self._mask(points, radius)
        if density < 1:
            mask &= self.rng().random(mask.shape) < density
        field = self.field.copy()
        if value is None:
            field[:, mask] = self.background()[:, mask]
        else:
            field[channel, mask] = value
        self.touch(field)

    @abstractmethod
    def background(self) -> np.ndarray:
        """What an erased cell holds, (C, H, W)."""

    @abstractmethod
    def touch(self, field: np.ndarray) -> None:
        """Go on from a field that was touched."""

    def _mask(self, points: Sequence[Sequence[int]], radius: float) -> np.ndarray:
        if not isinstance(points, (list, tuple)) or not 1 <= len(points) <= MOST_STEPS:
            raise ValueError(f"points must be a list of 1 to {MOST_STEPS} places [row, column]")
        rows, columns = self.shape
        mask = np.zeros((rows, columns), bool)
        y, x = np.ogrid[:rows, :columns]
        for point in points:
            if not isinstance(point, (list, tuple)) or len(point) != 2:
                raise ValueError(f"a point is [row, column], got {point!r}")
            dy = np.abs(y - whole(point[0], "row", 0, rows - 1))
            dx = np.abs(x - whole(point[1], "column", 0, columns - 1))
            if self.rule.neighbourhood.periodic:
                dy, dx = np.minimum(dy, rows - dy), np.minimum(dx, columns - dx)
            mask |= dy * dy + dx * dx <= radius * radius
        return mask

    def rng(self) -> np.random.Generator:
        """Noise for the next event: that of the seed and of how many events there were."""
        return np.random.default_rng((self.seed, len(self.events)))

    def _fresh(self) -> int:
        """The number of the first event after the field was last made anew."""
        return max((n + 1 for n, event in enumerate(self.events) if event["kind"] in FRESH), default=0)

    def record(self) -> dict[str, Any]:
        """Everything that repeats the session, ready for JSON."""
        return {
            "format": FORMAT, "turingdiff": version("turingdiff"), "origin": self.origin, **self.first,
            "events": self.events, "steps": self.step, "sha256": digest(self.field),
        }  # fmt: skip

    def save(self, path: str | Path) -> Path:
        """Write the record as .json; `replay` reads it."""
        path = Path(path)
        if path.suffix != ".json":
            raise ValueError(f"a session is saved as .json, got {path.name!r}")
        with atomic_path(path) as temporary:
            temporary.write_text(json.dumps(self.record(), indent=1) + "\n", encoding="utf-8")
        return path

    def repeat(self, events: Sequence[dict[str, Any]], steps: int) -> None:
        """Do what a record says."""
        for event in events:
            self._advance_to(event["step"])
            self.apply({key: value for key, value in event.items() if key != "step"})
        self._advance_to(max(steps, self.step))

    def _advance_to(self, step: int) -> None:
        if (self.step < step and self.advance(step - self.step) == 0) or self.step != step:
            raise ValueError(f"the record is at step {step}, but the session stopped at {self.step}")

    def film(self, frames: int = 120) -> Run:
        """The run since the field was last made anew, recorded by repeating the session.

        `frames` is about how many are kept, even in steps.
        """
        return record_film(self.repeated(), *self.marks(), frames)

    def marks(self) -> tuple[list[dict[str, Any]], int, int]:
        """The events so far, the number of the first one after which the film begins, and the last step."""
        return list(self.events), self._fresh(), self.step

    @abstractmethod
    def repeated(self) -> Session:
        """A session like this one at its beginning."""
