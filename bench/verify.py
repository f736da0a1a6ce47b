"""What it costs to prove a table equal to its source: at rest, while it changes, with wrong rows to find, and what the chain loses.

    python -m bench.verify [--rows 1000000] [--rate 1000]

Runs on the running embedded platform, with a project of its own that is removed afterwards. Both servers share this machine's
cores, so a second stands for both sides. Prints a Markdown table.
"""

import argparse
import os
import platform
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from threading import Event, Thread

from e2e.conftest import connect
from e2e.shops import Shop, open_shop
from e2e.waiting import until
from orchestration.certificates import Certificate
from orchestration.places import environment_file
from orchestration.verifying import verify
from project.environment import read_environment

_RATE = 5000  # rows a second at which they arrive at least
_CHANGES = 200_000  # of rows, or all of fewer
_REPETITIONS = 3
_WRONG = 3000  # rows
_COLUMNS = {
    "id": "bigint", "customer": "uuid", "amount": "numeric(10,2)", "status": "text", "note": "text", "placed_at": "timestamptz",
    "paid": "boolean",
}  # fmt: skip
_TABLE = f"create table orders ({', '.join(f'{name} {kind}' for name, kind in _COLUMNS.items())}, primary key (id))"
_ROWS = """
insert into orders
select n, gen_random_uuid(), n %% 1000, 'CONFIRMED', 'order number ' || n, now() - n * interval '1 second', n %% 2 = 0
from generate_series(1, %s) n
"""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument("--rate", type=int, default=1000, help="updates a second while the table changes")
    given = options.parse_args()
    print(f"\n{os.cpu_count()} cores, {platform.platform()}, Python {platform.python_version()}\n")
    print(f"| {given.rows:,} rows | compared in | found |\n|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder, open_shop(Path(folder), read_environment(environment_file())) as shop:
        shop.source.execute(_TABLE.encode())
        shop.source.execute(_ROWS.encode(), [given.rows])
        shop.declare({"orders": {"key": ["id"], "columns": _COLUMNS}})
        shop.apply()
        arrived(shop, given.rows, "true")
        tell("at rest", certificate(shop))
        with changing(shop, given.rows, given.rate):
            tell(f"while {given.rate} rows a second change", certificate(shop))
        shop.analytics.execute("update orders set amount = amount + 0.01 where id = 7; delete from orders where id = 8")
        tell("with two wrong rows to find", certificate(shop))
        shop.analytics.execute(f"update orders set amount = amount + 0.01 where id % {max(1, given.rows // _WRONG)} = 0".encode())
        tell(f"with {_WRONG:,} all over the table", certificate(shop))
        alone, beside = throughput(shop, min(given.rows, _CHANGES))
    share = 1 - beside / alone
    print(f"\nMost memory that this process took: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB.")
    print(f"Updates a second, medians of {_REPETITIONS}: {alone:,.0f} alone, {beside:,.0f} beside comparisons without a pause:")
    print(f"{share:.0%} less; as the sensor compares, for 1 % of the time, {share / 100:.2%}.")


def tell(name: str, one: Certificate) -> None:
    print(f"| {name} | {one.seconds:.1f} s | {len(one.differences)} differ, {len(one.not_compared)} kept changing |", flush=True)


def certificate(shop: Shop) -> Certificate:
    return verify(shop.catalogue(), "orders")


def throughput(shop: Shop, changes: int) -> tuple[float, float]:
    """Updates a second that arrive: of the chain alone, and beside comparisons without a pause."""
    alone, beside = list[float](), list[float]()
    for _ in range(_REPETITIONS):
        alone.append(updated(shop, changes))
        with comparing(shop):
            beside.append(updated(shop, changes))
    return median(alone), median(beside)


def updated(shop: Shop, changes: int) -> float:
    begun, note = time.monotonic(), str(time.monotonic_ns())
    shop.source.execute("update orders set note = %s where id <= %s", [note, changes])
    arrived(shop, changes, f"note = '{note}'")
    return changes / (time.monotonic() - begun)


def arrived(shop: Shop, rows: int, condition: str) -> None:
    """Wait for the first rows by id to be as they should. The last one first: to count them all the time would cost the server much."""
    for query, expected in ((f"id = {rows}", 1), (f"id <= {rows}", rows)):
        counted = f"select count(*) from orders where {query} and {condition}"
        until(lambda: shop.rows(counted) == [(expected,)], 5 * rows / _RATE, "all rows are there")  # noqa: B023 - called at once


@contextmanager
def comparing(shop: Shop) -> Iterator[None]:
    """The table with its source, again and again."""
    ended = Event()

    def compare() -> None:
        while not ended.is_set():
            certificate(shop)

    comparison = Thread(target=compare)
    comparison.start()
    try:
        yield
    finally:
        ended.set()
        comparison.join()


@contextmanager
def changing(shop: Shop, rows: int, rate: int) -> Iterator[None]:
    """Updates of single rows all over the table, at a rate."""
    place, ended = shop.environment.source("shop"), Event()

    def write() -> None:
        with connect(place.host, place.port, shop.source.info.dbname, place.admin) as source:
            begun, number = time.monotonic(), 0
            while not ended.is_set():
                source.execute("update orders set amount = amount + 1 where id = %s", [1 + number * 7919 % rows])
                number += 1
                time.sleep(max(0.0, begun + number / rate - time.monotonic()))

    writer = Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        ended.set()
        writer.join()


if __name__ == "__main__":
    main()
