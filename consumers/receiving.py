"""A consumer that writes what it receives into the analytics table `received_events`, where people and dashboards see it."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, LiteralString

import psycopg
from psycopg.sql import SQL, Composed, Identifier
from psycopg.types.json import Jsonb

from consumers.events import Poison, Received, Retriable
from project.environment import HALF_OPEN, AnalyticsDatabase
from project.models import Receiver
from project.references import COUNTS, DEAD_LETTERS, RECEIVED, SET_ASIDE

# One statement, and so one transaction, in which nothing counts twice. The array's order is that of the events, and received_at is
# set row by row. Texts of events go in binary: psycopg would escape each of their quotes. A raw topic that was created anew gives its
# origins once more: another event than the one that is there gets one of its own. Its stamp is another one whenever it is filtered.
_TAKE = """
with taken as (
insert into {0} as known (consumer, topic, origin, filter_id, rule_version, event_name, event_uuid, entity_type, entity_id, created_at,
  filtered_at, from_snapshot, times, event)
select consumer, topic, case when (
    select old.event - 'filterMetadata' = came.event - 'filterMetadata' from {0} as old
    where (old.consumer, old.topic, old.origin, old.filter_id) = (came.consumer, came.topic, came.origin, came.filter_id)
  ) is false then origin || '@' || left(md5((event - 'filterMetadata')::text), 8) else origin end,
  filter_id, rule_version, event_name, event_uuid, entity_type, entity_id, created_at, filtered_at, from_snapshot, times, event
from (select %s as consumer, * from unnest(%s::text[], %s::text[], %s::text[], %s::int[], %s::text[], %s::text[], %s::text[], %s::text[],
  %s::timestamp[], %s::timestamp[], %s::boolean[], %s::bigint[], (%b::text[])::jsonb[]) as one (topic, origin, filter_id, rule_version,
  event_name, event_uuid, entity_type, entity_id, created_at, filtered_at, from_snapshot, times, event)) as came
on conflict (consumer, topic, origin, filter_id) do update set times = known.times + excluded.times
returning xmax = 0 as is_new, extract(epoch from received_at - filtered_at)::float8 * 1000 as latency_ms
), counted as (
select count(*) filter (where is_new) as handled, %s - count(*) filter (where is_new) as repeated, 0 as set_aside,
  max(latency_ms) filter (where is_new) as latency_ms from taken
)
"""
_SET_ASIDE = f"""
with kept as ({SET_ASIDE} returning (xmax = 0)::int as is_new),
counted as (select 0 as handled, 1 - is_new as repeated, is_new as set_aside, null::float8 as latency_ms from kept)
"""
_COUNT = """
insert into {counts} as known (consumer, handled, repeated, set_aside, latency_ms, counted_at)
select %s, handled, repeated, set_aside, latency_ms, now() at time zone 'utc' from counted
on conflict (consumer) do update set handled = known.handled + excluded.handled, repeated = known.repeated + excluded.repeated,
  set_aside = known.set_aside + excluded.set_aside, latency_ms = coalesce(excluded.latency_ms, known.latency_ms),
  counted_at = excluded.counted_at
