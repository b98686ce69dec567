"""Sessions from what a user names: a rule, a system, a record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from turingdiff import data, denoising
from turingdiff.engine.rule import Rule
from turingdiff.live.checks import digest
from turingdiff.live.growing import CANVAS, SYSTEMS, Growing, system_of
from turingdiff.live.sampling import Sampling
from turingdiff.live.session import FORMAT, Session
from turingdiff.morphogenesis._system import System

LIMIT = 500  # training images: a level of ELS then takes about a tenth of a second


def open_session(rule: Any, shape: tuple[int, int] | None = None, seed: int = 0, **given: Any) -> Session:
    """Begin a session.

    Parameters
    ----------
    rule
        A rule, a machine, a network; or the name of a system, with its preset and parameters as keywords.
    shape
        (H, W) of the canvas. By default 256 x 256, and that of the training images.

    Raises
    ------
    TypeError
        For what is no rule.
    ValueError
        For an unknown name, a parameter that does not exist, or a rule without an initial state of its own.
    """
    if isinstance(rule, System):
        rule = rule.__name__ if rule in SYSTEMS.values() else rule(**given)
    if isinstance(rule, str):
        if rule not in SYSTEMS:
            raise ValueError(f"there is no system {rule!r}; there are {', '.join(SYSTEMS)}")
        preset = given.pop("preset", None)
        return Growing(system=rule, preset=preset, given=given, shape=shape or CANVAS, seed=seed)
    if not isinstance(rule, Rule):
        raise TypeError(f"expected a rule or the name of a system, got {rule!r}")
    if rule.clock == "sigma":
        return Sampling(rule, shape=shape, seed=seed)
    known = system_of(rule)
    if known is None:
        return Growing(rule, shape=shape or CANVAS, seed=seed)
    system, preset, own = known
    return Growing(system=system, preset=preset, given=own, shape=shape or CANVAS, seed=seed)


def open_machine(name: str, *, shape: tuple[int, int] | None = None, seed: int = 0, **origin: Any) -> Sampling:
    """Begin a session of a machine, or a trained network, that a record can name.

    Parameters
    ----------
    name
        Of a function of `turingdiff.denoising`; or of a network, or its file.
    **origin
        data, limit, label, patch, boundary: as on the command line.
    """
    given = {key: value for key, value in origin.items() if value is not None}
    if name not in denoising.__all__ or name == "network":
        known = {"network": name, **given}
        return Sampling(denoising.network(name, label=given.get("label")), known, shape=shape, seed=seed)
    given.setdefault("limit", LIMIT)
    made = getattr(denoising, name)
    options = {key: given[key] for key in ("patch", "boundary") if key in given}
    if given.get("data") is not None:
        return Sampling(made(data.load(given["data"], given["limit"]), **options), {"machine": name, **given},
                        shape=shape, seed=seed)  # fmt: skip
    images, labels = data.fashion()
    if (label := given.get("label")) is not None:
        images, labels = images[labels == label], labels[labels == label]
    if not len(images):
        raise ValueError(f"the images of Fashion-MNIST have the labels 0 to 9, got {label}")
    machine = made(images[: given["limit"]], **options)
    machine = replace(machine, labels=np.asarray(labels[: given["limit"]]))
    return Sampling(machine, {"machine": name, **given}, shape=shape, seed=seed)


def replay(path: str | Path, rule: Any = None) -> Session:
    """Repeat a saved session, event by event, and check that its field has the same bytes.

    Parameters
    ----------
    path
        What `Session.save` wrote.
    rule
        The rule, for a session of a rule of one's own, which a file cannot hold.

    Raises
    ------
    ValueError
        For another file, a rule that is missing, or a field with other bytes than the one that was saved.
    """
    try:
        record = json.loads(Path(path).read_text(encoding="utf-8"))
        if record["format"] != FORMAT:
            raise ValueError(f"format {record['format']!r}, this version reads {FORMAT!r}")
        origin, shape, seed = record["origin"], tuple(record["shape"]), record["seed"]
        events, steps, expected = record["events"], record["steps"], record["sha256"]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is not a session saved by turingdiff ({error})") from error
    session = _begun(origin, shape, seed, rule)
    session.repeat(events, steps)
    if digest(session.field) != expected:
        raise ValueError(
            f"{path} was repeated to step {steps}, but the field differs from the one saved by turingdiff "
            f"{record['turingdiff']}: another version, another processor, or other training images"
        )
    return session


def _begun(origin: Mapping[str, Any], shape: tuple[int, int], seed: int, rule: Any) -> Session:
    if "system" in origin:
        return Growing(system=origin["system"], preset=origin["preset"], given=origin["given"], shape=shape, seed=seed)
    if "machine" in origin or "network" in origin:
        known = dict(origin)
        name = known.pop("machine", None) or known.pop("network")
        return open_machine(name, shape=shape, seed=seed, **known)
    if rule is None:
        raise ValueError(f"the session is one of a rule of your own, {origin['own']!r}: give replay that rule")
    if rule.clock == "sigma":
        return Sampling(rule, origin, shape=shape, seed=seed)
    return Growing(rule, given=origin["given"], shape=shape, seed=seed)
