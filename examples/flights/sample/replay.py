"""Plays the year's events into the airline's tables, in order, each exactly once, from where it stood."""

import logging
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from threading import Event
from time import monotonic
from zoneinfo import ZoneInfo

import psycopg
from tenacity import Retrying, before_sleep_log, retry_if_exception_type, sleep_using_event, stop_when_event_set, wait_exponential

import operations
from project.environment import Environment

log = logging.getLogger("flights")
NEW_YORK = ZoneInfo("America/New_York")
_STEPS = Path(__file__).with_name("steps.sql").read_bytes().split(b"\n\n")
_BATCH = 10_000  # events of one transaction
_TICK = 0.5  # seconds
_REPORT_SECONDS = {True: 5, False: 60}  # in bulk, and gently
_FAR = datetime.max.replace(tzinfo=UTC)


class ReplayError(Exception):
    """The replay cannot be as it was asked for; the text says why and what to do."""


class Replay:
    """`speed` is in simulated seconds per second; None: as fast as the database takes it."""

    def __init__(self, environment: Environment, speed: float | None, start: date | None, end: date | None) -> None:
        self._environment, self._speed = environment, speed
        # The first day's flights were scheduled 24 hours before.
        self._start = _midnight(start) - timedelta(hours=24) if start else None
        self._end = _midnight(end + timedelta(days=1)) if end else _FAR
        self._closed = Event()
        self._begun = self._reported = monotonic()
        self._done = self._done_before = 0

    def close(self) -> None:
        """Finish the batch at hand, and begin none after it."""
        self._closed.set()

    def play(self) -> None:
        """Return when the end is reached or when closed; after a lost connection, go on as soon as the database is back."""
        operations.connect(self._environment).close()  # what never answered is an error, what went away is waited for
        Retrying(
            retry=retry_if_exception_type((psycopg.OperationalError, psycopg.InterfaceError)),
            wait=wait_exponential(0.2, max=5),
            sleep=sleep_using_event(self._closed),
            stop=stop_when_event_set(self._closed),
            before_sleep=before_sleep_log(log, logging.WARNING),
            retry_error_callback=lambda state: None,
        )(self._play)

    def wait(self) -> None:
        """Return when closed."""
        self._closed.wait()

    def _play(self) -> None:
        with operations.connect(self._environment) as connection:
            position = self._first(connection)
            clock = _moment(connection, position + 1)
            began, since = clock, monotonic()
            while clock is not None and began is not None and not self._closed.is_set():
                until = self._end
                if self._speed is not None:
                    until = min(until, began + timedelta(seconds=(monotonic() - since) * self._speed))
                played = _play_batch(connection, position, until)
                self._done, position = self._done + played - position, played
                clock = _moment(connection, position + 1)
                self._report(clock)
                if clock is None or clock >= self._end:
                    break
                if clock > until:
                    self._closed.wait(_TICK)
            self._report(clock, last=True)

    def _first(self, connection: psycopg.Connection) -> int:
        """Where to go on."""
        position = _number(connection, "select number from replay.position")
        if self._start is None:
            return position
        wanted = _number(connection, "select coalesce(min(number) - 1, 0) from replay.events where at >= %s", self._start)
        if 0 < position != wanted and not self._done:
            stands = _moment(connection, position + 1)
            where = f"at {stands.astimezone(NEW_YORK):%Y-%m-%d %H:%M}" if stands else "at the end of the year"
            raise ReplayError(f"the replay stands {where} already; expected --from only before the first event; leave it out to go on")
        return max(position, wanted)

    def _report(self, clock: datetime | None, last: bool = False) -> None:
        now = monotonic()
        if last or now - self._reported >= _REPORT_SECONDS[self._speed is None]:
            span = now - (self._begun if last else self._reported)
            count = self._done - (0 if last else self._done_before)
            where = f"{clock.astimezone(NEW_YORK):%Y-%m-%d %H:%M} in New York" if clock else "the year is over"
            log.info("%d events in %.1f s, %.0f/s%s; %s", count, span, count / max(span, 0.001), " in all" if last else "", where)
            self._reported, self._done_before = now, self._done


def _play_batch(connection: psycopg.Connection, after: int, until: datetime) -> int:
    """The events before a moment, not too many at once; the number of the last one."""
    query = "select coalesce(max(number), %(after)s) from replay.events where number > %(after)s and number <= %(most)s and at < %(until)s"
    with connection.transaction():
        found = connection.execute(query, {"after": after, "most": after + _BATCH, "until": until}).fetchone()
        last = found[0] if found else after
        if last > after:
            for step in _STEPS:
                connection.execute(step, {"after": after, "last": last})
            connection.execute("update replay.position set number = %s", [last])
    return last


def _moment(connection: psycopg.Connection, number: int) -> datetime | None:
    """When an event is due; None after the last one."""
    found = connection.execute("select at from replay.events where number = %s", [number]).fetchone()
    return found[0] if found else None


def _number(connection: psycopg.Connection, query: str, *values: object) -> int:
    found = connection.execute(query.encode(), values).fetchone()
    return found[0] if found else 0


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), NEW_YORK).astimezone(UTC)
