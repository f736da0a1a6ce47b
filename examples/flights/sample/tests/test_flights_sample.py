"""What the sample promises: a database that is ready at once, a year that is replayed exactly once, and a clean end."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra import databases
from infra.platform import Platform
from infra.tests.sample_command import SampleCommand
from infra.tests.throwaway import ROOT, throwaway_cluster
from project.charts import BigNumber
from project.loader import load_project
from project.references import ordered_views
from superset_bootstrap.proofs import equal

SAMPLE = ROOT / "examples" / "flights" / "sample"


class Airline(SampleCommand):
    def __init__(self, platform: Platform) -> None:
        super().__init__(platform, SAMPLE, "flightsdb")

    def number(self, query: str) -> Any:
        return self.ask(query)[0][0]

    def rewind(self) -> None:
        with databases.connect(self.platform, "source", "flightsdb") as connection:
            connection.execute("truncate flights")
            connection.execute("update replay.position set number = 0")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airline]:
    with throwaway_cluster(tmp_path_factory.mktemp("platform"), "source") as platform:
        airline = Airline(platform)
        airline.run("prepare")
        yield airline


@pytest.fixture
def airline(prepared: Airline) -> Airline:
    """An airline before its first flight."""
    prepared.rewind()
    return prepared


FLIGHTS = "select count(*) from flights"


def test_it_opens_with_everything_but_flights(airline: Airline):
    counts = {table: airline.number(f"select count(*) from {table}") for table in ("airlines", "airports", "planes", "weather", "flights")}
    assert counts == {"airlines": 16, "airports": 1458, "planes": 3322, "weather": 26115, "flights": 0}
    assert airline.ask("select kind, count(*) from replay.events group by 1 order by 1") == [
        (1, 336_776), (2, 334_264), (3, 336_776), (4, 328_521),
    ]  # fmt: skip


def test_local_clock_times_became_instants(airline: Airline):
    first = airline.ask("select scheduled_departure, scheduled_arrival, arrived_at from replay.flights where flight_number = 1545 limit 1")
    assert [str(moment) for moment in first[0]] == ["2013-01-01 10:15:00+00:00", "2013-01-01 14:19:00+00:00", "2013-01-01 14:30:00+00:00"]
    [(before,), (after,)] = airline.ask("""
        select min(scheduled_departure at time zone 'UTC')::time from replay.flights
        where scheduled_departure::date in ('2013-03-09', '2013-03-11') and scheduled_departure::time > '08:00'
        group by scheduled_departure::date order by 1 desc""")
    assert (before.hour, after.hour) == (10, 9)  # the first flights of a day leave at 5, before and after the clocks go forward
    assert airline.number("select count(*) from replay.flights where scheduled_arrival <= scheduled_departure") == 0


def test_opening_again_changes_nothing(airline: Airline):
    airline.run("trade", "--bulk", "--to", "2013-01-01")
    before = airline.ask("select md5(string_agg(f::text, '|' order by id)) from flights f")
    airline.run("prepare")
    assert airline.ask("select md5(string_agg(f::text, '|' order by id)) from flights f") == before


def test_a_bulk_replay_that_was_stopped_goes_on_where_it_stood(airline: Airline):
    process = airline.start("trade", "--bulk")
    airline.until(FLIGHTS, 2000)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=30)
    assert process.returncode == 0 and " in all; 2013-" in said.splitlines()[-1]
    stood = airline.number("select number from replay.position")
    assert stood > 0
    said = airline.run("trade", "--bulk", "--to", "2013-01-31")
    all_of_january = airline.number("select max(number) from replay.events where at < '2013-02-01 05:00Z'")
    assert f"{all_of_january - stood} events in " in said and "; 2013-02-01 00:0" in said
    statuses = airline.ask("select status, count(*) from flights where scheduled_departure < '2013-01-31 05:00Z' group by 1")
    assert {status for status, _ in statuses} == {"ARRIVED", "CANCELLED", "DIVERTED"}
    fields = "id, tail_number, departed_at, departure_delay, arrived_at, arrival_delay, air_minutes"
    done = "scheduled_departure < '2013-01-31 05:00Z'"
    assert airline.ask(f"(select {fields} from flights where {done} except select {fields} from replay.flights)") == []


def test_a_gentle_replay_keeps_to_its_speed(airline: Airline):
    airline.run("trade", "--bulk", "--to", "2013-01-01")
    before = airline.number("select at from replay.events join replay.position p using (number)")
    process = airline.start("trade", "--speed", "3600")
    airline.until(f"select count(*) from replay.events join replay.position p using (number) where at > '{before}'::timestamptz + '2 h'", 1)
    process.terminate()
    process.communicate(timeout=20)
    assert process.returncode == 0
    passed = airline.number("select at from replay.events join replay.position p using (number)") - before
    assert 2 <= passed.total_seconds() / 3600 < 12


def test_it_goes_on_after_the_database_was_away(airline: Airline):
    process = airline.start("trade", "--speed", "100000")
    airline.until(FLIGHTS, 10)
    with databases.connect(airline.platform, "source") as connection:
        connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'flights'")
    airline.until(FLIGHTS, airline.number(FLIGHTS) + 10)
    process.terminate()
    said, _ = process.communicate(timeout=20)
    assert process.returncode == 0 and "AdminShutdown" in said


def test_a_replay_of_some_days_has_their_flights_from_the_beginning(airline: Airline):
    airline.run("trade", "--bulk", "--from", "2013-03-09", "--to", "2013-03-10")
    local = "(scheduled_departure at time zone 'America/New_York')::date"
    days = dict(airline.ask(f"select {local}::text, count(*) from flights group by 1"))
    whole = dict(airline.ask(f"select {local}::text, count(*) from replay.flights group by 1"))
    assert [days[day] for day in ("2013-03-09", "2013-03-10")] == [whole[day] for day in ("2013-03-09", "2013-03-10")]
    assert min(days) == "2013-03-09"
    said = airline.run("trade", "--bulk", "--from", "2013-01-01", code=1)
    assert "the replay stands at 2013-03-11 00:0" in said and "leave it out to go on" in said


def test_every_proven_number_is_the_one_that_its_view_says(airline: Airline):
    airline.run("trade", "--bulk", "--to", "2013-01-03")
    project = load_project(SAMPLE.parent)
    views = [view for view in ordered_views(project) if view.name in ("flight_log", "vw_punctuality", "vw_aircraft_use", "vw_routes")]
    charts = [chart for dashboard in project.dashboards.values() for chart in dashboard.charts]
    proven = [(chart, chart.proof) for chart in charts if isinstance(chart, BigNumber) and chart.proof]
    with databases.connect(airline.platform, "source", "flightsdb") as source:
        for table, (_, captured) in project.target_tables.items():
            source.execute(f"create temp view {table} as select * from {captured}".encode())
        for view in views:
            source.execute(f"create temp view {view.name} as {view.sql}".encode())
        for chart, proof in proven:
            asked = f"select {project.views[chart.view].metrics[chart.metric].expression} from {chart.view}", proof.sql
            shown, said = (source.execute(query.encode()).fetchall()[0][0] for query in asked)
            assert shown and equal(float(shown), said), chart.title
    assert len(proven) == 9


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (("--speed", "0"), "0.1<=x<=1000000"),
        (("--from", "soon"), '"soon" is not a day; expected one such as 2013-03-01'),
        (("--to", "2014-01-01"), "expected a day from 2013-01-01 to 2013-12-31"),
        (("--from", "2013-02-01", "--to", "2013-01-01"), "expected the earlier day first"),
    ],
)
def test_a_wrong_option_says_what_is_right(prepared: Airline, arguments: tuple[str, ...], wanted: str):
    said = " ".join(prepared.run("trade", *arguments, code=2).replace("│", " ").split())
    assert wanted in said


def test_a_database_that_was_never_prepared_says_what_to_do(prepared: Airline, tmp_path: Path):
    with databases.connect(prepared.platform, "source") as connection:
        connection.execute("create database empty_airline")
    document = yaml.safe_load(prepared.environment.read_text())
    document["sources"]["default"]["database"] = "empty_airline"
    other = Airline(prepared.platform)
    other.environment = tmp_path / "environment.yaml"
    other.environment.write_text(yaml.safe_dump(document))
    assert other.run("trade", code=1).endswith("the database is empty; run `prepare` first\n")
