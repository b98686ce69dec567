"""Frames a second of `turingdiff live`: Gray–Scott, 512 x 512, 20 steps a frame, asked for over HTTP as the page does.

    python benchmarks/live.py

The page draws at most one frame for each refresh of the screen (60 a second on most); what the engine and the server
can do is measured here, with nobody drawing.
"""

from __future__ import annotations

import argparse
import http.client
import threading
import time

import numpy as np

from turingdiff.live.open_session import open_session
from turingdiff.live.server import Server

WARM = 5  # frames before the clock starts: compilation, and the first buffers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--steps", type=int, default=20, help="between two frames")
    parser.add_argument("--frames", type=int, default=300)
    options = parser.parse_args()
    session = open_session("gray_scott", (options.size, options.size), preset="maze")
    session.speed = options.steps
    seconds: list[float] = []
    with Server([session]) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        reader = threading.Thread(target=read, args=(server, options.frames, seconds))
        reader.start()
        while reader.is_alive():  # the engine runs in the main thread, where loops use all cores
            server.work(0.05)
        server.shutdown()
    rate = len(seconds) / sum(seconds)
    median, slow = np.percentile(seconds, (50, 95)) * 1e3
    print(f"{options.size}² cells, {options.steps} steps a frame: {rate:.0f} frames/s; a frame takes {median:.1f} ms "
          f"(median), {slow:.1f} ms (95%)")  # fmt: skip


def read(server: Server, frames: int, seconds: list[float]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port)
    number, session = -1, server.shows[0].session
    for n in range(WARM + frames):
        start = time.perf_counter()
        connection.request("GET", f"/{server.token}/0/frame?after={number}")
        body = connection.getresponse().read()
        assert len(body) == session.field[0].size
        number = session.version  # nobody else touches it
        if n >= WARM:
            seconds.append(time.perf_counter() - start)


if __name__ == "__main__":
    main()
