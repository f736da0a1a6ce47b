"""What sensors look at, and when they report it: health when it changes and once in ten minutes, not at every tick."""

import json
import time
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import pytest

from orchestration import sensors
from orchestration.assets import asset_key, health_result
from orchestration.catalogue import Catalogue
from orchestration.checks import LiveCheck
from orchestration.freshness import judge_age
from orchestration.tests.conftest import set_back
from project.resources import Health, Resource, State, Unreachable

KEY = dg.AssetKey(["shop", "job", "shop"])


def report(state: State, memory: dict, text: str = "text") -> list[bool]:
    return [event.passed for event in sensors._transition(KEY, health_result("running", Health(state, text)), memory)]


def test_an_unchanged_state_is_reported_once():
    memory: dict = {}
    assert [report(State.PASSED, memory) for _ in range(3)] == [[True], [], []]


def test_red_and_green_again_are_both_reported():
    memory: dict = {}
    assert [report(state, memory) for state in (State.PASSED, State.FAILED, State.PASSED)] == [[True], [False], [True]]


def test_another_reason_is_reported_while_it_is_red_and_other_numbers_are_none():
    memory: dict = {}
    told = ["it is CANCELLING with 0 of 4 tasks", "it is CANCELLING with 1 of 4 tasks", "records are gone; `headrace reread` the source"]
    assert [report(State.FAILED, memory, text) for text in told] == [[False], [], [False]]
    assert [report(State.PASSED, memory, text) for text in ("it runs", "it runs well")] == [[True], []]


def test_an_unchanged_state_is_reported_again_as_a_sign_of_life(monkeypatch):
    memory: dict = {}
    report(State.PASSED, memory)
    monkeypatch.setattr(sensors, "_HEARTBEAT", 0)
    assert report(State.PASSED, memory) == [True]


def test_a_sign_of_life_is_rarer_where_there_are_very_many(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch):
    instance, begun = dg.DagsterInstance.ephemeral(), time.time()
    monkeypatch.setattr(sensors, "_instance", lambda: instance)
    sound = health_result("running", Health(State.PASSED, "text"))
    connector = catalogue.of_kind("connector")[:1]
    memory = "{}"

    def told(after: float, times: int) -> int:
        nonlocal memory
        monkeypatch.setattr(sensors.time, "time", lambda: begun + after)
        watch = sensors._build_sensor(catalogue, "health", "", 20, connector * times, lambda *_: [(connector[0], sound)])
        found = watch(dg.build_sensor_context(instance=instance, cursor=memory))
        assert isinstance(found, dg.SensorResult)
        memory = found.cursor or ""
        return len(found.asset_events)

    assert [told(0, 2000), told(601, 2000), told(601, 100)] == [1, 0, 1]


def test_what_an_apply_made_the_page_forget_is_reported_again(monkeypatch: pytest.MonkeyPatch):
    memory: dict = {}
    report(State.PASSED, memory)
    result, reported = health_result("running", Health(State.PASSED, "text")), time.time()
    monkeypatch.setattr(sensors.time, "time", lambda: reported + 60)
    assert list(sensors._transition(KEY, result, memory, applied_at=reported - 60)) == []
    assert len(list(sensors._transition(KEY, result, memory, applied_at=reported + 30))) == 1


def test_since_is_when_the_state_began():
    memory: dict = {}
    (first,) = sensors._transition(KEY, health_result("running", Health(State.FAILED, "down")), memory)
    memory[f"{KEY.to_user_string()}:running"]["reported"] = 0
    (again,) = sensors._transition(KEY, health_result("running", Health(State.FAILED, "down")), memory)
    assert again.metadata["since"] == first.metadata["since"]


def test_a_sign_of_life_is_given_once_when_the_clock_was_set_back(monkeypatch: pytest.MonkeyPatch):
    memory: dict = {}
    result = health_result("running", Health(State.FAILED, "down"))
    list(sensors._transition(KEY, result, memory))
    before = set_back(monkeypatch)
    told = [list(sensors._transition(KEY, result, memory, applied_at=before - 5)) for _ in range(3)]
    assert [len(events) for events in told] == [1, 0, 0]
    now = datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="seconds")
    assert told[0][0].metadata["since"].value == now, "and nothing is so since a time that is to come"


def test_unknown_is_never_green():
    result = health_result("lag", Health(State.UNKNOWN, "no committed offsets"))
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.WARN)


def test_an_old_pulse_is_a_warning_and_then_a_failure_that_says_where_to_look():
    assert [judge_age("shop", age).state for age in (3, 30, 120)] == [State.PASSED, State.WARNING, State.FAILED]
    assert "connector, its topics and its job" in judge_age("shop", 120).text


