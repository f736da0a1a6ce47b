"""A fence: a position in a source's log, and the wait until all that was committed before it can be seen in the analytics database.

The pulse that is written behind the position shows that Debezium has passed it. What Kafka holds by then, the stream must have
read and written: its offsets are committed by a checkpoint, which empties the sink's buffers. The pulse itself has been seen, and its
topic is not waited for: Flink commits an offset only with the next record of its topic, or after ten seconds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from time import monotonic

from psycopg.sql import SQL, Identifier
from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from analytics_sql.connections import connection as analytics_connection
from cdc.connectors import heartbeat
from cdc.databases import source_connection
from flink.backends import FlinkBackend
from orchestration.catalogue import Catalogue
from project.models import Stream
from project.resources import Refused
from project.topics import pulse_topic

_PATIENCE = 60.0  # seconds
_PAUSE = 0.05
_TAKE = "select pg_current_wal_lsn()::text as position, clock_timestamp() at time zone 'UTC' as at"
_PULSE = "select pulse_at from {}.pulse where stream = %s"
_WHEN = " returning at at time zone 'UTC' as at"


class Behind(Refused):
    """A stream does not pass its fences: whoever asks for another one waits as long."""


@dataclass(frozen=True)
class Fence:
    position: str  # in the source's log
    at: datetime  # on the source's clock, UTC
    beat: datetime  # of the pulse behind it


def take(catalogue: Catalogue, stream: Stream) -> Fence:
    """A fence at this moment."""
    source = catalogue.project.sources[stream.source]
    with source_connection(catalogue.environment, source) as connected:
        taken = connected.execute(_TAKE).fetchone() or {}
        connected.commit()  # a pulse says when its transaction began, and that has to be behind the position
        beaten = connected.execute((heartbeat(catalogue.project, source) + _WHEN).encode())
        while beaten.nextset():  # beside an outbox the pulse before is deleted first
            pass
        beat = beaten.fetchone() or {}
    return Fence(taken["position"], taken["at"], beat["at"])


def behind(catalogue: Catalogue, stream: Stream, fence: Fence) -> float:
    """Seconds until the pulse has arrived; Behind if it does not, and soon if the stream has not begun to write."""
    database, begun = catalogue.environment.analytics, monotonic()
    late = "its pulse has not arrived: look at the checks of its connector"
    with analytics_connection(database, database.admin, f"the pulse of {stream.name}", timeout=5) as connected:

        def pulse() -> datetime:
            seen = connected.execute(SQL(_PULSE).format(Identifier(catalogue.project.schema_)), [stream.name]).fetchone()
            connected.commit()  # the next look is to see what was written meanwhile, and nobody to wait for this one
            return seen["pulse_at"] if seen else datetime.min

        if pulse() == datetime.min:
            raise Behind(f"stream {stream.name} has not written anything yet, so there is nothing to compare; look at the check of its job")
        _until(lambda: pulse() >= fence.beat, stream, fence, late)
    return monotonic() - begun


def wait(catalogue: Catalogue, stream: Stream, fence: Fence) -> None:
    """Return when the chain has passed the fence; Behind if it does not."""
    behind(catalogue, stream, fence)
    pulse = pulse_topic(catalogue.project.sources[stream.source].connector)
    ends = {place: seen.end for place, seen in catalogue.lag.offsets(stream.name).items() if place[0] != pulse}
    flink = catalogue.backends["flink"]
    assert isinstance(flink, FlinkBackend)

    def passed() -> bool:
        committed = {place: seen.committed or 0 for place, seen in catalogue.lag.offsets(stream.name).items()}
        if all(committed[place] >= end for place, end in ends.items()):
            return True
        flink.checkpoint(catalogue.by_id[f"job/{stream.name}"])
        return False

    _until(passed, stream, fence, "its job has not read and written all before it: look at the job's checks")


def _until(condition: Callable[[], bool], stream: Stream, fence: Fence, otherwise: str) -> None:
    if not _becomes(condition, _PATIENCE):
        said = f"stream {stream.name} has not passed position {fence.position} of source {stream.source} within {_PATIENCE:.0f} s"
        raise Behind(f"{said}; {otherwise}; then verify again")


def _becomes(condition: Callable[[], bool], seconds: float) -> bool:
    try:
        return Retrying(retry=retry_if_result(lambda done: not done), stop=stop_after_delay(seconds), wait=wait_fixed(_PAUSE))(condition)
    except RetryError:
        return False
