"""Events that cannot be judged, topics that vanish: nothing is lost without a word, and what was set aside arrives once it can."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Message

from e2e.conftest import headrace
from e2e.shops import Shop, open_shop
from e2e.test_filters import LOANS, loan, produce, received, set_aside, write
from e2e.topics import headers, records
from e2e.waiting import until
from project.environment import Environment

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
        opened.source.execute("create table outbox (id uuid primary key default gen_random_uuid(), entity_id text not null, event jsonb)")
        opened.declare_filters([LOANS])
        opened.apply()
        yield opened


def letters(shop: Shop, *options: str) -> list[dict[str, str]]:
    return json.loads(headrace("dead-letters", "list", "--json", *options, "-p", str(shop.folder), check=False).stdout)


def loans(shop: Shop) -> list[Message]:
    return list(records(shop.environment.kafka.bootstrap_servers, f"{shop.name}.events.loans"))


def numbers(shop: Shop) -> list[int]:
    return [event["eventBody"]["entities"][0]["updatedAttributes"]["loan"]["number"] for event in received(shop, "loans")]


def nameless(number: int, amount: Any) -> dict[str, Any]:
    return {**loan(number, amount), "eventHeader": {}}


def test_what_was_set_aside_arrives_once_its_filter_can_judge_it(shop: Shop):
    write(shop, *(loan(number, "a lot") for number in range(20)), loan(100, "a lot"), loan(21, "who knows"))
    write(shop, *(loan(number, 200000) for number in range(30, 50)), nameless(50, 200000), nameless(51, "who knows"))
    produce(shop, [b"{no json"])
    until(lambda: len(set_aside(shop)) == 25 and len(received(shop, "loans")) == 20, _ARRIVES, "each event goes its way")
    refused = headrace("dead-letters", "replay", "all", "-p", str(shop.folder), check=False)
    assert refused.returncode == 1 and refused.stdout.count("still waits") == 25 and len(letters(shop)) == 25
    shop.declare_filters([LATER], mandatory=["entityType"])
    early = headrace("dead-letters", "replay", "all", "-p", str(shop.folder), check=False)
    assert early.returncode == 1 and "does not run as its spec says" in early.stderr
    shop.apply()
    replayed = headrace("dead-letters", "replay", "all", "-p", str(shop.folder), check=False)
    assert replayed.returncode == 1, "three cannot be judged"
    for said, times in {"was written to": 21, "no filter takes it\n": 1, "so it waits under a new id": 1, "still waits": 2}.items():
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
    assert waiting == {"it is not one JSON value with each key once"} | {
        f"filter high-value-loans, version {version}: a value is not of the type that it compares" for version in (3, 4)
    }
    again = headrace("dead-letters", "replay", "all", "-p", str(shop.folder), check=False)
    assert again.stdout.count("still waits") == 3 and len(loans(shop)) == 41, "what is settled is not written again"


def _number(record: Message) -> int:
    return json.loads(record.value() or b"")["eventBody"]["entities"][0]["updatedAttributes"]["loan"]["number"]
