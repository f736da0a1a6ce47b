"""`headrace load`: finds the sample of a project and hands over to it, or says why it cannot."""

import os
import sys
from pathlib import Path

import pytest

from infra import projects
from infra.platform import Platform
from orchestration.tests.test_project_commands import headrace

ROOT = Path(__file__).parents[2]
CARS = ROOT / "examples" / "cars"


@pytest.fixture
def handed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What a platform that runs the cars and the bookstore handed over to."""
    monkeypatch.setenv("HEADRACE_STATE", str(tmp_path))
    for name in ("cars", "bookstore"):
        projects.add(Platform(ROOT, tmp_path), name, ROOT / "examples" / name)
    calls = list[list[str]]()
    monkeypatch.setattr(os, "execve", lambda program, command, variables: calls.append([*command, variables["HEADRACE_ENVIRONMENT"]]))
    return calls


@pytest.mark.parametrize("named", [["cars"], ["-p", str(CARS)]])
def test_options_go_on_to_the_sample_of_the_project(named: list[str], handed: list[list[str]], monkeypatch: pytest.MonkeyPatch):
    assert headrace(monkeypatch, "load", *named, "--vus", "3", "--json", "-e", "elsewhere.yaml") == 0
    assert handed == [[sys.executable, str(CARS / "sample"), "load", "--vus", "3", "--json", str(Path.cwd() / "elsewhere.yaml")]]


def test_help_is_that_of_the_sample_where_one_is_named(
    handed: list[list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    assert headrace(monkeypatch, "load", "cars", "--help") == 0
    assert handed[0][2:4] == ["load", "--help"]
    assert headrace(monkeypatch, "load", "--help") == 0
    assert "headrace load cars --vus 20" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (["car"], 'no project car runs on this platform; did you mean "cars"?'),
        (["bookstore"], "expected a project whose sample has a command `load`"),
        (["--vus", "3"], "expected a project: its name, or its folder with -p"),
        (["cars", "-p", str(CARS)], "expected a project: its name, or its folder with -p"),
    ],
)
def test_what_has_no_load_is_refused(
    call: list[str], said: str, handed: list[list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("COLUMNS", "300")
    assert headrace(monkeypatch, "load", *call) == 2
    assert said in capsys.readouterr().err and handed == []
