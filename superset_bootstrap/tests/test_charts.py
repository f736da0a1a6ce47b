"""What a chart's spec means in Superset's own terms."""

from typing import Any

import pytest

from project.environment import Environment
from project.figure_charts import Scatter
from project.models import Project
from superset_bootstrap.compile import compile_resources
from superset_bootstrap.drawing import drawing_of
from superset_bootstrap.queries import queries_of


@pytest.fixture
def charts(bookstore: Project, environment: Environment) -> dict[str, dict[str, Any]]:
    return {resource.name: dict(resource.document) for resource in compile_resources(bookstore, environment) if resource.kind == "chart"}


def test_only_registered_chart_types_are_used(charts: dict[str, dict[str, Any]]):
    assert {chart["viz_type"] for chart in charts.values()} == {
        "big_number_total", "echarts_timeseries_bar", "echarts_timeseries_line", "pie", "table",
    }  # fmt: skip


def test_bars_have_one_series_per_metric_and_none_per_title(charts: dict[str, dict[str, Any]]):
    bars = [chart["params"] for chart in charts.values() if chart["viz_type"] == "echarts_timeseries_bar"]
    assert bars
    assert all(params["groupby"] == [] for params in bars)


def test_a_limited_bar_chart_leaves_out_what_has_no_number(charts: dict[str, dict[str, Any]]):
    turnover = charts["inventory.turnover"]
    wanted = "(sum(total_sold) * 100.0 / nullif(sum(current_stock), 0)) is not null"
    assert [spec["sqlExpression"] for spec in turnover["params"]["adhoc_filters"]] == [wanted]
    assert turnover["query_context"]["queries"][0]["extras"] == {"having": f"({wanted})"}


def test_a_bubble_that_is_as_large_as_it_is_high_asks_once_for_that(bookstore: Project):
    view = next(one for one in bookstore.views.values() if len(one.metrics) > 1 and len(one.columns) > 1)
    (one, other), (dimension, color) = list(view.metrics)[:2], list(view.columns)[:2]
    named = {"x_metric": one, "y_metric": other, "size_metric": other, "dimension": dimension, "color_by": color, "view": view.name}
    bubbles = Scatter.model_validate({"chart": "a", "type": "scatter", "title": "", "description": "", "width": 4, **named})
    assert queries_of(bubbles, view)[0]["metrics"] == [one, other], "Superset refuses a name that is asked for twice"


def test_a_chart_of_freshness_is_never_answered_from_a_cache(charts: dict[str, dict[str, Any]]):
    assert {name for name, chart in charts.items() if chart["cache_timeout"] == -1} == {
        "overview.freshness", "sales.freshness", "inventory.freshness", "inventory.latency",
        "overview.equal", "sales.equal", "inventory.equal",
    }  # fmt: skip


def test_ratios_divide_sums(charts: dict[str, dict[str, Any]], bookstore: Project):
    assert charts["sales.average_order_value"]["params"]["metric"] == "average_order_value"
    assert charts["sales.order_value_over_time"]["params"]["metrics"] == ["average_order_value"]
    metric = bookstore.views["vw_avg_order_value"].metrics["average_order_value"]
    assert metric.expression == "sum(daily_revenue) / nullif(sum(order_count), 0)"


def test_a_number_of_all_time_has_no_place_for_a_date_filter(charts: dict[str, dict[str, Any]]):
    assert charts["sales.total_revenue"]["params"]["adhoc_filters"] == []
    assert charts["sales.order_value_over_time"]["params"]["adhoc_filters"][0]["operator"] == "TEMPORAL_RANGE"


def test_every_chart_says_what_it_counts(charts: dict[str, dict[str, Any]], bookstore: Project):
    said = {f"{name}.{chart.chart}": chart.description.strip() for name, one in bookstore.dashboards.items() for chart in one.charts}
    assert {name: chart["description"] for name, chart in charts.items()} == said


def test_both_axes_of_a_mixed_chart_name_the_currency_of_their_metrics(gallery: Project):
    flights = gallery.views["flights"]
    metrics = {**flights.metrics, "on_time": flights.metrics["on_time"].model_copy(update={"currency": "EUR"})}
    view = flights.model_copy(update={"metrics": metrics})
    [chart] = [one for one in gallery.dashboards["kinds"].charts if one.chart == "mixed_time"]
    params = drawing_of(chart, view)
    assert "currency_format" not in params
    assert params["currency_format_secondary"] == {"symbol": "EUR", "symbolPosition": "prefix"}


@pytest.fixture
def kinds(gallery: Project, environment: Environment) -> dict[str, dict[str, Any]]:
    compiled = compile_resources(gallery, environment)
    return {one.name.removeprefix("kinds."): dict(one.document) for one in compiled if one.kind == "chart"}


def having(chart: dict[str, Any]) -> str:
    """The condition on what is drawn; the page and the check after an apply ask the same."""
    [said] = [spec["sqlExpression"] for spec in chart["params"]["adhoc_filters"] if spec["clause"] == "HAVING"]
    assert chart["query_context"]["queries"][0]["extras"] == {"having": f"({said})"}
    return said


def test_shares_and_flows_leave_out_what_has_no_number_and_keep_the_largest(kinds: dict[str, dict[str, Any]]):
    for name in ("share", "tree", "flow"):
        assert having(kinds[name]).endswith(") is not null")
        assert kinds[name]["params"]["sort_by_metric"]


def test_of_equal_shares_and_flows_the_check_keeps_those_that_the_page_keeps(kinds: dict[str, dict[str, Any]]):
    orders = [kinds[name]["query_context"]["queries"][0]["orderby"] for name in ("tree", "flow")]
    assert orders == [
        [["flights", False], ["origin", True], ["carrier", True]],
        [["flights", False], ["origin", True], ["dest", True]],
    ]


def test_a_place_on_a_map_needs_its_number(kinds: dict[str, dict[str, Any]]):
    assert having(kinds["points"]) == "(sum(passengers)) is not null"


def test_a_bubble_needs_all_its_numbers(kinds: dict[str, dict[str, Any]]):
    assert having(kinds["bubbles"]).count(" is not null") == 3


def test_a_table_keeps_rows_without_the_number_and_puts_them_last(kinds: dict[str, dict[str, Any]]):
    params, [query] = kinds["grouped"]["params"], kinds["grouped"]["query_context"]["queries"]
    assert params["timeseries_limit_metric"]["sqlExpression"] == "row((count(*)) is not null, count(*))"
    assert params["order_desc"]
    assert query["orderby"] == [[params["timeseries_limit_metric"], False]]
    assert "extras" not in query


def test_cells_of_a_pivot_without_the_number_come_last_on_the_page_and_in_the_check(kinds: dict[str, dict[str, Any]]):
    params, [query] = kinds["pivot"]["params"], kinds["pivot"]["query_context"]["queries"]
    assert params["series_limit_metric"]["sqlExpression"] == "row((count(*)) is not null, count(*))"
    assert params["order_desc"]
    assert query["orderby"] == [[params["series_limit_metric"], False]]


@pytest.mark.parametrize("name", ["stacked", "side", "lines", "area", "shares"])
def test_a_series_without_any_number_takes_no_place_of_another(kinds: dict[str, dict[str, Any]], name: str):
    params = kinds[name]["params"]
    assert params["timeseries_limit_metric"]["sqlExpression"].startswith("row((")
    assert params["timeseries_limit_metric"]["label"] == f"largest {params['metrics'][0]}"
    assert params["order_desc"]
