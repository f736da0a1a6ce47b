"""What filters cost: latency from a commit to its consumer, the rates that hold, a change, one filter more, and the same done in Python.

    python -m bench.events [--seconds 30] [--events 100000] [--repetitions 3]

On the platform of bench.compare, beside the bookstore, with a copy of examples/cars; run it on an idle machine. What writes the
events takes from the same processors as what routes them; at the highest rates the database therefore writes copies of events by itself,
at a pace, as programs elsewhere would have it do. Prints Markdown tables, and keeps them as bench/results/events.md.

Latency and rates are those of `headrace load`, each measured again and again in another order; medians, with the lowest and the
highest. A rate holds if 95 % of it is written, and the last event comes within two seconds of the last commit. A change is timed
from the beginning of its apply, without the start of a command. Catching up: events are written while the connector is stopped.
The cost of a filter: the job is set back, and reads the same events with another number of filters, again and again in another
order; the second half counts, when Java has compiled.
"""

import argparse
import io
import os
import random
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from platform import platform as machine
from platform import python_version
from statistics import median
from typing import Any, TextIO

from confluent_kafka import TopicPartition

from bench.compare import platform
from bench.dealership import NAME, OUT, RAW, Dealership, opened
from bench.filter_changes import changes
from bench.filter_costs import costs
from bench.report import RESULTS, cell
from bench.topic_ends import Ends
from cdc.connect import Connect

