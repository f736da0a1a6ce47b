"""Each component is killed while the shop trades. It comes back by itself, every row is as in the source, and no event is lost."""

import json
import os
import signal
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from random import Random
from threading import Event, Thread

import psycopg
import pytest
from confluent_kafka import KafkaException
from psycopg.types.json import Jsonb

from e2e.conftest import connect, headrace
from e2e.shops import Shop, open_shop
from e2e.topics import headers, records
from e2e.trading import forget, orders, trading
from e2e.waiting import until
from infra import lifecycle
from infra.platform import Platform
from project.environment import Environment
from project.models import Project
from project.resources import Refused

# Seconds from the kill to equality, as chaos allows: a job that others have taken down often waits up to 30 s before each attempt.
_RECOVERED = 300
_CHANGES_BEFORE, _CHANGES_AFTER = 300, 600  # transactions around the kill
COMPONENTS = ("flink-taskmanager", "flink-jobmanager", "connect", "kafka", "postgres-source", "postgres-analytics")


@pytest.fixture
def open_ecom(environment: Environment, bookstore: Project) -> Callable[[], psycopg.Connection]:
    place = environment.source("ecom")
    return lambda: connect(place.host, place.port, bookstore.sources["ecom"].database, place.admin)


@pytest.fixture
def open_analytics(environment: Environment) -> Callable[[], psycopg.Connection]:
    place = environment.analytics
    assert place.database
    return lambda: connect(place.host, place.port, str(place.database), place.admin)


def pid(platform: Platform, name: str) -> int | None:
    return next(component.pid for component in lifecycle.status(platform) if component.name == name)


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_killed_component_comes_back_and_no_row_is_lost_or_doubled(
    component: str, platform: Platform, open_ecom: Callable[[], psycopg.Connection], open_analytics: Callable[[], psycopg.Connection]
):
    with trading(open_ecom, Random(component)) as trade:
        until(lambda: trade.done > _CHANGES_BEFORE, 60, "the shop trades")
        kill(platform, component)
        reached = trade.done + _CHANGES_AFTER
        until(lambda: trade.done > reached, 120, "the shop goes on trading")
    expected = until(lambda: orders(open_ecom, "orders", trade.customer), 60, "the source answers") or set()
    until(lambda: orders(open_analytics, "fact_orders", trade.customer) == expected, _RECOVERED, f"{len(expected)} orders are equal")
    forget(open_ecom, trade.customer)


SOLD = {
    "id": "sold", "name": "Cars that were sold", "consumerId": "desk", "outputTopic": "sold", "enabled": True,
    "conditions": [{"field": "eventName", "operator": "equals", "value": "Sold"}],
}  # fmt: skip


def sell(shop: Shop, written: list[int], stopped: Event) -> None:
    """An event after the other, every third of which the filter keeps, of five cars."""
    for number in count():
        if stopped.wait(0.005):
            return
        entity = {"entityType": "Car", "entityId": f"car-{number % 5}", "updatedAttributes": {"number": number}}
        event = {"eventHeader": {"eventName": "Seen" if number % 3 else "Sold"}, "eventBody": {"entities": [entity]}}
        shop.source.execute("insert into outbox (entity_id, event) values (%s, %s)", [entity["entityId"], Jsonb(event)])
        written.append(number)


@contextmanager
def selling(shop: Shop) -> Iterator[list[int]]:
    """The numbers of the events that are written meanwhile."""
    written, stopped = list[int](), Event()
    writing = Thread(target=sell, args=(shop, written, stopped))
    writing.start()
    try:
        yield written
    finally:
        stopped.set()
        writing.join()


def kill(platform: Platform, component: str) -> None:
    killed = pid(platform, component)
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    until(lambda: pid(platform, component) not in (None, killed), 60, f"{component} is started again")


def write_more(written: list[int]) -> None:
    reached = len(written) + 200
    until(lambda: len(written) > reached, 60, "events are written")


def test_no_event_is_lost_or_overtaken_on_its_way_to_a_consumer(tmp_path: Path, platform: Platform, environment: Environment):
    with open_shop(tmp_path, environment) as shop:
        shop.declare_filters([SOLD])
        shop.apply()
        with selling(shop) as written:
            for component in ("flink-taskmanager", "connect", "kafka"):
                write_more(written)
                kill(platform, component)
        expected = {number for number in written if number % 3 == 0}
        found = until(lambda: arrived(shop, expected), _RECOVERED, f"{len(expected)} events arrive")
        of_each = defaultdict(list)
        for car, number in found:
            of_each[car].append(number)
        assert {car: list(dict.fromkeys(numbers)) for car, numbers in of_each.items()} == {
            f"car-{car}": [number for number in sorted(expected) if number % 5 == car] for car in range(5)
        }
        assert json.loads(headrace("dead-letters", "account", "--json", "-p", str(shop.folder)).stdout)  # fails if one is lost or surplus


