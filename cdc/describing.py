"""Reads what a live PostgreSQL database holds: one transaction, read only, bounded in time."""

from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from project.described import DescribedColumn, DescribedDatabase, DescribedTable
from project.resources import Refused, Unreachable

_TABLES = Path(__file__).with_name("described_tables.sql").read_bytes()
_COMMENT = b"select coalesce(shobj_description(oid, 'pg_database'), '') as comment from pg_database where datname = current_database()"
_SCHEMAS = b"select nspname as name from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema' order by 1"


def describe_database(dsn: str, schema: str = "public") -> tuple[DescribedDatabase, tuple[str, int]]:
    """The database behind a libpq connection string, and its host and port. A refusal never shows the string: it may hold a password."""
    try:
        opened = psycopg.Connection[dict[str, Any]].connect(
            dsn, connect_timeout=5, application_name="headrace", options="-c statement_timeout=15s -c lock_timeout=5s", row_factory=dict_row
        )
    except psycopg.OperationalError as error:
        cause = (str(error).strip().splitlines() or ["no answer"])[0]
        raise Unreachable(f"the source does not answer: {cause}; start it, or correct the connection string") from None
    except psycopg.Error:
        expected = 'expected "postgresql://USER@HOST:PORT/DATABASE" or "host=… dbname=…"'
        raise Refused(f"the connection string cannot be read; {expected}; correct it, and give the password in PGPASSWORD") from None
    try:
        with opened:
            opened.read_only = True
            return _described(opened, schema), (opened.info.host, opened.info.port)
    except psycopg.Error as error:
        cause = error.diag.message_primary or type(error).__name__
        raise Refused(f"the source refuses: {cause}; import as a login that may read its catalogue") from None


def _described(opened: psycopg.Connection[dict[str, Any]], schema: str) -> DescribedDatabase:
    schemas = [row["name"] for row in opened.execute(_SCHEMAS).fetchall()]
    if schema not in schemas:
        raise Refused(f"database {opened.info.dbname} has no schema {schema}; it has {', '.join(schemas)}; name one with --schema")
    comment = (opened.execute(_COMMENT).fetchone() or {"comment": ""})["comment"]
    return DescribedDatabase(opened.info.dbname, comment, tuple(map(_table, opened.execute(_TABLES, {"schema": schema}))))


def _table(row: dict[str, Any]) -> DescribedTable:
    columns = tuple(DescribedColumn(**column) for column in row["columns"])
    return DescribedTable(**{**row, "columns": columns, "key": tuple(row["key"]), "unique": tuple(row["unique"])})
