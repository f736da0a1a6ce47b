"""How far topics are written."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from project.environment import Environment

_ANSWER, _PATIENCE = 10, 600  # seconds


class Ends:
    """Of topics on the Kafka of an environment."""

    def __init__(self, environment: Environment) -> None:
        servers = environment.kafka.bootstrap_servers
        self._consumer = Consumer({"bootstrap.servers": servers, "group.id": "bench"})
        self._admin = AdminClient({"bootstrap.servers": servers})

    def of(self, topic: str) -> list[TopicPartition]:
        """Of each partition."""
        numbers = self._consumer.list_topics(topic, _ANSWER).topics[topic].partitions
        return [TopicPartition(topic, number, self._end(topic, number)) for number in numbers]

    def total(self, topic: str) -> int:
        return sum(one.offset for one in self.of(topic))

    def reached(self, topic: str, total: int) -> float:
        """When its partitions together had so many records, by the monotonic clock."""
        numbers, deadline = [one.partition for one in self.of(topic)], time.monotonic() + _PATIENCE
        while sum(self._end(topic, number) for number in numbers) < total:
            if time.monotonic() > deadline:
                raise SystemExit(f"{topic} did not come to {total:,} records within {_PATIENCE} s")
            time.sleep(0.02)
        return time.monotonic()

    @contextmanager
    def topic(self, name: str) -> Iterator[None]:
        """One that is gone afterwards."""
        self._admin.create_topics([NewTopic(name, 3, 1)])[name].result(_ANSWER)
        try:
            yield
        finally:
            self._admin.delete_topics([name])[name].result(_ANSWER)

    def _end(self, topic: str, number: int) -> int:
        _, end = self._consumer.get_watermark_offsets(TopicPartition(topic, number), _ANSWER)
        return end
