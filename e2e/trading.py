"""Customers whose orders are placed, changed and cancelled while something breaks."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from random import Random
from typing import LiteralString
from uuid import UUID, uuid4

import psycopg

Change = tuple[UUID, tuple[str, Decimal] | None]  # of an order: its status and total from then on; None: it is gone


class Trade:
    """Orders of one customer that are placed, changed and cancelled as fast as they go, through any loss of the connection."""

    def __init__(self, opener: Callable[[], psycopg.Connection], rng: Random) -> None:
        self.customer, self.done, self._rng = uuid4(), 0, rng
        self.committed: list[Change] = []  # what the source has certainly taken
        self._open, self._orders, self._stopped = opener, list[UUID](), threading.Event()

    def run(self) -> None:
        while not self._stopped.is_set():
            # A statement that was prepared before a column became another is refused from then on.
            with suppress(psycopg.OperationalError, psycopg.errors.FeatureNotSupported), self._open() as shop:
                while not self._stopped.is_set():
                    self._change(shop)
                    self.done += 1

    def stop(self) -> None:
        self._stopped.set()

    def _change(self, shop: psycopg.Connection) -> None:
        self._orders.append(uuid4())
        some = self._rng.choice
        with shop.transaction():
            changes = self._apply(shop, "insert into orders (id, user_id, total, status) values (%s, %s, %s, 'PENDING')",
                                  self._orders[-1], self.customer, self.done)  # fmt: skip
            changes += self._apply(shop, "update orders set status = 'SHIPPED', total = total + 0.01 where id = %s", some(self._orders))
            if self.done % 5 == 0:
                changes += self._apply(shop, "delete from orders where id = %s", some(self._orders))
        self.committed += changes
        self._stopped.wait(0.005)

    def _apply(self, shop: psycopg.Connection, statement: LiteralString, *values: object) -> list[Change]:
        rows = shop.execute(f"{statement} returning id, status, total", values).fetchall()
        return [(order, None if statement.startswith("delete") else (status, total)) for order, status, total in rows]


@contextmanager
def trading(opener: Callable[[], psycopg.Connection], rng: Random) -> Iterator[Trade]:
    """`rng` decides which orders change; it is the trade's alone, which runs beside the caller."""
    trade = Trade(opener, rng)
    thread = threading.Thread(target=trade.run, daemon=True)
    thread.start()
    try:
        yield trade
    finally:
        trade.stop()
        thread.join(30)


def orders(opener: Callable[[], psycopg.Connection], table: str, customer: UUID) -> set[tuple[object, ...]] | None:
    """The customer's orders; None while the database is away."""
    with suppress(psycopg.OperationalError), opener() as database:
        return set(database.execute(f"select id, total, status from {table} where user_id = %s".encode(), [customer]).fetchall())
    return None


def forget(opener: Callable[[], psycopg.Connection], customer: UUID) -> None:
    """Remove the customer's orders, which have no items: a shop without them adds up."""
    with opener() as shop:
        shop.execute("delete from orders where user_id = %s", [customer])
