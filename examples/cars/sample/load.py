"""A load: virtual users write for a while, then it is told what became of every event."""

import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from time import monotonic

from accounts import Account
from latency import Arrivals, Capture, consumers
from project.environment import Environment
from project.models import Project
from writing import Load, Writers

PATIENCE = 60.0  # seconds without anything new after which what is missing does not come any more
_REACHED = 0.95  # of the rate that was asked for
_GROWS = 1.05  # by so much from one step to the next, or the end is reached
_TICK = 0.1  # seconds
LATE = 5000.0  # milliseconds within which an address is to answer
MODES = {
    "smoke": (Load(1, 60, transactions=5),),
    "full": (Load(10, 120), Load(50, 120), Load(100, 120), Load(200, 300)),
    "saturation": tuple(Load(users, 120) for users in (10, 50, 100, 200, 500, 1000, 2000)),
}
Show = Callable[[Load, float, int], None]  # a load, for how many seconds it runs, how many events it has written


@dataclass(frozen=True)
class Outcome:
    """Of one load: `rate` in events per second, `behind` in seconds from the last commit to the last event that came."""

    load: Load
    seconds: float
    rate: float
    behind: float
    accounts: tuple[Account, ...]  # the raw topic's first
    waited: tuple[float, ...]  # for the return of each commit or answer, in milliseconds, the shortest first
    not_taken: tuple[str, ...]  # the reason of each event that its address did not take

    @property
    def shortcomings(self) -> list[str]:
        """What was asked for and not reached, in words."""
        slow = self.load.rate is not None and self.rate < _REACHED * self.load.rate
        said = [f"wrote {self.rate:,.0f} events/s of the {self.load.rate:,.0f} that were asked for"] if slow else []
        missing = [f"{one.missing:,} of {one.expected:,} events did not come to {one.topic}" for one in self.accounts if one.missing]
        if self.not_taken:
            said.append(f"events that were not taken: {len(self.not_taken):,}; of one, {self.not_taken[0]}")
        if late := sum(one > LATE for one in self.waited) if self.load.address else 0:
            said.append(f"answers that took more than {LATE / 1000:.0f} s: {late:,}")
        return [*said, *(f"{one}; nothing more came for {PATIENCE:.0f} s" for one in missing)]


class Course:
    """Loads, one after the other, on the platform that an environment describes."""

    def __init__(self, environment: Environment, project: Project, show: Show) -> None:
        self._kafka, self._project, self._show = environment.kafka, project, show
        [self._stream] = [stream for stream in project.streams.values() if stream.filters]

    def run(self, loads: Sequence[Load], until_saturated: bool = False) -> Iterator[Outcome]:
        """Each load's outcome when it is over. Stops early on SIGTERM and Ctrl-C, and where the rate no longer grows if so asked."""
        rates = list[float]()
        with Writers() as writers:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda number, _: _stop(writers, number))
            for load in loads:
                yield (outcome := self._run(writers, load))
                rates.append(outcome.rate)
                if writers.stopped or (until_saturated and saturated(rates)):
                    return

    def _run(self, writers: Writers, load: Load) -> Outcome:
        with consumers(self._kafka, 2) as (reader, raw):
            topics = self._project.written_topics(self._stream)
            arrivals, capture, before = Arrivals(reader, topics), Capture(raw, self._project, self._stream), writers.count
            running, begun, shown = writers.start(load), monotonic(), 0.0
            while not all(one.done() for one in running):
                arrivals.take(_TICK)
                if monotonic() - shown > _TICK:
                    self._show(load, (shown := monotonic()) - begun, writers.count - before)
            parts = [one.result() for one in running]
            committed = {uuid: at for part in parts for uuid, at in part.committed.items()}
            captured, wanted = capture.judge(committed, arrivals, PATIENCE)
            arrivals.wait(wanted, PATIENCE)
            accounts = captured, *(arrivals.account(topic, wanted[topic], committed) for topic in topics)
            seconds = max(part.ended for part in parts) - min(part.begun for part in parts)
            behind = max(0.0, arrivals.latest(committed) - max(committed.values(), default=0.0))
            waited = tuple(sorted(one for part in parts for one in part.waited))
            refused = tuple(why for part in parts for why in part.not_taken)
            return Outcome(load, seconds, len(committed) / seconds, behind, accounts, waited, refused)


def saturated(rates: Sequence[float]) -> bool:
    """Whether the last of them is hardly more than the best before it."""
    return len(rates) > 1 and rates[-1] < _GROWS * max(rates[:-1])


def _stop(writers: Writers, number: int) -> None:
    writers.stop()
    signal.signal(number, signal.default_int_handler)  # who asks twice does not want to know what became of the events
