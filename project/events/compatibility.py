"""What a new version of a schema changes for those who know the other one, and which of it its compatibility forbids."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from project.events.attributes import Attribute
from project.events.models import EventSchema
from project.problems import Location, listed

# Who knows the new version cannot read all events of the old one; who knows the old one cannot read all new events.
BACKWARD, FORWARD = "backward", "forward"
_FORBIDDEN = {"backward": {BACKWARD}, "forward": {FORWARD}, "full": {BACKWARD, FORWARD}, "none": set[str]()}
_Fields = Mapping[str, Attribute]


@dataclass(frozen=True)
class Change:
    """A change, and which readers stumble over it: none of them if nobody requires what comes or goes."""

    what: str
    breaks: frozenset[str]
    at: Location  # in the new version


def breaking(old: EventSchema, new: EventSchema) -> list[Change]:
    """The changes that the new version's compatibility forbids."""
    return [change for change in changes(old, new) if change.breaks & _FORBIDDEN[new.compatibility]]


def changes(old: EventSchema, new: EventSchema) -> Iterator[Change]:
    """All of them, whatever compatibility is asked for, in words; none if the two say the same but for what people are told."""
    here = new.at("entities")
    for kind, fields in old.entities.items():
        if kind in new.entities:
            yield from _of_fields(fields, new.entities[kind], f"{kind}.", here)
        else:
            yield _change(f"there are no entities of type {kind} any more", here, BACKWARD)
    for kind in new.entities:
        if kind not in old.entities:
            yield _change(f"there are entities of type {kind} now", here, FORWARD)


def _of_fields(old: _Fields, new: _Fields, path: str, here: Location) -> Iterator[Change]:
    for name, attribute in old.items():
        if name in new:
            yield from _of_attribute(attribute, new[name], f"{path}{name}", here)
        elif attribute.required:
            yield _change(f"{path}{name} is gone, and was required", here, FORWARD)
        else:
            yield _change(f"{path}{name} is gone", here)
    for name, attribute in new.items():
        if name not in old:
            what, breaks = ("new and required", [BACKWARD]) if attribute.required else ("new", [])
            yield _change(f"{path}{name} is {what}", _place(attribute, here), *breaks)


def _of_attribute(old: Attribute, new: Attribute, path: str, outside: Location) -> Iterator[Change]:
    here = _place(new, outside)
    if old.type != new.type:
        yield _change(f"{path} is of type {new.type}, and was of type {old.type}", here, BACKWARD, FORWARD)
        return
    if old.required != new.required:
        now, breaks = ("now required", BACKWARD) if new.required else ("no longer required", FORWARD)
        yield _change(f"{path} is {now}", here, breaks)
    yield from _of_values(old, new, path, here)
    yield from _of_bounds(old, new, path, here)
    yield from _of_fields(old.fields or {}, new.fields or {}, f"{path}.", here)
    if old.items and new.items:
        yield from _of_attribute(old.items, new.items, f"{path}[*]", here)


def _of_values(old: Attribute, new: Attribute, path: str, here: Location) -> Iterator[Change]:
    if new.enum and not old.enum:
        yield _change(f"{path} can only be {listed(map(str, new.enum))} now", here, BACKWARD)
    elif old.enum and not new.enum:
        yield _change(f"{path} can be anything now", here, FORWARD)
    elif old.enum and new.enum:
        if gone := [str(value) for value in old.enum if value not in new.enum]:
            yield _change(f"{path} can no longer be {listed(gone)}", here, BACKWARD)
        if added := [str(value) for value in new.enum if value not in old.enum]:
            yield _change(f"{path} can be {listed(added)} now", here, FORWARD)


def _of_bounds(old: Attribute, new: Attribute, path: str, here: Location) -> Iterator[Change]:
    for before, now, upward in zip(old.bounds, new.bounds, (1, -1), strict=True):
        if before != now:
            tighter = before is None or (now is not None and (now - before) * upward > 0)
            yield _change(f"{path} is {new.expected}, and was {old.expected}", here, BACKWARD if tighter else FORWARD)


def _change(what: str, at: Location, *breaks: str) -> Change:
    return Change(what, frozenset(breaks), at)


def _place(attribute: Attribute, outside: Location) -> Location:
    return attribute.declared_at if attribute.declared_at.line else outside
