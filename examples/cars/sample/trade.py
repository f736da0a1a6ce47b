"""Business at the dealership: things change, and the same transaction says so in the outbox."""

import json
import logging
from collections import defaultdict
from datetime import UTC, datetime
from random import Random
from threading import Event as Signal
from time import monotonic

import psycopg
from psycopg.sql import SQL, Identifier
from tenacity import Retrying, before_sleep_log, retry_if_exception_type, sleep_using_event, stop_when_event_set, wait_exponential

import dealership
from events import KINDS, Event
from project.environment import Environment

log = logging.getLogger("cars")
# One statement, and so one transaction and one answer to wait for. Events go in binary: psycopg would escape each of their quotes.
_STORE = SQL("{0} as (insert into {0} (entity_id, entity_data) select * from unnest(%s::text[], (%b::text[])::jsonb[]) "
             "on conflict (entity_id) do update set entity_data = excluded.entity_data, updated_at = now())")  # fmt: skip
_TELL = SQL("insert into business_events (id, entity_id, event) select * from unnest(%s::uuid[], %s::text[], (%b::text[])::jsonb[])")
_FORGET = "delete from business_events where created_at < now() - interval '1 day'"
_TIDY = 60  # seconds


class Business:
    """`rate` is in events per second."""

    def __init__(self, environment: Environment, rate: float, rng: Random) -> None:
        self._environment, self._rate, self._rng = environment, rate, rng
        self._closed = Signal()

    def close(self) -> None:
        """Finish what is under way, and begin nothing new."""
        self._closed.set()

    def go_on(self, seconds: float | None) -> None:
        """Return after `seconds`, or when closed; over restarts of the database, which has to be there at first."""
        dealership.connect(self._environment).close()
        end = None if seconds is None else monotonic() + seconds
        Retrying(
            retry=retry_if_exception_type((psycopg.OperationalError, psycopg.InterfaceError)), wait=wait_exponential(0.2, max=5),
            sleep=sleep_using_event(self._closed), stop=stop_when_event_set(self._closed),
            before_sleep=before_sleep_log(log, logging.WARNING), retry_error_callback=lambda state: None,
        )(self._serve, end)  # fmt: skip

    def _serve(self, end: float | None) -> None:
        with dealership.connect(self._environment) as connection:
            due = tidied = monotonic()
            while not self._closed.is_set() and (end is None or monotonic() < end):
                happen(connection, self._rng.choice(KINDS)(self._rng, datetime.now(UTC)))
                if monotonic() - tidied > _TIDY:
                    tidied = monotonic()
                    connection.execute(_FORGET)
                due += 1 / self._rate
                self._closed.wait(max(0.0, due - monotonic()))


def happen(connection: psycopg.Connection, *events: Event) -> None:
    """Change the rows and tell of them, or neither. In one order everywhere, so that no two transactions wait for each other."""
    changes = defaultdict[str, dict[str, str]](dict)
    for one in sorted(events, key=lambda one: (one.table, one.entity_id)):
        changes[one.table][one.entity_id] = json.dumps(one.body["eventBody"]["entities"][0]["updatedAttributes"])
    told = [one.uuid for one in events], [one.entity_id for one in events], [json.dumps(one.body) for one in events]
    stored = SQL(", ").join(_STORE.format(Identifier(table)) for table in changes)
    rows = [column for entities in changes.values() for column in (list(entities), list(entities.values()))]
    connection.execute(SQL("with {} {}").format(stored, _TELL), [*rows, *told])
