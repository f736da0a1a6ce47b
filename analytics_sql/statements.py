"""The SQL that makes a document real. What `headrace render` shows is what is run."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from analytics_sql.marks import mark

ARRIVAL, DEPARTURE = "headrace_arrival", "headrace_departure"
# Upserts by key meet every row that is read twice: a change that is already stored, or older, is not a write.
# Comparing whole rows costs more than all the rest, so newer positions do without.
ARRIVAL_BODY = """
begin
  if (new.source_position > old.source_position) is not true
    and (new.source_position < old.source_position or new is not distinct from old) then
    return null;
  end if;
  new.synced_at := clock_timestamp() at time zone 'utc';
  return new;
end
"""
# A deletion is written as a row whose position is negative (flink/sql.py).
_DEPARTURE_BODY = """
begin
  delete from {table} as kept
  where {same} and (kept.source_position is null or kept.source_position <= -new.source_position);
  return null;
end
"""


def quoted(*names: str) -> str:
    """A possibly qualified identifier."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def departure_body(schema: str, table: str, key: Iterable[str]) -> str:
    """What a table does with a deletion: the row goes, unless it holds a newer change."""
    same = " and ".join(f"kept.{quoted(name)} = new.{quoted(name)}" for name in key)
    return _DEPARTURE_BODY.format(table=quoted(schema, table), same=same)


def schema_statements(schema: str, database: str, document: Mapping[str, Any], digest: str) -> Iterator[str]:
    """Create the schema where it is missing, and set all that the document says of it. Safe to run again."""
    name = quoted(schema)
    yield f"create schema if not exists {name}"
    yield f"comment on schema {name} is {literal(mark(document['comment'], document['project'], digest))}"
    yield f"revoke create on schema {name} from public"
    for role, privileges in document["grants"].items():
        yield f"grant connect on database {quoted(database)} to {quoted(role)}"
        yield f"revoke all on schema {name} from {quoted(role)}"
        yield f"grant {', '.join(privileges).lower()} on schema {name} to {quoted(role)}"
    for role, settings in document["reader_settings"].items():
        for setting, value in settings.items():
            yield f"alter role {quoted(role)} in database {quoted(database)} set {setting} = {literal(value)}"
    yield _trigger_function(quoted(schema, ARRIVAL), document["arrival_function"])


def create_table(schema: str, table: str, document: Mapping[str, Any]) -> str:
    lines = [_column(name, column) for name, column in document["columns"].items()]
    lines.append(f"primary key ({', '.join(map(quoted, document['key']))})")
    return f"create table {quoted(schema, table)} (\n  " + ",\n  ".join(lines) + "\n)"


def add_column(schema: str, table: str, name: str, column: Mapping[str, Any]) -> str:
    return f"alter table {quoted(schema, table)} add column {_column(name, column)}"


def set_default(schema: str, table: str, name: str, default: str) -> str:
    return f"alter table {quoted(schema, table)} alter column {quoted(name)} set default {default}"


def finish_table(schema: str, table: str, document: Mapping[str, Any], digest: str) -> Iterator[str]:
    """Comments, index, trigger and grants of a table that has its columns. Safe to run again."""
    name = quoted(schema, table)
    yield f"comment on table {name} is {literal(mark(document['comment'], document['project'], digest))}"
    for column, said in document["columns"].items():
        yield f"comment on column {name}.{quoted(column)} is {literal(mark(said['comment'], document['project']))}"
    if "index" in document:
        yield f"create index if not exists {quoted(f'{table}_index')} on {name} ({', '.join(map(quoted, document['index']))})"
    if document["arrival_trigger"]:
        yield _trigger_function(name, document["departure_function"])
        # Replacing a trigger, unlike dropping it, does not wait for those who read the table; it enables the trigger again.
        yield f"create or replace trigger {ARRIVAL} before update on {name} for each row execute function {quoted(schema, ARRIVAL)}()"
        gone = "when (new.source_position < 0)"
        yield f"create or replace trigger {DEPARTURE} before insert on {name} for each row {gone} execute function {name}()"
    yield from _grants(name, document)


def create_view(schema: str, view: str, select: str) -> str:
    return f"create or replace view {quoted(schema, view)} as\n{select}"


def finish_view(schema: str, view: str, document: Mapping[str, Any], digest: str = "") -> Iterator[str]:
    """Comments and grants of a view. The digest is known once PostgreSQL has parsed the view."""
    name = quoted(schema, view)
    yield f"comment on view {name} is {literal(mark(document['comment'], document['project'], digest))}"
    for column, said in document["columns"].items():
        yield f"comment on column {name}.{quoted(column)} is {literal(said['comment'])}"
    yield from _grants(name, document)


def script(statements: Iterator[str]) -> str:
    """Statements as one text for people to read."""
    return "".join(f"{statement.rstrip()};\n" for statement in statements)


def _column(name: str, column: Mapping[str, Any]) -> str:
    default = f" default {column['default']}" if "default" in column else ""
    return f"{quoted(name)} {column['type']}{default}" + (" not null" if column["required"] else "")


def _trigger_function(name: str, body: str) -> str:
    return f"create or replace function {name}() returns trigger language plpgsql as $body${body}$body$"


def _grants(name: str, document: Mapping[str, Any]) -> Iterator[str]:
    yield f"revoke all on {name} from public, {', '.join(map(quoted, document['grants']))}"
    for role, privileges in document["grants"].items():
        if privileges:
            yield f"grant {', '.join(privileges).lower()} on {name} to {quoted(role)}"
