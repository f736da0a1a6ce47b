"""One apply at a time per project, across machines: an advisory lock in the analytics database."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from project.environment import AnalyticsDatabase
from project.resources import Refused, Unreachable

_WAIT = "120s"


@contextmanager
def exclusive(database: AnalyticsDatabase, project: str) -> Iterator[None]:
    """Hold the project's lock; waits up to two minutes for another apply, then raises Refused."""
    try:
        connection = psycopg.connect(
            host=database.host, port=database.port, dbname=database.database, user=database.admin.user,
            password=database.admin.password.reveal(), connect_timeout=5, autocommit=True, application_name="headrace apply",
        )
    except psycopg.OperationalError as error:
        raise Unreachable(
            f"analytics database {database.host}:{database.port} does not answer: {str(error).strip().splitlines()[-1]}; see `headrace status`"
        ) from error
    with connection:
        connection.execute(f"set lock_timeout = '{_WAIT}'")
        try:
            connection.execute("select pg_advisory_lock(hashtext('headrace'), hashtext(%s))", [project])
        except psycopg.errors.LockNotAvailable:
            raise Refused(f"another apply of {project} has been running for over {_WAIT}; wait for it or stop it, then apply again") from None
        yield
