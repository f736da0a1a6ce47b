"""Records that Flink cannot read, or whose rows the analytics tables refuse, are set aside, so that their stream goes on; each is kept
with its bytes until someone settles it.

A record is never written to its topic again: it is older than what came behind it. To replay it means that the row of its key is
read again from the source, where that stands in its newest form. An event is judged again by its filters (replaying_events.py).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC
from itertools import islice
from typing import Any

from psycopg.sql import SQL, Composed, Identifier

from analytics_sql.connections import Connection, connection
from analytics_sql.refusals import refusals
from consumers.events import Poison, Received, Retriable
from flink.backends import FlinkBackend, Letter
from flink.events import ORIGIN
from orchestration.catalogue import Catalogue
from orchestration.certificates import Key
from orchestration.exclusive import exclusive
from orchestration.mending import mend
from orchestration.receivers import decoder_of, handler_of
from orchestration.replaying_events import replay_events
from orchestration.verifying import Comparison, verify
from project.models import Project, Receiver, Stream
from project.references import DEAD_LETTERS, PULSE, SET_ASIDE
from project.resources import Health, Refused, Resource, State

_TRIED, _TOGETHER = 50_000, 2000  # records: more than a job reads between two checkpoints; of one trial
_LIST = """
select * from {} where settled is null or %s
order by set_aside_at, split_part(id, ':', 1), split_part(id, ':', 2)::int,
  split_part(split_part(id, ':', 3), '@', 1)::bigint
"""  # those of one moment as they stand in their topic
_SETTLE = "update {} set settled = %s, settled_at = now() at time zone 'utc' where id = %s"
_NOTED = "select id, target, reason, record_value, written_at from {} where stream = %s"
_STILL = "select id from {} where id = any(%s) and settled is null"
_WAITING = "select count(*) as letters, min(reason) as reason, min(target) as target from {} where stream = %s and settled is null"


def set_aside(catalogue: Catalogue, job: Resource) -> str | None:
    """Keep what a job cannot read or write, write what stands between such records, and let it go on behind; what was done, or None if no
    record before it is to blame, or if it is not this job that runs: an apply may have put another in its place that this process has
    not loaded yet."""
    flink = catalogue.backend(job)
    assert isinstance(flink, FlinkBackend)
    # What is no event, filters set aside by themselves.
    if not catalogue.project.streams[job.name].tables or (sound := _sound(catalogue, job)) is None:
        return None
    count = 0
    with exclusive(catalogue.environment.analytics, catalogue.project.name):
        if flink.read(job) != job.document:
            return None
        flink.delete(job.id)
        for part in _parts(flink.unread(job), sound + _TRIED):
            letters = _faults(catalogue, job, part, keep=True)
            _keep(catalogue, job.name, letters)
            flink.advance(job, part)
            count += len(letters)
        flink.write(job, None)
    return f"{job.id} could not read or write {count} records; they were set aside: `headrace dead-letters list` shows them"


def _sound(catalogue: Catalogue, job: Resource) -> int | None:
    """About how many records stand before a job before the first that is to blame; None if none is."""
    flink = catalogue.backend(job)
    assert isinstance(flink, FlinkBackend)
    if (found := next((number for number, one in enumerate(flink.judged(job, flink.unread(job))) if one.reason), None)) is not None:
        return found
    tried = enumerate(_parts(flink.unread(job), _TRIED))
    return next((number * _TOGETHER for number, part in tried if _faults(catalogue, job, part, keep=False)), None)


def _parts(records: Iterator[Letter], count: int) -> Iterator[list[Letter]]:
    """The first records, some at a time."""
    first = islice(records, count)
    while part := list(islice(first, _TOGETHER)):
        yield part


def _faults(catalogue: Catalogue, job: Resource, records: Sequence[Letter], keep: bool) -> list[Letter]:
    """Those that no job can read and those whose rows the analytics tables do not take, with the reasons. The others are written for good
    if they are to keep: whether a row is to blame, and which, Flink does not say."""
    flink = catalogue.backend(job)
    assert isinstance(flink, FlinkBackend)
    judged = list(flink.judged(job, records))
    found = [record for record in judged if record.reason]
    readable = [record for record in judged if not record.reason]
    for captured in catalogue.project.streams[job.name].tables:
        found += _refused(catalogue, job, captured, readable, keep)
    return found


def _refused(catalogue: Catalogue, job: Resource, captured: str, records: Sequence[Letter], keep: bool) -> Iterator[Letter]:
    project = catalogue.project
    stream = project.streams[job.name]
    source, target, analytics = project.sources[stream.source], stream.tables[captured].table, catalogue.environment.analytics
    own = [record for record in records if record.topic == source.topic(captured)]
    changes = [json.loads(record.value) for record in own]
    for number, said in refusals(analytics, project.schema_, target, source.tables[captured], changes, keep).items():
        yield replace(own[number], reason=f"the analytics table does not take its row: {said}")


def collect(catalogue: Catalogue, job: Resource) -> None:
    """Keep what a stream's filters have set aside in Kafka, where retention would remove it."""
    flink = catalogue.backend(job)
    assert isinstance(flink, FlinkBackend)
    if letters := flink.set_aside(job):
        _keep(catalogue, job.name, letters)
        flink.kept(job, letters)


