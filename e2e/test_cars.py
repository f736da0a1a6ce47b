"""The cars example through Dagster: applied, at work, and taken away without a trace."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
import pytest
from confluent_kafka.admin import AdminClient

from e2e.command import run_sample
from e2e.conftest import ROOT, connect, headrace
from e2e.topics import records
from e2e.waiting import until
from infra.platform import Platform
from project.environment import Environment
from project.filters.samples import outcome
from project.filters.verdicts import Record
from project.loader import load_project

FOLDER = ROOT / "examples" / "cars"
_ARRIVES = 60  # seconds


@pytest.fixture(scope="module")
def dealership(platform: Platform, environment: Environment) -> Iterator[psycopg.Connection]:
    """Its database, after some business."""
    run_sample(platform, FOLDER, "prepare")
    place = environment.source("events")
    try:
        headrace("apply", "-p", str(FOLDER), seconds=300)
        run_sample(platform, FOLDER, "trade", "--rate", "100", "--seconds", "3", "--seed", "7")
        with connect(place.host, place.port, "cardealerdb", place.admin) as connection:
            yield connection
    finally:
        headrace("erase", "-p", str(FOLDER), "--yes", seconds=300)
        with connect(place.host, place.port, "postgres", place.admin) as admin:
            admin.execute("drop database cardealerdb with (force)")
    assert not [topic for topic in _topics(environment) if topic.startswith(("cars.", "cars-events."))]


def _topics(environment: Environment) -> list[str]:
    return list(AdminClient({"bootstrap.servers": environment.kafka.bootstrap_servers}).list_topics(timeout=10).topics)


def test_each_team_gets_the_events_that_it_asked_for(dealership: psycopg.Connection, environment: Environment):
    project = load_project(FOLDER)
    told = [event for (event,) in dealership.execute("select event from business_events")]
    assert len(told) > 200
    wanted = Counter[tuple[str, str]]()
    for event in told:
        for one in project.streams["routing"].running:
            topics, *_ = outcome(one, Record(event, datetime.now(UTC)))
            wanted.update((project.filtered_topic(topic), event["eventHeader"]["uuid"]) for topic in topics)

    def received() -> Counter[tuple[str, str]]:
        found = Counter[tuple[str, str]]()
        for topic in (name for name in _topics(environment) if name.startswith("cars.events.")):
            for record in records(environment.kafka.bootstrap_servers, topic):
                found[topic, json.loads(record.value() or b"")["eventHeader"]["uuid"]] += 1
        return found

    until(lambda: received() == wanted, _ARRIVES, "all events have arrived, and no other")


def test_nothing_is_left_to_apply_and_every_check_is_green(dealership: psycopg.Connection):
    plan = json.loads(headrace("plan", "--json", "-p", str(FOLDER)).stdout)
    assert (plan["changes"], plan["prunable"]) == ([], [])
    assert "all checks passed" in headrace("check", "-p", str(FOLDER)).stdout
