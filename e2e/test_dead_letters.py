"""A record that cannot be read stops nobody for long and is not lost: set aside, listed, shown, replayed, discarded."""

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from e2e.conftest import headrace
from e2e.shops import Shop, open_shop
from e2e.waiting import until
from flink.offsets import advance
from orchestration.healing import heal
from orchestration.verifying import verify
from project.environment import Environment
from project.resources import State

_ARRIVES, _RESUMES = 60, 180  # seconds
ORDERS = {"key": ["id"], "columns": {"id": "integer", "total": "numeric(10,2)"}}


@pytest.fixture
def shop(tmp_path: Path, platform: object, environment: Environment) -> Iterator[Shop]:
    """Two tables of one stream, with rows that have arrived."""
    with open_shop(tmp_path, environment) as opened:
        opened.source.execute("create table orders (id integer primary key, total numeric(10, 2))")
        opened.source.execute("create table items (id integer primary key, total numeric(10, 2))")
        opened.declare({"orders": ORDERS, "items": deepcopy(ORDERS)})
        opened.apply()
        write(opened, 1, 100)
        until(lambda: counts(opened) == (100, 100), _ARRIVES, "the rows arrive")
        yield opened


def write(shop: Shop, first: int, last: int) -> None:
    for table in ("orders", "items"):
        shop.source.execute(f"insert into {table} select n, n from generate_series({first}, {last}) n".encode())


def counts(shop: Shop) -> tuple[int, ...]:
    return shop.rows("select (select count(*) from orders), (select count(*) from items)")[0]


def poison(shop: Shop, key: bytes, value: bytes) -> None:
    producer = Producer(shop.environment.kafka.client())
    producer.produce(f"{shop.name}.public.orders", value=value, key=key, partition=0)
    assert not producer.flush(30)


def set_aside(shop: Shop) -> str | None:
    """What the sensor of a registered project does when the check of a job is not green; nothing where it failed, as it tries again."""
    catalogue = shop.catalogue()
    job = catalogue.by_id["job/shop"]
    done = heal(catalogue, job, catalogue.backend(job).health(job).state is State.PASSED, {})
    return None if done and done.startswith("tried to heal") else done


def set_back(shop: Shop) -> None:
    """The stream has to read its orders from their beginning."""
    catalogue = shop.catalogue()
    catalogue.backends["flink"].delete("job/shop")
    beginning = {(f"{shop.name}.public.orders", partition): 0 for partition in range(2)}
    advance(shop.environment.kafka, f"{shop.name}.shop", beginning)


def letters(shop: Shop, *options: str) -> list[dict[str, str]]:
    return json.loads(headrace("dead-letters", "list", "--json", *options, "-p", str(shop.folder), check=False).stdout)


def account(shop: Shop, records: int) -> tuple[int, dict[str, Any]]:
    """How the command ended, and what it says of the orders, once the stream has passed so many records."""

    def read() -> tuple[int, dict[str, Any]] | None:
        done = headrace("dead-letters", "account", "--json", "-p", str(shop.folder), check=False)
        [found] = [one for one in json.loads(done.stdout) if one["topic"] == f"{shop.name}.public.orders"]
        return (done.returncode, found) if found["records"] >= records else None

    found = until(read, _ARRIVES, "the stream's offsets are committed")
    assert found
    return found


def test_records_that_cannot_be_read_are_set_aside_and_all_others_arrive(shop: Shop):
    poison(shop, b'{"id": 7}', b"{not json")
    write(shop, 101, 200)
    poison(shop, b"", b'{"op": "x"}')
    poison(shop, b"", b'{"op": "c", "after": {"id": null}}')
    write(shop, 201, 300)
    done = until(lambda: set_aside(shop), _RESUMES, "the records are set aside")
    assert done and "job/shop could not read or write 3 records" in done
    until(lambda: counts(shop) == (300, 300), _RESUMES, "all others arrive, of both tables")
    until(lambda: shop.health("job/shop").state is State.PASSED, _RESUMES, "the check of the job is green")
    found = letters(shop)
    assert [(one["target"], one["record_key"], one["record_value"], one["reason"]) for one in found] == [
        ("orders", '{"id": 7}', "{not json", "it is not JSON"),
        ("orders", "", '{"op": "x"}', "its operation is 'x', not one of c, r, u, d"),
        ("orders", "", '{"op": "c", "after": {"id": null}}', "'after' has no id, which is of the key"),
    ]
    topic = f"{shop.name}.public.orders"
    assert account(shop, 303) == (0, {"topic": topic, "records": 303, "read": 300, "set_aside": 3, "lost": []})
    assert "{not json" in headrace("dead-letters", "show", found[0]["id"], "-p", str(shop.folder)).stdout
    shop.rows("delete from orders where id = 7 returning id")
    replayed = headrace("dead-letters", "replay", found[0]["id"], "-p", str(shop.folder)).stdout
    assert "the row 7 of orders is as in the source; 1 had to be read again" in replayed
    assert shop.rows("select total from orders where id = 7")
    headrace("dead-letters", "discard", "all", "--yes", "-p", str(shop.folder))
    assert letters(shop) == []
    assert [one["settled"] for one in letters(shop, "--all")] == ["replayed", "discarded", "discarded"]
    shop.analytics.execute("delete from dead_letters where record_value = '{not json'")
    assert account(shop, 304) == (1, {"topic": topic, "records": 304, "read": 301, "set_aside": 2, "lost": [found[0]["id"]]})
    done = headrace("dead-letters", "replay", "nothing", "-p", str(shop.folder), check=False)
    assert done.returncode == 2 and "nothing that waits is called nothing" in done.stderr


