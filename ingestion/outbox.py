"""Writes events into the outbox of a source database, each once, with the rows of its entities in the same transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, LiteralString

import psycopg
from psycopg.sql import SQL, Composed, Identifier
from psycopg_pool import ConnectionPool

from ingestion.admission import Admitted, Rejected
from project.environment import HALF_OPEN, SourceDatabase
from project.models import LARGEST_EVENT, Source

_CONNECTIONS = 8
_PATIENCE = 5  # seconds for a connection
_INSERT = "insert into {outbox} ({id}, {key}, {event}) values (%s, %s, %s) on conflict ({id}) do nothing returning length({event}::text)"
_KNOWN = "select {event}::jsonb = %s::jsonb from {outbox} where {id} = %s"
_STORE = """
insert into {entities} as known (entity_id, entity_data)
select %s, coalesce(nullif({event}::jsonb #> %s, 'null'), '{{}}') from {outbox} where {id} = %s
on conflict (entity_id) do update set entity_data = known.entity_data || excluded.entity_data, updated_at = now()
"""
_DELETE = "delete from {entities} where entity_id = %s"
_FORGET = """
delete from {outbox} where {id} in (
  select {id} from {outbox} where created_at < now() - make_interval(days => %s) limit %s for update skip locked
)"""
_AT_ONCE = 5000  # rows of one transaction, which holds up nobody
# Of the event: no second try makes the database take it. All else passes.
_LASTING = (
    psycopg.DataError, psycopg.IntegrityError, psycopg.errors.ProgramLimitExceeded, psycopg.errors.StatementTooComplex,
)  # fmt: skip
# Sending it again is of no use until somebody has changed the database.
_UNPREPARED = (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn, psycopg.errors.InsufficientPrivilege)


class EventOutbox:
    """The outbox of a source, over a few connections that are opened anew when the database comes back."""

    def __init__(self, database: SourceDatabase, source: Source) -> None:
        assert source.outbox and source.outbox.ingestion
        self._outbox, self._tables, self._days = source.outbox, source.outbox.ingestion.entities, source.outbox.ingestion.days
        self._name, self._database = database.database or source.database, database
        self._access()  # a password that cannot be read is refused here
        self.pool = ConnectionPool(
            kwargs=self._access, min_size=1, max_size=_CONNECTIONS, open=False, timeout=_PATIENCE, reconnect_timeout=_PATIENCE,
            check=ConnectionPool.check_connection,
        )  # fmt: skip

    def write(self, event: Admitted) -> None:
        """Keep an event, unless it is there already. Raises Rejected."""
        with self._connection() as connection:
            written = connection.execute(self._sql(_INSERT), [event.uuid, event.key, event.text]).fetchone()
            if written is None:
                self._require_same(connection, event)
            elif written[0] > LARGEST_EVENT:
                raise Rejected(413, f"an event of {written[0]} characters, as the outbox holds it; expected at most {LARGEST_EVENT}")
            else:
                self._keep_entities(connection, event)

    def forget(self) -> None:
        """Remove what is older than it has to be, if anything. Debezium reads the log, not the table. Raises Rejected."""
        removed = _AT_ONCE if self._days else 0
        while removed == _AT_ONCE:
            with self._connection() as connection:
                removed = connection.execute(self._sql(_FORGET), [self._days, _AT_ONCE]).rowcount

    def answers(self) -> bool:
        """Whether the database is there."""
        try:
            with self._connection():
                return True
        except Rejected:
            return False

    def _access(self) -> dict[str, Any]:
        """What a connection is made with; the password is read each time, for it may be another one by then."""
        database, login = self._database, self._database.admin
        return {
            "host": database.host, "port": database.port, "dbname": self._name, "user": login.user, "password": login.password.reveal(),
            "connect_timeout": _PATIENCE, **HALF_OPEN, "application_name": "headrace ingestion",
            "options": "-c timezone=UTC -c statement_timeout=10s -c lock_timeout=5s",
        }  # fmt: skip

    def _require_same(self, connection: psycopg.Connection, event: Admitted) -> None:
        known = connection.execute(self._sql(_KNOWN), [event.text, event.uuid]).fetchone()
        if known == (False,):
            raise Rejected(409, f"an event {event.uuid} is there, and says something else; expected a uuid of its own for each event")

    def _keep_entities(self, connection: psycopg.Connection, event: Admitted) -> None:
        # In one order everywhere, so that no two transactions wait for each other.
        for one in sorted(event.entities, key=lambda one: (one.kind, one.id)):
            if one.kind not in self._tables:
                continue
            if event.deletes:
                connection.execute(self._sql(_DELETE, self._tables[one.kind]), [one.id])
            else:
                path = ["eventBody", "entities", str(one.number), "updatedAttributes"]
                connection.execute(self._sql(_STORE, self._tables[one.kind]), [one.id, path, event.uuid])

    def _sql(self, text: LiteralString, entities: str = "") -> Composed:
        schema, names = self._outbox.schema_, {name: Identifier(getattr(self._outbox, name)) for name in ("id", "key", "event")}
        return SQL(text).format(outbox=Identifier(schema, self._outbox.table), entities=Identifier(schema, entities or "-"), **names)

    @contextmanager
    def _connection(self) -> Iterator[psycopg.Connection]:
        """One transaction."""
        try:
            with self.pool.connection() as connection:
                yield connection
        except _LASTING as error:
            raise Rejected(422, f"the database does not take it (SQLSTATE {error.sqlstate}); expected what its columns hold") from error
        except _UNPREPARED as error:
            raise Rejected(500, "the database lacks a table, a column or a right for it; the ingestion's log says which") from error
        except psycopg.Error as error:
            raise Rejected(503, "the database does not answer; send it again") from error
