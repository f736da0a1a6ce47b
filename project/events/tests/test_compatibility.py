"""Two versions of a schema: what changed for whom, and that what is promised holds for events."""

import json
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from project.events.compatibility import Change, breaking, changes
from project.events.fitting import misfits
from project.events.models import EventSchema
from project.events.tests.made_up import SCHEMAS, events

CALM = settings(deadline=None)  # a busy machine is no failure


def schema(attributes: dict[str, Any], **keys: Any) -> EventSchema:
    return EventSchema.model_validate({"name": "LoanCreated", "source": "events", "entities": {"Loan": attributes}, **keys})


def told(found: list[Change]) -> set[tuple[str, str]]:
    return {(change.what, direction) for change in found for direction in change.breaks}


STATUS, OPEN = {"type": "string", "enum": ["open", "paid"]}, {"type": "string", "enum": ["open"]}
SHORT = {"type": "string", "maxLength": 9}
NEEDED, RATE = {"type": "number", "required": True}, {"type": "number", "minimum": 0, "maximum": 1}


@pytest.mark.parametrize(
    ("old", "new", "said", "breaks"),
    [
        ({"a": NEEDED}, {}, "Loan.a is gone, and was required", {"forward"}),
        ({}, {"a": NEEDED}, "Loan.a is new and required", {"backward"}),
        ({"a": "number"}, {"a": NEEDED}, "Loan.a is now required", {"backward"}),
        ({"a": NEEDED}, {"a": "number"}, "Loan.a is no longer required", {"forward"}),
        ({"a": "number"}, {"a": "string"}, "Loan.a is of type string, and was of type number", {"backward", "forward"}),
        ({"a": STATUS}, {"a": OPEN}, "Loan.a can no longer be paid", {"backward"}),
        ({"a": OPEN}, {"a": STATUS}, "Loan.a can be paid now", {"forward"}),
        ({"a": "string"}, {"a": STATUS}, "Loan.a can only be open, paid now", {"backward"}),
        ({"a": STATUS}, {"a": "string"}, "Loan.a can be anything now", {"forward"}),
        ({"a": "number"}, {"a": RATE}, "Loan.a is a number of 0 to 1, and was a number", {"backward"}),
        ({"a": RATE}, {"a": {**RATE, "maximum": 0.5}}, "Loan.a is a number of 0 to 0.5, and was a number of 0 to 1", {"backward"}),
        ({"a": RATE}, {"a": {**RATE, "minimum": -1}}, "Loan.a is a number of -1 to 1, and was a number of 0 to 1", {"forward"}),
        ({"a": SHORT}, {"a": "string"}, "Loan.a is a text, and was a text of at most 9 characters", {"forward"}),
    ],
)  # fmt: skip
def test_a_change_is_told_to_those_whom_it_breaks(old: dict[str, Any], new: dict[str, Any], said: str, breaks: set[str]):
    assert {change.what for change in changes(schema(old), schema(new))} == {said}
    for mode, forbidden in {"backward": {"backward"}, "forward": {"forward"}, "full": {"backward", "forward"}, "none": set[str]()}.items():
        assert bool(breaking(schema(old), schema(new, compatibility=mode))) == bool(breaks & forbidden), mode


def test_what_nobody_requires_comes_and_goes():
    inside = {"type": "object", "fields": {"x": "number"}}
    found = list(changes(schema({"a": "number", "c": inside}), schema({"b": "string"})))
    assert [change.what for change in found] == ["Loan.a is gone", "Loan.c is gone", "Loan.b is new"]
    assert not any(change.breaks for change in found)


@given(SCHEMAS, SCHEMAS)
@CALM
def test_the_way_back_breaks_the_others(one: EventSchema, other: EventSchema):
    def directions(old: EventSchema, new: EventSchema) -> set[str]:
        return {direction for change in changes(old, new) for direction in change.breaks}

    turned = {"backward": "forward", "forward": "backward"}
    assert directions(one, one) == set()
    assert directions(one, other) == {turned[direction] for direction in directions(other, one)}


@given(SCHEMAS, SCHEMAS)
@CALM
def test_two_that_do_not_say_the_same_differ_in_words(one: EventSchema, other: EventSchema):
    assert bool(list(changes(one, other))) == (_content(one) != _content(other))


def _content(schema: EventSchema) -> str:
    """In any order of the values of an enum."""

    def ordered(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: ordered(inside) for key, inside in value.items()}
        return sorted(value) if isinstance(value, list) else value

    return json.dumps(ordered(schema.model_dump(mode="json")), sort_keys=True)


@given(SCHEMAS, SCHEMAS, st.data())
@CALM
def test_events_of_the_one_version_are_read_by_who_knows_the_other(old: EventSchema, new: EventSchema, data: st.DataObject):
    broken = {direction for _, direction in told(list(changes(old, new)))}
    assume(len(broken) < 2)
    written_by, read_by = (new, old) if "backward" in broken else (old, new)
    event = data.draw(events(written_by))
    assert misfits(event, written_by) == []
    assert misfits(event, read_by) == []
