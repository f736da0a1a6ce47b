"""What takes data away asks first, and takes nothing without a yes."""

import json
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from orchestration import command_line
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
