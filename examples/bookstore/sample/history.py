"""Orders of the months before today, so that the dashboards have something to show from the first minute."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import NamedTuple
from uuid import UUID

from catalogue import Book

DAYS = 120
_SEED = 20
_CUSTOMERS = 300
# Orders of a day: Monday to Sunday.
_WEEK = (10, 9, 10, 11, 14, 18, 15)


class Item(NamedTuple):
    id: UUID
    book_id: UUID
    quantity: int
    price: Decimal


class Order(NamedTuple):
    id: UUID
    user_id: UUID
    status: str
    created_at: datetime
    items: tuple[Item, ...]

    @property
    def total(self) -> Decimal:
        return sum((item.quantity * item.price for item in self.items), Decimal(0))


def past_orders(books: list[Book], now: datetime) -> Iterator[Order]:
    """Orders of the last DAYS days up to now, oldest first; the same ones for the same day."""
    rng = Random(_SEED)  # noqa: S311 - a sample, not a secret
    first = datetime.combine(now.date() - timedelta(days=DAYS), time(), UTC)
    for day in range(DAYS + 1):
        midnight = first + timedelta(days=day)
        growth = 0.7 + 0.6 * day / DAYS
        moments = sorted(midnight + timedelta(seconds=_second_of_day(rng)) for _ in range(_order_count(rng, midnight, growth)))
        for moment in moments:
            order = _order(rng, books, moment, now)
            if moment < now:
                yield order


def customer(rng: Random) -> UUID:
    """One of the shop's customers; a few of them order most."""
    return UUID(int=1 + int(_CUSTOMERS * rng.random() ** 2), version=4)


def pick_books(rng: Random, books: list[Book]) -> list[Book]:
    """What one customer puts in an order: mostly one book, earlier books being better known."""
    wanted = rng.choices((1, 2, 3), (6, 3, 1))[0]
    weights = [1 / (place + 2) for place in range(len(books))]
    return list(dict.fromkeys(rng.choices(books, weights, k=wanted)))


def quantity(rng: Random) -> int:
    return rng.choices((1, 2, 3, 5), (80, 14, 4, 2))[0]


def _order_count(rng: Random, day: datetime, growth: float) -> int:
    return max(1, round(rng.gauss(_WEEK[day.weekday()] * growth, 2)))


def _second_of_day(rng: Random) -> int:
    return min(int(rng.triangular(0, 86_400, 68_000)), 86_399)


def _order(rng: Random, books: list[Book], moment: datetime, now: datetime) -> Order:
    items = tuple(
        Item(_identity(rng), book.id, quantity(rng), (book.price * rng.choice((Decimal("0.9"), 1, 1, 1))).quantize(Decimal("0.01")))
        for book in pick_books(rng, books)
    )
    settled = "DELIVERED" if now - moment > timedelta(days=4) else "SHIPPED"
    return Order(_identity(rng), customer(rng), "CANCELLED" if rng.random() < 0.06 else settled, moment, items)


def _identity(rng: Random) -> UUID:
    return UUID(int=rng.getrandbits(128), version=4)
