"""The engine: a local rule and its neighbourhood, compiled and stepped along a clock."""

from turingdiff.engine.evolution import BlowUpError, UnstableStepWarning, evolve
from turingdiff.engine.kernels import Geometry
from turingdiff.engine.runs import Run, load_run, simulate
from turingdiff.engine.steppers import ancestral, euler, euler_maruyama, heun, one_step, rk4
from turingdiff.engine.times import uniform

__all__ = [
    "BlowUpError",
    "Geometry",
    "Run",
    "UnstableStepWarning",
    "ancestral",
    "euler",
    "euler_maruyama",
    "evolve",
    "heun",
    "load_run",
    "one_step",
    "rk4",
    "simulate",
    "uniform",
]
