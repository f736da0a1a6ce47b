"""Which charts a filter or a click acts on: those whose view has the column, and no other."""

from typing import Any

import pytest

from project.environment import Environment
from project.models import Project
from superset_bootstrap.compile import compile_resources


@pytest.fixture
def metadata(bookstore: Project, environment: Environment) -> dict[str, dict[str, Any]]:
    compiled = compile_resources(bookstore, environment)
    return {resource.name: resource.document["metadata"] for resource in compiled if resource.kind == "dashboard"}


def acted_on(bookstore: Project, dashboard: str, scope: dict[str, Any]) -> set[str]:
    charts = {number: chart.chart for number, chart in enumerate(bookstore.dashboards[dashboard].charts, 1)}
    return {name for number, name in charts.items() if number not in scope["excluded"]}


@pytest.mark.parametrize(
    ("dashboard", "filter_name", "charts"),
    [
        ("overview", "Sale date", {"sales_over_time"}),
        ("overview", "Author", {"sales_volume", "top_books", "revenue_by_author"}),
        ("overview", "Title", {"sales_volume", "top_books"}),
        ("sales", "Sale date", {"order_value_over_time"}),
        ("inventory", "Stock status", {"health", "stock_status", "stock_and_reserved"}),
        ("inventory", "Genre", {"revenue_by_genre", "genre_share"}),
    ],
)
def test_a_filter_acts_on_the_charts_that_know_its_column(
    bookstore: Project, metadata: dict[str, dict[str, Any]], dashboard: str, filter_name: str, charts: set[str]
):
    [found] = [spec for spec in metadata[dashboard]["native_filter_configuration"] if spec["name"] == filter_name]
    assert acted_on(bookstore, dashboard, found["scope"]) == charts


@pytest.mark.parametrize(
    ("clicked", "charts"),
    [
        ("health", {"stock_status", "stock_and_reserved", "turnover"}),
        ("stock_status", {"health", "stock_and_reserved"}),
        ("genre_share", {"revenue_by_genre"}),
    ],
)
def test_a_click_filters_the_other_charts_that_know_the_column(
    bookstore: Project, metadata: dict[str, dict[str, Any]], clicked: str, charts: set[str]
):
    [number] = [number for number, chart in enumerate(bookstore.dashboards["inventory"].charts, 1) if chart.chart == clicked]
    scope = metadata["inventory"]["chart_configuration"][str(number)]["crossFilters"]["scope"]
    assert acted_on(bookstore, "inventory", scope) == charts
