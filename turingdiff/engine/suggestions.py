"""The message about an unknown name: which names there are, and the nearest."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """The message of an error about an unknown name.

    >>> unknown("preset of gray_scott", "mase", ["maze", "spots"])
    "no preset 'mase' of gray_scott; did you mean 'maze'? There are maze, spots"

    Parameters
    ----------
    what
        The kind of name, and to what it belongs: "machine", "preset of gray_scott".
    known
        The names that there are, in the order in which the message lists them.
    """
    kind, of, owner = what.partition(" of ")
    names = list(known)
    near = get_close_matches(str(name).lower(), [one.lower() for one in names], n=1)
    hint = next((f"did you mean {one!r}? There" for one in names if [one.lower()] == near), "there")
    return f"no {kind} {name!r}{of}{owner}; {hint} are {', '.join(names) or 'none'}"
