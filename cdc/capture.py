"""A source → what must hold in its database, and the SQL that makes it so."""

from collections.abc import Iterator, Mapping
from typing import Any

from cdc.names import slot
from project.environment import SourceDatabase
from project.models import Project, Source
from project.resources import Document
from project.topics import PULSE_TABLE, SIGNAL_TABLE

# Our own tables in the source: columns, key, and what the capture role does with them.
OWN_TABLES: dict[str, dict[str, Any]] = {
    f"public.{PULSE_TABLE}": {
        "columns": {"source": "text", "at": "timestamptz"}, "key": ["source"], "grants": ["delete", "insert", "select", "update"],
    },
    f"public.{SIGNAL_TABLE}": {
        "columns": {"id": "text", "type": "text", "data": "text"}, "key": ["id"], "grants": ["insert", "select"],
    },
}  # fmt: skip
_DDL = {
    f"public.{PULSE_TABLE}": "source text primary key, at timestamptz not null",
    f"public.{SIGNAL_TABLE}": "id text primary key, type text not null, data text",
}
_CHANGES = ("insert", "update", "delete")


def capture(project: Project, source: Source, database: SourceDatabase) -> dict[str, Any]:
    """The document: all that Debezium relies on. Types are PostgreSQL's own names for them."""
    captured: dict[str, dict[str, Any]] = {
        f"{table.schema_}.{name}": {
            "columns": {column: spec.mapping.postgres for column, spec in table.columns.items()},
            "key": list(table.key),
            "grants": ["select"],
        }
        for name, table in source.captured.items()
    }
    tables = {name: {**table, "replica_identity": "full"} for name, table in (captured | OWN_TABLES).items()}
    return {
        "wal_level": "logical",
        "role": {"name": database.capture.user, "login": True, "replication": True},
        "grants": {"connect": True, "usage": sorted({name.partition(".")[0] for name in tables})},
        "publication": {"name": slot(project, source), "tables": sorted(tables), "operations": [*_CHANGES, "truncate"]},
        "tables": tables,
    }


def comment(project: str, resource_name: str, digest: str) -> str:
    """The mark on the publication."""
    return f"capture/{resource_name}: read by Debezium [headrace {project} {digest}]"


def statements(desired: Document, observed: Document | None, database: str, mark: str) -> Iterator[str]:
    """The statements that make observed equal desired; all of them if nothing was observed. Repeatable."""
    seen: Mapping[str, Any] = observed or {"grants": {}, "tables": {}}
    role, publication = quote(desired["role"]["name"]), desired["publication"]
    for name, ddl in _DDL.items():
        if name not in seen["tables"]:
            yield f"create table if not exists {qualified(name)} ({ddl})"
    if not seen["grants"].get("connect"):
        yield f"grant connect on database {quote(database)} to {role}"
    for schema in desired["grants"]["usage"]:
        if schema not in seen["grants"].get("usage", ()):
            yield f"grant usage on schema {quote(schema)} to {role}"
    for name, table in desired["tables"].items():
        found = seen["tables"].get(name, {})
        if found.get("grants") != table["grants"]:
            yield f"grant {', '.join(table['grants'])} on {qualified(name)} to {role}"
        if found.get("replica_identity") != table["replica_identity"]:
            yield f"alter table {qualified(name)} replica identity full"
    yield from _publish(publication, seen.get("publication"), mark)


def missed(desired: Document, observed: Document) -> tuple[str, ...]:
    """The captured tables (schema.table) whose changes, or some of them, an observed publication does not hold."""
    wanted, publication = desired["publication"], observed["publication"]
    lacks = not set(_CHANGES) <= set(publication["operations"])
    return tuple(name for name in wanted["tables"] if name not in OWN_TABLES and (lacks or name not in publication["tables"]))


def _publish(desired: Mapping[str, Any], observed: Mapping[str, Any] | None, mark: str) -> Iterator[str]:
    name, tables = quote(desired["name"]), ", ".join(map(qualified, desired["tables"]))
    operations = ", ".join(desired["operations"])
    if observed is None:
        yield f"create publication {name} for table {tables} with (publish = '{operations}')"
    elif observed["tables"] != desired["tables"]:
        yield f"alter publication {name} set table {tables}"
    if observed is not None and observed["operations"] != desired["operations"]:
        yield f"alter publication {name} set (publish = '{operations}')"
    yield f"comment on publication {name} is '{mark}'"


def qualified(name: str) -> str:
    """schema.table, quoted."""
    schema, _, table = name.partition(".")
    return f"{quote(schema)}.{quote(table)}"


def quote(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'
