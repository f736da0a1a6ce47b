"""What became of one event, place by place: what each filter makes of it, what was written of it, who has it; and that in words."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from flink.backends import Letter
from flink.events import ORIGIN, body, origin, unstamped
from project.filters.paths import parse_path, read_event
from project.filters.samples import admitted, outcome
from project.filters.verdicts import Record, Verdict
from project.models import Project, Stream

PASSED, STAYED, SET_ASIDE, NO_EVENT = "passed", "stayed", "set aside", "no event"


@dataclass(frozen=True)
class Said:
    """What a filter makes of the event, as it is written now."""

    filter: str
    version: int
    became: str
    topics: tuple[str, ...]  # where it goes
    because: tuple[str, ...]  # what decided
    why: tuple[str, ...]  # all conditions


@dataclass(frozen=True)
class Reader:
    """A consumer that reads a topic in which the event stands."""

    consumer: str
    behind: int | None  # records up to this one that it has not read; None: it has no place in that partition
    received_at: datetime | None  # when it was first written into received_events, if it is there
    times: int  # how often it came


@dataclass(frozen=True)
class Written:
    """A record of the event in a topic that consumers read."""

    place: str
    at: datetime
    filter: str | None  # as its stamp says; None: it is in Avro
    version: int | None
    replayed: str | None  # the dead letter that it was before
    readers: tuple[Reader, ...]


@dataclass(frozen=True)
class Aside:
    """A dead letter of the event."""

    id: str
    by: str  # the stream or the consumer
    reason: str
    at: datetime
    settled: str | None


@dataclass(frozen=True)
class Trace:
    """The event at one of its places among the raw ones, and what came of it."""

    place: str
    at: datetime
    from_table: bool  # read from the outbox by a snapshot or a reread: it may have come before
    behind: int  # events up to this one that the job has not passed so far
    filters: tuple[Said, ...]
    written: tuple[Written, ...]
    letters: tuple[Aside, ...]


@dataclass(frozen=True)
class Search:
    """What was looked at of a stream's raw events, and where the event was found."""

    stream: str
    topic: str
    looked_at: int
    since: datetime | None  # every event that came later was looked at; None: all that Kafka still holds were
    found: tuple[Trace, ...]


def is_named(event: bytes, uuid: str) -> bool:
    """Whether an event has this uuid in its header; one that nobody can read has it if it says it anywhere."""
    if not any(said in event for said in {uuid.encode(), json.dumps(uuid)[1:-1].encode()}):  # to read each event would take too long
        return False
    try:
        return parse_path("uuid").resolve(read_event(event)) == [uuid]
    except ValueError:
        return True


def judged(project: Project, stream: Stream, raw: Letter) -> tuple[Said, ...]:
    """What each filter that runs makes of a raw event, as of when Kafka took it."""
    event, fault = admitted(raw.value, stream.mandatory)
    if fault:
        return tuple(Said(one.id, one.version, NO_EVENT, (), (fault,), (fault,)) for one in stream.running)
    said = list[Said]()
    for one in stream.running:
        names, verdict, unsure = outcome(one, Record(event, moment(raw.written_at)))
        became, topics = PASSED if names else SET_ASIDE if unsure else STAYED, tuple(map(project.filtered_topic, names))
        said.append(Said(one.id, one.version, became, topics, tuple(_deciding(verdict, unsure)), tuple(verdict.lines())))
    return tuple(said)


def _deciding(verdict: Verdict, unsure: bool) -> Iterator[str]:
    """The conditions that made a verdict what it is; where a value's type left it open, those that got the value."""
    decided = [one for one in verdict.inside if (one.wrong_types if unsure else one.truth == verdict.truth)]
    for one in decided or verdict.inside:
        yield from _deciding(one, unsure)
    if not verdict.inside:
        yield next(verdict.lines())


def written_of(raw: Letter, records: Sequence[Letter]) -> list[Letter]:
    """Of records of consumers' topics those of a raw event, and not of one that stood there before its topic was created anew."""
    of_place = [one for one in records if origin(one.headers.get(ORIGIN, "")) == (raw.partition, raw.offset)]
    return [one for one in of_place if (stamp := unstamped(one.value)) is None or stamp[2] == body(raw.value)]


def moment(at: int) -> datetime:
    """What Kafka says in milliseconds since 1970."""
    return datetime.fromtimestamp(at / 1000, UTC)


def lines(trace: Trace) -> Iterator[tuple[str, str]]:
    """What a person reads of it, line by line: a word, and what it says of what."""
    yield "raw", f"{trace.place}  {utc(trace.at)}{', read from its table' if trace.from_table else ''}"
    if trace.behind and not trace.written and not trace.letters:
        yield "waits", f"its stream has not passed it so far ({trace.behind:,} events behind); this is what its filters make of it"
    if fault := next((said.because for said in trace.filters if said.became == NO_EVENT), None):
        yield NO_EVENT, f"no filter can judge it: {fault[0]}"
    for said in trace.filters:
        yield from _of_filter(said, [one for one in trace.written if one.filter == said.filter], trace)
    known = {said.filter for said in trace.filters}
    for one in trace.written:
        if one.filter not in known:
            yield from _of_written(one, trace)
    for letter in trace.letters:
        yield "letter", f"{letter.id} of {letter.by}, {utc(letter.at)}: {letter.reason}; {letter.settled or 'it waits'}"


def _of_filter(said: Said, written: Sequence[Written], trace: Trace) -> Iterator[tuple[str, str]]:
    name = f"{said.filter} {said.version}"
    for one in written:
        yield from _of_written(one, trace)
    missing = [topic for topic in said.topics if not any(one.place.startswith(f"{topic}:") for one in written)]
    if missing and trace.behind:
        yield PASSED, f"{name} → {', '.join(missing)}, not written so far"
    elif missing:
        why = "it came before this version, or Kafka has removed it; if neither is so, `headrace dead-letters account` names it"
        yield "missing", f"{name} takes it as it is written now, yet it is not in {', '.join(missing)}: {why}"
    elif said.became in (STAYED, SET_ASIDE):
        yield said.became, f"{name}: {'; '.join(said.because)}"


def _of_written(one: Written, trace: Trace) -> Iterator[tuple[str, str]]:
    by = f"{one.filter} {one.version}" if one.filter else "in Avro"
    replayed = f", replayed from {one.replayed}" if one.replayed else ""
    yield PASSED, f"{by} → {one.place}, {(one.at - trace.at).total_seconds():.3f} s later{replayed}"
    for reader in one.readers:
        yield "read", f"{reader.consumer}: {_read(reader)}"


def _read(reader: Reader) -> str:
    if reader.received_at:
        return f"has it since {utc(reader.received_at)}{f', it came {reader.times} times' if reader.times > 1 else ''}"
    if reader.behind is None:
        return f"stands nowhere in that topic; apply consumer/{reader.consumer}"
    return f"has not read so far ({reader.behind:,} events behind)" if reader.behind else "has read past it"


def utc(at: datetime) -> str:
    """To the millisecond."""
    return f"{at:%Y-%m-%d %H:%M:%S.%f}"[:-3]
