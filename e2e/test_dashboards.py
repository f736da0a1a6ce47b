"""The dashboards as an analyst sees them in a browser, their numbers compared with SQL on the shop's own databases."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal
from uuid import uuid4

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Response, expect

from e2e.browsers import draw, sign_in
from e2e.conftest import connect
from e2e.waiting import until
from infra import supervision
from infra.platform import Platform
from project.environment import Environment
from project.models import Project

Source = Callable[[str], psycopg.Connection]
Numbers = dict[Any, Decimal]
DASHBOARDS = ("overview", "sales", "inventory")
_SECONDS = 120


@pytest.fixture(scope="module")
def quiet(platform: Platform, source: Source, environment: Environment) -> Iterator[None]:
    """The trade stands still and all of it has arrived: numbers that can be compared."""
    supervision.stop(platform, {"sample"})
    try:
        place = environment.analytics
        assert place.database
        with connect(place.host, place.port, place.database, place.admin) as analytics:
            for name, query, same in SETTLED:
                wanted = numbers(source(name), query)
                until(lambda wanted=wanted, same=same: numbers(analytics, same) == wanted, _SECONDS, f"all has arrived: {query}")
        yield
    finally:
        supervision.start(platform, "sample")


SETTLED = [
    ("ecom", "select status, sum(total) from orders group by 1", "select status, sum(total) from fact_orders group by 1"),
    ("ecom", "select count(*), sum(quantity) from order_items", "select count(*), sum(quantity) from fact_order_items"),
    ("ecom", "select id, price from books", "select id, price from dim_books"),
    ("inventory", "select book_id, quantity from inventory", "select book_id, quantity from fact_inventory"),
    ("inventory", "select book_id, reserved from inventory", "select book_id, reserved from fact_inventory"),
]


@dataclass(frozen=True)
class Opened:
    """A dashboard that is fully drawn."""

    page: Page
    rows: dict[str, list[dict[str, Any]]]  # what each chart was drawn from, by title
    asked: list[str]  # every address, whether it answered or not, but for those that the page's own policy blocks

    def number(self, title: str) -> Decimal:
        """The number of a big number chart, as it stands on the page."""
        return number(self.page.locator(f"[data-test-chart-name='{title}'] .header-line").inner_text())


@pytest.fixture(scope="module")
def analyst(browser: Browser, platform: Platform) -> Iterator[BrowserContext]:
    """An analyst's browser: signed in, and with Superset's scripts at hand after the first page."""
    with browser.new_context(viewport={"width": 1440, "height": 1800}) as context:
        context.set_default_timeout(_SECONDS * 1000)
        sign_in(context.new_page(), platform)
        yield context


@pytest.fixture(scope="module")
def dashboard(quiet: None, analyst: BrowserContext, platform: Platform) -> Callable[[str], Opened]:
    """Each dashboard, opened once by an analyst while the trade stands still."""
    opened: dict[str, Opened] = {}

    def get(name: str) -> Opened:
        if name not in opened:
            opened[name] = open_dashboard(analyst.new_page(), platform, name)
        return opened[name]

    return get


def open_dashboard(page: Page, platform: Platform, name: str, query: str = "") -> Opened:
    answers, asked, blocked = list[Response](), list[str](), set[str]()
    page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108 - Playwright does not take a method of a built-in type
    page.on("request", lambda request: asked.append(request.url))
    page.on("requestfailed", lambda request: blocked.add(request.url) if request.failure == "csp" else None)
    draw(page, platform, f"bookstore-{name}", query)
    charts = page.locator("[data-test-chart-id]").all()
    titles = {chart.get_attribute("data-test-chart-id"): chart.get_attribute("data-test-chart-name") for chart in charts}
    rows: dict[str, list[dict[str, Any]]] = {}
    for answer in answers:
        if "/api/v1/chart/data" in answer.url:
            form = json.loads(answer.request.post_data or "{}")["form_data"]
            if title := titles.get(str(form.get("slice_id"))):
                rows[title] = answer.json()["result"][0]["data"]
    return Opened(page, rows, [url for url in asked if url not in blocked])


def number(text: str) -> Decimal:
    return Decimal(re.sub(r"[^0-9.-]", "", text))


def numbers(connection: psycopg.Connection, query: str) -> Numbers:
    """The rows of a query of two columns."""
    return dict(connection.execute(query.encode()).fetchall())


# --- what is shown


@pytest.mark.parametrize("name", DASHBOARDS)
def test_a_dashboard_is_drawn_without_an_error_or_an_empty_chart(dashboard: Callable[[str], Opened], bookstore: Project, name: str):
    opened = dashboard(name)
    assert set(opened.rows) == {chart.title for chart in bookstore.dashboards[name].charts}
    assert all(opened.rows.values())
    assert opened.page.locator("[role=alert], .ant-alert").all_inner_texts() == []
    assert opened.page.get_by_text("No results were returned").count() == 0


@pytest.mark.parametrize("name", DASHBOARDS)
def test_a_dashboard_gets_everything_from_its_own_host(dashboard: Callable[[str], Opened], platform: Platform, name: str):
    assert [url for url in dashboard(name).asked if not url.startswith((platform.url("superset"), "data:", "blob:"))] == []


@pytest.mark.parametrize(("name", "scheme"), [("overview", "dark"), ("sales", "light"), ("inventory", "dark")])
def test_in_a_narrow_window_every_chart_is_whole_and_wide_enough_to_read(
    analyst: BrowserContext, platform: Platform, name: str, scheme: Literal["light", "dark"]
):
    page = analyst.new_page()
    page.set_viewport_size({"width": 600, "height": 4000})
    page.emulate_media(color_scheme=scheme)
    open_dashboard(page, platform, name)
    boxes = [chart.bounding_box() for chart in page.locator("[data-test-chart-id]").all()]
    assert boxes
    assert all(box and box["x"] >= 0 and box["x"] + box["width"] <= 600 and box["width"] >= 200 for box in boxes)
    ink = page.evaluate("getComputedStyle(document.querySelector('.dashboard-content')).color.match(/\\d+/g).map(Number)[0]")
    assert (ink > 128) == (scheme == "dark")
    page.close()


# --- numbers, compared with the source

SOLD = "from orders where status is distinct from 'CANCELLED'"
ITEMS = """
from order_items i join orders o on o.id = i.order_id and o.status is distinct from 'CANCELLED' left join books b on b.id = i.book_id
"""
TITLE = "coalesce(b.title, '(unknown book)')"
AUTHOR = "coalesce(b.author, '(unknown author)')"
GENRE = "coalesce(b.genre, '(unknown genre)')"
UNITS, REVENUE = "sum(quantity)", "sum(quantity * price_at_purchase)"


def test_the_numbers_on_top_are_those_of_the_shop(dashboard: Callable[[str], Opened], source: Source):
    sales = dashboard("sales")
    row = source("ecom").execute(f"select sum(total), count(*), round(sum(total) / count(*), 2) {SOLD}".encode()).fetchone()
    assert row
    assert (sales.number("Total Revenue KPI"), sales.number("Total Orders KPI"), sales.number("Average Order Value KPI")) == row
    assert "Total Revenue (All Time)" in sales.page.locator("[data-test-chart-name='Total Revenue KPI']").inner_text()


BY_VALUE = [  # dashboard, chart, its column, its metric, most rows, the same from the shop
    ("overview", "Product Sales Volume", "title", "units_sold_sum", 20, f"select {TITLE}, {UNITS} {ITEMS} group by 1"),
    ("overview", "Revenue by Author", "author", "revenue_sum", 20, f"select {AUTHOR}, {REVENUE} {ITEMS} group by 1"),
    ("overview", "Top Books by Revenue", "title", "total_revenue_sum", 10, f"select {TITLE}, {REVENUE} {ITEMS} group by 1"),
    ("sales", "Order Status Distribution", "status", "order_count_sum", 20,
     "select coalesce(status, '(none)'), count(*) from orders group by 1"),
    ("inventory", "Revenue by Genre", "genre", "revenue_sum", 20, f"select {GENRE}, {REVENUE} {ITEMS} group by 1"),
    ("inventory", "Revenue Share by Genre", "genre", "revenue_sum", 20, f"select {GENRE}, {REVENUE} {ITEMS} group by 1"),
    ("overview", "Book Price Distribution", "price_range", "book_count_sum", 20, """
        select case when price < 10 then 'Under $10' when price < 20 then '$10–$19.99' when price < 30 then '$20–$29.99'
          when price < 50 then '$30–$49.99' when price >= 50 then '$50+' else 'Unknown' end, count(*) from books group by 1"""),
]  # fmt: skip


@pytest.mark.parametrize(("name", "chart", "column", "metric", "most", "query"), BY_VALUE, ids=[chart for _, chart, *_ in BY_VALUE])
def test_a_chart_is_drawn_from_the_numbers_of_the_shop(
    dashboard: Callable[[str], Opened], source: Source, name: str, chart: str, column: str, metric: str, most: int, query: str
):
    drawn = {row[column]: Decimal(str(row[metric])) for row in dashboard(name).rows[chart]}
    wanted = numbers(source("ecom"), query)
    assert drawn == {value: wanted[value] for value in drawn}
    assert sorted(drawn.values()) == sorted(wanted.values())[-most:]


@pytest.mark.parametrize(
    ("name", "chart", "metric", "aggregate"),
    [
        ("overview", "Sales Over Time", "daily_revenue_sum", "sum(total)"),
        ("sales", "Avg Order Value Over Time", "average_order_value", "sum(total) / count(*)"),
    ],
)
def test_a_line_has_a_point_for_each_utc_day_of_the_shop(
    dashboard: Callable[[str], Opened], source: Source, name: str, chart: str, metric: str, aggregate: str
):
    drawn = {row["sale_date"] // 86_400_000: row[metric] for row in dashboard(name).rows[chart]}
    day = "(created_at at time zone 'utc')::date - date '1970-01-01'"
    wanted = numbers(source("ecom"), f"select {day}, ({aggregate})::float {SOLD} group by 1 order by 1 desc limit 365")
    assert drawn == pytest.approx(wanted, rel=1e-9)


def by_title(source: Source, copies: dict[Any, Any]) -> dict[str, Counter[str]]:
    """The warehouse's copies under each title: books of one title are one bar."""
    titles, found = dict(source("ecom").execute("select id, title from books").fetchall()), defaultdict[str, Counter[str]](Counter)
    for book, counted in copies.items():
        found[titles.get(book, "(unknown book)")].update(counted)
    return found


