"""How a connector is, judged from Kafka Connect's report and the slot at the source."""

import re
from collections.abc import Mapping
from typing import Any

from cdc.slots import Slot
from project.resources import Health, State

_REREAD = "changes of that time cannot be had again: see docs/operation.md, a gap at the source, and do not create the slot by hand"


def judge_connector(name: str, status: Mapping[str, Any] | None, slot_name: str, slot: Slot | None) -> Health:
    """Health of a connector that should run."""
    if status is None:
        return Health(State.FAILED, f"connector {name} does not exist, so its tables stand still; apply connector/{name}")
    state, tasks = status["connector"]["state"], status["tasks"]
    facts = {
        "connector": state, "tasks": ", ".join(task["state"] for task in tasks) or "none", "slot": slot_name,
        "slot_active": str(slot.active).lower() if slot else None, "slot_lag_bytes": slot.lag if slot else None,
        "wal_status": slot.wal_status if slot else None, "wal_retained_bytes": slot.retained if slot else None,
    }  # fmt: skip
    if slot is None:
        return Health(State.FAILED, f"replication slot {slot_name} does not exist{_why(status)}; if the connector ran before, {_REREAD}", facts)
    if slot.lost:
        return Health(State.FAILED, f"PostgreSQL gave up replication slot {slot_name} ({slot.invalidation or slot.wal_status}); {_REREAD}", facts)
    if state in ("PAUSED", "STOPPED"):
        return Health(State.FAILED, f"connector {name} is {state.lower()} by hand; apply connector/{name} to let it go on where it stood", facts)
    if state != "RUNNING" or not tasks or any(task["state"] != "RUNNING" for task in tasks):
        return Health(State.FAILED, f"connector {name} does not run{_why(status)}; mend the cause, then restart its failed tasks or apply it", facts)
    if slot.safe is not None and slot.retained is not None and slot.safe < slot.retained:
        left = f"{slot.safe / 2**20:.0f} MiB"
        return Health(State.WARNING, f"slot {slot_name} falls behind; PostgreSQL gives it up after {left} more of WAL; find what slows connector {name}", facts)
    if not slot.active:
        return Health(State.WARNING, f"nobody reads slot {slot_name} just now: the connector reads its first snapshot or is connecting", facts)
    return Health(State.PASSED, f"connector {name} runs; {slot.lag} bytes of WAL to read", facts)


def last_cause(trace: str) -> str:
    """The message of the innermost exception of a Java stack trace."""
    text = re.split(r"\n\s*at ", trace.rsplit("Caused by: ", 1)[-1], maxsplit=1)[0]
    message = " ".join(line.strip() for line in text.splitlines())
    return re.sub(r"^(?:[a-z_][\w$]*\.)+[A-Z][\w$.]*:\s+", "", message)


def _why(status: Mapping[str, Any]) -> str:
    traces = (part.get("trace") for part in (*status["tasks"], status["connector"]))
    trace = next((trace for trace in traces if trace), None)
    return f": {last_cause(trace).rstrip('.')}" if trace else ""
