"""What the bookstore and a gallery of every kind compile to, as documents that people review. UPDATE_GOLDEN=1 writes them anew."""

import os
from pathlib import Path

import pytest

from project.charts import CHART_TYPES
from project.environment import Environment
from project.models import Project
from project.resources import Resource
from superset_bootstrap.compile import compile_resources


@pytest.mark.parametrize(("name", "folder"), [("bookstore", "golden"), ("gallery", "golden_gallery")])
def test_a_project_compiles_to_its_golden_documents(request: pytest.FixtureRequest, environment: Environment, name: str, folder: str):
    golden = Path(__file__).with_name(folder)
    compiled = {_file(resource): resource.text + "\n" for resource in compile_resources(request.getfixturevalue(name), environment)}
    if os.environ.get("UPDATE_GOLDEN"):
        _write(golden, compiled)
    assert compiled == {path.name: path.read_text() for path in golden.iterdir()}


def test_the_gallery_shows_every_kind(gallery: Project):
    assert {chart.type for dashboard in gallery.dashboards.values() for chart in dashboard.charts} == set(CHART_TYPES)


def test_every_resource_comes_after_what_it_depends_on(bookstore: Project, environment: Environment):
    seen = {f"view/{name}" for name in bookstore.views} | {f"schema/{bookstore.schema_}"}
    for resource in compile_resources(bookstore, environment):
        assert seen.issuperset(resource.depends_on)
        seen.add(resource.id)


def test_the_dashboards_have_the_charts_that_were_asked_for(bookstore: Project):
    titles = {dashboard.title: {chart.title for chart in dashboard.charts} for dashboard in bookstore.dashboards.values()}
    assert titles == {
        "Book Store Analytics": {
            "Product Sales Volume", "Sales Over Time", "Revenue by Author", "Top Books by Revenue", "Book Price Distribution", "Data Age",
            "Equal to the Source", "Findings",
        },
        "Sales & Revenue Analytics": {
            "Total Revenue KPI", "Total Orders KPI", "Average Order Value KPI", "Order Status Distribution",
            "Avg Order Value Over Time", "Data Age", "Equal to the Source",
        },
        "Inventory Analytics": {
            "Inventory Health Table", "Stock vs Reserved", "Inventory Turnover Rate", "Revenue by Genre", "Stock Status Distribution",
            "Revenue Share by Genre", "Data Age", "Equal to the Source", "Capture Latency",
        },
    }  # fmt: skip


def test_a_project_without_dashboards_leaves_superset_alone(bookstore: Project, environment: Environment):
    assert compile_resources(bookstore.model_copy(update={"dashboards": {}}), environment) == ()


def test_no_password_is_in_any_document(bookstore: Project, environment: Environment, monkeypatch):
    monkeypatch.setenv("PASSWORD", "s3cr3t-pass")
    for resource in compile_resources(bookstore, environment):
        assert "s3cr3t-pass" not in f"{resource.document}{resource.text}"


def _file(resource: Resource) -> str:
    return f"{resource.id.replace('/', '.')}.json"


def _write(golden: Path, texts: dict[str, str]) -> None:
    golden.mkdir(exist_ok=True)
    for stale in golden.iterdir():
        stale.unlink()
    for name, text in texts.items():
        (golden / name).write_text(text)
