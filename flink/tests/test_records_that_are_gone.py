"""A record that Kafka does not give is told by its place, and with what Kafka said."""

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from flink.records import unread
from project.resources import Unreachable


def test_a_record_that_is_gone_is_not_taken_for_a_kafka_that_is_slow():
    broker = Producer({"test.mock.num.brokers": 1, "log_level": 0})
    [found] = broker.list_topics(timeout=10).brokers.values()
    broker.produce("orders", b"one", partition=0)
    broker.flush(10)
    place = {"bootstrap.servers": f"{found.host}:{found.port}", "group.id": "test", "auto.offset.reset": "error", "log_level": 0}
    consumer = Consumer(place)
    try:
        with pytest.raises(Unreachable, match=r"next record of orders, partition 0: .*Offset out of range.*; try again$"):
            list(unread(consumer, [TopicPartition("orders", 0, 7)], {("orders", 0): 9}, whole=True))
    finally:
        consumer.close()
