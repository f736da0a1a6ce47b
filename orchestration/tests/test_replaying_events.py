"""What becomes of an event that is judged again: who judges it, what is written of it, and when it goes on waiting."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from flink.backends import Letter
from flink.events import doubt, doubted, stamped, unstamped
from orchestration.replaying_events import Rejudged, rejudge
from project.filters.models import Filter
from project.models import Project, Stream

PROJECT = Project.model_validate(
    {"name": "cars", "title": "", "owner": "o", "schema": "p", "sources": {}, "streams": {}, "views": {}, "dashboards": {}}
)
AMOUNT = {"field": "amount", "operator": "greaterThan", "value": 10}
RECENT = {"field": "at", "operator": "greaterThan", "value": "NOW-1H", "valueType": "timestamp"}
TAKEN = datetime(2026, 5, 1, 12, tzinfo=UTC)


def routing(*filters: dict[str, Any]) -> Stream:
    common = {"name": "a filter", "enabled": True, "version": 2}
    return Stream.model_validate({
        "name": "routing", "kind": "filters", "source": "events", "mandatory": ["kind"],
        "filters": [{"id": f"{one['outputTopic']}-filter", "consumerId": one["outputTopic"], **common, **one} for one in filters],
    })  # fmt: skip


def letter(event: dict[str, Any] | bytes, reason: str) -> dict[str, Any]:
    content = event if isinstance(event, bytes) else json.dumps(event).encode()
    return {
        "id": "cars.events.routing-dead-letters:0:5", "target": "cars.raw-business-events:1:117", "reason": reason,
        "record_key": b"car-1", "record_value": content, "written_at": datetime(2026, 5, 1, 18), "headers": None,
    }  # fmt: skip


BOTH = routing({"outputTopic": "large", "conditions": [AMOUNT]}, {"outputTopic": "any", "conditions": [AMOUNT | {"value": 1}]})
LARGE = doubt(BOTH.filters[0])


def again(stream: Stream, found: dict[str, Any], raw_at: datetime | None = None) -> Rejudged:
    raw = None
    if raw_at:
        raw = Letter("cars.raw-business-events", 1, 117, int(raw_at.timestamp() * 1000), b"car-1", found["record_value"])
    return rejudge(PROJECT, stream, found, raw)


def test_a_letter_of_a_filter_is_judged_by_that_filter_alone():
    found = again(BOTH, letter({"kind": "a", "amount": 20}, LARGE))
    [written] = found.outgoing
    assert (found.settled, written.topic, written.key) == ("replayed", "cars.events.large", b"car-1")
    assert written.headers == {"headrace.origin": "1:117", "headrace.replayed": "cars.events.routing-dead-letters:0:5"}
    event = json.loads(written.value)
    assert event["filterMetadata"]["filterId"] == "large-filter" and event["filterMetadata"]["ruleVersion"] == 2 and event["amount"] == 20


def test_a_letter_that_was_no_event_is_judged_by_all_and_stays_marked_as_read_by_a_snapshot():
    read = {"headers": {"headrace.snapshot": "true", "headrace.reason": "kind is missing"}}
    found = again(BOTH, letter({"kind": "a", "amount": 20}, "kind is missing") | read)
    assert [one.topic for one in found.outgoing] == ["cars.events.large", "cars.events.any"] and not found.unjudged
    assert all(one.headers["headrace.snapshot"] == "true" and "headrace.reason" not in one.headers for one in found.outgoing)


def test_what_no_filter_takes_is_settled_in_words():
    found = again(BOTH, letter({"kind": "a", "amount": 0}, "kind is missing"))
    assert found == Rejudged("no filter takes it", "replayed: no filter takes it")


def test_what_one_of_all_filters_cannot_judge_waits_under_its_name():
    stream = routing({"outputTopic": "large", "conditions": [AMOUNT]}, {"outputTopic": "any", "conditions": [AMOUNT | {"field": "b"}]})
    found = again(stream, letter({"kind": "a", "amount": "x", "b": 20}, "kind is missing"))
    taken, aside = found.outgoing
    assert (taken.topic, aside.topic) == ("cars.events.any", "cars.events.routing-dead-letters")
    assert aside.headers["headrace.reason"] == LARGE and found.settled == "replayed" and found.unjudged
    assert "filter large-filter cannot judge it: amount greaterThan 10; it is 'x', but it is no number" in found.said


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (letter({"kind": "a", "amount": "x"}, LARGE), "filter large-filter cannot judge it: amount greaterThan 10; it is 'x'"),
        (letter({"kind": "a", "amount": 20}, LARGE.replace("large", "gone")), "filter gone-filter runs that could judge it"),
        (letter({"amount": 20}, "kind is missing"), "it is no event to filters: kind is missing"),
        (letter(b"", "it is empty"), "it is no event to filters"),
    ],
)
def test_what_still_cannot_be_judged_waits_and_says_why(found: dict[str, Any], why: str):
    done = again(BOTH, found)
    assert why in done.said and done.settled is None and not done.outgoing and done.unjudged


def test_relative_times_count_from_when_kafka_took_the_event():
    stream, event = routing({"outputTopic": "large", "conditions": [RECENT]}), {"kind": "a", "at": "2026-05-01T11:30:00Z"}
    found = letter(event, doubt(stream.filters[0]))
    assert again(stream, found, TAKEN).settled == "replayed"
    assert again(stream, found, TAKEN.replace(hour=13)).settled == "replayed: no filter takes it"
    gone = again(stream, found)
    assert gone.settled is None and "counts from when Kafka took the event, which Kafka no longer holds" in gone.said


def test_the_filter_that_set_an_event_aside_is_known_by_the_reason():
    one = BOTH.filters[0]
    assert doubted(doubt(one)) == ("large-filter", 2)
    assert not any(map(doubted, ("it is not UTF-8", "filter is missing", "eventBody['filter a, version 1: '] is missing")))


def test_a_stamp_is_read_as_it_was_written():
    one = Filter.model_validate(BOTH.filters[0].model_dump(by_alias=True, exclude_unset=True))
    event = ' {"a": "ü{"}'.encode()
    assert unstamped(stamped(one, event, 17)) == ("large-filter", 2, b'"a": "\xc3\xbc{"}')
    assert [unstamped(value) for value in (event, b"", b'{"filterMetadata":7}', b'{"filterMetadata":', b"\xff")] == [None] * 5
