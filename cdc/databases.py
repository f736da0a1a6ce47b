"""Connections to source databases, bounded in time, with PostgreSQL's failures told in its own words."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import psycopg
from psycopg.rows import dict_row

from project.environment import HALF_OPEN, Database, Environment, Login
from project.models import Source
from project.resources import Refused, Unreachable

Connection = psycopg.Connection[dict[str, Any]]

_LIMITS = "-c statement_timeout={timeout}s -c lock_timeout=5s"


@contextmanager
def connection(endpoint: Database, database: str, timeout: int = 15, login: Login | None = None) -> Iterator[Connection]:
    """One transaction, as the endpoint's admin if nobody else is named; committed at the end, rolled back by an exception. `timeout`
    bounds a statement, in s."""
    login = login or endpoint.admin
    place = f"PostgreSQL at {endpoint.host}:{endpoint.port}, database {database}"
    try:
        opened = psycopg.Connection[dict[str, Any]].connect(
            host=endpoint.host, port=endpoint.port, dbname=database, user=login.user, password=login.password.reveal(),
            connect_timeout=5, **HALF_OPEN, application_name="headrace", options=_LIMITS.format(timeout=timeout), row_factory=dict_row,
        )  # fmt: skip
    except psycopg.OperationalError as error:
        fix = "start it, or correct its endpoint in the environment file"
        raise Unreachable(f"{place} does not answer: {_first_line(error)}; {fix}") from error
    try:
        with opened:
            opened.execute("set timezone to 'UTC'")  # not as an option: what the server gives to others stays readable (risky_settings.sql)
            opened.commit()  # who asks for another isolation asks before its transaction
            yield opened
    except psycopg.Error as error:
        raise Refused(f"{place}: {error.diag.message_primary or _first_line(error)}") from error


def source_connection(environment: Environment, source: Source, timeout: int = 15) -> AbstractContextManager[Connection]:
    """The same to the database of a source, wherever the environment has it."""
    place = environment.source(source.name)
    return connection(place, place.database or source.database, timeout)


def _first_line(error: psycopg.Error) -> str:
    """The cause; what follows it is advice for another situation."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].strip()
