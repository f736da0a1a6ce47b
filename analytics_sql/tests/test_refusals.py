"""Which changes a table refuses is found by writing them; nothing of a trial stays, and all else if it is to keep."""

from typing import Any

import pytest

from analytics_sql.connections import connection
from analytics_sql.refusals import _YIELDS, refusals
from analytics_sql.tests.applied import Analytics
from project.models import SourceTable
from project.resources import Refused

SOURCE = {"ts_ms": 1_790_000_000_000, "lsn": 5, "snapshot": "false"}
COLUMNS = {
    "id": "integer", "Total": "numeric(10,2)", "free": "numeric", "raw": "bytea", "said": "json", "list": "integer[]", "paid": "boolean",
}  # fmt: skip
ROW: dict[str, Any] = {
    "id": 1, "Total": "9.99", "free": "POSITIVE_INFINITY", "raw": "00ff", "said": '{"a": 1}', "list": [1, 2], "paid": True,
}  # fmt: skip


@pytest.fixture
def table() -> SourceTable:
    return SourceTable.model_validate({"key": ["id"], "columns": COLUMNS})


@pytest.fixture
def tried(analytics: Analytics, table: SourceTable) -> Any:
    """What an analytics table like those that Headrace makes says of changes."""
    columns = ", ".join(f'"{name}" {column.mapping.analytics}' for name, column in table.target_columns.items())
    origin = "source_committed_at timestamp, source_position bigint, from_snapshot boolean"
    analytics.ask(f"create table tried ({columns}, {origin}, primary key (id)); grant all on tried to headrace_writer")
    analytics.ask("insert into tried (id) values (100)")
    yield lambda *changes, keep=False: refusals(analytics.environment.analytics, "public", "tried", table, changes, keep)
    assert analytics.ask("select id from tried where id >= 100") == [{"id": 100}]


def change(op: str = "c", **values: Any) -> dict[str, Any]:
    return {"op": op, "before": ROW | values, "after": None if op == "d" else ROW | values, "source": SOURCE}


def test_what_a_stream_could_write_is_not_refused(tried: Any):
    nothing: dict[str, Any] = dict.fromkeys(COLUMNS) | {"id": 7}
    assert tried(change(), change("u", Total="10"), change("r", id=3), change("d"), change("d", id=99), change("c", **nothing)) == {}
    assert tried(change() | {"source": None}) == {}


def test_each_refused_change_is_told_with_the_reason_and_its_neighbours_are_not(analytics: Analytics, tried: Any):
    analytics.ask("alter table tried add constraint nothing_dear check (total < 100) not valid")
    changes = [change(id=number) for number in range(250)]
    changes[3], changes[120] = change(id=3, Total="100.00"), change(id=120, said='"\\u0000"')
    changes[249] = change(id=249, Total="1e20")
    assert tried(*changes) == {
        3: 'new row for relation "tried" violates check constraint "nothing_dear"',
        120: "unsupported Unicode escape sequence",
        249: "numeric field overflow",
    }


def test_what_is_not_refused_stays_if_it_is_to_keep(analytics: Analytics, tried: Any):
    changes = [change(id=1), change(id=2, Total="1e20"), change("u", id=1, Total="10.5"), change(id=3, said='"\\u0000"'), change(id=4)]
    assert set(tried(*changes)) == {1, 3} and analytics.ask("select id from tried") == [{"id": 100}]
    assert set(tried(*changes, keep=True)) == {1, 3}
    found = analytics.ask("select id, total::text, source_position from tried where id < 100 order by id")
    assert [tuple(row.values()) for row in found] == [(1, "10.50", 5), (4, "9.99", 5)]


def test_a_trial_gives_way_to_a_job_that_writes(analytics: Analytics, tried: Any):
    database = analytics.environment.analytics
    with connection(database, database.admin, "table tried") as job:
        job.execute("update public.tried set paid = true where id = 100")
        with pytest.raises(Refused, match="others write the rows"):
            tried(change(id=100))
        job.execute(_YIELDS)
        settings = job.execute("select setting::integer as ms from pg_settings where name ~ '^(dead)?lock_timeout$' order by name desc")
        patience, deadlock = (row["ms"] for row in settings)
        assert patience < deadlock, "then PostgreSQL looks for deadlocks, and one of both loses"
