"""What happens to a row: each change of the source reaches the analytics tables, exactly, whatever is done to the streams."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest

from cdc.connect import Connect
from e2e.conftest import headrace
from e2e.shops import Shop, open_shop
from e2e.waiting import until
from flink.backends import FlinkBackend
from flink.cluster import Cluster
from orchestration.reconcile import Action
from project.environment import Environment
from project.models import Project
from project.resources import Refused, State

_ARRIVES, _RESUMES = 60, 120  # seconds

ORDERS = {"key": ["id"], "columns": {"id": "uuid", "total": "numeric(10,2)", "status": "text"}}
ORDERS_TABLE = "create table orders (id uuid primary key default gen_random_uuid(), total numeric(10, 2), status text)"
KINDS = {
    "key": ["id", "part"],
    "columns": {
        "id": "bigint", "part": "integer", "flag": "boolean", "small": "smallint", "amount": "numeric(38,18)", "ratio": "double precision",
        "words": "text", "short": "varchar(20)", "ident": "uuid", "day": "date", "local": "timestamp", "instant": "timestamptz",
    },
}  # fmt: skip
KINDS_TABLE = """
create table kinds (
  id bigint, part integer, flag boolean, small smallint, amount numeric(38, 18), ratio double precision,
  words text, short varchar(20), ident uuid, day date, local timestamp, instant timestamptz, primary key (id, part)
)
"""


@pytest.fixture
def shop(tmp_path: Path, platform: object, environment: Environment) -> Iterator[Shop]:
    with open_shop(tmp_path, environment) as opened:
        yield opened


def order(analytics: psycopg.Connection, key: UUID) -> tuple[object, ...] | None:
    return analytics.execute("select total, status, from_snapshot from fact_orders where id = %s", [key]).fetchone()


def test_an_order_is_inserted_updated_and_deleted(source: Callable[[str], psycopg.Connection], analytics: psycopg.Connection):
    ecom, key = source("ecom"), uuid4()
    ecom.execute("insert into orders (id, user_id, total, status) values (%s, %s, 9.99, null)", [key, uuid4()])
    until(lambda: order(analytics, key) == (Decimal("9.99"), None, False), _ARRIVES, "the order arrives")
    ecom.execute("update orders set total = 1234567.10, status = 'CONFIRMED' where id = %s", [key])
    until(lambda: order(analytics, key) == (Decimal("1234567.10"), "CONFIRMED", False), _ARRIVES, "its update arrives")
    ecom.execute("delete from orders where id = %s", [key])
    until(lambda: order(analytics, key) is None, _ARRIVES, "its deletion arrives")


def test_a_row_says_when_it_was_committed_and_when_it_arrived(source: Callable[[str], psycopg.Connection], analytics: psycopg.Connection):
    ecom, key = source("ecom"), uuid4()
    before = datetime.now(UTC).replace(tzinfo=None)
    ecom.execute("insert into orders (id, user_id, total, status) values (%s, %s, 1, 'PENDING')", [key, uuid4()])
    try:
        query = "select source_committed_at, synced_at, source_position from fact_orders where id = %s"
        arrived = until(lambda: analytics.execute(query, [key]).fetchone(), _ARRIVES, "the order arrives")
        assert arrived
        committed, synced, position = arrived
        # Both in UTC, and apart by no more than a busy machine needs.
        assert abs((committed - before).total_seconds()) < 30
        assert 0 <= (synced - committed).total_seconds() < _ARRIVES
        assert position > 0
    finally:
        ecom.execute("delete from orders where id = %s", [key])


def test_every_type_arrives_exactly(shop: Shop):
    shop.source.execute(KINDS_TABLE)
    values = [
        (1, 1, True, -5, Decimal("123456789.123456789012345678"), 2.5e300, 'täxt "q" \n \\ 😀', "short", uuid4(),
         date(2024, 2, 29), datetime(2024, 3, 31, 2, 30, 0, 123456), datetime(2024, 7, 1, 10, 0, 0, 654321, UTC)),
        (1, 2, *[None] * 10),
        (2**62, 1, False, 0, Decimal("-0.000000000000000001"), 1e-300, "", "", uuid4(),
         date(9999, 12, 31), datetime(1, 1, 1), datetime(1969, 12, 31, 23, 59, 59, 999999, UTC)),
    ]  # fmt: skip
    insert = "insert into kinds values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
    shop.source.cursor().executemany(insert, values[:1])  # read by the first snapshot
    shop.declare({"kinds": KINDS})
    shop.apply()
    shop.source.cursor().executemany(insert, values[1:])  # read from the log
    expected = {tuple(value.replace(tzinfo=None) if isinstance(value, datetime) else value for value in row) for row in values}
    columns = ", ".join(KINDS["columns"])
    until(lambda: set(shop.rows(f"select {columns} from kinds")) == expected, _RESUMES, "all values arrive")


def test_a_changed_key_moves_the_row(shop: Shop):
    shop.source.execute(KINDS_TABLE)
    shop.declare({"kinds": KINDS})
    shop.apply()
    big = "x" * 50_000  # stored out of line, and not written again when the key changes
    shop.source.execute("insert into kinds (id, part, words) values (1, 1, %s), (2, 1, 'two')", [big])
    shop.source.execute("update kinds set id = 3 where id = 1")
    until(lambda: set(shop.rows("select id, words from kinds")) == {(3, big), (2, "two")}, _RESUMES, "the row moves, with its text")


def test_applying_again_changes_nothing_and_leaves_the_job_alone(shop: Shop):
    shop.source.execute(ORDERS_TABLE)
    shop.declare({"orders": ORDERS})
    assert set(shop.apply().values()) == {Action.CREATE}
    job = shop.health("job/shop").facts["job"]
    assert set(shop.apply().values()) == {Action.NONE}
    assert shop.health("job/shop").facts["job"] == job


def test_tasks_share_the_partitions_of_a_stream_as_far_as_flink_has_slots_and_each_row_keeps_its_order(shop: Shop):
    shop.source.execute(ORDERS_TABLE)
    shop.declare({"orders": ORDERS})
    shop.apply()
    shop.declare({"orders": ORDERS}, parallelism=2)
    assert shop.apply()["job/shop"] is Action.RESTART
    shop.source.execute("insert into orders (total) select generate_series(1, 1000)")
    for _ in range(5):
        shop.source.execute("update orders set total = total + 1000")
    shop.source.execute("delete from orders where total <= 5500")
    until(lambda: totals(shop) == set(range(5501, 6001)), _RESUMES, "the table is as in the source")
    flink = Cluster(shop.environment.flink.url)
    [running] = [one for one in flink.jobs() if one.id == shop.health("job/shop").facts["job"]]
    assert flink.slots_of(running) == 2
    _, partitions = zip(*shop.catalogue().lag.offsets("shop"), strict=True)
    assert set(partitions) == {0, 1}
    job, project = shop.catalogue().by_id["job/shop"], shop.catalogue().project
    wide = replace_stream(project, parallelism=1000)
    with pytest.raises(Refused, match=r"job/shop needs 1000 task slots, and of the 100 of Flink \d+ can be had; start a TaskManager"):
        FlinkBackend(wide, shop.environment).write(replace(job, document={"running": ["another"]}), None)
    until(lambda: shop.health("job/shop").state is State.PASSED, _RESUMES, "the check of the job is green")


def replace_stream(project: Project, **changes: object) -> Project:
    """The project with another stream in the place of the shop's, of a kind that no spec could ask for."""
    return project.model_copy(update={"streams": {"shop": project.streams["shop"].model_copy(update=changes)}})


