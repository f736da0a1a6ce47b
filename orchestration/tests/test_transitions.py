"""Health is reported when it changes and once in ten minutes, not at every tick."""

import json
import time
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import pytest

from orchestration import healing, rounds, sensors
from orchestration.assets import asset_key, health_result
from orchestration.catalogue import Catalogue
from orchestration.certificates import Certificate, Key
from orchestration.checks import LiveCheck
from orchestration.freshness import judge_age
from orchestration.healing import heal
from orchestration.rounds import Rounds
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


def set_back(monkeypatch: pytest.MonkeyPatch) -> float:
    """The clock, by two hours; the time that it was."""
    before = time.time()
    monkeypatch.setattr(time, "time", lambda: before - 7200)
    return before


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


def test_healing_that_fails_itself_says_so_and_is_tried_again_later(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch):
    class Broken:
        @property
        def project(self) -> None:
            raise RecursionError("too deep")

    broken: Any = Broken()
    attempts: dict[str, Any] = {}
    job = catalogue.of_kind("job")[0]
    assert "defect of Headrace: RecursionError: too deep" in (heal(broken, job, False, attempts) or "")
    assert heal(broken, job, False, attempts) is None, "not at once"
    later = time.time() + 61
    monkeypatch.setattr(healing.time, "time", lambda: later)
    assert "defect of Headrace: RecursionError: too deep" in (heal(broken, job, False, attempts) or "")
    assert attempts[job.id]["count"] == 2


def test_healing_waits_no_longer_when_the_clock_was_set_back(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch):
    connector = catalogue.of_kind("connector")[0]
    tell_of(monkeypatch, connector, {"connector": {"state": "FAILED"}, "tasks": []})
    attempts = {connector.id: {"count": 7, "at": time.time()}}
    assert heal(catalogue, connector, False, attempts) is None
    set_back(monkeypatch)
    assert heal(catalogue, connector, False, attempts) == f"restarted the failed parts of {connector.id}"
    assert heal(catalogue, connector, False, attempts) is None, "but the next time as always"
    attempts = {connector.id: {"count": 7, "at": time.time() + 7200}}
    assert heal(catalogue, connector, True, attempts) is None
    assert attempts == {}, "what has been well since then is as if new"


def test_a_source_that_was_silent_is_asked_again_when_the_clock_was_set_back(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch):
    asked, attempts = list[str](), json.loads("{}")
    monkeypatch.setattr(Catalogue, "lost_columns", lambda _, job: asked.append(job.id))
    job = catalogue.of_kind("job")[0]
    for _ in range(2):
        heal(catalogue, job, True, attempts)
    assert asked == [job.id], "one that does not answer has a minute"
    set_back(monkeypatch)
    for _ in range(2):
        heal(catalogue, job, True, attempts)
    assert asked == [job.id] * 2


def tell_of(monkeypatch: pytest.MonkeyPatch, connector: Resource, status: dict[str, Any]) -> list[str]:
    """Kafka Connect has a connector as it is declared, with a status; what it is asked for."""
    told = list[str]()

    def call(_: object, method: str, path: str, body: Any = None, **named: Any) -> Any:
        told.append(f"{method} {path}")
        return connector.document["config"] if path.endswith("/config") else {} if path.endswith("/offsets") else status

    monkeypatch.setattr("cdc.connect.Connect._call", call)
    return told


def test_a_connector_ahead_of_its_server_is_held_although_healing_rests(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch):
    """It may be a minute until the next try, and the server may have written as much again by then."""
    connector = catalogue.of_kind("connector")[0]
    monkeypatch.setattr("cdc.debezium.ConnectBackend.stands_ahead", lambda *_: True)
    monkeypatch.setattr("cdc.debezium.ConnectBackend.hold", lambda *_: "stopped it")
    monkeypatch.setattr(healing, "exclusive", lambda *_: nullcontext())
    tell_of(monkeypatch, connector, {"connector": {"state": "FAILED"}, "tasks": []})
    attempts = {connector.id: {"count": 7, "at": time.time()}}
    assert heal(catalogue, connector, False, attempts) == "stopped it"
    assert heal(catalogue, connector, True, attempts) is None


