"""`headrace events export`: what it writes, asked by a real validator of JSON Schema, says of events what Headrace says of them.

The validator is that of Superset's environment; ours has none.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from infra.environments import ensure
from orchestration import command_line
from project.events.export import json_schema
from project.events.fitting import misfits
from project.events.tests.test_fitting import GOOD, LOAN, WRONG, with_

CARS = Path(__file__).parents[2] / "examples" / "cars"
_VALIDATE = """
import json, sys
from jsonschema import Draft7Validator
schema, events = json.load(sys.stdin)
Draft7Validator.check_schema(schema)
json.dump([Draft7Validator(schema).is_valid(event) for event in events], sys.stdout)
"""


def valid(schema: dict[str, Any], events: list[Any]) -> list[bool]:
    asked = json.dumps([schema, events])
    done = subprocess.run([ensure("superset"), "-c", _VALIDATE], input=asked, capture_output=True, text=True, check=True, timeout=120)
    return json.loads(done.stdout)


def export(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["headrace", "events", "export", *arguments, "-p", str(CARS)])
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


def test_a_validator_says_what_headrace_says():
    other = [
        ("0.updatedAttributes.amount", 99999), ("0.updatedAttributes.last4", None), ("0.updatedAttributes.more", {}), ("0.entityId", 7),
        ("0.updatedAttributes.payments", [{"at": "1767225600000"}]), ("0.updatedAttributes.payments", [{"at": 10**15}]),
        ("0.updatedAttributes.payments", [None]), ("0.updatedAttributes.payments", [{"at": "2026-01-01"}]),
    ]  # fmt: skip
    events = [GOOD, {}, *(with_(path, value) for path, value, *_ in [*WRONG, *other])]
    ours = [not misfits(event, LOAN) for event in events]
    assert valid(json_schema(LOAN), events) == ours
    assert set(ours) == {True, False}


def test_the_command_writes_the_schema_of_what_consumers_get(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    code, said, _ = export(monkeypatch, capsys, "LoanCreated", "--filtered")
    loan = with_("0.updatedAttributes", {"loan": {"id": "l", "loanAmount": 1, "balance": 1, "interestRate": 0.1, "status": "active"}})
    loan["eventBody"]["entities"].pop()
    stamp = {"filterId": "f", "ruleVersion": 1, "consumerId": "c", "filteredAt": 1767225600000}
    assert (code, valid(json.loads(said), [loan, {"filterMetadata": stamp, **loan}])) == (0, [False, True])
    code, said, _ = export(monkeypatch, capsys, "LoanCreated", "--format", "avro")
    assert (code, json.loads(said)["name"]) == (0, "LoanCreated")


def test_events_are_counted(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr(sys, "argv", ["headrace", "validate", "-p", str(CARS)])
    with pytest.raises(SystemExit):
        command_line.main()
    assert "good: 1 sources, 4 events, 1 streams" in capsys.readouterr().out


def test_an_event_that_nobody_declared_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    assert export(monkeypatch, capsys, "LoanCreatd") == (2, "", 'no event is called LoanCreatd; did you mean "LoanCreated"?\n')
