"""Dashboards out of Superset into the project: those that it made come back as they were, those made by hand become specs."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.conftest import ROOT, headrace
from e2e.superset_site import Site
from infra.platform import Platform
from project.loader import load_project
from superset_bootstrap.identity import uuid_of

CHARTS = {
    "Orders of each status": {"viz_type": "pie", "groupby": ["status"], "metric": "order_count_sum", "row_limit": 10, "adhoc_filters": []},
    "Orders as a gauge": {
        "viz_type": "gauge_chart",
        "groupby": ["status"],
        "metric": "order_count_sum",
        "row_limit": 5,
        "adhoc_filters": [],
    },
}


@pytest.fixture
def folder(platform: Platform, tmp_path: Path) -> Path:
    """The bookstore's specs, to be overwritten."""
    return Path(
        shutil.copytree(ROOT / "examples" / "bookstore", tmp_path / "bookstore", ignore=shutil.ignore_patterns("sample", "__pycache__"))
    )


def test_a_round_trip_changes_nothing(folder: Path):
    headrace("apply")
    for file in (folder / "dashboards").iterdir():
        headrace("export-dashboard", f"bookstore-{file.stem}", "--to", str(file), "-p", str(folder))
    planned = json.loads(headrace("plan", "--json", "-p", str(folder)).stdout)
    assert (planned["changes"], planned["prunable"]) == ([], [])


@pytest.fixture
def by_hand(platform: Platform) -> Iterator[str]:
    """A dashboard that somebody put together with the mouse: its address."""
    site = Site(platform, "admin")
    dataset = site.number("dataset", uuid_of("bookstore", "dataset/vw_order_status_distribution"))
    board = site.call("POST", "dashboard/", {"dashboard_title": "My board", "slug": "my-board", "published": True}).json()["id"]
    made: list[tuple[str, int]] = [("dashboard", board)]
    places = {
        "ROOT_ID": {"type": "ROOT", "id": "ROOT_ID", "children": ["GRID_ID"]},
        "GRID_ID": {"type": "GRID", "id": "GRID_ID", "children": ["ROW-1"]},
    }
    row = {"type": "ROW", "id": "ROW-1", "children": [], "meta": {"background": "BACKGROUND_TRANSPARENT"}}
    for title, params in CHARTS.items():
        body = {
            "slice_name": title,
            "viz_type": params["viz_type"],
            "datasource_id": dataset,
            "datasource_type": "table",
            "params": json.dumps(params),
        }
        answer = site.call("POST", "chart/", body | {"dashboards": [board]}).json()
        made.insert(0, ("chart", answer["id"]))
        uuid = site.call("GET", f"chart/{answer['id']}").json()["result"]["uuid"]
        place = {
            "type": "CHART",
            "id": f"CHART-{answer['id']}",
            "children": [],
            "meta": {"chartId": answer["id"], "uuid": uuid, "width": 6, "height": 40},
        }
        places[place["id"]], row["children"] = place, [*row["children"], place["id"]]
    site.call("PUT", f"dashboard/{board}", {"position_json": json.dumps(places | {"ROW-1": row, "DASHBOARD_VERSION_KEY": "v2"})})
    yield "my-board"
    for kind, number in made:
        site.call("DELETE", f"{kind}/{number}")


def test_a_dashboard_made_by_hand_becomes_a_spec(folder: Path, by_hand: str):
    spec = folder / "dashboards" / "board.yaml"
    headrace("export-dashboard", by_hand, "--to", str(spec), "-p", str(folder))
    board = load_project(folder).dashboards["board"]
    assert [(chart.title, chart.type, chart.width) for chart in board.charts] == [
        ("Orders of each status", "pie", 6), ("Orders as a gauge", "raw", 6),
    ]  # fmt: skip
    planned = json.loads(headrace("plan", "--json", "-p", str(folder)).stdout)
    assert {(change["id"], change["action"]) for change in planned["changes"]} == {
        ("chart/board.orders_of_each_status", "create"), ("chart/board.orders_as_a_gauge", "create"), ("dashboard/board", "create"),
    }  # fmt: skip


def test_a_dashboard_that_does_not_exist_is_said(platform: Platform):
    done = headrace("export-dashboard", "nowhere", check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("Superset shows us no dashboard 'nowhere'; give the last part of its address")
