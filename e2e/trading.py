"""Customers whose orders are placed, changed and cancelled while something breaks."""

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from uuid import UUID, uuid4

import psycopg


class Trade:
    """Orders of one customer that are placed, changed and cancelled as fast as they go, through any loss of the connection."""

    def __init__(self, opener: Callable[[], psycopg.Connection]) -> None:
        self.customer, self.done = uuid4(), 0
        self._open, self._orders, self._stopped = opener, list[UUID](), threading.Event()

    def run(self) -> None:
        while not self._stopped.is_set():
            with suppress(psycopg.OperationalError), self._open() as shop:
                while not self._stopped.is_set():
                    self._change(shop)
                    self.done += 1

    def stop(self) -> None:
        self._stopped.set()

    def _change(self, shop: psycopg.Connection) -> None:
        with shop.transaction():
            self._orders.append(uuid4())
            shop.execute(
                "insert into orders (id, user_id, total, status) values (%s, %s, %s, 'PENDING')",
                [self._orders[-1], self.customer, self.done],
            )
            shop.execute("update orders set status = 'SHIPPED', total = total + 0.01 where id = %s", [random.choice(self._orders)])
            if self.done % 5 == 0:
                shop.execute("delete from orders where id = %s", [random.choice(self._orders)])
        self._stopped.wait(0.005)


@contextmanager
def trading(opener: Callable[[], psycopg.Connection]) -> Iterator[Trade]:
    trade = Trade(opener)
    thread = threading.Thread(target=trade.run, daemon=True)
    thread.start()
    try:
        yield trade
    finally:
        trade.stop()
        thread.join(30)
