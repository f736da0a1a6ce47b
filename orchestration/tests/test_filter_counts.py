"""Every match counts at the run that wrote it, wherever that wrote; and the alarms say what the counts say."""

import getpass
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from confluent_kafka import Producer

from analytics_sql.connections import connection
from analytics_sql.tests.applied import Analytics
from flink import matches, offsets
from flink.events import ORIGIN, REASON, doubt, stamped
from flink.writing import Outgoing, producer_of, write
from infra import databases, endpoints
from infra.platform import Platform
from infra.tests.throwaway import ROOT, throwaway_cluster
from orchestration.catalogue import Catalogue, build_catalogue
from orchestration.filter_counts import _count_on, count, counts, judge_counts
from orchestration.filter_versions import end_versions, enter_versions, keep_words, refuse_change, say_change
from orchestration.jobs import told
from orchestration.reconcile import Action, Change
from project.environment import Environment
from project.filters.conditions import Condition
from project.filters.models import Approval, Filter
from project.filters.values import Kind
from project.loader import load_project
from project.models import Project
from project.resources import Refused, State

RAW, LOANS, CARS = "cars-events.raw-business-events", "loan-events-filter", "car-creation-filter"


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with throwaway_cluster(tmp_path_factory.mktemp("platform"), "analytics") as platform:
        yield platform


@pytest.fixture
def environment(platform: Platform, request: pytest.FixtureRequest) -> Iterator[Environment]:
    """The cars' tables, and a broker that librdkafka plays: it lives as long as its producer."""
    broker, database = Producer({"test.mock.num.brokers": 1, "log_level": 0}), request.node.name[-40:]
    [found] = broker.list_topics(timeout=10).brokers.values()
    with databases.connect(platform, "analytics") as server:
        server.execute(f"create database {database} owner analyticsuser".encode())
    whole = Environment.model_validate(endpoints.environment(platform))
    parts = {"analytics": {"database": database}, "kafka": {"bootstrap_servers": f"{found.host}:{found.port}"}}
    environment = whole.model_copy(update={name: getattr(whole, name).model_copy(update=part) for name, part in parts.items()})
    Analytics(environment, cars(LOANS, CARS)).apply()
    yield environment


def cars(*names: str) -> Project:
    """With these filters alone."""
    project = load_project(ROOT / "examples" / "cars")
    stream = project.streams["routing"]
    filters = tuple(one for one in stream.filters if one.id in names)
    return project.model_copy(update={"streams": {"routing": stream.model_copy(update={"filters": filters})}})


def applied(project: Project, environment: Environment, offset: int) -> Catalogue:
    """Its filters judge from this raw event on."""
    catalogue = build_catalogue(project, environment)
    enter_versions(project, environment, catalogue.by_id["job/routing"], {0: offset, 1: 0, 2: 0, 3: 0})
    return catalogue


def counted(catalogue: Catalogue) -> dict[str, tuple[Any, ...]]:
    count(catalogue, catalogue.by_id["job/routing"])
    rows = counts(catalogue, catalogue.project.streams["routing"], ended=True)
    return {row["filter_id"]: tuple(row[key] for key in ("judged", "matched", "rejected", "set_aside", "complete")) for row in rows}


def produce(catalogue: Catalogue, *written: tuple[str, int]) -> None:
    """Raw events of which the first five are judged, a dead letter of the cars' filter, and what filters wrote of raw events."""
    project, kafka = catalogue.project, catalogue.environment.kafka
    known = {one.id: one for _, one in project.filters}
    records = [Outgoing(RAW, b"a", b"{}", {})]
    records += [Outgoing("cars.events.routing-dead-letters", b"a", b"{}", {ORIGIN: "0:3", REASON: doubt(known[CARS])})]
    for name, offset in written:
        topic = project.filtered_topic(known[name].outputs[0][0])
        records.append(Outgoing(topic, b"a", stamped(known[name], b"{}", 1), {ORIGIN: f"0:{offset}"}))
    write(producer_of(kafka), records)
    offsets.advance(kafka, "cars.routing", {(RAW, 0): 5, (RAW, 1): 0, (RAW, 2): 0, (RAW, 3): 0})


def test_matches_of_a_filter_that_is_taken_away_count_before_and_after_its_end(environment: Environment):
    produce(applied(cars(LOANS, CARS), environment, 0), (LOANS, 0), (CARS, 1), (CARS, 2))
    loaded = build_catalogue(cars(LOANS), environment)
    assert counted(loaded) == {LOANS: (5, 1, 4, 0, False), CARS: (5, 2, 2, 1, False)}
    assert counted(applied(cars(LOANS), environment, 5)) == {LOANS: (5, 1, 4, 0, False), CARS: (5, 2, 2, 1, True)}


