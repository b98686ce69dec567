"""A session as the page sees it: frames of one byte a value, and the state after an event."""

from __future__ import annotations

from typing import Any

import numpy as np

from turingdiff.engine import BlowUpError
from turingdiff.live.panels import NOTHING
from turingdiff.live.session import Session
from turingdiff.show.colour import indexed, limits

KEPT = 0.05  # the share of the way that the ends of the colours move towards a narrower range, a picture


class Show:
    """A session as the page sees it: its next frame, and the ends of its colours."""

    def __init__(self, session: Session):
        self.session = session
        self.message = ""
        self._at, self._limits = -1, dict[str, tuple[float, float]]()

    def frame(self, after: int, channel: int | None) -> tuple[dict[str, Any], bytes] | None:
        """The frame after number `after`: the present one where that is newer, else some steps on; None: no change."""
        session = self.session
        if session.version == after:
            if not session.running:
                return None
            try:
                session.advance(session.speed)
            except BlowUpError as error:
                self.message = str(error)
                session.apply({"kind": "pause"})
        titles, planes, body = [], [], []
        for title, picture, ends in session.pictures(channel):
            low, high = ends or self._moved(title, picture)
            planes.append({"shape": list(picture.shape), "low": low, "high": high})
            titles.append(title)
            body.append(indexed(picture, low, high, 256).tobytes())
        about = {"number": session.version, "step": session.step, "clock": session.clock, "running": session.running,
                 "message": self.message, "titles": titles, "planes": planes}  # fmt: skip
        return about, b"".join(body)

    def _moved(self, title: str, picture: np.ndarray) -> tuple[float, float]:
        """The ends of the colours: they widen at once and narrow slowly, so that nothing flickers."""
        if title in self._limits and self._at == self.session.version:
            return self._limits[title]
        low, high = limits([picture])
        high = max(high, low + NOTHING * float(abs(self.session.field).max()))  # what has died away is dark
        if title in self._limits:
            before = self._limits[title]
            low = min(low, before[0] + KEPT * (low - before[0]))
            high = max(high, before[1] + KEPT * (high - before[1]))
        self._at, self._limits = self.session.version, {title: (low, high)}
        return low, high

    def event(self, event: Any) -> dict[str, Any]:
        """Apply an event; the state after it."""
        self.session.apply(event)
        self.message = ""
        if event["kind"] not in ("run", "pause", "speed", "step", "brush", "set"):
            self._limits = {}
        return self.session.state()
