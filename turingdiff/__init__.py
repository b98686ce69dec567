"""Turing patterns and local-score diffusion models on one engine: a local rule plus a neighbourhood."""

from importlib import import_module
from importlib.metadata import version
from typing import Any

from turingdiff import data, denoising, measure, morphogenesis, network, show, stencils
from turingdiff.comparison import compare
from turingdiff.data import shapes
from turingdiff.engine import (
    BlowUpError,
    Geometry,
    NotSteadyError,
    Run,
    UnstableStepWarning,
    adaptive,
    ancestral,
    euler,
    euler_maruyama,
    evolve,
    heun,
    load_run,
    one_step,
    rk4,
    rkc,
    simulate,
    uniform,
    until_steady,
)
from turingdiff.engine import growth as grow
from turingdiff.engine.expected_pattern import ExpectedPattern, Signature
from turingdiff.engine.neighbourhood import Neighbourhood, fixed, flux
from turingdiff.engine.rule import Rule
from turingdiff.engine.transport import conserving, fibres
from turingdiff.morphogenesis._reaction import reaction
from turingdiff.morphogenesis._system import system
from turingdiff.show import animate

__version__ = version("turingdiff")

__all__ = [
    "BlowUpError",
    "ExpectedPattern",
    "Geometry",
    "Neighbourhood",
    "NotSteadyError",
    "Rule",
    "Run",
    "Signature",
    "UnstableStepWarning",
    "adaptive",
    "ancestral",
    "animate",
    "compare",
    "conserving",
    "data",
    "denoising",
    "euler",
    "euler_maruyama",
    "evolve",
    "fibres",
    "fixed",
    "flux",
    "grow",
    "heun",
    "live",
    "load_run",
    "measure",
    "morphogenesis",
    "network",
    "one_step",
    "reaction",
    "rk4",
    "rkc",
    "shapes",
    "show",
    "simulate",
    "stencils",
    "system",
    "uniform",
    "until_steady",
]


def __getattr__(name: str) -> Any:
    # The page and its server are loaded when they are asked for.
    if name == "live":
        return import_module("turingdiff.live")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
