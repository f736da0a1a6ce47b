"""Where a stream stands in its topics: the committed offsets of its consumer group.

A mirror has no other state. A new stream is put at the beginning of its topics; a stream whose next record has already been
removed by retention is refused, because going on would leave a gap that nobody sees.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from confluent_kafka import OFFSET_INVALID, Consumer, KafkaError, KafkaException, TopicPartition

from project.environment import Kafka
from project.resources import Refused

_TIMEOUT = 10.0  # seconds for one request
# A place that is assigned waits until Kafka has answered about the one before, which takes half a second where nothing stands behind it.
_PROMPT = {"fetch.wait.max.ms": 10}
_WAY_OUT = "read the source again: `headrace reread`"


def prepare(kafka: Kafka, group: str, topics: Iterable[str]) -> None:
    """Give every partition an offset to start from; refuses a gap."""
    with consumer_of(kafka, group) as consumer:
        starts = [start for topic in topics for start in _starts(consumer, group, topic)]
        # At once: a first start that ends between two topics would be taken for one of them having been created anew.
        commit(consumer, {(one.topic, one.partition): one.offset for one in starts})


def check(kafka: Kafka, group: str, topics: Iterable[str]) -> None:
    """Refuse a gap, and change nothing."""
    with consumer_of(kafka, group) as consumer:
        for topic in topics:
            _starts(consumer, group, topic)


def has_place(kafka: Kafka, group: str, topic: str, partitions: int) -> bool:
    """Whether a group was ever put into a topic, which may be missing."""
    with consumer_of(kafka, group) as consumer:
        return any(one.offset >= 0 for one in consumer.committed([TopicPartition(topic, number) for number in range(partitions)], _TIMEOUT))


def refuse_anew(kafka: Kafka, group: str, topics: Iterable[str]) -> None:
    """Refuse a topic in which a group stands nowhere, though it stands in others that it has read from the beginning together with it."""
    with consumer_of(kafka, group) as consumer:
        known = {one.topic for one in stands(consumer, topics)[0] if one.offset >= 0}
    if known and (anew := [topic for topic in topics if topic not in known]):
        said = "it was created anew, and what the stream had not read of the old one is lost"
        raise Refused(f"group {group} cannot go on in {anew[0]}: {said}; {_WAY_OUT}")


def resume(kafka: Kafka, group: str, topics: Iterable[str]) -> None:
    """Go to the first record that Kafka still holds wherever a group could not go on. Only for a group that nobody reads with."""
    with consumer_of(kafka, group) as consumer:
        found = {(topic, number): (first, end) for topic in topics for number, first, end in bounds(consumer, topic)}
        commit(consumer, goes_on(stood(consumer, found), found))


def stood(consumer: Consumer, places: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
    """Where a group stands in partitions; below 0 where it stands nowhere."""
    return {(one.topic, one.partition): one.offset for one in consumer.committed([TopicPartition(*place) for place in places], _TIMEOUT)}


def goes_on(stood: Mapping[tuple[str, int], int], bounds: Mapping[tuple[str, int], tuple[int, int]]) -> dict[tuple[str, int], int]:
    """Where a group goes on that lies between the first record that Kafka still holds and the end: where it stands, or else the first."""
    return {place: stood[place] if first <= stood[place] <= end else first for place, (first, end) in bounds.items()}


def skip(kafka: Kafka, group: str, topics: Iterable[str]) -> None:
    """Go to the end of every partition: what is unread stays unread. Only for a group that nobody reads with."""
    with consumer_of(kafka, group) as consumer:
        ends = [TopicPartition(topic, number, end) for topic in topics for number, _, end in bounds(consumer, topic)]
        consumer.commit(offsets=ends, asynchronous=False)


def advance(kafka: Kafka, group: str, places: Mapping[tuple[str, int], int]) -> None:
    """Set some offsets. Only for a group that nobody reads with."""
    with consumer_of(kafka, group) as consumer:
        commit(consumer, places)


def commit(consumer: Consumer, places: Mapping[tuple[str, int], int]) -> None:
    """Set some offsets of the consumer's group."""
    if places:  # a commit of none is an error to the client
        consumer.commit(offsets=[TopicPartition(*place, offset) for place, offset in places.items()], asynchronous=False)


def stands(consumer: Consumer, topics: Iterable[str]) -> tuple[list[TopicPartition], dict[tuple[str, int], int]]:
    """Where a group stands in its topics, and where they end."""
    ends = {(topic, number): end for topic in topics for number, _, end in bounds(consumer, topic)}
    return consumer.committed([TopicPartition(*place) for place in ends], _TIMEOUT), ends


