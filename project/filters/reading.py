"""Reads a file of filters; every problem is found before any is raised."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from project.filters.conditions import Group
from project.filters.contradictions import always, never
from project.filters.models import Filter, FilterFile
from project.located_yaml import read_yaml
from project.models import OF_FILTERS
from project.problems import LocatedMapping, Location, Problem, ProjectError, quoted
from project.spec_errors import read_spec
from project.text_files import read_text

_OF_STREAMS = {"kind", "description", "source", "parallelism"} | (OF_FILTERS - FilterFile.model_fields.keys())


def read_filters(path: Path) -> FilterFile:
    """The filters of a file, or of a stream's. Raises ProjectError with all that is wrong with it."""
    problems: list[Problem] = []
    text = read_text(path, problems)
    data = None if text is None else read_yaml(text, str(path), problems)
    for key in (data or {}).keys() & _OF_STREAMS:  # a stream's file can be given as well
        del data[key]  # type: ignore[union-attr] - there are keys, so there is a document
    problems += repeated_ids(data) if data else ()
    found = read_spec(FilterFile, data, problems)
    problems += (*pointless_filters(found.filters), *clashing_topics(found.filters), *unapproved(found.filters)) if found else ()
    if problems or found is None:
        raise ProjectError(problems)
    return found


def repeated_ids(data: LocatedMapping) -> Iterator[Problem]:
    """Ids that stand twice, whatever else is wrong with their filters."""
    first: dict[str, Location] = {}
    listed = data.get("filters")
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, LocatedMapping) and isinstance(name := one.get("id"), str):
            here = one.key_locations["id"]
            if (other := first.setdefault(name, here)) != here:
                expected = f"expected each once; the first is on line {other.line}"
                yield Problem.say(here, f"id {quoted(name)} again", expected, "rename one")


def pointless_filters(filters: Iterable[Filter]) -> Iterator[Problem]:
    """Filters that nothing or everything passes, and topics that nothing reaches."""
    for one in filters:
        if reason := never(one.tree):
            yield Problem.say(one.at("conditions"), f"nothing passes: {reason}", "expected conditions that an event can meet", "mend them")
        elif reason := always(one.tree):
            expected = "expected conditions that some events do not meet"
            yield Problem.say(one.at("conditions"), f"everything passes: {reason}", expected, "ask for something, or remove it")
        for output in () if reason else one.outputTopics or ():
            if reason := never(Group(all=(one.tree, output.condition))):
                expected = "expected a condition that an event which passes can meet"
                yield Problem.say(output.at("condition"), f"nothing goes to {output.topic}: {reason}", expected, "mend it")


def clashing_topics(filters: Iterable[Filter]) -> Iterator[Problem]:
    """Topics that a filter names twice, so that an event came there twice, and those that filters of different consumers write to."""
    first: dict[str, Filter] = {}
    for one in filters:
        topics = [topic for topic, _ in one.outputs]
        for topic in dict.fromkeys(topics):
            if topics.count(topic) > 1:
                expected = "expected each once, as an event would be written there as often"
                yield Problem.say(_of_topics(one), f'topic "{topic}" again', expected, "join its conditions by `any`, or rename one")
            if (other := first.setdefault(topic, one)).consumerId != one.consumerId:
                what = f'topic "{topic}" of consumer {one.consumerId} is also that of {other.consumerId}, by filter {other.id}'
                expected = "expected topics of its own for each, who would get the other's events as well"
                yield Problem.say(_of_topics(one), f"{what} ({_of_topics(other)})", expected, "rename one")


def _of_topics(one: Filter) -> Location:
    return one.at("outputTopic" if one.outputTopic else "outputTopics")


def unapproved(filters: Iterable[Filter], required: bool = False) -> Iterator[Problem]:
    """Filters without the agreement of a second person that they say they have, or that each which runs has to have."""
    for one in filters:
        if said := _disapproval(one, required):
            yield Problem.say(one.at("approval"), *said)


def _disapproval(one: Filter, required: bool) -> tuple[str, str, str] | None:
    given = one.approval
    if given is None:
        way_out = f"write `approval: {{by: WHO, version: {one.version}}}`, or say status: draft if it has never run"
        needed = one.status == "approved" or (required and one.runs)
        return (f"filter {one.id} has no approval", "expected that of a second person", way_out) if needed else None
    if not one.owner:
        return f"filter {one.id} has an approval and no owner", "expected one, who is another person", "write `owner`"
    if given.by.strip().casefold() == one.owner.strip().casefold():
        return f"filter {one.id} is approved by {given.by}, its owner", "expected another person", "have it approved by one"
    if given.version != one.version and one.status != "draft":
        expected = f"expected one of version {one.version}, which it is now"
        way_out = "have it approved again, or take the change back; status: draft would end the version that runs"
        return f"filter {one.id} has an approval of version {given.version}", expected, way_out
    return None
