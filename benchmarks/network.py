"""A trained network's field rate, in NumPy, beside PyTorch's own forward pass of the same weights.

    python benchmarks/network.py [--repeats 15]

28 x 28, 64 channels, six residual layers, float32, the same number of threads for both. CPU seconds on one thread,
which other programs hardly change; wall seconds on all. The two are run in turn, and the best of each counts. First
they are held to each other.

Floor: 0.35 Gflop a field, 3 to 4 ms on a core of this kind at its peak.

Target: at most 3 times PyTorch.
"""

import argparse
import sys
import time

import numba
import numpy as np
import torch

import turingdiff as td
from turingdiff.network._residual_network import ResidualNetwork
from turingdiff.network._weights import Architecture, Weights, time_features

SIGMA = 1.3


def main(repeats):
    print(f"python {' '.join(sys.argv)}   (torch {torch.__version__})")
    for padding in ("zeros", "circular"):
        torch.manual_seed(0)
        theirs = ResidualNetwork(Architecture(padding=padding))
        torch.nn.init.normal_(theirs.down.weight, std=0.05)
        ours = td.denoising.network(Weights(theirs.architecture, theirs.arrays(), {"size": [28, 28]}))
        theirs = theirs.to(memory_format=torch.channels_last)
        for count in (1, 16):
            fields = np.random.default_rng(0).standard_normal((count, 1, 28, 28)).astype(np.float32)
            phi = torch.from_numpy(fields / np.float32(np.sqrt(1 + SIGMA**2)))
            phi = phi.contiguous(memory_format=torch.channels_last)
            clock = torch.from_numpy(time_features(np.full(count, SIGMA), 32).astype(np.float32))
            with torch.no_grad():
                error = np.abs(ours.rate(fields, SIGMA) - theirs(phi, clock).numpy()).max()
            assert error < 1e-5, error
            for threads, clock_of in ((1, time.process_time), (numba.config.NUMBA_NUM_THREADS, time.perf_counter)):
                torch.set_num_threads(threads)
                numba.set_num_threads(threads)
                times = [one(ours, theirs, fields, phi, clock, clock_of) for _ in range(repeats)]
                us, them = (1e3 * min(column) / count for column in zip(*times, strict=True))
                print(
                    f"  {padding:8} {count:2} fields, {threads} threads: ours {us:6.2f} ms a field, "
                    f"PyTorch {them:6.2f}: {us / them:.2f} times (target 3)",
                    flush=True,
                )


@torch.no_grad()
def one(ours, theirs, fields, phi, clock, now):
    began = now()
    ours.rate(fields, SIGMA)
    between = now()
    theirs(phi, clock)
    return between - began, now() - between


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--repeats", type=int, default=15)
    main(parser.parse_args().repeats)
