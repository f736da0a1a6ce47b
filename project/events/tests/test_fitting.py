"""Events beside their schema."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from project.events.fitting import misfits, misfits_of_any
from project.events.models import EventSchema
from project.filters.paths import read_event

LOAN = EventSchema.model_validate({
    "name": "LoanCreated", "source": "events",
    "entities": {
        "Loan": {
            "amount": {"type": "number", "required": True, "minimum": 0.1, "maximum": 99999},
            "status": {"type": "string", "enum": ["active", "paid"]},
            "last4": {"type": "string", "minLength": 4, "maxLength": 4},
            "payments": {
                "type": "list", "items": {"type": "object", "fields": {"at": {"type": "timestamp", "required": True}, "late": "boolean"}},
            },
        },
        "Car": {"make": "string"},
    },
})  # fmt: skip
CAR = EventSchema.model_validate({"name": "CarCreated", "source": "events", "entities": {"Car": {"make": "string", "year": "number"}}})
PAYMENTS = [{"at": 0}, {"at": 1, "late": False}]
GOOD = {
    "eventHeader": {"eventName": "LoanCreated", "createdDate": 1767225600000, "savedDate": "2026-01-01T00:00:00.5+01:00"},
    "eventBody": {"entities": [
        {"entityType": "Loan", "entityId": "loan-1", "updatedAttributes": {"amount": 0.1, "status": "paid", "payments": PAYMENTS}},
        {"entityType": "Car", "entityId": "car-1", "updatedAttributes": {"make": "Ford"}},
    ]},
    "sourceMetadata": {"table": "loans", "operation": "INSERT", "timestamp": 1767225600000},
}  # fmt: skip
_LOAN = "eventBody.entities[0]"
_AT = f"{_LOAN}.updatedAttributes"
_INSTANT = "an instant such as 2026-01-31T09:30:00Z, or milliseconds since 1970"
_AMOUNT = "expected a number of 0.1 to 99999"


def with_(path: str, value: Any) -> Any:
    """The good event with another value at a path into its header, or into its entities."""
    event = copy.deepcopy(GOOD)
    *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    here: Any = event if way and way[0] == "eventHeader" else event["eventBody"]["entities"]
    for step in way:
        here = here[step]
    here[last] = value
    return event


WRONG = [
    ("eventHeader.eventName", "CarCreated", 'eventHeader.eventName is "CarCreated"; expected one of LoanCreated'),
    ("eventHeader.createdDate", "yesterday", f'eventHeader.createdDate is "yesterday"; expected {_INSTANT}'),
    ("eventHeader.createdDate", None, f"eventHeader.createdDate is missing; expected {_INSTANT}"),
    ("0", None, f"{_LOAN} is null; expected an object"),
    ("0.entityType", "Boat", f'{_LOAN}.entityType is "Boat"; expected one of Loan, Car'),
    ("0.updatedAttributes", "{}", f'{_LOAN}.updatedAttributes is "{{}}"; expected an object'),
    ("0.updatedAttributes.amount", None, f"{_AT}.amount is missing; {_AMOUNT}"),
    ("0.updatedAttributes.amount", 0.09, f"{_AT}.amount is 0.09; {_AMOUNT}"),
    ("0.updatedAttributes.amount", "7", f'{_AT}.amount is "7"; {_AMOUNT}'),
    ("0.updatedAttributes.amount", True, f"{_AT}.amount is true; {_AMOUNT}"),
    ("0.updatedAttributes.status", "late", f'{_AT}.status is "late"; expected one of active, paid'),
    ("0.updatedAttributes.last4", "123", f'{_AT}.last4 is "123"; expected a text of 4 characters'),
    ("0.updatedAttributes.payments.0", {"late": 1}, f"{_AT}.payments[0].late is 1; expected true or false"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "said"), WRONG)
def test_what_is_not_as_declared_is_told(path: str, value: Any, said: str):
    assert said in misfits(with_(path, value), LOAN)


def test_what_nobody_declared_is_told_of_samples_alone():
    event = with_("0.updatedAttributes.amnt", 5)
    assert misfits(event, LOAN) == []
    assert misfits(event, LOAN, sample=True) == [f"{_AT}.amnt is not declared; expected amount"]


def test_what_is_missing_is_told_of_events_alone():
    assert misfits({}, LOAN, sample=True) == []
    assert [said.split(" is missing")[0] for said in misfits({}, LOAN)] == ["eventHeader", "eventBody"]


def test_a_good_event_fits_however_its_numbers_were_read():
    assert misfits(GOOD, LOAN) == misfits(read_event(json.dumps(GOOD)), LOAN) == []


def test_an_event_is_one_of_its_name_or_else_the_nearest():
    kinds = {"LoanCreated": LOAN, "CarCreated": CAR}
    assert misfits_of_any(GOOD, kinds) == []
    assert misfits_of_any({"eventHeader": {"eventName": "LoanCreatd"}}, kinds) == [
        'eventHeader.eventName is "LoanCreatd"; expected LoanCreated'
    ]
    nameless = {"eventBody": {"entities": [{"entityType": "Car", "updatedAttributes": {"year": 2026}}]}}
    assert misfits_of_any(nameless, kinds, sample=True) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.sampled_from(["eventName", "entities"]), inside, max_size=3),
)


@given(st.dictionaries(st.sampled_from(["eventHeader", "eventBody", "sourceMetadata"]), JSON))
@settings(deadline=None)  # a busy machine is no failure
def test_no_event_breaks_it(event: dict[str, Any]):
    assert all("; expected " in said for said in misfits(event, LOAN))
