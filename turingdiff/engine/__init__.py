"""The engine: a local rule and its neighbourhood, compiled and stepped along a clock."""

from turingdiff.engine.adaptive import adaptive
from turingdiff.engine.evolution import evolve
from turingdiff.engine.exceptions import BlowUpError, UnstableStepWarning
from turingdiff.engine.kernels import Geometry
from turingdiff.engine.rkc import rkc
from turingdiff.engine.runs import Run, load_run, simulate
from turingdiff.engine.steady import NotSteadyError, until_steady
from turingdiff.engine.steppers import ancestral, euler, euler_maruyama, heun, one_step, rk4
from turingdiff.engine.times import uniform

__all__ = [
    "BlowUpError",
    "Geometry",
    "NotSteadyError",
    "Run",
    "UnstableStepWarning",
    "adaptive",
    "ancestral",
    "euler",
    "euler_maruyama",
    "evolve",
    "heun",
    "load_run",
    "one_step",
    "rk4",
    "rkc",
    "simulate",
    "uniform",
    "until_steady",
]
