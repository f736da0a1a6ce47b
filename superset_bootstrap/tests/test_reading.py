"""A dashboard's documents back to its spec: what we generated ourselves comes back as it was."""

from typing import Any

import pytest

from project.charts import Raw
from project.dashboard_checks import check_dashboards
from project.dashboards import Dashboard
from project.environment import Environment
from project.models import Project
from superset_bootstrap.compile import compile_resources
from superset_bootstrap.dashboard_reading import Exported, dashboard_spec


def documents(project: Project, environment: Environment) -> dict[str, dict[str, Any]]:
    return {resource.id: dict(resource.document) for resource in compile_resources(project, environment)}


def read(project: Project, compiled: dict[str, dict[str, Any]], name: str) -> Exported:
    return dashboard_spec(project, compiled[f"dashboard/{name}"], {document["uuid"]: document for document in compiled.values()})


@pytest.mark.parametrize(
    ("project", "name"), [("bookstore", "overview"), ("bookstore", "sales"), ("bookstore", "inventory"), ("gallery", "kinds")]
)
def test_a_spec_survives_the_way_through_superset(request: pytest.FixtureRequest, environment: Environment, project: str, name: str):
    before: Project = request.getfixturevalue(project)
    compiled = documents(before, environment)
    exported = read(before, compiled, name)
    assert exported.left_out == []
    spec = Dashboard.model_validate({"name": exported.name, **exported.spec})
    after = before.model_copy(update={"dashboards": {**before.dashboards, name: spec}})
    assert documents(after, environment) == compiled
    assert read(after, compiled, name) == exported


def test_every_kind_comes_back_as_it_was(gallery: Project, bookstore: Project, environment: Environment):
    for before in (gallery, bookstore):
        compiled = documents(before, environment)
        for name, dashboard in before.dashboards.items():
            after = Dashboard.model_validate({"name": name, **read(before, compiled, name).spec})
            assert [one.type for one in after.charts] == [one.type for one in dashboard.charts]


# --- what a person built with the mouse

VIEW, TABLE = "e0000000-0000-4000-8000-000000000001", "e0000000-0000-4000-8000-000000000002"
DATASETS = {
    VIEW: {"uuid": VIEW, "schema": "gallery", "table_name": "flights"},
    TABLE: {"uuid": TABLE, "schema": "elsewhere", "table_name": "invoices"},
}
PIE = {
    "viz_type": "pie", "groupby": ["carrier"], "metric": "flights", "row_limit": 50, "adhoc_filters": [], "number_format": "SMART_NUMBER",
}  # fmt: skip


def chart(number: int, title: str, params: dict[str, Any], dataset: str = VIEW, **more: Any) -> dict[str, Any]:
    uuid = f"c0000000-0000-4000-8000-{number:012}"
    return {"uuid": uuid, "slice_name": title, "viz_type": params["viz_type"], "dataset_uuid": dataset, "params": params, **more}


def built(gallery: Project, charts: list[dict[str, Any]], filters: tuple[dict[str, Any], ...] = ()) -> Exported:
    """A dashboard as the mouse leaves it: a row with a chart beside a column that stacks the others."""
    places = [
        {"id": f"CHART-{number}", "type": "CHART", "meta": {"chartId": number, "uuid": one["uuid"], "width": 6, "height": 40}}
        for number, one in enumerate(charts, 70)
    ]
    stacked = {"id": "COLUMN-a", "type": "COLUMN", "children": [place["id"] for place in places[1:]], "meta": {"width": 6}}
    row = {"id": "ROW-a", "type": "ROW", "children": [places[0]["id"], "COLUMN-a"], "meta": {}}
    text = {"id": "MARKDOWN-a", "type": "MARKDOWN", "children": [], "meta": {"code": "Read *me*", "width": 14, "height": 3}}
    tab = {"id": "TAB-a", "type": "TAB", "children": ["MARKDOWN-a", "ROW-a"], "meta": {"text": "First"}}
    tabs = {"id": "TABS-a", "type": "TABS", "children": ["TAB-a"], "meta": {}}
    root = {"id": "ROOT_ID", "type": "ROOT", "children": ["TABS-a"]}
    position = {part["id"]: part for part in (root, tabs, tab, text, row, stacked, *places)}
    dashboard = {
        "uuid": "d", "slug": None, "dashboard_title": "My Board 2026", "description": None, "position": position,
        "metadata": {"native_filter_configuration": list(filters)},
    }  # fmt: skip
    return dashboard_spec(gallery, dashboard, {**DATASETS, **{one["uuid"]: one for one in charts}})


def loaded(gallery: Project, exported: Exported) -> Dashboard:
    """The spec as our loader takes it, without a problem."""
    spec = Dashboard.model_validate({"name": exported.name, **exported.spec})
    assert check_dashboards(gallery.model_copy(update={"dashboards": {exported.name: spec}})) == []
    return spec


