"""Paths into an event: `eventBody.entities[0].updatedAttributes.loan.loanAmount`, `entities[*].entityType`, `a['b.c']`.

An event is read as Flink's job reads it (flink/events.py): what one takes for no event, the other does as well.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

_LONGEST_NUMBER = 1000  # characters, as Flink's reader of JSON has it
EACH = -1  # as an index: every element of a list
MOST_ELEMENTS = 10  # of a list whose elements are judged one by one: each is a condition of its own in Flink
PATTERN = r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*|\[([0-9]{1,4}|\*)\]|\['[^'\\\x00-\x1f]{1,200}'\])*"
IDENTIFIER = re.compile("[A-Za-z_][A-Za-z0-9_]*")  # a key that needs no quotes
_STEP = re.compile(r"\.?([A-Za-z_][A-Za-z0-9_]*)|\[([0-9]{1,4})\]|\[(\*)\]|\['([^']*)'\]")
# What a path may begin with instead of the whole way.
_HEADER = ("uuid", "eventName", "eventType", "createdDate", "savedDate")
_ENTITY = ("entityType", "entityId", "updatedAttributes")
Step = str | int


@dataclass(frozen=True)
class Path:
    steps: tuple[Step, ...]

    def resolve(self, event: Any) -> list[Any]:
        """The values at a path, one unless it says `[*]`; what is missing is None."""
        found = [event]
        for step in self.steps:
            if step == EACH:
                found = [element for value in found for element in (value if isinstance(value, list) else ())]
            else:
                found = [_down(value, step) for value in found]
        return [_characters(value) for value in found]

    def count(self, event: Any) -> int:
        """How many elements the list has of which it means each; 1 if it means none."""
        if not self.each:
            return 1
        [found] = Path(self.steps[: self.steps.index(EACH)]).resolve(event)
        return len(found) if isinstance(found, list) else 0

    @property
    def each(self) -> bool:
        return EACH in self.steps


@lru_cache(maxsize=10_000)  # asked for every event
def parse_path(text: str, over: str | None = None) -> Path:
    """A path as a spec writes it; of the element of a list if it stands in a group over that list."""
    steps: list[Step] = [
        name or key or (EACH if each else int(index)) for name, index, each, key in (found.groups() for found in _STEP.finditer(text))
    ]
    return Path((*_beginning(str(steps[0])), *steps) if over is None else tuple(steps))


def read_event(content: bytes | str) -> Any:
    """An event with its numbers exact. Raises ValueError for what is no JSON object with each key once."""
    try:
        text = content.decode() if isinstance(content, bytes) else content
        event = json.loads(text, parse_float=_number, parse_int=_number, parse_constant=_refuse, object_pairs_hook=_once)
    except RecursionError as error:
        raise ValueError("values too deep in each other") from error
    if not isinstance(event, dict):
        raise ValueError("no object")
    return event


def _beginning(first: str) -> tuple[Step, ...]:
    if first in _HEADER:
        return ("eventHeader",)
    if first in _ENTITY:
        return ("eventBody", "entities", 0)
    return ("eventBody",) if first == "entities" else ()


def _down(value: Any, step: Step) -> Any:
    """One level down."""
    if isinstance(step, int):
        return value[step] if isinstance(value, list) and step < len(value) else None
    return value.get(step) if isinstance(value, Mapping) else None


def _characters(value: Any) -> Any:
    """A half of a surrogate pair is no character; no text of Flink's holds one."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _number(digits: str) -> Decimal:
    if len(digits) > _LONGEST_NUMBER:
        raise ValueError(f"a number of more than {_LONGEST_NUMBER} characters")
    return Decimal(digits)


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no number of JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return found
