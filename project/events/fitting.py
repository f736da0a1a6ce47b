"""Whether an event is as its schema says. What no schema names an event may hold all the same; that is told of samples alone."""

import difflib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from project.events.attributes import Attribute
from project.events.models import EventSchema
from project.filters.values import Kind, WrongType, of_event, of_literal
from project.problems import listed, quoted

_NUMBER = (int, float, Decimal)
_JSON = {"string": str, "number": _NUMBER, "boolean": bool, "timestamp": (str, *_NUMBER), "object": dict, "list": list}


def misfits(event: Any, schema: EventSchema, sample: bool = False) -> list[str]:
    """What is wrong with an event, each `what; expected`. A sample may leave anything out, but holds nothing that nobody declared."""
    return list(_Fitting(schema, sample).of(event, schema.event, ""))


def misfits_of_any(event: Mapping[str, Any], schemas: Mapping[str, EventSchema], sample: bool = False) -> list[str]:
    """The same of an event of one of several kinds: of that which it names, else of the one that it is nearest to."""
    header = event.get("eventHeader")
    name = header.get("eventName") if isinstance(header, dict) else None
    if isinstance(name, str) and name not in schemas:
        return [f"eventHeader.eventName is {quoted(name)}; expected {_nearest(name, schemas)}"]
    candidates = [schemas[name]] if isinstance(name, str) else schemas.values()
    return min((misfits(event, schema, sample) for schema in candidates), key=len)


@dataclass(frozen=True)
class _Fitting:
    schema: EventSchema
    sample: bool

    def of(self, value: Any, attribute: Attribute, path: str) -> Iterator[str]:
        if not _takes(attribute, value):
            yield f"{path or 'the event'} is {_shown(value)}; expected {attribute.expected}"
        elif attribute.type == "object":
            yield from self._of_object(value, attribute.fields or {}, f"{path}." if path else "")
        elif attribute.type == "list":
            for number, element in enumerate(value):
                inside = attribute.items or self.schema.element_like(element)
                if element is not None or inside.required:
                    yield from self.of(element, inside, f"{path}[{number}]")

    def _of_object(self, value: dict[str, Any], fields: Mapping[str, Attribute], path: str) -> Iterator[str]:
        for name, attribute in fields.items():
            if value.get(name) is not None:
                yield from self.of(value[name], attribute, f"{path}{name}")
            elif attribute.required and not self.sample:
                yield f"{path}{name} is missing; expected {attribute.expected}"
        for name in value if self.sample else ():
            if name not in fields:
                yield f"{path}{name} is not declared; expected {_nearest(name, fields)}"


def _takes(attribute: Attribute, value: Any) -> bool:
    """Whether a value is of the type and within its bounds; of what is inside of it nothing is asked."""
    if not isinstance(value, _JSON[attribute.type]) or isinstance(value, bool) != (attribute.type == "boolean"):
        return False
    if attribute.type not in ("string", "number", "timestamp"):
        return True
    kind = Kind(attribute.type)
    try:
        read = of_event(value, kind)
    except WrongType:
        return False
    if attribute.enum and read not in [of_literal(one, kind) for one in attribute.enum]:
        return False
    low, high = attribute.bounds
    size: Any = len(read) if isinstance(read, str) else read
    return (low is None or size >= low) and (high is None or size <= high)


def _nearest(name: str, names: Collection[str]) -> str:
    near = difflib.get_close_matches(name, names, n=1)
    return near[0] if near else f"one of {listed(names)}"


def _shown(value: Any) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    return quoted(value) if isinstance(value, str) else "null" if value is None else str(value).lower()