def test_what_runs_is_watched_though_its_spec_was_changed_and_not_applied(catalogue: Catalogue):
    changed = {resource.id: sensors.Applied(0.0, current=False) for resource in catalogue.resources}
    assert {resource.kind for resource in sensors.watched(catalogue.resources, changed, sensors._RUN)} == {"connector", "job"}
    pulse = catalogue.by_id["table/pulse"]
    assert sensors.watched(catalogue.resources, changed | {pulse.id: sensors.Applied(0.0, current=True)}, ()) == (pulse,)
    assert sensors.watched(catalogue.resources, {}, sensors._RUN) == ()


class Counting:
    """A catalogue whose resources answer as told, and remember how often they were asked."""

    def __init__(self, state: State) -> None:
        self.state, self.asked = state, 0

    def backend(self, _: object) -> "Counting":
        return self

    def health(self, resource: Any) -> Health:
        self.asked += 1
        return Health(self.state, "text")


@pytest.mark.parametrize(("kind", "state", "asked"), [("view", State.PASSED, 1), ("view", State.FAILED, 3), ("schema", State.PASSED, 3)])
def test_a_costly_check_rests_when_it_passed(kind: str, state: State, asked: int, monkeypatch: pytest.MonkeyPatch):
    catalogue: Any = Counting(state)
    memory: dict = {}
    resource = Resource("analytics", kind, "sales", {})
    for _ in range(3):
        list(sensors._watch_health(catalogue, (resource,), memory))
    assert catalogue.asked == asked
    later = time.time() + 301
    monkeypatch.setattr(sensors.time, "time", lambda: later)
    list(sensors._watch_health(catalogue, (resource,), memory))
    assert catalogue.asked == asked + 1, "and after five minutes it is asked again"


def test_a_costly_check_rests_no_longer_when_the_clock_was_set_back(monkeypatch: pytest.MonkeyPatch):
    catalogue: Any = Counting(State.PASSED)
    memory, view = json.loads("{}"), Resource("analytics", "view", "sales", {})
    list(sensors._watch_health(catalogue, (view,), memory))
    set_back(monkeypatch)
    for _ in range(3):
        list(sensors._watch_health(catalogue, (view,), memory))
    assert catalogue.asked == 2


class Slow(Counting):
    """A catalogue each of whose resources lets everyone wait for so many seconds, by a clock of its own."""

    def __init__(self, seconds: float) -> None:
        super().__init__(State.FAILED)
        self.seconds, self.clock = seconds, 0.0

    def health(self, resource: Any) -> Health:
        self.clock += self.seconds
        return super().health(resource)


LOOK = LiveCheck(("table",), "", lambda catalogue, resource: catalogue.backend(resource).health(resource))


@pytest.mark.parametrize("watch", [sensors._watch_health, sensors._watch_live("lag", LOOK)])
def test_what_hangs_is_looked_at_by_turns_that_end_soon(watch: sensors.Watch, monkeypatch: pytest.MonkeyPatch):
    slow = Slow(6)
    catalogue: Any = slow
    monkeypatch.setattr(sensors.time, "monotonic", lambda: slow.clock)
    tables, memory = tuple(Resource("analytics", "table", name, {}) for name in "abcde"), {}

    def turn() -> str:
        return "".join(table.name for table, _ in watch(catalogue, tables, memory))

    assert [turn() for _ in range(3)] == ["ab", "cd", "ea"], "each has its turn"
    slow.seconds = 0
    assert [turn(), turn()] == ["bcdea", "abcde"], "and what answers is looked at as a whole, in its order"
    slow.seconds, tables = 60, tables[:2]
    assert [turn(), turn(), turn()] == ["a", "b", "a"], "whatever left the spec"


