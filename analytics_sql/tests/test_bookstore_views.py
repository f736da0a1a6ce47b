"""The bookstore's views over a shop that was worked out by hand: every figure of it, in every session."""

from typing import Any

import pytest

from analytics_sql.tests.applied import Analytics
from analytics_sql.tests.golden_shop import GOLDEN, expected, identity, measure, read, rows

_TARGETS = {"books": "dim_books", "inventory": "fact_inventory", "orders": "fact_orders", "order_items": "fact_order_items"}
_SESSIONS: list[dict[str, str]] = [
    {},
    {"timezone": "Asia/Kathmandu", "datestyle": "German,DMY", "intervalstyle": "iso_8601"},
    {"timezone": "America/Los_Angeles", "extra_float_digits": "0", "lc_numeric": "C.UTF-8"},
]


def insert(analytics: Analytics, table: str, row: dict[str, Any]) -> None:
    row = {"source_position": 1, "from_snapshot": False, "source_committed_at": "2026-01-01", **row}
    # As the stream does: an instant becomes a UTC timestamp.
    values = ", ".join(f"%({name})s" + ("::timestamptz at time zone 'utc'" if name == "created_at" else "") for name in row)
    analytics.ask(f"insert into {table} ({', '.join(row)}) values ({values})", row, role="writer")


def insert_item(analytics: Analytics, name: str, order: str, book: str, quantity: int | None, price: str | None) -> None:
    item = {"id": identity(name), "order_id": identity(order), "book_id": identity(book), "quantity": quantity, "price_at_purchase": price}
    insert(analytics, "fact_order_items", item)


@pytest.fixture
def shop(analytics: Analytics) -> Analytics:
    for table, row in rows():
        insert(analytics, _TARGETS[table], row)
    return analytics


def views(shop: Analytics, view: str, **session: str) -> list[dict[str, Any]]:
    return shop.ask(read(view), role="reader", **session)


def metric(shop: Analytics, name: str) -> str:
    [row] = shop.ask(measure(shop.project, name), role="reader")
    return row["value"]


@pytest.mark.parametrize("session", _SESSIONS, ids=["plain session", "Kathmandu", "Los Angeles"])
def test_every_view_says_what_was_worked_out_by_hand(shop: Analytics, session: dict[str, str]):
    assert {view: views(shop, view, **session) for view in GOLDEN["views"]} == {view: expected(view) for view in GOLDEN["views"]}


def test_every_metric_says_what_was_worked_out_by_hand(shop: Analytics):
    assert {name: metric(shop, name) for name in GOLDEN["metrics"]} == GOLDEN["metrics"]


def test_a_book_that_arrives_late_gets_its_name_everywhere(shop: Analytics):
    insert(shop, "dim_books", {"id": identity("B9"), "title": "Nine", "author": "Z", "genre": "Poetry", "price": "10.00"})
    for view in ("vw_product_sales_volume", "vw_top_books_by_revenue", "vw_inventory_turnover"):
        titles = [row["title"] for row in views(shop, view)]
        assert "Nine" in titles and "(unknown book)" not in titles
    assert {"author": "Z", "units_sold": "2", "revenue": "20.00"} in views(shop, "vw_revenue_by_author")
    assert {"genre": "Poetry", "units_sold": "2", "revenue": "20.00"} in views(shop, "vw_revenue_by_genre")


def test_a_deleted_order_leaves_every_figure(shop: Analytics):
    shop.ask("delete from fact_orders where id = %s", [identity("O1")], role="writer")
    assert metric(shop, "vw_sales_over_time.daily_revenue_sum") == "30.00"
    assert metric(shop, "vw_product_sales_volume.revenue_sum") == "30.00"
    assert metric(shop, "vw_order_status_distribution.order_count_sum") == "4"
    assert metric(shop, "vw_inventory_turnover.turnover_rate") == "5.0"
    assert "Two" not in [row["title"] for row in views(shop, "vw_top_books_by_revenue")]


def test_equal_revenues_share_a_rank_and_the_next_is_left_out(shop: Analytics):
    insert_item(shop, "I8", "O3", "B1", 1, "10.00")
    insert_item(shop, "I9", "O3", "B3", 1, "1.00")
    ranks = [(row["title"], row["revenue_rank"]) for row in views(shop, "vw_top_books_by_revenue")]
    assert ranks == [("Two", "1"), ("(unknown book)", "2"), ("One", "2"), ("Three", "4")]


def test_missing_money_counts_as_nothing_but_the_row_counts(shop: Analytics):
    insert(shop, "fact_orders", {"id": identity("O6"), "created_at": "2026-01-06 13:00+00", "total": None, "status": "PENDING"})
    insert_item(shop, "I6", "O6", "B1", None, None)
    assert views(shop, "vw_sales_over_time")[1] == {"sale_date": "2026-01-06", "order_count": "4", "daily_revenue": "30.00"}
    found = shop.ask("select finding from vw_data_quality where row_id in (%s, %s) order by 1", [identity("O6"), identity("I6")])
    assert [row["finding"] for row in found] == ["item without a quantity or price", "order total differs from its items"]


def test_what_does_not_fit_is_listed_and_nothing_else(shop: Analytics):
    assert [row["finding"] for row in shop.ask("select finding from vw_data_quality")] == ["item of an unknown book"] * 2
    insert_item(shop, "I7", "O7", "B1", 1, "1.00")
    insert(shop, "fact_inventory", {"book_id": identity("B8"), "quantity": 1, "reserved": 2})
    insert(shop, "fact_orders", {"id": identity("O8"), "created_at": "2026-01-06 13:00+00", "total": "3.00", "status": "PENDING"})
    found = shop.ask("select finding, row_id::text, expected::text, found::text from vw_data_quality")
    assert {tuple(row.values()) for row in found if row["finding"] != "item of an unknown book"} == {
        ("item without its order", identity("I7"), None, None),
        ("more copies reserved than on the shelf", identity("B8"), "1", "2"),
        ("order total differs from its items", identity("O8"), "0", "3.00"),
        ("stock of an unknown book", identity("B8"), None, None),
    }


def test_latency_is_that_of_changes_alone(shop: Analytics):
    insert(shop, "fact_orders", {"id": identity("S1"), "created_at": "2026-01-06 13:00+00", "from_snapshot": True})
    shop.ask(
        "update fact_orders set source_committed_at = (clock_timestamp() at time zone 'utc') - interval '90 s', source_position = 2",
        role="writer",
    )
    latencies = shop.ask("select id::text, round(latency_seconds) as seconds from vw_cdc_latency", role="reader", timezone="Asia/Tokyo")
    assert {row["id"] for row in latencies} == {identity(name) for name in GOLDEN["orders"]}
    assert {int(row["seconds"]) for row in latencies} == {90}


def test_freshness_is_the_age_of_the_pulse_in_any_session(shop: Analytics):
    for stream, age in (("ecom", "1 hour"), ("inventory", "0 s")):
        shop.ask("insert into pulse values (%s, %s, now() at time zone 'utc' - %s::interval)", [stream, stream, age], role="writer")
    ages = shop.ask("select stream, round(age_seconds / 60) as minutes from vw_freshness", role="reader", timezone="Asia/Tokyo")
    assert [(row["stream"], int(row["minutes"])) for row in ages] == [("ecom", 60), ("inventory", 0)]
