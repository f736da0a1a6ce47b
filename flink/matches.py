"""What filters have written: the stamps and origins of the events in their topics."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from confluent_kafka import Consumer, Message, TopicPartition

from flink import offsets
from flink.events import ORIGIN, REPLAYED

_TIMEOUT = 10.0  # seconds for one request
_TOGETHER = 2000  # records
_LOOKED_AT = 500_000  # records in one look; those behind them have their turn at the next one
# As flink/events.py writes it. What else stands in such a topic was not written by filters.
_STAMP = re.compile(rb'\{"filterMetadata":\{"filterId":"([a-z0-9-]+)","ruleVersion":(\d+),')


@dataclass(frozen=True, slots=True)
class Match:
    """An event that has passed a filter."""

    topic: str
    partition: int
    filter: str
    version: int
    raw_partition: int  # where the raw event stands
    raw_offset: int
    written_at: int  # milliseconds since 1970


class Matches:
    """The matches of raw events before `upto`, each partition of their topics in its order, from where the group stands."""

    def __init__(self, consumer: Consumer, topics: Sequence[str], upto: Mapping[int, int]) -> None:
        self._consumer, self._upto = consumer, upto
        bounds = {(topic, number): (first, end) for topic in topics for number, first, end in offsets.bounds(consumer, topic)}
        stands = consumer.committed([TopicPartition(*place) for place in bounds], _TIMEOUT)
        self.behind = {(one.topic, one.partition): self._start(one.offset, *bounds[one.topic, one.partition]) for one in stands}
        self._ends = {place: end for place, (_, end) in bounds.items()}
        self._held = set[tuple[str, int]]()  # where a raw event has come that has its turn later
        self._left = {place for place, offset in self.behind.items() if offset < self._ends[place]}

    @staticmethod
    def _start(committed: int, first: int, end: int) -> int:
        """Of a topic that was made anew, or of which retention has removed the rest, what is there."""
        return committed if first <= committed <= end else first

    @property
    def whole(self) -> bool:
        """Whether all has been read by now."""
        return not self._left

    def __iter__(self) -> Iterator[Match]:
        self._consumer.assign([TopicPartition(*place, self.behind[place]) for place in self._left])
        seen = 0
        while self._left and seen < _LOOKED_AT and (records := self._consumer.consume(_TOGETHER, _TIMEOUT)):
            seen += len(records)
            for record in records:
                if not record.error() and (match := self._pass(record)):
                    yield match

    def _pass(self, record: Message) -> Match | None:
        place, offset = (str(record.topic()), record.partition() or 0), record.offset() or 0
        if offset >= self._ends[place]:
            return None
        if offset + 1 == self._ends[place]:
            self._left.discard(place)
        match = _read(record)
        if match and match.raw_offset >= self._upto.get(match.raw_partition, 0):
            self._held.add(place)
            return None
        if place not in self._held:
            self.behind[place] = offset + 1
        return match


@contextmanager
def reading(bootstrap_servers: str, group: str, topics: Sequence[str], upto: Mapping[int, int]) -> Iterator[Matches]:
    """Where it has come to is committed at the end, if nothing was raised."""
    with offsets.consumer_of(bootstrap_servers, group) as consumer:
        found = Matches(consumer, topics, upto)
        yield found
        consumer.commit(offsets=[TopicPartition(*place, offset) for place, offset in found.behind.items()], asynchronous=False)


def _read(record: Message) -> Match | None:
    value, headers = record.value(), dict(record.headers() or ())
    stamp, origin = _STAMP.match(value) if isinstance(value, bytes) else None, headers.get(ORIGIN)
    # What was replayed is counted as what it was: set aside.
    if not stamp or not isinstance(origin, bytes) or REPLAYED in headers:
        return None
    partition, offset = map(int, origin.split(b":"))
    return Match(
        str(record.topic()), record.partition() or 0, stamp[1].decode(), int(stamp[2]), partition, offset, record.timestamp()[1]
    )  # fmt: skip