def test_a_check_that_fails_itself_is_not_green_and_hides_no_other(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SUPERVISOR_PROCESS_NAME", "dagster-code-kiosk")

    class Broken(Counting):
        def health(self, resource: Any) -> Health:
            if resource.name == "first":
                raise RecursionError("too deep")
            return super().health(resource)

    catalogue: Any = Broken(State.PASSED)
    both = tuple(Resource("flink", "job", name, {}) for name in ("first", "second"))
    (_, first), (_, second) = sensors._watch_health(catalogue, both, {})
    assert (first.passed, second.passed) == (False, True)
    said = "defect of Headrace: RecursionError: too deep; please report it with the end of `headrace logs dagster-code-kiosk`"
    assert said in (first.description or "")


def test_a_password_that_is_not_set_is_told_as_what_it_is(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sensors, "_instance", dg.DagsterInstance.ephemeral)
    [database] = catalogue.of_kind("database")
    [(_, found)] = sensors._watch_health(catalogue, (database,), {})
    assert not found.passed and "defect" not in str(found.description)
    assert f"{database.id}: environment variable SUPERSET_DEPLOYER is not set; the environment file (" in str(found.description)
    assert not list(sensors._watch_drift(catalogue, (database,), {})), "and is no drift"


def test_charts_that_had_no_answer_are_asked_again_by_turn_until_they_have_one(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch):
    instance, charts, asked = dg.DagsterInstance.ephemeral(), catalogue.of_kind("chart")[:6], list[Resource]()
    monkeypatch.setattr(sensors, "_instance", lambda: instance)

    def report(chart: Resource, state: State) -> None:
        key, passed = asset_key(catalogue.project, chart.id), state is State.PASSED
        instance.report_runless_asset_event(dg.AssetCheckEvaluation(asset_key=key, check_name="answers", passed=passed))

    def health(chart: Resource) -> Health:
        asked.append(chart)
        return Health(State.PASSED, "it answers")

    def turn() -> list[int]:
        asked.clear()
        found = list(sensors._watch_unanswered(catalogue, charts, memory))
        assert [chart for chart, result in found if result.passed and result.check_name == "answers"] == asked
        return [charts.index(chart) for chart in asked]

    memory: dict = {}
    monkeypatch.setattr(catalogue.backend(charts[0]), "health", health)
    report(charts[0], State.PASSED)
    assert turn() == [], "one that nobody has asked yet is the business of an apply"
    for chart in charts[1:]:
        report(chart, State.WARNING)
    assert [turn(), turn()] == [[1, 2, 3], [4, 5, 1]]
    monkeypatch.setattr(sensors, "_ASKING", -1)
    assert [turn(), turn()] == [[2], [3]], "charts keep other sensors waiting for some seconds at most"
    for chart in charts[1:]:
        report(chart, State.PASSED)
    assert turn() == []


def test_drift_waits_for_a_stopped_kafka_once_and_not_for_connect(monkeypatch: pytest.MonkeyPatch):
    asked: list[str] = []
    monkeypatch.setattr(sensors, "_instance", dg.DagsterInstance.ephemeral)

    class Silent:
        def read(self, resource: Resource) -> None:
            asked.append(resource.id)
            if resource.system != "flink":
                raise Unreachable("does not answer")

    wanted = [("kafka", "topic", "a"), ("kafka", "topic", "b"), ("connect", "connector", "c"), ("flink", "job", "d")]
    catalogue: Any = Counting(State.PASSED)
    catalogue.backend = lambda _: Silent()
    found = list(sensors._watch_drift(catalogue, tuple(Resource(system, kind, name, {}) for system, kind, name in wanted), {}))
    assert asked == ["topic/a", "job/d"]
    assert [resource.id for resource, _ in found] == ["job/d"]


def test_drift_is_looked_for_by_turns_that_end_soon(monkeypatch: pytest.MonkeyPatch):
    """Sensors take turns: a job that is gone waits for this one to end."""
    slow = Slow(3)
    monkeypatch.setattr(sensors, "_instance", dg.DagsterInstance.ephemeral)
    monkeypatch.setattr(sensors.time, "monotonic", lambda: slow.clock)
    catalogue: Any = slow
    monkeypatch.setattr(sensors, "plan", lambda backend, resource: backend.health(resource))
    monkeypatch.setattr(sensors, "sync_result", lambda health: health_result("in_sync", health))
    jobs, memory = tuple(Resource("flink", "job", name, {}) for name in "abcdef"), {}
    turns = ["".join(job.name for job, _ in sensors._watch_drift(catalogue, jobs, memory)) for _ in range(3)]
    assert turns == ["abcd", "efab", "cdef"]


def test_what_cannot_be_compared_for_a_defect_says_so_and_hides_no_drift_of_others(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sensors, "_instance", dg.DagsterInstance.ephemeral)

    class Broken:
        def read(self, resource: Resource) -> None:
            if resource.name == "first":
                raise RecursionError("too deep")

    catalogue: Any = Counting(State.PASSED)
    catalogue.backend = lambda _: Broken()
    both = tuple(Resource("flink", "job", name, {}) for name in ("first", "second"))
    (_, first), (_, second) = sensors._watch_drift(catalogue, both, {})
    assert (first.passed, first.check_name) == (False, "in_sync")
    assert "defect of Headrace: RecursionError: too deep" in (first.description or "")
    assert (second.description or "").startswith("drifted")


def test_drift_is_told_though_what_is_old_cannot_be_forgotten(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch):
    until: list[datetime] = []

    def forget(_: object, before: datetime) -> None:
        until.append(before)
        raise OSError("the disk is full")

    monkeypatch.setattr(sensors, "_instance", dg.DagsterInstance.ephemeral)
    monkeypatch.setattr(sensors, "forget", forget)
    assert list(sensors._watch_drift(catalogue, (), {})) == []
    assert [(datetime.now(UTC) - before).days for before in until] == [14]