def test_known_kinds_become_ours_and_the_rest_raw(gallery: Project):
    adhoc = {"expressionType": "SQL", "sqlExpression": "max(delay)", "label": "worst"}
    spec = loaded(gallery, built(gallery, [
        chart(1, "Share", PIE),
        chart(2, "2nd: worst!", PIE | {"metric": adhoc}, query_context='{"queries": [{"columns": ["carrier"], "metrics": ["flights"]}]}'),
        chart(3, "Gauge", {"viz_type": "gauge_chart", "metric": "flights", "groupby": ["origin"]}),
        chart(4, "Share", PIE | {"adhoc_filters": [{"clause": "WHERE", "expressionType": "SQL", "sqlExpression": "delay > 0"}]}),
    ]))  # fmt: skip
    assert [(one.chart, one.type) for one in spec.charts] == [
        ("share", "pie"), ("chart_2nd_worst", "raw"), ("gauge", "raw"), ("share_2", "raw"),
    ]  # fmt: skip
    assert isinstance(worst := spec.charts[1], Raw)
    assert worst.params["metric"] == adhoc
    assert spec.charts[2].metric_names == ("flights",)
    assert spec.charts[2].column_names == ("origin",)


def test_what_our_kinds_would_ask_otherwise_stays_as_it_is(gallery: Project):
    line = {"viz_type": "echarts_timeseries_line", "x_axis": "departed", "time_grain_sqla": "P1D", "metrics": ["flights"]}
    table = {"viz_type": "table", "query_mode": "aggregate", "groupby": ["departed"], "metrics": ["flights"], "time_grain_sqla": "P1M"}
    order = {"expressionType": "SQL", "sqlExpression": "row((count(*)) is not null, count(*))", "label": "largest flights"}
    plain = {"viz_type": "table", "query_mode": "aggregate", "groupby": ["carrier"], "metrics": ["flights"], "row_limit": 100}
    spec = loaded(gallery, built(gallery, [
        chart(1, "By month", table | {"temporal_columns_lookup": {"departed": True}}),
        chart(2, "By carrier", line | {"groupby": ["carrier"]}),  # all of them, and no rest
        chart(3, "Flights", line),
        chart(4, "Carriers", plain | {"timeseries_limit_metric": order}),
        chart(5, "Late", plain | {"timeseries_limit_metric": order | {"sqlExpression": "max(delay)"}}),
        chart(6, "Unnamed", plain | {"timeseries_limit_metric": order | {"label": None}}),
    ]))  # fmt: skip
    assert [one.type for one in spec.charts] == ["raw", "raw", "line", "table", "raw", "raw"]


def test_only_the_largest_cells_and_series_are_ours(gallery: Project):
    order = {"expressionType": "SQL", "sqlExpression": "row((count(*)) is not null, count(*))", "label": "largest flights"}
    pivot = {"viz_type": "pivot_table_v2", "groupbyRows": ["carrier"], "metrics": ["flights"]}
    line = {"viz_type": "echarts_timeseries_line", "x_axis": "departed", "time_grain_sqla": "P1D", "metrics": ["flights"]}
    series = line | {"groupby": ["carrier"], "limit": 5, "group_others_when_limit_reached": True}
    spec = loaded(gallery, built(gallery, [
        chart(1, "Cells", pivot | {"series_limit_metric": order}),
        chart(2, "Fewest", pivot | {"series_limit_metric": order, "order_desc": False}),
        chart(3, "Late cells", pivot | {"series_limit_metric": "delay_mean"}),
        chart(4, "Series", series | {"timeseries_limit_metric": order}),
        chart(5, "Late series", series | {"timeseries_limit_metric": order | {"sqlExpression": "max(delay)"}}),
    ]))  # fmt: skip
    assert [one.type for one in spec.charts] == ["pivot", "raw", "raw", "line", "raw"]


def test_rows_keep_their_order_their_widths_and_their_tab(gallery: Project):
    spec = loaded(gallery, built(gallery, [chart(number, f"Pie {number}", PIE) for number in (1, 2, 3)]))
    [tab] = spec.tabs
    assert (spec.name, tab.tab) == ("my_board_2026", "First")
    assert [(row.height, [item.width for item in row.items]) for row in tab.rows] == [(6, [12]), (40, [6, 6]), (40, [6])]


def test_what_a_spec_has_no_word_for_is_told(gallery: Project):
    filters = (
        {"name": "Grain", "filterType": "filter_timegrain", "targets": [{"datasetUuid": VIEW}]},
        {"name": "Not", "filterType": "filter_select", "targets": [{"datasetUuid": VIEW, "column": {"name": "carrier"}}],
         "controlValues": {"inverseSelection": True}, "defaultDataMask": {"filterState": {"value": ["UA"]}}},
        {"name": "Payer", "filterType": "filter_select", "targets": [{"datasetUuid": TABLE, "column": {"name": "payer"}}]},
        {"name": "Carrier", "filterType": "filter_select", "targets": [{"datasetUuid": VIEW, "column": {"name": "carrier"}}],
         "defaultDataMask": {"filterState": {"value": ["UA"]}}, "scope": {"rootPath": ["TAB-a"], "excluded": []}},
    )  # fmt: skip
    exported = built(gallery, [chart(1, "Share", PIE), chart(2, "Invoices", PIE, TABLE)], filters)
    assert [spec.model_dump(exclude_defaults=True) for spec in loaded(gallery, exported).filters] == [
        {"name": "Carrier", "type": "select", "view": "flights", "column": "carrier", "default": ("UA",)}
    ]
    assert exported.left_out == [
        "chart 'Invoices': its dataset is no view of project gallery",
        "filter 'Grain': its kind filter_timegrain has no word in a spec",
        "filter 'Not': it excludes what is chosen, for which a spec has no word",
        "filter 'Payer': its column is of no view of the project",
        "filter 'Carrier': that it acts on a part of the dashboard alone; now it does on all of it",
    ]
