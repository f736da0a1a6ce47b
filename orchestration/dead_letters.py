"""Records that were set aside, so that their stream goes on (setting_aside.py), are kept with their bytes until someone settles them.

A record is never written to its topic again: it is older than what came behind it. To replay it means that the row of its key is
read again from the source, where that stands in its newest form. An event is judged again by its filters (replaying_events.py).
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC
from typing import Any

from psycopg.sql import SQL, Composed, Identifier
from psycopg.types.json import Jsonb

from analytics_sql.connections import Connection, connection
from consumers.events import Poison, Received, Retriable
from flink.backends import FlinkBackend, Letter
from flink.events import ORIGIN, origin
from orchestration.catalogue import Catalogue
from orchestration.certificates import Key
from orchestration.exclusive import exclusive
from orchestration.mending import mend
from orchestration.receivers import decoder_of, handler_of
from orchestration.replaying_events import replay_events
from orchestration.verifying import Comparison, verify
from project.models import Project, Receiver, Stream
from project.references import COLLECTED, DEAD_LETTERS, PULSE, SET_ASIDE
from project.resources import Health, Refused, Resource, State

_SAME_TEXT = {"smallint", "integer", "bigint", "text", "varchar", "uuid", "enum"}  # Debezium writes these as PostgreSQL does
_ALONE = "select pg_advisory_lock(hashtext('headrace dead letters'), hashtext(%s))"
_LIST = """
select * from {} where (settled is null or %s) and (%s::text[] is null or id = any(%s))
order by settled is not null, set_aside_at, split_part(id, ':', 1), split_part(id, ':', 2)::int,
  split_part(split_part(id, ':', 3), '@', 1)::bigint
