"""What stands in a topic."""

from collections.abc import Iterator

from confluent_kafka import Consumer, Message, TopicPartition

from project.environment import Kafka

_PATIENCE = 10.0  # seconds for one answer


def records(kafka: Kafka, topic: str) -> Iterator[Message]:
    """All of it, partition by partition, as far as it is written by now."""
    consumer = Consumer({**kafka.client(), "group.id": "e2e", "enable.auto.commit": False, "fetch.wait.max.ms": 10})
    try:
        for number in consumer.list_topics(topic, _PATIENCE).topics[topic].partitions:
            _, end = consumer.get_watermark_offsets(TopicPartition(topic, number), _PATIENCE)
            consumer.assign([TopicPartition(topic, number, 0)])
            for _ in range(end):
                found = consumer.poll(_PATIENCE)
                assert found is not None and not found.error(), f"{topic} ended early"
                yield found
    finally:
        consumer.close()


def headers(record: Message) -> dict[str, str]:
    return {name: value.decode() for name, value in record.headers() or [] if isinstance(value, bytes)}
