"""Whether a consumer keeps up, judged by how its committed offsets move over a window, as Burrow does.

A fixed limit on lag is a false alarm on a busy topic and blind on a quiet one. Flink commits only when a checkpoint completes,
so the window spans several checkpoints, and lag that one checkpoint explains is none.
"""

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

CHECKPOINT = 5.0  # seconds between the commits of a job
WINDOW = 12 * CHECKPOINT  # seconds that are looked back
_LEAST = 5 * CHECKPOINT  # seconds below which a window says nothing yet


class Trend(StrEnum):
    OK = "ok"  # caught up at some time in the window, or catching up
    WARN = "warn"  # reads, but falls further behind
    STALL = "stall"  # commits, but the same offset, and there are records to read
    STOP = "stop"  # has not committed in the whole window
    REWIND = "rewind"  # went back and has not come forward again
    UNKNOWN = "unknown"  # has never committed, or was not watched for long enough


@dataclass(frozen=True)
class Observation:
    """One partition at one time."""

    at: float  # seconds since 1970
    committed: int | None  # the next offset that the group reads; None: it never committed
    end: int  # the offset that the next record gets

    @property
    def lag(self) -> int:
        """Records that are written and not yet committed as read."""
        return max(self.end - (self.committed or 0), 0)


def judge_trend(window: Sequence[Observation], last_commit: float | None = None) -> Trend:
    """The trend of a partition; observations oldest first. `last_commit` (seconds since 1970) is the group's, if anyone knows it."""
    known = [one for one in window if one.committed is not None]
    if not known or known[-1] is not window[-1]:
        return Trend.UNKNOWN
    first, last = known[0], known[-1]
    offsets = [one.committed for one in known if one.committed is not None]
    if offsets[-1] < max(offsets):
        return Trend.REWIND
    if any(one.lag == 0 for one in known):
        return Trend.OK
    if last.at - first.at < _LEAST:
        return Trend.UNKNOWN
    if last_commit is not None and last_commit < first.at:
        return Trend.STOP
    if offsets[-1] == offsets[0]:
        return Trend.STALL
    return Trend.WARN if _falls_behind(known) else Trend.OK


class Trends:
    """What was seen of partitions, as far back as a trend looks. Each group has its own place in a partition that several read."""

    def __init__(self) -> None:
        self._windows: dict[tuple[str, str, int], deque[Observation]] = defaultdict(deque)

    def add(self, group: str, partition: tuple[str, int], observation: Observation, last_commit: float | None = None) -> Trend:
        """The trend with one more observation."""
        window = self._windows[group, *partition]
        window.append(observation)
        while not 0 <= observation.at - window[0].at <= WINDOW:  # below 0 once the clock was set back
            window.popleft()
        return judge_trend(tuple(window), last_commit)


def _falls_behind(window: Sequence[Observation]) -> bool:
    """The lag never shrank, and is more than two checkpoints of records: half of that is the saw-tooth of the commits."""
    lags = [one.lag for one in window]
    rate = (window[-1].end - window[0].end) / (window[-1].at - window[0].at)
    return lags == sorted(lags) and lags[0] < lags[-1] > 2 * CHECKPOINT * rate
