"""The loop of a consumer that loses no event: what it has handled it commits, and never before.

An event that no try can handle is set aside, one that a later try may handle is tried again while all behind it waits, and anything
else ends the consumer where it stands. After a failure, or when partitions move to another member of its group, some events come
twice: at least once, and those of one key in their order.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import Any, Protocol

from confluent_kafka import OFFSET_BEGINNING, OFFSET_INVALID, Consumer, KafkaError, KafkaException, Message, TopicPartition
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_when_event_set, wait_exponential

from consumers.ending import Ended, Refusals
from consumers.events import Decoder, Poison, Received, Retriable, json_text, received

log = logging.getLogger("consumer")
_TOGETHER = 500  # events that are handled at once at most
_COMPANY = 0.02  # seconds for which an event waits for others: storing and committing each by itself costs twice the CPU
_LOOK = 0.5  # seconds for which the loop waits for an event before it looks whether it is to end
_TIMEOUT = 10.0  # seconds for one request
_TELLS = 60.0  # seconds between two lines that say how it goes
SESSION = 10.0  # seconds after which Kafka gives a silent member's partitions to others; a killed one's wait that long
# What a commit is answered when the partitions have moved: who has them now gets the events again.
_MOVED = (KafkaError.ILLEGAL_GENERATION, KafkaError.UNKNOWN_MEMBER_ID, KafkaError.REBALANCE_IN_PROGRESS, KafkaError.FENCED_INSTANCE_ID)
# And while Kafka is away, or only just back; it is committed later. Of a consumer's errors none says that it is `retriable`.
_PASSING = (
    KafkaError._TRANSPORT, KafkaError._TIMED_OUT, KafkaError._WAIT_COORD, KafkaError.REQUEST_TIMED_OUT,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS, KafkaError.COORDINATOR_NOT_AVAILABLE, KafkaError.NOT_COORDINATOR,
)  # fmt: skip


class Handler(Protocol):
    def handle(self, events: Sequence[Received]) -> None:
        """Take all of them, in their order, or none and raise Poison or Retriable. They may have come before."""
        ...

    def set_aside(self, event: Received, reason: str) -> None:
        """Keep an event that cannot be handled; may raise Retriable."""
        ...


@dataclass
class Counts:
    """What a consumer has done since it began."""

    received: int = 0
    handled: int = 0
    set_aside: int = 0
    tries_again: int = 0
    rebalances: int = 0

    def __str__(self) -> str:
        return (
            f"{self.received} events received, {self.handled} handled, {self.set_aside} set aside; "
            f"{self.tries_again} more tries, partitions moved {self.rebalances} times"
        )


@dataclass
class Loop:
    """Reads topics as a member of a consumer group, from their beginning if the group is new."""

    bootstrap_servers: str
    group: str
    topics: Sequence[str]
    handler: Handler
    settings: dict[str, Any] = field(default_factory=dict[str, Any])  # of Kafka's client, besides
    decoder: Decoder = json_text  # consumers.avro has one for topics in Avro
    counts: Counts = field(default_factory=Counts)

    def __post_init__(self) -> None:
        self._closed, self._held, self._waits, self._told = Event(), set[tuple[str, int]](), False, time.monotonic()
        self._refusals = Refusals()
        self._behind = dict[tuple[str, int], int]()  # what is handled and not committed yet

    def close(self) -> None:
        """Finish what is under way, commit it, leave the group. For a signal's handler."""
        self._closed.set()

    def run(self) -> None:
        """Return when closed; raises Ended."""
        self._client = Consumer({
            "bootstrap.servers": self.bootstrap_servers, "group.id": self.group, "enable.auto.commit": False,
            "auto.offset.reset": "error", "partition.assignment.strategy": "cooperative-sticky",
            "session.timeout.ms": round(SESSION * 1000), "max.poll.interval.ms": 300_000, "log_level": 0, **self.settings,
            "error_cb": self._say_error,
        })  # fmt: skip
        try:
            self._client.subscribe(list(self.topics), on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked)
            while not self._closed.is_set():
                if events := self._next():
                    self._keep(events)
                    held = (one for one in events if (one.topic, one.partition) in self._held)
                    self._behind |= {(one.topic, one.partition): one.offset + 1 for one in held}
                self._commit()
                self._tell()
        except KafkaException as error:
            raise Ended(f"Kafka refused group {self.group}: {error.args[0].str()}") from error
        finally:
            self._client.close()
            log.info("ended: %s", self.counts)

    def _say_error(self, error: KafkaError) -> None:
        log.warning("Kafka: %s", error.str())
        if not self._closed.is_set():
            self._refusals(error)

    def _next(self) -> list[Received]:
        first = self._client.poll(_LOOK)
        records = [] if first is None else [first, *self._client.consume(_TOGETHER - 1, _COMPANY)]
        events = [received(record, self.decoder) for record in records if self._is_good(record)]
        self.counts.received += len(events)
        return events

    def _is_good(self, record: Message) -> bool:
        error = record.error()
        if error is None:
            return True
        if error.code() == KafkaError._AUTO_OFFSET_RESET:
            place = f"{record.topic()}, partition {record.partition()}"
            said = f"group {self.group} cannot go on in {place}: what it has not read is gone, by retention or with its topic"
            raise Ended(f"{said}; `headrace apply` its consumer to go on with what is there")
        if error.fatal():
            raise Ended(f"Kafka's client cannot go on: {error.str()}; start the consumer again")
        log.warning("%s", error.str())
        return False

    def _keep(self, events: Sequence[Received]) -> None:
        """Handle all, but for those that nobody can handle."""
        try:
            self.counts.handled += self._patiently(self.handler.handle, events)
        except Poison as poison:
            if len(events) == 1:
                reason = str(poison)
                self.counts.set_aside += self._patiently(lambda these: self.handler.set_aside(these[0], reason), events)
                log.warning("%s is set aside: %s", events[0].place, poison)
                return
            half = len(events) // 2
            self._keep(events[:half])
            self._keep(events[half:])

    def _patiently(self, call: Callable[[Sequence[Received]], None], events: Sequence[Received]) -> int:
        """As often as it takes; how many were taken: of events whose partitions have moved meanwhile their new reader takes care."""
        attempts = Retrying(
            retry=retry_if_exception_type(Retriable), wait=wait_exponential(0.2, max=10), sleep=self._wait, before_sleep=self._say_retry,
            stop=stop_when_event_set(self._closed), retry_error_callback=lambda state: self._give_up(events),
        )  # fmt: skip
        return attempts(lambda: self._call(call, [one for one in events if (one.topic, one.partition) in self._held]))

    def _call(self, call: Callable[[Sequence[Received]], None], events: Sequence[Received]) -> int:
        try:
            if events:
                call(events)
            return len(events)
        except (Poison, Retriable, KafkaException, Ended):
            raise
        except Exception as error:
            places = events[0].place if len(events) == 1 else f"{events[0].place} to {events[-1].place}, {len(events)} events"
            said = f"{type(error).__name__} on {places}: {error}"
            raise Ended(f"{said}; nothing of it is committed: mend the consumer and start it again") from error

    def _give_up(self, events: Sequence[Received]) -> int:
        """Asked to end while tries failed: without these the rest must not be committed."""
        self._held -= {(one.topic, one.partition) for one in events}
        return 0

    def _say_retry(self, state: RetryCallState) -> None:
        self.counts.tries_again += 1
        log.warning("try %d failed: %s", state.attempt_number, state.outcome.exception() if state.outcome else "")

    def _wait(self, seconds: float) -> None:
        """Stays a member of the group meanwhile: who does not ask for events is taken for dead."""
        self._waits = True
        self._client.pause(self._client.assignment())
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0 and not self._closed.is_set():
            early = self._client.poll(min(left, _LOOK))
            if early is not None and self._is_good(early):
                self._client.seek(TopicPartition(early.topic() or "", early.partition() or 0, early.offset() or 0))
        self._waits = False
        self._client.resume(self._client.assignment())

    def _commit(self) -> None:
        places = [TopicPartition(*place, offset) for place, offset in self._behind.items()]
        try:
            if places:
                self._client.commit(offsets=places, asynchronous=False)
        except KafkaException as error:
            code = error.args[0].code()
            if code not in (*_MOVED, *_PASSING):
                raise
            log.warning("not committed: %s", error.args[0].str())
        else:
            if places:
                self._refusals.let_in()
            self._behind.clear()

    def _assigned(self, client: Consumer, partitions: list[TopicPartition]) -> None:
        self.counts.rebalances += bool(partitions)
        for one in client.committed(partitions, _TIMEOUT):
            start = OFFSET_BEGINNING if one.offset == OFFSET_INVALID else one.offset
            client.incremental_assign([TopicPartition(one.topic, one.partition, start)])
            if self._waits:
                client.pause([one])
            self._held.add((one.topic, one.partition))

    def _revoked(self, client: Consumer, partitions: list[TopicPartition]) -> None:
        self._held -= {(one.topic, one.partition) for one in partitions}
        for one in partitions:
            self._behind.pop((one.topic, one.partition), None)
        client.incremental_unassign(partitions)

    def _tell(self) -> None:
        if time.monotonic() - self._told > _TELLS:
            self._told = time.monotonic()
            log.info("%s", self.counts)
