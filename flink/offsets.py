"""Where a stream stands in its topics: the committed offsets of its consumer group.

A mirror has no other state. A new stream is put at the beginning of its topics; a stream whose next record has already been
removed by retention is refused, because going on would leave a gap that nobody sees.
"""

from collections.abc import Iterable

from confluent_kafka import Consumer, KafkaException, TopicPartition

from project.resources import Refused, Unreachable

_INVALID = -1001  # what Kafka answers where nothing was ever committed
_TIMEOUT = 10.0  # seconds for one request


def prepare(bootstrap_servers: str, group: str, topics: Iterable[str]) -> None:
    """Give every partition an offset to start from; refuses a gap."""
    consumer = Consumer({"bootstrap.servers": bootstrap_servers, "group.id": group, "enable.auto.commit": False, "log_level": 0})
    try:
        for topic in topics:
            _prepare(consumer, group, topic)
    except KafkaException as error:
        raise Unreachable(f"Kafka at {bootstrap_servers}: {error.args[0].str()}; start it, then apply again") from error
    finally:
        consumer.close()


def _prepare(consumer: Consumer, group: str, topic: str) -> None:
    found = consumer.list_topics(topic, _TIMEOUT).topics[topic]
    if found.error:
        raise Refused(f"topic {topic} of group {group}: {found.error.str()}; apply topic/{topic} first")
    committed = consumer.committed([TopicPartition(topic, number) for number in found.partitions], _TIMEOUT)
    first_start = all(partition.offset == _INVALID for partition in committed)
    starts: list[TopicPartition] = []
    for partition in committed:
        first, end = consumer.get_watermark_offsets(partition, _TIMEOUT)
        if problem := gap(partition.offset, first, end, first_start):
            raise Refused(f"group {group} cannot go on in {topic}, partition {partition.partition}: {problem}")
        if partition.offset == _INVALID:
            starts.append(TopicPartition(topic, partition.partition, first))
    if starts:
        consumer.commit(offsets=starts, asynchronous=False)


def gap(committed: int, first: int, end: int, first_start: bool) -> str | None:
    """Why reading from here would miss records, or None."""
    way_out = "the table must be read again from its source (docs/operation.md, a gap in a stream)"
    if committed == _INVALID and first > 0 and first_start:
        return f"retention has removed the records before {first}, and this stream has read none of them; {way_out}"
    if committed == _INVALID:
        return None
    if committed < first:
        return f"the next record is {committed}, but retention has removed all before {first}; {way_out}"
    if committed > end:
        return f"the next record is {committed}, but the topic ends at {end}: it was created anew; {way_out}"
    return None
