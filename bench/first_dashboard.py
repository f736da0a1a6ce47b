"""How long the tutorial takes from `init` to the first dashboard whose tables are full, on the running platform of this checkout.

    python -m bench.first_dashboard

Follows the first three sections of docs/tutorial.md, prints a Markdown table, and removes all that it made.
"""

import os
import platform
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

from e2e.conftest import ROOT, connect
from e2e.tutorial import Reader
from e2e.waiting import until
from infra.platform import Platform
from orchestration.places import environment_file
from project.environment import AnalyticsDatabase, read_environment


def main() -> None:
    here = Platform.of_checkout(ROOT)
    environment = read_environment(environment_file())
    with tempfile.TemporaryDirectory(prefix="headrace-bench-") as home:
        reader = Reader(here, Path(home))
        try:
            taken = measure(reader, environment.analytics)
        finally:
            reader.clean_up(environment)
    print(f"\n{os.cpu_count()} cores, {platform.platform()}, Python {platform.python_version()}\n\n| | measured |\n|---|---|")
    for name, value in {**taken, "**`init` → first dashboard**": sum(taken.values())}.items():
        print(f"| {name} | {value:.1f} s |")


def measure(reader: Reader, place: AnalyticsDatabase) -> dict[str, float]:
    reader.follow(1)
    with connect(place.host, place.port, str(place.database), place.admin) as asked:
        steps: dict[str, Callable[[], object]] = {
            "init and validate": lambda: reader.follow(2),
            "plan and apply": lambda: reader.follow(3),
            "the tables are full": lambda: until(lambda: _orders(asked) == 500, 120, "all orders"),
        }
        return {name: _seconds(step) for name, step in steps.items()}


def _orders(asked: psycopg.Connection) -> int:
    return (asked.execute("select count(*) from cafe.orders").fetchone() or (0,))[0]


def _seconds(step: Callable[[], object]) -> float:
    begun = time.monotonic()
    step()
    return time.monotonic() - begun


if __name__ == "__main__":
    main()
