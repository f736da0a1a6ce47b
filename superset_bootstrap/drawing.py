"""How each kind of chart is drawn, in the options of Superset's own chart types. Pure."""

import json
from typing import Any

from project.charts import Bar, BigNumber, Chart, Highlight, Line, Pie, Table
from project.models import View

VIZ_TYPES = {
    "big_number": "big_number_total",
    "bar": "echarts_timeseries_bar",
    "line": "echarts_timeseries_line",
    "pie": "pie",
    "table": "table",
}
GRAINS = {"hour": "PT1H", "day": "P1D", "week": "P1W", "month": "P1M", "quarter": "P3M", "year": "P1Y"}
_TICKS = {"hour": "%H:%M", "day": "%b %d", "week": "%b %d", "month": "%b %Y", "quarter": "%b %Y", "year": "%Y"}
_TOOLTIPS = {"hour": "%d %b %H:%M", "day": "%d %b %Y", "week": "%d %b %Y", "month": "%b %Y", "quarter": "%b %Y", "year": "%Y"}
_ALARM = "#d4380d"

Params = dict[str, Any]


def drawing_of(chart: Chart, view: View) -> Params:
    """The options of a chart, but for its filters."""
    match chart:
        case BigNumber():
            return _big_number(chart) | _number("y_axis_format", chart, view)
        case Bar():
            return _bar(chart) | _number("y_axis_format", chart, view) | _value_axis(chart, view)
        case Line():
            return _line(chart) | _number("y_axis_format", chart, view)
        case Pie():
            return _pie(chart) | _number("number_format", chart, view)
        case Table():
            return _table(chart, view)


def _number(key: str, chart: BigNumber | Bar | Line | Pie, view: View) -> Params:
    """Number format and currency: the chart's, else the metric's."""
    metric = view.metrics[chart.metric_names[0]]
    currency = {"currency_format": {"symbol": metric.currency, "symbolPosition": "prefix"}} if metric.currency else {}
    return {key: chart.format or metric.format, **currency}


def _big_number(chart: BigNumber) -> Params:
    alarm = {"operator": ">", "targetValue": chart.alarm_above, "column": chart.metric, "colorScheme": _ALARM}
    return {
        "metric": chart.metric,
        "subtitle": chart.subtitle,
        "header_font_size": 0.4,
        "subtitle_font_size": 0.2,
        "conditional_formatting": [] if chart.alarm_above is None else [alarm],
    }


def _bar(chart: Bar) -> Params:
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
    }


def _value_axis(chart: Bar, view: View) -> Params:
    """The unit of the bars, where no legend names it."""
    label = view.metrics[chart.metrics[0]].label if len(chart.metrics) == 1 else ""
    return {"y_axis_title": label, "y_axis_title_margin": 30 if label else 0, "y_axis_title_position": "Left", "x_axis_title_margin": 0}


def _line(chart: Line) -> Params:
    several = len(chart.metrics) > 1
    return {
        "x_axis": chart.x,
        "time_grain_sqla": GRAINS[chart.grain],
        "x_axis_time_format": _TICKS[chart.grain],
        "tooltipTimeFormat": _TOOLTIPS[chart.grain],
        "metrics": list(chart.metrics),
        "groupby": [],
        # Which points stay within the limit: without this the largest would, not the latest.
        "timeseries_limit_metric": {"expressionType": "SQL", "sqlExpression": f"max({chart.x})", "label": "latest"},
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
    }


def _pie(chart: Pie) -> Params:
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
    }


def _table(chart: Table, view: View) -> Params:
    return {
        "query_mode": "raw",
        "all_columns": list(chart.columns),
        "order_by_cols": [json.dumps([chart.sort_column, chart.ascending])] if chart.sort else [],
        "row_limit": chart.limit,
        "server_page_length": 10,
        "page_length": 0,
        "include_search": False,
        "allow_render_html": False,
        "table_timestamp_format": "%Y-%m-%d %H:%M",
        "show_cell_bars": False,
        "color_pn": False,
        "column_config": {name: {"d3NumberFormat": form} for name in chart.columns if (form := view.columns[name].format)},
        # Of several that fit, Superset applies the last.
        "conditional_formatting": [_highlight(rule) for rule in reversed(chart.highlight)],
    }


def _highlight(rule: Highlight) -> Params:
    return {
        "column": rule.column,
        "operator": "≤",
        "targetValue": rule.at_most,
        "colorScheme": rule.color,
        "useGradient": False,
        "objectFormatting": "TEXT_COLOR",  # legible on white and on black, which a background is not
    }
