"""Each event comes out at each filter as matched, rejected or set aside, or is told by its place."""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import pytest

from flink.backends import Letter
from flink.events import doubt, stamped
from orchestration.filter_accounts import FilterAccount, FilterAccounts
from project.filters.models import Filter
from project.models import Project, Stream

RAW, LARGE = "cars.raw-business-events", "cars.events.large"
PROJECT = Project.model_validate(
    {"name": "cars", "title": "", "owner": "o", "schema": "p", "sources": {}, "streams": {}, "views": {}, "dashboards": {}}
)
FILTER = Filter.model_validate({
    "id": "large-filter", "name": "a", "consumerId": "a", "outputTopic": "large", "enabled": True, "version": 2,
    "conditions": [{"field": "amount", "operator": "greaterThan", "value": 10}],
})  # fmt: skip
STREAM = Stream.model_validate(
    {"name": "routing", "kind": "filters", "source": "events", "mandatory": ["kind"], "filters": [FILTER.model_dump(exclude_unset=True)]}
)
REPLAYED, NONE = {"headrace.replayed": "cars.events.routing-dead-letters:0:5"}, dict[str, str]()
EARLIER = FILTER.model_copy(update={"version": 1})


def raw(offset: int, amount: Any, **more: Any) -> Letter:
    return Letter(RAW, 0, offset, 1_767_225_600_000, b"a", json.dumps({"kind": "a", "amount": amount, **more}).encode())


def taken(event: Letter, by: Filter = FILTER, headers: Mapping[str, str] = NONE) -> Letter:
    origin = {"headrace.origin": f"{event.partition}:{event.offset}", **headers}
    return Letter(LARGE, 1, 0, 0, b"a", stamped(by, event.value, 17), headers=origin)


def letter(event: Letter, reason: str) -> dict[str, Any]:
    return {"id": "", "target": f"{RAW}:{event.partition}:{event.offset}", "reason": reason, "record_value": event.value}


def accounts(events: list[Letter], taken: list[Letter], letters: list[dict[str, Any]], since: int | None = 0) -> list[FilterAccount]:
    with closing(FilterAccounts(PROJECT, STREAM, RAW)) as found:
        found.read(taken, letters)
        return found.judge(events, {} if since is None else {FILTER.id: {0: since}})


def counts(found: FilterAccount) -> dict[str, int]:
    return {name: count for name, count in vars(found).items() if isinstance(count, int) and count and name != "version"}


@pytest.fixture
def events() -> list[Letter]:
    """Two that pass, one that stays, one whose value is of the wrong type, one without its kind."""
    return [raw(0, 20), raw(1, 5), raw(2, "x"), raw(3, 30), raw(4, 20, kind=None)]


def test_the_sum_comes_out(events: list[Letter]):
    letters = [letter(events[2], doubt(FILTER)), letter(events[4], "kind is missing")]
    [found] = accounts(events, [taken(events[0]), taken(events[3]), taken(events[3])], letters)
    assert counts(found) == {"matched": 2, "rejected": 1, "set_aside": 2, "repeated": 1} and found.events == 5 and not found.places


def test_what_is_lost_or_surplus_is_told_by_its_place(events: list[Letter]):
    [found] = accounts(events, [taken(events[0]), taken(events[1])], [letter(events[4], "kind is missing")])
    assert counts(found) == {"matched": 1, "rejected": 1, "set_aside": 1, "lost": 2, "surplus": 1}
    assert found.places == [
        f"{RAW}:0:1: filter large-filter does not take it, yet it stands in {LARGE}",
        f"{RAW}:0:2: filter large-filter cannot judge it, yet it was not set aside",
        f"{RAW}:0:3: filter large-filter takes it, yet it is not in {LARGE}",
    ]


def test_a_record_that_no_filter_wrote_is_surplus(events: list[Letter]):
    _, found = accounts(events, [Letter(LARGE, 1, 7, 0, None, b"{}")], [])
    assert found.places == [f"{LARGE}:1:7: no filter wrote it"] and found.surplus == 1


def test_an_altered_event_does_not_stand_for_the_one_that_was_taken(events: list[Letter]):
    [found] = accounts(events[:1], [taken(raw(0, 21))], [])
    assert counts(found) == {"lost": 1}


def test_what_another_version_judged_is_counted_and_not_judged():
    events = [raw(offset, amount) for offset, amount in enumerate([20, 5, 5, 30, 5, 40])]
    written = [taken(events[0], EARLIER), taken(events[3]), taken(events[5])]
    [found] = accounts(events, written, [], since=3)
    assert counts(found) == {"of_other_versions": 1, "not_judged": 2, "matched": 2, "rejected": 1}
    [found] = accounts(events[:3], [], [], since=None)
    assert counts(found) == {"not_judged": 3}, "nobody knows when it began"


def test_what_was_replayed_counts_as_taken(events: list[Letter]):
    [found] = accounts(events[:1], [taken(events[0], headers=REPLAYED)], [letter(events[0], "kind is missing")])
    assert counts(found) == {"matched": 1}


def test_the_first_hundred_places_are_named():
    def lost() -> Iterator[Letter]:
        yield from (raw(offset, 20) for offset in range(150))

    [found] = accounts(list(lost()), [], [])
    assert (found.lost, len(found.places)) == (150, 100)
