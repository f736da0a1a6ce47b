"""What the commands `check` and `apply` say of how their runs ended, and leave behind."""

import sys
from typing import Any

import dagster as dg
import pytest
from dagster._utils.error import serializable_error_info_from_exc_info

from infra.errors import PlatformError
from orchestration import applying, checks, command_line, jobs
from orchestration.assets import health_result
from orchestration.catalogue import Catalogue
from orchestration.reconcile import Action, Change
from orchestration.runs import Outcome, _told
from orchestration.tests.conftest import compiled
from orchestration.tests.test_project_commands import headrace
from project.environment import EndpointError
from project.resources import Health, Resource, State, Unreachable


def check(monkeypatch: pytest.MonkeyPatch, catalogue: Catalogue, *states: State) -> int:
    """Run `headrace check` over a job whose checks are in these states; its exit code."""
    found = [("job/ecom", health_result(f"check_{number}", Health(state, f"it is {state}"))) for number, state in enumerate(states)]
    monkeypatch.setattr(jobs, "_evaluate", lambda _, resource: found if resource.id == "job/ecom" else [])
    monkeypatch.setattr(dg.DagsterInstance, "get", dg.DagsterInstance.ephemeral)
    monkeypatch.setattr(command_line, "_catalogue", lambda *_: catalogue)
    return headrace(monkeypatch, "check", "-p", "examples/bookstore")


def test_warnings_and_what_is_not_known_are_told_and_are_no_failure(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    assert check(monkeypatch, catalogue, State.PASSED, State.WARNING, State.UNKNOWN, State.PASSED) == 0
    said = capsys.readouterr()
    assert said.err.splitlines() == ["job/ecom: check_1: it is warning", "job/ecom: check_2: it is unknown"]
    assert said.out.splitlines()[-1] == "2 passed, 2 warned, 0 failed"


def test_a_failed_check_ends_with_1_and_is_counted(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    assert check(monkeypatch, catalogue, State.FAILED, State.PASSED) == 1
    said = capsys.readouterr()
    assert said.err.splitlines() == ["job/ecom: check_0: it is failed"]
    assert said.out.splitlines()[-1] == "1 passed, 0 warned, 1 failed"


def test_a_system_that_is_away_and_a_check_that_fails_itself_leave_all_others_looked_at(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    class Standing:
        def read(self, resource: Resource) -> Any:
            if resource.system == "connect":
                raise Unreachable("Connect does not answer")
            return resource.document

        def health(self, resource: Resource) -> Health:
            return Health(State.PASSED, "text")

    def read_counts(*_: object) -> None:
        raise RecursionError("too deep")

    monkeypatch.setattr(checks, "read_counts", read_counts)
    monkeypatch.setattr(jobs, "LIVE_CHECKS", {})
    monkeypatch.setattr(Catalogue, "backend", lambda *_: Standing())
    monkeypatch.setattr(dg.DagsterInstance, "get", dg.DagsterInstance.ephemeral)
    monkeypatch.setattr(command_line, "_catalogue", lambda *_: catalogue)
    catalogue = compiled("cars")
    assert headrace(monkeypatch, "check", "-p", "examples/cars") == 0
    connector, *filters = capsys.readouterr().err.splitlines()
    assert connector == "connector/cars-events: in_sync: Connect does not answer"
    assert [line.partition(":")[0] for line in filters] == [f"filter/{one.id}" for _, one in catalogue.project.filters]
    assert all("matches: this check failed, which is a defect of Headrace: RecursionError: too deep" in line for line in filters)


@pytest.mark.parametrize("kind", [Unreachable, EndpointError, PlatformError])
def test_what_stops_a_run_is_told_in_its_own_words_alone(kind: type[Exception]):
    try:
        raise kind("environment variable SHOP is not set; set it")
    except kind:
        assert _told(serializable_error_info_from_exc_info(sys.exc_info())) == "environment variable SHOP is not set; set it"


@pytest.mark.parametrize("action", [Action.CREATE, Action.NONE])
def test_what_was_done_before_a_failure_or_by_an_apply_before_is_told_to_the_pages(
    action: Action, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def run_job(running: Catalogue, name: str, selection: Any) -> Outcome:
        running.report(Change(Resource("analytics", "table", "things", {}), action))
        return Outcome("run", False, ("job/ecom: the gateway refused",))

    pages: list[str] = []
    monkeypatch.setattr(applying, "run_job", run_job)
    monkeypatch.setattr(applying, "refresh_pages", lambda _: pages.append("told"))
    with pytest.raises(applying.typer.Exit) as ended:
        applying.apply_project(catalogue)
    assert (ended.value.exit_code, pages) == (1, ["told"])
    assert "job/ecom: the gateway refused" in capsys.readouterr().err
