"""What an operator is told about a stream that is behind, and about who receives its events."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from cdc import lag as lags
from cdc.consumers import ConsumerBackend
from cdc.lag import Lag, LagReader, committed_at, judge_lag
from cdc.lag_trend import Observation, Trend
from project.environment import Kafka
from project.resources import Health, Resource, State, Unreachable

ORDERS, BOOKS = ("shop.public.orders", 0), ("shop.public.books", 1)


def lag(committed: int | None, end: int, seconds: float | None, first: int = 0) -> Lag:
    return Lag(first, Observation(1000.0, committed, end), seconds)


@pytest.mark.parametrize(
    ("seconds", "trend", "state", "says"),
    [
        (4, Trend.STALL, State.PASSED, "4 s behind"),  # one checkpoint explains it
        (40, Trend.OK, State.PASSED, "catching up"),
        (7200, Trend.OK, State.WARNING, "7200 s behind in shop.public.books, partition 1; it is catching up, and until then"),
        (40, Trend.UNKNOWN, State.UNKNOWN, "half a minute"),
        (40, Trend.WARN, State.WARNING, "falls further behind"),
        (90, Trend.WARN, State.FAILED, "falls further behind"),
        (90, Trend.STALL, State.FAILED, "reads nothing"),
        (90, Trend.STOP, State.FAILED, "stopped committing"),
        (0, Trend.REWIND, State.WARNING, "set back by hand"),
    ],
)
def test_the_worst_partition_speaks_for_the_stream(seconds: float, trend: Trend, state: State, says: str):
    health = judge_lag("shop", {ORDERS: lag(5, 5, 0), BOOKS: lag(5, 9, seconds)}, {ORDERS: Trend.OK, BOOKS: trend})
    assert health.state is state
    assert says in health.text


def test_a_stream_of_whose_topics_none_is_there_is_unknown():
    assert judge_lag("shop", {}, {}) == Health(State.UNKNOWN, "none of the topics of stream shop is there; look at their checks")


def test_a_stream_that_never_committed_is_unknown_not_zero():
    health = judge_lag("shop", {ORDERS: lag(None, 9, 500)}, {ORDERS: Trend.UNKNOWN})
    assert health.state is State.UNKNOWN
    assert "committed no offsets yet in shop.public.orders, partition 0" in health.text


def test_records_removed_before_they_were_read_are_a_gap():
    health = judge_lag("shop", {ORDERS: lag(5, 900, 90, first=700)}, {ORDERS: Trend.STALL})
    assert health.state is State.FAILED
    assert "retention has removed records that it has not read" in health.text


def test_unread_records_of_unknown_age_are_not_green():
    health = judge_lag("shop", {ORDERS: lag(5, 5, 0), BOOKS: lag(5, 12_005, None)}, {ORDERS: Trend.OK, BOOKS: Trend.OK})
    assert (health.state, health.facts["lag_seconds"]) == (State.UNKNOWN, None)
    assert "how old the 12,000 unread records in shop.public.books, partition 1 are is not known" in health.text


def test_a_partition_of_unknown_age_hides_no_failure():
    health = judge_lag("shop", {ORDERS: lag(5, 9, 90), BOOKS: lag(5, 9, None)}, {ORDERS: Trend.STALL, BOOKS: Trend.OK})
    assert health.state is State.FAILED


class Topics:
    """Kafka's side of one look: what it holds, and which records it gives."""

    def __init__(self, *given: Any, committed: int = 5) -> None:
        self._given, self._committed = [*given], committed

    def list_topics(self, timeout: float) -> Any:
        return SimpleNamespace(topics={topic: SimpleNamespace(partitions=[number]) for topic, number in (ORDERS, BOOKS)})

    def committed(self, wanted: list[Any], timeout: float) -> list[Any]:
        return [SimpleNamespace(topic=one.topic, partition=one.partition, offset=self._committed) for one in wanted]

    def get_watermark_offsets(self, place: Any, timeout: float) -> tuple[int, int]:
        return 0, 5 if place.topic == ORDERS[0] else 9

    def poll(self, timeout: float) -> Any:
        return self._given.pop() if self._given else None

    def assign(self, places: object) -> None: ...
    def incremental_unassign(self, places: object) -> None: ...
    def close(self) -> None: ...


def record(value: bytes | None, *headers: tuple[str, bytes], topic: str = BOOKS[0], number: int = BOOKS[1]) -> Any:
    return SimpleNamespace(
        topic=lambda: topic, partition=lambda: number, error=lambda: None, value=lambda: value, headers=lambda: [*headers],
        timestamp=lambda: (1, 2_000_000),
    )  # fmt: skip


