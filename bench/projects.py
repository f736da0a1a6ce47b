"""What more projects on one platform cost: 1 to 8 of them, each with a source, a connector and a job of its own.

    python -m bench.projects [--repetitions 3]

On the platform of bench.compare, beside the bookstore. Adds what it has measured to bench/results/compare.json and writes the report
anew. The same rows are inserted whatever the number of projects, spread over all of them; the latency is that of one, while the
others have nothing to do.
"""

import argparse
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

from bench.compare import latency, platform, started
from bench.peers import load
from bench.peers.cost import cpu_seconds, memory
from bench.peers.headrace import Headrace
from bench.peers.peer import Ground
from bench.report import PROJECTS, ROWS, keep_projects
from infra.platform import Platform

_IDLE = 20  # seconds


def main() -> None:
    options = argparse.ArgumentParser(prog="bench.projects", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--repetitions", type=int, default=3)
    options.add_argument("--keep", action="store_true", help="leave the platform running")
    given = options.parse_args()
    measured: list[dict[str, Any]] = []
    with platform(given.keep) as here:
        for _ in range(given.repetitions):
            for count in PROJECTS:
                measured.append({"projects": count, **measure(here, count)})
                print(measured[-1], flush=True)
                keep_projects(measured)


def measure(here: Platform, count: int) -> dict[str, float]:
    peers = [Headrace(Ground(here)) for _ in range(count)]
    with ExitStack() as opened:
        begun = time.monotonic()
        for peer in peers:
            opened.enter_context(started(peer, ["trades"]))
        found = {"seconds to apply one": (time.monotonic() - begun) / count}
        load.paced(peers[0], 1000, 3, 10**12)  # warm
        used = cpu_seconds(here, peers[0])
        time.sleep(_IDLE)
        found["share of a core when idle"] = (cpu_seconds(here, peers[0]) - used) / _IDLE * 100
        found |= latency(peers[0], 1000)
        found["rows"] = spread(peers)
        return found | {"MB": memory(here, peers[0])}


def spread(peers: list[Headrace]) -> float:
    """Rows a second, inserted in all projects at once."""

    def insert(peer: Headrace) -> None:
        with peer.source() as source:
            load.insert(source, "trades", ROWS // len(peers), 10**13)
        load.arrived(peer, ["trades"])

    begun = time.monotonic()
    with ThreadPoolExecutor(len(peers)) as pool:
        list(pool.map(insert, peers))
    return ROWS / (time.monotonic() - begun)


if __name__ == "__main__":
    main()
