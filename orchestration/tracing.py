"""One event followed by its uuid through the systems: among the raw ones, in consumers' topics, at consumers, among dead letters."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC

from psycopg.sql import SQL, Identifier

from analytics_sql.connections import connection
from flink import offsets
from flink.backends import EventLog, FlinkBackend, Letter
from flink.events import ORIGIN, REPLAYED, unstamped
from orchestration.catalogue import Catalogue
from orchestration.dead_letters import collect, letter_id, letters_of
from orchestration.traces import Aside, Reader, Search, Trace, Written, is_named, judged, moment, written_of
from project.models import Receiver
from project.references import RECEIVED
from project.resources import Resource

_SKEW = 60_000  # milliseconds that Flink's clock may be behind that of who wrote the raw event
# By the key, which is the table's only index; an origin that another event had before ends with @ and a digest of hexadecimal digits.
_HAS = """
select min(received_at) as received_at, coalesce(sum(times), 0)::bigint as times from {}
where consumer = %s and topic = %s and (origin = %s or origin between %s and %s) and event_uuid = %s and filter_id = coalesce(%s, filter_id)
"""


def trace(catalogue: Catalogue, uuid: str, count: int) -> Iterator[Search]:
    """Look for an event among about so many of the newest ones of each stream of filters; raises Unreachable."""
    flink = catalogue.backends["flink"]
    assert isinstance(flink, FlinkBackend)
    for job in catalogue.routing:
        log, begins, found, looked_at = flink.event_log(job), dict[int, Letter](), list[Letter](), 0
        held, stands = log.passed()  # before all else: what was passed by then has been written
        for event in flink.latest(job, count, whole=True):
            looked_at += 1
            begins.setdefault(event.partition, event)
            if is_named(event.value, uuid):
                found.append(event)
        cut = [moment(one.written_at) for one in begins.values() if one.offset > held[log.raw, one.partition]]
        records = _records(catalogue, job, log, found) if found else []
        if found:
            collect(catalogue, job)
        unpassed = {place: max(stood, held[place]) for place, stood in stands.items()}
        traces = tuple(_trace(catalogue, job, uuid, raw, unpassed[raw.topic, raw.partition], written_of(raw, records)) for raw in found)
        yield Search(job.name, log.raw, looked_at, max(cut, default=None), traces)


def _records(catalogue: Catalogue, job: Resource, log: EventLog, found: Sequence[Letter]) -> list[Letter]:
    """All of consumers' topics that say they come of these raw events."""
    places = {f"{one.partition}:{one.offset}" for one in found}
    every = replace(log, written=(*log.written, *catalogue.project.avro_topics(catalogue.project.streams[job.name])))
    taken = every.taken(min(one.written_at for one in found) - _SKEW)
    return [one for one in taken if one.headers.get(ORIGIN) in places]


def _trace(catalogue: Catalogue, job: Resource, uuid: str, raw: Letter, unpassed: int, records: Sequence[Letter]) -> Trace:
    values = {letter_id(one): one.value for one in (raw, *records)}
    rows = letters_of(catalogue, list(values))
    own = [one for one in rows if one["record_value"] in (values.get(one["target"]), values.get(one["id"].partition("@")[0]))]
    letters = tuple(Aside(one["id"], one["stream"], one["reason"], one["set_aside_at"].replace(tzinfo=UTC), one["settled"]) for one in own)
    written = tuple(_written(catalogue, uuid, one) for one in records)
    said = judged(catalogue.project, catalogue.project.streams[job.name], raw)
    from_table, behind = raw.headers.get("__op") == "r", max(raw.offset + 1 - unpassed, 0)
    return Trace(letter_id(raw), moment(raw.written_at), from_table, behind, said, written, letters)


def _written(catalogue: Catalogue, uuid: str, record: Letter) -> Written:
    name, version, _ = unstamped(record.value) or (None, None, b"")
    reading = [one for one in catalogue.project.receivers.values() if record.topic in catalogue.project.received_topics(one)]
    readers = tuple(_reader(catalogue, one, uuid, record, name) for one in reading)
    return Written(letter_id(record), moment(record.written_at), name, version, record.headers.get(REPLAYED), readers)


def _reader(catalogue: Catalogue, consumer: Receiver, uuid: str, record: Letter, by: str | None) -> Reader:
    project, database = catalogue.project, catalogue.environment.analytics
    with offsets.consumer_of(catalogue.environment.kafka, project.consumer_group(consumer.name)) as group:
        [stood] = offsets.stood(group, [(record.topic, record.partition)]).values()
    one = record.headers[ORIGIN]
    with connection(database, database.admin, f"table {RECEIVED}") as connected:
        query = SQL(_HAS).format(Identifier(project.schema_, RECEIVED))
        row = connected.execute(query, [consumer.name, record.topic, one, f"{one}@", f"{one}@g", uuid, by]).fetchone()
    assert row
    received_at = row["received_at"] and row["received_at"].replace(tzinfo=UTC)
    return Reader(consumer.name, None if stood < 0 else max(record.offset + 1 - stood, 0), received_at, row["times"])

