"""How old the data is that analysts see: the age of each stream's pulse in the analytics database, or of what its stream has not read.

A stream reads each of its topics by itself, so a pulse overtakes rows that wait in the topics beside it. A pulse and a change carry
the time of their source, whose clock is compared with those that their age is told by.
"""

import time
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any, LiteralString

from psycopg.sql import SQL, Composed, Identifier

from analytics_sql.connections import Connection, connection
from cdc.databases import source_connection
from orchestration.catalogue import Catalogue
from project.references import PULSE
from project.resources import Health, Refused, Resource, State

_WARNING, _FAILED = 20, 45  # seconds; the pulse beats every 5
_APART = 1.0  # seconds between two clocks that are told
_PULSE = """
select extract(epoch from now() at time zone 'utc' - pulse_at)::float8 as age,
  extract(epoch from now() at time zone 'utc' - synced_at)::float8 as here, unread_since, (now() at time zone 'utc')::timestamp(0) as now
from {} where stream = %s
"""
_LEAVE = "update {} set unread_since = %s where stream = %s"


def read_pulses(catalogue: Catalogue, job: Resource) -> Health:
    """The freshness of one stream, and whether the clocks let dashboards tell it."""
    health = read_age(catalogue, job)
    ahead = float(health.facts.get("source_clock_ahead") or 0)
    if health.state is not State.PASSED or not ahead:
        return health
    source = catalogue.project.streams[job.name].source
    said = f"the clock of source {source} is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the analytics database's"
    return Health(State.WARNING, f"{said}, so dashboards tell the age of its data wrongly; have both servers set by NTP", health.facts)


def read_age(catalogue: Catalogue, job: Resource) -> Health:
    """The same whatever the clocks. What waits unread for longer than usual is left beside its pulse, for dashboards to show."""
    try:
        found, ahead, ahead_here = _look(catalogue, job)
    except Refused as error:
        return Health(State.UNKNOWN, str(error))
    if not found:
        return Health(State.FAILED, f"no pulse of stream {job.name} has ever arrived; look at the checks of its connector and its job")
    [pulse] = found
    age = max(pulse["age"] + ahead, pulse["here"])
    try:
        unread = catalogue.lag.oldest(job.name, ahead_here)  # behind the pulse: by now Kafka holds all that was committed before it
        since = pulse["now"] - timedelta(seconds=round(unread)) if unread > _WARNING else None
        if since != pulse["unread_since"]:
            _leave(catalogue, job, since)
    except Refused as error:
        by_pulse = judge_age(job.name, age, ahead=ahead)
        return by_pulse if by_pulse.state is not State.PASSED else Health(State.UNKNOWN, str(error), by_pulse.facts)
    return judge_age(job.name, age, unread, ahead)


def judge_age(stream: str, pulse: float, unread: float = 0.0, ahead: float = 0.0) -> Health:
    """What the ages of a pulse and of the oldest change that the stream has not read mean, in seconds."""
    age = max(pulse, unread)
    facts = {"age_seconds": round(age, 1)} | ({"source_clock_ahead": round(ahead, 1)} if abs(ahead) > _APART else {})
    if age <= _WARNING:
        return Health(State.PASSED, f"the pulse is {pulse:.0f} s old", facts)
    state = State.FAILED if age > _FAILED else State.WARNING
    if unread > pulse:
        what = f"stream {stream} has not read what its source committed {unread:.0f} s ago"
        return Health(state, f"{what}, expected under {_WARNING}; look at its check lag", facts)
    way = "look at the checks of its connector, its topics and its job"
    return Health(state, f"the pulse of stream {stream} is {pulse:.0f} s old, expected under {_WARNING}; {way}", facts)


def _look(catalogue: Catalogue, job: Resource) -> tuple[list[dict[str, Any]], float, float]:
    """The stream's pulse, if it has one, and by how many seconds at least the source's clock is ahead of the analytics database's and of
    this machine's; 0 if the source is away."""
    source = catalogue.project.sources[catalogue.project.streams[job.name].source]
    with _analytics(catalogue, job) as analytics:
        found = analytics.execute(_pulses(catalogue, _PULSE), [job.name]).fetchall()
        try:
            with source_connection(catalogue.environment, source, timeout=5) as connected:
                here, first = time.time(), _now(analytics)
                there = _now(connected)
                return found, _outside(there, first, _now(analytics)), _outside(there, here, time.time())
        except Refused:
            return found, 0.0, 0.0


def _leave(catalogue: Catalogue, job: Resource, since: datetime | None) -> None:
    with _analytics(catalogue, job) as analytics:
        analytics.execute(_pulses(catalogue, _LEAVE), [since, job.name])


def _now(connected: Connection) -> float:
    return connected.execute("select extract(epoch from clock_timestamp())::float8 as now").fetchall()[0]["now"]


def _outside(moment: float, first: float, last: float) -> float:
    """By how much it is not between the two."""
    return moment - min(max(moment, first), last)


def _analytics(catalogue: Catalogue, job: Resource) -> AbstractContextManager[Connection]:
    database = catalogue.environment.analytics
    return connection(database, database.admin, f"the pulse of {job.name}", timeout=5)


def _pulses(catalogue: Catalogue, query: LiteralString) -> Composed:
    return SQL(query).format(Identifier(catalogue.project.schema_, PULSE))
