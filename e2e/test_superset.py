"""Superset's content and its rights, on the running platform."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests

from e2e.conftest import ROOT
from e2e.superset_site import Site
from infra.platform import Platform
from orchestration.catalogue import Catalogue, build_catalogue
from orchestration.reconcile import Action, apply, plan
from project.environment import Environment
from project.loader import load_project
from project.models import Project
from project.resources import Refused, Resource, State


@pytest.fixture
def catalogue(bookstore: Project, environment: Environment) -> Catalogue:
    return build_catalogue(bookstore, environment)


@pytest.fixture(scope="module")
def sites(platform: Platform) -> Callable[[str], Site]:
    """One session per user: logins are slow, and throttled."""
    opened: dict[str, Site] = {}

    def site(user: str) -> Site:
        if user not in opened:
            opened[user] = Site(platform, user)
        return opened[user]

    return site


def content(catalogue: Catalogue) -> list[Resource]:
    return [resource for resource in catalogue.resources if resource.system == "superset"]


def put_back(catalogue: Catalogue) -> dict[str, Action]:
    """Apply all content; what was changed."""
    changes = {resource.id: apply(catalogue.backend(resource), resource)[0].action for resource in content(catalogue)}
    return {resource_id: action for resource_id, action in changes.items() if action is not Action.NONE}


# --- content


def test_all_content_is_as_declared(catalogue: Catalogue):
    changes = [plan(catalogue.backend(resource), resource) for resource in content(catalogue)]
    assert [str(change) for change in changes if change.action is not Action.NONE] == []


def test_what_is_marked_as_ours_is_just_what_is_declared(catalogue: Catalogue):
    assert set(catalogue.backends["superset"].owned()) == {resource.id for resource in content(catalogue)}


@pytest.mark.parametrize("dashboard", ["overview", "sales", "inventory"])
def test_every_chart_answers_with_rows(catalogue: Catalogue, dashboard: str):
    charts = [resource for resource in catalogue.of_kind("chart") if resource.name.startswith(f"{dashboard}.")]
    healths = [catalogue.backend(chart).health(chart) for chart in charts]
    assert [health.text for health in healths if health.state is not State.PASSED] == []


def test_a_chart_deleted_by_hand_comes_back_on_its_dashboard(catalogue: Catalogue, sites: Callable[[str], Site]):
    chart, dashboard = catalogue.by_id["chart/sales.order_status"], catalogue.by_id["dashboard/sales"]
    admin = sites("admin")
    assert admin.call("DELETE", f"chart/{admin.number('chart', chart.document['uuid'])}").ok
    assert put_back(catalogue) == {chart.id: Action.CREATE, dashboard.id: Action.UPDATE}
    shown = admin.call("GET", f"dashboard/{dashboard.document['slug']}/charts").json()["result"]
    assert chart.title in {one["slice_name"] for one in shown}


def test_a_metric_added_by_hand_shows_and_is_removed(catalogue: Catalogue, sites: Callable[[str], Site]):
    dataset = catalogue.by_id["dataset/vw_revenue_by_genre"]
    admin = sites("admin")
    number = admin.number("dataset", dataset.document["uuid"])
    metrics = admin.call("GET", f"dataset/{number}").json()["result"]["metrics"]
    kept = [{key: metric[key] for key in ("id", "metric_name", "expression")} for metric in metrics]
    mine = {"metric_name": "my_margin", "expression": "sum(revenue) / 2"}
    assert admin.call("PUT", f"dataset/{number}", {"metrics": [*kept, mine]}).ok
    found = {difference.path: difference.observed for difference in plan(catalogue.backend(dataset), dataset).differences}
    assert found["undeclared"] == ["metrics.my_margin"]
    assert put_back(catalogue)[dataset.id] is Action.UPDATE
    assert plan(catalogue.backend(dataset), dataset).action is Action.NONE


def test_a_chart_that_the_database_refuses_is_refused_with_its_reason(
    bookstore: Project, environment: Environment, catalogue: Catalogue, tmp_path: Path
):
    shutil.copytree(ROOT / "examples" / "bookstore", tmp_path / "bookstore")
    view = tmp_path / "bookstore" / "views" / "vw_revenue_by_genre.sql"
    view.write_text(view.read_text().replace("expression: sum(revenue)", "expression: sum(genre)"))
    wrong = build_catalogue(load_project(tmp_path / "bookstore"), environment)
    dataset, chart = wrong.by_id["dataset/vw_revenue_by_genre"], wrong.by_id["chart/inventory.genre_share"]
    try:
        apply(wrong.backend(dataset), dataset)
        with pytest.raises(Refused, match=r"function sum\((text|character varying)\) does not exist"):
            wrong.backend(chart).write(chart, {})
    finally:
        put_back(catalogue)


def test_what_a_person_made_is_neither_ours_nor_touched(catalogue: Catalogue, sites: Callable[[str], Site]):
    ours = catalogue.by_id["chart/sales.order_status"]
    admin, title = sites("admin"), f"Mine {uuid4().hex[:8]}"
    original = admin.call("GET", f"chart/{ours.document['uuid']}").json()["result"]
    copied = {key: original[key] for key in ("viz_type", "params", "certified_by", "certification_details")}
    dataset = admin.number("dataset", ours.document["dataset_uuid"])
    made = admin.call("POST", "chart/", {**copied, "slice_name": title, "datasource_id": dataset, "datasource_type": "table"})
    number = made.json()["id"]
    try:
        assert put_back(catalogue) == {}
        assert sorted(catalogue.backends["superset"].owned()) == sorted(resource.id for resource in content(catalogue))
        assert admin.call("GET", f"chart/{number}").json()["result"]["slice_name"] == title
    finally:
        admin.call("DELETE", f"chart/{number}")


@pytest.fixture
def mine(environment: Environment, tmp_path: Path) -> Iterator[Path]:
    """The bookstore's folder with a view and a chart of one's own; all is gone afterwards."""
    shutil.copytree(ROOT / "examples" / "bookstore", folder := tmp_path / "bookstore")
    shutil.copy(folder / "views" / "vw_revenue_by_genre.sql", folder / "views" / "vw_mine.sql")
    chart = "{chart: mine, type: pie, title: Mine, view: vw_mine, metric: revenue_sum, dimension: genre, description: Mine., width: 6}"
    (folder / "dashboards" / "mine.yaml").write_text(
        f"title: Mine\ndescription: Mine.\nrows:\n  - height: 30\n    items:\n      - {chart}\n"
    )
    yield folder
    changed = build_catalogue(load_project(folder), environment)
    for resource_id in ("chart/mine.mine", "dataset/vw_mine", "view/vw_mine"):
        changed.backend(changed.by_id[resource_id]).delete(resource_id)


def test_a_dataset_that_a_person_made_over_our_view_is_left_alone(
    mine: Path, environment: Environment, sites: Callable[[str], Site]
):
    known = build_catalogue(load_project(mine), environment)
    view, dataset = known.by_id["view/vw_mine"], known.by_id["dataset/vw_mine"]
    apply(known.backend(view), view)
    admin = sites("admin")
    known_databases = admin.call("GET", "database/?q=(columns:!(id,uuid),page_size:100)").json()["result"]
    [database] = [one["id"] for one in known_databases if one["uuid"] == dataset.document["database_uuid"]]
    made = admin.call("POST", "dataset/", {"database": database, "schema": dataset.document["schema"], "table_name": "vw_mine"})
    path = f"dataset/{made.json()['id']}"
    try:
        own = {"metric_name": "my_margin", "expression": "sum(revenue) / 2"}
        assert admin.call("PUT", path, {"metrics": [own]}).ok
        for resource_id in (dataset.id, "chart/mine.mine"):
            with pytest.raises(Refused, match=r"another dataset over .*vw_mine, which is not ours"):
                known.backend(dataset).write(known.by_id[resource_id], None)
        assert "my_margin" in {metric["metric_name"] for metric in admin.call("GET", path).json()["result"]["metrics"]}
    finally:
        admin.call("DELETE", path)


def test_a_column_of_another_type_shows_in_a_plan_and_is_read_again(
    mine: Path, environment: Environment, sites: Callable[[str], Site]
):
    def types() -> dict[str, str]:
        shown = sites("admin").call("GET", f"dataset/{dataset.document['uuid']}").json()["result"]["columns"]
        return {column["column_name"]: column["type"] for column in shown}

    known = build_catalogue(load_project(mine), environment)
    dataset = known.by_id["dataset/vw_mine"]
    for resource_id in ("view/vw_mine", dataset.id):
        apply(known.backend(known.by_id[resource_id]), known.by_id[resource_id])
    before = types()["units_sold"]
    select = mine / "views" / "vw_mine.sql"
    select.write_text(select.read_text().replace("sum(quantity) as", "sum(quantity)::float8 as"))
    changed = build_catalogue(load_project(mine), environment)
    view, dataset = changed.by_id["view/vw_mine"], changed.by_id["dataset/vw_mine"]
    apply(changed.backend(view), view)
    assert plan(changed.backend(dataset), dataset).action is Action.UPDATE
    apply(changed.backend(dataset), dataset)
    assert types()["units_sold"] == "DOUBLE PRECISION" != before
    assert plan(changed.backend(dataset), dataset).action is Action.NONE


def test_another_project_does_not_take_over_a_connection_of_the_same_name(bookstore: Project, environment: Environment):
    twin = build_catalogue(bookstore.model_copy(update={"name": "twin"}), environment)
    database = twin.by_id["database/twin"]
    with pytest.raises(Refused, match=r"another database of that name, which is not ours; choose another analytics_title"):
        apply(twin.backend(database), database)


# --- rights

WRITES = [
    ("POST", "dashboard/", {"dashboard_title": "Mine"}),
    ("PUT", "dashboard/{dashboard}", {"dashboard_title": "Mine"}),
    ("DELETE", "dashboard/{dashboard}", None),
    ("POST", "chart/", {"slice_name": "Mine", "datasource_id": 1, "datasource_type": "table"}),
    ("PUT", "chart/{chart}", {"slice_name": "Mine"}),
    ("DELETE", "chart/{chart}", None),
    ("POST", "dataset/", {"database": 1, "schema": "public", "table_name": "fact_orders"}),
    ("PUT", "dataset/{dataset}", {"description": "Mine"}),
    ("DELETE", "dataset/{dataset}", None),
    ("POST", "database/", {"database_name": "Mine", "sqlalchemy_uri": "postgresql://nowhere/mine"}),
    ("PUT", "database/1", {"database_name": "Mine"}),
    ("DELETE", "database/1", None),
    ("POST", "theme/", {"theme_name": "Mine", "json_data": "{}"}),
    ("POST", "sqllab/execute/", {"database_id": 1, "sql": "select 1"}),
    ("GET", "database/1/connection", None),
    ("GET", "assets/export/", None),
    ("GET", "security/users/", None),
    ("POST", "security/users/", {"username": "mallory", "password": "mallory", "roles": [1], "active": True}),
    ("GET", "security/roles/", None),
    ("POST", "security/roles/", {"name": "Mine"}),
]


@pytest.mark.parametrize(("method", "path", "body"), WRITES, ids=[f"{method} {path}" for method, path, _ in WRITES])
def test_an_analyst_is_refused(
    sites: Callable[[str], Site], catalogue: Catalogue, method: str, path: str, body: dict[str, Any] | None
):
    admin = sites("admin")
    ours = ("dashboard/sales", "chart/sales.order_status", "dataset/vw_freshness")
    resources = [catalogue.by_id[resource_id] for resource_id in ours]
    numbers = {resource.kind: admin.number(resource.kind, resource.document["uuid"]) for resource in resources}
    assert sites("analyst").call(method, path.format_map(numbers), body).status_code in (403, 404)


def test_an_analyst_sees_every_dashboard(sites: Callable[[str], Site], bookstore: Project):
    shown = sites("analyst").call("GET", "dashboard/").json()["result"]
    assert {dashboard.title for dashboard in bookstore.dashboards.values()} <= {dashboard["dashboard_title"] for dashboard in shown}


def asked(sites: Callable[[str], Site], catalogue: Catalogue, **context: Any) -> int:
    """The status that an analyst gets who asks for a chart's data in a context."""
    admin, chart = sites("admin"), catalogue.by_id["chart/sales.order_status"]
    dataset = admin.number("dataset", chart.document["dataset_uuid"])
    query = {"columns": ["status"], "metrics": ["order_count_sum"]}
    body = {"datasource": {"id": dataset, "type": "table"}, "queries": [query], "form_data": context}
    return sites("analyst").call("POST", "chart/data", body).status_code


