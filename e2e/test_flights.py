"""A year of real flights through the whole chain, as a user would run it: prepared, applied, replayed in bulk, looked at, taken away."""

import os
import subprocess
import time
from collections.abc import Iterator

import psycopg
import pytest

from e2e.conftest import ROOT, connect, headrace
from e2e.flights_comparison import differences
from e2e.flights_files import Files
from e2e.waiting import until
from infra import environments
from infra.platform import Platform
from project.environment import Environment
from project.loader import load_project
from project.models import Project

FOLDER = ROOT / "examples" / "flights"
_EVENTS = 1_336_337
_REPLAY_SECONDS = 240  # until all of it is there, on a machine with two busy cores
# Flights, assigned aircraft, departures, arrivals, cancellations, diversions: each kind of event leaves its mark in one of them.
_SETTLED = (336_776, 334_264, 328_521, 327_346, 8_255, 1_175)
_STATE = """
select count(*), count(tail_number), count(departed_at), count(arrival_delay), count(*) filter (where status = 'CANCELLED'),
  count(*) filter (where status = 'DIVERTED')
from flights.fact_flights
"""


@pytest.fixture(scope="module")
def sample(platform: Platform) -> list[str]:
    """The sample's command, and the variable that it needs."""
    return ["env", f"HEADRACE_ENVIRONMENT={platform.environment_file}", str(environments.python("headrace")), str(FOLDER / "sample")]


@pytest.fixture(scope="module")
def flights(environment: Environment, sample: list[str]) -> Iterator[Project]:
    """The example, applied beside the bookstore; nothing of it is left at the end."""
    subprocess.run([*sample, "prepare"], check=True, timeout=120)
    try:
        headrace("apply", "-p", str(FOLDER), seconds=180)
        yield load_project(FOLDER)
    finally:
        headrace("erase", "-p", str(FOLDER), "--yes", seconds=180)
        place = environment.source("airline")
        with connect(place.host, place.port, "postgres", place.admin) as admin:
            admin.execute("drop database flightsdb with (force)")


@pytest.fixture(scope="module")
def year(flights: Project, environment: Environment, sample: list[str]) -> Iterator[psycopg.Connection]:
    """The analytics database when the year is over and all of it has arrived."""
    place = environment.analytics
    assert place.database
    with connect(place.host, place.port, place.database, place.admin) as analytics:
        begun = time.monotonic()
        subprocess.run([*sample, "trade", "--bulk"], check=True, timeout=_REPLAY_SECONDS)
        until(lambda: analytics.execute(_STATE.encode()).fetchone() == _SETTLED, _REPLAY_SECONDS, "all events have arrived")
        print(f"{_EVENTS / (time.monotonic() - begun):,.0f} rows/s on {os.cpu_count()} cores")
        yield analytics


def test_every_view_and_metric_says_what_the_files_say(flights: Project, year: psycopg.Connection):
    assert differences(flights, year, Files()) == []


def test_nothing_is_left_to_apply_and_every_check_is_green(year: psycopg.Connection):
    assert headrace("plan", "-p", str(FOLDER)).stdout.startswith("0 to change")
    assert "all checks passed" in headrace("check", "-p", str(FOLDER), seconds=180).stdout
