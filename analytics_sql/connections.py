"""Connections to the analytics database: bounded in time, the same whatever the server's settings, errors for the reader."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import LiteralString, cast

import psycopg
from psycopg.rows import DictRow, dict_row

from analytics_sql.documents import database_name
from project.environment import HALF_OPEN, AnalyticsDatabase, Login
from project.resources import Refused, Unreachable

_CONNECT_TIMEOUT = 5  # seconds
_LOCK_TIMEOUT = 10  # seconds; whoever waits for a lock holds up all who come later
# A search path of our own keeps names in definitions qualified.
_OPTIONS = "-c search_path=pg_catalog -c timezone=UTC -c lock_timeout={lock}s -c statement_timeout={timeout}s "
_OPTIONS += "-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3"  # who vanished keeps no lock for hours
_OPTIONS += " -c idle_in_transaction_session_timeout=0"  # a project's lock is a transaction that waits for other systems
_PASSING = ("the database system is", "too many c", "remaining connection slots")  # refusals that end by themselves

Connection = psycopg.Connection[DictRow]


@contextmanager
def connection(database: AnalyticsDatabase, login: Login, subject: str, timeout: int = 60) -> Iterator[Connection]:
    """One transaction in the analytics database. `subject` is what errors speak of; `timeout` bounds each statement, in seconds."""
    address = f"{database.host}:{database.port}/{database_name(database)}"
    connected = _connect(database, login, address, timeout)
    try:
        with connected:
            yield connected
    except psycopg.errors.LockNotAvailable as error:
        raise Unreachable(f"{subject}: others kept the analytics database's lock on it for over {_LOCK_TIMEOUT} s; try again") from error
    except psycopg.Error as error:
        if connected.broken:
            cause = last_cause(error)
            raise Unreachable(f"{subject}: the analytics database {address} went away ({cause}); try again when it is back") from error
        raise Refused(f"{subject}: the analytics database refused: {last_cause(error)}") from error


def run(connected: Connection, statement: str) -> None:
    """Run SQL that this room generated; psycopg's type asks for literals to keep values of others out of SQL."""
    connected.execute(cast(LiteralString, statement))


def last_cause(error: psycopg.Error) -> str:
    """What PostgreSQL said, without the query."""
    hint = error.diag.message_hint or ""
    # That hint would have others' objects dropped as well.
    said = [error.diag.message_primary, error.diag.message_detail, "" if "CASCADE" in hint else hint]
    return "; ".join(" ".join(part.split("\n")) for part in said if part) or str(error).strip().splitlines()[0]


def _connect(database: AnalyticsDatabase, login: Login, address: str, timeout: int) -> Connection:
    try:
        return Connection.connect(
            host=database.host,
            port=database.port,
            dbname=database_name(database),
            user=login.user,
            password=login.password.reveal(),
            connect_timeout=_CONNECT_TIMEOUT,
            **HALF_OPEN,
            application_name="headrace",
            options=_OPTIONS.format(lock=_LOCK_TIMEOUT, timeout=timeout),
            row_factory=dict_row,
        )
    except psycopg.OperationalError as error:
        cause = last_cause(error)
        if "FATAL" in cause and not any(said in cause for said in _PASSING):
            raise Refused(f"the analytics database {address} refused the login of {login.user}: {cause}") from error
        fix = "start it, or correct `analytics` in the environment file"
        raise Unreachable(f"the analytics database {address} does not answer: {cause}; {fix}") from error
