"""The versions of a schema, as a project keeps them: none is missing or was changed, and each goes with the one before as it says."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise

from project.events.compatibility import breaking
from project.events.models import EventSchema
from project.problems import Problem

_MEANINGS = {
    "backward": "who knows version {new} reads events of version {old}",
    "forward": "who knows version {old} reads events of version {new}",
    "full": "who knows version {old} or {new} reads events of both",
}


def check_versions(schemas: Iterable[EventSchema]) -> Iterator[Problem]:
    """What is wrong between the files of each event."""
    by_event: dict[str, list[EventSchema]] = defaultdict(list)
    for schema in schemas:
        by_event[schema.event_name].append(schema)
    for name, versions in by_event.items():
        kept = [one for one in versions if one.kept_as]
        wrong = list(_misplaced(kept))
        yield from wrong
        newest = next((one for one in versions if not one.kept_as), None)
        if newest is None:
            what, expected = f"an earlier version of {name}, which has no newest", f"expected events/{name}.yaml"
            yield Problem.say(kept[0].declared_at, what, expected, "write it, or remove this")
        elif not wrong:
            yield from _check_newest(newest, kept)
            yield from _check_steps({one.version: one for one in (*kept, newest)}, name)


def _misplaced(kept: Iterable[EventSchema]) -> Iterator[Problem]:
    for one in kept:
        if one.version != one.kept_as:
            expected = f"expected {one.kept_as}, as the file is named"
            yield Problem.say(one.at("version"), f"version {one.version}", expected, "correct one of them")


def _check_newest(newest: EventSchema, kept: Iterable[EventSchema]) -> Iterator[Problem]:
    name, version = newest.event_name, newest.version
    for one in kept:
        if one.source != newest.source:
            expected = f"expected {newest.source}, as of its newest version"
            yield Problem.say(one.at("source"), f"source {one.source}", expected, "give one of the events another name")
        if one.version > version:
            expected = f"expected only versions before {version}, which is the newest"
            what, way_out = f"version {one.version} of {name} is kept", f"raise that of {name}, or remove this"
            yield Problem.say(one.at("version"), what, expected, way_out)
        elif one.version == version and one.model_dump(exclude={"name"}) != newest.model_dump(exclude={"name"}):
            what, expected = f"version {version} is not what events/{one.name}.yaml keeps of it", "expected a new number for a change"
            yield Problem.say(newest.at("version"), what, expected, f"say version: {version + 1}, or take the change back")


def _check_steps(versions: dict[int, EventSchema], name: str) -> Iterator[Problem]:
    numbers = sorted(versions)
    if len(numbers) == 1 and numbers[0] > 1:
        numbers.insert(0, 0)
    for before, number in pairwise(numbers):
        new = versions[number]
        if before != number - 1:
            what, expected = f"version {number} of {name} without the one before", f"expected events/{name}@{number - 1}.yaml"
            yield Problem.say(new.at("version"), what, expected, "take it from your history, or correct the number")
        else:
            yield from check_step(versions[before], new)


def check_step(old: EventSchema, new: EventSchema) -> Iterator[Problem]:
    """What a version breaks for those who know another one."""
    meaning = _MEANINGS.get(new.compatibility, "").format(old=old.version, new=new.version)
    for change in breaking(old, new):
        what, expected = f"in version {new.version}, {change.what}", f"expected {new.compatibility} compatibility: {meaning}"
        yield Problem.say(change.at, what, expected, "undo it, or agree on it and say compatibility: none")
