"""What an event costs in Flink with one filter and with fifty, and in Python."""

import random
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from statistics import median

from confluent_kafka import TopicPartition

from bench.dealership import NAME, OUT, Dealership, filters
from bench.peers.python_filters import by_evaluator, by_hand, consume
from bench.report import cell
from bench.topic_ends import Ends
from flink import offsets
from flink.backends import FlinkBackend

_COUNTS = (1, 10, 49, 50)  # of filters
_PYTHON, _JOB = f"{NAME}.events.by-hand", "job/routing"


def costs(shop: Dealership, first: list[TopicPartition], events: int, repetitions: int) -> None:
    """Print what the same events cost through so many filters, and through Python, in another order each time."""
    kafka, found = Ends(shop.environment), defaultdict[str, list[tuple[float, float]]](list)
    with kafka.topic(_PYTHON):
        runs: dict[str, Callable[[], tuple[float, float]]] = {
            f"Flink, {count} filters": partial(routed, shop, kafka, first, events, count) for count in _COUNTS
        }
        servers = shop.environment.kafka.bootstrap_servers
        runs["Python by hand, 10 filters"] = lambda: consume(servers, first, events, by_hand(filters(10)), _PYTHON)
        runs["Python with the evaluator, 10 filters"] = lambda: consume(servers, first, events // 10, by_evaluator(filters(10)), _PYTHON)
        for _ in range(repetitions):
            for name in random.sample(list(runs), len(runs)):
                found[name].append(runs[name]())
    print(f"\n| {events:,} events of 400 B from the raw topic, {repetitions} times | events/s | µs of CPU an event |\n|---|---|---|")
    for name in runs:
        rate, cpu = zip(*found[name], strict=True)
        print(f"| {name} | {cell(rate)} | {cell(cpu)} |")
    _, ten, less, most = (median(cpu for _, cpu in found[f"Flink, {count} filters"]) for count in _COUNTS)
    each = (most - ten) / (_COUNTS[-1] - _COUNTS[1]) / most
    print(f"\nThe 50th filter costs {most / less - 1:+.1%} of CPU beside 49, and each of the last 40 {each:+.2%} in the mean.")


def routed(shop: Dealership, kafka: "Ends", first: list[TopicPartition], events: int, count: int) -> tuple[float, float]:
    """Events a second, and microseconds of CPU of the TaskManager for each, over the second half."""
    catalogue = shop.declare_so_many(count)
    flink, resource = catalogue.backends["flink"], catalogue.by_id[_JOB]
    assert isinstance(flink, FlinkBackend)
    flink.delete(_JOB)
    offsets.advance(shop.environment.kafka, f"{NAME}.routing", {(one.topic, one.partition): one.offset for one in first})
    before = kafka.total(OUT)
    shop.cpu_seconds("flink-taskmanager")  # found before it counts
    with ThreadPoolExecutor(1) as thread:
        submitted = thread.submit(flink.write, resource, None)
        begun, cpu = kafka.reached(OUT, before + events // 2), shop.cpu_seconds("flink-taskmanager")
        seconds, used = kafka.reached(OUT, before + events) - begun, shop.cpu_seconds("flink-taskmanager") - cpu
        submitted.result()
    half = events - events // 2
    return half / seconds, used / half * 1e6
