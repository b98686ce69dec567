"""How much less work a stabilised step is, where fast diffusion makes the equations stiff.

Schnakenberg's system with D = (1, 100) and dx = 0.5 ("spots"), 128 x 128 cells from 1% of noise to t = 10, when the
pattern has left the linear regime. Explicit Euler at its largest stable step is compared with the longest step of
`rkc`, and the loosest tolerance of `adaptive`, whose relative error (the largest difference over the range of the
field, against `rk4` with a fifth of Euler's step) is at most that of the target, 1e-3.

    floor   Euler needs T radius / 2 rates; s Chebyshev stages cover 0.65 s² / radius
    target  Euler : rkc at least 4 in rate evaluations, to the same relative error of 1e-3

Rates are counted by a rule whose field rate counts its calls; seconds are those of the uncounted rule, compiled, in
turns.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace

import numpy as np

import turingdiff as td
from turingdiff.engine.flow import Flow

SHAPE, END, TARGET = (128, 128), 10.0, 1e-3


def counted(rule, field):
    """The same rule, and the list to which every evaluation of its rate adds an entry."""
    calls, flow = [], Flow(rule, field)

    def rate(state, t):
        calls.append(t)
        return flow.cell_rate(state, t)

    return replace(rule, field_rate=rate), calls


def main():
    rule = td.morphogenesis.schnakenberg("spots")
    start = rule.initial(SHAPE, rng=0)
    limit = rule.stable_dt(start)
    print(f"python {' '.join(sys.argv)}   {rule.name}, {SHAPE[0]}x{SHAPE[1]}, dx = {rule.neighbourhood.dx:g}")
    reference = td.simulate(rule, start, td.uniform(0, END, limit / 5), stepper=td.rk4, frames=2).final
    size = np.ptp(reference, axis=(1, 2)).max()
    print(f"the pattern spans {size:.3g}; largest stable Euler step {limit:.3g}")

    def error(times, stepper):
        return np.abs(td.simulate(rule, start, times, stepper=stepper, frames=2).final - reference).max() / size

    candidates = {
        "euler": [("largest step", td.uniform(0, END, 0.999 * limit), td.euler)],
        "rkc": [(f"dt = {dt:g}", td.uniform(0, END, dt), td.rkc) for dt in (0.5, 0.25, 0.2, 0.1, 0.05, 0.025)],
        "adaptive bs23": [(f"rtol = {tol:g}", [0, END], td.adaptive(rtol=tol)) for tol in (1e-2, 1e-3, 1e-4)],
        "adaptive rkc": [
            (f"rtol = {tol:g}", [0, END], td.adaptive(rtol=tol, method="rkc")) for tol in (1e-3, 1e-4, 1e-5, 3e-6, 1e-6)
        ],
    }
    table = {}
    for name, choices in candidates.items():
        tried = ((error(times, stepper), label, times, stepper) for label, times, stepper in choices)
        best = next((choice for choice in tried if choice[0] <= TARGET), None)
        if best is None:
            print(f"  {name}: none of its choices is within {TARGET:g}")
            continue
        found, label, times, stepper = best
        watched, calls = counted(rule, start)
        td.simulate(watched, start, times, stepper=stepper, frames=2)
        table[name] = (label, found, len(calls), times, stepper)
    seconds = {name: [] for name in table}
    for _ in range(7):
        for name, (_, _, _, times, stepper) in table.items():
            began = time.perf_counter()
            td.simulate(rule, start, times, stepper=stepper, frames=2)
            seconds[name].append(time.perf_counter() - began)
    rates, own = table["euler"][2], min(seconds["euler"])
    for name, (label, found, calls, *_) in table.items():
        best = min(seconds[name])
        print(
            f"  {name:14} {label:14} error {found:.1e}  {calls:6} rates ({rates / calls:5.2f} times fewer)"
            f"  {best:6.3f} s ({own / best:5.2f} times faster)"
        )


if __name__ == "__main__":
    main()
