"""One apply at a time per project, across machines: an advisory lock in the analytics database."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from analytics_sql.connections import connection
from project.environment import AnalyticsDatabase
from project.resources import Refused

_WAIT = 120  # seconds for another apply to end
SENSORS_WAIT = 15  # the same for a sensor, for whose turn the other sensors wait


@contextmanager
def exclusive(database: AnalyticsDatabase, project: str, wait: int = _WAIT) -> Iterator[None]:
    """Hold the project's lock; waits so many seconds for another apply, then raises Refused."""
    with connection(database, database.admin, f"the lock of {project}", timeout=wait + 10) as connected:
        connected.execute("select set_config('lock_timeout', %s, true)", [f"{wait}s"])
        try:
            connected.execute("select pg_advisory_xact_lock(hashtext('headrace'), hashtext(%s))", [project])
        except psycopg.errors.LockNotAvailable:
            told = f"another apply of {project} has been running for over {wait} s; wait for it or stop it, then apply again"
            raise Refused(told) from None
        yield
