"""How each kind of chart is drawn, in the options of Superset's own chart types: numbers, shares and tables. Pure."""

import json

from project.axis_charts import Area, Bar, Line, Mixed
from project.charts import BigNumber, Chart, Highlight, Pie, Pivot, Raw, Table, Trend
from project.figure_charts import BoxPlot, Heatmap, Histogram, Map, Routes, Sankey, Scatter, Treemap
from project.models import View
from superset_bootstrap.axis_drawing import GRAINS, TICKS, area, bar, largest, latest_first, line, mixed
from superset_bootstrap.figure_drawing import box_plot, heatmap, histogram, map_of_points, routes, sankey, scatter, treemap
from superset_bootstrap.formats import Params, number
from superset_bootstrap.queries import rises, table_order

VIZ_TYPES = {
    "big_number": "big_number_total",
    "trend": "big_number",
    "bar": "echarts_timeseries_bar",
    "line": "echarts_timeseries_line",
    "area": "echarts_area",
    "mixed": "mixed_timeseries",
    "pie": "pie",
    "table": "table",
    "pivot": "pivot_table_v2",
    "heatmap": "heatmap_v2",
    "histogram": "histogram_v2",
    "box_plot": "box_plot",
    "scatter": "bubble_v2",
    "treemap": "treemap_v2",
    "sankey": "sankey_v2",
    "map": "deck_scatter",
    "routes": "deck_arc",
}
_ALARM = "#d4380d"


def viz_type_of(chart: Chart) -> str:
    """Superset's name for the kind."""
    return chart.viz_type if isinstance(chart, Raw) else VIZ_TYPES[chart.type]


def drawing_of(chart: Chart, view: View) -> Params:
    """The options of a chart, but for its filters."""
    match chart:
        case BigNumber():
            return _big_number(chart, view) | number("y_axis_format", chart, view)
        case Trend():
            return _trend(chart) | number("y_axis_format", chart, view)
        case Pie():
            return _pie(chart) | number("number_format", chart, view)
        case Table():
            return _table(chart, view)
        case Pivot():
            return _pivot(chart, view) | number("valueFormat", chart, view)
        case Bar() | Line() | Area() | Mixed():
            return _along_an_axis(chart, view)
        case Raw():
            return dict(chart.params)
        case _:
            return _figure(chart, view)


def _along_an_axis(chart: Bar | Line | Area | Mixed, view: View) -> Params:
    match chart:
        case Bar():
            return bar(chart, view)
        case Line():
            return line(chart, view)
        case Area():
            return area(chart, view)
        case Mixed():
            return mixed(chart, view)


def _figure(chart: Heatmap | Histogram | BoxPlot | Scatter | Treemap | Sankey | Map | Routes, view: View) -> Params:
    match chart:
        case Heatmap():
            return heatmap(chart) | number("y_axis_format", chart, view)
        case Histogram():
            return histogram(chart, view)
        case BoxPlot():
            return box_plot(chart, view) | number("number_format", chart, view)
        case Scatter():
            return scatter(chart, view)
        case Treemap():
            return treemap(chart) | number("number_format", chart, view)
        case Sankey():
            return sankey(chart) | number("number_format", chart, view)
        case Map():
            return map_of_points(chart)
        case Routes():
            return routes(chart)


def _big_number(chart: BigNumber, view: View) -> Params:
    form = chart.format or view.metrics[chart.metric].format or ""
    alarm = {"operator": ">", "targetValue": chart.alarm_above, "column": chart.metric, "colorScheme": _ALARM}
    return {
        "metric": chart.metric,
        "subtitle": chart.subtitle,
        "header_font_size": 0.4,
        "subtitle_font_size": 0.2,
        "conditional_formatting": [] if chart.alarm_above is None else [alarm],
        **({"time_format": form} if form.startswith("%") else {}),
    }


def _trend(chart: Trend) -> Params:
    return {
        "metric": chart.metric,
        "x_axis": chart.x,
        "time_grain_sqla": GRAINS[chart.grain],
        "aggregation": "LAST_VALUE" if chart.number == "latest" else "raw",
        "subtitle": chart.subtitle,
        "header_font_size": 0.4,
        "subtitle_font_size": 0.15,
        "show_trend_line": True,
        "start_y_axis_at_zero": True,
        "time_format": TICKS[chart.grain],
        "row_limit": chart.limit,
        **latest_first(chart.x),
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
    formats = {name: form for name in chart.columns if (form := view.columns[name].format)}
    formats |= {name: view.metrics[name].format for name in chart.metrics}
    return {
        **(_grouped(chart, view) if chart.metrics else _as_they_are(chart)),
        "row_limit": chart.limit,
        "server_page_length": 10,
        "page_length": 0,
        "include_search": False,
        "allow_render_html": False,
        "table_timestamp_format": "%Y-%m-%d %H:%M",
        "show_cell_bars": False,
        "color_pn": False,
        "column_config": {name: {"d3NumberFormat": form} for name, form in formats.items()},
        # Of several that fit, Superset applies the last.
        "conditional_formatting": [_highlight(rule) for rule in reversed(chart.highlight)],
    }


def _as_they_are(chart: Table) -> Params:
    return {
        "query_mode": "raw",
        "all_columns": list(chart.columns),
        "order_by_cols": [json.dumps([chart.sort_key, chart.ascending])] if chart.sort else [],
    }


def _grouped(chart: Table, view: View) -> Params:
    return {
        "query_mode": "aggregate",
        "groupby": list(chart.columns),
        "metrics": list(chart.metrics),
        "timeseries_limit_metric": table_order(chart, view),
        "order_desc": not rises(chart),
    }


def _pivot(chart: Pivot, view: View) -> Params:
    return {
        "groupbyRows": list(chart.rows),
        "groupbyColumns": list(chart.columns),
        "metrics": list(chart.metrics),
        "metricsLayout": "COLUMNS",
        "aggregateFunction": "Sum",
        "rowTotals": chart.totals and bool(chart.columns),
        "colTotals": chart.totals,
        "rowOrder": "key_a_to_z",
        "colOrder": "key_a_to_z",
        "transposePivot": False,
        "combineMetric": False,
        "row_limit": chart.limit,
        "series_limit_metric": largest(chart.metrics[0], view),
        "order_desc": True,
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
