"""Virtual users: each writes one transaction after the other, in processes of their own, over a bounded number of connections."""

import os
import signal
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from multiprocessing import get_context, parent_process
from multiprocessing.process import BaseProcess
from multiprocessing.sharedctypes import Synchronized
from random import Random
from threading import Thread
from time import monotonic, sleep, time
from types import TracebackType
from uuid import UUID

import requests

import dealership
from events import KINDS, Event
from project.environment import Environment
from sending import NotTaken, send
from sizes import sized
from trade import happen

MOST_CONNECTIONS = 64  # further users wait for one, as they would for an application's pool
_PROCESSES = os.cpu_count() or 1
_LONGEST_PAUSE = 0.1  # seconds after which a user looks whether it is over


@dataclass(frozen=True)
class Load:
    """What users write: for so many seconds, or so many transactions each."""

    users: int
    seconds: float
    size: int = 4096  # bytes of an event
    rate: float | None = None  # events per second of all users together; None: each as fast as it goes
    batch: int = 1  # events of one transaction
    transactions: int | None = None
    address: str | None = None  # of the ingestion that they send to; None: they write into the database

    @property
    def connections(self) -> int:
        return min(self.users, MOST_CONNECTIONS)

    @property
    def processes(self) -> int:
        return min(self.connections, _PROCESSES)


@dataclass(frozen=True)
class Written:
    """When each event's commit (or answer) returned, and when the users began and ended; in seconds since 1970."""

    begun: float
    ended: float
    committed: dict[UUID, float]
    waited: list[float]  # for each of these returns, in milliseconds
    not_taken: list[str]  # the reason of each event that its address did not take


class Writers:
    """The processes of the users, kept over several loads."""

    def __init__(self) -> None:
        context = get_context("spawn")  # a forked child would share the parent's clients of Kafka
        self._count, self._over = context.Value("q", 0), context.Value("b", 0)
        self._pool = ProcessPoolExecutor(_PROCESSES, context, initializer=_share, initargs=(self._count, self._over))

    def __enter__(self) -> "Writers":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
        self._pool.shutdown(cancel_futures=True)

    @property
    def count(self) -> int:
        """Events written so far, by all loads."""
        return self._count.value

    @property
    def stopped(self) -> bool:
        return bool(self._over.value)

    def stop(self) -> None:
        """Finish the transactions that are under way, and begin no more."""
        self._over.value = 1

    def start(self, load: Load) -> list[Future[Written]]:
        """One for each process."""
        return [self._pool.submit(_write, load, number) for number in range(load.processes)]


_written: "Synchronized[int]"
_stopped: "Synchronized[int]"


def _share(written: "Synchronized[int]", stopped: "Synchronized[int]") -> None:
    global _written, _stopped
    _written, _stopped = written, stopped
    for number in (signal.SIGINT, signal.SIGTERM):  # the parent tells them when it is over
        signal.signal(number, signal.SIG_IGN)
    Thread(target=_end_with, args=[parent_process()], daemon=True).start()


def _end_with(parent: BaseProcess) -> None:
    """Where the parent was killed, nobody goes on writing."""
    parent.join()
    os._exit(1)


def _write(load: Load, process: int) -> Written:
    """The part of one process: every so manieth connection."""
    environment, users = dealership.chosen_environment(), range(process, load.connections, load.processes)
    with ExitStack() as opened, ThreadPoolExecutor(len(users)) as threads:
        ways = [_way(load, environment, opened) for _ in users]
        whole = Written(time(), 0, {}, [], [])
        until = monotonic() + load.seconds
        for part in threads.map(lambda user, tell: _go_on(load, user, tell, until), users, ways):
            whole.committed.update(part.committed)
            whole.waited.extend(part.waited)
            whole.not_taken.extend(part.not_taken)
    return replace(whole, ended=time())


def _way(load: Load, environment: Environment, opened: ExitStack) -> Callable[[list[Event]], None]:
    """How a user tells of events; returns when they are kept."""
    if address := load.address:
        session = opened.enter_context(requests.Session())
        return lambda events: send(session, address, *events)
    connection = opened.enter_context(dealership.connect(environment))
    return lambda events: happen(connection, *events)


def _go_on(load: Load, user: int, tell: Callable[[list[Event]], None], until: float) -> Written:
    """Write until it is over. Who is late does not wait, and who was late at the end has written less."""
    rng, begun, done = Random(), monotonic(), 0  # noqa: S311 - trade, no secret
    told = Written(time(), 0, {}, [], [])
    pause = load.connections * load.batch / load.rate if load.rate else 0.0
    while load.transactions is None or done < load.transactions:
        if not _wait(min(until, begun + (user / load.connections + done) * pause)) or monotonic() >= until:
            break
        kinds = (KINDS[(user + done * load.batch + number) % len(KINDS)] for number in range(load.batch))
        events = [sized(kind(rng, datetime.now(UTC)), load.size, rng) for kind in kinds]
        asked, done = monotonic(), done + 1
        try:
            tell(events)
        except NotTaken as refused:
            told.not_taken.append(str(refused))
            _wait(monotonic() + _LONGEST_PAUSE)
            continue
        at = time()
        told.waited.append((monotonic() - asked) * 1000)
        told.committed.update((UUID(one.uuid), at) for one in events)
        with _written.get_lock():
            _written.value += len(events)
    return told


def _wait(due: float) -> bool:
    """Whether nobody stopped the load until then."""
    while not _stopped.value and (ahead := due - monotonic()) > 0:
        sleep(min(ahead, _LONGEST_PAUSE))
    return not _stopped.value