def passed(consumer: Consumer, topics: Iterable[str]) -> tuple[list[TopicPartition], dict[tuple[str, int], int]]:
    """The first records that Kafka still holds, and where a group stands."""
    first = [TopicPartition(topic, number, first) for topic in topics for number, first, _ in bounds(consumer, topic)]
    return first, {(one.topic, one.partition): one.offset for one in consumer.committed(first, _TIMEOUT)}


def held(consumer: Consumer, topics: Iterable[str]) -> tuple[list[TopicPartition], dict[tuple[str, int], int]]:
    """The first records that Kafka still holds, and where topics end."""
    found = [(topic, *one) for topic in topics for one in bounds(consumer, topic)]
    return [TopicPartition(topic, number, first) for topic, number, first, _ in found], {(one[0], one[1]): one[3] for one in found}


def last(consumer: Consumer, topic: str, count: int) -> tuple[list[TopicPartition], dict[tuple[str, int], int]]:
    """Where the newest records of a topic begin, an equal share of them in each partition, and where it ends."""
    found = list(bounds(consumer, topic))
    share = -(-count // len(found))
    places = [TopicPartition(topic, number, max(first, end - share)) for number, first, end in found]
    return places, {(topic, number): end for number, _, end in found}


def since(consumer: Consumer, topics: Iterable[str], at: int) -> tuple[list[TopicPartition], dict[tuple[str, int], int]]:
    """Where the records that were written at a time (milliseconds since 1970) or later begin, and where the topics end."""
    ends = {(topic, number): end for topic in topics for number, _, end in bounds(consumer, topic)}
    return consumer.offsets_for_times([TopicPartition(*place, at) for place in ends], _TIMEOUT), ends


@contextmanager
def consumer_of(kafka: Kafka, group: str) -> Iterator[Consumer]:
    """One that joins nothing, and commits nothing by itself; raises Unreachable or Refused."""
    said = list[KafkaError]()
    # Where records are removed meanwhile, Kafka's client would go on at the end by default, as if nothing stood between.
    given = {"group.id": group, "enable.auto.commit": False, "auto.offset.reset": "error", "error_cb": said.append, **_PROMPT}
    consumer = Consumer({**kafka.client(), **given})
    try:
        yield consumer
    except KafkaException as error:
        consumer.poll(0)
        raise kafka.away(error.args[0], said) from error
    finally:
        consumer.close()


def exists(consumer: Consumer, topic: str) -> bool:
    """Whether there is such a topic; one of which Kafka says anything else is one."""
    error = consumer.list_topics(topic, _TIMEOUT).topics[topic].error
    return error is None or error.code() != KafkaError.UNKNOWN_TOPIC_OR_PART


def bounds(consumer: Consumer, topic: str) -> Iterator[tuple[int, int, int]]:
    """Number, first offset and end of each partition."""
    found = consumer.list_topics(topic, _TIMEOUT).topics[topic]
    if found.error:
        raise Refused(f"topic {topic}: {found.error.str()}; apply topic/{topic} first")
    for number in found.partitions:
        yield number, *consumer.get_watermark_offsets(TopicPartition(topic, number), _TIMEOUT)


def _starts(consumer: Consumer, group: str, topic: str) -> list[TopicPartition]:
    """The first offsets of partitions in which the group has none; refuses a gap."""
    found = list(bounds(consumer, topic))
    committed = {
        one.partition: one.offset for one in consumer.committed([TopicPartition(topic, number) for number, _, _ in found], _TIMEOUT)
    }
    first_start = set(committed.values()) == {OFFSET_INVALID}
    for number, first, end in found:
        if problem := gap(committed[number], first, end, first_start):
            raise Refused(f"group {group} cannot go on in {topic}, partition {number}: {problem}")
    return [TopicPartition(topic, number, first) for number, first, _ in found if committed[number] == OFFSET_INVALID]


def gap(committed: int, first: int, end: int, first_start: bool) -> str | None:
    """Why reading from here would miss records, or None."""
    if committed == OFFSET_INVALID:
        missing = f"retention has removed the records before {first}, and this stream has read none of them"
        return f"{missing}; {_WAY_OUT}" if first > 0 and first_start else None
    if committed < first:
        return f"the next record is {committed}, but retention has removed all before {first}; {_WAY_OUT}"
    if committed > end:
        return f"the next record is {committed}, but the topic ends at {end}: it was created anew; {_WAY_OUT}"
    return None