_RATES = {"400b": (1000, 2000, 5000, 10_000), "8k": (250, 500, 1000)}
_WRITTEN, _BEHIND = 0.95, 2.0  # a rate holds if such a share of it is written, and the last event comes within so many seconds
_FAST = 1000  # events a second from which they are written several in a transaction
_PARTS = ("postgres-source", "connect", "kafka", "flink-taskmanager")
_COPIES = """
insert into business_events (id, entity_id, event)
select gen_random_uuid(), entity_id, event
from (select * from business_events where abs(octet_length(event::text) - %(size)s) <= %(size)s / 20 limit 1000) as written,
  generate_series(1, %(copies)s)
"""
_SUSTAINED = {"400b": (400, 10_000), "8k": (8192, 1000)}  # bytes, events a second
_TICKS = 200  # transactions a second
_TO_COPY = """
create temp table to_copy as
select row_number() over () - 1 as number, entity_id, event
from (select * from business_events where abs(octet_length(event::text) - {size}) <= {size} / 20 limit 1000) as written
"""
_AT_A_PACE = """
do $$
declare begun timestamptz := clock_timestamp(); ahead float;
begin
  for n in 0 .. {last} loop
    insert into business_events (id, entity_id, event)
    select gen_random_uuid(), entity_id, event from to_copy where number between n * {batch} % 1000 and n * {batch} % 1000 + {batch} - 1;
    commit;
    ahead := n / {ticks}::float - extract(epoch from clock_timestamp() - begun);
    if ahead > 0.001 then perform pg_sleep(ahead); end if;
  end loop;
end $$
"""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=int, default=30, help="of each rate")
    many = "of 400 bytes to catch up with, a tenth as many of 8 kB; with fewer Java still compiles fifty filters while they are measured"
    options.add_argument("--events", type=int, default=100_000, help=many)
    options.add_argument("--repetitions", type=int, default=3)
    options.add_argument("--keep", action="store_true", help="leave the platform running")
    given = options.parse_args()
    with platform(given.keep), opened(10) as shop, kept():
        said = " ".join(sys.argv[1:]) or "by its defaults"
        print(f"# Events through filters\n\n{os.cpu_count()} cores, {machine()}, Python {python_version()}; {said}\n")
        shop.load("--size", "400b", "--rate", "1000", "--duration", "60s")  # until Java has compiled what it runs
        rates(shop, given.seconds, given.repetitions)
        sustained(shop, given.seconds * 2)
        changes(shop, given.repetitions)
        events = max(1, given.events // 10_000) * 10_000
        print("\n| catching up with 10 filters, nothing written | 8 kB | 400 B |\n|---|---|---|")
        large, _ = catching_up(shop, 8192, events // 10, given.repetitions)
        small, first = catching_up(shop, 400, events, given.repetitions)
        print("\n".join(f"| {name} | {large[name]} | {small[name]} |" for name in small), flush=True)
        costs(shop, first, events, given.repetitions)


class _Both(io.StringIO):
    """Keeps what it passes on."""

    def __init__(self, out: TextIO) -> None:
        super().__init__()
        self._out = out

    def write(self, text: str) -> int:
        self._out.write(text)
        self._out.flush()
        return super().write(text)


@contextmanager
def kept() -> Iterator[None]:
    """What is printed is the report, once all of it is there."""
    with redirect_stdout(_Both(sys.stdout)) as printed:
        yield
    RESULTS.with_name("events.md").write_text(printed.getvalue())


def rates(shop: Dealership, seconds: int, repetitions: int) -> None:
    """Each by itself, again and again in another order; medians, with the lowest and the highest."""
    asked = [(size, rate) for size, several in _RATES.items() for rate in several]
    found = defaultdict[tuple[str, int], list[dict[str, Any]]](list)
    for _ in range(repetitions):
        for size, rate in random.sample(asked, len(asked)):
            options = ("--size", size, "--rate", str(rate), "--batch", str(_batch(rate)), "--duration", f"{seconds}s")
            load = shop.load(*options)
            [of_all] = [one for one in load["topics"] if one["topic"] == OUT]
            found[size, rate].append(load | of_all | {"written": load["rate"]})
    print("| events of | asked for | written, events/s | commit → consumer, p50, ms | p99, ms | behind at the end, s | held |")
    print("|---|---|---|---|---|---|---|")
    for size, rate in asked:
        runs = found[size, rate]
        held = sum(one["written"] >= _WRITTEN * rate and one["behind"] <= _BEHIND and not one["missing"] for one in runs)
        together = f", {_batch(rate)} in a transaction" if rate > _FAST else ""
        cells = (cell([one[name] for one in runs]) for name in ("written", "p50", "p99", "behind"))
        print(f"| {size} | {rate:,}/s{together} | {' | '.join(cells)} | {held} of {repetitions} |", flush=True)


def _batch(rate: int) -> int:
    return rate // _FAST * 5 if rate > _FAST else 1


def sustained(shop: Dealership, seconds: int) -> None:
    """A rate that the chain bears for a while is one at whose end it is no further behind than at its beginning."""
    kafka = Ends(shop.environment)
    print(f"\n| of | the database writes, for {seconds} s | written | behind at the end | holds |\n|---|---|---|---|---|")
    for name, (size, rate) in _SUSTAINED.items():
        shop.source.execute(_TO_COPY.format(size=size).encode())
        batch, before, begun = rate // _TICKS, kafka.total(OUT), time.monotonic()
        shop.source.execute(_AT_A_PACE.format(last=seconds * _TICKS - 1, batch=batch, ticks=_TICKS).encode())
        ended = time.monotonic()
        behind = kafka.reached(OUT, before + seconds * rate) - ended
        shop.source.execute("drop table to_copy")
        written = seconds * rate / (ended - begun)
        holds = written >= _WRITTEN * rate and behind <= _BEHIND
        print(f"| {name} | {rate:,}/s | {written:,.0f}/s | {behind:.2f} s | {'yes' if holds else 'no'} |", flush=True)


def catching_up(shop: Dealership, size: int, events: int, repetitions: int) -> tuple[dict[str, str], list[TopicPartition]]:
    """From a backlog in the database to the raw topic, and to the consumers; and where in the raw topic the last one begins."""
    kafka, found, first = Ends(shop.environment), list[tuple[float, ...]](), list[TopicPartition]()
    for _ in range(repetitions):
        with stopped(shop):
            events = shop.source.execute(_COPIES.encode(), {"size": size, "copies": events // 1000}).rowcount
            first, out, spent, begun = kafka.of(RAW), kafka.total(OUT), [shop.cpu_seconds(name) for name in _PARTS], time.monotonic()
        captured = kafka.reached(RAW, sum(one.offset for one in first) + events) - begun
        routed = kafka.reached(OUT, out + events) - begun
        cpu = ((shop.cpu_seconds(name) - before) / events * 1e6 for name, before in zip(_PARTS, spent, strict=True))
        found.append((events / captured, events / routed, *cpu))
    raw, whole, *cpu = (median(values) for values in zip(*found, strict=True))
    told = {"database → raw topic": f"{raw:,.0f} events/s", "database → consumers' topics": f"{whole:,.0f} events/s"}
    told |= {f"CPU of {name}": f"{one:.0f} µs an event" for name, one in zip(_PARTS, cpu, strict=True)}
    return told | {"what all processors could do of that": f"{1e6 * (os.cpu_count() or 1) / sum(cpu):,.0f} events/s"}, first


@contextmanager
def stopped(shop: Dealership) -> Iterator[None]:
    """Nothing is captured meanwhile."""
    connect = Connect(shop.environment.connect.url)
    connect.stop(f"{NAME}-events")
    yield
    connect.resume(f"{NAME}-events")


if __name__ == "__main__":
    main()
