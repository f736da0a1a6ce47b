"""An import of a real database: what its catalogue says is what the specs say, and nothing in it changes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from cdc.describing import describe_database
from cdc.postgres import _observe
from cdc.prerequisites import missing
from infra import databases
from infra.credentials import reveal
from infra.tests.throwaway import throwaway_cluster
from project.described import DescribedTable
from project.imported import import_database
from project.resources import Refused, Unreachable

SHOP = """
create schema crm;
create type mood as enum ('sad', 'happy');
create domain euros as numeric(10, 2);
create domain price as euros check (value >= 0);
create table orders (
  id bigint generated always as identity, part smallint, total price not null, mood mood, tags text[],
  twice numeric generated always as (total * 2) stored, gone int, primary key (part, id)
);
alter table orders drop column gone;
comment on table orders is 'One row per order.';
comment on column orders.total is 'In euros.';
comment on database shop is 'The shop.';
create table notes (code text not null unique, body text);
create unlogged table scratch (id int primary key);
create table events (id int, day date, primary key (id, day)) partition by range (day);
create table events_2026 partition of events for values from ('2026-01-01') to ('2027-01-01');
create view latest as select * from orders;
create table headrace_pulse (source text primary key);
create table crm.people (id int primary key);
insert into orders (part, total) select 1, i from generate_series(1, 1000) i;
analyze orders;
"""


@pytest.fixture(scope="module")
def dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with throwaway_cluster(tmp_path_factory.mktemp("platform"), "source") as platform:
        with databases.connect(platform, "source") as server:
            server.execute("create database shop")
        with databases.connect(platform, "source", "shop") as shop:
            shop.execute(SHOP.encode())
        secret = reveal(platform, "source_admin")
        yield f"postgresql://headrace_admin:{secret}@127.0.0.1:{platform.port('postgres source')}/shop"


@pytest.fixture(scope="module")
def tables(dsn: str) -> dict[str, DescribedTable]:
    database, _ = describe_database(dsn)
    assert (database.name, database.comment) == ("shop", "The shop.")
    return {table.name: table for table in database.tables}


def test_tables_columns_keys_and_comments(tables: dict[str, DescribedTable]):
    orders = tables["orders"]
    assert (orders.comment, orders.key, orders.estimated_rows) == ("One row per order.", ("part", "id"), 1000)
    assert [(column.name, column.type, column.comment, column.generated) for column in orders.columns] == [
        ("id", "bigint", "", False), ("part", "smallint", "", False), ("total", "numeric(10,2)", "In euros.", False),
        ("mood", "enum", "", False), ("tags", "text[]", "", False), ("twice", "numeric", "", True),
    ]  # fmt: skip
    assert tables["notes"].estimated_rows is None


def test_what_cannot_be_captured_is_told_apart(tables: dict[str, DescribedTable]):
    assert tables.keys() == {"orders", "notes", "scratch", "events", "events_2026", "latest"}
    assert (tables["notes"].key, tables["notes"].unique) == ((), ("code",))
    assert not tables["scratch"].logged
    assert (tables["events"].kind, tables["events_2026"].partition_of, tables["latest"].kind) == ("p", "events", "v")


def test_a_spec_may_name_partitions_but_no_partitioned_table(dsn: str):
    names = ("public.events", "public.events_2026")
    tables = {name: {"columns": {"id": "integer", "day": "date"}, "key": ["id", "day"], "grants": []} for name in names}
    role = {"name": "headrace_capture", "login": True, "replication": True}
    desired = {"wal_level": "logical", "role": role, "grants": {"usage": []}, "publication": {"name": "shop"}, "tables": tables}
    with psycopg.Connection[dict[str, Any]].connect(dsn, row_factory=dict_row) as shop:
        shop.execute("create publication shop for table events")
        observed = _observe(shop, desired)
        shop.rollback()
    assert observed["publication"]["tables"] == ["public.events_2026"]
    [problem] = missing(desired, observed)
    assert problem.startswith("table public.events is partitioned")


def test_the_statement_that_mends_a_table_without_a_key_does(dsn: str):
    before, _ = describe_database(dsn)
    [reason] = [item.reason for item in import_database(before, "shop").left_out if item.name == "notes"]
    with psycopg.connect(dsn) as shop:
        shop.execute(reason.split("`")[1].encode())
        after = import_database(describe_database(dsn)[0], "shop")
        assert "notes" not in after.targets  # not committed yet, and read in a transaction of its own
    assert "notes" in import_database(describe_database(dsn)[0], "shop").targets


def test_another_schema(dsn: str):
    database, _ = describe_database(dsn, "crm")
    assert [table.name for table in database.tables] == ["people"]
    assert "    schema: crm\n" in import_database(database, "shop").source
    with pytest.raises(Refused, match="has no schema nowhere; it has crm, public; name one with --schema"):
        describe_database(dsn, "nowhere")


def test_no_refusal_shows_the_password(dsn: str, tmp_path: Path):
    secret = dsn.split(":")[2].split("@")[0]
    for wrong in (dsn.replace("/shop", "/nosuch"), dsn.replace("127.0.0.1", "127.0.0.1:x"), f"host=127.0.0.1 password {secret}"):
        with pytest.raises(Refused) as refused:
            describe_database(wrong)
        assert secret not in str(refused.value)
    with pytest.raises(Unreachable, match="does not answer"):
        describe_database("host=127.0.0.1 port=1 dbname=shop")
