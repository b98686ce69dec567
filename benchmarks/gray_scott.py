"""Gray–Scott, explicit Euler on a torus: turingdiff beside C, py-pde and pystencils, on two threads.

    python benchmarks/gray_scott.py [--size 512 2048 4096] [--repeats 7]

All start from the same field, must agree after 50 steps, and take laps in turn, A B A B, each in a process of
its own. Only time steps are timed; compilation is not. A cell is both species once.

Floor per cell: 24 flops, and 16 bytes of traffic in float32 (32 in float64), less where steps share a tile.

Targets: float32, at least 0.7 of C; float64, at least 8 times py-pde (Numba backend) and 1.5 times pystencils
(GCC, OpenMP); a user's own ``@td.reaction`` within 15% of the built-in system.

py-pde allocates its rates anew every step: its speed hangs on malloc and on how its threads wait. It runs as
installed, and "steady", with the environment STEADY, up to four times faster on a busy machine (glibc).
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path
from unittest.mock import patch

import numba
import numpy as np

import turingdiff as td

THREADS = 2
FLAGS = "-O3 -march=native -mprefer-vector-width=512 -ffast-math -fopenmp"
SOURCE = Path(__file__).with_suffix(".c")
D, F, K = (0.16, 0.08), 0.037, 0.06
STEADY = {
    "MALLOC_MMAP_THRESHOLD_": "100000000",
    "MALLOC_TRIM_THRESHOLD_": "1000000000",
    "MALLOC_TOP_PAD_": "100000000",
    "OMP_WAIT_POLICY": "PASSIVE",
}
CHECK = 50  # steps after which all must agree
WORK = 2e9  # cell updates a lap


@td.reaction(species="uv")
def users_own(u, v, F=F, k=K):
    return F * (1 - u) - u * v * v, u * v * v - (F + k) * v


users_own.diffusion = D


def start(size, dtype):
    """Return a square in a quiet medium, in which v stays above float64's subnormals for 7,000 steps."""
    field = np.empty((2, size, size), dtype)
    field[0], field[1] = 1, 0.01
    square = slice(size * 3 // 8, size * 5 // 8)
    field[:, square, square] = np.array([0.5, 0.25])[:, None, None]
    return field


def by_turingdiff(field, system=td.morphogenesis.gray_scott):
    rule = system(F=F, k=K, diffusion=D, dx=1.0, boundary="periodic")

    def advance(steps):
        nonlocal field
        for _, latest in td.evolve(rule, field, td.uniform(0, steps, 1.0), stepper=td.euler, every=steps):
            field = latest
        return field

    return advance


def by_user(field):
    return by_turingdiff(field, users_own)


def by_py_pde(field):
    import pde
    from pde.solvers import EulerSolver

    u, v = f"{D[0]}*laplace(u) - u*v**2 + F*(1 - u)", f"{D[1]}*laplace(v) + u*v**2 - (F + k)*v"
    grid = pde.CartesianGrid([[0, field.shape[1]]] * 2, field.shape[1], periodic=True)
    state = pde.FieldCollection([pde.ScalarField(grid, species) for species in field])
    solver = EulerSolver(pde.PDE({"u": u, "v": v}, consts={"F": F, "k": K}), backend="numba")
    stepper = solver.make_stepper(state, dt=1.0)

    def advance(steps):
        stepper(state, 0.0, float(steps))
        return state.data

    return advance


def by_pystencils(field):
    import pystencils as ps

    data = ps.create_data_handling(field.shape[1:], periodicity=True, default_layout="c")
    names = ("u", "v", "u_new", "v_new")
    u, v, u_new, v_new = (data.add_array(name, values_per_cell=1, dtype=np.float64) for name in names)

    def laplacian(f):
        return (f[-1, 0] + f[1, 0]) + (f[0, -1] + f[0, 1]) - 4 * f[0, 0]

    uvv = u[0, 0] * v[0, 0] ** 2
    step = [
        ps.Assignment(u_new[0, 0], u[0, 0] + (D[0] * laplacian(u) - uvv + F * (1 - u[0, 0]))),
        ps.Assignment(v_new[0, 0], v[0, 0] + (D[1] * laplacian(v) + uvv - (F + K) * v[0, 0])),
    ]
    options = ps.CreateKernelConfig(target=ps.Target.GenericCPU)  # GCC vectorises it for this machine
    options.cpu.openmp.enable, options.cpu.openmp.num_threads = True, THREADS
    kernel = ps.create_kernel(step, options).compile()
    wrap = data.synchronization_function(["u", "v"])
    for name, species in zip(names, field, strict=False):
        data.cpu_arrays[name][1:-1, 1:-1] = species

    def advance(steps):
        for _ in range(steps):
            wrap()
            data.run_kernel(kernel)
            data.swap("u", "u_new")
            data.swap("v", "v_new")
        return np.stack([data.cpu_arrays[name][1:-1, 1:-1] for name in "uv"])

    return advance


class Contestant:
    """One implementation in its own process, where its OpenMP pool, flush-to-zero flags and heap stay."""

    def __init__(self, make, size, dtype, work=WORK, **environment):
        self.size, self.steps = size, max(10, round(work / size**2))
        with patch.dict(os.environ, environment):
            self.process = ProcessPoolExecutor(1, get_context("spawn"))
            self.field = self.process.submit(_prepare, make, size, dtype).result()

    def lap(self):
        """Gcell/s."""
        return 1e-9 * self.size**2 * self.steps / self.process.submit(_lap, self.steps).result()

    def close(self):
        """End the process."""
        self.process.shutdown()


def _prepare(make, size, dtype):
    global advance
    numba.set_num_threads(THREADS)
    advance = make(start(size, dtype))
    return np.array(advance(CHECK))


def _lap(steps):
    begin = time.perf_counter()
    advance(steps)
    return time.perf_counter() - begin


class CProgram(Contestant):
    """The C program: a process a lap."""

    def __init__(self, size, folder):
        self.size, self.steps, self.program = size, max(10, round(WORK / size**2)), folder / "gray_scott"
        subprocess.run(["gcc", *FLAGS.split(), SOURCE, "-o", self.program], check=True)
        self.run(CHECK, folder / "field")
        self.field = np.fromfile(folder / "field", np.float32).reshape(2, size, size)

    def run(self, steps, *file):
        """Gcell/s over `steps` steps."""
        command, env = map(str, (self.program, self.size, steps, 1, *file)), {"OMP_NUM_THREADS": str(THREADS)}
        done = subprocess.run([*command], env=env, check=True, capture_output=True, text=True)
        return float(done.stdout.split()[0])

    def lap(self):
        """Gcell/s."""
        return self.run(self.steps)

    def close(self):
        """Nothing is left running."""


def race(title, ours, theirs, repeats, target, tolerance):
    """Laps in turn; our speed over theirs: the median of the paired ratios, and the best over the best."""
    off = np.abs(ours.field - theirs.field).max()
    if not off < tolerance:
        raise SystemExit(f"{title}: the fields differ by {off:.1e} after {CHECK} steps")
    a, b = np.transpose([(ours.lap(), theirs.lap()) for _ in range(repeats)])
    busy = "   BUSY MACHINE" if max(a.max() / np.median(a), b.max() / np.median(b)) > 1.3 else ""
    print(
        f"{ours.size:5}²  {title:40} {np.median(a):6.3f} / {np.median(b):6.3f} Gcell/s   "
        f"ratio {np.median(a / b):6.2f} (best/best {a.max() / b.max():6.2f})   target {target}{busy}",
        flush=True,
    )


def peers(size, folder):
    """Yield the name, dtype, target, tolerance and builder of every contestant but ours."""
    single, double, few = np.float32, np.float64, WORK / 40
    yield "C", single, ">= 0.7", 1e-4, lambda: CProgram(size, folder)
    yield "@td.reaction", single, "<= 1.15", 1e-6, lambda: Contestant(by_user, size, single)
    yield "py-pde", double, ">= 8", 1e-10, lambda: Contestant(by_py_pde, size, double, few)
    yield "py-pde steady", double, ">= 8", 1e-10, lambda: Contestant(by_py_pde, size, double, few, **STEADY)
    yield "pystencils", double, ">= 1.5", 1e-10, lambda: Contestant(by_pystencils, size, double)


def main(sizes, repeats):
    print("python " + " ".join(sys.argv), f"  {THREADS} threads", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            ours = {dtype: Contestant(by_turingdiff, size, dtype) for dtype in (np.float32, np.float64)}
            for name, dtype, target, tolerance, build in peers(size, Path(folder)):
                title = f"{dtype.__name__} turingdiff / {name}"
                try:
                    with closing(build()) as peer:
                        race(title, ours[dtype], peer, repeats, target, tolerance)
                except (ImportError, FileNotFoundError) as missing:
                    print(f"{name}: {missing} (C needs gcc, the others: pip install py-pde pystencils torch)")
            for contestant in ours.values():
                contestant.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--size", type=int, nargs="+", default=[512])
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    main(options.size, options.repeats)
