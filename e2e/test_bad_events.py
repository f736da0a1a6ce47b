"""Events that cannot be judged, topics that vanish: nothing is lost without a word, and what was set aside arrives once it can."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Message
from confluent_kafka.admin import AdminClient

from e2e.conftest import headrace
from e2e.loans import LOANS, counted, loan, produce, received, set_aside, wait_until_read, write
from e2e.shops import Shop, open_shop
from e2e.topics import headers, records
from e2e.waiting import until
from project.environment import Environment
from project.resources import Refused, State

_ARRIVES = 60  # seconds
LATER = {
    **LOANS, "version": 4,
    "conditions": [
        {"field": "entityType", "operator": "equals", "value": "Loan"},
        {"field": "updatedAttributes.loan.number", "operator": "lessThan", "value": 100},
        {"any": [
            {"field": "updatedAttributes.loan.loanAmount", "operator": "greaterThan", "value": 100000},
            {"field": "updatedAttributes.loan.loanAmount", "operator": "equals", "value": "a lot"},
        ]},
    ],
}  # fmt: skip


@pytest.fixture
def shop(tmp_path: Path, platform: object, environment: Environment) -> Iterator[Shop]:
    """An empty outbox whose loans are filtered."""
    with open_shop(tmp_path, environment) as opened:
        opened.declare_filters([LOANS])
        opened.apply()
        yield opened


def letters(shop: Shop, *options: str) -> list[dict[str, str]]:
    return json.loads(headrace("dead-letters", "list", "--json", *options, "-p", str(shop.folder), check=False).stdout)


def loans(shop: Shop) -> list[Message]:
    return list(records(shop.environment.kafka, f"{shop.name}.events.loans"))


def numbers(shop: Shop) -> list[int]:
    return [event["eventBody"]["entities"][0]["updatedAttributes"]["loan"]["number"] for event in received(shop, "loans")]


def nameless(number: int, amount: Any) -> dict[str, Any]:
    return {**loan(number, amount), "eventHeader": {}}


def test_what_was_set_aside_arrives_once_its_filter_can_judge_it(shop: Shop):
    write(shop, *(loan(number, "a lot") for number in range(20)), loan(100, "a lot"), loan(21, "who knows"))
    write(shop, *(loan(number, 200000) for number in range(30, 50)), nameless(50, 200000), nameless(51, "who knows"))
    produce(shop, [b"{no json", None])
    until(lambda: len(set_aside(shop)) == 26 and len(received(shop, "loans")) == 20, _ARRIVES, "each event goes its way")
    refused = headrace("dead-letters", "replay", "all", "-p", str(shop.folder), check=False)
    assert refused.returncode == 1 and refused.stdout.count("still waits") == 26 and len(letters(shop)) == 26
    shop.declare_filters([LATER], mandatory=["entityType"])
    early = headrace("dead-letters", "replay", "all", "-p", str(shop.folder), check=False)
    assert early.returncode == 1 and "does not run as its spec says" in early.stderr
    shop.apply()
    replayed = headrace("dead-letters", "replay", "all", "-p", str(shop.folder), check=False)
    assert replayed.returncode == 1, "four cannot be judged"
    for said, times in {"was written to": 21, "no filter takes it\n": 1, "so it waits under a new id": 1, "still waits": 3}.items():
        assert replayed.stdout.count(said) == times, replayed.stdout
    new = [record for record in loans(shop) if "headrace.replayed" in headers(record)]
    assert sorted(map(_number, new)) == [*range(20), 50]
    assert {json.loads(record.value() or b"")["filterMetadata"]["ruleVersion"] for record in new} == {4}
    origins = {one["id"]: one["target"].split(":", 1)[1] for one in letters(shop, "--all") if one["settled"] == "replayed"}
    assert len(origins) == 22 and all(origins[headers(one)["headrace.replayed"]] == headers(one)["headrace.origin"] for one in new)
    places = {record.key(): record.partition() for record in loans(shop) if "headrace.replayed" not in headers(record)}
    assert all(places[record.key()] == record.partition() for record in new), "a key stays in its partition"
    for key in range(7):
        own = [_number(record) for record in new if record.key() == f"loan-{key}".encode()]
        assert own == sorted(own), "events of one loan stay in their order"
    waiting = {one["reason"] for one in letters(shop)}
    assert waiting == {"it is empty", "it is not one JSON value with each key once"} | {
        f"filter high-value-loans, version {version}: a value is not of the type that it compares" for version in (3, 4)
    }
    again = headrace("dead-letters", "replay", "all", "-p", str(shop.folder), check=False)
    assert again.stdout.count("still waits") == 4 and len(loans(shop)) == 41, "what is settled is not written again"


def test_an_event_of_any_length_stops_no_other(shop: Shop):
    large, vast = loan(1, 200000), loan(2, 200000)
    large["eventBody"]["padding"], vast["eventBody"]["padding"] = "x" * 1_000_000, "ü" * 17_500_000
    write(shop, large, vast, loan(3, 200000))
    until(lambda: numbers(shop) == [1, 3], _ARRIVES * 3, "a long event arrives, and what comes behind one that is too long")
    [(_, content, reason)] = until(lambda: set_aside(shop), _ARRIVES, "the one that is too long is set aside")
    assert reason == "it is longer than 5,000,000 characters, and the rest was cut off" and len(content.decode()) == 5_000_000


def delete(shop: Shop, topic: str) -> None:
    """As someone does who thinks that nobody needs it."""
    admin = AdminClient(shop.environment.kafka.client())
    for deleted in admin.delete_topics([topic], operation_timeout=15).values():
        deleted.result(15)
    says = f"topic {topic} does not exist; apply topic/{topic}"
    until(lambda: shop.health(f"topic/{topic}").text == says, _ARRIVES, "its check says so")


def test_a_consumers_topic_that_was_deleted_is_filled_again_and_what_it_held_is_told_as_lost(shop: Shop):
    write(shop, *(loan(number, 200000) for number in range(10)))
    until(lambda: len(numbers(shop)) == 10, _ARRIVES, "the events arrive")
    wait_until_read(shop)
    delete(shop, f"{shop.name}.events.loans")
    write(shop, *(loan(number, 200000) for number in range(10, 20)))
    shop.apply()
    until(lambda: set(numbers(shop)) >= set(range(10, 20)), _ARRIVES * 3, "what came afterwards arrives")
    wait_until_read(shop)
    done = headrace("dead-letters", "account", "--since", "2026-01-01", "--json", "-p", str(shop.folder), check=False)
    [found] = json.loads(done.stdout)
    assert (done.returncode, found["events"], found["matched"], found["lost"]) == (1, 20, 10, 10)
    assert all(f"takes it, yet it is not in {shop.name}.events.loans" in place for place in found["places"])


def test_no_event_is_passed_over_in_a_raw_topic_that_was_created_anew(shop: Shop):
    produce(shop, [b"no event"])
    write(shop, *(loan(number, 200000) for number in range(10)))
    until(lambda: len(numbers(shop)) == 10, _ARRIVES, "the events arrive")
    wait_until_read(shop)
    assert counted(shop) == {"high-value-loans": (10, 10, 0, 0)}
    delete(shop, f"{shop.name}.raw-business-events")
    write(shop, *(loan(number, 200000) for number in range(10, 20)))
    with pytest.raises(Refused, match=r"was created anew, and what the stream had not read of the old one is lost; .* `headrace reread`"):
        shop.apply()
    found = shop.health("job/shop")
    assert found.state is State.FAILED and "cannot go on" in found.text and "created anew" in found.text
    shop.reread()
    write(shop, *(loan(number, 200000) for number in range(20, 60)))
    until(lambda: set(numbers(shop)) == set(range(60)), _ARRIVES * 3, "every event arrives")
    until(lambda: shop.health("job/shop").state is State.PASSED, _ARRIVES * 3, "the check of the job is green")
    wait_until_read(shop)
    events = len(list(records(shop.environment.kafka, f"{shop.name}.raw-business-events")))
    assert counted(shop) == {"high-value-loans": (events, events, 0, 0)}, "those of the topic that there is now"


def _number(record: Message) -> int:
    return json.loads(record.value() or b"")["eventBody"]["entities"][0]["updatedAttributes"]["loan"]["number"]
