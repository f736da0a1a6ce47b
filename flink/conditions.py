"""Conditions of filters as Flink SQL, three-valued as in project/filters/verdicts.py, which is the measure.

A value at a path is taken out of the event once, as a text, and turned once into each type that is asked of it; both are columns
(flink/events.py), also those of each element of a list, as far as there are so many.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, time
from decimal import Decimal

from flink.ddl import literal, quoted
from project.filters.conditions import Condition, Group
from project.filters.paths import EACH, MOST_ELEMENTS, Step, parse_path
from project.filters.values import FIRST, INSTANT, LAST, MILLISECONDS, NUMBER, Kind, Relative, Value

TAKEN = "`taken_us`"  # when Kafka took the record, in microseconds since 1970
_COMPARED = {
    "equals": "=", "greaterThan": ">", "lessThan": "<", "greaterThanOrEqual": ">=", "lessThanOrEqual": "<=", "in": "in", "notIn": "not in",
}  # fmt: skip
Steps = tuple[Step, ...]
_LONGEST_NAME = 256  # of a column, in the characters of Java


@dataclass
class Columns:
    """What the conditions of a stream take out of an event: each column with its SQL over those before. A column is named as its path,
    whose $ none of a record's own has in front, as far as Flink takes so long a name."""

    counts: dict[str, str] = field(default_factory=dict[str, str])  # elements of lists
    texts: dict[str, str] = field(default_factory=dict[str, str])  # NULL for an object or a list
    typed: dict[str, str] = field(default_factory=dict[str, str])  # NULL for what is not of the type

    def text(self, steps: Steps, there: str | None = None) -> str:
        """The value as a text; looked for only where `there`, if that is given."""
        column = _column(steps)
        found = f"json_value(`event`, {literal(json_path(steps))})"
        self.texts.setdefault(column, f"case when {there} then {found} end" if there else found)
        return quoted(column)

    def value(self, steps: Steps, condition: Condition) -> str:
        """The value, whose text is a column already, as what the condition compares."""
        column = _column(steps)
        if condition.kind is Kind.STRING:
            return quoted(column)
        zone = f" {condition.timeZone}" if condition.kind is Kind.TIME_OF_DAY else ""
        value = _column(steps, f" {condition.kind}{zone}")
        self.typed.setdefault(value, typed(condition, quoted(column)))
        return quoted(value)

    def count(self, steps: Steps) -> str:
        """How many elements a list has; 0 if there is no list."""
        column = _column(steps, "[*]")
        counted = f"coalesce(cardinality(json_query(`event`, {literal(json_path(steps))} returning array<string>)), 0)"
        self.counts.setdefault(column, counted)
        return quoted(column)


def _column(steps: Steps, more: str = "") -> str:
    name = json_path(steps) + more
    if len(name.encode("utf-16-le")) // 2 <= _LONGEST_NAME:
        return name
    return f"{name[:90]}… {hashlib.sha256(name.encode()).hexdigest()[:16]}"


@dataclass(frozen=True)
class Judged:
    """SQL of whether a condition is met, and of whether a value is no such thing as it compares."""

    truth: str
    mistyped: str


_NEVER = "false"


def judged(node: Condition | Group, columns: Columns, element: "Element | None" = None) -> Judged:
    """A condition or group over the event; over an element of a list where that is given."""
    if isinstance(node, Condition):
        return _condition(node, columns, element)
    if node.over is None:
        return _group(node, columns, element)
    return _each(parse_path(node.over).steps, node.quantifier, columns, lambda one: _group(node, columns, one))


@dataclass(frozen=True)
class Element:
    steps: Steps
    there: str  # SQL of whether the list has so many


def _group(group: Group, columns: Columns, element: Element | None) -> Judged:
    inside = [judged(node, columns, element) for node in group.nodes]
    truths, mistyped = [one.truth for one in inside], _any(one.mistyped for one in inside)
    if group.not_:
        return Judged(f"not {truths[0]}", mistyped)
    return Judged(f"({(' and ' if group.all else ' or ').join(truths)})", mistyped)


def _condition(condition: Condition, columns: Columns, element: Element | None) -> Judged:
    if element is not None:
        return _over(condition, (*element.steps, *parse_path(condition.field, "").steps), columns, element.there)
    steps = parse_path(condition.field).steps
    if EACH not in steps:
        return _over(condition, steps, columns, None)
    at = steps.index(EACH)
    return _each(
        steps[:at], condition.quantifier, columns, lambda one: _over(condition, (*one.steps, *steps[at + 1 :]), columns, one.there)
    )


