"""How fast the chain catches up: a year of flights is replayed while nothing is captured, then capture goes on.

    python -m bench.catch_up

Runs on the running embedded platform, beside what is there, and takes examples/flights away afterwards, which must not be
applied before. 336,776 inserts, then 999,561 updates in their order. Prints a Markdown table.
"""

import os
import platform
import time

import requests

from e2e.conftest import connect
from e2e.flights_year import EVENTS, applied_flights, sample, wait_for_the_year
from infra.platform import Platform
from orchestration.places import environment_file, this_platform
from project.environment import Environment, read_environment


def main() -> None:
    here, environment = this_platform(), read_environment(environment_file())
    with applied_flights(here, environment):
        replayed, caught_up = measure(here, environment)
    print(f"\n{os.cpu_count()} cores, {platform.platform()}, Python {platform.python_version()}\n\n| | measured |\n|---|---|")
    print(f"| replay into the source, nothing captured | {EVENTS / replayed:,.0f} events/s |")
    print(f"| catching up, nothing written | {EVENTS / caught_up:,.0f} rows/s |")


def measure(here: Platform, environment: Environment) -> tuple[float, float]:
    """Seconds of the replay, and from there until every event has arrived."""
    connector, place = f"{environment.connect.url}/connectors/flights-airline", environment.analytics
    with connect(place.host, place.port, str(place.database), place.admin) as analytics:
        requests.put(f"{connector}/stop", timeout=30).raise_for_status()
        begun = time.monotonic()
        sample(here, "trade", "--bulk")
        replayed = time.monotonic()
        requests.put(f"{connector}/resume", timeout=30).raise_for_status()
        wait_for_the_year(analytics)
        return replayed - begun, time.monotonic() - replayed


if __name__ == "__main__":
    main()
