"""What of the events that were written comes to their consumers, and how long after its commit.

Both ends are read from this machine's clock: when a commit has returned, and when a consumer has the record in its hands. What
comes before its own commit has returned counts as 0.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from time import monotonic, time
from uuid import UUID

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from accounts import Account, Key, account
from project.environment import Kafka
from project.filters.samples import admitted, outcome
from project.filters.verdicts import Record
from project.models import Project, Stream

_TIMEOUT = 10.0  # seconds for one answer
_POLL, _LOOK = 0.005, 0.2  # seconds for one record, and between two looks at what is missing


class LoadError(Exception):
    """Told to the reader as it is."""


class Arrivals:
    """What comes to topics from now on, and when: the first time of each event."""

    def __init__(self, consumer: Consumer, topics: Sequence[str]) -> None:
        self._consumer = consumer
        self._at = {topic: dict[Key, float]() for topic in topics}
        self._again = {topic: list[Key]() for topic in topics}
        consumer.assign(ends(consumer, topics))

    def take(self, seconds: float = 0) -> bool:
        """Whether a record came within so many seconds."""
        message, at = self._consumer.poll(seconds), time()
        if message is None:
            return False
        topic, key = str(message.topic()), _key(message)
        if key in self._at[topic]:
            self._again[topic].append(key)
        elif key:
            self._at[topic][key] = at
        return True

    def wait(self, wanted: Mapping[str, Collection[Key]], patience: float) -> None:
        """Return when all of it is there, or nothing more of it has come for so many seconds."""
        left, last = self._missing(wanted), monotonic()
        while left and monotonic() - last < patience:
            until = monotonic() + _LOOK
            while self.take(_POLL) or monotonic() < until:
                pass
            if (now := self._missing(wanted)) < left:
                left, last = now, monotonic()

    def latest(self, committed: Collection[UUID]) -> float:
        """When the last of some events came; 0 if none has."""
        return max((at for arrived in self._at.values() for key, at in arrived.items() if key[0] in committed), default=0.0)

    def account(self, topic: str, expected: Collection[Key], committed: Mapping[UUID, float]) -> Account:
        found = {key: at for key, at in self._at[topic].items() if key[0] in committed}
        return account(topic, expected, found, [key for key in self._again[topic] if key[0] in committed], committed)

    def _missing(self, wanted: Mapping[str, Collection[Key]]) -> int:
        return sum(key not in self._at[topic] for topic, expected in wanted.items() for key in expected)


class Capture:
    """The raw topic from now on: read when all is written, for it says what had to go where without costing anything meanwhile."""

    def __init__(self, consumer: Consumer, project: Project, stream: Stream) -> None:
        self._consumer, self._project, self._stream = consumer, project, stream
        [self.topic] = project.sources[stream.source].topics(())
        self._begins = ends(consumer, [self.topic])

    def judge(self, committed: Mapping[UUID, float], arrivals: Arrivals, patience: float) -> tuple[Account, dict[str, set[Key]]]:
        """How events came to the raw topic, by the whole milliseconds that Kafka knows, and where each had to go from there.
        Ends when all are there, or nothing more has come for so many seconds; arrivals go on meanwhile."""
        found, again, wanted, last = dict[Key, float](), list[Key](), defaultdict[str, set[Key]](set), monotonic()
        self._consumer.assign(self._begins)
        while len(found) < len(committed) and monotonic() - last < patience:
            while arrivals.take():
                pass
            if (message := self._consumer.poll(0)) is None:
                arrivals.take(_POLL)
                continue
            last, key = monotonic(), _key(message)
            if key in found:
                again.append(key)
            elif key and key[0] in committed:
                found[key] = message.timestamp()[1] / 1000
                for topic, filter_id in self._destinations(message):
                    wanted[topic].add((key[0], filter_id))
        return account(self.topic, [(uuid, "") for uuid in committed], found, again, committed), wanted

    def _destinations(self, message: Message) -> Iterator[tuple[str, str]]:
        """The topics that an event has to come to, each with the filter that passes it."""
        event, fault = admitted(message.value() or b"", self._stream.mandatory)
        record = Record(event, datetime.fromtimestamp(message.timestamp()[1] / 1000, UTC))
        judged = [] if fault else [(one, outcome(one, record)) for one in self._stream.running]
        if fault or any(unsure for _, (_, _, unsure) in judged):
            yield self._project.dead_letter_topic(self._stream), ""
        for one, (topics, _, _) in judged:
            yield from ((self._project.filtered_topic(topic), one.id) for topic in topics)


@contextmanager
def consumers(kafka: Kafka, count: int) -> Iterator[list[Consumer]]:
    """Consumers that join nothing and commit nothing; raises LoadError."""
    options = {**kafka.client(), "group.id": "cars-load", "enable.auto.commit": False}
    opened = [Consumer(options) for _ in range(count)]
    try:
        yield opened
    except KafkaException as error:
        raise LoadError(f"Kafka at {kafka.bootstrap_servers}: {error.args[0].str()}; is the platform up?") from error
    finally:
        for consumer in opened:
            consumer.close()


def ends(consumer: Consumer, topics: Iterable[str]) -> list[TopicPartition]:
    """Where topics end now; raises LoadError where one is missing."""
    found = list[TopicPartition]()
    for topic in topics:
        metadata = consumer.list_topics(topic, _TIMEOUT).topics[topic]
        if metadata.error:
            raise LoadError(f"there is no topic {topic}: {metadata.error.str()}; apply the project first: headrace apply -p examples/cars")
        for number in metadata.partitions:
            _, end = consumer.get_watermark_offsets(TopicPartition(topic, number), _TIMEOUT)
            found.append(TopicPartition(topic, number, end))
    return found


def _key(message: Message) -> Key | None:
    """None of what is no event of the dealership. Raises KafkaException where the consumer has failed."""
    if error := message.error():
        raise KafkaException(error)
    try:
        event = json.loads(message.value() or b"")
        return UUID(event["eventHeader"]["uuid"]), event.get("filterMetadata", {}).get("filterId", "")
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
