"""Events of loans, as applications write them, and what came of them: received, set aside, counted, and as the evaluator says."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from confluent_kafka import Message, Producer
from psycopg.types.json import Jsonb

from e2e.shops import Shop
from e2e.topics import headers, records
from e2e.waiting import until
from orchestration.filter_counts import read_counts
from project.filters.models import Filter
from project.filters.samples import admitted, outcome
from project.filters.verdicts import Record

_JUDGED = 60  # seconds
LOANS = {
    "id": "high-value-loans", "name": "Loans above 100,000", "consumerId": "loans", "outputTopic": "loans", "enabled": True, "version": 3,
    "conditions": [
        {"field": "eventName", "operator": "equals", "value": "LoanCreated"},
        {"field": "updatedAttributes.loan.loanAmount", "operator": "greaterThan", "value": 100000},
    ],
}  # fmt: skip


def loan(number: int, amount: Any, name: str = "LoanCreated") -> dict[str, Any]:
    attributes = {"loan": {"loanAmount": amount, "number": number}}
    entity = {"entityType": "Loan", "entityId": f"loan-{number % 7}", "updatedAttributes": attributes}
    return {"eventHeader": {"eventName": name}, "eventBody": {"entities": [entity]}}


def write(shop: Shop, *events: dict[str, Any]) -> None:
    """As an application does: the outbox is empty again at the end of the transaction."""
    for event in events:
        with shop.source.transaction():
            key = event["eventBody"]["entities"][0]["entityId"]
            shop.source.execute("insert into outbox (entity_id, event) values (%s, %s)", [key, Jsonb(event)])
            shop.source.execute("delete from outbox")


def produce(shop: Shop, events: Sequence[bytes | None]) -> None:
    """As a program does that has not heard of the outbox."""
    producer = Producer(shop.environment.kafka.client())
    for event in events:
        producer.produce(f"{shop.name}.raw-business-events", event, b"key", partition=0)
    assert not producer.flush(30)


def received(shop: Shop, topic: str) -> list[dict[str, Any]]:
    found = records(shop.environment.kafka, f"{shop.name}.events.{topic}")
    return [json.loads(_bytes(record)) for record in found]


def set_aside(shop: Shop) -> list[tuple[int, bytes, str]]:
    """Offset, bytes and reason, of events in the first partition."""
    found = records(shop.environment.kafka, f"{shop.name}.events.shop-dead-letters")
    return [(origin(record), _bytes(record), headers(record)["headrace.reason"]) for record in found]


def origin(record: Message) -> int:
    """The offset of the raw event."""
    return int(headers(record)["headrace.origin"].partition(":")[2])


def _bytes(record: Message) -> bytes:
    value = record.value() or b""
    assert isinstance(value, bytes)
    return value


def wait_until_read(shop: Shop) -> None:
    """All that stands in the raw topic is judged and written."""
    flink = shop.catalogue().backends["flink"]

    def done() -> bool:
        flink.checkpoint(shop.catalogue().by_id["job/shop"])  # type: ignore[attr-defined]
        places = shop.catalogue().lag.offsets("shop").items()
        return all(one.committed == one.end for (topic, _), one in places if topic.endswith(".raw-business-events"))

    until(done, _JUDGED, "every event is judged")


def counted(shop: Shop) -> dict[str, tuple[object, ...]]:
    """Judged, matched, rejected and set aside by filter, of those that run."""
    catalogue = shop.catalogue()
    found = read_counts(catalogue, catalogue.by_id["job/shop"])
    return {name: tuple(health.facts[key] for key in ("judged", "matched", "rejected", "set_aside")) for name, health in found.items()}


def compare(seed: str, filters: Sequence[Filter], raw: Message, passed: Counter[tuple[int, str]], aside: Counter[tuple[int, str]]) -> None:
    """Takes from the counters what the evaluator says of an event."""
    offset = raw.offset() or 0
    event, fault = admitted(_bytes(raw), ["eventName"])
    if fault:
        [told] = [place for place in aside if place[0] == offset and aside[place] and not place[1].startswith("filter ")]
        aside[told] -= 1
        return
    for one in filters:
        topics, verdict, unsure = outcome(one, Record(event, datetime.fromtimestamp(raw.timestamp()[1] / 1000, UTC)))
        said = f"seed {seed}, event {raw.value()!r}, filter {one!r}:\n" + "\n".join(verdict.lines())
        assert passed[offset, one.id] == len(topics), said
        assert aside[offset, f"filter {one.id}"] == unsure, said
        passed[offset, one.id] -= len(topics)
        aside[offset, f"filter {one.id}"] -= unsure
