"""What an operator is told about a connector."""

from typing import Any

import pytest

from cdc.health import judge_connector, last_cause
from cdc.slots import Slot
from project.resources import State

SLOT = Slot(
    "headrace_shop", active=True, wal_status="reserved", lag=56, retained=56, written=9000, safe=4_000_000_000, invalidation=None,
    read_for=3600,
)  # fmt: skip
TRACE = """org.apache.kafka.connect.errors.ConnectException: An exception occurred in the change event producer.
\tat io.debezium.pipeline.ErrorHandler.setProducerThrowable(ErrorHandler.java:67)
Caused by: org.postgresql.util.PSQLException: ERROR: permission denied for table orders
\tat org.postgresql.core.v3.QueryExecutorImpl.receiveErrorResponse(QueryExecutorImpl.java:2725)
\t... 7 more
"""


def status(connector: str = "RUNNING", *tasks: str, trace: str | None = None) -> dict[str, Any]:
    return {"connector": {"state": connector}, "tasks": [{"id": 0, "state": task, **({"trace": trace} if trace else {})} for task in tasks]}


def slot(**changes: Any) -> Slot:
    return Slot(**{**vars(SLOT), **changes})


@pytest.mark.parametrize(
    ("found", "source_slot", "silence", "state", "says"),
    [
        (status("RUNNING", "RUNNING"), SLOT, 3, State.PASSED, "56 bytes of WAL"),
        (None, SLOT, None, State.FAILED, "apply connector/shop"),
        (status("RUNNING", "FAILED", trace=TRACE), SLOT, 3, State.FAILED, "does not run: ERROR: permission denied for table orders;"),
        (status("RUNNING"), SLOT, 3, State.FAILED, "does not run"),
        (status("PAUSED", "PAUSED"), SLOT, 3, State.FAILED, "paused by hand; apply connector/shop"),
        (status("RUNNING", "RUNNING"), None, 3, State.FAILED, "do not create the slot by hand"),
        (status("RUNNING", "RUNNING"), slot(wal_status="lost"), 3, State.FAILED, "PostgreSQL gave up"),
        (status("RUNNING", "RUNNING"), slot(invalidation="idle_timeout"), 3, State.FAILED, "(idle_timeout)"),
        (status("RUNNING", "RUNNING"), SLOT, 90, State.FAILED, "no pulse for 90 s"),
        (status("RUNNING", "RUNNING"), slot(read_for=None), 90, State.FAILED, "no pulse for 90 s"),
        (status("RUNNING", "RUNNING"), slot(read_for=2), 1800, State.PASSED, "runs"),  # everything has just been started again
        (status("RUNNING", "RUNNING"), slot(safe=10 << 20, retained=10 << 20), 3, State.PASSED, "runs"),
        (status("RUNNING", "RUNNING"), slot(safe=3 << 20, retained=10 << 20), 3, State.WARNING, "after 3 MiB more"),
        (status("RUNNING", "RUNNING"), slot(safe=2 << 20, retained=10 << 20), 3, State.FAILED, "after 2 MiB more"),
        (status("RUNNING", "RUNNING"), slot(safe=-5, retained=10 << 20), 3, State.FAILED, "after 0 MiB more"),
        (status("RUNNING", "RUNNING"), slot(active=False), 90, State.WARNING, "nobody reads slot"),
        (status("RUNNING", "RUNNING"), SLOT, None, State.PASSED, "runs"),
    ],
)
def test_health_says_what_is_wrong_and_what_to_do(
    found: dict[str, Any] | None, source_slot: Slot | None, silence: float | None, state: State, says: str
):
    health = judge_connector("shop", found, "headrace_shop", source_slot, silence, 8944)
    assert health.state is state
    assert says in health.text


@pytest.mark.parametrize(("stored", "state"), [(None, State.PASSED), (9000, State.PASSED), (9001, State.FAILED)])
def test_a_server_that_was_set_back_is_seen_while_it_stands_before_the_stored_position(stored: int | None, state: State):
    health = judge_connector("shop", status("RUNNING", "RUNNING"), "headrace_shop", SLOT, 3, stored)
    assert health.state is state
    assert ("1 bytes of WAL that are not there; changes are missing: run `headrace reread`" in health.text) == (state is State.FAILED)


def test_a_stack_trace_is_told_by_its_last_cause():
    assert last_cause(TRACE) == "ERROR: permission denied for table orders"
