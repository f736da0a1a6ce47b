"""What a loop does while an event waits for its next try; on a real Kafka in e2e/test_consumers.py."""

from collections.abc import Callable, Sequence
from typing import Any
from unittest.mock import Mock

import pytest
from confluent_kafka import OFFSET_INVALID, TopicPartition

from consumers import loop
from consumers.events import Received, Retriable


class Client:
    """Kafka's, over one partition, and not quick to pause: a record may come nevertheless."""

    def __init__(self) -> None:
        self.at, self.paused, self.asked_meanwhile = 0, False, 0
        self.assignment = list[TopicPartition]
        self.incremental_assign = self.commit = self.close = Mock()

    def subscribe(self, topics: Sequence[str], on_assign: Callable[..., None], **_: object) -> None:
        on_assign(self, [TopicPartition(topics[0], 0)])

    def committed(self, partitions: Sequence[TopicPartition], _: float) -> list[TopicPartition]:
        return [TopicPartition(one.topic, one.partition, OFFSET_INVALID) for one in partitions]

    def pause(self, _: object) -> None:
        self.paused = True

    def resume(self, _: object) -> None:
        self.paused = False

    def seek(self, place: TopicPartition) -> None:
        self.at = place.offset

    def poll(self, _: float) -> Any:
        self.asked_meanwhile += self.paused
        self.at += 1
        said: dict[str, Any] = {"error": None, "topic": "loans", "partition": 0, "offset": self.at - 1, "headers": [], "timestamp": (1, 0)}
        return Mock(**{f"{name}.return_value": value for name, value in {**said, "key": b"", "value": b""}.items()})

    def consume(self, *_: object) -> list[Any]:
        return []


class Desk:
    """Takes three events, the first at its second try."""

    def __init__(self) -> None:
        self.failures, self.taken = [Retriable("not yet")], list[int]()
        self.loop = loop.Loop("nowhere:9092", "a group", ["loans"], self)

    def handle(self, events: Sequence[Received]) -> None:
        if self.failures:
            raise self.failures.pop()
        self.taken += [one.offset for one in events]
        if len(self.taken) == 3:
            self.loop.close()

    def set_aside(self, event: Received, reason: str) -> None:
        raise AssertionError(reason)


def test_while_an_event_waits_its_consumer_asks_on_and_what_comes_early_comes_again(monkeypatch: pytest.MonkeyPatch):
    client, desk = Client(), Desk()
    monkeypatch.setattr(loop, "Consumer", lambda _: client)
    desk.loop.run()
    assert desk.taken == [0, 1, 2]
    assert client.asked_meanwhile and not client.paused, "who does not ask is taken for dead"