def test_who_has_not_loaded_the_spec_that_runs_sets_nothing_aside_in_its_place(shop: Shop):
    before = shop.catalogue()
    shop.declare({"orders": ORDERS})
    shop.apply()
    catalogue = shop.catalogue()
    job = catalogue.by_id["job/shop"]
    poison(shop, b"", b"{not json")
    assert heal(before, before.by_id["job/shop"], False, {}) is None
    assert catalogue.backend(job).read(job) == job.document and letters(shop) == []
    until(lambda: set_aside(shop), _RESUMES, "who has loaded it sets the record aside")
    assert catalogue.backend(job).read(job) == job.document and len(letters(shop)) == 1


def test_a_truncation_is_set_aside_and_repaired_on_command(shop: Shop):
    write(shop, 101, 12_000)  # more rows than one comparison tells of
    until(lambda: counts(shop) == (12_000, 12_000), _RESUMES, "the rows arrive")
    shop.source.execute("truncate orders")
    write(shop, 20_001, 20_010)
    until(lambda: set_aside(shop), _RESUMES, "the truncation is set aside")
    until(lambda: counts(shop) == (12_010, 12_010), _RESUMES, "what came behind it arrives")
    [letter] = letters(shop)
    assert letter["reason"] == "the table was truncated at its source, which a mirror does not repeat by itself"
    assert "every row of orders is as in the source; 12000 had to be read again" in headrace(
        "dead-letters", "replay", "all", "-p", str(shop.folder)
    ).stdout
    assert counts(shop) == (10, 12_010)
    set_back(shop)
    until(lambda: set_aside(shop) and letters(shop), _RESUMES, "the truncation waits again, as what came before it is back")
    until(lambda: counts(shop) == (12_010, 12_010), _RESUMES, "all is read once more")
    headrace("dead-letters", "replay", "all", "-p", str(shop.folder))
    assert counts(shop) == (10, 12_010)


def test_rows_that_are_refused_among_many_are_set_aside_together_and_all_others_arrive(shop: Shop):
    shop.analytics.execute("alter table orders add constraint not_of_a_hundred check (id <= 100 or id % 100 <> 3) not valid")
    write(shop, 101, 5100)
    until(lambda: sum(place.end for (topic, _), place in shop.catalogue().lag.offsets("shop").items() if topic.endswith(".orders")) == 5100,
          _RESUMES, "all orders are in Kafka")  # fmt: skip
    done = until(lambda: set_aside(shop), _RESUMES, "the records are set aside")
    assert done and "job/shop could not read or write 50 records" in done
    until(lambda: counts(shop) == (5050, 5100), _RESUMES, "all others arrive, of both tables")
    until(lambda: shop.health("job/shop").state is State.PASSED, _RESUMES, "the check of the job is green")
    assert len(letters(shop)) == 50 and verify(shop.catalogue(), "items").differences == ()
    assert {one.key for one in verify(shop.catalogue(), "orders").differences} == {(str(number),) for number in range(103, 5100, 100)}
    shop.analytics.execute("alter table orders drop constraint not_of_a_hundred")
    replayed = headrace("dead-letters", "replay", "all", "-p", str(shop.folder)).stdout
    assert replayed.count("1 had to be read again") == 50 and letters(shop) == [] and counts(shop) == (5100, 5100)


def test_a_row_that_the_analytics_table_refuses_is_set_aside_and_arrives_once_it_is_taken(shop: Shop):
    shop.analytics.execute("alter table orders add constraint nothing_dear check (total < 1000)")
    write(shop, 998, 1001)
    shop.source.execute("update orders set total = 2000 where id = 5")
    write(shop, 1002, 1002)
    shop.source.execute("delete from orders where id = 1002")
    done = until(lambda: set_aside(shop), _RESUMES, "the rows are set aside")
    assert done and "job/shop could not read or write" in done
    until(lambda: shop.rows("select count(*) from items") == [(105,)], _RESUMES, "the other table's rows arrive")
    until(lambda: set_aside(shop) is None and shop.health("job/shop").state is State.PASSED, _RESUMES, "the stream goes on")
    assert shop.rows("select total from orders where id in (5, 999) order by id") == [(5,), (999,)]
    found = {one["reason"] for one in letters(shop)}
    assert found == {'the analytics table does not take its row: new row for relation "orders" violates check constraint "nothing_dear"'}
    assert headrace("verify", "orders", "-p", str(shop.folder), check=False).returncode == 1
    shop.analytics.execute("alter table orders drop constraint nothing_dear")
    headrace("dead-letters", "replay", "all", "-p", str(shop.folder))
    assert letters(shop) == []
    assert headrace("verify", "orders", "-p", str(shop.folder)).returncode == 0