def change(said: object) -> bytes:
    return json.dumps({"before": None, "after": {"id": 1}, "source": {"ts_ms": said}, "op": "c", "ts_ms": 3_000_000}).encode()


@pytest.mark.parametrize(
    ("one", "seconds"),
    [
        (record(change(1_000_000)), 1000),
        (record(b'{"source": {"ts_ms": 5}}', ("__source_ts_ms", b"1000000")), 1000),  # an event says what it likes
        (record(change(0)), 2000),
        (record(change(10**400)), 2000),
        (record(b'{"source": {"ts_ms": 1e999}}'), 2000),
        (record(b"[" * 100_000), 2000),
        (record(b"\xff"), 2000),
        (record(b"[]"), 2000),
        (record(None), 2000),
    ],
)
def test_a_change_is_as_old_as_its_commit_and_what_is_none_as_kafka_has_it(one: Any, seconds: int):
    assert committed_at(one) == seconds


def reader(monkeypatch: pytest.MonkeyPatch, *given: Any) -> LagReader:
    monkeypatch.setattr(lags, "Consumer", lambda _: Topics(*given))
    monkeypatch.setattr(lags, "_TIMEOUT", 0.0 if not given else 5.0)
    monkeypatch.setattr(lags.time, "time", lambda: 8200.0)
    monkeypatch.setattr(LagReader, "_reads", lambda self, stream: ("shop.shop", [ORDERS[0], BOOKS[0]]))
    return LagReader(*[SimpleNamespace(kafka=Kafka(bootstrap_servers="kafka:9092"))] * 2)  # type: ignore[arg-type]


def test_the_oldest_unread_change_is_as_old_as_its_commit_though_kafka_got_it_late(monkeypatch: pytest.MonkeyPatch):
    assert reader(monkeypatch, record(change(1_000_000))).oldest("shop") == 7200


@pytest.mark.parametrize("ahead", [7300, -60])
def test_a_change_is_as_old_as_it_is_though_the_clock_of_its_source_is_wrong(ahead: int, monkeypatch: pytest.MonkeyPatch):
    assert reader(monkeypatch, record(change((1000 + ahead) * 1000))).oldest("shop", ahead) == 7200


def test_a_record_that_does_not_come_is_not_fresh(monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(Unreachable, match="how old the 4 unread records in shop"):
        reader(monkeypatch).oldest("shop")
    assert reader(monkeypatch).read("shop").state is State.UNKNOWN


def test_two_streams_that_read_one_pulse_are_judged_apart(monkeypatch: pytest.MonkeyPatch):
    """One has read the partition to its end at each look, the other reads nothing of it."""
    read = reader(monkeypatch)
    monkeypatch.setattr(LagReader, "_reads", lambda self, stream: (stream, [ORDERS[0], BOOKS[0]]))
    stands, ages, found = {"read": 9, "stuck": 5}, [record(change(1_000_000))], dict[str, object]()
    monkeypatch.setattr(lags, "_TIMEOUT", 5.0)
    monkeypatch.setattr(lags, "Consumer", lambda said: Topics(*ages, committed=stands[said["group.id"]]))
    for second in range(8200, 8260, 10):
        monkeypatch.setattr(lags.time, "time", lambda second=second: float(second))
        found = {stream: read.read(stream).facts["trend"] for stream in stands}
    assert found == {"read": Trend.OK, "stuck": Trend.STALL}


@pytest.mark.parametrize(
    ("seconds", "state", "says"),
    [(40, State.PASSED, "40 s behind"), (7200, State.WARNING, "catching up"), (None, State.UNKNOWN, "is not known")],
)
def test_a_consumer_that_catches_up_is_not_green_while_it_is_late(
    seconds: float | None, state: State, says: str, monkeypatch: pytest.MonkeyPatch
):
    consumer: Any = object.__new__(ConsumerBackend)
    consumer._trends = SimpleNamespace(add=lambda *_: Trend.OK)
    monkeypatch.setattr(ConsumerBackend, "_members", lambda *_: 1)
    monkeypatch.setattr(ConsumerBackend, "_group", lambda *_: "shop.consumers.loans")
    monkeypatch.setattr(ConsumerBackend, "_said_left", lambda *_: None)
    monkeypatch.setattr(ConsumerBackend, "_lags", lambda *_: {BOOKS: lag(5, 9, seconds)})
    health = consumer.health(Resource("consumers", "consumer", "loans", {"topics": [BOOKS[0]]}))
    assert health.state is state
    assert says in health.text
    missing = consumer.health(Resource("consumers", "consumer", "loans", {"topics": [BOOKS[0], "gone"]}))
    assert (missing.state, missing.text) == (State.FAILED, "loans: there is no topic gone; apply topic/gone first")