limit %s
"""  # what waits first; those of one moment as they stand in their topic
_SETTLE = "update {} set settled = %s, settled_at = now() at time zone 'utc' where id = any(%s)"
_NOTED = "select id, target, reason, record_value, written_at from {} where stream = %s"
_OF = "select * from {} where target = any(%s) or split_part(id, '@', 1) = any(%s) order by set_aside_at"
_STILL = "select id from {} where id = any(%s) and settled is null"
_WAITING = "select count(*) as letters, min(reason) as reason, min(target) as target from {} where stream = %s and settled is null"


def collect(catalogue: Catalogue, job: Resource) -> None:
    """Keep what a stream's filters have set aside in Kafka, where retention would remove it, and that some is gone, if so: that waits like
    the others, with no bytes. One at a time, so that none sets another back."""
    flink, project = catalogue.backend(job), catalogue.project
    assert isinstance(flink, FlinkBackend)
    if not project.streams[job.name].filters:
        return
    with _connected(catalogue) as connected:
        connected.execute(_ALONE, [f"{project.schema_}.{job.name}"])
        connected.commit()  # the lock is the session's; the next transaction dates what is kept, and that has not been read yet

        def keep_now(part: Sequence[Letter], how: str = SET_ASIDE) -> None:
            _keep(connected, catalogue, job.name, part, how)
            connected.commit()  # before Kafka is told that it is kept

        for part in flink.set_aside(job, lost=keep_now):
            keep_now(part, COLLECTED)


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


def letters(catalogue: Catalogue, settled: bool = False, ids: list[str] | None = None, most: int | None = None) -> list[dict[str, Any]]:
    """All that wait, and then those that are settled, if these are wanted; of these ids, if some are named."""
    for job in catalogue.of_kind("job"):
        collect(catalogue, job)
    return _execute(catalogue, _LIST, [settled, ids, ids, most])


def letters_of(catalogue: Catalogue, places: Sequence[str]) -> list[dict[str, Any]]:
    """Those of events that stand at these places (topic:partition:offset), among the raw or the filtered ones, settled or not."""
    return _execute(catalogue, _OF, [list(places), list(places)])


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
            for table in dict.fromkeys(letter["target"] for letter in letters):
                yield from _read_again(catalogue, table, [letter for letter in letters if letter["target"] == table])


def _replay_events(catalogue: Catalogue, stream: Stream, letters: Sequence[dict[str, Any]]) -> Iterator[tuple[str, bool]]:
    """While no other command or apply is at it."""
    with exclusive(catalogue.environment.analytics, catalogue.project.name):
        waiting = {row["id"] for row in _execute(catalogue, _STILL, [[letter["id"] for letter in letters]])}
        for letter, done in replay_events(catalogue, stream, [letter for letter in letters if letter["id"] in waiting]):
            if done.settled:
                _execute(catalogue, _SETTLE, [done.settled, [letter["id"]]])
            yield f"{letter['id']}: {done.said}", not done.unjudged


def _receive_again(catalogue: Catalogue, consumer: Receiver, letters: Sequence[dict[str, Any]]) -> Iterator[tuple[str, bool]]:
    """Whether it takes events now that it did not take before."""
    handler, decoder = handler_of(catalogue.project, catalogue.environment, consumer), decoder_of(catalogue.environment)
    for letter in letters:
        key, value, headers = letter["record_key"], bytes(letter["record_value"]), letter["headers"] or {}
        try:
            handler.handle([Received(*place_of(letter), key, value, letter["target"], written_at(letter), decoder, headers)])
        except Retriable as error:
            raise Refused(f"{letter['id']}: {error}; start it, then try again") from error
        except Poison as poison:
            yield f"{letter['id']}: still waits: {poison}", False
        else:
            _execute(catalogue, _SETTLE, ["replayed", [letter["id"]]])
            yield f"{letter['id']}: {consumer.name} has received it", True


def _read_again(catalogue: Catalogue, table: str, letters: Sequence[dict[str, Any]]) -> Iterator[tuple[str, bool]]:
    """What came of the rows of some records that would have changed a table, and whether each is settled for good."""
    if table not in (PULSE, *catalogue.project.target_tables):
        yield from ((f"{letter['id']}: still waits: no stream writes {table} any more; discard it", False) for letter in letters)
        return
    pulse = "it was a pulse, and every later one says more: nothing has to be read again"
    said = dict.fromkeys((letter["id"] for letter in letters), pulse)
    if table != PULSE:
        keys = {letter["id"]: _key(catalogue, letter) for letter in letters}
        mended = _mended(catalogue, table, [key for key in keys.values() if key])
        whole = _mended_whole(catalogue, table) if None in keys.values() else 0
        for name, key in keys.items():
            what, count = (f"the row {', '.join(key)}", mended.count(key)) if key else ("every row", whole)
            said[name] = f"{what} of {table} is as in the source; {count} had to be read again"
    _execute(catalogue, _SETTLE, ["replayed", list(said)])
    yield from ((f"{name}: {text}", True) for name, text in said.items())


def _mended(catalogue: Catalogue, table: str, keys: Sequence[Key]) -> list[Key]:
    """Those of some rows that had to be read again, until all are as in the source. Refused if they do not arrive."""
    differences = Comparison(catalogue, table).settle(list(dict.fromkeys(keys)))[0] if keys else []
    if differences:
        mend(catalogue, table, differences)
    return [one.key for one in differences]


def _mended_whole(catalogue: Catalogue, table: str) -> int:
    """How many rows had to be read again, until all of a table are as in the source. Refused if they do not arrive."""
    mended = 0
    while differences := verify(catalogue, table).differences:  # one comparison does not look for all of very many
        mend(catalogue, table, differences)
        mended += len(differences)
    return mended


def discard(catalogue: Catalogue, chosen: Sequence[dict[str, Any]]) -> None:
    """Settle records without doing anything for their rows."""
    _execute(catalogue, _SETTLE, ["discarded", [letter["id"] for letter in chosen]])


def _row(catalogue: Catalogue, stream: str, letter: Letter) -> list[Any]:
    target = _target(catalogue.project, catalogue.project.streams[stream], letter)
    return [letter_id(letter), stream, target, letter.reason, letter.key, letter.value, Jsonb(letter.headers), letter.written_at]


def _target(project: Project, stream: Stream, letter: Letter) -> str:
    """The table that a record would have changed; of an event that filters set aside its raw place, -1:-1 if it says none."""
    source = project.sources[stream.source]
    if stream.filters:
        [raw] = source.topics(())
        partition, offset = origin(letter.headers.get(ORIGIN, "")) or (-1, -1)
        return f"{raw}:{partition}:{offset}"
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
    """The key of the row that a record changed, if the record says it as PostgreSQL does: by that text rows are found."""
    stream, captured = catalogue.project.target_tables[letter["target"]]
    table = catalogue.project.sources[stream.source].tables[captured]
    names = table.key
    types = [re.sub(r"\(.*\)", "", table.columns[name].mapping.postgres) for name in names]
    if not set(types) <= _SAME_TEXT:
        return None
    try:
        found = json.loads(letter["record_key"])
        values = [found[name] for name in names]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return None if None in values else tuple(map(str, values))


def keep(catalogue: Catalogue, stream: str, letters: Sequence[Letter]) -> None:
    """Records that a stream passes over, with the reasons; each waits, whatever had settled it before."""
    with _connected(catalogue) as connected:
        _keep(connected, catalogue, stream, letters, SET_ASIDE)


def _keep(connected: Connection, catalogue: Catalogue, stream: str, letters: Sequence[Letter], how: str) -> None:
    with connected.cursor() as cursor:
        cursor.executemany(_statement(catalogue, how), [_row(catalogue, stream, letter) for letter in letters])
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