def arrived(shop: Shop, expected: set[int]) -> list[tuple[str, int]]:
    """Car and number of each event that its consumer finds, by partition; none until all expected are there."""
    with suppress(KafkaException, AssertionError):
        found = records(shop.environment.kafka, f"{shop.name}.events.sold")
        entities = [json.loads(record.value() or b"")["eventBody"]["entities"][0] for record in found]
        told = [(entity["entityId"], entity["updatedAttributes"]["number"]) for entity in entities]
        return told if expected <= {number for _, number in told} else []
    return []


def test_the_version_in_an_event_is_the_one_that_judged_it_though_flink_is_killed_amid_a_change(
    tmp_path: Path, platform: Platform, environment: Environment
):
    with open_shop(tmp_path, environment) as shop:
        shop.declare_filters([SOLD])
        shop.apply()
        flink, job = shop.catalogue().backends["flink"], shop.catalogue().by_id["job/shop"]
        with selling(shop) as written, ThreadPoolExecutor(1) as pool:
            for version in (2, 3):
                write_more(written)
                if version == 2:
                    kill(platform, "flink-taskmanager")
                before = flink.read(job)
                shop.declare_filters([{**SOLD, "version": version, "conditions": [{**SOLD["conditions"][0], "value": KEPT[version]}]}])
                applying = pool.submit(applied, shop)
                if version == 3:
                    until(lambda now=applying, old=before: now.done() or flink.read(job) != old, _RECOVERED, "version 2 has been stopped")
                    kill(platform, "flink-taskmanager")
                if not applying.result(_RECOVERED):
                    until(lambda: applied(shop), _RECOVERED, "an apply that is repeated succeeds")
                write_more(written)
        until(lambda: len(raw_names(shop)) == len(written), 60, "every event is in Kafka")
        names, spans = raw_names(shop), ledger(shop)
        assert list(spans) == [1, 2, 3] and all(ends == spans[version + 1][0] for version, (_, ends) in spans.items() if ends)
        judged = {place: next(version for version in spans if charged(place, *spans[version])) for place in names}
        wanted = {(place, version) for place, version in judged.items() if names[place] == KEPT[version]}
        until(lambda: stamped(shop) >= wanted, _RECOVERED, f"{len(wanted)} events arrive")
        for (partition, offset), version in stamped(shop):
            assert names[partition, offset] == KEPT[version], "it passes the version that it names"
            assert offset >= spans[version][0][partition], "which was in charge from there on"


KEPT = {1: "Sold", 2: "Seen", 3: "Sold"}  # the events that each version keeps
Place = tuple[str, int]  # partition and offset of a raw event


def applied(shop: Shop) -> bool:
    """Whether an apply succeeded; one that is in the way of a fault says so, and is repeated."""
    with suppress(Refused):
        shop.apply()
        return True
    return False


def ledger(shop: Shop) -> dict[int, tuple[dict[str, int], dict[str, int] | None]]:
    """By version, where it begins and where it ends in each partition; None if it runs."""
    rows = shop.rows("select rule_version, begins, ends from filter_versions order by 1")
    return {version: (begins, ends) for version, begins, ends in rows}


def charged(place: Place, begins: dict[str, int], ends: dict[str, int] | None) -> bool:
    partition, offset = place
    return begins[partition] <= offset and (ends is None or offset < ends[partition])


def raw_names(shop: Shop) -> dict[Place, str]:
    """What each raw event is called."""
    return {
        (str(record.partition()), record.offset() or 0): json.loads(record.value() or b"")["eventHeader"]["eventName"]
        for record in records(shop.environment.kafka, f"{shop.name}.raw-business-events")
    }


def stamped(shop: Shop) -> set[tuple[Place, int]]:
    """Raw event and version of all that came to the consumer."""
    found = set[tuple[Place, int]]()
    for record in records(shop.environment.kafka, f"{shop.name}.events.sold"):
        partition, offset = headers(record)["headrace.origin"].split(":")
        found.add(((partition, int(offset)), json.loads(record.value() or b"")["filterMetadata"]["ruleVersion"]))
    return found
