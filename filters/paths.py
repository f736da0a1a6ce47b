"""Paths into an event: `eventBody.entities[0].updatedAttributes.loan.loanAmount`, `entities[*].entityType`, `a['b.c']`."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

EACH = -1  # as an index: every element of a list
PATTERN = r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*|\[([0-9]{1,4}|\*)\]|\['[^'\x00-\x1f]{1,200}'\])*"
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
        return found

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
    """An event with its numbers exact. Raises ValueError for what is no JSON."""
    return json.loads(content, parse_float=Decimal, parse_int=Decimal, parse_constant=_refuse, object_pairs_hook=_once)


def _beginning(first: str) -> tuple[Step, ...]:
    if first in _HEADER:
        return ("eventHeader",)
    if first in _ENTITY:
        return ("eventBody", "entities", 0)
    return ("eventBody",) if first == "entities" else ()


def _down(value: Any, step: Step) -> Any:
    """One level down, also through the JSON text of an attribute."""
    if isinstance(step, int):
        return value[step] if isinstance(value, list) and step < len(value) else None
    if isinstance(value, str):
        try:
            value = read_event(value)
        except ValueError:
            return None
    return value.get(step) if isinstance(value, Mapping) else None


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no number of JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return found
