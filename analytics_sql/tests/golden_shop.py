"""The shop of examples/bookstore/sample/golden.yaml: its rows, and what every view and metric says of them."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml

from project.models import Project

GOLDEN = yaml.safe_load((Path(__file__).parents[2] / "examples" / "bookstore" / "sample" / "golden.yaml").read_text())


def identity(letter: str) -> str:
    """The UUID that a letter of the golden shop stands for."""
    return str(UUID(int=int(letter.encode().hex(), 16)))


def rows() -> Iterator[tuple[str, dict[str, Any]]]:
    """The shop's rows by the source table that they stand in."""
    numbers = count(1)
    for name, book in GOLDEN["books"].items():
        yield "books", {"id": identity(name), **book}
    for name, stock in GOLDEN["stock"].items():
        yield "inventory", {"book_id": identity(name), **stock}
    for name, order in GOLDEN["orders"].items():
        yield "orders", {"id": identity(name), "user_id": identity("U"), **{key: value for key, value in order.items() if key != "items"}}
        for book, quantity, price in order["items"]:
            item = {"order_id": identity(name), "book_id": identity(book), "quantity": quantity, "price_at_purchase": price}
            yield "order_items", {"id": str(UUID(int=next(numbers))), **item}


def read(view: str) -> str:
    """SQL for the columns that the golden shop tells of, as text."""
    columns = ", ".join(f"to_jsonb({name}) #>> '{{}}' as {name}" for name in GOLDEN["views"][view][0])
    return f"select {columns} from {view}"


def expected(view: str) -> list[dict[str, Any]]:
    """What `read` has to give."""
    return [row | ({"book_id": identity(row["book_id"])} if "book_id" in row else {}) for row in GOLDEN["views"][view]]


def measure(project: Project, name: str) -> str:
    """SQL for the `value` of a metric, such as "vw_sales_over_time.order_count_sum", with as many places as the golden shop tells."""
    view, _, metric = name.partition(".")
    places = len(GOLDEN["metrics"][name].partition(".")[2])
    return f"select round(({project.views[view].metrics[metric].expression})::numeric, {places})::text as value from {view}"