def test_the_inventory_is_that_of_the_warehouse(dashboard: Callable[[str], Opened], source: Source):
    inventory = dashboard("inventory")
    stock = {row[0]: row[1:] for row in source("inventory").execute("select book_id, quantity, reserved from inventory")}
    titles = dict(source("ecom").execute("select id, title from books").fetchall())
    table = inventory.page.locator("[data-test-chart-name='Inventory Health Table'] tbody tr")
    cells = [row.locator("td").all_inner_texts() for row in table.all()]
    on_page = Counter((title, int(quantity), int(reserved)) for title, _, quantity, reserved, *_ in cells if quantity.strip().isdigit())
    assert on_page <= Counter((titles.get(book, "(unknown book)"), *copies) for book, copies in stock.items())
    assert len(cells) == min(50, len(titles.keys() | stock.keys()))
    left = [max(quantity - reserved, 0) for quantity, reserved in stock.values()]
    statuses = {row["stock_status"]: row["book_count"] for row in inventory.rows["Stock Status Distribution"]}
    assert statuses.get("Critical", 0) == sum(copies == 0 for copies in left)
    assert statuses.get("Low", 0) == sum(0 < copies <= 3 for copies in left)
    assert statuses.get("OK", 0) == sum(copies > 3 for copies in left)
    wanted = by_title(source, {book: {"quantity": quantity, "reserved": reserved} for book, (quantity, reserved) in stock.items()})
    bars = {row["title"]: (row["stock_quantity_sum"], row["reserved_sum"]) for row in inventory.rows["Stock vs Reserved"]}
    assert bars == {title: (wanted[title]["quantity"], wanted[title]["reserved"]) for title in bars}