"""
_FORGET = """
delete from {table} where ctid = any(array(
  select ctid from {table} where consumer = %s and received_at < (now() at time zone 'utc') - make_interval(days => %s)
  order by received_at limit %s for update skip locked
))"""
_AT_ONCE = 5000  # old rows that go with some events, which do not wait for long
_TIDIES = 3600.0  # seconds between two looks for what is older than it has to be
# Of the server: it is stopped, full, or does not have the table or its newest column yet. Of the row: nobody can write it.
_PASSING = (
    psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn,
    psycopg.errors.InsufficientPrivilege,
)  # fmt: skip
_STAMPED = '{"filterMetadata":{'
_LATEST = datetime(9000, 1, 1, tzinfo=UTC).timestamp() * 1000


class ReceivedEvents:
    """Keeps the events of a consumer for as many days as it says. How often each came is counted, and what became of all."""

    def __init__(self, database: AnalyticsDatabase, schema: str, consumer: Receiver) -> None:
        self._database, self._schema, self._consumer = database, schema, consumer
        self._connected: psycopg.Connection | None = None
        self._tidied = float("-inf")

    def handle(self, events: Sequence[Received]) -> None:
        rows = dict[tuple[Any, ...], list[Any]]()
        for one in events:
            row = _row(one)
            known = rows.setdefault(tuple(row[:3]), row)
            if known is not row:
                if _unstamped(known[-1]) != _unstamped(row[-1]):
                    raise Poison("another event has its origin, and the statement takes one of them; each is taken by itself")
                known[-2] += 1
        columns = [list(column) for column in zip(*rows.values(), strict=True)]
        with self._connection() as connection:
            # First: behind it a failure would have what is taken counted as come again.
            if time.monotonic() - self._tidied > _TIDIES:
                self._tidied = time.monotonic()
                forget = SQL(_FORGET).format(table=Identifier(self._schema, RECEIVED))
                removed = connection.execute(forget, [self._consumer.name, self._consumer.days, _AT_ONCE]).rowcount
                if removed == _AT_ONCE:  # the rest goes with the next events
                    self._tidied = float("-inf")
            connection.execute(self._counted(_TAKE, RECEIVED), [self._consumer.name, *columns, len(events), self._consumer.name])

    def set_aside(self, event: Received, reason: str) -> None:
        letter = event.place, self._consumer.reader, event.origin, reason, event.key, event.value, Jsonb(event.headers), event.written_at
        with self._connection() as connection:
            if not connection.execute(self._counted(_SET_ASIDE, DEAD_LETTERS), [*letter, self._consumer.name]).rowcount:
                raise Retriable(f"another consumer sets {event.place} aside at this moment")

    def _counted(self, statement: LiteralString, table: str) -> Composed:
        return SQL(statement + _COUNT).format(Identifier(self._schema, table), counts=Identifier(self._schema, COUNTS))

    @contextmanager
    def _connection(self) -> Iterator[psycopg.Connection]:
        try:
            self._connected = self._connected or self._open()
            yield self._connected
        except _PASSING as error:
            if self._connected:
                self._connected.close()
            self._connected = None
            raise Retriable(f"the analytics database: {error}") from error
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            raise Poison(f"the table does not take it: {error.diag.message_primary or error}") from error
        except UnicodeEncodeError as error:
            raise Poison(f"the table does not take it: {error}") from error

    def _open(self) -> psycopg.Connection:
        database, login = self._database, self._database.writer
        return psycopg.connect(
            host=database.host, port=database.port, dbname=database.database, user=login.user, password=login.password.reveal(),
            application_name=f"consumer {self._consumer.name}", connect_timeout=5, autocommit=True, **HALF_OPEN,
            options="-c timezone=UTC -c statement_timeout=60s",
        )  # fmt: skip


def _row(one: Received) -> list[Any]:
    """Topic, origin, filter and the other columns in their order. What an event does not say is NULL."""
    header, entity, stamp = ("eventHeader",), ("eventBody", "entities", 0), ("filterMetadata",)
    return [
        one.topic,
        one.origin or f"at {one.partition}:{one.offset}",
        _text(one.part(*stamp, "filterId")) or "",
        _number(one.part(*stamp, "ruleVersion")),
        _text(one.part(*header, "eventName")),
        _text(one.part(*header, "uuid")),
        _text(one.part(*entity, "entityType")),
        _text(one.part(*entity, "entityId")),
        _moment(one.part(*header, "createdDate")),
        _moment(one.part(*stamp, "filteredAt")),
        one.from_snapshot,
        1,
        one.text,
    ]


def _unstamped(text: str) -> str:
    """What an event says behind its stamp; all of what has none."""
    return text.partition("}")[2] if text.startswith(_STAMPED) else text


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) or value is None else json.dumps(value)


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and abs(value) < 1 << 31 else None


def _moment(value: Any) -> datetime | None:
    """Milliseconds since 1970 in UTC, as the table wants it."""
    good = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LATEST
    return datetime.fromtimestamp(value / 1000, UTC).replace(tzinfo=None) if good else None
