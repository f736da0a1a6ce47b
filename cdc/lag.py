"""How far a stream is behind its topics: in records, in seconds, and by its trend."""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from confluent_kafka import OFFSET_INVALID, Consumer, KafkaError, KafkaException, Message, TopicPartition

from cdc.lag_trend import CHECKPOINT, Observation, Trend, Trends
from project.environment import Environment, Kafka
from project.models import Project
from project.resources import Health, Refused, State, Unreachable
from project.topics import pulse_topic

Partition = tuple[str, int]  # topic, number
_TIMEOUT = 5.0  # seconds for one request
FRESH = 3 * CHECKPOINT  # seconds; records younger than this are no lag, whatever the trend
LATE = 60.0  # seconds from which analysts see stale data


@dataclass(frozen=True)
class Lag:
    """One partition now."""

    first: int  # the oldest offset that retention has left
    observation: Observation
    seconds: float | None  # age of the oldest unread record; 0 when all is read; None: Kafka did not give it

    @property
    def is_whole(self) -> bool:
        """Whether there is a place to go on from, and everything behind it is still there."""
        committed = self.observation.committed
        return committed is not None and self.first <= committed <= self.observation.end


class LagReader:
    """Remembers what it has seen of each stream, so that it can tell a trend. One per process is enough."""

    def __init__(self, project: Project, environment: Environment) -> None:
        self._project, self._kafka = project, environment.kafka
        self._trends = Trends()

    def read(self, stream: str, last_commit: float | None = None) -> Health:
        """Health of a stream's reading. `last_commit` in seconds since 1970: its job's last completed checkpoint, if known."""
        try:
            found = self.lags(stream)
        except Refused as error:
            return Health(State.UNKNOWN, str(error))
        trends = {partition: self._trends.add(stream, partition, lag.observation, last_commit) for partition, lag in found.items()}
        return judge_lag(stream, found, trends)

    def lags(self, stream: str, ahead: float = 0.0) -> dict[Partition, Lag]:
        """Every partition that a stream reads, where its source's clock is so many seconds ahead of this one's; raises Unreachable."""
        return read_lag(self._kafka, *self._reads(stream), lambda record: committed_at(record) - ahead)

    def oldest(self, stream: str, ahead: float = 0.0) -> float:
        """Seconds since the source committed the oldest change that the stream has not read; raises Unreachable if that is not known."""
        found = self.lags(stream, ahead)
        if unknown := unknown_age(found):
            raise Unreachable(f"stream {stream}: {unknown}")
        return max((lag.seconds or 0.0 for lag in found.values()), default=0.0)

    def offsets(self, stream: str) -> dict[Partition, Observation]:
        """The same without times, which take longer to read; raises Unreachable."""
        group, topics = self._reads(stream)
        with _consumer(self._kafka, group) as consumer:
            return {place: seen for place, (_, seen) in _observe(consumer, topics).items()}

    def _reads(self, stream: str) -> tuple[str, list[str]]:
        """The stream's group and its topics."""
        spec = self._project.streams[stream]
        source = self._project.sources[spec.source]
        return f"{self._project.name}.{stream}", [*source.topics(spec.tables), pulse_topic(source.connector)]


def judge_lag(stream: str, lags: Mapping[Partition, Lag], trends: Mapping[Partition, Trend]) -> Health:
    """The health of a stream is that of its worst partition."""
    if not lags:
        return Health(State.UNKNOWN, f"none of the topics of stream {stream} is there; look at their checks")
    partition, lag = max(lags.items(), key=lambda item: (trends[item[0]] is Trend.REWIND, item[1].seconds or 0.0, item[1].observation.lag))
    trend, seconds, place = trends[partition], lag.seconds or 0.0, _named(partition)
    facts = {
        "lag_records": sum(one.observation.lag for one in lags.values()), "lag_seconds": round(seconds, 1),
        "worst_partition": place, "trend": str(trend),
    }  # fmt: skip
    never = [_named(place) for place, one in lags.items() if one.observation.committed is None]
    if never:
        return Health(State.UNKNOWN, f"stream {stream} has committed no offsets yet in {never[0]}; look at the check of its job", facts)
    gaps = [_named(place) for place, one in lags.items() if (one.observation.committed or 0) < one.first]
    if gaps:
        text = f"stream {stream}: retention has removed records that it has not read, in {gaps[0]}; run `headrace reread` for its source"
        return Health(State.FAILED, text, facts)
    state = _state(trend, seconds)
    if state is State.PASSED and (unknown := unknown_age(lags)):
        return Health(State.UNKNOWN, f"stream {stream}: {unknown}", {**facts, "lag_seconds": None})
    if trend is not Trend.REWIND and seconds <= FRESH:
        return Health(state, f"stream {stream} is {seconds:.0f} s behind ({facts['lag_records']:,} records)", facts)
    return Health(state, f"stream {stream} is {seconds:.0f} s behind in {place}; {_MEANINGS[trend]}", facts)


def _state(trend: Trend, seconds: float) -> State:
    """Catching up is well as long as analysts do not see stale data meanwhile."""
    if trend is not Trend.REWIND and seconds <= FRESH:
        return State.PASSED
    if trend is Trend.OK:
        return State.WARNING if seconds > LATE else State.PASSED
    if trend is Trend.UNKNOWN:
        return State.UNKNOWN
    return State.FAILED if seconds > LATE and trend is not Trend.REWIND else State.WARNING


