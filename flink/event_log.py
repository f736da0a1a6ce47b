"""What a stream's filters have read and what they wrote, as far as Kafka still holds it; no group is joined."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from confluent_kafka import OFFSET_END, TopicPartition

from flink import offsets
from flink.events import ORIGIN, REPLAYED, origin
from flink.matches import Matches
from flink.records import Letter, Places, unread
from project.environment import Kafka


def behind_written(stood: Mapping[int, int], written: Iterable[Letter]) -> dict[int, int]:
    """Partition → offset behind all raw events of which a job has written something. What was replayed says nothing of how far it came,
    nor does what no job wrote."""
    behind = dict(stood)
    for record in written:
        partition, offset = origin(record.headers.get(ORIGIN, "")) or (None, 0)
        if partition in behind and REPLAYED not in record.headers:
            behind[partition] = max(behind[partition], offset + 1)
    return behind


def counting(group: str) -> str:
    """The group that counts what a stream's group has written."""
    return f"{group}.counts"


@dataclass(frozen=True)
class EventLog:
    kafka: Kafka
    group: str
    raw: str  # the topic that is read
    written: tuple[str, ...]  # the topics that consumers read

    def passed(self) -> tuple[Places, Places]:
        """The first offsets of the raw topic's partitions, and where the stream stands in them now."""
        with offsets.consumer_of(self.kafka, self.group) as consumer:
            first, ends = offsets.passed(consumer, [self.raw])
        return {(one.topic, one.partition): one.offset for one in first}, ends

    def judged(self) -> dict[int, int]:
        """Partition → the first raw event that the stream may not have judged and written yet."""
        return {partition: offset for (_, partition), offset in self.passed()[1].items()}

    @contextmanager
    def matches(self, topics: Iterable[str], upto: Mapping[int, int]) -> Iterator[Matches]:
        """What was written to topics of raw events before these, from where it was last read to; how far that came is kept, if nothing is
        raised."""
        with offsets.consumer_of(self.kafka, counting(self.group)) as consumer:
            found = Matches(consumer, topics, upto)
            yield found
            offsets.commit(consumer, found.behind)

    def since(self, at: int) -> Places:
        """Where the raw events of a time (milliseconds since 1970) begin; the end of a partition that has none."""
        with offsets.consumer_of(self.kafka, self.group) as consumer:
            found, ends = offsets.since(consumer, [self.raw], at)
        return {(one.topic, one.partition): ends[one.topic, one.partition] if one.offset == OFFSET_END else one.offset for one in found}

    def events(self, first: Places, ends: Places) -> Iterator[Letter]:
        """The raw events between offsets, partition by partition; Unreachable if Kafka does not give all of them."""
        with offsets.consumer_of(self.kafka, self.group) as consumer:
            for place, offset in first.items():
                yield from unread(consumer, [TopicPartition(*place, offset)], ends, tombstones=True, whole=True)

    def taken(self, at: int | None = None) -> Iterator[Letter]:
        """All that stands in the consumers' topics by now; with a time (milliseconds since 1970) what was written then or later."""
        with offsets.consumer_of(self.kafka, self.group) as consumer:
            places = offsets.held(consumer, self.written) if at is None else offsets.since(consumer, self.written, at)
            yield from unread(consumer, *places, tombstones=True, whole=True)

    def found(self, places: Iterable[tuple[int, int]]) -> dict[tuple[int, int], Letter]:
        """The raw events at partitions and offsets, without those that retention has removed."""
        with offsets.consumer_of(self.kafka, self.group) as consumer:
            first, ends = offsets.held(consumer, [self.raw])
            bounds = {one.partition: range(one.offset, ends[self.raw, one.partition]) for one in first}
            found = dict[tuple[int, int], Letter]()
            for partition, offset in places:
                if offset in bounds.get(partition, ()):
                    only = {(self.raw, partition): offset + 1}
                    for letter in unread(consumer, [TopicPartition(self.raw, partition, offset)], only, tombstones=True, whole=True):
                        found[partition, offset] = letter
        return found