def test_a_connector_is_healed_as_it_is_and_a_job_only_as_it_was_applied(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch):
    instance, healed = dg.DagsterInstance.ephemeral(), list[str]()
    both = catalogue.of_kind("connector")[0], catalogue.of_kind("job")[0]
    monkeypatch.setattr(sensors, "_instance", lambda: instance)
    monkeypatch.setattr(sensors, "heal", lambda _, resource, *__: healed.append(resource.id))
    for one in both:
        key = asset_key(catalogue.project, one.id)
        instance.report_runless_asset_event(dg.AssetMaterialization(key, tags={"dagster/data_version": "of an older spec"}))
    down = health_result("running", Health(State.FAILED, "down"))
    sensor = sensors._build_sensor(catalogue, "health", "", 20, both, lambda _, watched, __: [(one, down) for one in watched])
    sensor(dg.build_sensor_context(instance=instance))
    assert healed == [both[0].id]


@pytest.mark.parametrize(("state", "done"), [("FAILED", "restarted the failed parts of {}"), ("RUNNING", None), ("UNASSIGNED", None)])
def test_what_failed_of_a_connector_is_restarted_and_nothing_else(
    state: str, done: str | None, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
):
    connector = catalogue.of_kind("connector")[0]
    tasks = [{"id": 0, "state": "RUNNING"}, {"id": 1, "state": state}]
    told = tell_of(monkeypatch, connector, {"connector": {"state": "RUNNING"}, "tasks": tasks})
    assert heal(catalogue, connector, False, {}) == (done and done.format(connector.id))
    restarts = [f"POST /connectors/{connector.name}/restart?includeTasks=true&onlyFailed=true"]
    assert [one for one in told if "GET" not in one] == (restarts if done else [])


def test_what_was_found_of_a_table_whose_spec_has_changed_since_is_not_told(catalogue: Catalogue):
    turn = Rounds()
    kept, changed = catalogue.by_id["table/fact_orders"], catalogue.by_id["table/dim_books"]
    turn._found.extend((table, Health(State.PASSED, "equal")) for table in (kept, changed))
    turn._due |= {kept.id: float("inf")}
    assert [table.id for table, _ in turn.watch(catalogue, (kept,), {})] == [kept.id]


def compared(monkeypatch: pytest.MonkeyPatch, answers: Iterator[Any], restless: Iterable[tuple[Key, ...]] = ()) -> None:
    """Comparisons find what these say, or raise it, and take so many seconds to count; rows with these keys keep changing."""
    changing = iter(restless)

    def verify(*_: object) -> Certificate:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        now = datetime(2026, 1, 31, 9, 30)
        return Certificate("table", "source", 1, (), next(changing, ()), True, "0/0", now, 0.0, answer, answer)

    monkeypatch.setattr(rounds, "verify", verify)
    monkeypatch.setattr(rounds, "enter", lambda _: None)
    monkeypatch.setattr(rounds, "read_age", lambda *_: Health(State.PASSED, "fresh"))


def test_a_comparison_that_fails_itself_says_so_and_keeps_no_other_from_its_turn(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch):
    compared(monkeypatch, iter([RecursionError("too deep"), 0.1]))
    both = [catalogue.by_id["table/fact_orders"], catalogue.by_id["table/dim_books"]]
    turn = Rounds()
    turn._compare(catalogue, both)
    [(_, broken), (_, good)] = turn._found
    assert (broken.state, good.state) == (State.UNKNOWN, State.PASSED)
    assert "defect of Headrace: RecursionError: too deep" in broken.text
    assert turn._is_due(catalogue, both[0]) and not turn._is_due(catalogue, both[1])


def test_a_busy_moment_does_not_put_the_next_comparison_off(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch):
    """One of a second may be made every hundred; one that took nine once does not make it wait for fifteen minutes."""
    compared(monkeypatch, iter([1.0, 9.0, 9.0]))
    monkeypatch.setattr(rounds.time, "monotonic", lambda: 0.0)
    table, turn, rests = catalogue.by_id["table/fact_orders"], Rounds(), list[float]()
    for _ in range(3):
        turn._compare(catalogue, [table])
        rests.append(turn._due[table.id])
    assert rests == [100, 100, 900]


def test_a_row_that_keeps_changing_at_each_comparison_is_told(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch):
    compared(monkeypatch, iter([0.1] * 4), [(("7",), ("8",)), (("7",),), (("7",),), ()])
    table, turn = catalogue.by_id["table/fact_orders"], Rounds()
    for _ in range(4):
        turn._compare(catalogue, [table])
    found = [health for _, health in turn._found]
    assert [health.state for health in found] == [State.PASSED, State.PASSED, State.WARNING, State.PASSED]
    assert "2 of them kept changing and were not compared" in found[0].text
    assert "nothing is known of 1 that kept changing at each comparison, the first by their keys: 7" in found[2].text


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