def unknown_age(lags: Mapping[Partition, Lag]) -> str | None:
    """What is not known of records that nobody has read, if anything."""
    unread = {place: lag.observation.lag for place, lag in lags.items() if lag.seconds is None}
    if not unread:
        return None
    place, records = next(iter(unread.items()))
    what = f"how old the {records:,} unread records in {_named(place)} are is not known"
    return f"{what}, because Kafka has not given the first of them within {_TIMEOUT:.0f} s; look at Kafka's log"


def _named(partition: Partition) -> str:
    return f"{partition[0]}, partition {partition[1]}"


_MEANINGS = {
    Trend.OK: "it is catching up, and until then analysts see data that old",
    Trend.WARN: "it reads, but falls further behind: look for what slows its job, first the analytics database",
    Trend.STALL: "it commits, but reads nothing: look at the check of its job",
    Trend.STOP: "it has stopped committing: look at the check of its job",
    Trend.REWIND: "its offsets were set back by hand: it reads again what it has read, which does no harm, and catches up",
    Trend.UNKNOWN: "the trend shows in half a minute",
}


def read_lag(kafka: Kafka, group: str, topics: Iterable[str], begun: Callable[[Message], float]) -> dict[Partition, Lag]:
    """Every partition of existing topics; `begun` says since when a record waits, in seconds since 1970. Raises Unreachable or Refused."""
    with _consumer(kafka, group) as consumer:
        seen = _observe(consumer, topics)
        now = time.time()
        unread = _records(consumer, {place: max(found.committed or 0, first) for place, (first, found) in seen.items() if found.lag})
    ages = {place: max(now - begun(record), 0.0) for place, record in unread.items()}
    return {place: Lag(first, found, ages.get(place) if found.lag else 0.0) for place, (first, found) in seen.items()}


def committed_at(record: Message) -> float:
    """When its source committed the change, as Debezium says in it or, of an event, in its header; else when Kafka took it."""
    said = dict(record.headers() or ()).get("__source_ts_ms")
    try:
        milliseconds = int(json.loads(record.value() or b"")["source"]["ts_ms"] if said is None else said)
    except (ValueError, RecursionError, LookupError, TypeError, OverflowError):
        return written_at(record)  # it is no change of a row
    return milliseconds / 1000 if 0 < milliseconds < 1 << 63 else written_at(record)


def written_at(record: Message) -> float:
    """When Kafka took it."""
    return record.timestamp()[1] / 1000


def _observe(consumer: Consumer, topics: Iterable[str]) -> dict[Partition, tuple[int, Observation]]:
    """First offset, and where the consumer's group stands, of every partition of existing topics."""
    known = consumer.list_topics(timeout=_TIMEOUT).topics
    wanted = [TopicPartition(topic, number) for topic in topics if topic in known for number in known[topic].partitions]
    committed = consumer.committed(wanted, _TIMEOUT)
    bounds = {(one.topic, one.partition): consumer.get_watermark_offsets(one, _TIMEOUT) for one in wanted}
    seen: dict[Partition, tuple[int, Observation]] = {}
    for one in committed:
        first, end = bounds[one.topic, one.partition]
        seen[one.topic, one.partition] = first, Observation(time.time(), None if one.offset == OFFSET_INVALID else one.offset, end)
    return seen


def last_record_time(kafka: Kafka, topic: str) -> float | None:
    """When the newest record of a topic was written, in seconds since 1970; None if there is none. Raises Unreachable or Refused."""
    with _consumer(kafka, topic) as consumer:  # a group by a name that may be read; nothing is committed
        found = consumer.list_topics(topic, _TIMEOUT).topics[topic]
        ends = {(topic, number): consumer.get_watermark_offsets(TopicPartition(topic, number), _TIMEOUT) for number in found.partitions}
        newest = _records(consumer, {place: end - 1 for place, (first, end) in ends.items() if end > first})
    return max(map(written_at, newest.values()), default=None)


def _records(consumer: Consumer, offsets: Mapping[Partition, int]) -> dict[Partition, Message]:
    """The record at each offset; what does not come within the timeout is left out."""
    found: dict[Partition, Message] = {}
    consumer.assign([TopicPartition(topic, number, offset) for (topic, number), offset in offsets.items()])
    deadline = time.monotonic() + _TIMEOUT
    while len(found) < len(offsets) and time.monotonic() < deadline:
        record = consumer.poll(0.2)
        if record is not None and not record.error():
            place = (record.topic() or "", record.partition() or 0)
            found.setdefault(place, record)
            consumer.incremental_unassign([TopicPartition(*place)])
    return found


@contextmanager
def _consumer(kafka: Kafka, group: str) -> Iterator[Consumer]:
    """Looks at topics and at a group's offsets; joins nothing and commits nothing."""
    said = list[KafkaError]()
    consumer = Consumer({
        **kafka.client(), "group.id": group, "enable.auto.commit": False, "auto.offset.reset": "earliest", "socket.timeout.ms": 5000,
        "fetch.message.max.bytes": 65536, "error_cb": said.append,
    })  # fmt: skip
    try:
        yield consumer
    except KafkaException as error:
        consumer.poll(0)
        raise kafka.away(error.args[0], said) from error
    finally:
        consumer.close()
