"""What changed and lasts is told once, and again until it has been taken."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from e2e.receiver import Receiver, receiving
from orchestration import alerts, sensors
from orchestration.assets import asset_key, health_result
from orchestration.catalogue import Catalogue
from project.environment import Alerts, Secret
from project.resources import Health, State


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def told(catalogue: Catalogue, receiver: Receiver, tmp_path: Path) -> Catalogue:
    """A catalogue whose environment names the receiver."""
    (tmp_path / "url").write_text(receiver.url)
    place = Alerts(url=Secret(file=tmp_path / "url"))
    return replace(catalogue, environment=catalogue.environment.model_copy(update={"alerts": place}))


def turn(catalogue: Catalogue, memory: dict[str, Any], *, ago: float, **states: State) -> None:
    """A turn of a sensor that finds checks of the job in states that they have had for so many seconds."""
    job = catalogue.by_id["job/ecom"]
    key = asset_key(catalogue.project, job.id)
    for check, state in states.items():
        result = health_result(check, Health(state, f"{check} is {state}"))
        list(sensors._transition(key, result, memory))
        seen = memory[sensors._name(key, result)]
        seen["since"] -= ago
        alerts.note(catalogue, job, result, seen, memory)
    alerts._paused["until"] = 0.0
    alerts.deliver(catalogue, memory)


def test_what_lasts_is_told_once_and_its_end_as_well(told: Catalogue, receiver: Receiver):
    memory = json.loads("{}")
    turn(told, memory, ago=60, lag=State.PASSED, fresh=State.PASSED)
    assert not receiver.bodies, "nobody needs to hear that all is well"
    turn(told, memory, ago=5, lag=State.FAILED)
    assert not receiver.bodies, "most of it heals by itself"
    turn(told, memory, ago=30, lag=State.FAILED, fresh=State.WARNING)
    turn(told, memory, ago=30, lag=State.FAILED, fresh=State.WARNING)
    turn(told, memory, ago=30, lag=State.PASSED, fresh=State.WARNING)
    lag, fresh = "job/ecom:lag", "job/ecom:fresh"
    assert receiver.states() == [(lag, "passed", "failed"), (fresh, "passed", "warning"), (lag, "failed", "passed")]
    first = receiver.bodies[0]
    assert first["text"].startswith("bookstore (") and "FAILED job/ecom lag: lag is failed\nhttp" in first["text"]
    assert first["changes"][0]["page"].endswith("/assets/bookstore/job/ecom")


def test_what_is_not_taken_waits(told: Catalogue, receiver: Receiver, caplog: pytest.LogCaptureFixture):
    memory, receiver.status = json.loads("{}"), 503
    turn(told, memory, ago=60, lag=State.FAILED)
    memory = json.loads(json.dumps(memory))  # as a sensor keeps it
    turn(told, memory, ago=60, lag=State.PASSED)
    assert "what changed could not be told, and waits (2): it answers 503" in caplog.text
    assert "s3cret" not in caplog.text
    receiver.status = 200
    turn(told, memory, ago=60)
    turn(told, memory, ago=60)
    assert [len(body["changes"]) for body in receiver.bodies] == [2]


def test_an_address_that_is_gone_is_told_in_the_log(told: Catalogue, caplog: pytest.LogCaptureFixture):
    assert told.environment.alerts and told.environment.alerts.url.file
    told.environment.alerts.url.file.unlink()
    turn(told, {}, ago=60, lag=State.FAILED)
    assert "waits (1): secret file" in caplog.text and "url cannot be read: No such file" in caplog.text


def test_a_redirection_has_taken_nothing(told: Catalogue, receiver: Receiver):
    memory, receiver.status = json.loads("{}"), 302
    turn(told, memory, ago=60, lag=State.FAILED)
    receiver.status = 200
    turn(told, memory, ago=60)
    assert receiver.states() == [("job/ecom:lag", "passed", "failed")]


def test_who_does_not_answer_is_left_in_peace_for_a_minute(told: Catalogue, receiver: Receiver, monkeypatch: pytest.MonkeyPatch):
    memory, receiver.status = json.loads("{}"), 503
    turn(told, memory, ago=60, lag=State.FAILED)
    receiver.status = 200
    alerts.deliver(told, memory)
    assert not receiver.bodies and len(memory["alerts"]) == 1
    later = time.monotonic() + 61
    monkeypatch.setattr(alerts.time, "monotonic", lambda: later)
    alerts.deliver(told, memory)
    assert receiver.states() == [("job/ecom:lag", "passed", "failed")]


def test_however_much_changes_at_once_is_told(told: Catalogue, receiver: Receiver):
    memory = json.loads("{}")
    turn(told, memory, ago=60, **{f"check_{number}": State.FAILED for number in range(150)})
    assert len(receiver.states()) == 150 and receiver.bodies[0]["text"].endswith("and 130 more")


def test_of_very_many_that_wait_the_latest_of_each_check_is_told_in_the_end(told: Catalogue, receiver: Receiver):
    memory, receiver.status = json.loads("{}"), 503
    many = {f"check_{number}": State.FAILED for number in range(120)}
    turn(told, memory, ago=60, lag=State.FAILED)
    for state in (State.FAILED, State.PASSED, State.FAILED):
        turn(told, memory, ago=60, **dict.fromkeys(many, state))
        alerts.deliver(told, memory)
    receiver.status = 200
    turn(told, memory, ago=60)
    expected = [f"job/ecom:{check}" for check in ("lag", *many)]
    assert receiver.states() == [(check, "passed", "failed") for check in expected]


def test_what_changed_before_the_clock_was_set_back_is_told(told: Catalogue, receiver: Receiver, monkeypatch: pytest.MonkeyPatch):
    memory, before = json.loads("{}"), time.time()
    turn(told, memory, ago=0, lag=State.FAILED)
    monkeypatch.setattr(time, "time", lambda: before - 7200)
    turn(told, memory, ago=0, lag=State.FAILED)
    monkeypatch.setattr(time, "time", lambda: before - 7170)
    turn(told, memory, ago=0, lag=State.FAILED)
    assert receiver.states() == [("job/ecom:lag", "passed", "failed")]


def test_what_left_the_spec_is_forgotten(told: Catalogue, receiver: Receiver):
    memory = json.loads("{}")
    turn(told, memory, ago=60, lag=State.FAILED)
    memory["told"]["job/gone:lag"] = "failed"
    turn(told, memory, ago=60)
    assert memory["told"] == {"job/ecom:lag": "failed"}


def test_nobody_is_told_where_nobody_asked(catalogue: Catalogue):
    memory: dict[str, Any] = {}
    turn(catalogue, memory, ago=60, lag=State.FAILED)
    assert not memory["alerts"] and not memory["told"], "nor later, of what has been so all along"
