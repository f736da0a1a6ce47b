"""What is healed, when, and when it is tried again."""

import json
import time
from contextlib import nullcontext
from typing import Any

import dagster as dg
import pytest

from orchestration import healing, sensors
from orchestration.assets import asset_key, health_result
from orchestration.catalogue import Catalogue
from orchestration.healing import heal
from orchestration.tests.conftest import set_back
from project.resources import Health, Resource, State


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


@pytest.mark.parametrize(("table", "waits"), [("fact_ordered", True), ("dim_books", False)])
def test_a_lost_job_waits_where_a_newer_spec_has_begun_to_fill_a_table(
    table: str, waits: bool, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
):
    """An apply ended it for rows that are read for a table with another name, and the job of the old spec would pass them."""
    instance, written = dg.DagsterInstance.ephemeral(), list[str]()
    monkeypatch.setattr(healing, "has_dagster_home", lambda: True)
    monkeypatch.setattr(healing, "exclusive", lambda *_: nullcontext())
    monkeypatch.setattr(healing, "_captured_by_a_newer_spec", lambda *_: set())
    monkeypatch.setattr(healing, "pause", lambda *_: None)
    monkeypatch.setattr(dg.DagsterInstance, "get", lambda: instance)
    monkeypatch.setattr("flink.backends.FlinkBackend.read", lambda *_: None)
    monkeypatch.setattr("flink.backends.FlinkBackend.write", lambda _, job, __: written.append(job.id))
    job = catalogue.by_id["job/ecom"]
    for one in ("table/gone_long_ago", job.id, f"table/{table}"):
        instance.report_runless_asset_event(dg.AssetMaterialization(asset_key(catalogue.project, one)))
    said = heal(catalogue, job, False, {})
    assert written == ([] if waits else [job.id])
    assert ("does not know table/fact_ordered" in (said or "")) == waits


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
