"""A second project on the platform of the first: neither meets the other, in any system."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import requests
import yaml

from e2e.conftest import connect, headrace
from e2e.superset_site import Site
from e2e.waiting import until
from infra.platform import Platform
from project.environment import Environment

_UP_SECONDS, _ARRIVES = 300, 60
_LOCATIONS = "{ workspaceOrError { ... on Workspace { locationEntries { name locationOrLoadError { __typename } } } } }"
_LOADED = "RepositoryLocation"
_NODES = "{ assetNodes { assetKey { path } groupName } }"
SOURCE = {"fruits": {"key": ["id"], "columns": {"id": "integer", "name": "text", "kilos": "numeric(8,1)"}}}
VIEW = """/*
title: Fruits
description: What lies on the stall.
columns: {name: Its name., kilos: How much of it there is.}
metrics: {total_kilos: {expression: sum(kilos), label: Kilos, description: All that lies there., format: ",.1f"}}
*/
select name, kilos from fruits
"""
CHART = {
    "width": 6, "chart": "kilos", "type": "big_number", "title": "Kilos", "view": "vw_fruits", "metric": "total_kilos",
    "description": "All that lies there.",
}  # fmt: skip


@pytest.fixture(scope="module")
def stall(platform: Platform, environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project beside the bookstore, whose views have names of the bookstore's."""
    folder, database = tmp_path_factory.mktemp("stall"), f"stall_{uuid4().hex[:8]}"
    documents = {
        "project.yaml": {"name": "stall", "title": "Fruit stall", "owner": "stall@example.com"},
        "sources/ecom.yaml": {"database": database, "tables": SOURCE},
        "streams/ecom.yaml": {"kind": "mirror", "source": "ecom", "tables": {"fruits": "fruits"}},
        "dashboards/sales.yaml": {
            "title": "Fruit sales", "description": "What the stall sells.", "rows": [{"height": 20, "items": [CHART]}],
        },
    }  # fmt: skip
    for path, document in documents.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(yaml.safe_dump(document, sort_keys=False))
    (folder / "views").mkdir()
    (folder / "views" / "vw_fruits.sql").write_text(VIEW)
    place = environment.source("ecom")
    with connect(place.host, place.port, "postgres", place.admin) as server:
        server.execute(f"create database {database}".encode())
        with connect(place.host, place.port, database, place.admin) as source:
            source.execute("create table fruits (id integer primary key, name text, kilos numeric(8, 1))")
            source.execute("insert into fruits values (1, 'plum', 12.5), (2, 'pear', 7.5)")
        headrace("up", "-p", str(folder), seconds=_UP_SECONDS)
        yield folder
        headrace("erase", "-p", str(folder), "--yes", seconds=_UP_SECONDS)
        server.execute(f"drop database {database} with (force)".encode())


def test_each_project_has_its_own_code_location(stall: Path, platform: Platform):
    assert _locations(platform) == {"bookstore": _LOADED, "stall": _LOADED}
    projects = {node["assetKey"]["path"][0] for node in _graphql(platform, _NODES)["assetNodes"]}
    assert projects == {"bookstore", "stall"}


def test_neither_plan_sees_the_other(stall: Path):
    for arguments in ([], ["-p", str(stall)]):
        planned = json.loads(headrace("plan", "--json", *arguments).stdout)
        assert (planned["changes"], planned["prunable"]) == ([], [])


def test_an_analyst_of_one_does_not_see_the_other(stall: Path, platform: Platform):
    seen = {user: _dashboards(Site(platform, user)) for user in ("analyst-stall", "analyst-bookstore", "analyst")}
    assert seen["analyst-stall"] == {"stall-sales"}
    assert seen["analyst-bookstore"] == {"bookstore-sales", "bookstore-inventory", "bookstore-overview"}
    assert seen["analyst"] == seen["analyst-stall"] | seen["analyst-bookstore"]
    theirs = Site(platform, "admin").call("GET", "dashboard/bookstore-sales/charts").json()["result"][0]["id"]
    assert Site(platform, "analyst-stall").call("GET", f"chart/{theirs}/data/").status_code in (403, 404)


def test_the_second_has_its_own_rows(stall: Path, environment: Environment):
    place = environment.analytics
    assert place.database
    with connect(place.host, place.port, place.database, place.admin) as analytics:
        until(lambda: analytics.execute("select sum(kilos) from stall.vw_fruits").fetchone() == (20,), _ARRIVES, "the fruits arrive")


def test_what_is_unfinished_in_one_is_nothing_to_the_other(stall: Path, platform: Platform):
    """Neither where it is edited while it runs, nor where it has to start so."""
    spec = stall / "dashboards" / "sales.yaml"
    finished = spec.read_text()
    spec.write_text("rows: [")
    try:
        headrace("up", seconds=_UP_SECONDS)
        assert _locations(platform) == {"bookstore": _LOADED, "stall": _LOADED}
        components = json.loads(headrace("status", "--json").stdout)["components"]
        os.kill(next(one["pid"] for one in components if one["name"] == "dagster-code-stall"), signal.SIGKILL)
        until(lambda: _locations(platform)["stall"] == "PythonError", _ARRIVES, "Dagster knows that it cannot be loaded")
        told = headrace("up", seconds=_UP_SECONDS).stderr
        assert "could not load project stall" in told and "dashboards/sales.yaml" in told
    finally:
        spec.write_text(finished)
    headrace("up", "-p", str(stall), seconds=_UP_SECONDS)
    assert _locations(platform) == {"bookstore": _LOADED, "stall": _LOADED}


def test_erasing_one_leaves_the_other(stall: Path, platform: Platform):
    shown = headrace("prune", "-p", str(stall), "--json").stdout
    assert json.loads(shown)["prunable"] == []
    headrace("erase", "-p", str(stall), "--yes", seconds=_UP_SECONDS)
    planned = json.loads(headrace("plan", "--json", "-p", str(stall), check=False).stdout)
    assert {change["action"] for change in planned["changes"]} == {"create"}
    bookstore = json.loads(headrace("plan", "--json").stdout)
    assert (bookstore["changes"], bookstore["prunable"]) == ([], [])
    until(lambda: _locations(platform) == {"bookstore": _LOADED}, _ARRIVES, "Dagster has the bookstore alone")


def _locations(platform: Platform) -> dict[str, str]:
    entries = _graphql(platform, _LOCATIONS)["workspaceOrError"]["locationEntries"]
    return {entry["name"]: (entry["locationOrLoadError"] or {}).get("__typename", "") for entry in entries}


def _dashboards(site: Site) -> set[str]:
    return {row["slug"] for row in site.call("GET", "dashboard/").json()["result"]}


def _graphql(platform: Platform, query: str) -> dict:
    answer = requests.post(f"{platform.url('dagster')}/graphql", json={"query": query}, timeout=60).json()
    assert "errors" not in answer, answer["errors"]
    return answer["data"]
