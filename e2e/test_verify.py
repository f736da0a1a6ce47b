"""`headrace verify`: equal while both sides change, and whatever differs by its key."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests

from analytics_sql import comparison
from analytics_sql.comparison import Side
from cdc.connect import Connect
from cdc.health import states
from e2e.conftest import headrace
from e2e.shops import Shop, open_shop
from e2e.waiting import until
from orchestration import fencing, verifying
from orchestration.catalogue import build_catalogue
from orchestration.certificates import Certificate
from orchestration.definitions import build_definitions
from orchestration.verifying import verify
from project.environment import Environment
from project.models import Project
from project.resources import Refused

_ARRIVES = 60  # seconds
ORDERS = {"key": ["id"], "columns": {"id": "integer", "total": "numeric(10,2)", "status": "text"}}


@pytest.fixture(scope="module", autouse=True)
def began(platform: object) -> datetime:
    """When the first of these tests did, UTC."""
    return datetime.now(UTC).replace(tzinfo=None)


@pytest.fixture
def shop(tmp_path: Path, platform: object, environment: Environment) -> Iterator[Shop]:
    """A thousand orders that have arrived."""
    with open_shop(tmp_path, environment) as opened:
        opened.source.execute("create table orders (id integer primary key, total numeric(10, 2), status text)")
        opened.source.execute("insert into orders select n, n * 1.5, 'NEW' from generate_series(1, 1000) n")
        opened.declare({"orders": ORDERS})
        opened.apply()
        until(lambda: opened.rows("select count(*) from orders") == [(1000,)], _ARRIVES, "the orders arrive")
        until(lambda: opened.rows("select from pulse"), _ARRIVES, "the first pulse arrives")
        yield opened


def certificate(shop: Shop) -> Certificate:
    return verify(shop.catalogue(), "orders")


def test_what_differs_is_named_with_both_rows(shop: Shop):
    shop.rows("update orders set total = total + 1 where id = 7 returning id")
    shop.rows("delete from orders where id = 8 returning id")
    shop.rows("insert into orders (id, total, status) values (2000, 1, 'NEVER') returning id")
    done = headrace("verify", "orders", "-p", str(shop.folder), check=False)
    assert done.returncode == 1
    assert "3 rows differ" in done.stdout and "10.50" in done.stdout and "11.50" in done.stdout and "no such row" in done.stdout
    found = {difference.key: (difference.source, difference.analytics) for difference in certificate(shop).differences}
    assert found == {
        ("7",): ({"id": "7", "total": "10.50", "status": "NEW"}, {"id": "7", "total": "11.50", "status": "NEW"}),
        ("8",): ({"id": "8", "total": "12.00", "status": "NEW"}, None),
        ("2000",): (None, {"id": "2000", "total": "1.00", "status": "NEVER"}),
    }
    done = headrace("verify", "orders", "--heal", "-p", str(shop.folder))
    assert done.stdout.rstrip().splitlines()[-1].startswith("equal orders with shop.orders: 1,000 rows")
    assert set(shop.rows("select id, total from orders where id in (7, 8, 2000)")) == {(7, Decimal("10.50")), (8, Decimal("12.00"))}


VIEWS = {
    "orders_by_status": "select status, count(*) as orders, sum(total) as revenue from orders group by status",
    "cancelled": "select id, total from orders where status = 'CANCELLED'",
    "statuses": "select status from orders_by_status",
    "arrivals": "select max(synced_at) as latest from orders",
}


def test_a_view_that_is_not_what_the_source_gives_is_told(shop: Shop):
    (shop.folder / "views").mkdir(exist_ok=True)
    for name, select in VIEWS.items():
        columns = {"orders_by_status": "{status: S, orders: O, revenue: R}", "cancelled": "{id: I, total: T}", "statuses": "{status: S}"}
        header = f"/*\ntitle: {name}\ndescription: Of a test.\ncolumns: {columns.get(name, '{latest: L}')}\n*/\n"
        (shop.folder / "views" / f"{name}.sql").write_text(header + select)
    shop.apply()
    assert headrace("verify", "-p", str(shop.folder)).stdout.splitlines()[-1] == "not compared, as they tell of the chain itself: arrivals"
    shop.rows("update orders set total = total + 1, status = 'CANCELLED' where id = 7 returning id")
    done = headrace("verify", "--json", "-p", str(shop.folder), check=False)
    assert done.returncode == 1
    assert {view["view"]: (view["missing"], view["extra"]) for view in json.loads(done.stdout)["views"]} == {
        "cancelled": ([], ["(7,11.50)"]),
        "orders_by_status": (["(NEW,1000,750750.00)"], ["(CANCELLED,1,11.50)", "(NEW,999,750739.50)"]),
        "statuses": ([], ["(CANCELLED)"]),
    }


def test_a_certificate_is_kept_for_those_who_read_the_table(shop: Shop):
    kept = "select equal_as_of, position, row_count, differences from certificates where analytics_table = 'orders'"
    proven = certificate(shop)
    assert shop.rows(kept) == [(proven.at, proven.position, 1000, 0)]
    shop.rows("delete from orders where id = 8 returning id")
    certificate(shop)
    assert shop.rows(kept) == [(proven.at, proven.position, 999, 1)]


def test_an_order_that_is_on_its_way_is_no_difference(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    """The connector stands still at the first look: what it has not read is suspect, and cleared when it goes on."""
    connect, wait, behind = Connect(shop.environment.connect.url), fencing.wait, fencing.behind

    def stop_then_write(*arguments: Any) -> float:
        passed = behind(*arguments)
        assert requests.put(f"{connect.url}/connectors/{shop.name}/pause", timeout=30).ok
        until(lambda: (now := connect.status(shop.name)) and states(now) == {"PAUSED"}, _ARRIVES, "the connector stands still")
        shop.source.execute("update orders set total = total + 1 where id <= 100; delete from orders where id = 200")
        return passed

    def go_on_and_wait(*arguments: Any) -> None:
        monkeypatch.setattr(fencing, "behind", behind)
        connect.resume(shop.name)
        wait(*arguments)

    # In several portions, as those of a large table are.
    monkeypatch.setattr(verifying, "_LISTED", 30)
    monkeypatch.setattr(verifying, "_SETTLED", 60)
    monkeypatch.setattr(fencing, "behind", stop_then_write)
    monkeypatch.setattr(fencing, "wait", go_on_and_wait)
    found = certificate(shop)
    assert found.differences == () and found.complete and found.rows == 1000
    assert shop.rows("select count(*) from orders") == [(999,)]


def test_an_emptied_table_differs_in_every_row(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    shop.rows("delete from orders returning id")
    found = certificate(shop)
    assert (found.rows, len(found.differences), found.complete) == (0, 1000, True)
    monkeypatch.setattr(verifying, "_MOST", 50)
    monkeypatch.setattr(verifying, "_SETTLED", 60)
    found = certificate(shop)
    assert (len(found.differences), found.complete) == (60, False)
    assert found.health().text.startswith("at least 60 rows differ from shop.orders, the first by their keys: 1")


def test_differences_all_over_a_large_table_do_not_have_it_listed_whole(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    listed, asked = Side.listed, list[str]()
    monkeypatch.setattr(comparison, "BUCKETS", 4)  # so each of them has one
    monkeypatch.setattr(verifying, "_LISTED", 150)
    monkeypatch.setattr(Side, "listed", lambda side, *how: asked.append(side.relation) or listed(side, *how))
    shop.rows("update orders set total = total + 1 where id % 50 = 0 returning id")
    found = certificate(shop)
    assert sorted(int(one.key[0]) for one in found.differences) == list(range(50, 1001, 50))
    assert len(asked) == 2  # either side once


def test_a_stream_that_stands_still_is_told(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fencing, "_PATIENCE", 3)
    shop.catalogue().backends["flink"].delete("job/shop")
    with pytest.raises(Refused, match=r"stream shop has not passed position .* look at"):
        certificate(shop)


def test_a_table_that_no_stream_writes_is_refused(platform: object):
    done = headrace("verify", "vw_sales_over_time", check=False)
    assert done.returncode == 2
    assert "no stream writes vw_sales_over_time; the project's tables are fact_orders" in done.stderr


def test_every_table_is_compared_again_and_again_by_itself(began: datetime, bookstore: Project, analytics: psycopg.Connection):
    """Before the tests that compare these tables themselves."""
    query = "select count(*), min(equal_as_of) > %s from certificates where differences = 0"
    wanted = (len(bookstore.target_tables), True)
    until(lambda: analytics.execute(query, [began]).fetchone() == wanted, 600, "every table has a newer certificate")


def test_a_bookstore_that_trades_is_equal_to_its_sources(platform: object):
    found = json.loads(headrace("verify", "--json").stdout)
    assert {one["table"] for one in found["tables"]} == {"fact_orders", "fact_order_items", "dim_books", "fact_inventory"}
    assert [one["differences"] for one in found["tables"]] == [[]] * len(found["tables"])
    assert all(one["rows"] > 0 and one["position"] for one in found["tables"])
    assert {one["state"] for one in found["numbers"]} == {"passed"}
    assert {"vw_top_books_by_revenue", "vw_inventory_health", "sold_items"} <= {one["view"] for one in found["views"]}
    assert "vw_freshness" not in {one["view"] for one in found["views"]}
    assert all(one["rows"] and not one["missing"] and not one["extra"] for one in found["views"])


def test_the_job_verify_gives_each_table_a_certificate(bookstore: Project, environment: Environment, platform: object):
    done = build_definitions(build_catalogue(bookstore, environment)).resolve_job_def("verify").execute_in_process()
    found = {check.asset_key.path[-1]: check for check in done.get_asset_check_evaluations()}
    assert set(found) == set(bookstore.target_tables)
    for table, check in found.items():
        assert check.passed and "equal to" in (check.description or ""), table
        assert check.metadata["rows"].value and check.metadata["position"].value
