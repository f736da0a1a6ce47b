"""Headrace beside the other ways to have a PostgreSQL table elsewhere: same tables, same machine, one run, one after the other.

    python -m bench.compare [--repetitions 5] [--only Headrace]

Brings a platform of its own up, beside others, and takes it down in the end. Each repetition measures all peers in an order of its
own. Writes bench/results/compare.json after each, and the report made of it.
"""

import argparse
import json
import os
import random
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import quantiles
from typing import Any

from bench.peers import load
from bench.peers.cost import cpu_seconds, memory
from bench.peers.debezium import Worker
from bench.peers.flink_cdc import FlinkCdc
from bench.peers.full_copy import FullCopy
from bench.peers.headrace import Headrace
from bench.peers.jdbc_sink import JdbcSink
from bench.peers.peer import Ground, Peer
from bench.peers.python_consumer import PythonConsumer
from bench.peers.replication import LogicalReplication
from bench.report import RATES, ROWS, TABLES, write_report
from e2e.command import run
from e2e.waiting import until
from infra import databases, supervision
from infra.platform import Platform

ROOT = Path(__file__).resolve().parent.parent
_PORT_BASE = "24000"  # below the ports of outgoing connections
_SECONDS = 5  # at each rate
_TRANSACTIONS = 10_000  # of the mixed load


def main() -> None:
    options = argparse.ArgumentParser(prog="bench.compare", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--repetitions", type=int, default=5)
    options.add_argument("--only", action="append", help="this peer; can be repeated")
    options.add_argument("--keep", action="store_true", help="leave the platform running")
    given = options.parse_args()
    measured: list[dict[str, Any]] = []
    with platform(given.keep) as here, ExitStack() as opened:
        peers = [one for one in all_peers(Ground(here), opened) if not given.only or one.name in given.only]
        for repetition in range(given.repetitions):
            for peer in random.Random(repetition).sample(peers, len(peers)):
                result = {"peer": peer.name, "repetition": repetition, **measure(here, peer)}
                print(json.dumps(result), flush=True)
                measured.append(result)
                write_report(measured)


@contextmanager
def platform(keep: bool) -> Iterator[Platform]:
    """A platform whose analytics server notes the time of each commit; the bookstore is there, its customers stay away."""
    os.environ |= {"HEADRACE_STATE": str(ROOT / ".headrace-bench"), "HEADRACE_PORT_BASE": _PORT_BASE}
    here = Platform.of_checkout(ROOT)
    run(here, "up", seconds=900, check=True)
    try:
        supervision.ask(here, "stopProcess", "sample")
        with databases.connect(here, "analytics") as server:
            server.execute("alter system set track_commit_timestamp = on")
        for action in ("stopProcess", "startProcess"):
            supervision.ask(here, action, "postgres-analytics")
        until(lambda: run(here, "check", seconds=120, check=False).returncode == 0, 180, "every check is green again")
        yield here
    finally:
        if not keep:
            run(here, "down", "--erase", "--yes", seconds=300, check=True)


def all_peers(ground: Ground, opened: ExitStack) -> list[Peer]:
    worker, flink = Worker(ground), FlinkCdc(ground)
    opened.callback(worker.end)
    opened.callback(flink.end)
    return [Headrace(ground), LogicalReplication(ground), JdbcSink(ground, worker), flink, PythonConsumer(ground, worker), FullCopy(ground)]


def measure(here: Platform, peer: Peer) -> dict[str, Any]:
    found: dict[str, Any] = {}
    with started(peer, ["trades"]):
        load.paced(peer, 1000, 3, 10**12)  # warm
        for rate in RATES:
            found |= latency(peer, rate)
        found |= bulk(here, peer)
        found["mixed"] = load.mixed(peer, _TRANSACTIONS, 10**11)
        found["after an outage"] = outage(peer)
    for count in (number for number in TABLES if number <= peer.most_tables):
        tables = [f"trades_{number}" for number in range(count)]
        with started(peer, tables):
            found[f"{count} tables"] = spread(peer, tables)
    return found


@contextmanager
def started(peer: Peer, tables: list[str]) -> Iterator[None]:
    peer.start(tables)
    try:
        yield
    finally:
        peer.remove()


def latency(peer: Peer, rate: int) -> dict[str, float]:
    empty(peer)
    reached = load.paced(peer, rate, _SECONDS, 0)
    cuts = quantiles(peer.latencies(), n=100)
    return {f"reached of {rate}": reached} | {f"p{part} at {rate}": cuts[part - 1] for part in (50, 95, 99)}


def bulk(here: Platform, peer: Peer) -> dict[str, float]:
    empty(peer)
    found, used = dict[str, float](), cpu_seconds(here, peer)
    with peer.source() as source:
        for kind in ("insert", "update", "delete"):
            begun = time.monotonic()
            if kind == "insert":
                load.insert(source, "trades", ROWS, 0)
            else:
                source.execute("update trades set quantity = 2" if kind == "update" else "delete from trades")
            load.arrived(peer, ["trades"])
            found[kind] = ROWS / (time.monotonic() - begun)
    found["CPU seconds per million changes"] = (cpu_seconds(here, peer) - used) / (3 * ROWS) * 1e6
    return found | {"MB": memory(here, peer)}


def outage(peer: Peer) -> float:
    """Rows a second from its end."""
    empty(peer)
    peer.stop()
    with peer.source() as source:
        load.insert_in_parts(source, ROWS, 0)
    begun = time.monotonic()
    peer.resume()
    load.arrived(peer, ["trades"])
    return ROWS / (time.monotonic() - begun)


def spread(peer: Peer, tables: list[str]) -> float:
    """Rows a second, inserted into many tables one after the other."""
    begun = time.monotonic()
    with peer.source() as source:
        for table in tables:
            load.insert(source, table, ROWS // len(tables), 0)
    load.arrived(peer, tables)
    return ROWS / (time.monotonic() - begun)


def empty(peer: Peer) -> None:
    with peer.source() as source:
        source.execute("delete from trades")
    load.arrived(peer, ["trades"])


if __name__ == "__main__":
    main()
