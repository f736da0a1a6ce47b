"""The trend of a partition on series as they are seen: a look every 5 s, commits at each checkpoint."""

import pytest

from cdc.lag_trend import Observation, Trend, Trends, judge_trend


def series(*points: tuple[int | None, int]) -> list[Observation]:
    """(committed, end) every 5 seconds."""
    return [Observation(1000.0 + 5 * number, committed, end) for number, (committed, end) in enumerate(points)]


SERIES = {
    "caught up at every look": (series((10, 10), (20, 20), (30, 30), (40, 40), (50, 50), (60, 60)), Trend.OK),
    "idle partition": (series(*[(10, 10)] * 8), Trend.OK),
    "saw-tooth of the checkpoints under steady load": (
        series((100, 480), (500, 910), (1000, 1350), (1500, 1890), (2000, 2340), (2500, 2900), (3000, 3410)), Trend.OK,
    ),
    "catching up after an outage": (series((0, 9000), (1000, 9100), (2500, 9200), (4000, 9300), (6000, 9400), (8000, 9500)), Trend.OK),
    "reads slower than is written": (
        series((100, 1000), (200, 3000), (300, 5000), (400, 7000), (500, 9000), (600, 11000), (700, 25000)), Trend.WARN,
    ),
    "same offset with records to read": (series((100, 110), (100, 150), (100, 190), (100, 230), (100, 270), (100, 310)), Trend.STALL),
    "one record that cannot be read": (series(*[(100, 101)] * 8), Trend.STALL),
    "set back by hand": (series((100, 100), (200, 200), (300, 300), (0, 310), (0, 320), (0, 330)), Trend.REWIND),
    "set back and recovered": (series((100, 100), (200, 200), (300, 300), (50, 310), (200, 320), (330, 330)), Trend.OK),
    "never committed": (series(*[(None, 500)] * 8), Trend.UNKNOWN),
    "lost its commits": (series((100, 100), (100, 100), (None, 100)), Trend.UNKNOWN),
    "first commit just came": (series((None, 500), (None, 510), (510, 510)), Trend.OK),
    "behind, and watched too briefly": (series((100, 500), (100, 600)), Trend.UNKNOWN),
}  # fmt: skip


@pytest.mark.parametrize("name", SERIES)
def test_a_series_has_its_trend(name: str):
    window, trend = SERIES[name]
    assert judge_trend(window) is trend


def test_no_commit_in_the_whole_window_is_a_stop():
    stuck = series(*[(100, 300)] * 8)
    assert judge_trend(stuck, last_commit=stuck[0].at - 60) is Trend.STOP
    assert judge_trend(stuck, last_commit=stuck[-1].at) is Trend.STALL


def test_what_was_seen_before_the_clock_was_set_back_says_nothing():
    trends, stuck = Trends(), series(*[(100, 300)] * 8)
    trends.add("group", ("topic", 0), Observation(8200.0, 100, 100))
    assert [trends.add("group", ("topic", 0), one) for one in stuck][-1] is Trend.STALL
