"""What a stream's filters have set aside, read by the group that keeps it; nobody else is in that group."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from confluent_kafka import Consumer, TopicPartition

from flink import offsets
from flink.events import REASON
from flink.records import Letter, Places, unread

_TOGETHER = 16 << 20  # bytes of one part
_WAY_OUT = "`headrace dead-letters account` names every event that is nowhere; then discard this"
_LETTER = 1000  # bytes that a letter takes beside its key and value


def set_aside(consumer: Consumer, topic: str, lost: Callable[[list[Letter]], None]) -> Iterator[list[Letter]]:
    """All that nobody has kept yet, with its reasons, in parts; one is taken for kept when the next is asked for. Where letters are gone
    that may not be kept, `lost` is given one for each such gap before it goes on behind them."""
    bounds = {(topic, number): (first, end) for number, first, end in offsets.bounds(consumer, topic)}
    stood = offsets.stood(consumer, bounds)
    if missing := list(gone(stood, bounds)):
        lost(missing)
    places = offsets.goes_on(stood, bounds)
    offsets.commit(consumer, places)  # also where nothing is new: Kafka forgets a group that is silent for long
    ends = {place: end for place, (_, end) in bounds.items()}
    found = unread(consumer, [TopicPartition(*place, offset) for place, offset in places.items()], ends, tombstones=True, whole=True)
    for part in parts(found):
        yield [replace(letter, reason=letter.headers.get(REASON, "")) for letter in part]
        offsets.commit(consumer, {(one.topic, one.partition): one.offset + 1 for one in part})


def gone(stood: Places, bounds: Mapping[tuple[str, int], tuple[int, int]]) -> Iterator[Letter]:
    """Where letters are gone that a group which stood so may not have kept: an empty one for each gap, with the reason."""
    for (topic, number), (first, end) in bounds.items():
        at, said = stood[topic, number], None
        if at > end:
            said = f"it ends at {end}, before {at}: it was created anew, and what was unread of the old one is lost"
        elif max(at, 0) < first:
            unread = f"those from {at} on were not kept" if at >= 0 else "nobody knows which of them were kept"
            said = f"retention has removed all dead letters before {first}, and {unread}"
        if said:
            yield Letter(topic, number, max(at, 0), 0, None, b"", f"{topic}, partition {number}: {said}; {_WAY_OUT}")


def parts(letters: Iterable[Letter], most: int = _TOGETHER) -> Iterator[list[Letter]]:
    """The letters in lists that take about so many bytes of memory, whatever their number and size."""
    part, size = list[Letter](), 0
    for one in letters:
        part.append(one)
        size += len(one.key or b"") + len(one.value) + _LETTER
        if size >= most:
            yield part
            part, size = [], 0
    if part:
        yield part