def test_an_analyst_gets_a_charts_data_on_its_dashboard_and_nowhere_else(sites: Callable[[str], Site], catalogue: Catalogue):
    admin = sites("admin")
    chart = admin.number("chart", catalogue.by_id["chart/sales.order_status"].document["uuid"])
    dashboard = admin.number("dashboard", catalogue.by_id["dashboard/sales"].document["uuid"])
    other = admin.number("dashboard", catalogue.by_id["dashboard/inventory"].document["uuid"])
    assert asked(sites, catalogue, slice_id=chart, dashboardId=dashboard) == 200
    assert asked(sites, catalogue) == 403
    assert asked(sites, catalogue, slice_id=chart, dashboardId=other) == 403


def test_an_analyst_cannot_hide_a_question_in_an_expression(sites: Callable[[str], Site], catalogue: Catalogue):
    """As Superset evaluates what a chart asks in SQL, within what the reader may: the views of all projects."""
    admin, chart = sites("admin"), catalogue.by_id["chart/sales.order_status"]
    place = {"slice_id": admin.number("chart", chart.document["uuid"])}
    place["dashboardId"] = admin.number("dashboard", catalogue.by_id["dashboard/sales"].document["uuid"])
    hidden = "max(query_to_xml('select * from bookstore.vw_revenue_by_author', true, false, '')::text)"
    query = {"columns": [], "metrics": [{"expressionType": "SQL", "label": "hidden", "sqlExpression": hidden}]}
    dataset = {"id": admin.number("dataset", chart.document["dataset_uuid"]), "type": "table"}
    answer = sites("analyst").call("POST", "chart/data", {"datasource": dataset, "queries": [query], "form_data": place})
    assert not answer.ok and "permission denied for function query_to_xml" in answer.text


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "security/users/", None),
        ("POST", "security/roles/", {"name": "Mine"}),
        ("POST", "sqllab/execute/", {"database_id": 1, "sql": "select 1"}),
    ],
)
def test_the_deployer_cannot_touch_users_roles_or_sql_lab(
    sites: Callable[[str], Site], method: str, path: str, body: dict[str, Any] | None
):
    assert sites("deployer").call(method, path, body).status_code == 403


def test_nobody_is_let_in_without_a_login(platform: Platform):
    answer = requests.get(f"{platform.url('superset')}/api/v1/dashboard/", timeout=30)
    assert answer.status_code == 401 or answer.json()["count"] == 0


def test_guessing_passwords_is_slowed_down_for_the_guessed_name_alone(platform: Platform, sites: Callable[[str], Site]):
    name, login = f"guessed-{uuid4().hex[:8]}", f"{platform.url('superset')}/api/v1/security/login"
    statuses = [
        requests.post(login, json={"username": name, "password": "wrong", "provider": "db"}, timeout=30).status_code for _ in range(12)
    ]
    assert statuses == [401] * 10 + [429] * 2
    assert sites("analyst").call("GET", "me/").ok


def test_pages_ask_no_other_host_and_cannot_be_framed(platform: Platform):
    answer = requests.get(f"{platform.url('superset')}/login/", timeout=30)
    policy = answer.headers["Content-Security-Policy"]
    assert "http" not in policy
    assert "default-src 'self'" in policy and "frame-ancestors 'self'" in policy
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie
