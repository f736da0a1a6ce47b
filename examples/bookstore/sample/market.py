"""Keeps clerks trading at a rate until they are told to stop, over restarts of the databases, and says how it goes."""

import logging
import math
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from random import Random
from threading import Event
from time import monotonic

import psycopg
from tenacity import Retrying, before_sleep_log, retry_if_exception_type, sleep_using_event, stop_when_event_set, wait_exponential

import shop
from project.environment import Environment
from trade import Clerk

log = logging.getLogger("bookstore")
# What one connection does comfortably; faster trade is shared among clerks, whose commits the server groups.
_CLERK_RATE = 100  # transactions per second
_MOST_CLERKS = 16
_REPORT_SECONDS = 60


class Market:
    """`rate` is in transactions per second, all clerks and both databases together."""

    def __init__(self, environment: Environment, rate: float) -> None:
        self._environment = environment
        self._clerks = min(_MOST_CLERKS, math.ceil(rate / _CLERK_RATE))
        self._rate = rate / self._clerks
        self._closed = Event()
        self._done = [Counter[str]() for _ in range(self._clerks)]

    def close(self) -> None:
        """Let every clerk finish what it is doing, and begin nothing new."""
        self._closed.set()

    def trade(self, seconds: float | None = None) -> None:
        """Return after `seconds`, or when closed; raises what a clerk cannot get over."""
        with ThreadPoolExecutor(self._clerks) as pool:
            clerks = [pool.submit(self._work, number) for number in range(self._clerks)]
            for clerk in clerks:
                clerk.add_done_callback(lambda _: self.close())
            self._report_until(math.inf if seconds is None else monotonic() + seconds)
            self.close()
        for clerk in clerks:
            clerk.result()

    def _work(self, number: int) -> None:
        """Serve; after a lost connection, serve again as soon as the database is back."""
        Retrying(
            retry=retry_if_exception_type((psycopg.OperationalError, psycopg.InterfaceError)),
            wait=wait_exponential(0.2, max=5),
            sleep=sleep_using_event(self._closed),
            stop=stop_when_event_set(self._closed),
            before_sleep=before_sleep_log(log, logging.WARNING),
            retry_error_callback=lambda state: None,
        )(self._serve, number)

    def _serve(self, number: int) -> None:
        with shop.connect(self._environment, "ecom") as ecom, shop.connect(self._environment, "inventory") as inventory:
            clerk = Clerk(ecom, inventory, Random(), self._done[number])  # noqa: S311 - a sample, not a secret
            clerk.look_around(number, self._clerks)
            due = monotonic()
            while not self._closed.wait(max(0.0, due - monotonic())):
                before = clerk.done.total()
                clerk.act()
                # Time lost to a slow database is not caught up with a burst.
                due = max(due + (clerk.done.total() - before) / self._rate, monotonic() - 1)

    def _report_until(self, end: float) -> None:
        reported, since = Counter[str](), monotonic()
        while not self._closed.wait(max(0.0, min(_REPORT_SECONDS, end - monotonic()))):
            reported, since = self._report(reported, since)
            if monotonic() >= end:
                return
        self._report(reported, since)

    def _report(self, reported: Counter[str], since: float) -> tuple[Counter[str], float]:
        now, done = monotonic(), sum((clerk.copy() for clerk in self._done), Counter[str]())
        new = done - reported
        what = ", ".join(f"{name} {count}" for name, count in new.most_common())
        log.info("%d transactions in %.0f s, %.1f/s: %s", new.total(), now - since, new.total() / max(now - since, 0.001), what or "none")
        return done, now
