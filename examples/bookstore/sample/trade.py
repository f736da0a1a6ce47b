"""Trade that goes on: customers order, pay, wait, change their minds; the warehouse ships and restocks; prices move.

An order and its items are one transaction, and a total is always the sum of its items. The shop and the warehouse are
two databases, so a reservation is a transaction of its own, made before the order, as in a real shop.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from random import Random
from typing import LiteralString
from uuid import UUID, uuid4

import psycopg
from psycopg.rows import class_row

import changes
from catalogue import Book, new_book
from history import customer, pick_books, quantity

_OPEN_ORDERS = 20  # per clerk; with fewer, placing orders comes before moving them on
_NEXT = {"PENDING": "CONFIRMED", "CONFIRMED": "SHIPPED", "SHIPPED": "DELIVERED"}


@dataclass
class OpenOrder:
    id: UUID
    status: str
    copies: dict[UUID, int]  # of each book


@dataclass
class Clerk:
    """Trades over one connection to each database. Several clerks never touch the same order."""

    ecom: psycopg.Connection
    inventory: psycopg.Connection
    rng: Random
    done: Counter[str]  # transactions, by what they did
    books: list[Book] = field(default_factory=list[Book])
    orders: list[OpenOrder] = field(default_factory=list[OpenOrder])

    def look_around(self, number: int, clerks: int) -> None:
        """Learn what is on offer and which open orders are this clerk's."""
        self._read_books()
        rows = self.ecom.execute(changes.OPEN_ORDERS, {"clerks": clerks, "number": number}).fetchall()
        self.orders = [OpenOrder(order, status, {UUID(book): copies for book, copies in items.items()}) for order, status, items in rows]

    def act(self) -> None:
        """One small piece of business: a handful of transactions at most."""
        [action] = self.rng.choices(list(_ACTIONS), list(_ACTIONS.values()))
        action(self)

    def place(self) -> None:
        wanted = [(book, quantity(self.rng)) for book in pick_books(self.rng, self.books)]
        held = [(book, copies) for book, copies in wanted if self._stock("reserved", changes.RESERVE, book.id, copies)]
        if not held:
            return self.restock()
        order = OpenOrder(uuid4(), "PENDING", {book.id: copies for book, copies in held})
        self._shop(
            "ordered",
            changes.PLACE,
            id=order.id,
            user_id=customer(self.rng),
            total=sum((book.price * copies for book, copies in held), Decimal(0)),
            books=list(order.copies),
            quantities=list(order.copies.values()),
            prices=[book.price for book, _ in held],
        )
        self.orders.append(order)

    def move_on(self) -> None:
        """Pay, ship or deliver."""
        if len(self.orders) < _OPEN_ORDERS:
            return self.place()
        order = self._any_order()
        status = _NEXT[order.status]
        if not self._shop(status.lower(), changes.MOVE_ON, id=order.id, found=order.status, status=status):
            return  # somebody else has changed or deleted it
        if status == "SHIPPED":
            for book, copies in order.copies.items():
                self._stock("took out", changes.TAKE_OUT, book, copies)
        order.status = status
        if status != "DELIVERED":
            self.orders.append(order)

    def cancel(self) -> None:
        self._give_up("cancelled", changes.CANCEL)

    def abandon(self) -> None:
        """The customer never paid: the order is deleted, and its items with it."""
        self._give_up("deleted", changes.ABANDON)

    def fill_cart(self) -> None:
        self._shop("filled carts", changes.FILL_CART, user_id=customer(self.rng), book=self.rng.choice(self.books).id)

    def empty_cart(self) -> None:
        self._shop("emptied carts", changes.EMPTY_CART, user_id=customer(self.rng))

    def restock(self) -> None:
        self.inventory.execute(changes.RESTOCK, {"copies": self.rng.randint(10, 40)})
        self.done["restocked"] += 1

    def reprice(self) -> None:
        place = self.rng.randrange(len(self.books))
        book = self.books[place]
        price = max(Decimal("4.99"), (book.price * Decimal(self.rng.uniform(0.93, 1.07))).quantize(Decimal("0.01")))
        self._shop("repriced", changes.REPRICE, id=book.id, price=price)
        self.books[place] = book._replace(price=price)

    def publish(self) -> None:
        """Offer a new book, unless there are many already."""
        book = new_book(self.rng, datetime.now(UTC).year)
        if self._shop("published", changes.PUBLISH, **book._asdict()):
            self._stock("stocked", changes.STOCK, book.id, self.rng.randint(5, 60))
        self._read_books()

    def _give_up(self, name: str, change: LiteralString) -> None:
        if not self.orders:
            return self.place()
        order = self._any_order()
        if order.status == "SHIPPED":
            self.orders.append(order)
        elif self._shop(name, change, id=order.id):
            for book, copies in order.copies.items():
                self._stock("released", changes.RELEASE, book, copies)

    def _any_order(self) -> OpenOrder:
        return self.orders.pop(self.rng.randrange(len(self.orders)))

    def _read_books(self) -> None:
        with self.ecom.cursor(row_factory=class_row(Book)) as cursor:
            self.books = cursor.execute(changes.BOOKS).fetchall()

    def _shop(self, name: str, change: LiteralString, **values: object) -> bool:
        return self._count(name, self.ecom.execute(change, values))

    def _stock(self, name: str, change: LiteralString, book: UUID, copies: int) -> bool:
        return self._count(name, self.inventory.execute(change, {"book": book, "copies": copies}))

    def _count(self, name: str, cursor: psycopg.Cursor) -> bool:
        """Whether something changed; only that is counted."""
        self.done[name] += bool(cursor.rowcount)
        return bool(cursor.rowcount)


# Of 1,000 actions. A delivery takes three moves, so about three times as many moves as orders keep the shop in balance.
_ACTIONS = {
    Clerk.place: 220,
    Clerk.move_on: 560,
    Clerk.cancel: 20,
    Clerk.abandon: 20,
    Clerk.fill_cart: 80,
    Clerk.empty_cart: 40,
    Clerk.restock: 40,
    Clerk.reprice: 17,
    Clerk.publish: 3,
}
