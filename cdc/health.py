"""How a connector is, judged from Kafka Connect's report and the slot at the source."""

import re
from collections.abc import Mapping
from typing import Any

from cdc.slots import Slot
from project.models import LARGEST_RECORD
from project.resources import Health, State

_SILENCE = 30  # seconds; the pulse beats every 5
_MUCH, _TOO_MUCH = 0.5, 0.8  # of the WAL that the server keeps for a slot before it gives it up
_REREAD = "changes are missing: run `headrace reread` for the source; do not create the slot by hand"


def judge_connector(
    name: str, status: Mapping[str, Any] | None, slot_name: str, slot: Slot | None, silence: float | None, stored: int | None
) -> Health:
    """Health of a connector that should run.

    silence: seconds since its last pulse reached Kafka; None: none has, or Kafka is away. stored: the position that it has stored.
    """
    if status is None:
        return Health(State.FAILED, f"connector {name} does not exist, so its tables stand still; apply connector/{name}")
    facts = _facts(status, slot_name, slot) | {"seconds_since_pulse": None if silence is None else round(silence, 1)}
    if slot is None:
        text = f"replication slot {slot_name} does not exist{_why(status)}; if the connector ran before, {_REREAD}"
    elif slot.lost:
        text = f"PostgreSQL gave up replication slot {slot_name} ({slot.invalidation or slot.wal_status}); {_REREAD}"
    elif missing := slot.misses(stored):
        text = was_set_back(name, missing)
    elif status["connector"]["state"] in ("PAUSED", "STOPPED"):
        text = f"connector {name} is {status['connector']['state'].lower()} by hand; apply connector/{name}: it goes on where it stood"
    elif {"RUNNING"} != states(status):
        text = f"connector {name} does not run{_why(status)}; {_way_out(status)}, then apply connector/{name}: it goes on where it stood"
    elif slot.active and silence is not None and min(silence, slot.read_for or silence) > _SILENCE:
        text = f"connector {name} seems to run, but has sent no pulse for {silence:.0f} s; look at Kafka Connect's log and restart it"
    else:
        return _judge_slot(name, slot, facts)
    return Health(State.FAILED, text, facts)


# Where a connector or its topics cannot become what the spec says. The filters of an outbox stand in its topics, so it has no such way.
ANEW = "give the source a new `connector` name, `headrace prune` the old one and apply: all rows are read again into new topics"


def was_set_back(name: str, lost: int | str) -> str:
    """Of a connector that has read so many bytes of WAL which its server does not have."""
    return f"the source's server was set back: connector {name} has read {lost} bytes of WAL that are not there; {_REREAD}"


def _judge_slot(name: str, slot: Slot, facts: Mapping[str, Any]) -> Health:
    if slot.used > _MUCH:
        left = f"{max(0, slot.safe or 0) / 2**20:.0f} MiB"
        text = f"slot {slot.name} falls behind: after {left} more of WAL PostgreSQL gives it up; find what slows connector {name}"
        return Health(State.FAILED if slot.used > _TOO_MUCH else State.WARNING, text, facts)
    if not slot.active:
        text = f"nobody reads slot {slot.name} just now: connector {name} reads its first snapshot, or it is connecting"
        return Health(State.WARNING, text, facts)
    return Health(State.PASSED, f"connector {name} runs; {slot.lag} bytes of WAL are left to read", facts)


def _facts(status: Mapping[str, Any], slot_name: str, slot: Slot | None) -> dict[str, str | int | float | None]:
    tasks = ", ".join(task["state"] for task in status["tasks"])
    facts: dict[str, str | int | float | None] = {"connector": status["connector"]["state"], "tasks": tasks or "none", "slot": slot_name}
    if slot is not None:
        facts |= {
            "slot_lag_bytes": slot.lag,
            "wal_retained_bytes": slot.retained,
            "wal_status": slot.wal_status,
            "slot_active": str(slot.active),
        }
    return facts


def states(status: Mapping[str, Any]) -> set[str]:
    """Of the connector and its tasks; a connector without a task has one that is missing."""
    return {status["connector"]["state"], *(task["state"] for task in status["tasks"])} | (set() if status["tasks"] else {"no task"})


def last_cause(trace: str) -> str:
    """The message of the innermost exception of a Java stack trace."""
    text = re.split(r"\n\s*at ", trace.rsplit("Caused by: ", 1)[-1], maxsplit=1)[0]
    message = " ".join(line.strip() for line in text.splitlines())
    return re.sub(r"^(?:[a-z_][\w$]*\.)+[A-Z][\w$.]*:\s+", "", message)


def _why(status: Mapping[str, Any]) -> str:
    trace = _trace(status)
    return f": {last_cause(trace).rstrip('.')}" if trace else ""


def _way_out(status: Mapping[str, Any]) -> str:
    if "RecordTooLargeException" not in _trace(status):
        return "mend the cause"
    said = f"a changed row has more than {LARGEST_RECORD / 2**20:.0f} MB, counted with what it was before"
    return f"{said}: leave its largest column out of `columns` in the source's spec"


def _trace(status: Mapping[str, Any]) -> str:
    return next((trace for part in (*status["tasks"], status["connector"]) if (trace := part.get("trace"))), "")
