"""A consumer counts what it has done in the transaction in which it does it, and takes no event for another."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from analytics_sql.tests.applied import Analytics
from consumers import receiving
from consumers.events import Poison, Received, Retriable
from consumers.loop import Loop
from consumers.receiving import ReceivedEvents
from infra import databases, endpoints
from infra.tests.throwaway import ROOT, throwaway_cluster
from project.environment import Environment
from project.loader import load_project

STAMP = b'{"filterMetadata":{"filterId":"loans","ruleVersion":1,"consumerId":"loan-consumer","filteredAt":1767225600123}'


@pytest.fixture(scope="module")
def cars(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Environment, psycopg.Connection]]:
    """The cars' tables, and a connection to them as their owner."""
    with throwaway_cluster(tmp_path_factory.mktemp("platform"), "analytics") as platform:
        with databases.connect(platform, "analytics") as server:
            server.execute("create database cars owner analyticsuser")
        environment = Environment.model_validate(endpoints.environment(platform))
        environment = environment.model_copy(update={"analytics": environment.analytics.model_copy(update={"database": "cars"})})
        Analytics(environment, load_project(ROOT / "examples" / "cars")).apply()
        with databases.connect(platform, "analytics", "cars") as connection:
            yield environment, connection


@pytest.fixture
def analytics(cars: tuple[Environment, psycopg.Connection]) -> tuple[Environment, psycopg.Connection]:
    """The same, empty."""
    cars[1].execute("truncate cars.received_events, cars.consumer_counts, cars.dead_letters")
    return cars


def event(offset: int, more: bytes = b"") -> Received:
    return Received("cars.events.loans", 0, offset, b"loan", STAMP + more + b"}", f"0:{offset}", 0)


def receiver(environment: Environment, name: str = "loan-consumer") -> ReceivedEvents:
    return ReceivedEvents(environment.analytics, "cars", load_project(ROOT / "examples" / "cars").receivers[name])


def keeping(consumer: ReceivedEvents, *events: Received) -> None:
    """As the loop has them handled, when they came together."""
    loop = Loop("nowhere:9092", "a group", [], consumer)
    loop._held = {(one.topic, one.partition) for one in events}
    loop._keep(events)
    assert loop.counts.set_aside == 0


def test_what_came_again_and_what_is_set_aside_count_once(analytics: tuple[Environment, Any]):
    environment, database = analytics
    consumer = receiver(environment)
    consumer.handle([event(1), event(2), event(2)])
    consumer.handle([event(2), event(3)])
    with pytest.raises(Poison):
        consumer.handle([event(4), event(5, b',"note":"\\u0000"')])
    for _ in range(2):
        consumer.set_aside(replace(event(5), headers={"trace": "a"}), "the table does not take it")
    assert database.execute("select headers from cars.dead_letters").fetchall() == [({"trace": "a"},)]
    query = "select consumer, handled, repeated, set_aside, latency_ms from cars.consumer_counts"
    [(*counted, latency)] = database.execute(query).fetchall()
    assert counted == ["loan-consumer", 3, 3, 1]
    [(slowest,)] = database.execute("select max(extract(epoch from received_at - filtered_at)) from cars.received_events").fetchall()
    assert latency == pytest.approx(float(slowest) * 1000, abs=1000)


_OLD = """
insert into cars.received_events (consumer, topic, origin, filter_id, received_at)
select 'loan-consumer', 'cars.events.loans', 'old ' || number, 'loans', now() at time zone 'utc' - interval '31 days'
from generate_series(1, 12000) number
"""


def test_what_is_too_old_goes_with_the_next_events_a_part_with_each(analytics: tuple[Environment, Any]):
    environment, database = analytics
    database.execute(_OLD)
    consumer, left = receiver(environment), list[int]()
    for offset in range(4):
        consumer.handle([event(offset)])
        [(rows,)] = database.execute("select count(*) from cars.received_events where origin like 'old%'").fetchall()
        left.append(rows)
    assert left == [7000, 2000, 0, 0]
    assert database.execute("select count(*) from cars.received_events").fetchone() == (4,)


def test_what_is_too_old_is_found_without_reading_all_that_is_not(analytics: tuple[Environment, Any]):
    _, database = analytics
    database.execute(_OLD.replace("31 days", "3 days"))
    database.execute("analyze cars.received_events")
    forget = SQL(receiving._FORGET).format(table=Identifier("cars", "received_events"))
    cursor = psycopg.ClientCursor(database)
    plan = cursor.execute(SQL("explain (analyze, buffers off, format json) ") + forget, ["loan-consumer", 30, 5000]).fetchone()
    assert plan and '"Index Name": "received_events_index"' in json.dumps(plan[0])


