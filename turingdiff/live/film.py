"""The film of a session, made by repeating it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from turingdiff.engine import Run

if TYPE_CHECKING:
    from turingdiff.live.session import Session


def record_film(session: Session, events: Sequence[dict[str, Any]], fresh: int, end: int, frames: int = 120) -> Run:
    """Repeat a session, and keep its fields from the event number `fresh` on."""
    session.repeat(events[:fresh], events[fresh - 1]["step"] if fresh else 0)
    start, times, kept = session.step, [session.clock], [session.field.copy()]
    every = max(1, -(-(end - start) // (frames - 1)))
    last = {"kind": "pause", "step": end}
    for event in [*events[fresh:], last]:
        while (due := start + every * ((session.step - start) // every + 1)) <= event["step"]:
            session.repeat([], due)
            times.append(session.clock)
            kept.append(session.field.copy())
        session.repeat([event], event["step"])
    rule = session.rule
    return Run(
        np.array([*times, session.clock]), np.stack([*kept, session.field]), name=rule.name, clock=rule.clock,
        channels=tuple(rule.channels), shown=rule.shown, dx=rule.neighbourhood.dx, params=rule.params,
    )  # fmt: skip
