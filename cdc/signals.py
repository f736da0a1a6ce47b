"""Rows that no change tells of: Debezium is asked to read them while it streams.

`snapshot.mode=initial` reads what is captured at the first start only; what is added later would begin with its next change.
"""

import json
import re
from collections.abc import Iterable, Mapping
from uuid import uuid4

from cdc.capture import OWN_TABLES
from cdc.databases import Connection
from project.topics import SIGNAL_TABLE

_COLUMNS = re.compile(r"(\w+)\[\.\](\w+)\[\.\]\(([^)]*)\)")  # as cdc.connectors writes them


def captured_tables(config: Mapping[str, str]) -> tuple[str, ...]:
    """The user's tables (schema.table) that a configuration captures."""
    return tuple(_captured(config))


def added_tables(desired: Mapping[str, str], observed: Mapping[str, str]) -> tuple[str, ...]:
    """The tables that the desired configuration captures, wholly or with columns that the observed one does not."""
    before = _captured(observed)
    return tuple(table for table, columns in _captured(desired).items() if not columns <= before.get(table, set()))


def reshaped_tables(one: Mapping[str, str], other: Mapping[str, str]) -> set[str]:
    """The tables of which one configuration captures columns that the other does not."""
    return {*added_tables(one, other), *added_tables(other, one)}


def snapshot_signal(tables: Iterable[str]) -> tuple[str, str]:
    """Type and data of the signal that makes Debezium read tables (schema.table) anew, in chunks between the changes."""
    return "execute-snapshot", json.dumps({"type": "incremental", "data-collections": list(tables)})


def rows_signal(table: str, condition: str) -> tuple[str, str]:
    """The same for the rows of one table (schema.table) that meet a condition of SQL."""
    conditions = [{"data-collection": table, "filter": condition}]
    return "execute-snapshot", json.dumps({"type": "incremental", "data-collections": [table], "additional-conditions": conditions})


def send(source: Connection, signal: tuple[str, str]) -> None:
    """Leave a signal in the source: it is read at its place in the log, whenever Debezium comes there."""
    source.execute(f"insert into public.{SIGNAL_TABLE} (id, type, data) values (%s, %s, %s)", [str(uuid4()), *signal])


def _captured(config: Mapping[str, str]) -> dict[str, set[str]]:
    said = config.get("column.include.list", "")  # somebody may have taken it away: what it then captured is not known, so none
    found = {f"{schema}.{table}": set(columns.split("|")) for schema, table, columns in _COLUMNS.findall(said)}
    return {table: columns for table, columns in found.items() if table not in OWN_TABLES}
