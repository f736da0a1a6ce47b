"""Superset's role, and through it every analyst, may read views and nothing else; the writer may write rows and nothing else."""

import psycopg
import pytest

from analytics_sql.tests.applied import Analytics


def test_the_reader_reads_every_view(untouched: Analytics):
    for view in untouched.project.views:
        assert isinstance(untouched.ask(f'select * from "{view}"', role="reader"), list)


# The reader may well turn its session's default around; what it may do must not hang on that.
@pytest.mark.parametrize("settings", [{}, {"default_transaction_read_only": "off"}], ids=["as it comes", "after turning read-only off"])
@pytest.mark.parametrize(
    "statement",
    [
        "select * from fact_orders",
        "select * from pulse",
        "insert into fact_orders (id) values (gen_random_uuid())",
        "insert into sold_orders (id) values (gen_random_uuid())",
        "update fact_orders set total = 0",
        "delete from sold_orders",
        "truncate fact_orders",
        "drop view vw_freshness",
        "create table mine (a int)",
        "create temporary table mine (a int)",
        "create schema mine",
        "create function mine() returns int language sql return 1",
        "copy (select 1) to program 'true'",
        "copy fact_orders to stdout",
        "set role analyticsuser",
        "set session authorization analyticsuser",
        "select pg_read_file('postgresql.conf')",
        "select lo_import('/etc/hostname')",
        "select * from pg_authid",
        "create extension dblink",
    ],
)
def test_the_reader_is_refused_all_else(untouched: Analytics, statement: str, settings: dict[str, str]):
    with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)):
        untouched.ask(statement, role="reader", **settings)


def test_a_query_of_the_reader_that_takes_too_long_is_ended(untouched: Analytics):
    assert untouched.ask("show statement_timeout", role="reader") == [{"statement_timeout": "30s"}]
    with pytest.raises(psycopg.errors.QueryCanceled):
        untouched.ask("select pg_sleep(600)", role="reader", statement_timeout="100ms")


def test_the_writer_writes_rows(analytics: Analytics):
    analytics.ask("insert into fact_orders (id) values (gen_random_uuid())", role="writer")
    analytics.ask("update fact_orders set status = 'PENDING'", role="writer")
    assert [row["status"] for row in analytics.ask("select status from fact_orders", role="writer")] == ["PENDING"]
    analytics.ask("delete from fact_orders", role="writer")


@pytest.mark.parametrize(
    "statement",
    [
        "truncate fact_orders",
        "alter table fact_orders add column mine int",
        "alter table fact_orders disable trigger all",
        "drop table fact_orders",
        "create table mine (a int)",
        "create trigger mine before insert on fact_orders for each row execute function headrace_arrival()",
        "select * from vw_freshness",
        "set role analyticsuser",
    ],
)
def test_the_writer_is_refused_all_else(untouched: Analytics, statement: str):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        untouched.ask(statement, role="writer")
