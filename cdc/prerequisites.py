"""What a source must bring along, because Headrace does not change it: its tables, keys, role and WAL level."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from cdc.capture import OWN_TABLES, qualified, quote
from project.resources import Document
from project.types import map_type

_STRINGS = ("text", "varchar", "char", "uuid", "enum", "citext", "name")
_INTEGERS = ("smallint", "integer", "bigint")  # each can be read as any later one


def read_as(declared: str, actual: str) -> str:
    """The declared type if every value of the actual one can be read as it, else the actual type."""
    with suppress(ValueError):  # a type without a mapping; a text column may still read it
        actual = map_type(actual).postgres
    if declared == "text" and actual.partition("(")[0] in _STRINGS:
        return declared
    if declared in _INTEGERS and actual in _INTEGERS[: _INTEGERS.index(declared)]:
        return declared
    return actual


def missing(desired: Document, observed: Document) -> tuple[str, ...]:
    """What the source lacks, each with the statement or the edit that mends it."""
    return *_server(desired, observed), *(problem for name in desired["tables"] for problem in _table(name, desired, observed))


def lost_columns(desired: Document, tables: Mapping[str, Any]) -> dict[str, list[str]]:
    """Of the captured tables (schema.table) that are there, the captured columns that are not: what changes comes without them."""
    lost = {name: sorted(desired["tables"][name]["columns"].keys() - table["columns"].keys()) for name, table in tables.items()}
    return {name: columns for name, columns in lost.items() if columns}


def _server(desired: Document, observed: Document) -> Iterator[str]:
    if observed["wal_level"] != "logical":
        way_out = "run `alter system set wal_level = 'logical'` and restart the server, or set it among its parameters"
        yield f"wal_level is {observed['wal_level']}, not logical; {way_out}"
    slot, slots, most = desired["publication"]["name"], observed["slots"], observed["most_slots"]
    if slot not in slots and len(slots) >= most:
        way_out = f"run `alter system set max_replication_slots = {most + 10}` and restart the server, or drop one that nobody reads"
        yield f"all {most} replication slots are taken ({', '.join(slots)}); {way_out}"
    role = quote(desired["role"]["name"])
    if observed["role"]["name"] is None:
        yield f"role {role} does not exist; run `create role {role} login replication password '…'`"
    elif observed["role"] != desired["role"]:
        way_out = f"run `alter role {role} login replication`, on RDS `grant rds_replication to {role}`"
        yield f"role {role} may not log in or replicate; {way_out}"


def _table(name: str, desired: Document, observed: Document) -> Iterator[str]:
    wanted: Mapping[str, Any] = desired["tables"][name]
    found: Mapping[str, Any] | None = observed["tables"].get(name)
    if found is None:
        if name not in OWN_TABLES:
            yield f"table {name} does not exist; correct its name in the spec or create it"
        return
    if found.get("partitioned"):
        way_out = "leave it out of the spec, or name its partitions there, each as a table"
        yield f"table {name} is partitioned, and its changes are published under the names of its partitions; {way_out}"
        return
    if not found["key"]:
        key = ", ".join(map(quote, wanted["key"]))
        yield f"table {name} has no primary key; run `alter table {qualified(name)} add primary key ({key})`"
    elif found["key"] != wanted["key"]:
        yield f"the primary key of {name} is ({', '.join(found['key'])}), not ({', '.join(wanted['key'])}); correct `key` in the spec"
    for column, kind in wanted["columns"].items():
        actual = found["columns"].get(column)
        if actual is None:
            yield f"column {name}.{column} does not exist; the table has {', '.join(found['columns'])}; correct the spec or add the column"
        elif actual != kind:
            yield f"column {name}.{column} is {actual}, not {kind}; correct its type in the spec"
