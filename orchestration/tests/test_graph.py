"""The whole graph of the bookstore as Dagster sees it, compared with a golden file; and the catalogue that it comes from."""

import os
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import dagster as dg
import pytest

from orchestration.assets import external_assets, sync_health
from orchestration.catalogue import Catalogue, build_catalogue, order
from orchestration.certificates import Certificate, Difference
from orchestration.checks import LIVE_CHECKS
from orchestration.definitions import build_definitions
from orchestration.reconcile import Action, Change
from orchestration.tests.conftest import compiled
from project.problems import Location, ProjectError
from project.resources import Resource, State

GOLDEN = Path(__file__).with_name("golden")


def listing(catalogue: Catalogue) -> str:
    definitions = build_definitions(catalogue)
    graph = definitions.resolve_asset_graph()
    lines = []
    for key in sorted(graph.get_all_asset_keys(), key=lambda key: (graph.get(key).group_name, key.path)):
        node = graph.get(key)
        checks = sorted(check.name for check in graph.get_check_keys_for_assets({key}))
        lines.append(f"{node.group_name}  {'/'.join(key.path)}  {','.join(sorted(node.kinds))}  checks: {' '.join(checks) or '-'}")
        lines += [f"    ← {'/'.join(parent.path)}" for parent in sorted(node.parent_keys)]
    repository = definitions.get_repository_def()
    lines.append("jobs: " + " ".join(sorted(name for name in repository.job_names if not name.startswith("__"))))
    lines.append("sensors: " + " ".join(sorted(sensor.name for sensor in repository.sensor_defs)))
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("project", ["bookstore", "cars"])
def test_the_graph_is_the_golden_one(project: str):
    text, golden = listing(compiled(project)), GOLDEN / f"graph-{project}.txt"
    if os.environ.get("HEADRACE_GOLDEN") == "write":
        golden.write_text(text)
    assert text == golden.read_text()


def test_a_code_server_can_load_it(catalogue: Catalogue):
    """Loading for a code server checks more than loading for a run does: op names, for one."""
    build_definitions(catalogue).get_repository_def().load_all_definitions()


@pytest.mark.parametrize(
    ("owner", "shown"),
    [
        ("desk@shop.example", "desk@shop.example"),
        ("Analytics", "team:Analytics"),
        ("Analytics <desk@shop.example>", "team:Analytics <desk@shop.example>"),
        ("desk@shop.technology", "team:desk@shop.technology"),
        (".desk@shop.example", "team:.desk@shop.example"),
        ("desk@shop", "team:desk@shop"),
    ],
)
def test_whoever_owns_a_project_dagster_takes_it(catalogue: Catalogue, owner: str, shown: str):
    """Dagster refuses the whole graph for an owner that is neither an address as it knows them nor a team."""
    owned = replace(catalogue, project=catalogue.project.model_copy(update={"owner": owner}))
    assert {tuple(asset.owners) for asset in external_assets(owned)} == {(shown,)}


def test_every_source_table_reaches_a_dashboard(catalogue: Catalogue):
    graph = build_definitions(catalogue).resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        if key.path[1] == "source":
            reached = dg.AssetSelection.assets(key).downstream().resolve(graph)
            assert any(found.path[1] == "dashboard" for found in reached), key


def test_every_applied_asset_says_where_it_was_declared(catalogue: Catalogue):
    graph = build_definitions(catalogue).resolve_asset_graph()
    for key in graph.materializable_asset_keys:
        file, _, line = graph.get(key).metadata["declared_at"].rpartition(":")
        assert Path(file).is_file() and int(line) > 0, key


def test_a_job_shows_its_sql(catalogue: Catalogue):
    graph = build_definitions(catalogue).resolve_asset_graph()
    shown = graph.get(dg.AssetKey(["bookstore", "job", "ecom"])).metadata["generated"].value
    assert isinstance(shown, str) and shown.startswith("```sql\n") and "execute statement set" in shown


def test_what_was_changed_by_hand_and_rows_that_differ_are_red(catalogue: Catalogue):
    assert sync_health(Change(catalogue.of_kind("view")[0], Action.UPDATE)).state is State.FAILED
    differs = Certificate("orders", "shop", 1, (Difference(("7",), None, {"id": "7"}),), (), True, "0/0", datetime(2026, 1, 31), 0, 0, 0)
    assert differs.health().state is State.FAILED


def test_all_sensors_run_by_default_and_none_of_them_can_start_a_run(catalogue: Catalogue):
    for sensor in build_definitions(catalogue).get_repository_def().sensor_defs:
        assert sensor.default_status is dg.DefaultSensorStatus.RUNNING
        assert not sensor.has_jobs


def test_only_a_view_with_a_bounded_metric_is_looked_at_and_a_bound_changes_nothing_that_is_applied(catalogue: Catalogue):
    assert [view.id for view in LIVE_CHECKS["expected"].watched(catalogue)] == ["view/vw_data_quality"]
    quality = catalogue.project.views["vw_data_quality"]
    unbounded = {name: metric.model_copy(update={"alarm_above": None}) for name, metric in quality.metrics.items()}
    views = catalogue.project.views | {"vw_data_quality": quality.model_copy(update={"metrics": unbounded})}
    other = build_catalogue(catalogue.project.model_copy(update={"views": views}), catalogue.environment)
    assert LIVE_CHECKS["expected"].watched(other) == ()
    assert {one.id: (one.digest, one.text) for one in other.resources} == {one.id: (one.digest, one.text) for one in catalogue.resources}


def resource(name: str, *needs: str, line: int = 1) -> Resource:
    depends_on = tuple(f"view/{need}" for need in needs)
    return Resource("analytics", "view", name, {}, depends_on, declared_at=Location("shop/views.sql", line))


def test_what_is_needed_comes_first():
    assert [found.name for found in order([resource("c", "b"), resource("b", "a"), resource("a")])] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("resources", "message"),
    [
        ([resource("a"), resource("a", line=9)], r"view/a is also declared at shop/views\.sql:[19]; names are unique; rename one"),
        ([resource("a", "z")], r"shop/views\.sql:1: view/a depends on view/z, which nothing declares"),
        ([resource("a", "b"), resource("b", "a")], "in a circle: view/[ab] → view/[ab] → view/[ab]; break it"),
    ],
)
def test_a_catalogue_that_cannot_be_is_refused(resources: list[Resource], message: str):
    with pytest.raises(ProjectError, match=message):
        order(resources)
