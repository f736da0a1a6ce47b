"""What dashboards say of their data: how old it is, and as of when all of it was found equal to its source."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest

from analytics_sql.connections import Connection, connection
from analytics_sql.tests.applied import Analytics
from orchestration import freshness, rounds
from orchestration.certificates import Certificate, enter, keep
from orchestration.freshness import read_pulses
from orchestration.rounds import Rounds
from project.models import Project
from project.resources import Health, Resource, State, Unreachable

AT = datetime(2026, 3, 1, 12, 0)


def catalogue(analytics: Analytics, oldest: float | Unreachable = 0.0, project: Project | None = None) -> Any:
    def ask(stream: str, ahead: float) -> float:
        if isinstance(oldest, Unreachable):
            raise oldest
        return oldest

    return SimpleNamespace(
        environment=analytics.environment, project=project or analytics.project, lag=SimpleNamespace(oldest=ask),
        by_id={f"job/{name}": job(name) for name in analytics.project.streams},
    )  # fmt: skip


def job(stream: str = "ecom") -> Resource:
    return Resource("flink", "job", stream, {})


def beat(analytics: Analytics, seconds: int = 3) -> None:
    """Both streams' pulses arrive, so many seconds old."""
    for stream in analytics.project.streams:
        analytics.ask(
            "insert into pulse (stream, source, pulse_at) values (%s, %s, now() at time zone 'utc' - make_interval(secs => %s))"
            " on conflict (stream) do update set pulse_at = excluded.pulse_at", [stream, stream, seconds], role="writer",
        )  # fmt: skip


def passed(begun: float) -> float:
    """Seconds by which an age may have grown since, by the monotonic clock, and one for rounding."""
    return time.monotonic() - begun + 1


def ages(analytics: Analytics) -> dict[str, float]:
    rows = analytics.ask("select stream, age_seconds from vw_freshness", role="reader")
    return {row["stream"]: float(row["age_seconds"]) for row in rows}


def test_rows_that_wait_beside_a_fresh_pulse_are_not_fresh_and_dashboards_show_it(analytics: Analytics):
    before = time.monotonic()
    beat(analytics)
    health = read_pulses(catalogue(analytics, 7200), job())
    assert (health.state, health.facts) == (State.FAILED, {"age_seconds": 7200})
    assert "stream ecom has not read what its source committed 7200 s ago, expected under 20; look at its check lag" in health.text
    begun = time.monotonic()
    beat(analytics)
    assert ages(analytics) == pytest.approx({"ecom": 7200, "inventory": 3}, abs=passed(before))
    assert read_pulses(catalogue(analytics, 4), job()).state is State.PASSED
    assert ages(analytics) == pytest.approx({"ecom": 4, "inventory": 3}, abs=passed(begun))


def test_an_old_pulse_counts_though_nothing_waits_in_kafka(analytics: Analytics):
    begun = time.monotonic()
    beat(analytics, 90)
    assert read_pulses(catalogue(analytics), job()).state is State.FAILED
    assert ages(analytics)["ecom"] == pytest.approx(90, abs=passed(begun))


@pytest.mark.parametrize(("seconds", "state", "says"), [(3, State.UNKNOWN, "Kafka is silent"), (90, State.FAILED, "is 90 s old")])
def test_what_kafka_does_not_tell_is_not_fresh(analytics: Analytics, seconds: int, state: State, says: str):
    beat(analytics, seconds)
    health = read_pulses(catalogue(analytics, Unreachable("Kafka is silent")), job())
    assert health.state is state and says in health.text


@pytest.mark.parametrize(("ahead", "says"), [(600, "600 s ahead of"), (-60, "60 s behind")])
def test_the_clock_of_a_source_hides_nothing_and_is_told(analytics: Analytics, ahead: int, says: str, monkeypatch: pytest.MonkeyPatch):
    @contextmanager
    def source_connection(*_: Any, timeout: int) -> Iterator[Connection]:
        with connection(analytics.environment.analytics, analytics.environment.analytics.admin, "a source") as connected:
            yield connected.execute("set search_path = wrong, pg_catalog") and connected

    now = f"select pg_catalog.clock_timestamp() + interval '{ahead} seconds'"
    analytics.ask(f"create schema wrong; create function wrong.clock_timestamp() returns timestamptz language sql as $${now}$$")
    monkeypatch.setattr(freshness, "source_connection", source_connection)
    begun = time.monotonic()
    beat(analytics, 3 - ahead)
    health = read_pulses(catalogue(analytics), job())
    age = pytest.approx(3, abs=passed(begun))
    assert (health.state, health.facts) == (State.WARNING, {"age_seconds": age, "source_clock_ahead": ahead})
    assert f"the clock of source ecom is {says} the analytics database's" in health.text
    beat(analytics, 90 - ahead)
    assert read_pulses(catalogue(analytics), job()).state is State.FAILED