def read_waiting(catalogue: Catalogue, reader: Resource) -> Health:
    """Whether any record of a stream or a consumer waits to be settled."""
    project = catalogue.project
    stream = project.streams[reader.name] if reader.kind == "job" else None
    try:
        if stream:
            collect(catalogue, reader)
        [row] = _execute(catalogue, _WAITING, [stream.name if stream else project.receivers[reader.name].reader])
    except Refused as error:
        return Health(State.UNKNOWN, str(error))
    if not row["letters"]:
        return Health(State.PASSED, "every record was read and written", {"dead_letters": 0})
    of = f", of table {row['target']}" if stream and stream.tables else ""
    text = f"{row['letters']} records were set aside{of}: {row['reason']}; `headrace dead-letters list` shows them"
    return Health(State.FAILED, text, {"dead_letters": row["letters"]})


def letters(catalogue: Catalogue, settled: bool = False) -> list[dict[str, Any]]:
    """All that wait, or all."""
    for job in catalogue.of_kind("job"):
        collect(catalogue, job)
    return _execute(catalogue, _LIST, [settled])


def noted(catalogue: Catalogue, stream: str) -> Iterator[dict[str, Any]]:
    """All that was ever set aside of a stream, one by one."""
    with _connected(catalogue) as connected, connected.cursor() as cursor:
        yield from cursor.stream(_statement(catalogue, _NOTED), [stream])


def replay(catalogue: Catalogue, chosen: Sequence[dict[str, Any]]) -> Iterator[tuple[str, bool]]:
    """Have the rows of records read again from their source, and events judged again; yields what came of each, and whether it is settled
    for good."""
    consumers = {one.reader: one for one in catalogue.project.receivers.values()}
    by_stream = {name: [letter for letter in chosen if letter["stream"] == name] for name in sorted({one["stream"] for one in chosen})}
    for name, letters in by_stream.items():
        stream = catalogue.project.streams.get(name)
        if consumer := consumers.get(name):
            yield from _receive_again(catalogue, consumer, letters)
        elif stream is None:
            gone = f"the project has no stream {name} any more; discard it"
            yield from ((f"{letter['id']}: still waits: {gone}", False) for letter in letters)
        elif stream.filters:
            yield from _replay_events(catalogue, stream, letters)
        else:
            yield from (_read_again(catalogue, letter) for letter in letters)


def _replay_events(catalogue: Catalogue, stream: Stream, letters: Sequence[dict[str, Any]]) -> Iterator[tuple[str, bool]]:
    """While no other command or apply is at it."""
    with exclusive(catalogue.environment.analytics, catalogue.project.name):
        waiting = {row["id"] for row in _execute(catalogue, _STILL, [[letter["id"] for letter in letters]])}
        for letter, done in replay_events(catalogue, stream, [letter for letter in letters if letter["id"] in waiting]):
            if done.settled:
                _execute(catalogue, _SETTLE, [done.settled, letter["id"]])
            yield f"{letter['id']}: {done.said}", not done.unjudged


def _receive_again(catalogue: Catalogue, consumer: Receiver, letters: Sequence[dict[str, Any]]) -> Iterator[tuple[str, bool]]:
    """Whether it takes events now that it did not take before."""
    handler, decoder = handler_of(catalogue.project, catalogue.environment, consumer), decoder_of(catalogue.environment)
    for letter in letters:
        key, value = letter["record_key"], bytes(letter["record_value"])
        try:
            handler.handle([Received(*place_of(letter), key, value, letter["target"], written_at(letter), decoder)])
        except Retriable as error:
            raise Refused(f"{letter['id']}: {error}; start it, then try again") from error
        except Poison as poison:
            yield f"{letter['id']}: still waits: {poison}", False
        else:
            _execute(catalogue, _SETTLE, ["replayed", letter["id"]])
            yield f"{letter['id']}: {consumer.name} has received it", True


