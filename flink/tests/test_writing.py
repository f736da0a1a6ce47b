"""Records get where Java's producer would put them, and nobody takes them for written before Kafka has them."""

from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from flink.writing import Outgoing, producer_of, write
from project.environment import Kafka
from project.resources import Refused

_WORD = 0xFFFFFFFF


@pytest.fixture(scope="module")
def kafka() -> Iterator[Kafka]:
    """A broker that librdkafka plays, whose topics have four partitions; it lives as long as its producer."""
    broker = Producer({"test.mock.num.brokers": 1, "log_level": 0})
    [found] = broker.list_topics(timeout=10).brokers.values()
    yield Kafka(bootstrap_servers=f"{found.host}:{found.port}")


def murmur2(key: bytes) -> int:
    """As Java's producer has it, without the sign."""
    mixed, whole = 0x9747B28C ^ len(key), len(key) & ~3
    for start in range(0, whole, 4):
        part = int.from_bytes(key[start : start + 4], "little") * 0x5BD1E995 & _WORD
        mixed = mixed * 0x5BD1E995 & _WORD ^ (part ^ part >> 24) * 0x5BD1E995 & _WORD
    if rest := key[whole:]:
        mixed = (mixed ^ int.from_bytes(rest, "little")) * 0x5BD1E995 & _WORD
    mixed = (mixed ^ mixed >> 13) * 0x5BD1E995 & _WORD
    return (mixed ^ mixed >> 15) & 0x7FFFFFFF


def test_a_key_has_the_partition_and_the_order_that_java_gives_it(kafka: Kafka):
    keys = [f"loan-{number}".encode() for number in range(40)] + [b"", b"a", "ünïcödé".encode()]
    sent = [Outgoing("events", key, f"{turn}".encode(), {"headrace.origin": "0:7"}) for turn in range(3) for key in keys]
    write(producer_of(kafka), sent)
    found = dict[bytes, list[tuple[int, str]]]()
    for record in read(kafka, "events", len(sent)):
        found.setdefault(record.key(), []).append((record.partition(), record.value().decode()))
        assert record.headers() == [("headrace.origin", b"0:7")]
    assert found == {key: [(murmur2(key) % 4, str(turn)) for turn in range(3)] for key in keys}


def test_what_kafka_does_not_take_is_no_success(kafka: Kafka):
    with pytest.raises(Refused, match="Kafka did not take a record of topic events"):
        write(producer_of(kafka), [Outgoing("events", b"a", b"x" * 20_000_000, {})])


def read(kafka: Kafka, topic: str, count: int) -> Iterator:  # type: ignore[type-arg]
    consumer = Consumer({**kafka.client(), "group.id": "test", "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, number, 0) for number in range(4)])
    for _ in range(count):
        record = consumer.poll(10)
        assert record is not None and not record.error()
        yield record
    consumer.close()
