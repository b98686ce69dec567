"""Sessions of rules over time: Turing systems, and rules of a user's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from turingdiff import morphogenesis
from turingdiff.engine.flow import Flow
from turingdiff.engine.rule import Rule
from turingdiff.engine.times import rounded_down
from turingdiff.live.checks import check_finite, number, whole
from turingdiff.live.session import Session
from turingdiff.morphogenesis._system import SAFETY, System

PICTURES = 1200  # of a run to its usual end, at the speed that a system begins with
SYSTEMS: dict[str, System] = {name: getattr(morphogenesis, name) for name in morphogenesis.__all__}
BOUNDARIES = ("periodic", "no_flux", "zero")
CANVAS = (256, 256)
DTYPE = np.float32  # a picture needs no more, and it runs at more than twice the speed


class Growing(Session):
    """A rule over time, stepped by Euler's method with the largest stable step times 0.9.

    The rule is made anew of its system, or of the user's own rule, whenever a parameter changes. Parameters are
    arguments of the compiled loop, so that nothing is compiled.
    """

    family = "time"

    def __init__(
        self,
        own: Rule | None = None,
        *,
        system: str | None = None,
        preset: str | None = None,
        given: Mapping[str, Any] | None = None,
        shape: tuple[int, int] = CANVAS,
        seed: int = 0,
    ):
        self.own, self.system, self.preset, self.given = own, system, preset, dict(given or {})
        origin = {"own": own.name} if own is not None and system is None else {"system": system, "preset": preset}
        super().__init__({**origin, "given": dict(self.given)}, self._made(), shape, seed)
        self.speed = self._usual_speed()

    def _made(self) -> Rule:
        if self.system is not None:
            return SYSTEMS[self.system](self.preset, **self.given)
        assert self.own is not None
        return with_values(self.own, self.given)

    def begin(self) -> None:
        """See `Session.begin`."""
        rule = self._made()
        field = rule.initial(self.shape, rng=self.seed, dtype=DTYPE)
        self._use(rule, field)
        self.field, self._since, self._taken = field, 0.0, 0

    def _use(self, rule: Rule, field: np.ndarray) -> None:
        """Go on with another rule, from the present time."""
        dt = time_step(rule, field)
        flow = Flow(rule, field)
        since = self.clock if hasattr(self, "_since") else 0.0
        self.rule, self._flow, self.dt, self._since, self._taken = rule, flow, dt, since, 0

    @property
    def clock(self) -> float:
        """The time."""
        return self._since + self._taken * self.dt

    def take(self, steps: int) -> int:
        """See `Session.take`: the same bytes as `simulate` along ``uniform(0, steps dt, dt)``."""
        times = self._since + (self._taken + np.arange(steps, dtype=float)) * self.dt
        with np.errstate(over="ignore", invalid="ignore"):  # reported by name
            field = (
                self._flow.euler(self.field, times, np.full(steps, self.dt)) if self._flow.fuses else self._slow(times)
            )
        self.field = check_finite(field, self.rule.name)
        self._taken += steps
        return steps

    def _slow(self, times: np.ndarray) -> np.ndarray:
        field = self.field
        for t in times.tolist():
            field = field + self.dt * self._flow.rate(field, t)
        return field

    def pictures(self, channel: int | None = None) -> list[tuple[str, np.ndarray, tuple[float, float] | None]]:
        """One channel."""
        channel = (self.rule.shown or 0) if channel is None else whole(channel, "channel", 0, len(self.field) - 1)
        return [(f"{self.rule.name}, {self.rule.channels[channel]}", self.field[channel : channel + 1], None)]

    def background(self) -> np.ndarray:
        """The steady state where there is one, else the initial field of the seed."""
        try:
            state = np.asarray(self.rule.steady_state(), DTYPE)
        except ValueError:
            return self.rule.initial(self.shape, rng=self.seed, dtype=DTYPE)
        state = state[:, None, None] if state.ndim == 1 else state
        return np.broadcast_to(state, self.field.shape)

    def touch(self, field: np.ndarray) -> None:
        """See `Session.touch`."""
        self.field = field

    def on_set(self, name: str, value: float) -> None:
        """Give a parameter another value."""
        if np.ndim(self.rule.params.get(name, ())):
            known = [key for key, held in self.rule.params.items() if np.ndim(held) == 0]
            raise ValueError(f"{self.rule.name} has no parameter {name!r} to set; it has {', '.join(known)}")
        self._change(given={**self.given, name: number(value, name)})

    def on_boundary(self, name: str) -> None:
        """Another boundary."""
        if name not in BOUNDARIES:
            raise ValueError(f"boundary must be one of {', '.join(BOUNDARIES)}, got {name!r}")
        self._change(given={**self.given, "boundary": name})

    def _change(self, **changes: Any) -> None:
        before = {name: getattr(self, name) for name in changes}
        vars(self).update(changes)
        try:
            self._use(self._made(), self.field)
        except Exception:
            vars(self).update(before)
            raise

    def on_preset(self, name: str | None) -> None:
        """Begin again with the parameters of a preset; None: those of the system."""
        self._again(preset=name, given=self._kept())
        self.speed = self._usual_speed()

    def on_system(self, name: str) -> None:
        """Begin again with another system; the name of the user's own rule goes back to that."""
        own = self.own is not None and name == self.own.name
        if name not in SYSTEMS and not own:
            raise ValueError(f"there is no system {name!r}; there are {', '.join(SYSTEMS)}")
        self._again(system=None if own else name, preset=None, given={})
        self.speed = self._usual_speed()

    def _usual_speed(self) -> int:
        steps = len(self.rule.times()) if self.rule.grid is not None else 0
        return int(np.clip(steps / PICTURES, 20, 200))

    def _kept(self) -> dict[str, Any]:
        return {key: value for key, value in self.given.items() if key in ("boundary", "dx")}

    def about(self) -> dict[str, Any]:
        """See `Session.about`."""
        system = None if self.system is None else SYSTEMS[self.system]
        own = [] if self.own is None else [self.own.name]
        boundary = self.rule.neighbourhood.boundary
        return {
            "systems": own + [name for name in SYSTEMS if name not in own],
            "system": self.system or own[0],
            "presets": [] if system is None else list(system.presets),
            "preset": self.preset,
            "equations": "" if system is None else system.equations,
            "summary": "" if system is None else (system.__doc__ or "").strip().partition("\n")[0],
            "parameters": [
                {"name": name, "value": value, "low": low, "high": high}
                for name, value in self.rule.params.items()
                if np.ndim(value) == 0
                for low, high in [self._range(name, float(value))]
            ],
            "boundaries": list(BOUNDARIES),
            "boundary": boundary if isinstance(boundary, str) else "other",
            "dt": self.dt,
            "brush": [brush_range(plane) for plane in self.field],
            "command": self._command(),
        }

    def _range(self, name: str, value: float) -> tuple[float, float]:
        values = [value] if self.system is None else [value, *values_of(self.system)[name]]
        return slider_range(values, value)

    def _call(self) -> str:
        arguments = [] if self.preset is None else [repr(self.preset)]
        arguments += [f"{name}={value!r}" for name, value in self.given.items()]
        return f"td.morphogenesis.{self.system}({', '.join(arguments)})" if self.system else self._own_call()

    def _own_call(self) -> str:
        return f"...  # your rule {self.own.name}" if self.own is not None else ""

    def python(self) -> list[str]:
        """See `Session.python`: the same bytes as the field shown."""
        start = ["import turingdiff as td", "", f"rule = {self._call()}",
                 f'start = rule.initial({self.shape}, rng={self.seed}, dtype="float32")']  # fmt: skip
        return start if self.clock == 0 else [
            *start,
            f"run = td.simulate(rule, start, td.uniform(0, {self.clock!r}, {self.dt!r}))",
            'td.animate(run, "film.gif")',
        ]  # fmt: skip

    def _command(self) -> str:
        """The command line that grows the same pattern, in double precision."""
        if self.system is None or self.touches():
            return "turingdiff live session.json"
        options = [f"--preset {quoted(self.preset)}"] if self.preset else []
        settings = {key: value for key, value in self.given.items() if key != "boundary"}
        options += [f"--set {key}={value!r}" for key, value in settings.items()]
        options += [f"--boundary {self.given['boundary']}"] if "boundary" in self.given else []
        height, width = self.shape
        return " ".join(
            ["turingdiff grow", self.system, *options, f"--size {height}x{width} --seed {self.seed}",
             f"--t-end {self.clock:.10g}"]
        )  # fmt: skip

    def repeated(self) -> Growing:
        """See `Session.repeated`."""
        origin, first = self.origin, self.first
        return Growing(self.own, system=origin.get("system"), preset=origin.get("preset"), given=origin["given"],
                       shape=tuple(first["shape"]), seed=first["seed"])  # fmt: skip


