"""Charts → documents as Superset imports and exports them: how to draw (params) and what to ask (query_context). Pure."""

from collections.abc import Mapping
from typing import Any

from project.dashboards import Bar, BigNumber, Chart, Line, Pie, Table
from project.models import Project, View
from superset_bootstrap.identity import mark_of, uuid_of

_GRAINS = {"hour": "PT1H", "day": "P1D", "week": "P1W", "month": "P1M", "quarter": "P3M", "year": "P1Y"}
_TICKS = {"hour": "%H:%M", "day": "%b %d", "week": "%b %d", "month": "%b %Y", "quarter": "%b %Y", "year": "%Y"}
_TIME_FORMATS = {"hour": "%d %b %H:%M", "day": "%d %b %Y", "week": "%d %b %Y", "month": "%b %Y", "quarter": "%b %Y", "year": "%Y"}
_VIZ_TYPES = {
    "big_number": "big_number_total",
    "bar": "echarts_timeseries_bar",
    "line": "echarts_timeseries_line",
    "pie": "pie",
    "table": "table",
}
_ALARM = "#d4380d"

Params = dict[str, Any]


def chart_id(dashboard: str, chart: Chart) -> str:
    """The resource id of a chart."""
    return f"chart/{dashboard}.{chart.chart}"


def chart_document(project: Project, dashboard: str, chart: Chart) -> dict[str, Any]:
    """Everything that Superset holds about a chart, but for numeric ids."""
    view = project.views[chart.view]
    resource_id = chart_id(dashboard, chart)
    viz_type = _VIZ_TYPES[chart.type]
    params, query = _compiled(chart, view)
    return {
        "uuid": uuid_of(project.name, resource_id),
        "dataset_uuid": uuid_of(project.name, f"dataset/{view.name}"),
        "slice_name": chart.title,
        "description": chart.description.strip(),
        "certified_by": project.owner,
        "certification_details": mark_of(project.name, resource_id),
        "viz_type": viz_type,
        "cache_timeout": None if chart.cached else -1,
        "params": {"viz_type": viz_type, "adhoc_filters": _where(chart, view) + _having(chart, view), **params},
        "query_context": {"force": False, "result_format": "json", "result_type": "full", "queries": [query]},
    }


def _compiled(chart: Chart, view: View) -> tuple[Params, Params]:
    match chart:
        case BigNumber():
            return _big_number(chart, view), _query(metrics=[chart.metric])
        case Bar():
            return _bar(chart, view), _query([chart.x], chart.metrics, chart.limit) | {
                "extras": {"having": f"({_has_a_number(chart, view)})"}
            }
        case Line():
            axis = {"columnType": "BASE_AXIS", "expressionType": "SQL", "sqlExpression": chart.x, "label": chart.x, "timeGrain": _GRAINS[chart.grain]}
            return _line(chart, view), _query(columns=[axis], metrics=chart.metrics, row_limit=chart.limit, orderby=[[chart.x, False]])
        case Pie():
            return _pie(chart, view), _query(columns=[chart.dimension], metrics=[chart.metric], row_limit=chart.limit)
        case Table():
            order = [[chart.sort_column, not (chart.sort or "").startswith("-")]] if chart.sort else []
            return _table(chart, view), _query(columns=chart.columns, row_limit=chart.limit, orderby=order)


def _query(columns: Any = (), metrics: Any = (), row_limit: int | None = None, orderby: list[list[Any]] | None = None) -> Params:
    """What is asked for when nobody looks: by the check after an apply. Largest first, as the browser asks."""
    by_size = [[metrics[0], False]] if metrics and columns else []
    return {
        "columns": list(columns),
        "metrics": list(metrics) or None,
        "filters": [],
        "orderby": by_size if orderby is None else orderby,
        "row_limit": row_limit,
    }


def _where(chart: Chart, view: View) -> list[Params]:
    """The place that a time range filter of the dashboard fills in."""
    if view.time_column is None or not chart.filtered:
        return []
    return [
        {"clause": "WHERE", "expressionType": "SIMPLE", "operator": "TEMPORAL_RANGE", "subject": view.time_column, "comparator": "No filter"}
    ]


def _having(chart: Chart, view: View) -> list[Params]:
    """PostgreSQL calls NULL the largest: without this, what has no number would take the first places of a limited chart."""
    if not isinstance(chart, Bar):
        return []
    return [{"clause": "HAVING", "expressionType": "SQL", "sqlExpression": _has_a_number(chart, view)}]


