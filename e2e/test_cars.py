"""The cars example through Dagster: applied, at work, and taken away without a trace."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import psycopg
import pytest
from confluent_kafka.admin import AdminClient

from e2e.command import run_sample
from e2e.conftest import ROOT, connect, headrace
from e2e.graph import Graph
from e2e.topics import records
from e2e.waiting import until
from infra.platform import Platform
from project.environment import Environment
from project.filters.samples import outcome
from project.filters.verdicts import Record
from project.loader import load_project

FOLDER = ROOT / "examples" / "cars"
_ARRIVES, _SHOWS = 60, 240  # seconds


@pytest.fixture(scope="module")
def dealership(platform: Platform, environment: Environment) -> Iterator[psycopg.Connection]:
    """Its database, after some business."""
    run_sample(platform, FOLDER, "prepare")
    place = environment.source("events")
    try:
        headrace("apply", "-p", str(FOLDER))
        run_sample(platform, FOLDER, "trade", "--rate", "100", "--seconds", "3", "--seed", "7")
        with connect(place.host, place.port, "cardealerdb", place.admin) as connection:
            yield connection
    finally:
        headrace("erase", "-p", str(FOLDER), "--yes")
        with connect(place.host, place.port, "postgres", place.admin) as admin:
            admin.execute("drop database cardealerdb with (force)")
    assert not [topic for topic in _topics(environment) if topic.startswith(("cars.", "cars-events."))]
    assert not [group for group in _groups(environment) if group.startswith("cars.consumers.")]


def _topics(environment: Environment) -> list[str]:
    return list(AdminClient(environment.kafka.client()).list_topics(timeout=10).topics)


def _groups(environment: Environment) -> list[str]:
    admin = AdminClient(environment.kafka.client())
    return [one.group_id for one in admin.list_consumer_groups(request_timeout=10).result().valid]


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
            for record in records(environment.kafka, topic):
                found[topic, json.loads(record.value() or b"")["eventHeader"]["uuid"]] += 1
        return found

    until(lambda: received() == wanted, _ARRIVES, "all events have arrived, and no other")


def test_its_consumers_run_and_its_sample_may_rest(dealership: psycopg.Connection):
    states = {one["name"]: one["state"] for one in json.loads(headrace("status", "--json").stdout)["components"]}
    serving = {name: state for name, state in states.items() if name.startswith(("consumer-cars-", "ingestion-cars"))}
    assert len(serving) == 1 + len(load_project(FOLDER).consumers) and set(serving.values()) == {"RUNNING"}
    assert states["sample-cars"] == "STOPPED"


def test_who_compares_tables_hears_that_there_are_none(dealership: psycopg.Connection):
    done = headrace("verify", "-p", str(FOLDER))
    assert "no stream of this project mirrors a table; what became of each event says `headrace dead-letters account`" in done.stderr


def test_its_consumers_receive_them_and_the_dashboard_tells(dealership: psycopg.Connection, environment: Environment):
    place, graph = environment.analytics, Graph(environment.dagster.url)
    with connect(place.host, place.port, str(place.database), place.admin) as analytics:
        told = dict(dealership.execute("select event #>> '{eventHeader,eventName}', count(*) from business_events group by 1").fetchall())
        until(lambda: dict(analytics.execute(_RECEIVED).fetchall()) == told, _ARRIVES, "every consumer has received its events")
        names = [f"consumer/{name}:receiving" for name in load_project(FOLDER).consumers]
        until(lambda: all((check := graph.checks().get(name)) and check.passed for name in names), _SHOWS, "the checks say so")
        judged, matches = f"{sum(told.values()):,} judged = {told['CarCreated']:,} matched", "filter/car-creation-filter:matches"

        def counted_all() -> bool:
            return ", 0 failed" in headrace("check", "-p", str(FOLDER)).stdout and judged in graph.checks()[matches].text

        until(counted_all, _SHOWS, f"{matches} says {judged}")
        assert "+ 0 set aside" in graph.checks()[matches].text
        rows = analytics.execute("select filter_id, matched, judged from cars.vw_filters order by 1").fetchall()
        came = dict(analytics.execute(_CAME).fetchall())
    loans = told["LoanCreated"] + told["LoanPaymentSubmitted"]
    counted = {"car-creation-filter": told["CarCreated"], "loan-events-filter": loans, "service-events-filter": told["CarServiceDone"]}
    assert rows == [(name, matched, sum(told.values())) for name, matched in counted.items()]
    assert came == counted, "a minute, for as many minutes as the filter is old"


@pytest.mark.parametrize(("view", "event", "attributes", "columns"), [
    ("vw_cars", "CarCreated", "{}", {"make": "make", "built": "year", "mileage": "mileage", "balance": "totalBalance"}),
    ("vw_loans", "LoanCreated", "{loan}", {"amount": "loanAmount", "interest_rate": "interestRate", "status": "status"}),
    ("vw_loan_payments", "LoanPaymentSubmitted", "{loanPayment}", {"amount": "amount", "method": "paymentMethod"}),
    ("vw_services", "CarServiceDone", "{service}", {"amount": "amountPaid", "mileage": "mileageAtService", "details": "description"}),
])  # fmt: skip
def test_what_they_received_is_there_as_typed_columns(
    view: str, event: str, attributes: str, columns: dict[str, str], dealership: psycopg.Connection, environment: Environment
):
    told = [one for (one,) in dealership.execute(_ATTRIBUTES, [attributes, event])]
    exact = [{key: Decimal(str(value)) if isinstance(value, int | float) else value for key, value in one.items()} for one in told]
    expected = Counter(tuple(one[key] for key in columns.values()) for one in exact)
    assert expected
    place = environment.analytics
    with connect(place.host, place.port, str(place.database), place.admin) as analytics:
        query = f"select {', '.join(columns)} from cars.{view}"
        until(lambda: Counter(analytics.execute(query.encode()).fetchall()) == expected, _ARRIVES, f"{view} shows each {event}")


_ATTRIBUTES = """
select event #> '{eventBody,entities,0,updatedAttributes}' #> %s::text[] from business_events
where event #>> '{eventHeader,eventName}' = %s
"""
_CAME = """
select filter_id, round(per_minute * greatest(1, extract(epoch from now() at time zone 'utc' - began_at) / 60)) from cars.vw_filters
"""
_RECEIVED = "select event_name, count(*) from cars.received_events group by 1"


def test_nothing_is_left_to_apply(dealership: psycopg.Connection):
    plan = json.loads(headrace("plan", "--json", "-p", str(FOLDER)).stdout)
    assert (plan["changes"], plan["prunable"]) == ([], [])


def test_a_load_tells_what_came_of_every_event(dealership: psycopg.Connection, environment: Environment):
    project = load_project(FOLDER)
    before = {uuid for uuid, _ in _outbox(dealership)}
    [found] = json.loads(headrace("load", "cars", "--mode", "smoke", "--size", "8k", "--batch", "20", "--json").stdout)["loads"]
    written = {uuid: size for uuid, size in _outbox(dealership) if uuid not in before}
    assert len(written) == found["written"] == 100 and all(0.95 * 8192 <= size <= 1.05 * 8192 for size in written.values())
    raw, *topics = found["topics"]
    assert (raw["topic"], raw["received"], raw["missing"]) == (project.sources["events"].topic("business_events"), 100, 0)
    for one in topics:
        values = [json.loads(record.value() or b"") for record in records(environment.kafka, one["topic"])]
        there = [uuid for value in values if (uuid := value["eventHeader"]["uuid"]) in written]
        assert (one["expected"], one["received"], one["missing"], one["twice"]) == (len(there), len(there), 0, 0), one["topic"]
        assert not there or 0 <= one["p50"] <= one["p95"] <= one["p99"] < _ARRIVES * 1000
    assert sum(one["received"] for one in topics) == 100  # each kind of event has one filter that passes it
    assert found["shortcomings"] == []


def _outbox(dealership: psycopg.Connection) -> list[tuple[str, int]]:
    """Each event's id and its bytes."""
    return dealership.execute("select id::text, octet_length(event::text) from business_events").fetchall()


def test_a_load_says_what_it_could_not_reach(dealership: psycopg.Connection):
    call = ("load", "cars", "--vus", "1", "--rate", "1000000", "--duration", "2s", "--size", "400b")
    done = headrace(*call, check=False)
    assert done.returncode == 1 and "events/s of the 1,000,000 that were asked for" in done.stdout
    assert "\x1b[?25" not in done.stderr  # a progress is for terminals