@cache
def values_of(system: str) -> dict[str, list[float]]:
    """All values that the parameters of a system have, by default and in its presets."""
    rules = [SYSTEMS[system](preset) for preset in (None, *SYSTEMS[system].presets)]
    return {name: [float(rule.params[name]) for rule in rules] for name in rules[0].params}


def slider_range(values: list[float], value: float) -> tuple[float, float]:
    """The ends of a slider: all `values` and some room about them, of one sign where they are."""
    low, high = min(values), max(values)
    if low == high:
        return (0.0, 2 * low) if low > 0 else (2 * low, 0.0) if low < 0 else (0.0, 1.0)
    room = (high - low) / 4
    return min(value, max(low - room, 0.0) if low >= 0 else low - room), max(value, high + room)


def with_values(rule: Rule, given: Mapping[str, Any]) -> Rule:
    """A user's rule with other values of its parameters and another boundary; its steady state is looked for anew."""
    values = {key: value for key, value in given.items() if key != "boundary"}
    if unknown := set(values) - set(rule.params):
        raise ValueError(f"{rule.name} has no parameter {', '.join(sorted(unknown))}; it has {', '.join(rule.params)}")
    if not given:
        return rule
    room = replace(rule.neighbourhood, boundary=given.get("boundary", rule.neighbourhood.boundary))
    guess = rule.guess if rule.equilibrium is None or np.ndim(rule.equilibrium) != 1 else tuple(rule.equilibrium)
    return replace(rule, params={**rule.params, **values}, neighbourhood=room, equilibrium=None, guess=guess)


