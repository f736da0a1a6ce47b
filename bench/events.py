"""What filters cost: latency from a commit to its consumer, the rates that hold, one filter more, and the same done by hand in Python.

    python -m bench.events [--seconds 30] [--events 100000] [--repetitions 3]

Runs on the running embedded platform, beside what is there, with a copy of examples/cars that is removed afterwards; run it on an
idle machine. What writes the events takes from the same processors as what routes them. Prints Markdown tables.

Latency and rates are those of `headrace load`. A rate holds if 95 % of it is written, and the last event comes within two seconds of
the last commit. Catching up: events are written while the connector is stopped. The cost of a filter: the job is set back, and reads
the same events with another number of filters, again and again in another order; the second half counts, when Java has compiled.
"""

import argparse
import os
import platform
import time

from confluent_kafka import TopicPartition

from bench.dealership import NAME, OUT, RAW, Dealership, opened
from bench.filter_costs import costs
from bench.topic_ends import Ends
from cdc.connect import Connect
from orchestration.places import this_platform

_RATES = {"400b": (1000, 2000, 5000, 10_000), "8k": (250, 500, 1000)}
_WRITTEN, _BEHIND = 0.95, 2.0  # a rate holds if such a share of it is written, and the last event comes within so many seconds
_FAST = 1000  # events a second from which they are written several in a transaction
_COPIES = """
insert into business_events (id, entity_id, event)
select gen_random_uuid(), entity_id, event from (select * from business_events limit 1000) as some, generate_series(1, %s)
"""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=int, default=30, help="of each rate")
    options.add_argument("--events", type=int, default=100_000, help="to catch up with, in thousands")
    options.add_argument("--repetitions", type=int, default=3)
    given = options.parse_args()
    print(f"{os.cpu_count()} cores, {platform.platform()}, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f} before\n")
    with opened(this_platform(), 10) as shop:
        shop.load("--size", "400b", "--rate", "500", "--duration", "10s")  # warm
        rates(shop, given.seconds)
        first = catching_up(shop, given.events // 1000 * 1000)
        costs(shop, first, given.events // 1000 * 1000, given.repetitions)
    print(f"\nLoad of the machine {os.getloadavg()[0]:.1f} after.")


def rates(shop: Dealership, seconds: int) -> None:
    """Ascending, until one does not hold."""
    print("| events of | asked for | written | commit → consumer, p50 | p99 | behind at the end | holds |\n|---|---|---|---|---|---|---|")
    for size, asked in _RATES.items():
        for rate in asked:
            batch = rate // _FAST * 5 if rate > _FAST else 1
            found = shop.load("--size", size, "--rate", str(rate), "--batch", str(batch), "--duration", f"{seconds}s")
            [of_all] = [one for one in found["topics"] if one["topic"] == OUT]
            holds = found["rate"] >= _WRITTEN * rate and found["behind"] <= _BEHIND and not of_all["missing"]
            wanted = f"{size} | {rate:,}/s, {batch} in a transaction" if batch > 1 else f"{size} | {rate:,}/s"
            latency = f"{of_all['p50']:.1f} ms | {of_all['p99']:.1f} ms | {found['behind']:.2f} s"
            print(f"| {wanted} | {found['rate']:,.0f}/s | {latency} | {'yes' if holds else 'no'} |", flush=True)
            if not holds:
                break


def catching_up(shop: Dealership, events: int) -> list[TopicPartition]:
    """From a backlog in the database to the raw topic, and to the consumers; where in the raw topic it begins."""
    connect, kafka = Connect(shop.environment.connect.url), Ends(shop.environment)
    connect.stop(f"{NAME}-events")
    with shop.source() as source:
        source.execute(_COPIES.encode(), [events // 1000])
    first, out, begun = kafka.of(RAW), kafka.total(OUT), time.monotonic()
    connect.resume(f"{NAME}-events")
    captured = kafka.reached(RAW, sum(one.offset for one in first) + events) - begun
    routed = kafka.reached(OUT, out + events) - begun
    print("\n| catching up with 10 filters, nothing written | events/s |\n|---|---|")
    print(f"| database → raw topic | {events / captured:,.0f} |\n| database → consumers' topics | {events / routed:,.0f} |", flush=True)
    return first


if __name__ == "__main__":
    main()
