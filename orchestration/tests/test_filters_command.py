"""`headrace filters test`: what its author reads of each sample, and how it ends."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from orchestration.tests.test_project_commands import headrace

ROOT = Path(__file__).parents[2]
USE_CASES, CARS = ROOT / "project" / "filters" / "tests" / "use_cases.yaml", ROOT / "examples" / "cars"


def test_right_samples_end_with_0(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    assert headrace(monkeypatch, "filters", "test", str(USE_CASES)) == 0
    assert "0 judged otherwise" in capsys.readouterr().out


def test_a_wrong_sample_ends_with_1_and_says_which_condition_was_not_met(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    file = tmp_path / "filters.yaml"
    file.write_text(USE_CASES.read_text().replace("greaterThan, value: 100000}", "greaterThan, value: 200000}"))
    assert headrace(monkeypatch, "filters", "test", str(file)) == 1
    told = capsys.readouterr().out
    assert f"✗ {file}:" in told and "high-value-loans: stays, expected to go to filtered-high-value-loans" in told
    assert "false: updatedAttributes.loan.loanAmount greaterThan 200000; it is '100000.01'" in told
    assert headrace(monkeypatch, "filters", "test", str(file), "--json") == 1
    assert [one["filter"] for one in json.loads(capsys.readouterr().out) if not one["right"]] == ["high-value-loans"]


def test_a_sample_that_the_job_would_set_aside_says_so_or_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    file = tmp_path / "routing.yaml"
    file.write_text("kind: filters\nsource: events\nmandatory: [updatedAttributes.loan.loanAmount]\n" + USE_CASES.read_text())
    assert headrace(monkeypatch, "filters", "test", str(file)) == 1
    told = capsys.readouterr().out
    assert "one-event-name: is set aside, expected to go to use-case-1" in told
    assert "unknown: it is no event to filters: updatedAttributes.loan.loanAmount is missing" in told
    file.write_text(USE_CASES.read_text().replace("setAside: true", "passes: false"))
    assert headrace(monkeypatch, "filters", "test", str(file)) == 1
    told = capsys.readouterr().out
    assert "high-value-loans: is set aside, expected to stay" in told and "it is 'much', but it is no number" in told


def test_a_wrong_file_ends_with_2_and_no_stack_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "filters.yaml").write_text("filters: [{id: a}]\n")
    assert headrace(monkeypatch, "filters", "test", str(tmp_path / "filters.yaml")) == 2
    told = capsys.readouterr().err
    assert 'filters.yaml:1: missing key "conditions"' in told and "Traceback" not in told


def test_events_of_a_file_need_no_platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    entities = '"eventBody": {"entities": [{"entityType": "Car"}]}'
    lines = [f'{{"eventHeader": {{"eventName": "{name}"}}, {entities}}}' for name in ("CarCreated", "CarSold")]
    events = tmp_path / "events.jsonl"
    events.write_text("\n".join([*lines, "", "{no json"]))
    given = ("filters", "try", "car-creation-filter", "-p", str(CARS), "-e", str(tmp_path / "none.yaml"), "--events", str(events))
    assert headrace(monkeypatch, *given) == 0
    told = capsys.readouterr().out
    assert f"{events}:1: " in told and "false: eventName equals 'CarCreated'; it is 'CarSold'" in told
    assert headrace(monkeypatch, *given, "--json") == 0
    found = {one["place"].rpartition(":")[2]: one["outcome"] for one in json.loads(capsys.readouterr().out)}
    assert found == {"1": "pass", "2": "stay", "4": "are no events"}
    assert headrace(monkeypatch, *given[:-1], str(tmp_path / "missing")) == 2


def test_who_reviews_a_change_reads_which_events_it_moves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    before, after = tmp_path / "before", tmp_path / "after"
    for folder in (before, after):
        shutil.copytree(CARS, folder)
    compared = ("filters", "diff", str(before), "-p", str(after))
    assert headrace(monkeypatch, *compared) == 0
    assert capsys.readouterr().out == "Every filter that runs is as it was.\n"
    file = after / "streams" / "routing.yaml"
    changed = yaml.safe_load(file.read_text())
    loans, services, _, cars = changed["filters"]
    for condition, value in zip(loans["conditions"], ("LoanCreated", "Loan"), strict=True):
        condition["values"].remove(value)
    loans["samples"][0]["passes"] = False
    services["enabled"] = False
    cars |= {"version": 2, "owner": "desk@dealership.example"}
    file.write_text(yaml.safe_dump(changed))
    assert headrace(monkeypatch, *compared) == 0
    told = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in told] == [
        "- filter car-creation-filter changes for consumer car-consumer and whoever else reads filtered-car-events",
        "- filter loan-events-filter changes for consumer loan-consumer and whoever else reads filtered-loan-events",
        f"  - sample {file}",
        "- filter service-events-filter ends",
    ]
    assert told[0].endswith(': version 1 → 2; filter car-creation-filter says from now on: owner "desk@dealership.example"')
    assert told[2].endswith(": goes to filtered-loan-events → **stays**")
    assert headrace(monkeypatch, *compared, "--json") == 0
    _, loans, _ = json.loads(capsys.readouterr().out)
    [moved] = loans["samples"]
    assert (loans["filter"], moved["before"], moved["after"]) == ("loan-events-filter", "goes to filtered-loan-events", "stays")
    file.write_text(yaml.safe_dump({**changed, "mandatory": ["eventName", "entityType"]}))
    assert headrace(monkeypatch, *compared) == 0
    sees = "filter loan-events-filter sees events that have eventName, entityType, where it saw those that have eventName"
    assert sees in capsys.readouterr().out
    assert headrace(monkeypatch, "filters", "diff", str(tmp_path / "none"), "-p", str(after)) == 2
