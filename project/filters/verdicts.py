"""Whether an event passes a filter, and why: three-valued, by the truth tables of docs/filters.md."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from project.filters.conditions import Condition, Group
from project.filters.paths import MOST_ELEMENTS, parse_path
from project.filters.values import Kind, Relative, Value, WrongType, of_event

Truth = bool | None  # None: UNKNOWN; an event passes on True alone


@dataclass(frozen=True)
class Verdict:
    """What became of a condition or a group, in words, with what is inside it."""

    truth: Truth
    said: str
    inside: tuple["Verdict", ...] = ()
    mistyped: int = 0  # values that this condition itself could not take for what it compares

    @property
    def wrong_types(self) -> int:
        """How many such values there were, inside as well."""
        return self.mistyped + sum(verdict.wrong_types for verdict in self.inside)

    def lines(self, indent: str = "") -> Iterator[str]:
        """As an indented text."""
        yield f"{indent}{_WORDS[self.truth]}: {self.said}"
        for verdict in self.inside:
            yield from verdict.lines(indent + "  ")


_WORDS = {True: "true", False: "false", None: "unknown"}


@dataclass(frozen=True)
class Record:
    """An event, and when Kafka took it."""

    event: Any
    at: datetime


def judge(node: Condition | Group, record: Record) -> Verdict:
    """The verdict over an event as `read_event` reads it."""
    return _judge(node, record, record.event, None)


def conjunction(truths: Iterable[Truth]) -> Truth:
    """AND: false if one is false, else unknown if one is unknown."""
    found = set(truths)
    return False if False in found else None if None in found else True


def disjunction(truths: Iterable[Truth]) -> Truth:
    """OR: true if one is true, else unknown if one is unknown."""
    found = set(truths)
    return True if True in found else None if None in found else False


def negation(truth: Truth) -> Truth:
    return None if truth is None else not truth


def _judge(node: Condition | Group, record: Record, here: Any, over: str | None) -> Verdict:
    if isinstance(node, Condition):
        return _of_condition(node, record, here, over)
    if node.over is None:
        return _of_group(node, record, here, over)
    [found] = parse_path(node.over, over).resolve(here)
    listed = found if isinstance(found, list) else []
    if len(listed) > MOST_ELEMENTS:
        return Verdict(None, _too_many(node.over, len(listed)), (), 1)
    verdicts = tuple(_of_group(node, record, element, node.over) for element in listed)
    join = disjunction if node.quantifier == "any" else conjunction
    said = f"{node.quantifier} of the {len(listed)} elements of {node.over}"
    return Verdict(join(verdict.truth for verdict in verdicts), said, verdicts)


def _of_group(group: Group, record: Record, here: Any, over: str | None) -> Verdict:
    verdicts = tuple(_judge(node, record, here, over) for node in group.nodes)
    name, join = ("all", conjunction) if group.all else ("any", disjunction) if group.any else ("not", lambda truths: negation(*truths))
    return Verdict(join([verdict.truth for verdict in verdicts]), name, verdicts)


def _of_condition(condition: Condition, record: Record, here: Any, over: str | None) -> Verdict:
    path = condition.path(over)
    if (count := path.count(here)) > MOST_ELEMENTS:
        return Verdict(None, _too_many(condition.field, count), (), 1)
    found = [_of_value(condition, value, record) for value in path.resolve(here)]
    join = conjunction if path.each and condition.quantifier == "all" else disjunction
    said = f"{condition.field} {condition.asked}; it is {', '.join(said for _, said, _ in found) or 'no element'}"
    return Verdict(join([truth for truth, _, _ in found]), said, (), sum(wrong for *_, wrong in found))


def _too_many(path: str, count: int) -> str:
    return f"{path} has {count} elements, more than {MOST_ELEMENTS}"


def _of_value(condition: Condition, found: Any, record: Record) -> tuple[Truth, str, bool]:
    """What a single value makes of a condition: the truth, the value in words, whether it is of a wrong type."""
    if condition.operator in ("isNull", "isNotNull"):
        return (found is None) == (condition.operator == "isNull"), "NULL" if found is None else "there", False
    try:
        value = of_event(found, condition.kind)
    except WrongType as wrong:
        return None, f"{_shown(found)}, but {wrong}", True
    if value is None:
        return None, "NULL", False
    if condition.kind is Kind.TIME_OF_DAY:
        assert isinstance(value, datetime)
        value = value.astimezone(ZoneInfo(condition.timeZone)).time().replace(microsecond=0)
    literals = [record.at + literal.offset if isinstance(literal, Relative) else literal for literal in condition.literals]
    return COMPARE[condition.operator](value, literals), _shown(found), False


def _between(value: Any, bounds: Sequence[Any]) -> bool:
    low, high = bounds
    if isinstance(value, time) and low > high:  # over midnight
        return value >= low or value <= high
    return low <= value <= high


# Of a value that is there and the literals, both of the condition's type.
COMPARE: dict[str, Callable[[Any, Sequence[Any]], bool]] = {
    "equals": lambda value, literals: value == literals[0],
    "in": lambda value, literals: value in literals,
    "notIn": lambda value, literals: value not in literals,
    "greaterThan": lambda value, literals: value > literals[0],
    "lessThan": lambda value, literals: value < literals[0],
    "greaterThanOrEqual": lambda value, literals: value >= literals[0],
    "lessThanOrEqual": lambda value, literals: value <= literals[0],
    "between": _between,
    "matches": lambda value, literals: re.search(literals[0], value, re.ASCII) is not None,
}


def _shown(found: Value | Any) -> str:
    text = repr(found) if isinstance(found, str) else str(found)
    return text if len(text) <= 60 else text[:59] + "…"
