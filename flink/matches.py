"""What filters have written: the stamps and origins of the events in their topics."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from confluent_kafka import Consumer, TopicPartition

from flink import offsets
from flink.events import ORIGIN, REPLAYED, origin, unstamped
from flink.records import Letter, unread


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


_LOOKED_AT = 500_000  # records behind which one look goes on; the next one begins there


class Matches:
    """The matches of raw events before `upto`, each partition of their topics in its order, from where the group stands: as many as one
    look takes. `missing` are the topics that there are not."""

    def __init__(self, consumer: Consumer, topics: Iterable[str], upto: Mapping[int, int]) -> None:
        self._consumer, self._upto, wanted = consumer, upto, set(topics)
        self.missing = {topic for topic in wanted if not offsets.exists(consumer, topic)}
        bounds = {
            (topic, number): (first, end) for topic in wanted - self.missing for number, first, end in offsets.bounds(consumer, topic)
        }
        self.behind = offsets.goes_on(offsets.stood(consumer, bounds), bounds)
        self._ends = {place: end for place, (_, end) in bounds.items()}
        self._held = set[tuple[str, int]]()  # where a raw event has come that has its turn later
        self._left = {place for place, offset in self.behind.items() if offset < self._ends[place]}

    @property
    def whole(self) -> bool:
        """Whether all has been read by now."""
        return not self._left

    def __iter__(self) -> Iterator[Match]:
        places, passed = [TopicPartition(*place, offset) for place, offset in self.behind.items()], 0
        for record in unread(self._consumer, places, self._ends, tombstones=True, whole=True):
            place, match = (record.topic, record.partition), _match(record)
            if record.offset + 1 >= self._ends[place]:
                self._left.discard(place)
            if match and match.raw_offset >= self._upto.get(match.raw_partition, 0):
                self._held.add(place)
                continue
            if place not in self._held:
                self.behind[place] = record.offset + 1
                passed += 1
            if match:
                yield match
            if passed == _LOOKED_AT:
                return


def _match(record: Letter) -> Match | None:
    """None of what no filter wrote, and of what was replayed: that is counted as what it was, set aside."""
    stamped, place = unstamped(record.value), origin(record.headers.get(ORIGIN, ""))
    if stamped is None or place is None or REPLAYED in record.headers:
        return None
    name, version, _ = stamped
    return Match(record.topic, record.partition, name, version, *place, record.written_at)
