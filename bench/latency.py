"""How long a committed change takes until it is visible in the analytics database, and how many rows a second go through.

    python -m bench.latency [--rate 1000] [--seconds 30] [--bulk 200000]

Runs on the running embedded platform, with a project of its own that is removed afterwards; run it on an idle machine. The
clocks of both databases are this machine's, so that `synced_at - clock before the commit` is the latency itself.
Prints raw numbers as a Markdown table.
"""

import argparse
import os
import platform
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import quantiles

from e2e.conftest import connect
from e2e.shops import Shop, open_shop
from infra.platform import Platform
from project.environment import read_environment

ROOT = Path(__file__).resolve().parent.parent
_WRITERS = 4  # connections
_WAIT = 300  # seconds until all rows are visible
_TABLE = "create table trades (id bigint primary key, amount numeric(10, 2), note text, sent_at timestamptz)"
_COLUMNS = {"id": "bigint", "amount": "numeric(10,2)", "note": "text", "sent_at": "timestamptz"}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rate", type=int, default=1000, help="transactions a second, of one row each")
    options.add_argument("--seconds", type=int, default=30)
    options.add_argument("--bulk", type=int, default=200_000, help="rows of one transaction")
    given = options.parse_args()
    environment = read_environment(Platform.of_checkout(ROOT).environment_file)
    with tempfile.TemporaryDirectory() as folder, open_shop(Path(folder), environment) as shop:
        shop.source.execute(_TABLE)
        shop.declare({"trades": {"key": ["id"], "columns": _COLUMNS}})
        shop.apply()
        paced(shop, 100, 5)  # warm
        shop.source.execute("delete from trades")
        wait_for(shop, "select count(*) = 0 from trades")
        rate = paced(shop, given.rate, given.seconds)
        rows = [(f"commit → visible row at {rate:.0f} tx/s", latencies(shop)), *bulk(shop, given.bulk)]
    print(f"\n{os.cpu_count()} cores, {platform.platform()}, Python {platform.python_version()}\n")
    print("| | measured |\n|---|---|")
    for name, value in rows:
        print(f"| {name} | {value} |")


def paced(shop: Shop, rate: int, seconds: int) -> float:
    """One-row transactions at a rate over several connections; returns the rate reached, when all rows are visible."""
    begun, count = time.time(), rate * seconds
    with ThreadPoolExecutor(_WRITERS) as pool:
        list(pool.map(lambda writer: _write(shop, range(writer, count, _WRITERS), begun, rate), range(_WRITERS)))
    reached = count / (time.time() - begun)
    wait_for(shop, f"select count(*) = {count} from trades")
    return reached


def _write(shop: Shop, numbers: range, begun: float, rate: int) -> None:
    place = shop.environment.source("shop")
    with connect(place.host, place.port, shop.source.info.dbname, place.admin) as source:
        for number in numbers:
            if (ahead := begun + number / rate - time.time()) > 0:
                time.sleep(ahead)
            source.execute("insert into trades values (%s, 9.99, 'paced', clock_timestamp())", [number])


def latencies(shop: Shop) -> str:
    """From just before the commit to the write in the target, which its transaction shows some tenths of a millisecond later."""
    found = shop.rows("select extract(epoch from synced_at - sent_at)::float8 * 1000 from trades")
    cuts = quantiles((value for (value,) in found), n=100)
    return f"p50 {cuts[49]:.1f} ms, p95 {cuts[94]:.1f} ms, p99 {cuts[98]:.1f} ms, {len(found)} rows"


def bulk(shop: Shop, count: int) -> list[tuple[str, str]]:
    """Insert, update and delete in one transaction each, until the last row is visible."""
    steps = {
        "insert": (
            f"insert into trades select n, n % 1000, 'bulk', clock_timestamp() from generate_series(1000000, {999_999 + count}) n",
            f"select count(*) = {count} from trades where note = 'bulk'",
        ),
        "update": ("update trades set note = 'new' where note = 'bulk'", f"select count(*) = {count} from trades where note = 'new'"),
        "delete": ("delete from trades where note = 'new'", "select count(*) = 0 from trades where note = 'new'"),
    }
    rows: list[tuple[str, str]] = []
    for name, (statement, arrived) in steps.items():
        begun = time.monotonic()
        shop.source.execute(statement.encode())
        wait_for(shop, arrived)
        rows.append((f"{count} rows in one transaction, {name}", f"{count / (time.monotonic() - begun):.0f} rows/s"))
    return rows


def wait_for(shop: Shop, query: str) -> None:
    deadline = time.monotonic() + _WAIT
    while shop.rows(query) != [(True,)]:
        if time.monotonic() > deadline:
            raise SystemExit(f"not within {_WAIT} s: {query}")
        time.sleep(0.05)


if __name__ == "__main__":
    main()
