"""How old the data is that analysts see: the age of each stream's pulse in the analytics database, or of what its stream has not read.

A stream reads each of its topics by itself, so a pulse overtakes rows that wait in the topics beside it.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString

from psycopg.sql import SQL, Identifier

from analytics_sql.connections import connection
from orchestration.catalogue import Catalogue
from project.references import PULSE
from project.resources import Health, Refused, Resource, State

_WARNING, _FAILED = 20, 45  # seconds; the pulse beats every 5
_PULSE = "select extract(epoch from (now() at time zone 'utc') - pulse_at)::float8 as age, unread_since from {} where stream = %s"
_LEAVE = "update {} set unread_since = %s where stream = %s"


def read_pulses(catalogue: Catalogue, job: Resource) -> Health:
    """The freshness of one stream. What waits unread for longer than usual is left beside its pulse, for dashboards to show."""
    try:
        found = _ask(catalogue, job, _PULSE, job.name)
    except Refused as error:
        return Health(State.UNKNOWN, str(error))
    if not found:
        return Health(State.FAILED, f"no pulse of stream {job.name} has ever arrived; look at the checks of its connector and its job")
    [pulse] = found
    try:
        unread = catalogue.lag.oldest(job.name)  # behind the pulse: by now Kafka holds all that was committed before it
        since = datetime.now(UTC).replace(tzinfo=None, microsecond=0) - timedelta(seconds=round(unread)) if unread > _WARNING else None
        if since != pulse["unread_since"]:
            _ask(catalogue, job, _LEAVE, since, job.name)
    except Refused as error:
        by_pulse = judge_age(job.name, pulse["age"])
        return by_pulse if by_pulse.state is not State.PASSED else Health(State.UNKNOWN, str(error), by_pulse.facts)
    return judge_age(job.name, pulse["age"], unread)


def judge_age(stream: str, pulse: float, unread: float = 0.0) -> Health:
    """What the ages of a pulse and of the oldest change that the stream has not read mean, in seconds."""
    age = max(pulse, unread)
    facts = {"age_seconds": round(age, 1)}
    if age <= _WARNING:
        return Health(State.PASSED, f"the pulse is {pulse:.0f} s old", facts)
    state = State.FAILED if age > _FAILED else State.WARNING
    if unread > pulse:
        what = f"stream {stream} has not read what its source committed {unread:.0f} s ago"
        return Health(state, f"{what}, expected under {_WARNING}; look at its check lag", facts)
    way = "look at the checks of its connector, its topics and its job"
    return Health(state, f"the pulse of stream {stream} is {pulse:.0f} s old, expected under {_WARNING}; {way}", facts)


def _ask(catalogue: Catalogue, job: Resource, query: LiteralString, *parameters: object) -> list[dict[str, Any]]:
    database, table = catalogue.environment.analytics, Identifier(catalogue.project.schema_, PULSE)
    with connection(database, database.admin, f"the pulse of {job.name}", timeout=5) as connected:
        cursor = connected.execute(SQL(query).format(table), parameters)
        return cursor.fetchall() if cursor.description else []