def test_a_run_ends_as_it_was_last_counted_if_its_topic_is_gone(environment: Environment):
    produce(applied(cars(LOANS, CARS), environment, 0), (LOANS, 0))
    loaded = build_catalogue(cars(LOANS), environment)
    with pytest.raises(Refused, match=r"no topic cars\.events\.filtered-car-events; expected it, filter car-creation-filter writes"):
        counted(loaded)
    assert counted(applied(cars(LOANS), environment, 5)) == {LOANS: (5, 1, 4, 0, False), CARS: (0, 0, 0, 0, True)}


def test_a_run_stays_as_it_was_counted_if_its_stream_is_set_back_before_it(environment: Environment):
    began = applied(cars(LOANS, CARS), environment, 3)
    produce(began, (LOANS, 3), (LOANS, 4), (CARS, 0))
    assert counted(began) == {LOANS: (2, 2, 0, 0, False), CARS: (2, 0, 1, 1, False)}
    again = applied(cars(LOANS, CARS), environment, 0)
    count(again, again.by_id["job/routing"])
    runs = [row for row in counts(again, again.project.streams["routing"], ended=True) if row["filter_id"] == LOANS]
    assert [(row["judged"], row["rejected"], row["complete"]) for row in runs] == [(2, 0, True), (5, 5, False)]


def test_what_was_set_aside_before_a_run_began_is_of_other_events(environment: Environment):
    project = cars(LOANS, CARS)
    began = applied(project, environment, 0)
    produce(began, (LOANS, 4), (CARS, 2))
    assert counted(began) == {LOANS: (5, 1, 4, 0, False), CARS: (5, 1, 3, 1, False)}
    end_versions(project, environment, "routing")  # the raw topic was created anew
    applied(project, environment, 0)
    assert [(row["judged"], row["rejected"]) for row in count(began, began.by_id["job/routing"])] == [(5, 5), (5, 5)]


def test_what_one_look_does_not_take_the_next_ones_do_and_each_adds_up(environment: Environment, monkeypatch: pytest.MonkeyPatch):
    began, job = applied(cars(LOANS, CARS), environment, 0), "job/routing"
    produce(began, *[(LOANS, offset) for offset in (0, 1, 2, 7, 3, 8, 9)], (CARS, 1))
    monkeypatch.setattr(matches, "_LOOKED_AT", 2)
    assert _count_on(began, began.by_id[job]) is None
    seen = counts(began, began.project.streams["routing"])
    assert sum(row["matched"] for row in seen) == 2
    assert all(row["judged"] == row["matched"] + row["rejected"] + row["set_aside"] for row in seen)
    assert counted(began) == {LOANS: (5, 4, 1, 0, False), CARS: (5, 1, 3, 1, False)}, "those of events that are not judged yet wait"


def changed(project: Project, stream: str = "routing", **update: Any) -> Project:
    """With its first filter said otherwise, in a stream of that name."""
    [before] = project.streams.values()
    filters = (before.filters[0].model_copy(update=update), *before.filters[1:])
    return project.model_copy(update={"streams": {stream: before.model_copy(update={"name": stream, "filters": filters})}})


def test_what_is_said_of_a_filter_while_it_judges_is_kept_with_who_and_when(environment: Environment):
    catalogue, project = applied(cars(LOANS, CARS), environment, 0), cars(LOANS, CARS)
    agreed = changed(project, approval=Approval(by="Bob", version=1))
    for said in (project, agreed, agreed, changed(agreed, status="deprecated"), changed(agreed, status="active", conditions=())):
        keep_words(said, environment, catalogue.by_id["job/routing"])
    rows = {row["filter_id"]: row for row in counts(catalogue, project.streams["routing"])}
    first, second = rows[LOANS]["changes"]
    assert first == {"at": first["at"], "by": getpass.getuser(), "approval": {"by": "Bob", "version": 1}}
    assert second == {"at": second["at"], "by": getpass.getuser(), "status": "deprecated"}
    assert rows[LOANS]["began_at"] < datetime.fromisoformat(first["at"]) < datetime.fromisoformat(second["at"])
    assert rows[LOANS]["approved_by"] == "Bob" and Filter.model_validate_json(rows[LOANS]["said"]).status == "deprecated"
    assert rows[CARS]["changes"] is None