def _each(steps: Steps, quantifier: str, columns: Columns, inside: Callable[[Element], Judged]) -> Judged:
    """Of each element that there is; nobody knows of a list that is longer than any event should have it."""
    count = columns.count(steps)
    elements = [Element((*steps, index), f"{count} > {index}") for index in range(MOST_ELEMENTS)]
    found = [inside(element) for element in elements]
    if quantifier == "any":
        truth = " or ".join(f"({element.there} and {one.truth})" for element, one in zip(elements, found, strict=True))
    else:
        truth = " and ".join(f"(not {element.there} or {one.truth})" for element, one in zip(elements, found, strict=True))
    mistyped = _any(f"({element.there} and {one.mistyped})" for element, one in zip(elements, found, strict=True) if one.mistyped != _NEVER)
    too_many = f"{count} > {MOST_ELEMENTS}"
    return Judged(f"case when {too_many} then cast(null as boolean) else {truth} end", _any([too_many, mistyped]))


def _over(condition: Condition, steps: Steps, columns: Columns, there: str | None) -> Judged:
    text = columns.text(steps, there)
    container = f"json_query(`event`, {literal(json_path(steps))}) is not null"
    if condition.operator in ("isNull", "isNotNull"):
        null = f"({text} is null and not {container})"
        return Judged(null if condition.operator == "isNull" else f"not {null}", _NEVER)
    value = columns.value(steps, condition)
    if condition.kind is Kind.STRING:
        return Judged(_compared(condition, value), f"({text} is null and {container})")
    return Judged(_compared(condition, value), f"({value} is null and ({text} is not null or {container}))")


def _compared(condition: Condition, value: str) -> str:
    operands = [_operand(one) for one in condition.literals]
    if condition.operator == "matches":
        return f"regexp({value}, {literal(f'(?d){condition.literals[0]}')})"  # as Python has it, only \n ends a line
    if condition.operator in ("in", "notIn"):
        return f"{value} {_COMPARED[condition.operator]} ({', '.join(operands)})"
    if condition.operator == "between":
        low, high = condition.literals
        over_midnight = isinstance(low, time) and isinstance(high, time) and low > high
        return f"({value} >= {operands[0]} {'or' if over_midnight else 'and'} {value} <= {operands[1]})"
    return f"{value} {_COMPARED[condition.operator]} {operands[0]}"


def _operand(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        return f"cast({literal(format(value, 'f'))} as decimal(38, 18))"
    if isinstance(value, datetime):
        return str(_microseconds(value.timestamp()))
    if isinstance(value, Relative):
        return f"({TAKEN} + {_microseconds(value.offset.total_seconds())})"
    return literal(value.isoformat() if isinstance(value, time) else value)


def _microseconds(seconds: float) -> int:
    return round(seconds * 1_000_000)


def json_path(steps: Iterable[Step]) -> str:
    """As functions of JSON take it."""
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" if _plain(step) else f"['{step}']" for step in steps)


def _plain(key: str) -> bool:
    return key.isascii() and key.isidentifier()


def typed(condition: Condition, text: str) -> str:
    """A text as what a condition compares; NULL if it cannot be taken for that (project/filters/values.py)."""
    if condition.kind is Kind.NUMBER:
        return f"case when {_matches(text, NUMBER)} then try_cast({text} as decimal(38, 18)) end"
    if condition.kind is Kind.BOOLEAN:
        return f"case lower({text}) when 'true' then true when 'false' then false end"
    if condition.kind is Kind.TIMESTAMP:
        return _instant(text)
    if condition.kind is Kind.TIME_OF_DAY:
        seconds = f"from_unixtime(cast(floor({_instant(text)} / 1000000.0) as bigint))"
        return f"substring(convert_tz({seconds}, 'UTC', {literal(condition.timeZone)}), 12)"
    return text


def _matches(text: str, pattern: str) -> str:
    whole = rf"\A{pattern}\z"
    return f"regexp({text}, {literal(whole)})"


def _instant(text: str) -> str:
    """In microseconds since 1970. A day that its month does not have would be taken for one of the next month."""
    written = f"replace(substring({text}, 1, 19), 'T', ' ')"
    fraction = rf"cast(rpad(coalesce(regexp_extract({text}, '\.([0-9]+)', 1), ''), 6, '0') as bigint)"
    sign, hours, minutes = (rf"regexp_extract({text}, '([-+])([0-9]{{2}}):([0-9]{{2}})\z', {part})" for part in (1, 2, 3))
    offset = f"coalesce(cast({sign} || '1' as bigint) * (cast({hours} as bigint) * 60 + cast({minutes} as bigint)), 0)"
    return (
        f"case when {_matches(text, MILLISECONDS)} then "
        f"case when cast({text} as bigint) >= {FIRST} and cast({text} as bigint) < {LAST} then cast({text} as bigint) * 1000 end "
        f"when {_matches(text, INSTANT)} and from_unixtime(unix_timestamp({written})) = {written} "
        f"then unix_timestamp({written}) * 1000000 + {fraction} - {offset} * 60000000 end"
    )


def _any(conditions: Iterable[str]) -> str:
    found = list(dict.fromkeys(one for one in conditions if one != _NEVER))
    return f"({' or '.join(found)})" if len(found) > 1 else found[0] if found else _NEVER
