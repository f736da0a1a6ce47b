"""The year of examples/flights on a platform: applied beside what is there, replayed in bulk, taken away without a trace."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from e2e.command import run, run_sample
from e2e.conftest import ROOT, connect
from e2e.waiting import until
from infra.platform import Platform
from project.environment import Environment

FOLDER = ROOT / "examples" / "flights"
EVENTS = 1_336_337
# Flights, assigned aircraft, departures, arrivals, cancellations, diversions: each kind of event leaves its mark in one of them.
_SETTLED = (336_776, 334_264, 328_521, 327_346, 8_255, 1_175)
_STATE = """
select count(*), count(tail_number), count(departed_at), count(arrival_delay), count(*) filter (where status = 'CANCELLED'),
  count(*) filter (where status = 'DIVERTED')
from flights.fact_flights
"""
# Of the last event of all. Cheap to ask, so that waiting takes nothing away from what is waited for.
_OVER = "select arrived_at is not null from flights.fact_flights where id = 336740"
_SECONDS = 900  # for the replay, and until all of it is there, on a machine with two busy cores


def sample(platform: Platform, *arguments: str) -> None:
    """Run the example's own command."""
    run_sample(platform, FOLDER, *arguments, seconds=_SECONDS)


@contextmanager
def applied_flights(platform: Platform, environment: Environment) -> Iterator[None]:
    """The example before its first flight."""
    sample(platform, "prepare")
    try:
        run(platform, "apply", "-p", str(FOLDER), seconds=_SECONDS, check=True)
        yield
    finally:
        run(platform, "erase", "-p", str(FOLDER), "--yes", seconds=_SECONDS, check=True)
        place = environment.source("airline")
        with connect(place.host, place.port, "postgres", place.admin) as admin:
            admin.execute("drop database flightsdb with (force)")


def wait_for_the_year(analytics: psycopg.Connection) -> None:
    """Return when every event has arrived."""
    until(lambda: analytics.execute(_OVER.encode()).fetchone() == (True,), _SECONDS, "the last event has arrived")
    until(lambda: analytics.execute(_STATE.encode()).fetchone() == _SETTLED, _SECONDS, "all events have arrived")
