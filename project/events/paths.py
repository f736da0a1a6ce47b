"""Where a path of a filter leads in events of some kinds."""

from collections.abc import Iterable, Sequence

from project.events.attributes import WORDS, Attribute
from project.events.models import EventSchema
from project.filters.paths import EACH, IDENTIFIER, Step
from project.problems import listed, suggestion

Place = tuple[EventSchema, Attribute]  # what stands there in events of one kind


class LeadsNowhere(ValueError):
    """A path that no event has; the text says it as a problem does."""


def follow(steps: Sequence[Step], schemas: Iterable[EventSchema]) -> list[Place]:
    """All that can stand at a path, one or more. Raises LeadsNowhere."""
    here = [(schema, schema.event) for schema in schemas]
    kinds = [schema.event_name for schema, _ in here]
    for depth, step in enumerate(steps):
        further = [(schema, inside) for schema, attribute in here for inside in _down(schema, attribute, step)]
        if not further:
            raise LeadsNowhere(f"there is no {as_text(steps)} in {listed(kinds, 3)}; {_instead(steps[:depth], step, here)}")
        here = further
    return here


def as_text(steps: Sequence[Step]) -> str:
    """The path as a spec can write it."""
    parts = ("[*]" if step == EACH else f"[{step}]" if isinstance(step, int) else _key(step) for step in steps)
    return "".join(parts).removeprefix(".").removeprefix("eventBody.entities[0].")


def _key(name: str) -> str:
    return f".{name}" if IDENTIFIER.fullmatch(name) else f"['{name}']"


def _down(schema: EventSchema, attribute: Attribute, step: Step) -> tuple[Attribute, ...]:
    if isinstance(step, int):
        return schema.inside(attribute) if attribute.type == "list" else ()
    found = (attribute.fields or {}).get(step)
    return (found,) if found else ()


def _instead(before: Sequence[Step], step: Step, here: Sequence[Place]) -> str:
    """What there is where a path goes astray, and what to do."""
    names = list(dict.fromkeys(name for _, attribute in here for name in attribute.fields or ()))
    where, is_list = as_text(before) or "an event", any(attribute.type == "list" for _, attribute in here)
    if names and isinstance(step, str):
        return f"{where} has {listed(names)}; {suggestion(step, names, 'correct it, or declare it in events/')}"
    otherwise = "end the path there" if isinstance(step, str) else "leave the index out"
    return f"{where} is {WORDS[here[0][1].type]}; {'name an element, or each of them by [*]' if is_list else otherwise}"
