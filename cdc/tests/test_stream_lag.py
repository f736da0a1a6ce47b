"""What an operator is told about a stream that is behind."""

import pytest

from cdc.lag import Lag, judge_lag
from cdc.lag_trend import Observation, Trend
from project.resources import State

ORDERS, BOOKS = ("shop.public.orders", 0), ("shop.public.books", 1)


def lag(committed: int | None, end: int, seconds: float, first: int = 0) -> Lag:
    return Lag(first, Observation(1000.0, committed, end), seconds)


@pytest.mark.parametrize(
    ("seconds", "trend", "state", "says"),
    [
        (4, Trend.STALL, State.PASSED, "4 s behind"),  # one checkpoint explains it
        (40, Trend.OK, State.PASSED, "catching up"),
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


def test_a_stream_that_never_committed_is_unknown_not_zero():
    health = judge_lag("shop", {ORDERS: lag(None, 9, 500)}, {ORDERS: Trend.UNKNOWN})
    assert health.state is State.UNKNOWN
    assert "committed no offsets yet in shop.public.orders, partition 0" in health.text


def test_records_removed_before_they_were_read_are_a_gap():
    health = judge_lag("shop", {ORDERS: lag(5, 900, 90, first=700)}, {ORDERS: Trend.STALL})
    assert health.state is State.FAILED
    assert "retention has removed records that it has not read" in health.text