def _has_a_number(chart: Bar, view: View) -> str:
    return f"({view.metrics[chart.metrics[0]].expression}) is not null"


def _number(chart: BigNumber | Bar | Line | Pie, view: View) -> Params:
    """Number format and currency: the chart's, else the metric's."""
    metric = view.metrics[chart.metric_names[0]]
    key = "number_format" if isinstance(chart, Pie) else "y_axis_format"
    currency = {"currency_format": {"symbol": metric.currency, "symbolPosition": "prefix"}} if metric.currency else {}
    return {key: chart.format or metric.format, **currency}


def _big_number(chart: BigNumber, view: View) -> Params:
    alarm = [] if chart.alarm_above is None else [
        {"operator": ">", "targetValue": chart.alarm_above, "column": chart.metric, "colorScheme": _ALARM}
    ]
    return {
        "metric": chart.metric,
        "subtitle": chart.subtitle,
        "header_font_size": 0.4,
        "subtitle_font_size": 0.2,
        "conditional_formatting": alarm,
        **_number(chart, view),
    }


def _bar(chart: Bar, view: View) -> Params:
    several = len(chart.metrics) > 1
    return {
        "x_axis": chart.x,
        "xAxisForceCategorical": True,
        "metrics": list(chart.metrics),
        "groupby": [],
        "orientation": "horizontal" if chart.horizontal else "vertical",
        # The axis of a horizontal chart runs upwards: ascending puts the largest on top.
        "x_axis_sort": chart.metrics[0],
        "x_axis_sort_asc": chart.horizontal,
        "order_desc": True,
        "row_limit": chart.limit,
        "show_value": not several,
        "show_legend": several,
        "legendOrientation": "top",
        "legendType": "scroll",
        "rich_tooltip": True,
        "truncateYAxis": False,
        "truncate_metric": True,
        "x_axis_title_margin": 0,
        "y_axis_title_margin": 0,
        **_number(chart, view),
    }


def _line(chart: Line, view: View) -> Params:
    several = len(chart.metrics) > 1
    return {
        "x_axis": chart.x,
        "time_grain_sqla": _GRAINS[chart.grain],
        "x_axis_time_format": _TICKS[chart.grain],
        "tooltipTimeFormat": _TIME_FORMATS[chart.grain],
        "metrics": list(chart.metrics),
        "groupby": [],
        "order_desc": True,
        "row_limit": chart.limit,
        "seriesType": "line",
        "markerEnabled": True,
        "markerSize": 4,
        "area": not several,
        "opacity": 0.12,
        "show_legend": several,
        "legendOrientation": "top",
        "rich_tooltip": True,
        "truncateYAxis": False,
        "truncate_metric": True,
        "x_axis_title_margin": 0,
        "y_axis_title_margin": 0,
        **_number(chart, view),
    }


def _pie(chart: Pie, view: View) -> Params:
    return {
        "groupby": [chart.dimension],
        "metric": chart.metric,
        "sort_by_metric": True,
        "row_limit": chart.limit,
        "donut": True,
        "innerRadius": 42,
        "outerRadius": 64,
        # Names stand in the legend: beside the ring they would be cut off where it is narrow.
        "label_type": "percent",
        "labels_outside": True,
        "label_line": True,
        "show_labels": True,
        "show_labels_threshold": 2,
        "show_total": False,
        "show_legend": True,
        "legendOrientation": "right",
        "legendType": "plain",
        **_number(chart, view),
    }


def _table(chart: Table, view: View) -> Params:
    return {
        "query_mode": "raw",
        "all_columns": list(chart.columns),
        "order_by_cols": [f'["{chart.sort_column}", {"false" if (chart.sort or "").startswith("-") else "true"}]'] if chart.sort else [],
        "row_limit": chart.limit,
        "server_page_length": 10,
        "page_length": 0,
        "include_search": False,
        "allow_render_html": False,
        "table_timestamp_format": "%Y-%m-%d %H:%M",
        "show_cell_bars": False,
        "color_pn": False,
        "column_config": {name: config for name in chart.columns if (config := _column_config(view, name))},
        # Of several that fit, Superset applies the last.
        "conditional_formatting": [
            {
                "column": rule.column,
                "operator": "≤",
                "targetValue": rule.at_most,
                "colorScheme": rule.color,
                "useGradient": False,
                "objectFormatting": "TEXT_COLOR",
            }
            for rule in reversed(chart.highlight)
        ],
    }


def _column_config(view: View, name: str) -> Mapping[str, Any]:
    format_ = view.columns[name].format
    return {"d3NumberFormat": format_} if format_ else {}