def _read_again(catalogue: Catalogue, letter: dict[str, Any]) -> tuple[str, bool]:
    """What came of the rows of one record, and whether it is settled for good."""
    table = letter["target"]
    if table == PULSE:
        said = "it was a pulse, and every later one says more: nothing has to be read again"
    elif table not in catalogue.project.target_tables:
        return f"{letter['id']}: still waits: no stream writes {table} any more; discard it", False
    else:
        key = _key(catalogue, letter)
        mended = _mended(catalogue, table, key)
        what = f"the row {', '.join(key)}" if key else "every row"
        said = f"{what} of {table} is as in the source; {mended} had to be read again"
    _execute(catalogue, _SETTLE, ["replayed", letter["id"]])
    return f"{letter['id']}: {said}", True


def _mended(catalogue: Catalogue, table: str, key: Key | None) -> int:
    """How many rows had to be read again until that of a key, or all, were as in the source. Refused if they do not arrive."""
    if key is not None:
        differences, _ = Comparison(catalogue, table).settle([key])
        if differences:
            mend(catalogue, table, differences)
        return len(differences)
    mended = 0
    while differences := verify(catalogue, table).differences:  # one comparison does not look for all of very many
        mend(catalogue, table, differences)
        mended += len(differences)
    return mended


def discard(catalogue: Catalogue, chosen: Sequence[dict[str, Any]]) -> None:
    """Settle records without doing anything for their rows."""
    for letter in chosen:
        _execute(catalogue, _SETTLE, ["discarded", letter["id"]])


def _row(catalogue: Catalogue, stream: str, letter: Letter) -> list[Any]:
    target = _target(catalogue.project, catalogue.project.streams[stream], letter)
    return [letter_id(letter), stream, target, letter.reason, letter.key, letter.value, letter.written_at]


def _target(project: Project, stream: Stream, letter: Letter) -> str:
    """The table that a record would have changed; of an event that filters set aside its place among the raw ones."""
    source = project.sources[stream.source]
    if stream.filters:
        [raw] = source.topics(())
        return f"{raw}:{letter.headers.get(ORIGIN, '')}"
    return {source.topic(table): target.table for table, target in stream.tables.items()}.get(letter.topic, PULSE)


def letter_id(letter: Letter) -> str:
    return f"{letter.topic}:{letter.partition}:{letter.offset}"


def place_of(letter: Mapping[str, Any]) -> tuple[str, int, int]:
    """Topic, partition and offset of a record that is kept."""
    topic, partition, offset = letter["id"].partition("@")[0].rsplit(":", 2)
    return topic, int(partition), int(offset)


def written_at(letter: Mapping[str, Any]) -> int:
    """When Kafka took a record that is kept, in milliseconds since 1970."""
    return round(letter["written_at"].replace(tzinfo=UTC).timestamp() * 1000)


def _key(catalogue: Catalogue, letter: dict[str, Any]) -> Key | None:
    """The key of the row that a record changed, if the record says it."""
    stream, captured = catalogue.project.target_tables[letter["target"]]
    names = catalogue.project.sources[stream.source].tables[captured].key
    try:
        found = json.loads(letter["record_key"])
        values = [found[name] for name in names]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return None if None in values else tuple(map(str, values))


def _keep(catalogue: Catalogue, stream: str, letters: Sequence[Letter]) -> None:
    with _connected(catalogue) as connected, connected.cursor() as cursor:
        cursor.executemany(_statement(catalogue, SET_ASIDE), [_row(catalogue, stream, letter) for letter in letters])
        if cursor.rowcount < len(letters):
            raise Refused(f"another stream sets the same records of {letters[0].topic} aside at this moment; try again")


def _execute(catalogue: Catalogue, query: str, parameters: list[Any]) -> list[dict[str, Any]]:
    with _connected(catalogue) as connected:
        done = connected.execute(_statement(catalogue, query), parameters)
        return done.fetchall() if done.description else []


def _connected(catalogue: Catalogue) -> AbstractContextManager[Connection]:
    database = catalogue.environment.analytics
    return connection(database, database.admin, f"table {DEAD_LETTERS}")


def _statement(catalogue: Catalogue, query: str) -> Composed:
    table = Identifier(catalogue.project.schema_, DEAD_LETTERS)
    return SQL(query).format(table)  # pyright: ignore[reportArgumentType] - our own texts
