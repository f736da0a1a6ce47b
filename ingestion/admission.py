"""What a program sent → an event that may stand in the outbox, with all that is wrong with it; or a refusal, with its reasons."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from project.events.fitting import misfits_of_any
from project.events.models import EventSchema
from project.filters.paths import parse_path, read_event
from project.filters.samples import unjudgeable

_NOT_KEPT = re.compile("[\x00\ud800-\udfff]")  # what no text of PostgreSQL holds


class Rejected(Exception):
    """Nothing of it is kept: the status of the answer, and the reasons, each `what; what was expected`."""

    def __init__(self, status: int, *problems: str) -> None:
        super().__init__(*problems)
        self.status, self.problems = status, problems


@dataclass(frozen=True)
class Entity:
    """An entity that an event names."""

    number: int  # its place in the event
    kind: str
    id: str


@dataclass(frozen=True)
class Admitted:
    """An event that may stand in the outbox."""

    uuid: UUID
    key: str  # the first entity's id, so that its events stay in their order; the uuid if it has none
    text: str  # as it was sent
    problems: tuple[str, ...]  # that it was let in with
    entities: tuple[Entity, ...]
    deletes: bool  # whether it tells that its entities are gone


@dataclass(frozen=True)
class Admission:
    """The rules of one address."""

    schemas: Mapping[str, EventSchema]  # by the events' names; none: nothing is declared
    mandatory: Sequence[str]  # without which filters set an event aside
    strict: bool

    def admit(self, content: bytes) -> Admitted:
        """Raises Rejected."""
        event = _read(content)
        problems = misfits_of_any(event, self.schemas) if self.schemas else []
        if fault := unjudgeable(event, self.mandatory):
            problems.append(f"filters would set it aside: {fault}")
        uuid = _uuid(event)
        if self.strict and problems:
            raise Rejected(422, *problems)
        entities = _entities(event)
        key = entities[0].id if entities and entities[0].number == 0 else str(uuid)
        [operation] = parse_path("sourceMetadata.operation").resolve(event)
        return Admitted(uuid, key, content.decode(), tuple(problems), entities, operation == "DELETE")


def _read(content: bytes) -> dict[str, Any]:
    try:
        event = read_event(content)
    except ValueError as error:
        raise Rejected(400, f"the body is no event: {error}; expected one JSON object in UTF-8, each key once") from error
    parts: list[Any] = [event]
    while parts:
        part = parts.pop()
        if isinstance(part, str) and _NOT_KEPT.search(part):
            raise Rejected(400, "a text holds a NUL or half of a surrogate pair; expected characters that a database keeps")
        parts += [*part, *part.values()] if isinstance(part, dict) else part if isinstance(part, list) else []
    return event


def _uuid(event: dict[str, Any]) -> UUID:
    [found] = parse_path("uuid").resolve(event)
    try:
        return UUID(found)
    except (ValueError, AttributeError, TypeError) as error:
        raise Rejected(422, "eventHeader.uuid is no UUID; expected one, by which a repeated event is known") from error


def _entities(event: dict[str, Any]) -> tuple[Entity, ...]:
    [found] = parse_path("entities").resolve(event)
    named = [
        (number, one.get("entityType"), one.get("entityId"))
        for number, one in enumerate(found if isinstance(found, list) else ())
        if isinstance(one, dict)
    ]
    return tuple(Entity(number, kind, key) for number, kind, key in named if isinstance(kind, str) and isinstance(key, str))
