"""A filter's samples are its tests: does each event get where its author says, and why."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from filters.models import Filter, Sample
from filters.paths import read_event
from filters.values import Kind, of_event
from filters.verdicts import Record, Verdict, conjunction, judge


@dataclass(frozen=True)
class Tried:
    """A sample, what became of it, and what should have."""

    filter: Filter
    sample: Sample
    verdict: Verdict
    topics: tuple[str, ...]
    expected: tuple[str, ...]

    @property
    def right(self) -> bool:
        return self.topics == self.expected


def try_samples(filters: Iterable[Filter]) -> Iterator[Tried]:
    """Every sample of every filter, in their order."""
    for one in filters:
        for sample in one.samples:
            verdict, topics = route(one, _record(sample))
            expected = sample.topics or ((one.outputTopic,) if one.outputTopic else topics or ("one of its topics",))
            yield Tried(one, sample, verdict, topics, expected if sample.passes else ())


def route(one: Filter, record: Record) -> tuple[Verdict, tuple[str, ...]]:
    """Why an event passes a filter or does not, and the topics that it goes to."""
    whole = judge(one.tree, record)
    if one.outputTopic:
        return whole, (one.outputTopic,) if whole.truth else ()
    outputs = [(output.topic, judge(output.condition, record)) for output in one.outputTopics or ()]
    topics = tuple(topic for topic, verdict in outputs if conjunction((whole.truth, verdict.truth)))
    inside = (whole, *(Verdict(verdict.truth, f"to {topic}", (verdict,)) for topic, verdict in outputs))
    return Verdict(bool(topics), "goes to a topic", inside), topics


def _record(sample: Sample) -> Record:
    at = of_event(sample.takenAt, Kind.TIMESTAMP)
    assert isinstance(at, datetime)
    return Record(read_event(json.dumps(sample.event)), at)
