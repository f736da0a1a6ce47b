"""How long it takes until consumers get events of a filter's new version, while events are written, and what is lost or comes twice."""

import time
from concurrent.futures import ThreadPoolExecutor

from confluent_kafka import Consumer

from bench.dealership import OUT, Dealership
from bench.topic_ends import Ends
from flink.events import unstamped
from orchestration.reconcile import apply

_RATE, _SECONDS, _FILTERS = 1000, 30, 10
_BEFORE = 5000  # events by the version before


def changes(shop: Dealership, repetitions: int) -> None:
    """Print it for each of some changes, one after the other."""
    print(f"\n| change of a filter at {_RATE:,} events/s | first event by its new version | longest time without one | lost | twice |")
    print("|---|---|---|---|---|")
    for version in range(2, repetitions + 2):
        first, pause, lost, twice = _change(shop, version)
        print(f"| version {version - 1} → {version} | after {first:.1f} s | {pause:.1f} s | {lost} | {twice} |", flush=True)


def _change(shop: Dealership, version: int) -> tuple[float, float, int, int]:
    """Seconds from the beginning of the apply, the longest pause of the topic meanwhile, and what the load has missed and got twice."""
    kafka = Ends(shop.environment)
    before = kafka.total(OUT)
    with ThreadPoolExecutor(2) as pool:
        load = pool.submit(shop.load, "--size", "400b", "--rate", str(_RATE), "--duration", f"{_SECONDS}s")
        kafka.reached(OUT, before + _BEFORE)
        catalogue = shop.declare_so_many(_FILTERS, version)
        job = catalogue.by_id["job/routing"]
        begun = time.monotonic()
        applied = pool.submit(apply, catalogue.backend(job), job)
        first, pause = _until_judged_by(shop, kafka, version)
        applied.result()
        [of_all] = [one for one in load.result()["topics"] if one["topic"] == OUT]
    return first - begun, pause, of_all["missing"], of_all["twice"]


def _until_judged_by(shop: Dealership, kafka: Ends, version: int) -> tuple[float, float]:
    """When an event of a version came, by the monotonic clock, and the longest pause before."""
    consumer = Consumer({"bootstrap.servers": shop.environment.kafka.bootstrap_servers, "group.id": "bench"})
    consumer.assign(kafka.of(OUT))
    last, pause = time.monotonic(), 0.0
    while record := consumer.poll(60):
        now = time.monotonic()
        last, pause = now, max(pause, now - last)
        stamp = unstamped(record.value() or b"")
        if stamp and stamp[1] == version:
            consumer.close()
            return now, pause
    raise SystemExit(f"no event of version {version} came within a minute")
