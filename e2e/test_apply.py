"""What an engineer does with a project: plan, apply, edit, find what was changed by hand, remove what is gone."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
import yaml
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,  # pyright: ignore[reportPrivateImportUsage]
    ConfigEntry,  # pyright: ignore[reportPrivateImportUsage]
    ConfigResource,  # pyright: ignore[reportPrivateImportUsage]
)

from cdc.kafka import KafkaBackend
from e2e.conftest import ROOT, headrace
from e2e.waiting import until
from infra.platform import Platform
from orchestration.catalogue import Catalogue, build_catalogue
from project.environment import Environment
from project.models import Project

Edit = Callable[[str, str, str], None]


@pytest.fixture
def edited(tmp_path: Path, platform: object) -> Path:
    """A copy of the bookstore to edit."""
    return shutil.copytree(ROOT / "examples" / "bookstore", tmp_path / "bookstore")


@pytest.fixture
def restored() -> Iterator[None]:
    """Afterwards the bookstore is applied as it is."""
    yield
    headrace("apply")


@pytest.fixture
def edit(edited: Path) -> Edit:
    def replace(file: str, old: str, new: str) -> None:
        text = (edited / file).read_text()
        assert old in text, f"{file} no longer holds {old!r}"
        (edited / file).write_text(text.replace(old, new, 1))

    return replace


@pytest.fixture(scope="session")
def catalogue(bookstore: Project, environment: Environment) -> Catalogue:
    return build_catalogue(bookstore, environment)


def plan(*arguments: str) -> dict[str, list[str]]:
    """What would change: id → paths of the differences."""
    changes = json.loads(headrace("plan", "--json", *arguments, check=False).stdout)["changes"]
    return {change["id"]: [difference["path"] for difference in change["differences"]] for change in changes}


def apply(*arguments: str) -> dict[str, str]:
    """What was changed: id → action."""
    return {change["id"]: change["action"] for change in json.loads(headrace("apply", "--json", *arguments).stdout)["changes"]}


def test_a_second_apply_changes_nothing(bookstore: Project):
    apply()
    assert plan() == {}
    assert apply() == {}


@pytest.mark.usefixtures("restored")
def test_an_edited_chart_title_is_planned_applied_and_seen(edited: Path, edit: Edit, catalogue: Catalogue):
    chart = catalogue.by_id["chart/sales.total_revenue"]
    edit("dashboards/sales.yaml", f"title: {chart.title}", "title: All our revenue")
    planned = plan("-p", str(edited))
    assert planned == {chart.id: ["slice_name"], "dashboard/sales": ["position.CHART-total_revenue.meta.sliceName"]}
    assert apply("-p", str(edited)) == {chart.id: "update", "dashboard/sales": "update"}
    observed = catalogue.backend(chart).read(chart)
    assert observed is not None and "All our revenue" in json.dumps(observed)


@pytest.mark.usefixtures("restored")
def test_a_changed_view_gives_new_numbers(edited: Path, edit: Edit, analytics: psycopg.Connection):
    before = analytics.execute("select count(*) from vw_order_status_distribution where status = 'CANCELLED'").fetchone()
    edit("views/vw_order_status_distribution.sql", "'(none)'", "'(no status)'")
    changed = [f"{kind}/vw_order_status_distribution" for kind in ("view", "dataset")]  # whose types may have become others
    assert list(plan("-p", str(edited))) == changed
    assert apply("-p", str(edited)) == dict.fromkeys(changed, "update")
    definition = analytics.execute("select pg_get_viewdef('vw_order_status_distribution'::regclass)").fetchone()
    assert definition and "(no status)" in definition[0]
    assert analytics.execute("select count(*) from vw_order_status_distribution where status = 'CANCELLED'").fetchone() == before


@pytest.mark.usefixtures("restored")
def test_an_added_column_is_altered_in_and_filled(
    edited: Path, source: Callable[[str], psycopg.Connection], analytics: psycopg.Connection
):
    shop = source("ecom")
    shop.execute("alter table orders add column if not exists gift_note text")
    spec = yaml.safe_load((edited / "sources" / "ecom.yaml").read_text())
    spec["tables"]["orders"]["columns"]["gift_note"] = "text"
    (edited / "sources" / "ecom.yaml").write_text(yaml.safe_dump(spec, sort_keys=False))
    try:
        changed = apply("-p", str(edited))
        # The connector has ended the job that does not know the column.
        assert (changed["table/fact_orders"], changed["connector/ecom-connector"], changed["job/ecom"]) == ("update", "restart", "create")
        row = shop.execute(
            "insert into orders (id, user_id, total, status, gift_note)"
            " values (gen_random_uuid(), gen_random_uuid(), 9.99, 'PENDING', 'for you') returning id"
        ).fetchone()
        assert row
        query = "select gift_note from fact_orders where id = %s"
        assert until(lambda: analytics.execute(query, [row[0]]).fetchone(), 60, "the new order with its new column") == ("for you",)
        shop.execute("delete from orders where id = %s", [row[0]])
    finally:
        shop.execute("alter table orders drop column gift_note")
        # What the refusal of a removed column says to do.
        analytics.execute("alter table fact_orders drop column gift_note")


def test_a_removed_column_is_refused_with_the_way_out(edited: Path, bookstore: Project):
    spec = yaml.safe_load((edited / "sources" / "inventory.yaml").read_text())
    spec["tables"]["inventory"]["columns"]["reserved"] = "bigint"
    (edited / "sources" / "inventory.yaml").write_text(yaml.safe_dump(spec, sort_keys=False))
    planned = headrace("plan", "-p", str(edited), check=False)
    assert planned.returncode == 1
    assert "refused" in planned.stdout and "table/fact_inventory" in planned.stdout


def drift_publication(source: Callable[[str], psycopg.Connection], **_: Any) -> str:
    source("ecom").execute("alter publication headrace_bookstore_ecom drop table books")
    return "capture/ecom"


def drift_topic(catalogue: Catalogue, **_: Any) -> str:
    resource = catalogue.by_id["topic/ecom-connector.public.books"]
    backend = catalogue.backend(resource)
    assert isinstance(backend, KafkaBackend)
    entry = ConfigEntry("retention.ms", "3600000", incremental_operation=AlterConfigOpType.SET)
    wanted = ConfigResource(ConfigResource.Type.TOPIC, resource.name, incremental_configs=[entry])
    admin = AdminClient(catalogue.environment.kafka.client())
    for future in admin.incremental_alter_configs([wanted]).values():
        future.result(timeout=20)
    return resource.id


def drift_connector(environment: Environment, **_: Any) -> str:
    url = f"{environment.connect.url}/connectors/inventory-connector/config"
    config = requests.get(url, timeout=10).json() | {"errors.tolerance": "all", "snapshot.include.collection.list": "public.authors"}
    until(lambda: requests.put(url, json=config, timeout=30).ok, 30, "Connect takes the configuration")
    return "connector/inventory-connector"


def drift_table(analytics: psycopg.Connection, **_: Any) -> str:
    analytics.execute("comment on column fact_orders.total is 'changed by hand'")
    return "table/fact_orders"


def drift_view(analytics: psycopg.Connection, **_: Any) -> str:
    definition = analytics.execute("select pg_get_viewdef('vw_book_price_distribution'::regclass)").fetchone()
    assert definition
    analytics.execute("create or replace view vw_book_price_distribution as " + definition[0].replace("Unknown", "Hand-made"))
    return "view/vw_book_price_distribution"


def drift_chart(catalogue: Catalogue, environment: Environment, platform: Platform, **_: Any) -> str:
    resource = catalogue.by_id["chart/sales.total_revenue"]
    site, session = environment.superset.url, requests.Session()
    password = (platform.secrets / "superset_admin").read_text().strip()
    login = {"username": "admin", "password": password, "provider": "db"}
    token = session.post(f"{site}/api/v1/security/login", json=login, timeout=30).json()["access_token"]
    session.headers["Authorization"] = f"Bearer {token}"
    session.headers["X-CSRFToken"] = session.get(f"{site}/api/v1/security/csrf_token/", timeout=30).json()["result"]
    number = session.get(f"{site}/api/v1/chart/{resource.document['uuid']}", timeout=30).json()["result"]["id"]
    assert session.put(f"{site}/api/v1/chart/{number}", json={"slice_name": "Edited by hand"}, timeout=30).ok
    return resource.id


def drift_capture(source: Callable[[str], psycopg.Connection], **_: Any) -> str:
    publication = "alter publication headrace_bookstore_ecom"
    source("ecom").execute(f"{publication} drop table books; {publication} add table books where (price > 5)".encode())
    source("ecom").execute("alter table order_items replica identity default")
    return "capture/ecom"


# What somebody changed by hand, and what it can lose.
DRIFT = {
    drift_capture: {"left-out", "identity"}, drift_topic: {"topic-retention"}, drift_connector: {"failed-records", "undeclared"},
    drift_table: set[str](), drift_view: set[str](), drift_chart: set[str](),
}  # fmt: skip


def test_what_was_changed_by_hand_is_found_with_what_it_can_lose_and_brought_back(
    platform: Platform, catalogue: Catalogue, environment: Environment, source: Callable[[str], psycopg.Connection],
    analytics: psycopg.Connection,
):  # fmt: skip
    apply()
    kept = {"platform": platform, "catalogue": catalogue, "environment": environment, "source": source, "analytics": analytics}
    planted = {plant(**kept): losses for plant, losses in DRIFT.items()}
    changes = json.loads(headrace("plan", "--json", check=False).stdout)["changes"]
    assert {change["id"]: {risk.partition(":")[0] for risk in change["risks"]} for change in changes} == planted
    assert apply().keys() == planted.keys()
    assert plan() == {}


def test_changes_made_while_a_table_was_not_published_arrive_with_its_repair(
    bookstore: Project, source: Callable[[str], psycopg.Connection], analytics: psycopg.Connection
):
    apply()
    shop = source("ecom")
    drift_publication(source)
    added = "insert into books (id, title, author, price) values (gen_random_uuid(), 'Unheard Of', 'Nobody', 1.00) returning id"
    [book] = shop.execute(added).fetchone() or [None]
    try:
        [change] = json.loads(headrace("plan", "--json", check=False).stdout)["changes"]
        assert "not all changes of public.books were published: every row is read" in change["note"]
        apply("capture/ecom")
        query = "select title from dim_books where id = %s"
        assert until(lambda: analytics.execute(query, [book]).fetchone(), 60, "the book that nobody told of") == ("Unheard Of",)
    finally:
        shop.execute("delete from books where id = %s", [book])


def test_a_setting_that_can_lose_changes_is_told_with_the_plan(bookstore: Project, source: Callable[[str], psycopg.Connection]):
    server = source("ecom")
    assert json.loads(headrace("plan", "--json", check=False).stdout)["risks"] == []
    server.execute("alter system set idle_replication_slot_timeout = '1h'")
    server.execute("select pg_reload_conf()")
    try:
        told = "capture/ecom: slot-timeout: idle_replication_slot_timeout is 3600 s, shorter than an outage of 24 h"
        until(lambda: told in headrace("plan", check=False).stdout, 30, "the plan tells it")
    finally:
        server.execute("alter system reset idle_replication_slot_timeout")
        server.execute("select pg_reload_conf()")


def test_local_times_without_their_zone_are_told_with_the_plan(edited: Path, source: Callable[[str], psycopg.Connection]):
    shop, spec = source("ecom"), yaml.safe_load((edited / "sources" / "ecom.yaml").read_text())
    spec["tables"]["orders"]["columns"]["noted_at"] = "timestamp"
    (edited / "sources" / "ecom.yaml").write_text(yaml.safe_dump(spec, sort_keys=False))
    shop.execute("alter table orders add column noted_at timestamp default localtimestamp")
    try:
        assert json.loads(headrace("plan", "--json", "-p", str(edited), check=False).stdout)["risks"] == []
        shop.execute(f"alter database {shop.info.dbname} set timezone = 'Europe/London'".encode())
        [told] = json.loads(headrace("plan", "--json", "-p", str(edited), check=False).stdout)["risks"]
        assert "time-zone: TimeZone is Europe/London, and the default of public.orders.noted_at is its local time" in told
    finally:
        shop.execute(f"alter database {shop.info.dbname} reset timezone".encode())
        shop.execute("alter table orders drop column noted_at")


@pytest.mark.usefixtures("restored")
def test_what_left_the_spec_is_shown_and_pruned(edited: Path, catalogue: Catalogue):
    folder = edited / "dashboards"
    spec = yaml.safe_load((folder / "inventory.yaml").read_text())
    for row in spec["rows"]:
        row["items"] = [item for item in row["items"] if item.get("chart") != "genre_share"]
    (folder / "inventory.yaml").write_text(yaml.safe_dump(spec, sort_keys=False))
    apply("-p", str(edited))
    assert json.loads(headrace("prune", "--json", "-p", str(edited)).stdout)["prunable"] == ["chart/inventory.genre_share"]
    headrace("prune", "--yes", "-p", str(edited))
    chart = catalogue.by_id["chart/inventory.genre_share"]
    assert until(lambda: catalogue.backend(chart).read(chart) is None, 40, "the chart is gone from Superset")
    assert json.loads(headrace("prune", "--json", "-p", str(edited)).stdout)["prunable"] == []


def test_a_new_name_is_something_new_and_the_old_one_is_left_to_prune(edited: Path, edit: Edit):
    edit("dashboards/inventory.yaml", "chart: genre_share", "chart: genre_parts")
    (edited / "streams" / "inventory.yaml").rename(edited / "streams" / "stock.yaml")
    planned = json.loads(headrace("plan", "--json", "-p", str(edited)).stdout)
    assert {change["id"]: change["action"] for change in planned["changes"]} == {
        "job/stock": "create", "chart/inventory.genre_parts": "create", "dashboard/inventory": "update",
    }  # fmt: skip
    assert planned["prunable"] == ["chart/inventory.genre_share", "job/inventory"]
    [note] = [change["note"] for change in planned["changes"] if change["id"] == "job/stock"]
    assert note == "it reads its topics from their beginning, unless the consumer group bookstore.stock stands in them already"


def test_all_checks_pass_on_a_platform_that_is_well(bookstore: Project):
    apply()
    until(lambda: headrace("check", check=False).returncode == 0, 240, "every check passes")


def test_a_wrong_spec_is_told_with_its_line_and_changes_nothing(edited: Path, edit: Edit):
    edit("dashboards/sales.yaml", "view: vw_sales_over_time", "view: vw_sales_over_tine")
    done = headrace("apply", "-p", str(edited), check=False)
    assert done.returncode == 2
    assert "dashboards/sales.yaml:" in done.stderr and 'did you mean "vw_sales_over_time"' in done.stderr
    assert "Traceback" not in done.stderr


def test_systems_that_do_not_answer_are_named_in_one_line(tmp_path: Path, environment: Environment, platform: object):
    text = yaml.safe_dump({**environment.model_dump(mode="json", exclude_none=True), "connect": {"url": "http://127.0.0.1:9"}})
    (tmp_path / "environment.yaml").write_text(text)
    done = headrace("plan", "-e", str(tmp_path / "environment.yaml"), check=False)
    assert done.returncode == 1
    assert "http://127.0.0.1:9" in done.stderr and "Traceback" not in done.stderr
