"""What a consumer reads of a record, whatever stands in it."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from consumers.events import Poison, Received
from consumers.receiving import _row

_KEYS = ["filterMetadata", "filterId", "ruleVersion", "filteredAt", "eventHeader", "eventName", "createdDate", "eventBody", "entities"]
JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False, allow_infinity=False) | some.text(),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.sampled_from(_KEYS), inner, max_size=4),
    max_leaves=15,
)



def record(value: bytes, origin: str = "1:7") -> Received:
    return Received("cars.events.loans", 0, 3, b"loan-1", value, origin, 0)


def test_what_an_event_says_stands_in_the_row():
    value = (
        b'{"filterMetadata":{"filterId":"loans","ruleVersion":3,"consumerId":"desk","filteredAt":1767225600123},"eventHeader":'
        b'{"uuid":"u-1","eventName":"LoanCreated","createdDate":1767225600000},"eventBody":{"entities":[{"entityType":"Loan",'
        b'"entityId":"loan-1"}]}}'
    )
    *said, created, filtered, from_snapshot, times, event = _row(record(value))
    assert said == ["cars.events.loans", "1:7", "loans", 3, "LoanCreated", "u-1", "Loan", "loan-1"]
    assert (str(created), str(filtered), from_snapshot, times) == ("2026-01-01 00:00:00", "2026-01-01 00:00:00.123000", False, 1)
    assert event.encode() == value


def test_a_record_without_an_origin_is_told_apart_by_its_place():
    assert _row(record(b"{}", ""))[1] == "at 0:3"


@pytest.mark.parametrize("value", [b"", b"[]", b"{", b"\xff", b"[" * 100_000, b"7", b'{"a":' + b"9" * 5000 + b"}"])
def test_what_is_no_event_is_poison(value: bytes):
    with pytest.raises(Poison, match=r"it is not (JSON|a JSON object)"):
        _row(record(value))


@given(some.dictionaries(some.sampled_from(_KEYS), JSON, max_size=4))
@settings(deadline=None)
def test_no_event_breaks_a_consumer(event: dict[str, object]):
    assert len(_row(record(json.dumps(event).encode()))) == 13