def test_an_index_that_somebody_has_dropped_is_told_and_made_again(analytics: tuple[Environment, Any]):
    environment, database = analytics
    cars = Analytics(environment, load_project(ROOT / "examples" / "cars"))
    assert cars.plan() == []
    database.execute("drop index cars.received_events_index")
    assert [str(change) for change in cars.plan()] == ['update table/received_events\n  index: [] → ["consumer", "received_at"]']
    assert cars.apply() == ["updated table/received_events"]
    assert cars.plan() == []


FILTERED_LATER = STAMP.replace(b"1767225600123", b"1767225609999")


def test_another_event_of_an_origin_that_was_there_before_is_kept_beside_it(analytics: tuple[Environment, Any]):
    environment, database = analytics
    consumer = receiver(environment)
    consumer.handle([event(1, b',"n":1'), event(2, b',"n":1')])
    anew = event(1, b',"n":2')  # the raw topic was created anew
    again = replace(anew, value=anew.value.replace(STAMP, FILTERED_LATER))
    consumer.handle([anew, event(2, b',"n":1')])
    keeping(consumer, event(1, b',"n":1'), again)
    keeping(consumer, event(3, b',"n":1'), event(3, b',"n":2'), event(3, b',"n":2'))
    query = "select split_part(origin, '@', 1), event ->> 'n', times from cars.received_events order by received_at"
    rows = database.execute(query).fetchall()
    assert rows == [("0:1", "1", 2), ("0:2", "1", 2), ("0:1", "2", 2), ("0:3", "1", 1), ("0:3", "2", 2)]
    assert database.execute("select count(*) from cars.received_events where origin like '%@%'").fetchone() == (2,)
    assert database.execute("select handled, repeated from cars.consumer_counts").fetchone() == (5, 4)


def letters(database: Any) -> list[tuple[Any, ...]]:
    query = "select split_part(id, '@', 1), id like '%@%', stream, record_value, settled from cars.dead_letters order by ctid"
    return database.execute(query).fetchall()


def test_a_record_where_another_stood_before_is_set_aside_beside_it(analytics: tuple[Environment, Any]):
    environment, database = analytics
    consumer, other = receiver(environment), receiver(environment, "service-consumer")
    old, new, late = event(5, b"old"), event(5, b"new"), replace(event(5, b"old"), written_at=1)
    place = "cars.events.loans:0:5"
    consumer.set_aside(old, "it is bad")
    database.execute("update cars.dead_letters set settled = 'discarded'")
    for one in (new, late, new):
        consumer.set_aside(one, "it is bad")
    found = letters(database)
    assert [(*row[:3], row[4]) for row in found[:1]] == [(place, False, "consumers.loan-consumer", "discarded")]
    assert sorted(row[3] for row in found[1:]) == [new.value, old.value] and all(row[1] and row[0] == place for row in found[1:])
    assert database.execute("select set_aside, repeated from cars.consumer_counts").fetchone() == (3, 1)
    consumer.set_aside(old, "it is bad")
    assert [row[4] for row in letters(database)] == [None] * 3, "who was set back has undone what settled it"
    for _ in range(2):
        other.set_aside(old, "it is bad")
    assert sorted((row[1], row[2]) for row in letters(database)) == [
        (False, "consumers.loan-consumer"), *[(True, "consumers.loan-consumer")] * 2, (True, "consumers.service-consumer")
    ]  # fmt: skip


def test_what_two_consumers_set_aside_at_the_same_moment_is_tried_again(analytics: tuple[Environment, Any]):
    environment, database = analytics
    consumer = receiver(environment)
    insert = "insert into cars.dead_letters (id, stream) values (%s, 'consumers.service-consumer')"
    with ThreadPoolExecutor(1) as pool:
        with database.transaction():
            database.execute(insert, [event(5).place])
            waiting = pool.submit(consumer.set_aside, event(5), "it is bad")
            until_one_waits(database)
        with pytest.raises(Retriable, match="another consumer sets"):
            waiting.result(10)
    consumer.set_aside(event(5), "it is bad")
    assert [row[1:3] for row in letters(database)] == [(False, "consumers.service-consumer"), (True, "consumers.loan-consumer")]


@retry(retry=retry_if_exception_type(AssertionError), stop=stop_after_delay(10), wait=wait_fixed(0.05), reraise=True)
def until_one_waits(database: Any) -> None:
    assert database.execute("select count(*) from pg_locks where not granted").fetchone() == (1,)