def test_two_who_submit_at_the_same_time_leave_one_job(shop: Shop):
    shop.source.execute(ORDERS_TABLE)
    shop.declare({"orders": ORDERS})
    shop.apply()
    catalogue = shop.catalogue()
    job = catalogue.by_id["job/shop"]
    backends = [shop.catalogue().backends["flink"] for _ in range(2)]
    backends[0].delete(job.id)
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda backend: backend.write(job, None), backends))
    assert catalogue.backend(job).read(job) == job.document


def test_what_flink_cannot_plan_leaves_the_job_that_runs_alone(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    shop.source.execute(ORDERS_TABLE)
    shop.declare({"orders": ORDERS})
    shop.apply()
    catalogue = shop.catalogue()
    job = catalogue.by_id["job/shop"]
    monkeypatch.setattr("flink.jobs.statements", lambda *_: ("execute statement set begin insert into nowhere select 1; end",))
    with pytest.raises(Refused, match="nowhere"):
        catalogue.backend(job).write(replace(job, document={"running": ["another"]}), None)
    assert catalogue.backend(job).read(job) == job.document


def test_a_truncated_table_stops_its_stream_until_it_is_read_again(shop: Shop):
    shop.source.execute(ORDERS_TABLE)
    shop.declare({"orders": ORDERS})
    shop.apply()
    shop.source.execute("insert into orders (total) values (1)")
    until(lambda: shop.rows("select total from orders") == [(Decimal("1.00"),)], _ARRIVES, "the order arrives")
    shop.source.execute("truncate orders")
    says = "in the change of public.orders at position"
    until(lambda: says in shop.failure("job/shop"), _RESUMES, "the check of the job is red and says where it stopped")
    assert shop.rows("select count(*) from orders") == [(1,)]
    shop.source.execute("insert into orders (total) values (2)")
    shop.reread()
    shop.source.execute("insert into orders (total) values (3)")
    until(lambda: totals(shop) == {2, 3}, _RESUMES, "the table is as in the source")
    until(lambda: shop.health("job/shop").state is State.PASSED, _RESUMES, "the check of the job is green")


def test_a_table_is_read_again_while_its_stream_goes_on(shop: Shop):
    shop.source.execute(ORDERS_TABLE)
    shop.declare({"orders": ORDERS})
    shop.apply()
    shop.source.execute("insert into orders (total) select n from generate_series(1, 100) n")
    until(lambda: totals(shop) == set(range(1, 101)), _ARRIVES, "the orders arrive")
    shop.rows("delete from orders where total > 50 returning id")
    done = headrace("reread", "shop", "orders", "-p", str(shop.folder))
    assert "the rows of orders arrive again in orders, between its changes" in done.stdout
    shop.source.execute("insert into orders (total) values (101)")
    until(lambda: totals(shop) == set(range(1, 102)), _RESUMES, "the table is as in the source")
    done = headrace("reread", "shop", "items", "-p", str(shop.folder), check=False)
    assert done.returncode == 2 and "there is no table of shop items; there is orders" in done.stderr


def test_a_lost_slot_is_a_gap_that_is_told_and_not_jumped_over(shop: Shop):
    shop.source.execute(ORDERS_TABLE)
    shop.declare({"orders": ORDERS})
    shop.apply()
    shop.source.execute("insert into orders (total) values (1), (2)")
    until(lambda: totals(shop) == {1, 2}, _ARRIVES, "the orders arrive")
    connect, slot = Connect(shop.environment.connect.url), f"headrace_{shop.name.replace('-', '_')}_shop"
    connect.stop(shop.name)
    dropped = "select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = %s and not active"
    until(lambda: shop.source.execute(dropped, [slot]).rowcount, _ARRIVES, "the slot is dropped")
    shop.source.execute("delete from orders where total = 1; insert into orders (total) values (3)")
    connect.resume(shop.name)
    until(lambda: shop.health(f"connector/{shop.name}").state is State.FAILED, _RESUMES, "the connector's check is red")
    shop.source.execute("insert into orders (total) values (4)")
    assert totals(shop) == {1, 2}
    shop.reread()
    until(lambda: totals(shop) == {2, 3, 4}, _RESUMES, "the table is as in the source")


def test_a_connector_of_a_new_name_waits_until_the_old_one_has_left_its_slot(shop: Shop):
    shop.source.execute(ORDERS_TABLE)
    shop.source.execute("insert into orders (total) values (1), (2)")
    shop.declare({"orders": ORDERS})
    shop.apply()
    until(lambda: totals(shop) == {1, 2}, _ARRIVES, "the orders arrive")
    rename_connector(shop)
    with pytest.raises(Refused, match=f"is read by connector {shop.name}, which is in no spec any more; run `headrace prune`"):
        shop.apply()
    shop.source.execute("insert into orders (total) values (3)")
    until(lambda: totals(shop) == {1, 2, 3}, _ARRIVES, "the old connector and its job go on meanwhile")
    headrace("prune", "--yes", "-p", str(shop.folder))
    left = [one for one in shop.owned() if one.startswith((f"connector/{shop.name}", f"topic/{shop.name}."))]
    assert left == [], "nothing of the old one"
    shop.source.execute("delete from orders where total = 1; insert into orders (total) values (4)")
    shop.apply()
    until(lambda: totals(shop) == {1, 2, 3, 4}, _RESUMES, "every row is read again")
    headrace("verify", "orders", "--heal", "-p", str(shop.folder))
    assert totals(shop) == {2, 3, 4}


def test_a_refused_connector_leaves_the_filters_of_its_source_running(shop: Shop):
    shop.declare_filters([{
        "id": "sold", "name": "Sold", "consumerId": "desk", "outputTopic": "sold", "enabled": True,
        "conditions": [{"field": "eventName", "operator": "equals", "value": "Sold"}],
    }])  # fmt: skip
    shop.apply()
    before = shop.owned()
    rename_connector(shop)
    for refused in (shop.apply, shop.reread):
        with pytest.raises(Refused, match=f"in whose topics the filters of its outbox stand; call it {shop.name} again"):
            refused()
    assert shop.owned() == before, "no topic more, and the job runs"


def rename_connector(shop: Shop) -> None:
    spec = shop.folder / "sources" / "shop.yaml"
    spec.write_text(spec.read_text().replace(f"connector: {shop.name}", f"connector: {shop.name}-anew"))


def totals(shop: Shop) -> set[int]:
    return {int(total) for (total,) in shop.rows("select total from orders")}


def test_pruning_leaves_nothing_behind(shop: Shop):
    shop.source.execute(ORDERS_TABLE)
    shop.declare({"orders": ORDERS})
    made = set(shop.apply())
    assert made <= shop.owned()
    shop.prune()
    assert shop.owned() == set()
    slots = shop.source.execute("select slot_name from pg_replication_slots where database = current_database()").fetchall()
    assert slots == []
    assert shop.source.execute("select total from orders").fetchall() == []
