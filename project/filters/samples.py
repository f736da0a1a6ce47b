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
    aside: bool  # whether it was set aside
    expected: tuple[str, ...]

    @property
    def right(self) -> bool:
        return (set(self.topics), self.aside) == (set(self.expected), self.sample.setAside)

    @property
    def became(self) -> str:
        return f"goes to {', '.join(self.topics)}" if self.topics else "is set aside" if self.aside else "stays"

    @property
    def wanted(self) -> str:
        """What should have become of it."""
        return f"to go to {', '.join(self.expected)}" if self.expected else "to be set aside" if self.sample.setAside else "to stay"


def try_samples(filters: Iterable[Filter], mandatory: Iterable[str]) -> Iterator[Tried]:
    """Every sample of every filter, in their order."""
    return (judged(one, sample, mandatory) for one in filters for sample in one.samples)


def judged(one: Filter, sample: Sample, mandatory: Iterable[str]) -> Tried:
    """A sample, judged as the job judges an event."""
    topics, verdict, aside = _try(one, sample, mandatory)
    expected = sample.topics or ((one.outputTopic,) if one.outputTopic else topics or ("one of its topics",))
    return Tried(one, sample, verdict, topics, aside, expected if sample.passes else ())


def _try(one: Filter, sample: Sample, mandatory: Iterable[str]) -> tuple[tuple[str, ...], Verdict, bool]:
    event, fault = admitted(json.dumps(sample.event).encode(), mandatory)
    if fault:
        return (), Verdict(None, f"it is no event to filters: {fault}"), True
    at = of_event(sample.takenAt, Kind.TIMESTAMP)
    assert isinstance(at, datetime)
    return outcome(one, Record(event, at))


def wrong_samples(filters: Iterable[Filter], mandatory: Iterable[str]) -> Iterator[Problem]:
    """Those that are judged otherwise than their authors say, of filters that run."""
    for one in try_samples((one for one in filters if one.runs), mandatory):
        if not one.right:
            meant = ", or say setAside: true instead of passes if that is what it shows" if one.aside else ""
            way_out = f"correct the filter or the sample{meant}; `headrace filters test FILE` says why"
            yield Problem.say(one.sample.declared_at, f"the sample {one.became}", f"expected it {one.wanted}", way_out)


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