def test_a_pulse_of_a_clock_that_is_ahead_grows_old_where_it_has_come(analytics: Analytics):
    now = "now() at time zone 'utc'"
    came = f"select 'ecom', 'ecom', {now} + interval '10 minutes', {now} - interval '90 seconds'"
    begun = time.monotonic()
    analytics.ask(f"insert into pulse (stream, source, pulse_at, synced_at) {came}")
    assert ages(analytics)["ecom"] == pytest.approx(90, abs=passed(begun))
    assert read_pulses(catalogue(analytics), job()).state is State.FAILED


def certificate(analytics: Analytics, table: str) -> Certificate:
    stream, captured = analytics.project.target_tables[table]
    return Certificate(table, f"{stream.source}.{captured}", 5, (), (), True, "0/5", AT, 0.1, 0.1, 0.1)


def proven(analytics: Analytics) -> dict[str, datetime | None]:
    return {row["stream"]: row["equal_as_of"] for row in analytics.ask("select stream, equal_as_of from vw_freshness", role="reader")}


def entered(analytics: Analytics) -> set[str]:
    return {row["analytics_table"] for row in analytics.ask("select analytics_table from certificates")}


def test_a_table_that_was_never_compared_leaves_its_stream_unproven(analytics: Analytics):
    beat(analytics)
    enter(catalogue(analytics))
    *most, last = analytics.project.target_tables
    for table in most:
        keep(catalogue(analytics), certificate(analytics, table))
    stream = analytics.project.target_tables[last][0].name
    assert proven(analytics) == {name: None if name == stream else AT for name in analytics.project.streams}
    keep(catalogue(analytics), certificate(analytics, last))
    enter(catalogue(analytics))
    assert proven(analytics) == dict.fromkeys(analytics.project.streams, AT)


def test_rows_that_were_not_compared_are_counted_where_a_table_is_proven(analytics: Analytics):
    beat(analytics)
    for table in analytics.project.target_tables:
        keep(catalogue(analytics), replace(certificate(analytics, table), not_compared=(("7",),)))
    rows = analytics.ask("select stream, not_compared from vw_freshness", role="reader")
    assert {row["stream"]: row["not_compared"] for row in rows} == {"ecom": 3, "inventory": 1}


def test_what_left_the_spec_holds_no_dashboard_back(analytics: Analytics):
    beat(analytics)
    enter(catalogue(analytics))
    ecom = analytics.project.streams["ecom"]
    *_, last = ecom.tables
    less = ecom.model_copy(update={"tables": {name: target for name, target in ecom.tables.items() if name != last}})
    project = analytics.project.model_copy(update={"streams": {"ecom": less}})
    enter(catalogue(analytics, project=project))
    assert entered(analytics) == {target.table for target in less.tables.values()}
    assert list(ages(analytics)) == ["ecom"]


def test_a_table_that_follows_another_one_now_is_unproven(analytics: Analytics):
    keep(catalogue(analytics), replace(certificate(analytics, "fact_orders"), source="ecom.old_orders"))
    enter(catalogue(analytics))
    [row] = analytics.ask("select source_table, equal_as_of from certificates where analytics_table = 'fact_orders'")
    assert row == {"source_table": "ecom.orders", "equal_as_of": None}


def test_a_round_enters_all_tables_and_leaves_none_green_whose_stream_is_behind(analytics: Analytics, monkeypatch: pytest.MonkeyPatch):
    known = catalogue(analytics, 7200)
    monkeypatch.setattr(rounds, "verify", lambda *_: pytest.fail("its stream is behind"))
    beat(analytics)
    turn, wrong, other = Rounds(), Resource("analytics", "table", "fact_orders", {}), Resource("analytics", "table", "dim_books", {})
    turn._last[wrong.id] = Health(State.FAILED, "2 rows differ")
    turn._compare(known, [wrong, other])
    assert entered(analytics) == {*analytics.project.target_tables}
    [(_, differs), (_, green)] = turn._found
    assert (differs.text, green.state) == ("2 rows differ", State.UNKNOWN)
    assert "not compared until stream ecom is fresh: stream ecom has not read what its source committed 7200 s ago" in green.text


def test_a_round_that_cannot_ask_the_analytics_database_leaves_no_table_green(analytics: Analytics):
    analytics.ask("drop table certificates cascade")
    found = Rounds()
    table = Resource("analytics", "table", "fact_orders", {})
    found._compare(catalogue(analytics), [table])
    [(told, health)] = found._found
    assert (told, health.state) == (table, State.UNKNOWN) and "`headrace apply` makes it" in health.text
