"""What the sample promises: a shop that is open at once, trade that adds up, and a clean end."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra import databases
from infra.platform import Platform
from infra.tests.sample_command import SampleCommand
from infra.tests.throwaway import ROOT, throwaway_cluster

SAMPLE = ROOT / "examples" / "bookstore" / "sample"


class Shop(SampleCommand):
    def __init__(self, platform: Platform) -> None:
        super().__init__(platform, SAMPLE, "ecomdb")


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with throwaway_cluster(tmp_path_factory.mktemp("platform"), "source") as platform:
        yield platform


@pytest.fixture
def empty(platform: Platform) -> Iterator[Shop]:
    """A shop whose databases were made but never filled."""
    with databases.connect(platform, "source") as connection:
        for database in ("ecomdb", "inventorydb"):
            connection.execute(f"create database {database}".encode())
        yield Shop(platform)
        for database in ("ecomdb", "inventorydb"):
            connection.execute(f"drop database {database} with (force)".encode())


@pytest.fixture
def shop(empty: Shop) -> Shop:
    """A shop that has just opened."""
    empty.run("prepare")
    return empty


ORDERS = "select count(*) from orders"


def test_the_shop_opens_with_ten_books_and_months_of_orders(shop: Shop):
    books = shop.ask("select right(id::text, 4), price from books order by id")
    assert [book for book, _ in books] == [f"{number:04}" for number in range(1, 11)]
    assert (str(min(price for _, price in books)), str(max(price for _, price in books))) == ("39.99", "69.99")
    assert shop.ask("select distinct quantity, reserved from inventory", "inventorydb") == [(50, 0)]
    [(orders, days, latest)] = shop.ask("select count(*), count(distinct created_at::date), max(created_at) <= now() from orders")
    assert orders > 1000 and days > 110 and latest


def test_opening_again_changes_nothing(shop: Shop):
    shop.run("trade", "--rate", "200", "--seconds", "1")
    tables = ("books", "orders", "order_items")
    before = [shop.ask(f"select md5(string_agg(t::text, '|' order by id)) from {table} t") for table in tables]
    shop.run("prepare")
    assert [shop.ask(f"select md5(string_agg(t::text, '|' order by id)) from {table} t") for table in tables] == before


def test_trade_adds_up(shop: Shop):
    said = shop.run("trade", "--rate", "1000", "--seconds", "4")
    for word in ("ordered", "confirmed", "shipped", "delivered", "cancelled", "deleted", "restocked", "repriced"):
        assert f"{word} " in said, said
    paid = "select sum(quantity * price_at_purchase) from order_items i where i.order_id = o.id"
    assert shop.ask(f"select count(*) from orders o where total is distinct from ({paid})") == [(0,)]
    open_items = "order_items i join orders o on o.id = i.order_id and o.status in ('PENDING', 'CONFIRMED')"
    held = dict(shop.ask(f"select book_id, sum(quantity) from {open_items} group by book_id"))
    stock = shop.ask("select book_id, quantity, reserved from inventory", "inventorydb")
    assert {book: reserved for book, _, reserved in stock if reserved} == held
    assert all(quantity >= reserved >= 0 for _, quantity, reserved in stock)


def test_trade_ends_cleanly_when_told_to(shop: Shop):
    process = shop.start("trade", "--rate", "50")
    [(before,)] = shop.ask(ORDERS)
    shop.until(ORDERS, before + 3)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=20)
    assert process.returncode == 0 and "transactions in" in said.splitlines()[-1]


def test_trade_goes_on_after_the_database_was_away(shop: Shop, platform: Platform):
    process = shop.start("trade", "--rate", "50")
    [(before,)] = shop.ask(ORDERS)
    shop.until(ORDERS, before + 3)
    with databases.connect(platform, "source") as connection:
        connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'bookstore'")
    [(before,)] = shop.ask(ORDERS)
    shop.until(ORDERS, before + 3)
    process.terminate()
    said, _ = process.communicate(timeout=20)
    assert process.returncode == 0 and "AdminShutdown" in said


def test_without_an_environment_it_says_what_to_do(tmp_path: Path):
    command, variables = [sys.executable, str(SAMPLE), "prepare"], {"HEADRACE_ENVIRONMENT": str(tmp_path / "none.yaml")}
    done = subprocess.run(command, env=variables, text=True, capture_output=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "there is no such environment file; run `make up`" in done.stderr and "Traceback" not in done.stderr


def test_trade_in_a_shop_that_never_opened_says_what_to_do(empty: Shop):
    process = empty.start("trade")
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert said.splitlines()[-1] == "the databases are empty; run `prepare` first" and "Traceback" not in said
