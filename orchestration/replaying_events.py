"""Events that filters set aside, judged again by the filters that run now; what passes goes where their job would have sent it.

It is written with the key, the stamp and the origin that the job writes, and a header that names its dead letter. A letter is settled
once Kafka has all of it; one at which a replay broke off may come twice, with the same origin, as events of the job may.
"""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flink.backends import FlinkBackend, Letter, Outgoing, producer_of, write
from flink.events import ORIGIN, REASON, REPLAYED, SNAPSHOT, doubt, doubted, stamped
from orchestration.catalogue import Catalogue
from orchestration.verifying import batches
from project.filters.conditions import counts_from_now
from project.filters.models import Filter
from project.filters.samples import admitted, outcome
from project.filters.verdicts import Record, Verdict
from project.models import Project, Stream
from project.resources import Refused, Resource

Row = Mapping[str, Any]  # of the table of dead letters
_TOGETHER = 500  # events whose raw ones are looked up at once


@dataclass(frozen=True)
class Rejudged:
    """What becomes of a dead letter, in words, and what is to be written before it is settled."""

    said: str
    settled: str | None = None  # how; None: it goes on waiting
    outgoing: tuple[Outgoing, ...] = ()
    unjudged: bool = False  # a filter that should cannot judge it


def replay_events(catalogue: Catalogue, stream: Stream, letters: Sequence[Row]) -> Iterator[tuple[Row, Rejudged]]:
    """Judge events of a stream again, those of a key in their order. What is yielded has been written, and is the caller's to settle."""
    job = catalogue.by_id[f"job/{stream.name}"]
    flink, producer = catalogue.backend(job), producer_of(catalogue.environment.kafka)
    assert isinstance(flink, FlinkBackend)
    require_applied(flink, job)
    seen = dict[tuple[str, str, bytes], str]()
    for some in batches(sorted(letters, key=_place), _TOGETHER):
        raw = flink.event_log(job).found(map(_place, some))
        for letter in some:
            first = seen.setdefault((letter["target"], letter["reason"], letter["record_value"]), letter["id"])
            if first == letter["id"]:
                done = rejudge(catalogue.project, stream, letter, raw.get(_place(letter)))
            else:  # the job wrote it twice, as it may after a failure
                done = Rejudged(f"is the event of {first} once more", "replayed")
            write(producer, done.outgoing)
            yield letter, done


def require_applied(flink: FlinkBackend, job: Resource) -> None:
    """Filters that do not run as their spec says cannot judge for those that do."""
    if flink.read(job) != job.document:
        raise Refused(f"{job.id} does not run as its spec says, so its filters cannot judge for it; apply {job.id}, then try again")


def rejudge(project: Project, stream: Stream, letter: Row, raw: Letter | None) -> Rejudged:
    """Judge an event again: by the filter that set it aside, or by all if it was no event to them. `raw` is what Kafka holds of it."""
    by, content = doubted(letter["reason"]), letter["record_value"]
    filters = [one for one in stream.running if by is None or one.id == by[0]]
    if _place(letter) < (0, 0):
        return Rejudged("still waits: it does not say which event it was; discard it", unjudged=True)
    if not filters:
        return Rejudged(f"still waits: {f'filter {by[0]}' if by else 'no filter'} runs that could judge it; discard it", unjudged=True)
    event, fault = admitted(content, stream.mandatory)
    if fault:
        return Rejudged(f"still waits: it is no event to filters: {fault}", unjudged=True)
    at = letter["written_at"].replace(tzinfo=UTC)
    if raw is not None and raw.value == content:
        at = datetime.fromtimestamp(raw.written_at / 1000, UTC)
    elif counting := [one.id for one in filters if any(map(counts_from_now, (one.tree, *(more for _, more in one.outputs if more))))]:
        said = f"filter {counting[0]} counts from when Kafka took the event, which Kafka no longer holds"
        return Rejudged(f"still waits: {said}; have its producer send it again, then discard it", unjudged=True)
    return _routed(project, stream, letter, [(one, *outcome(one, Record(event, at))) for one in filters])


def _routed(project: Project, stream: Stream, letter: Row, outcomes: Sequence[tuple[Filter, tuple[str, ...], Verdict, bool]]) -> Rejudged:
    """What the job would write. A filter that is in doubt sets the event aside, unless that is how it stands already."""
    unsure = [(one, verdict) for one, _, verdict, doubtful in outcomes if doubtful]
    why = "; ".join(f"filter {one.id} cannot judge it: {', '.join(_mistyped(verdict))}" for one, verdict in unsure)
    if unsure and doubted(letter["reason"]):
        return Rejudged(f"still waits: {why}", unjudged=True)
    content, now = letter["record_value"], round(time.time() * 1000)
    passes = [(one, project.filtered_topic(topic)) for one, topics, *_ in outcomes for topic in topics]
    taken = [_outgoing(letter, topic, stamped(one, content, now)) for one, topic in passes]
    aside = [_outgoing(letter, project.dead_letter_topic(stream), content, **{REASON: doubt(one)}) for one, _ in unsure]
    said = f"was written to {', '.join(one.topic for one in taken)}" if taken else "no filter takes it"
    if unsure:
        return Rejudged(f"{said}; {why}, so it waits under a new id", "replayed", (*taken, *aside), unjudged=True)
    return Rejudged(said, "replayed" if taken else "replayed: no filter takes it", tuple(taken))


def _outgoing(letter: Row, topic: str, content: bytes, **more: str) -> Outgoing:
    partition, offset = _place(letter)
    kept = {name: text for name, text in (letter["headers"] or {}).items() if name == SNAPSHOT}
    return Outgoing(topic, letter["record_key"], content, {ORIGIN: f"{partition}:{offset}", REPLAYED: letter["id"], **kept, **more})


def _place(letter: Row) -> tuple[int, int]:
    """Partition and offset of the raw event; -1 and -1 if the letter does not name it."""
    found = re.search(r":([0-9]+):([0-9]+)$", letter["target"])
    return (int(found[1]), int(found[2])) if found else (-1, -1)


def _mistyped(verdict: Verdict) -> Iterator[str]:
    """The conditions that got a value of a wrong type, in words."""
    if verdict.mistyped:
        yield verdict.said
    for inside in verdict.inside:
        yield from _mistyped(inside)
