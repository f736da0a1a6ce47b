"""What filters have set aside is kept once, whoever collects it, and stays as it was settled however often it is read."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial

import pytest
from confluent_kafka import Producer

from analytics_sql.connections import connection
from analytics_sql.tests.applied import Analytics
from e2e.waiting import until
from flink import dead_letters, offsets
from flink.backends import Outgoing, producer_of, write
from flink.events import ORIGIN, REASON
from infra import endpoints
from infra.tests.throwaway import ROOT, throwaway_cluster
from orchestration import dead_letters_command
from orchestration.catalogue import Catalogue, build_catalogue
from orchestration.dead_letters import _ALONE, collect, discard, letters, place_of, read_waiting
from orchestration.filter_counts import _ASIDE, Run, by_filter
from orchestration.filter_versions import execute
from orchestration.replaying_events import rejudge
from orchestration.tests.test_account_command import ENVIRONMENT
from orchestration.tests.test_project_commands import headrace
from project.environment import Environment
from project.loader import load_project
from project.resources import State

ASIDE = "cars.events.routing-dead-letters"
JOB = "job/routing"


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    with throwaway_cluster(tmp_path_factory.mktemp("platform"), "analytics") as platform:
        yield Environment.model_validate(endpoints.environment(platform))


@pytest.fixture
def cars(platform: Environment) -> Iterator[Catalogue]:
    """An empty table of dead letters, and a broker that librdkafka plays: it lives as long as its producer."""
    broker, project = Producer({"test.mock.num.brokers": 1, "log_level": 0}), load_project(ROOT / "examples" / "cars")
    [found] = broker.list_topics(timeout=10).brokers.values()
    kafka = platform.kafka.model_copy(update={"bootstrap_servers": f"{found.host}:{found.port}"})
    environment = platform.model_copy(update={"kafka": kafka})
    analytics = Analytics(environment, project)
    analytics.apply("schema/" + project.schema_, "table/dead_letters")
    analytics.ask("truncate cars.dead_letters")
    yield build_catalogue(project, environment)


def set_aside(catalogue: Catalogue, *values: bytes) -> None:
    headers = {ORIGIN: "0:3", REASON: "it is not UTF-8", "trace": "a\0b"}
    write(producer_of(catalogue.environment.kafka), [Outgoing(ASIDE, b"a", value, headers) for value in values])


def stands(catalogue: Catalogue) -> int:
    with offsets.consumer_of(catalogue.environment.kafka, ASIDE) as consumer:
        return max(offsets.stood(consumer, [(ASIDE, number) for number, *_ in offsets.bounds(consumer, ASIDE)]).values())


def test_a_letter_that_is_read_once_more_stays_settled(cars: Catalogue):
    set_aside(cars, b"one", b"two")
    found = letters(cars)
    assert [(one["record_value"], one["reason"], one["target"]) for one in found] == [
        (value, "it is not UTF-8", "cars-events.raw-business-events:0:3") for value in (b"one", b"two")
    ]
    discard(cars, found)
    offsets.advance(cars.environment.kafka, ASIDE, {place_of(found[0])[:2]: 0})
    set_aside(cars, b"three")
    assert [one["record_value"] for one in letters(cars)] == [b"three"]
    assert [one["settled"] for one in letters(cars, settled=True)] == [None, "discarded", "discarded"] and stands(cars) == 3


def test_who_collects_waits_for_another(cars: Catalogue):
    set_aside(cars, b"one")
    database = cars.environment.analytics
    with ThreadPoolExecutor(1) as pool:
        with connection(database, database.admin, "the lock") as held:
            held.execute(_ALONE, [f"{cars.project.schema_}.routing"])
            waiting = pool.submit(collect, cars, cars.by_id[JOB])
            until(lambda: held.execute("select 1 from pg_locks where not granted").fetchall(), 10, "the other one waits")
            assert stands(cars) == offsets.OFFSET_INVALID
        waiting.result(10)
    assert stands(cars) == 1


def test_many_are_kept_in_parts_and_all_of_them(cars: Catalogue, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(dead_letters.parts, "__defaults__", (2500,))
    set_aside(cars, *(b"%d" % number for number in range(20)))
    parts = cars.backend(cars.by_id[JOB]).set_aside(cars.by_id[JOB], lost=list)  # type: ignore[attr-defined]
    assert [len(next(parts)), len(next(parts))] == [3, 3] and stands(cars) == 3, "the first is taken for kept"
    parts.close()
    assert [one["record_value"] for one in letters(cars)] == [b"%d" % number for number in range(3, 20)] and stands(cars) == 20


def test_where_letters_are_gone_that_waits_until_somebody_settles_it_and_the_others_are_kept(cars: Catalogue):
    set_aside(cars, b"one")
    kafka, job = cars.environment.kafka, cars.by_id[JOB]
    lose = partial(offsets.advance, kafka, ASIDE, {(ASIDE, 0): 9})
    lose()
    for _ in range(2):  # whoever looks first uses nothing up
        found = read_waiting(cars, job)
        assert found.state is State.FAILED and found.facts["dead_letters"] == 2
    [lost] = [one for one in letters(cars) if not one["record_value"]]
    assert (lost["id"], stands(cars)) == (f"{ASIDE}:0:9", 1)
    assert f"{ASIDE}, partition 0: it ends at 1, before 9: it was created anew, and what was unread" in lost["reason"]
    discard(cars, letters(cars))
    assert read_waiting(cars, job).state is State.PASSED
    lose()
    assert [one["id"] for one in letters(cars)] == [lost["id"]], "what is lost once more waits once more"


def test_what_is_lost_is_no_event_to_what_counts_and_judges_events(cars: Catalogue):
    set_aside(cars, b"one")
    offsets.advance(cars.environment.kafka, ASIDE, {(ASIDE, 0): 9})
    [lost] = [one for one in letters(cars) if not one["record_value"]]
    database = cars.environment.analytics
    with connection(database, database.admin, "dead letters") as connected:
        aside = execute(connected, cars.project, _ASIDE, ["routing", datetime.min])
    run = Run({"begins": {"0": 0}, "ends": None, "filter_id": "loans", "rule_version": 1, "matched": 2, "began_at": datetime.min})
    run.judge({0: 5}, by_filter(aside))
    counted = [run.row[name] for name in ("judged", "matched", "rejected", "set_aside")]
    assert (len(aside), counted) == (2, [4, 2, 2, 0]), "of five raw events one was no event to any filter"
    said = rejudge(cars.project, cars.project.streams["routing"], lost, None)
    assert said.settled is None and said.said == "still waits: it does not say which event it was; discard it"


def test_headers_are_kept_and_shown(cars: Catalogue, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    set_aside(cars, b"one")
    monkeypatch.setattr(dead_letters_command, "opened", lambda *_: cars)
    assert headrace(monkeypatch, "dead-letters", "show", "all", "--json", "-e", ENVIRONMENT) == 0
    [shown] = json.loads(capsys.readouterr().out)
    assert shown["headers"] == {ORIGIN: "0:3", REASON: "it is not UTF-8", "trace": "a\ufffdb"} and shown["record_value"] == "one"
    assert headrace(monkeypatch, "dead-letters", "show", "all", "-e", ENVIRONMENT) == 0
    assert '"trace": "a\ufffdb"' in capsys.readouterr().out


def test_of_very_many_the_first_are_listed_and_a_reader_is_told(
    cars: Catalogue, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    set_aside(cars, *[b"one"] * 101)
    monkeypatch.setattr(dead_letters_command, "opened", lambda *_: cars)
    assert headrace(monkeypatch, "dead-letters", "list", "-e", ENVIRONMENT) == 1
    shown = capsys.readouterr().out
    assert f"{ASIDE}:0:99 " in shown and f"{ASIDE}:0:100 " not in shown and "these are the first 100; `--json` tells all" in shown
    discard(cars, letters(cars, most=100))
    assert headrace(monkeypatch, "dead-letters", "list", "--all", "--json", "-e", ENVIRONMENT) == 1, "one waits still"
    assert len(json.loads(capsys.readouterr().out)) == 101
