"""Which changes an analytics table refuses: they are written as its stream writes them, for a trial or for good."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg.sql import SQL, Composed, Identifier, Placeholder

from analytics_sql.connections import Connection, connection
from project.environment import AnalyticsDatabase
from project.models import Column, SourceTable
from project.resources import Refused

Change = Mapping[str, Any]  # as Debezium writes it: op, before, after, source
_TOGETHER = 100  # changes that are written at once; only where one is refused each is written by itself
# Sooner than PostgreSQL looks for a deadlock: a trial gives way to a job that is back, which would fail once more by losing one.
_YIELDS = "set local lock_timeout = '500ms'"
_REFUSED = (psycopg.DataError, psycopg.IntegrityError, psycopg.errors.ProgramLimitExceeded)
_ORIGIN = ("source_committed_at", "source_position", "from_snapshot")


def refusals(
    database: AnalyticsDatabase, schema: str, target: str, table: SourceTable, changes: Sequence[Change], keep: bool
) -> dict[int, str]:
    """By their numbers the changes that the table does not take, with what PostgreSQL says of each. The others stay if they are to keep."""
    writes = [_write(Identifier(schema, target), table, change) for change in changes]
    found: dict[int, str] = {}
    with connection(database, database.writer, f"table {target}") as connected, connected.transaction(force_rollback=not keep):
        if not keep:
            connected.execute(_YIELDS)
        for first in range(0, len(writes), _TOGETHER):
            part = writes[first : first + _TOGETHER]
            if _refusal(connected, part) is not None:
                said = ((number, _refusal(connected, [write])) for number, write in enumerate(part, first))
                found |= {number: text for number, text in said if text is not None}
    return found


def _refusal(connected: Connection, writes: Sequence[tuple[Composed, list[Any]]]) -> str | None:
    """What PostgreSQL says when it does not take them; None when they are written."""
    try:
        with connected.transaction():
            for statement, values in writes:
                connected.execute(statement, values)
    except _REFUSED as error:
        return error.diag.message_primary or str(error)
    except psycopg.errors.LockNotAvailable as error:
        raise Refused("others write the rows that wait before a stream at this moment; they are looked at again") from error
    return None


def _write(target: Identifier, table: SourceTable, change: Change) -> tuple[Composed, list[Any]]:
    row = {name: change["before"][name] for name in table.key} if change["op"] == "d" else change["after"]
    names = [Identifier(name) for name in (*table.target_columns, *_ORIGIN)]
    values = SQL(", ").join([*map(_expression, table.columns.values()), SQL("to_timestamp(%s / 1000.0) at time zone 'utc', %s, %s")])
    statement = SQL("insert into {} ({}) values ({}) on conflict ({}) do update set {}").format(
        target, SQL(", ").join(names), values, SQL(", ").join(map(Identifier, table.target_key)),
        SQL(", ").join(SQL("{0} = excluded.{0}").format(name) for name in names),
    )  # fmt: skip
    columns = [_text(row.get(name)) for name, column in table.columns.items() for _ in range(_uses(column))]
    return statement, columns + _origin(change)


def _expression(column: Column) -> Composed:
    """Flink's expression, which PostgreSQL reads as well; a plain value is left to what the column is."""
    if column.mapping.value == "{}":
        return Composed([Placeholder()])
    said = SQL(column.mapping.value.replace("{0}", "{}"))  # pyright: ignore[reportArgumentType] - our own text
    typed = SQL(column.mapping.analytics)  # pyright: ignore[reportArgumentType]
    return SQL("({})::{}").format(said.format(*[SQL("%s::text")] * _uses(column)), typed)


def _uses(column: Column) -> int:
    """How often Flink's expression names the value."""
    return column.mapping.value.replace("{0}", "{}").count("{}")


def _origin(change: Change) -> list[Any]:
    source = change.get("source") or {}
    from_snapshot = str(source.get("snapshot") or "false").lower() != "false"
    position = -int(source["lsn"]) if change["op"] == "d" else None if from_snapshot else source.get("lsn")
    return [source.get("ts_ms"), position, from_snapshot]


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)
