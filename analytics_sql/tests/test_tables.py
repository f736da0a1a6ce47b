"""Tables take only what is new, keep what they hold when they change, and refuse a change that would not."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from analytics_sql import connections
from analytics_sql.tests.applied import Analytics
from project.models import Column, Project, Source, SourceTable
from project.resources import Refused, Unreachable

ORDER = "00000000-0000-0000-0000-0000000000aa"
# As Flink's JDBC sink writes.
UPSERT = """
insert into fact_orders (id, total, status, source_position) values (%(id)s, %(total)s, %(status)s, %(position)s)
on conflict (id) do update set total = excluded.total, status = excluded.status, source_position = excluded.source_position
"""


def delete(analytics: Analytics, position: int) -> None:
    """As Flink's JDBC sink writes a deletion (flink/sql.py)."""
    analytics.ask(UPSERT, {"id": ORDER, "total": None, "status": None, "position": -position}, role="writer")


def upsert(analytics: Analytics, status: str, position: int | None, total: int = 10) -> datetime:
    """Write one order; gives when it was last written."""
    analytics.ask(UPSERT, {"id": ORDER, "total": total, "status": status, "position": position}, role="writer")
    [row] = analytics.ask("select synced_at from fact_orders")
    return row["synced_at"]


def status(analytics: Analytics) -> str:
    [row] = analytics.ask("select status from fact_orders")
    return row["status"]


def changed(project: Project, **columns: Column | None) -> Project:
    """A project whose orders have other columns; None takes one away."""
    return with_orders(project, columns={name: column for name, column in {**_orders(project).columns, **columns}.items() if column})


def with_orders(project: Project, **update: Any) -> Project:
    ecom: Source = project.sources["ecom"]
    tables = {**ecom.tables, "orders": _orders(project).model_copy(update=update)}
    return project.model_copy(update={"sources": {**project.sources, "ecom": ecom.model_copy(update={"tables": tables})}})


def _orders(project: Project) -> SourceTable:
    return project.sources["ecom"].tables["orders"]


def test_a_newer_change_is_taken_and_stamped(analytics: Analytics):
    first = upsert(analytics, "PENDING", 100)
    second = upsert(analytics, "CONFIRMED", 200)
    assert status(analytics) == "CONFIRMED"
    assert first < second


def test_an_older_change_is_not_taken(analytics: Analytics):
    stamped = upsert(analytics, "CONFIRMED", 200)
    assert upsert(analytics, "PENDING", 100) == stamped
    assert status(analytics) == "CONFIRMED"


def test_a_change_that_is_read_twice_does_not_look_newly_arrived(analytics: Analytics):
    stamped = upsert(analytics, "CONFIRMED", 200)
    assert upsert(analytics, "CONFIRMED", 200) == stamped


def test_a_change_read_again_fills_a_column_that_was_added_since(analytics: Analytics):
    upsert(analytics, "CONFIRMED", 200, total=0)
    upsert(analytics, "CONFIRMED", 200, total=10)
    assert [int(row["total"]) for row in analytics.ask("select total from fact_orders")] == [10]


def test_a_deletion_takes_its_row_away_and_leaves_none(analytics: Analytics):
    upsert(analytics, "PENDING", 100)
    for _ in range(2):  # the second time there is nothing to take
        delete(analytics, 200)
        assert analytics.ask("select from fact_orders") == []


def test_a_deletion_that_is_older_than_the_row_leaves_it(analytics: Analytics):
    upsert(analytics, "PENDING", 300)
    delete(analytics, 200)
    assert status(analytics) == "PENDING"


def test_a_deletion_takes_away_what_a_snapshot_read(analytics: Analytics):
    upsert(analytics, "PENDING", None)
    delete(analytics, 200)
    assert analytics.ask("select from fact_orders") == []


def test_an_arrival_is_stamped_in_utc_whatever_the_session(analytics: Analytics):
    analytics.ask(UPSERT, {"id": ORDER, "total": 1, "status": "", "position": 1}, role="writer", timezone="Asia/Tokyo")
    [row] = analytics.ask("select abs(extract(epoch from clock_timestamp() at time zone 'utc' - synced_at)) < 60 as now from fact_orders")
    assert row["now"]


def test_an_added_column_is_altered_in_and_the_rows_stay(analytics: Analytics, bookstore: Project):
    upsert(analytics, "PENDING", 100)
    analytics.use(changed(bookstore, coupon=Column(type="varchar(20)", description="What was redeemed.")))
    [change] = analytics.plan()
    assert change.action == "update" and [d.path for d in change.differences] == ["columns.coupon"] and not change.refusal
    assert str(change).endswith("note: rows that are here already get coupon when the connector, applied with it, has read them again")
    assert analytics.apply() == ["updated table/fact_orders"]
    assert analytics.ask("select status, coupon from fact_orders") == [{"status": "PENDING", "coupon": None}]
    assert analytics.plan() == []


def refusal(analytics: Analytics, project: Project) -> str:
    """Why a changed project is refused; nothing of it may have been done."""
    before = analytics.ask("select * from pg_attribute where attrelid = 'fact_orders'::regclass")
    analytics.use(project)
    with pytest.raises(Refused) as refused:
        analytics.apply("table/fact_orders")
    assert analytics.ask("select * from pg_attribute where attrelid = 'fact_orders'::regclass") == before
    return str(refused.value)


