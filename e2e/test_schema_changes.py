"""What a table that changes its shape means to its rows: columns and tables that come, go, take another name, or hold too much."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e.shops import Shop, open_shop
from e2e.topics import records
from e2e.waiting import until
from flink.backends import FlinkBackend
from orchestration.healing import heal
from orchestration.reconcile import Action, apply, plan
from project.environment import Environment
from project.resources import Refused

_RESUMES = 120  # seconds

ORDERS = {"key": ["id"], "columns": {"id": "uuid", "total": "numeric(10,2)", "status": "text"}}
ORDERS_TABLE = (
    "create table orders (id uuid primary key default gen_random_uuid(), total numeric(10, 2), status text, note text default 'n')"
)


@pytest.fixture
def shop(tmp_path: Path, platform: object, environment: Environment) -> Iterator[Shop]:
    with open_shop(tmp_path, environment) as opened:
        yield opened


def mirror_500_orders(shop: Shop) -> None:
    shop.source.execute(ORDERS_TABLE)
    shop.source.execute("insert into orders (total) select generate_series(1, 500)")
    shop.declare({"orders": ORDERS})
    shop.apply()
    until(lambda: shop.rows("select count(*) from orders") == [(500,)], _RESUMES, "the first snapshot arrives")


def test_an_added_table_and_an_added_column_bring_their_old_rows_along(shop: Shop):
    shop.source.execute("create table books (id integer primary key, title text)")
    shop.source.execute("insert into books select n, 't' || n from generate_series(1, 500) n")
    mirror_500_orders(shop)
    shop.declare({
        "orders": {**ORDERS, "columns": {**ORDERS["columns"], "note": "text"}},
        "books": {"key": ["id"], "columns": {"id": "integer", "title": "text"}},
    })  # fmt: skip
    actions = shop.apply()
    assert actions["connector/" + shop.name] is Action.RESTART
    assert actions["job/shop"] is Action.CREATE  # the connector has ended the one that does not know the column
    shop.source.execute("insert into orders (total, note) values (-1, 'new'); delete from books where id = 1")
    until(
        lambda: shop.rows("select count(*) filter (where note = 'n'), count(*) from orders") == [(500, 501)],
        _RESUMES,
        "the column is filled",
    )
    until(lambda: shop.rows("select count(*), min(title) from books") == [(499, "t10")], _RESUMES, "the table is filled")


def test_rows_that_are_read_for_a_new_column_wait_for_the_job_that_writes_it(shop: Shop):
    mirror_500_orders(shop)
    before = shop.catalogue()
    shop.declare({"orders": {**ORDERS, "columns": {**ORDERS["columns"], "note": "text"}}})
    catalogue, topic = shop.catalogue(), f"{shop.name}.public.orders"
    job = catalogue.by_id["job/shop"]
    for resource in (one for one in catalogue.resources if one.system != "superset" and one is not job):
        apply(catalogue.backend(resource), resource)
    until(lambda: len(list(records(shop.environment.kafka, topic))) >= 1000, _RESUMES, "the rows are read again")
    shop.source.execute("insert into orders (total) values (501)")
    healed = heal(before, before.by_id["job/shop"], False, {}) or ""
    assert healed.startswith("job/shop waits to be applied"), "who has not loaded the new spec yet brings the old job back"
    jobs = catalogue.backend(job)
    assert isinstance(jobs, FlinkBackend)
    until(
        lambda: jobs.read(job) is None or all(letter.topic != topic for letter in jobs.unread(job)),
        _RESUMES,
        "the job of the old spec has ended, or has passed the rows",
    )
    apply(jobs, job)
    until(lambda: shop.rows("select count(*) from orders where note = 'n'") == [(501,)], _RESUMES, "the column is filled")


def test_a_table_that_takes_another_name_or_was_dropped_begins_with_every_row(shop: Shop):
    mirror_500_orders(shop)
    shop.declare({"orders": ORDERS}, {"orders": "sales"})
    shop.apply()
    shop.source.execute("delete from orders where total = 500; insert into orders (total) values (501)")
    query = "select count(*), max(total) from sales"
    until(lambda: shop.rows(query) == [(500, 501)], _RESUMES, "the table of another name is filled")
    shop.analytics.execute("drop table sales")
    shop.apply()
    until(lambda: shop.rows(query) == [(500, 501)], _RESUMES, "the table that was dropped is filled again")


def test_a_column_that_is_captured_no_more_is_not_taken_for_null_by_the_job_that_still_reads_it(shop: Shop):
    mirror_a_paid_order(shop)
    before = shop.catalogue()
    shop.declare({"orders": {**ORDERS, "columns": {"id": "uuid", "total": "numeric(10,2)"}}})
    catalogue = shop.catalogue()
    for resource in (one for one in catalogue.resources if one.system in ("postgres", "kafka", "connect")):
        apply(catalogue.backend(resource), resource)
    with pytest.raises(Refused, match="the spec no longer declares status"):
        apply(catalogue.backends["analytics"], catalogue.by_id["table/orders"])
    shop.source.execute("update orders set total = 2")
    topic = f"{shop.name}.public.orders"
    until(lambda: len(list(records(shop.environment.kafka, topic))) == 2, _RESUMES, "the change is in Kafka")
    assert (heal(before, before.by_id["job/shop"], False, {}) or "").startswith("job/shop waits to be applied")
    assert shop.rows("select total, status from orders") == [(1, "PAID")]
    shop.declare({"orders": ORDERS})
    shop.apply()
    until(lambda: shop.rows("select total, status from orders") == [(2, "PAID")], _RESUMES, "the change arrives with the column")


def test_a_column_that_is_gone_at_the_source_pauses_its_stream_until_it_is_back_or_the_spec_follows(shop: Shop):
    mirror_a_paid_order(shop)
    rename_status(shop, attempts := dict[str, Any](), 2)
    with pytest.raises(Refused, match=r"job/shop would not be started again, .* nothing was emptied"):
        shop.reread()
    assert shop.rows("select total, status from orders") == [(1, "PAID")]
    topic = f"{shop.name}.public.orders"
    until(lambda: len(list(records(shop.environment.kafka, topic))) == 2, _RESUMES, "the change is in Kafka, without the column")
    shop.source.execute("alter table orders rename state to status")
    catalogue = shop.catalogue()
    attempts.pop("job/shop")  # its next turn has come
    assert "submitted again where it stood" in (heal(catalogue, catalogue.by_id["job/shop"], False, attempts) or "")
    until(lambda: shop.rows("select total, status from orders") == [(2, "PAID")], _RESUMES, "the row is as in the source")

    rename_status(shop, {}, 3)
    with pytest.raises(Refused, match=r"column public\.orders\.status does not exist"):
        shop.apply()
    shop.analytics.execute("alter table orders drop column status")  # as the plan says
    shop.declare({"orders": {**ORDERS, "columns": {"id": "uuid", "total": "numeric(10,2)", "state": "text"}}})
    shop.apply()
    until(lambda: shop.rows("select total, state from orders") == [(3, "PAID")], _RESUMES, "the row is as in the source again")


def mirror_a_paid_order(shop: Shop) -> None:
    shop.source.execute(ORDERS_TABLE)
    shop.source.execute("insert into orders (total, status) values (1, 'PAID')")
    shop.declare({"orders": ORDERS})
    shop.apply()
    until(lambda: shop.rows("select status from orders") == [("PAID",)], _RESUMES, "the row arrives")


def rename_status(shop: Shop, attempts: dict[str, Any], total: int) -> None:
    """While the job runs, which is then ended and waits; the row changes meanwhile."""
    catalogue, says = shop.catalogue(), "public.orders.status is gone at the source"
    job = catalogue.by_id["job/shop"]
    assert heal(catalogue, job, True, attempts) is None
    shop.source.execute("alter table orders rename status to state")
    assert f"ended job/shop: {says}" in (heal(catalogue, job, True, attempts) or "")
    shop.source.execute("update orders set total = %s", [total])
    attempts.pop(job.id)
    assert f"job/shop waits: {says}" in (heal(catalogue, job, False, attempts) or "")
    assert says in shop.failure(job.id)
    with pytest.raises(Refused, match="job/shop waits"):
        catalogue.backend(job).write(job, None)


def test_a_row_that_no_record_can_hold_stops_its_connector_until_its_largest_column_is_left_out(shop: Shop):
    shop.source.execute("create table papers (id integer primary key, title text, body text)")
    columns = {"id": "integer", "title": "text", "body": "text"}
    shop.declare({"papers": {"key": ["id"], "columns": columns}})
    shop.apply()
    shop.source.execute("insert into papers values (1, 'short', 'x'), (2, 'long', repeat('x', 17000000)), (3, 'later', 'y')")
    says = "a changed row has more than 16 MB, counted with what it was before: leave its largest column out"
    until(lambda: says in shop.failure(f"connector/{shop.name}"), _RESUMES, "the check of the connector is red and says what to do")
    del columns["body"]
    shop.analytics.execute("alter table papers drop column body")  # as the plan says
    shop.declare({"papers": {"key": ["id"], "columns": columns}})
    shop.apply()
    papers = [(1, "short"), (2, "long"), (3, "later")]
    until(lambda: shop.rows("select id, title from papers order by id") == papers, _RESUMES, "all rows arrive without it")


def test_a_table_that_left_the_publication_is_drift_and_comes_back(shop: Shop):
    shop.source.execute(ORDERS_TABLE)
    shop.declare({"orders": ORDERS})
    shop.apply()
    publication = shop.name.replace("-", "_")
    shop.source.execute(
        f"alter publication headrace_{publication}_shop drop table orders; alter table orders replica identity default".encode()
    )
    catalogue = shop.catalogue()
    capture = catalogue.by_id["capture/shop"]
    found = {difference.path for difference in plan(catalogue.backend(capture), capture).differences}
    assert found == {"publication.tables", "tables.public.orders.replica_identity"}
    assert shop.apply()["capture/shop"] is Action.UPDATE
    assert plan(catalogue.backend(capture), capture).action is Action.NONE


def test_a_table_that_the_source_does_not_have_is_refused_before_anything_is_made(shop: Shop):
    shop.declare({"orders": ORDERS})
    with pytest.raises(Refused, match=r"table public\.orders does not exist; correct its name in the spec or create it"):
        shop.apply()
    assert shop.owned() == set()
