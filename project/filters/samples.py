"""A filter's samples are its tests: does each event get where its author says, and why."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from project.filters.conditions import Group
from project.filters.models import Filter, Sample
from project.filters.paths import parse_path, read_event
from project.filters.values import Kind, of_event
from project.filters.verdicts import Record, Verdict, judge
from project.problems import Problem

UNSTAMPABLE = "it has no place for the stamp of a filter: it is no object, is empty, or says filterMetadata itself"


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
            topics, verdict, _ = outcome(one, _record(sample))
            expected = sample.topics or ((one.outputTopic,) if one.outputTopic else topics or ("one of its topics",))
            yield Tried(one, sample, verdict, topics, expected if sample.passes else ())


def wrong_samples(filters: Iterable[Filter]) -> Iterator[Problem]:
    """Those that are judged otherwise than their authors say, of filters that run."""
    for one in try_samples(one for one in filters if one.runs):
        if not one.right:
            expected = f"expected it to {_goes(one.expected, 'go', 'stay')}"
            way_out = "correct the filter or the sample; `headrace filters test FILE` says why"
            yield Problem.say(one.sample.declared_at, f"the sample {_goes(one.topics, 'goes', 'stays')}", expected, way_out)


def _goes(topics: tuple[str, ...], goes: str, stays: str) -> str:
    return f"{goes} to {', '.join(topics)}" if topics else stays


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


def admitted(content: bytes, mandatory: Iterable[str]) -> tuple[Any, str | None]:
    """The event that a record holds, or why it is none that filters judge, as their job says it (flink/events.py)."""
    try:
        event = read_event(content)
    except ValueError as error:
        return None, str(error)
    fault = unjudgeable(event, mandatory)
    return (None, fault) if fault else (event, None)


def unjudgeable(event: Any, mandatory: Iterable[str]) -> str | None:
    """Why an event is none that filters judge, if so."""
    if event.get("filterMetadata") is not None:
        return "it has been through a filter"
    if not event or "filterMetadata" in event:
        return UNSTAMPABLE
    missing = next((path for path in mandatory if _is_no_text(parse_path(path).resolve(event)[0])), None)
    return f"{missing} is missing" if missing else None


def _is_no_text(value: Any) -> bool:
    return value is None or isinstance(value, dict | list)


def _record(sample: Sample) -> Record:
    at = of_event(sample.takenAt, Kind.TIMESTAMP)
    assert isinstance(at, datetime)
    return Record(read_event(json.dumps(sample.event)), at)
