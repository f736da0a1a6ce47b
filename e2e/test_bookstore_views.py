"""The shop that was worked out by hand, through the whole chain: rows in two sources become the figures of every view."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import yaml
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier, Placeholder

from analytics_sql.tests.golden_shop import GOLDEN, expected, identity, measure, read, rows
from e2e.conftest import ROOT, connect
from e2e.shops import Shop
from e2e.waiting import until
from project.environment import Environment
from project.loader import load_project
from project.models import Project

_ARRIVES = 60  # seconds
BOOKSTORE = ROOT / "examples" / "bookstore"


@dataclass
class GoldenShop:
    """The bookstore's own specs, applied under another name to databases of their own."""

    project: Project
    sources: dict[str, psycopg.Connection]
    analytics: psycopg.Connection

    def insert(self, table: str, row: dict[str, Any]) -> None:
        names, values = SQL(", ").join(map(Identifier, row)), SQL(", ").join(map(Placeholder, row))
        source = self.sources["inventory" if table == "inventory" else "ecom"]
        source.execute(SQL("insert into {} ({}) values ({})").format(Identifier(table), names, values), row)

    def views(self) -> dict[str, list[dict[str, Any]]]:
        return {view: self._ask(read(view)) for view in GOLDEN["views"]}

    def metric(self, name: str) -> str:
        return self._ask(measure(self.project, name))[0]["value"]

    def _ask(self, query: str) -> list[dict[str, Any]]:
        with self.analytics.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(query.encode()).fetchall()


@pytest.fixture
def shop(tmp_path: Path, environment: Environment) -> Iterator[GoldenShop]:
    name = f"golden-{uuid4().hex[:8]}"
    schema, place = name.replace("-", "_"), environment.analytics
    assert place.database
    with ExitStack() as stack:
        analytics = stack.enter_context(connect(place.host, place.port, place.database, place.admin))
        analytics.execute(SQL("set search_path to {}").format(Identifier(schema)))
        sources = {source: stack.enter_context(_source(environment, source, f"{schema}_{source}")) for source in ("ecom", "inventory")}
        _copy_specs(tmp_path, name, schema)
        applied = Shop(name, tmp_path, environment, sources["ecom"], analytics)
        golden = GoldenShop(load_project(tmp_path), sources, analytics)
        # Some rows are there when capture begins, the others come while it runs.
        later = [(table, row) for table, row in rows() if table in ("orders", "order_items")]
        for table, row in rows():
            if (table, row) not in later:
                golden.insert(table, row)
        try:
            applied.apply()
            for table, row in later:
                golden.insert(table, row)
            yield golden
        finally:
            shutil.rmtree(tmp_path / "views")  # a view goes when nothing that the specs name reads it
            applied.prune()


@contextmanager
def _source(environment: Environment, source: str, database: str) -> Iterator[psycopg.Connection]:
    """A database with the tables of the sample's, gone afterwards."""
    place, name = environment.source(source), Identifier(database)
    with connect(place.host, place.port, "postgres", place.admin) as admin:
        admin.execute(SQL("create database {}").format(name))
        try:
            with connect(place.host, place.port, database, place.admin) as connection:
                connection.execute((BOOKSTORE / "sample" / f"{source}.sql").read_bytes())
                yield connection
        finally:
            admin.execute(SQL("drop database {} with (force)").format(name))


def _copy_specs(folder: Path, name: str, schema: str) -> None:
    for part in ("sources", "streams", "views"):
        shutil.copytree(BOOKSTORE / part, folder / part)
    _edit(BOOKSTORE / "project.yaml", folder / "project.yaml", {"name": name, "schema": schema})
    for source in ("ecom", "inventory"):
        file = folder / "sources" / f"{source}.yaml"
        _edit(file, file, {"connector": f"{name}-{source}", "database": f"{schema}_{source}"})


def _edit(original: Path, copy: Path, changes: dict[str, str]) -> None:
    copy.write_text(yaml.safe_dump({**yaml.safe_load(original.read_text()), **changes}))


def test_every_figure_is_as_it_was_worked_out_by_hand(shop: GoldenShop):
    wanted = {view: expected(view) for view in GOLDEN["views"]}
    until(lambda: shop.views() == wanted or None, _ARRIVES, "all rows arrive")
    assert {name: shop.metric(name) for name in GOLDEN["metrics"]} == GOLDEN["metrics"]

    shop.insert("books", {"id": identity("B9"), "title": "Nine", "author": "Z", "genre": "Poetry", "price": "10.00"})
    until(lambda: "unknown" not in str(shop.views()), _ARRIVES, "the late book names the rows that had no name")
    assert {"author": "Z", "units_sold": "2", "revenue": "20.00"} in shop.views()["vw_revenue_by_author"]

    shop.sources["ecom"].execute("delete from orders where id = %s", [identity("O1")])
    until(lambda: shop.metric("vw_product_sales_volume.revenue_sum") == "30.00", _ARRIVES, "the deleted order's items leave")
    until(lambda: shop.metric("vw_sales_over_time.daily_revenue_sum") == "30.00", _ARRIVES, "the deleted order leaves")
    assert shop.metric("vw_order_status_distribution.order_count_sum") == "4"
