"""What the analytics database holds, in the words of the documents it is compared with."""

from functools import cache
from pathlib import Path
from typing import Any, LiteralString, cast

from analytics_sql.connections import Connection
from analytics_sql.marks import definition_digest, unmark
from analytics_sql.statements import ARRIVAL, DEPARTURE
from project.resources import Document, Resource


@cache
def query(name: str) -> LiteralString:
    """A query on PostgreSQL's catalogue, kept beside this module."""
    return cast(LiteralString, Path(__file__).with_name(f"{name}.sql").read_text())


def observe(connected: Connection, schema: str, resource: Resource) -> Document | None:
    """The observed document of any resource of this room; None if it does not exist."""
    if resource.kind == "schema":
        return _observe_schema(connected, resource)
    row = _relation(connected, schema, resource)
    if row is None:
        return None
    comment = unmark(row["comment"])
    document = {**row, "project": comment.project, "comment": comment.text}
    if resource.kind == "view":
        unchanged = comment.digest == definition_digest(resource.document["sql"], row["definition"] or "")
        return document | {"sql": resource.document["sql"] if unchanged else (row["definition"] or "").strip()}
    return document | _table_columns(resource, row["columns"] or {})


def _observe_schema(connected: Connection, resource: Resource) -> Document | None:
    [reader] = resource.document["reader_settings"]
    parameters = {"name": resource.name, "arrival": ARRIVAL, "roles": list(resource.document["grants"]), "reader": reader}
    row = connected.execute(query("observed_schema"), parameters).fetchone()
    if row is None:
        return None
    comment = unmark(row["comment"])
    return {**row, "project": comment.project, "comment": comment.text, "reader_settings": {reader: row["reader_settings"] or {}}}


def _relation(connected: Connection, schema: str, resource: Resource) -> dict[str, Any] | None:
    roles = list(resource.document["grants"])
    parameters = {"schema": schema, "name": resource.name, "arrival": ARRIVAL, "departure": DEPARTURE, "roles": roles}
    return connected.execute(query("observed_relation"), parameters).fetchone()


def _table_columns(resource: Resource, live: dict[str, Any]) -> dict[str, Any]:
    comments = {name: unmark(column["comment"]) for name, column in live.items()}
    ours = resource.document["project"]
    return {
        "columns": {name: {**column, "comment": comments[name].text} for name, column in live.items()},
        # Ours by their mark, but no longer declared; a column that somebody added by hand has no mark.
        "retired_columns": [name for name in live if comments[name].project == ours and name not in resource.document["columns"]],
    }
