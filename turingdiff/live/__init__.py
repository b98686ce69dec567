"""A page that one touches: a rule runs, its field is shown, and every touch is recorded.

``td.live(rule)`` opens it (``turingdiff live`` on the command line). A session is its record: the rule, the seed, and
every event with the number of the step before which it came. `replay` repeats it bit for bit.
"""

from __future__ import annotations

import sys
import types
from typing import Any

from turingdiff.live.open_session import open_session, replay
from turingdiff.live.session import Session

__all__ = ["Session", "live", "open_session", "replay"]


def live(*rules: Any, port: int = 0, browser: bool = True) -> list[Session]:
    """Open a page on which rules run, and wait until Ctrl-C; several rules stand side by side.

    Parameters
    ----------
    *rules
        Turing systems, rules, machines, networks, or a `Session` to go on with. By default Gray–Scott.
    port
        Of the address 127.0.0.1; 0 takes a free one.
    browser
        Whether to open the page in the user's browser. Its address is printed in either case.

    Returns
    -------
    list of Session
        As they were left; ``session.field`` is the field, ``session.save(path)`` writes the record.

    Raises
    ------
    TypeError
        For what is no rule.
    ValueError
        For a rule without an initial state of its own.
    OSError
        For a port that is taken.
    """
    from turingdiff.live.server import serve

    sessions = [rule if isinstance(rule, Session) else open_session(rule) for rule in rules or ("gray_scott",)]
    serve(sessions, port=port, browser=browser)
    return sessions


class _Callable(types.ModuleType):
    """The package itself is called: ``td.live(rule)``."""

    def __call__(self, *rules: Any, port: int = 0, browser: bool = True) -> list[Session]:
        return live(*rules, port=port, browser=browser)


sys.modules[__name__].__class__ = _Callable