def test_turnover_is_copies_sold_per_copy_on_the_shelf(dashboard: Callable[[str], Opened], source: Source):
    drawn = {row["title"]: row["turnover_rate"] for row in dashboard("inventory").rows["Inventory Turnover Rate"]}
    sold = numbers(source("ecom"), f"select i.book_id, sum(quantity) {ITEMS} group by 1")
    stock = numbers(source("inventory"), "select book_id, quantity from inventory")
    books = {book: {"sold": int(sold.get(book, 0)), "kept": int(stock.get(book, 0))} for book in sold.keys() | stock.keys()}
    counted = by_title(source, books)
    wanted = {title: of_title["sold"] * 100 / of_title["kept"] for title, of_title in counted.items() if of_title["kept"]}
    assert drawn == pytest.approx({title: wanted[title] for title in drawn}, rel=1e-9)


def test_a_filter_narrows_the_charts_that_know_its_column(quiet: None, analyst: BrowserContext, platform: Platform, source: Source):
    author = next(iter(numbers(source("ecom"), f"select {AUTHOR}, {UNITS} {ITEMS} group by 1 order by 2 desc limit 1")))
    chosen = author.replace("!", "!!").replace("'", "!'")
    mask = (
        f"(NATIVE_FILTER-author:(id:NATIVE_FILTER-author,extraFormData:(filters:!((col:author,op:IN,val:!('{chosen}')))),"
        f"filterState:(value:!('{chosen}'))))"
    )
    drawn = open_dashboard(analyst.new_page(), platform, "overview", f"?native_filters={mask}").rows
    assert [row["author"] for row in drawn["Revenue by Author"]] == [author]
    quoted = author.replace("'", "''")
    books = numbers(source("ecom"), f"select {TITLE}, {UNITS} {ITEMS} where {AUTHOR} = '{quoted}' group by 1")
    assert {row["title"]: Decimal(str(row["units_sold_sum"])) for row in drawn["Product Sales Volume"]} == books
    assert len(drawn["Sales Over Time"]) > 1


def test_a_new_order_shows_by_itself(dashboard: Callable[[str], Opened], source: Source):
    sales, shop, order = dashboard("sales"), source("ecom"), uuid4()
    before = sales.number("Total Revenue KPI")
    wanted = f"{before + Decimal('12.34'):,.2f}"
    shop.execute("insert into orders (id, user_id, total, status) values (%s, gen_random_uuid(), 12.34, 'CONFIRMED')", [order])
    try:
        shown = sales.page.locator("[data-test-chart-name='Total Revenue KPI'] .header-line")
        expect(shown).to_contain_text(wanted, timeout=_SECONDS * 1000)
    finally:
        shop.execute("delete from orders where id = %s", [order])


def test_a_dashboard_says_how_old_its_data_is(dashboard: Callable[[str], Opened]):
    assert 0 <= dashboard("overview").number("Data Age") < 30
