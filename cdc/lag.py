"""How far a stream is behind its topics: in records, in seconds, and by its trend."""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from confluent_kafka import OFFSET_INVALID, Consumer, KafkaException, TopicPartition

from cdc.lag_trend import CHECKPOINT, Observation, Trend, Trends
from cdc.names import pulse_topic
from project.environment import Environment
from project.models import Project
from project.resources import Health, State, Unreachable

Partition = tuple[str, int]  # topic, number
_TIMEOUT = 5.0  # seconds for one request
FRESH = 3 * CHECKPOINT  # seconds; records younger than this are no lag, whatever the trend
LATE = 60.0  # seconds from which analysts see stale data


@dataclass(frozen=True)
class Lag:
    """One partition now."""

    first: int  # the oldest offset that retention has left
    observation: Observation
    seconds: float  # age of the oldest unread record; 0 when all is read

    @property
    def is_whole(self) -> bool:
        """Whether there is a place to go on from, and everything behind it is still there."""
        committed = self.observation.committed
        return committed is not None and self.first <= committed <= self.observation.end


class LagReader:
    """Remembers what it has seen of each stream, so that it can tell a trend. One per process is enough."""

    def __init__(self, project: Project, environment: Environment) -> None:
        self._project, self._servers = project, environment.kafka.bootstrap_servers
        self._trends = Trends()

    def read(self, stream: str, last_commit: float | None = None) -> Health:
        """Health of a stream's reading. `last_commit` in seconds since 1970: its job's last completed checkpoint, if known."""
        try:
            found = self.lags(stream)
        except Unreachable as error:
            return Health(State.UNKNOWN, str(error))
        trends = {partition: self._trends.add(partition, lag.observation, last_commit) for partition, lag in found.items()}
        return judge_lag(stream, found, trends)

    def lags(self, stream: str) -> dict[Partition, Lag]:
        """Every partition that a stream reads; raises Unreachable."""
        return read_lag(self._servers, *self._reads(stream))

    def offsets(self, stream: str) -> dict[Partition, Observation]:
        """The same without times, which take longer to read; raises Unreachable."""
        group, topics = self._reads(stream)
        with _consumer(self._servers, group) as consumer:
            return {place: seen for place, (_, seen) in _observe(consumer, topics).items()}

    def _reads(self, stream: str) -> tuple[str, list[str]]:
        """The stream's group and its topics."""
        spec = self._project.streams[stream]
        source = self._project.sources[spec.source]
        return f"{self._project.name}.{stream}", [*source.topics(spec.tables), pulse_topic(source.connector)]


def judge_lag(stream: str, lags: Mapping[Partition, Lag], trends: Mapping[Partition, Trend]) -> Health:
    """The health of a stream is that of its worst partition."""
    partition, lag = max(lags.items(), key=lambda item: (trends[item[0]] is Trend.REWIND, item[1].seconds, item[1].observation.lag))
    trend, place = trends[partition], f"{partition[0]}, partition {partition[1]}"
    facts = {
        "lag_records": sum(one.observation.lag for one in lags.values()), "lag_seconds": round(lag.seconds, 1),
        "worst_partition": place, "trend": str(trend),
    }  # fmt: skip
    never = [f"{topic}, partition {number}" for (topic, number), one in lags.items() if one.observation.committed is None]
    if never:
        return Health(State.UNKNOWN, f"stream {stream} has committed no offsets yet in {never[0]}; look at the check of its job", facts)
    gaps = [f"{topic}, partition {number}" for (topic, number), one in lags.items() if (one.observation.committed or 0) < one.first]
    if gaps:
        text = f"stream {stream}: retention has removed records that it has not read, in {gaps[0]}; run `headrace reread` for its source"
        return Health(State.FAILED, text, facts)
    if trend is not Trend.REWIND and lag.seconds <= FRESH:
        return Health(State.PASSED, f"stream {stream} is {lag.seconds:.0f} s behind ({facts['lag_records']} records)", facts)
    state = State.PASSED if trend is Trend.OK else State.UNKNOWN if trend is Trend.UNKNOWN else State.WARNING
    if lag.seconds > LATE and trend in (Trend.STALL, Trend.STOP, Trend.WARN):
        state = State.FAILED
    return Health(state, f"stream {stream} is {lag.seconds:.0f} s behind in {place}; {_MEANINGS[trend]}", facts)


_MEANINGS = {
    Trend.OK: "it is catching up",
    Trend.WARN: "it reads, but falls further behind: look for what slows its job, first the analytics database",
    Trend.STALL: "it commits, but reads nothing: look at the check of its job",
    Trend.STOP: "it has stopped committing: look at the check of its job",
    Trend.REWIND: "its offsets were set back by hand: it reads again what it has read, which does no harm, and catches up",
    Trend.UNKNOWN: "the trend shows in half a minute",
}


def read_lag(bootstrap_servers: str, group: str, topics: Iterable[str]) -> dict[Partition, Lag]:
    """Every partition of existing topics; raises Unreachable."""
    with _consumer(bootstrap_servers, group) as consumer:
        seen = _observe(consumer, topics)
        now = time.time()
        unread = {place: max(found.committed or 0, first) for place, (first, found) in seen.items() if found.lag}
        times = _times(consumer, unread)
    return {place: Lag(first, found, max(now - times.get(place, now), 0.0)) for place, (first, found) in seen.items()}


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


def last_record_time(bootstrap_servers: str, topic: str) -> float | None:
    """When the newest record of a topic was written, in seconds since 1970; None if there is none. Raises Unreachable."""
    with _consumer(bootstrap_servers, "headrace-look") as consumer:
        found = consumer.list_topics(topic, _TIMEOUT).topics[topic]
        ends = {(topic, number): consumer.get_watermark_offsets(TopicPartition(topic, number), _TIMEOUT) for number in found.partitions}
        times = _times(consumer, {place: end - 1 for place, (first, end) in ends.items() if end > first})
    return max(times.values(), default=None)


def _times(consumer: Consumer, offsets: Mapping[Partition, int]) -> dict[Partition, float]:
    """The time of the record at each offset; what does not come within the timeout is left out."""
    found: dict[Partition, float] = {}
    consumer.assign([TopicPartition(topic, number, offset) for (topic, number), offset in offsets.items()])
    deadline = time.monotonic() + _TIMEOUT
    while len(found) < len(offsets) and time.monotonic() < deadline:
        record = consumer.poll(0.2)
        if record is not None and not record.error():
            place = (record.topic() or "", record.partition() or 0)
            found.setdefault(place, record.timestamp()[1] / 1000)
            consumer.incremental_unassign([TopicPartition(*place)])
    return found


@contextmanager
def _consumer(bootstrap_servers: str, group: str) -> Iterator[Consumer]:
    """Looks at topics and at a group's offsets; joins nothing and commits nothing."""
    consumer = Consumer({
        "bootstrap.servers": bootstrap_servers, "group.id": group, "enable.auto.commit": False, "auto.offset.reset": "earliest",
        "socket.timeout.ms": 5000, "fetch.message.max.bytes": 65536, "log_level": 0,
    })  # fmt: skip
    try:
        yield consumer
    except KafkaException as error:
        raise Unreachable(f"Kafka at {bootstrap_servers} does not answer: {error.args[0].str()}; start it, then try again") from error
    finally:
        consumer.close()