def test_what_ran_binds_a_plan_also_where_no_job_runs(environment: Environment):
    def planned(project: Project, action: Action = Action.CREATE) -> Change:
        catalogue = build_catalogue(project, environment)
        return told(catalogue, Change(catalogue.of_kind("job")[0], action, note="beginning"))

    project = cars(LOANS)
    assert (planned(project).note or "").startswith("filter loan-events-filter, version 1, begins: ")
    applied(project, environment, 0)
    assert (planned(project).refusal, planned(project).note) == (None, "beginning")
    other: dict[str, Any] = {"conditions": project.streams["routing"].filters[0].conditions[:1]}
    assert "loan-events-filter was another in version 1" in (planned(changed(project, **other)).refusal or "")
    assert planned(changed(project, **other), Action.NONE).refusal is None
    raised = planned(changed(project, version=2, **other))
    assert raised.refusal is None and "version 1 → 2; no longer asks entities[0].entityType in" in (raised.note or "")
    assert "stream routing wrote these topics, and under the name desks" in (planned(changed(project, stream="desks")).refusal or "")


def test_what_ran_and_would_be_refused_by_now_is_another_filter(environment: Environment):
    project = cars(LOANS)
    never = {"field": "createdDate", "operator": "between", "min": "NOW", "max": "NOW-1H", "valueType": Kind.TIMESTAMP}
    condition = Condition.model_construct(_fields_set=set(never), **never)
    applied(changed(project, conditions=(condition,)), environment, 0)
    catalogue = build_catalogue(project, environment)
    job = catalogue.by_id["job/routing"]
    assert "was another in version 1" in (refuse_change(project, environment, job) or "")
    assert "version 1, begins" in say_change(project, environment, job)
    keep_words(project, environment, job)


def test_what_ran_is_not_taken_for_nothing_where_it_cannot_be_read(environment: Environment):
    project = cars(LOANS)
    job = applied(project, environment, 0).by_id["job/routing"]
    database = environment.analytics
    with connection(database, database.admin, "the table") as connected:
        connected.execute("revoke all on cars.filter_versions from current_user")
    for ask in (lambda: refuse_change(project, environment, job), lambda: end_versions(project, environment, "routing")):
        with pytest.raises(Refused, match="permission denied for table filter_versions"):
            ask()
    with connection(database, database.admin, "the table") as connected:
        connected.execute("drop table cars.filter_versions cascade")
    assert refuse_change(project, environment, job) is None, "as before the first apply"


def one(status: str = "active", **more: Any) -> Filter:
    given = {"id": "a", "name": "A", "consumerId": "c", "outputTopic": "a", "enabled": True, "status": status, **more}
    return Filter.model_validate({**given, "conditions": [{"field": "a", "operator": "isNull"}]})


def rows(judged: int, *matched: int) -> list[dict[str, Any]]:
    """One for each topic."""
    common = {"rule_version": 1, "judged": judged, "set_aside": 0, "last_match_at": datetime(2026, 1, 1)}
    return [{**common, "topic": f"t{number}", "matched": found, "rejected": judged - found} for number, found in enumerate(matched)]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (rows(1000, 0), "nothing has passed"),
        (rows(999, 0), None),
        (rows(1000, 1000), "everything has passed"),
        (rows(999, 999), None),
        (rows(1000, 999), None),
        (rows(1000, 0, 0), "nothing has passed"),
        (rows(1000, 0, 1), None),
        (rows(1000, 600, 600), None),
        (rows(1000, 1000, 0), "everything has passed"),
        (rows(0, 0), None),
    ],
)
def test_a_filter_that_none_or_all_pass_is_told_however_many_topics_it_has(found: list[dict[str, Any]], said: str | None):
    health = judge_counts(one(), found)
    assert health.state is (State.WARNING if said else State.PASSED)
    assert said is None or said in health.text
    assert bool(health.facts) is (len(found) == 1)
    assert all(f"to t{number}: " in health.text for number in range(len(found)))


def test_one_that_is_deprecated_warns_and_one_that_does_not_run_says_why():
    assert judge_counts(one("deprecated"), rows(5, 1)).text.endswith("let its consumer go over to another, then remove it")
    told = [(judged.state, judged.text) for judged in (judge_counts(found, []) for found in (one(), one("draft"), one(enabled=False)))]
    assert told == [
        (State.UNKNOWN, "it does not run: its stream is not applied"),
        (State.PASSED, "it does not run: its status is draft"),
        (State.PASSED, "it does not run: it is not enabled"),
    ]
