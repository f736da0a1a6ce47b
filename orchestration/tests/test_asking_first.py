"""What takes data away asks first, and takes nothing without a yes."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from orchestration import command_line, jobs
from orchestration.catalogue import Catalogue
from orchestration.runs import run_job
from orchestration.tests.test_project_commands import headrace

CARS = Path(__file__).parents[2] / "examples" / "cars"
REMOVE = "Remove these 1, with the data in them?"


@pytest.fixture
def taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was taken away, from a place where one thing is in no spec any more."""
    done = list[str]()

    def run(_: object, job: str, ops: dict[str, Any]) -> list[str]:
        if ops["find_leftovers"]["config"].get("remove"):
            done.append(job)
        return ["topic/old"]

    monkeypatch.setenv("HEADRACE_STATE", str(tmp_path))
    monkeypatch.setenv("HEADRACE_ENVIRONMENT", str(Path(__file__).with_name("environment.yaml")))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setattr(command_line, "_run", run)
    monkeypatch.setattr("orchestration.applying.tell_sensors", lambda _: None)
    monkeypatch.setattr("orchestration.rereading.reread", lambda *_: done.append("reread") or [])
    monkeypatch.setattr("orchestration.rereading.remember", lambda *_: None)
    for name in ("down", "erase"):
        monkeypatch.setattr(f"infra.lifecycle.{name}", lambda *_, name=name: done.append(name))
    return done


@pytest.mark.parametrize(("command", "question"), [
    (["prune"], REMOVE), (["erase"], REMOVE), (["down", "--erase"], "Erase all data, secrets and logs in "),
    (["reread", "ecom"], "fill them again? Dashboards show too little until that is done."),
    (["reread", "events", "-p", str(CARS)], "Have all events come once more that the outbox still holds?"),
])  # fmt: skip
def test_without_a_yes_nothing_goes(
    command: list[str], question: str, taken: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    for answer in ("", "n\n", "y\n"):
        assert not taken
        monkeypatch.setattr(sys, "stdin", StringIO(answer))
        headrace(monkeypatch, *command)
        assert question in capsys.readouterr().out
    assert taken


def test_a_machine_that_lists_what_is_prunable_removes_nothing(
    taken: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    assert headrace(monkeypatch, "prune", "--json") == 0
    assert (json.loads(capsys.readouterr().out), taken) == ({"prunable": ["topic/old"]}, [])
    headrace(monkeypatch, "prune", "--json", "--yes")
    assert taken == ["prune"]


@pytest.fixture
def removed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was removed, where another's apply and prune end just before it is our turn."""
    there, gone = ["topic/other", "topic/old"], list[str]()

    @contextmanager
    def exclusive(*_: object) -> Iterator[None]:
        there[0] = "topic/new"
        yield

    monkeypatch.setattr(dg.DagsterInstance, "get", dg.DagsterInstance.ephemeral)
    monkeypatch.setattr(jobs, "prunable", lambda *_: [*there])
    monkeypatch.setattr(jobs, "exclusive", exclusive)
    monkeypatch.setattr(jobs, "_delete", lambda _, resource_id: gone.append(resource_id))
    monkeypatch.setattr("orchestration.applying.tell_sensors", lambda _: None)
    return gone


@pytest.mark.parametrize("command", [["prune"], ["erase"], ["prune", "--yes"]])
def test_only_what_was_shown_goes(
    command: list[str], removed: list[str], catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("HEADRACE_ENVIRONMENT", str(Path(__file__).with_name("environment.yaml")))
    monkeypatch.setattr(command_line, "_catalogue", lambda *_, **__: catalogue)
    monkeypatch.setattr(sys, "stdin", StringIO("y\n"))
    assert headrace(monkeypatch, *command) == 1
    assert removed == ["topic/old"]
    assert "removed 1\ntopic/new: came after what was shown, and stays; somebody has applied meanwhile" in capsys.readouterr().err


def test_a_run_that_names_nothing_removes_all_that_it_finds(removed: list[str], catalogue: Catalogue):
    run_job(catalogue, "prune", ops={"find_leftovers": {"config": {"remove": True}}})
    assert removed == ["topic/new", "topic/old"]
