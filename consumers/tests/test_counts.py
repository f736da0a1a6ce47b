"""A consumer counts what it has done in the transaction in which it does it."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from analytics_sql.tests.applied import Analytics
from consumers.events import Poison, Received
from consumers.receiving import ReceivedEvents
from infra import databases, endpoints
from infra.tests.throwaway import ROOT, throwaway_cluster
from project.environment import Environment
from project.loader import load_project

STAMP = b'{"filterMetadata":{"filterId":"loans","ruleVersion":1,"consumerId":"loan-consumer","filteredAt":1767225600123}'


@pytest.fixture
def analytics(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Environment, psycopg.Connection]]:
    """The cars' tables, and a connection to them as their owner."""
    with throwaway_cluster(tmp_path_factory.mktemp("platform"), "analytics") as platform:
        with databases.connect(platform, "analytics") as server:
            server.execute("create database cars owner analyticsuser")
        environment = Environment.model_validate(endpoints.environment(platform))
        environment = environment.model_copy(update={"analytics": environment.analytics.model_copy(update={"database": "cars"})})
        Analytics(environment, load_project(ROOT / "examples" / "cars")).apply()
        with databases.connect(platform, "analytics", "cars") as connection:
            yield environment, connection


def event(offset: int, more: bytes = b"") -> Received:
    return Received("cars.events.loans", 0, offset, b"loan", STAMP + more + b"}", f"0:{offset}", 0)


def test_what_came_again_and_what_is_set_aside_count_once(analytics: tuple[Environment, Any]):
    environment, database = analytics
    consumer = ReceivedEvents(environment.analytics, "cars", load_project(ROOT / "examples" / "cars").consumers["loan-consumer"])
    consumer.handle([event(1), event(2), event(2)])
    consumer.handle([event(2), event(3)])
    with pytest.raises(Poison):
        consumer.handle([event(4), event(5, b',"note":"\\u0000"')])
    for _ in range(2):
        consumer.set_aside(event(5), "the table does not take it")
    query = "select consumer, handled, repeated, set_aside, latency_ms from cars.consumer_counts"
    [(*counted, latency)] = database.execute(query).fetchall()
    assert counted == ["loan-consumer", 3, 3, 1]
    [(slowest,)] = database.execute("select max(extract(epoch from received_at - filtered_at)) from cars.received_events").fetchall()
    assert latency == pytest.approx(float(slowest) * 1000, abs=1000)