def test_a_changed_type_is_refused_and_the_way_out_works(analytics: Analytics, bookstore: Project):
    upsert(analytics, "PENDING", 100)
    text = refusal(analytics, changed(bookstore, total=Column(type="numeric(12,2)")))
    assert (
        "the type of column total would change from numeric(10,2) to numeric(12,2); if its values fit, drop the views that read it" in text
    )
    way_out = text.split("`")[1]
    assert way_out == 'alter table "public"."fact_orders" alter column "total" type numeric(12,2)'
    views = ", ".join(f'"{view}"' for view in bookstore.views)
    analytics.ask(f"drop view {views}; {way_out}")
    analytics.apply()
    assert analytics.plan() == []
    assert [int(row["total"]) for row in analytics.ask("select total from sold_orders", role="reader")] == [10]


def test_a_column_that_is_no_longer_declared_is_refused_and_the_way_out_works(analytics: Analytics, bookstore: Project):
    text = refusal(analytics, changed(bookstore, user_id=None))
    assert "the spec no longer declares user_id, which would stay here and grow old; declare it again, or if nobody needs" in text
    analytics.ask(text.split("`")[1])
    analytics.apply()
    assert analytics.plan() == []


def test_a_changed_key_is_refused(analytics: Analytics, bookstore: Project):
    text = refusal(analytics, with_orders(bookstore, key=("id", "user_id")))
    assert "the key would change from (id) to (id, user_id), which makes other rows of the same data" in text


def test_several_reasons_are_given_at_once(analytics: Analytics, bookstore: Project):
    text = refusal(analytics, changed(bookstore, user_id=None, total=Column(type="bigint"), status=Column(type="bigint")))
    assert [word in text for word in ("user_id", "column total", "column status")] == [True, True, True]


def test_a_column_that_somebody_added_by_hand_is_left_alone(analytics: Analytics):
    analytics.ask("alter table fact_orders add column note text")
    assert analytics.plan() == []
    assert analytics.apply() == []


@pytest.mark.parametrize(
    ("edit", "path"),
    [
        ("comment on table fact_orders is 'mine [headrace bookstore 0123456789ab]'", "comment"),
        ("comment on column fact_orders.total is null", "columns.total.comment"),
        ("alter table fact_orders disable trigger headrace_arrival", "arrival_trigger"),
        ("drop trigger headrace_arrival on fact_orders", "arrival_trigger"),
        ("drop trigger headrace_departure on fact_orders", "departure_function"),
        (
            "create or replace trigger headrace_departure before insert on fact_orders for each row execute function fact_orders()",
            "departure_function",
        ),
        (
            "create or replace function fact_orders() returns trigger language plpgsql as 'begin return null; end'",
            "departure_function",
        ),
        ("alter table fact_orders alter column synced_at drop default", "columns.synced_at.default"),
        ("grant select on fact_orders to headrace_reader", "grants.headrace_reader"),
        ("grant select on fact_orders to public", "grants.headrace_reader"),
        ("revoke delete on fact_orders from headrace_writer", "grants.headrace_writer"),
    ],
)
def test_a_table_changed_by_hand_is_found_and_brought_back(analytics: Analytics, edit: str, path: str):
    analytics.ask(edit)
    [change] = analytics.plan()
    assert (change.resource.id, [difference.path for difference in change.differences]) == ("table/fact_orders", [path])
    assert analytics.apply() == ["updated table/fact_orders"]


@pytest.mark.parametrize(
    ("edit", "path"),
    [
        ("alter role headrace_reader in database {database} reset statement_timeout", "reader_settings.headrace_reader.statement_timeout"),
        (
            "alter role headrace_reader in database {database} set default_transaction_read_only = off",
            "reader_settings.headrace_reader.default_transaction_read_only",
        ),
        ("grant create on schema public to headrace_writer", "grants.headrace_writer"),
        ("revoke connect on database {database} from headrace_reader", "connect.headrace_reader"),
        (
            "create or replace function headrace_arrival() returns trigger language plpgsql as 'begin return new; end'",
            "arrival_function",
        ),
    ],
)
def test_a_schema_changed_by_hand_is_found_and_brought_back(analytics: Analytics, edit: str, path: str):
    analytics.ask(edit.format(database=analytics.environment.analytics.database))
    [change] = analytics.plan()
    assert (change.resource.id, [difference.path for difference in change.differences]) == ("schema/public", [path])
    assert analytics.apply() == ["updated schema/public"]


def test_what_was_edited_between_plan_and_write_is_not_touched(analytics: Analytics):
    resource = analytics.resources["table/fact_orders"]
    analytics.ask("drop table fact_orders cascade; create table fact_orders (mine int)")
    observed = analytics.backend.read(resource)
    with pytest.raises(Refused, match="was not made by Headrace"):
        analytics.backend.write(replace(resource, title="again"), observed)


def test_a_table_that_somebody_keeps_locked_can_be_tried_again(analytics: Analytics, bookstore: Project, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(connections, "_LOCK_TIMEOUT", 1)
    analytics.use(changed(bookstore, coupon=Column(type="text")))
    place = analytics.environment.analytics
    with connections.connection(place, place.writer, "a writer") as writer:
        writer.execute("select * from public.fact_orders")
        with pytest.raises(Unreachable, match="table/fact_orders: others kept the analytics database's lock on it for over 1 s; try again"):
            analytics.apply()
    assert analytics.apply() == ["updated table/fact_orders"]
