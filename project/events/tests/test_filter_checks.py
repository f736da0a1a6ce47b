"""Filters beside schemas. What is said of wrong ones stands in project/tests/bad_projects.yaml; here, what it is worth for events."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from project.events.filter_checks import unfit_filters
from project.events.models import EventSchema
from project.events.tests.made_up import events
from project.filters.models import Filter
from project.filters.verdicts import Record, judge

LOAN, CAR = (
    EventSchema.model_validate({"name": name, "source": "events", "entities": entities})
    for name, entities in {
        "LoanCreated": {"Loan": {
            "amount": {"type": "number", "required": True, "minimum": 0, "maximum": 9},
            "status": {"type": "string", "enum": ["open", "paid"]},
            "gift": "boolean", "note": "string", "at": "timestamp",
        }},
        "CarCreated": {"Car": {"make": "string", "amount": "string", "status": {"type": "string", "enum": ["new"]}}},
    }.items()
)  # fmt: skip
KINDS = {"LoanCreated": LOAN, "CarCreated": CAR}


def filter_of(*conditions: dict[str, Any], logic: str = "AND") -> Filter:
    return Filter.model_validate(
        {"id": "f", "name": "F", "consumerId": "c", "outputTopic": "t", "enabled": True, "conditions": conditions, "conditionLogic": logic}
    )


def problems(*conditions: dict[str, Any]) -> list[str]:
    return [problem.message for problem in unfit_filters([filter_of(*conditions)], KINDS)]


def asks(name: str, operator: str, **operands: Any) -> dict[str, Any]:
    return {"field": name if name.startswith(("event", "entit")) else f"updatedAttributes.{name}", "operator": operator, **operands}


IS_LOAN, IS_CAR = asks("eventName", "equals", value="LoanCreated"), asks("eventName", "in", values=["CarCreated"])


@pytest.mark.parametrize(
    "conditions",
    [
        [asks("make", "equals", value="Ford")],
        [asks("status", "equals", value="new")],
        [IS_LOAN, asks("amount", "greaterThan", value=5)],
        [{"any": [{"all": [IS_LOAN, asks("amount", "greaterThan", value=5)]}, {"all": [IS_CAR, asks("amount", "equals", value="5")]}]}],
        [{"not": {"all": [IS_LOAN, asks("gift", "equals", value=True)]}}],
        [{"all": [IS_LOAN]}, asks("amount", "lessThan", value=1)],
        [{"over": "entities", "all": [{"field": "entityType", "operator": "equals", "value": "Loan"}]}],
        [asks("entities[*].entityType", "in", values=["Loan", "Car"])],
        [IS_LOAN, IS_CAR, {"over": "entities", "all": [{"field": "kind", "operator": "isNull"}]}],  # told as a contradiction
        [asks("eventName", "notIn", values=["CarCreated"]), asks("amount", "greaterThan", value=5)],
    ],
)
def test_what_events_can_meet_is_left_alone(conditions: list[dict[str, Any]]):
    assert problems(*conditions) == []


@pytest.mark.parametrize(
    ("conditions", "said"),
    [
        ([asks("amount", "greaterThan", value=5)], "updatedAttributes.amount of CarCreated is of type string"),
        ([IS_CAR, asks("status", "equals", value="open")], 'updatedAttributes.status cannot be "open"; expected one of new'),
        ([{"all": [asks("eventName", "equals", value="Carcreated")]}, asks("gift", "isNull")], 'eventName cannot be "Carcreated"'),
        ([IS_CAR, asks("gift", "isNotNull")], "there is no updatedAttributes.gift in CarCreated"),
        ([{"any": [IS_CAR, asks("gift", "equals", value="yes")]}], "updatedAttributes.gift of LoanCreated is of type boolean"),
        ([{"over": "entities", "all": [{"field": "kind", "operator": "isNull"}]}], "there is no eventBody.entities[*].kind in Loan"),
    ],
)  # fmt: skip
def test_what_no_event_can_meet_is_told(conditions: list[dict[str, Any]], said: str):
    [found] = problems(*conditions)
    assert found.startswith(said)


LITERALS = st.one_of(st.integers(-2, 11), st.booleans(), st.sampled_from(["open", "paid", "shut", "5", "2026-01-31T09:30:00Z"]))
CONDITIONS = st.builds(
    lambda name, operator, literal, kind: asks(name, operator, value=literal, **({"valueType": kind} if kind else {})),
    st.sampled_from(["amount", "status", "gift", "note", "at", "amnt", "eventName"]),
    st.sampled_from(["equals", "greaterThan", "lessThan"]), LITERALS, st.sampled_from([None, "timestamp"]),
)  # fmt: skip


@given(CONDITIONS, st.data())
@settings(deadline=None, max_examples=200)
def test_a_filter_without_a_problem_takes_each_event_that_fits(condition: dict[str, Any], data: st.DataObject):
    try:
        one = filter_of(condition)
    except ValueError:
        return  # told before any schema is asked
    found = list(unfit_filters([one], {"LoanCreated": LOAN}))
    event = data.draw(events(LOAN))
    verdict = judge(one.tree, Record(event, datetime(2026, 1, 31, tzinfo=UTC)))
    read_from_text = "valueType" in condition and condition["field"].endswith(("note", "status", "eventName"))
    assert found or read_from_text or not verdict.wrong_types, condition
    said = [problem.message for problem in found]
    assert not (verdict.truth and any("cannot be" in message or "there is no" in message for message in said)), said
