"""A filter's samples are its tests: does each event get where its author says, and why."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from project.filters.conditions import Group
from project.filters.models import Filter, Sample
from project.filters.paths import read_event
from project.filters.values import Kind, of_event
from project.filters.verdicts import Record, Verdict, judge


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
    topics, verdict, _ = outcome(one, record)
    return verdict, topics


def outcome(one: Filter, record: Record) -> tuple[tuple[str, ...], Verdict, bool]:
    """The topics that an event goes to, why, and whether it is set aside: it goes nowhere, and that only for a value's type."""
    whole = judge(one.tree, record)
    parts = [(topic, whole if more is None else judge(Group(all=(one.tree, more)), record)) for topic, more in one.outputs]
    topics = tuple(topic for topic, verdict in parts if verdict.truth)
    unsure = not topics and any(verdict.truth is None and verdict.wrong_types > 0 for _, verdict in parts)
    if one.outputTopic:
        return topics, whole, unsure
    inside = tuple(Verdict(verdict.truth, f"to {topic}", (verdict,)) for topic, verdict in parts)
    return topics, Verdict(bool(topics), "goes to a topic", inside), unsure


def _record(sample: Sample) -> Record:
    at = of_event(sample.takenAt, Kind.TIMESTAMP)
    assert isinstance(at, datetime)
    return Record(read_event(json.dumps(sample.event)), at)