def time_step(rule: Rule, field: np.ndarray) -> float:
    """The step of the rule's own times, else 0.9 of the largest stable one."""
    if rule.grid is not None:
        times = rule.times()
        return float(getattr(times, "dt", None) or times[1] - times[0])
    limit = rule.stable_dt(field)
    return rounded_down(SAFETY * limit, 2) if np.isfinite(limit) else 1.0


def system_of(rule: Rule) -> tuple[str, str | None, dict[str, Any]] | None:
    """The system that made a rule, the preset, and what was given beside it; None where it cannot be made again."""
    for name, system in SYSTEMS.items():
        preset = rule.name.removeprefix(name).strip() or None
        if rule.name not in (name, f"{name} {preset}") or (preset is not None and preset not in system.presets):
            continue
        plain = system(preset)
        if set(plain.params) != set(rule.params) or any(np.ndim(value) for value in rule.params.values()):
            continue
        given: dict[str, Any] = {key: value for key, value in rule.params.items() if value != plain.params[key]}
        here, there = rule.neighbourhood, plain.neighbourhood
        given |= {key: getattr(here, key) for key in ("dx", "boundary") if getattr(here, key) != getattr(there, key)}
        again = system(preset, **given)
        same = again.cell is rule.cell and again.start is rule.start and again.neighbourhood == here
        if same and isinstance(here.boundary, str):
            return name, preset, given
    return None


def brush_range(plane: np.ndarray) -> tuple[float, float]:
    """The values that a brush may paint: those of the field, and as much again above."""
    low, high = float(plane.min()), float(plane.max())
    room = max(high - low, 0.5 * max(abs(high), abs(low)), 1e-3)
    return (max(0.0, low - room) if low >= 0 else low - room), high + room


def quoted(text: str | None) -> str:
    """A name as a shell takes it."""
    return f'"{text}"' if text and " " in text else str(text)
