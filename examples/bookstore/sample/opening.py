"""The opening of the shop: its databases, its first books, their stock, and the orders of the months before."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from psycopg import sql

import shop
from catalogue import OPENING_STOCK, opening_books
from history import past_orders
from project.environment import Environment


def prepare(environment: Environment) -> None:
    """Make what is missing; what is there already, traded or not, stays as it is."""
    for source in ("ecom", "inventory"):
        _create_database(environment, source)
        with shop.connect(environment, source) as connection, connection.transaction():
            connection.execute(Path(__file__).with_name(f"{source}.sql").read_bytes())
            _FILL[source](connection)


def _create_database(environment: Environment, source: str) -> None:
    database = shop.name(environment, source)
    with shop.connect(environment, source, "postgres") as connection:
        if not connection.execute("select from pg_database where datname = %s", [database]).rowcount:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(database)))


def _fill_ecom(connection: psycopg.Connection) -> None:
    if connection.execute("select from books limit 1").rowcount:
        return
    now = datetime.now(UTC)
    books = opening_books()
    orders = list(past_orders(books, now))
    _copy(connection, "books", books[0]._fields, books)
    _copy(connection, "orders", ("id", "user_id", "status", "created_at", "total"), ((*order[:4], order.total) for order in orders))
    items = ((item.id, order.id, *item[1:]) for order in orders for item in order.items)
    _copy(connection, "order_items", ("id", "order_id", "book_id", "quantity", "price_at_purchase"), items)


def _fill_inventory(connection: psycopg.Connection) -> None:
    if not connection.execute("select from inventory limit 1").rowcount:
        _copy(connection, "inventory", ("book_id", "quantity", "reserved"), ((book.id, OPENING_STOCK, 0) for book in opening_books()))


_FILL = {"ecom": _fill_ecom, "inventory": _fill_inventory}


def _copy(connection: psycopg.Connection, table: str, columns: Iterable[str], rows: Iterable[tuple[object, ...]]) -> None:
    statement = sql.SQL("copy {} ({}) from stdin").format(sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns)))
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
