"""What the analytics database should hold, as documents: one for the schema, one per table, one per view.

A document says all that is compared with the live object, and is all that its SQL is made from.
"""

from collections.abc import Iterable
from typing import Any

from project.environment import AnalyticsDatabase
from project.models import SourceTable, View
from project.references import ADDED_COLUMNS, KeptTable, TableColumn

# A dashboard that takes longer than this helps nobody, and would take the machine from the others.
READER_SETTINGS = {"default_transaction_read_only": "on", "statement_timeout": "30s", "timezone": "UTC"}
_WRITES = ("DELETE", "INSERT", "SELECT", "UPDATE")


def database_name(analytics: AnalyticsDatabase) -> str:
    """The analytics database; "analyticsdb" unless the environment says otherwise."""
    return analytics.database or "analyticsdb"


def schema_document(project: str, analytics: AnalyticsDatabase, description: str, arrival: str) -> dict[str, Any]:
    """The schema, what the two roles may do in it, and how the reader's sessions begin."""
    roles = (analytics.writer.user, analytics.reader.user)
    return {
        "project": project,
        "comment": description,
        "connect": dict.fromkeys(roles, True),
        "grants": {role: ["USAGE"] for role in roles},
        "reader_settings": {analytics.reader.user: READER_SETTINGS},
        "arrival_function": arrival,
    }


def table_document(project: str, analytics: AnalyticsDatabase, source: SourceTable, description: str, departure: str) -> dict[str, Any]:
    """A mirror's target: the source's columns and key, and the columns of its arrival."""
    columns = {name: TableColumn(column.mapping.analytics, column.description) for name, column in source.target_columns.items()}
    return _table(project, analytics, description or source.description, source.target_key, columns, departure)


def kept_document(project: str, analytics: AnalyticsDatabase, kept: KeptTable, departure: str) -> dict[str, Any]:
    """A table of Headrace's own."""
    written = (departure, _WRITES) if kept.arrives else (None, kept.grants)
    document = _table(project, analytics, kept.description, kept.key, kept.columns, *written)
    return document | ({"index": list(kept.index)} if kept.index else {})


def view_document(project: str, analytics: AnalyticsDatabase, view: View) -> dict[str, Any]:
    """A view, which the reader and nobody else may select from."""
    return {
        "project": project,
        "relation": "view",
        "comment": view.description,
        "sql": view.sql,
        "columns": {name: {"comment": column.description} for name, column in view.columns.items()},
        "grants": view_grants(analytics),
    }


def view_grants(analytics: AnalyticsDatabase) -> dict[str, list[str]]:
    """What the two roles may do with any view."""
    return {analytics.reader.user: ["SELECT"], analytics.writer.user: []}


def _table(
    project: str,
    analytics: AnalyticsDatabase,
    description: str,
    key: Iterable[str],
    columns: dict[str, TableColumn],
    departure: str | None,
    grants: tuple[str, ...] = _WRITES,
) -> dict[str, Any]:
    """`departure` is what it does with a deletion; None if no stream writes it."""
    key, arrives = list(key), departure is not None
    return {
        "project": project,
        "relation": "table",
        "comment": description,
        "key": key,
        "columns": {
            name: {"type": column.type, "required": name in key, "comment": column.description}
            | ({"default": column.default} if column.default else {})
            for name, column in (columns | (ADDED_COLUMNS if arrives else {})).items()
        },
        "retired_columns": [],
        "arrival_trigger": arrives,
        "departure_function": departure,
        "grants": {analytics.writer.user: list(grants), analytics.reader.user: []},
    }
