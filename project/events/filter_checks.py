"""Filters beside the schemas of the events that they judge: paths that lead nowhere, and comparisons that no event can meet."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from project.events.attributes import Attribute
from project.events.fitting import misfits_of_any
from project.events.models import EventSchema
from project.events.paths import LeadsNowhere, Place, follow
from project.filters.conditions import NULL_TESTS, Condition, Group
from project.filters.contradictions import joined, never
from project.filters.models import Filter, Sample
from project.filters.paths import EACH, Step, parse_path
from project.filters.values import Kind, Value, WrongType, of_literal
from project.filters.verdicts import COMPARE
from project.problems import Problem, listed, quoted, suggestion

Schemas = Mapping[str, EventSchema]  # of the events of a source, by their name
_NAME = ("eventHeader", "eventName")
_TAKEN_FOR = {
    "string": {Kind.STRING}, "number": {Kind.NUMBER}, "boolean": {Kind.BOOLEAN}, "timestamp": {Kind.TIMESTAMP, Kind.TIME_OF_DAY},
}  # fmt: skip
_WAYS_OUT = {
    "string": "put the value in quotes, or say by valueType what its texts hold",
    "number": "compare it with a number, without quotes or with valueType: number",
    "boolean": "compare it with true or false",
    "timestamp": "compare it with an instant and say valueType: timestamp",
    "object": "name what is in it, or ask with isNull or isNotNull",
    "list": "name an element, or each of them by [*]",
}


def unfit_filters(filters: Sequence[Filter], schemas: Schemas) -> Iterator[Problem]:
    """What is wrong with filters, and with their samples, for the events of one source."""
    checks = _Checks(schemas)
    for one in filters:
        for _, more in one.outputs:
            yield from checks.of(one.tree if more is None else Group(all=(one.tree, more)), schemas)
        for sample in one.samples:
            yield from _check_sample(sample, schemas)


def _check_sample(sample: Sample, schemas: Schemas) -> Iterator[Problem]:
    found = misfits_of_any(sample.event, schemas, sample=True)
    for misfit in found if sample.fits else ():
        yield Problem(sample.at("event"), f"in the sample, {misfit}; correct it, or say fits: false if that is what it shows")
    if not found and not sample.fits:
        yield Problem.say(sample.at("fits"), "the sample fits the schema of its event", "expected one that does not", "remove fits: false")


@dataclass(frozen=True)
class _Checks:
    """The parts of a condition tree, each beside the events of which it is asked."""

    all_kinds: Schemas

    def of(self, node: Condition | Group, kinds: Schemas, begin: tuple[Step, ...] = (), over: str | None = None) -> Iterator[Problem]:
        """`begin` leads to the elements of the list that the node is asked of, if it stands in a group over one."""
        if isinstance(node, Condition):
            asked_of = self.all_kinds if over is None and _asks_for_name(node) else kinds
            # Where no kind is left, that is told of the condition on the name.
            yield from _check_condition(node, (*begin, *node.path(over).steps), asked_of) if asked_of else ()
            return
        if node.over:
            begin, over = (*parse_path(node.over, over).steps, EACH), node.over
            if kinds and (problem := _check_list(node, begin, kinds)):
                yield problem
                return
        kinds = _named(joined(node), kinds) if node.all and over is None else kinds
        for inside in node.nodes:
            yield from self.of(inside, kinds, begin, over)


def _asks_for_name(condition: Condition) -> bool:
    compared = condition.operator not in NULL_TESTS and condition.kind is Kind.STRING
    return compared and parse_path(condition.field).steps == _NAME


def _named(conditions: Iterator[Condition], kinds: Schemas) -> Schemas:
    """The kinds of events that all conditions on the name let through."""
    asked = [one for one in conditions if _asks_for_name(one)]
    return {name: schema for name, schema in kinds.items() if all(COMPARE[one.operator](name, one.literals) for one in asked)}


def _check_list(group: Group, steps: tuple[Step, ...], kinds: Schemas) -> Problem | None:
    try:
        follow(steps, kinds.values())
    except LeadsNowhere as error:
        return Problem(group.at("over"), str(error))
    return None


def _check_condition(condition: Condition, steps: tuple[Step, ...], kinds: Schemas) -> Iterator[Problem]:
    try:
        places = follow(steps, kinds.values())
    except LeadsNowhere as error:
        yield Problem(condition.at("field"), str(error))
        return
    if condition.operator in NULL_TESTS:
        return
    wrong = _of_another_type(condition, places) or _never_met(condition, [attribute for _, attribute in places])
    if wrong:
        yield Problem.say(condition.at("values" if condition.values else "value"), *wrong)


def _of_another_type(condition: Condition, places: Sequence[Place]) -> tuple[str, str, str] | None:
    for schema, attribute in places:
        read_from_text = attribute.type == "string" and condition.valueType is not None
        if not read_from_text and condition.kind not in _TAKEN_FOR.get(attribute.type, ()):
            what = f"{condition.field} of {schema.event_name} is of type {attribute.type}, and is compared as {condition.kind}"
            return what, "expected the same type", _WAYS_OUT[attribute.type]
    return None


def _never_met(condition: Condition, attributes: Sequence[Attribute]) -> tuple[str, str, str] | None:
    """What of a condition no value can meet that one of the attributes can have."""
    if condition.kind in (Kind.TIMESTAMP, Kind.TIME_OF_DAY):
        return None
    if all(attribute.enum for attribute in attributes):
        return _not_among(condition, {str(value): value for attribute in attributes for value in attribute.enum or ()})
    if all(attribute.type == "number" and never(_within(condition, attribute)) for attribute in attributes):
        return f"{condition.field} cannot be {condition.asked}", f"expected {attributes[0].expected}", "correct it"
    return None


def _not_among(condition: Condition, values: Mapping[str, str | int | float]) -> tuple[str, str, str] | None:
    allowed = [value for one in values.values() for value in _read(one, condition.kind)]
    expected = f"expected one of {listed(values)}"
    for operand, literal in zip(condition.operands, condition.literals, strict=True):
        if condition.operator in ("equals", "in", "notIn") and literal not in allowed:
            return f"{condition.field} cannot be {quoted(operand)}", expected, suggestion(str(operand), values, "correct it")
    met = any(COMPARE[condition.operator](value, condition.literals) for value in allowed)
    return None if met else (f"{condition.field} cannot be {condition.asked}", expected, "correct it")


def _read(value: str | int | float, kind: Kind) -> list[Value]:
    try:
        return [of_literal(value, kind)]
    except WrongType:
        return []


def _within(condition: Condition, attribute: Attribute) -> Group:
    """The condition, and that the value is within the attribute's bounds."""
    bounds = (("greaterThanOrEqual", attribute.minimum), ("lessThanOrEqual", attribute.maximum))
    limits = [Condition.model_validate({"field": "value", "operator": name, "value": end}) for name, end in bounds if end is not None]
    return Group(all=(condition.model_copy(update={"field": "value"}), *limits))
