"""The versions of an event beside what was applied of it: none may have changed since, and a new one goes with the one in force. Pure."""

import json
from collections.abc import Iterator, Mapping

from pydantic import ValidationError

from project.events.compatibility import BACKWARD, changes
from project.events.models import EventSchema
from project.events.versions import check_step
from project.models import Project
from project.problems import Problem
from project.references import EVENTS

Versions = Mapping[int, EventSchema]


def versions(project: Project, event: str) -> Versions:
    """Those that the project's files hold, the newest last."""
    found = sorted((one for one in project.events.values() if one.event_name == event), key=lambda one: (one.version, not one.kept_as))
    return {one.version: one for one in found}


def as_file(schema: EventSchema) -> str:
    """What a version says, as a file of `events/` can hold it."""
    return json.dumps(schema.model_dump(mode="json", exclude={"name"}, exclude_unset=True), indent=2, ensure_ascii=False) + "\n"


def read_said(event: str, said: str) -> EventSchema | None:
    """The same from such a text; None if it would be refused by now."""
    try:
        return EventSchema.model_validate({**json.loads(said), "name": event})
    except ValidationError:
        return None


def is_as_applied(one: EventSchema, applied: Versions) -> bool:
    """Whether a version says what was applied under its number, if anything was. People may be told of it otherwise."""
    return not any(changes(applied.get(one.version, one), one))


def refusals(files: Versions, applied: Versions, latest: int) -> Iterator[Problem]:
    """Why an event's files may not be applied where `latest` is in force. The first version behind that one has to go with it, and
    `validate` has held those behind the first against each other; to an earlier version the way is free."""
    for one in files.values():
        if not is_as_applied(one, applied):
            yield _changed(one, applied[one.version], max(*files, *applied))
    following = min((version for version in files if version > latest), default=None)
    if latest in applied and following:
        yield from check_step(applied[latest], files[following])


def _changed(one: EventSchema, before: EventSchema, highest: int) -> Problem:
    name = one.event_name
    what = f"version {one.version} of {name} is not what was applied: {_said(before, one)}"
    if one.kept_as:
        way_out = f"take it from your history, or from table {EVENTS}"
        return Problem.say(one.at("version"), what, "expected a file that stays as it was", way_out)
    way_out = f"keep events/{name}@{highest}.yaml as it was applied and say version: {highest + 1}, or take the change back"
    return Problem.say(one.at("version"), what, "expected a new number for a change", way_out)


def meaning(new: EventSchema, applied: Versions, latest: int) -> str:
    """What it means in words that another version comes into force; empty if it is the same one."""
    if new.version == latest or latest not in applied:
        return ""
    said = f"version {latest} → {new.version}: {_said(applied[latest], new) or 'events hold what they held'}"
    if new.version > latest:
        return said
    lost = [change.what for change in changes(applied[latest], new) if BACKWARD in change.breaks]
    reads = f"does not read all of them: {'; '.join(lost)}" if lost else "reads them"
    return f"{said}\nversion {latest} is taken back; its events stay where they are, and who knows version {new.version} {reads}"


def _said(old: EventSchema, new: EventSchema) -> str:
    return "; ".join(change.what for change in changes(old, new))
