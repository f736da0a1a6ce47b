"""The storage of an instance: Dagster's own files, quicker."""

import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest
from dagster._core.instance.config import DAGSTER_CONFIG_YAML_FILENAME
from dagster._core.remote_origin import InProcessCodeLocationOrigin, RemoteInstigatorOrigin, RemoteRepositoryOrigin
from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus, InstigatorType, SensorInstigatorData
from dagster._core.storage.schedules import SqliteScheduleStorage
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._daemon.sensor import is_under_min_interval

from orchestration.dagster_storage import EventLog, Schedules, forget

LOADABLE = LoadableTargetOrigin(module_name="orchestration.definitions")
ORIGIN = RemoteInstigatorOrigin(RemoteRepositoryOrigin(InProcessCodeLocationOrigin(LOADABLE), "repository"), "health")
CHECK = dg.AssetCheckKey(dg.AssetKey("one"), "good")


@dg.asset(check_specs=[dg.AssetCheckSpec("good", asset="one")])
def one() -> dg.MaterializeResult:
    return dg.MaterializeResult(check_results=[dg.AssetCheckResult(passed=True)])


@pytest.fixture
def instance(tmp_path: Path) -> dg.DagsterInstance:
    storage = f"module: orchestration.dagster_storage, config: {{base_dir: {tmp_path}"
    (tmp_path / DAGSTER_CONFIG_YAML_FILENAME).write_text(
        "telemetry: {enabled: false}\n"
        f"event_log_storage: {{class: EventLog, {storage}/history/runs}}}}\nschedule_storage: {{class: Schedules, {storage}/schedules}}}}\n"
    )
    return dg.DagsterInstance.from_config(str(tmp_path))


def test_a_run_is_found_again(instance: dg.DagsterInstance):
    assert isinstance(instance.event_log_storage, EventLog)
    run = dg.materialize([one], instance=instance)
    assert {record.run_id for record in instance.fetch_materializations(dg.AssetKey("one"), limit=9).records} == {run.run_id}
    summary = instance.event_log_storage.get_latest_asset_check_execution_by_key([CHECK])[CHECK]
    assert summary.run_id == run.run_id


def test_its_files_are_dagsters_own(instance: dg.DagsterInstance, tmp_path: Path):
    run = dg.materialize([one], instance=instance)
    with sqlite3.connect(tmp_path / "history" / "runs" / f"{run.run_id}.db") as file:
        kinds = {kind for (kind,) in file.execute("select dagster_event_type from event_logs")}
    assert kinds >= {"ASSET_MATERIALIZATION", "ASSET_CHECK_EVALUATION"}


@dg.asset
def two() -> None: ...


@dg.asset_check(asset=one)
def looks() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True)


def findings(folder: Path, file: str, table: str = "event_logs") -> list[str]:
    with sqlite3.connect(folder / "history" / "runs" / file) as log:
        column = "check_name" if table == "asset_check_executions" else "dagster_event_type"
        return sorted(name for (name,) in log.execute(f"select {column} from {table}") if name != "ASSET_CHECK_EVALUATION_PLANNED")


def test_what_is_old_is_forgotten_but_for_the_newest_of_each_asset_and_check(instance: dg.DagsterInstance, tmp_path: Path):
    def report(name: str) -> None:
        instance.report_runless_asset_event(dg.AssetCheckEvaluation(asset_key=one.key, check_name=name, passed=True))

    first = dg.materialize([one], instance=instance).run_id
    both = dg.materialize([one, two], instance=instance).run_id
    checked = dg.materialize([one, looks], selection=dg.AssetSelection.checks(looks), instance=instance).run_id
    last = dg.materialize([one], instance=instance).run_id
    for name in ("fresh", "fresh", "fresh", "gone"):
        report(name)
    then = datetime.now(UTC)
    report("lag")
    forget(instance, then)
    assert {run.run_id for run in instance.get_runs()} == {both, checked, last}
    assert {path.stem for path in (tmp_path / "history" / "runs").glob("*.db")} == {both, checked, last, "index", ".db"}
    assert not (tmp_path / "storage" / first).exists() and (tmp_path / "storage" / last).exists()
    assert findings(tmp_path, "index.db", "asset_check_executions") == ["fresh", "gone", "good", "lag", "looks"]
    assert findings(tmp_path, "index.db").count("ASSET_CHECK_EVALUATION") == 5
    assert findings(tmp_path, ".db") == ["ASSET_CHECK_EVALUATION"]
    for asset in (one, two):
        assert instance.get_latest_materialization_event(asset.key)
    forget(instance, then)
    assert len(instance.get_runs()) == 3


def test_threads_share_it(instance: dg.DagsterInstance):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: instance.report_runless_asset_event(dg.AssetMaterialization(name)), map(str, range(40))))
    assert {key.path[0] for key in instance.all_asset_keys()} == set(map(str, range(40)))


def test_what_the_daemon_notes_of_a_sensor_is_found_again(instance: dg.DagsterInstance, tmp_path: Path):
    assert isinstance(instance.schedule_storage, Schedules)
    state = InstigatorState(ORIGIN, InstigatorType.SENSOR, InstigatorStatus.DECLARED_IN_CODE, SensorInstigatorData(cursor="before"))
    instance.add_instigator_state(state)
    instance.update_instigator_state(state.with_data(SensorInstigatorData(cursor="after")))
    again = SqliteScheduleStorage.from_local(str(tmp_path / "schedules"))
    [found] = again.all_instigator_state()
    assert isinstance(found.instigator_data, SensorInstigatorData) and found.instigator_data.cursor == "after"


def test_a_sensor_does_not_wait_for_a_clock_that_was_set_back(instance: dg.DagsterInstance):
    """As Dagster's daemon asks: before it has a turn queued, and again before the turn."""
    sensor: Any = SimpleNamespace(min_interval_seconds=20)
    state = InstigatorState(ORIGIN, InstigatorType.SENSOR, InstigatorStatus.RUNNING, SensorInstigatorData())
    instance.add_instigator_state(state)
    for noted in ("last_tick_timestamp", "last_tick_start_timestamp"):
        for ahead, waits in ((-3, True), (-30, False), (7200, False)):
            times: dict[str, Any] = {noted: time.time() + ahead}
            instance.update_instigator_state(state.with_data(SensorInstigatorData(cursor="kept", **times)))
            [queued] = instance.all_instigator_state(instigator_type=InstigatorType.SENSOR)
            begun = instance.get_instigator_state(state.instigator_origin_id, state.selector_id)
            for found in (queued, begun):
                assert found and found.sensor_instigator_data and found.sensor_instigator_data.cursor == "kept"
                assert is_under_min_interval(found, sensor) is waits
