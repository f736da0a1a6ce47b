"""How charts along an axis are drawn, in Superset's options. Pure."""

import json

from project.axis_charts import Area, Bar, Line, Mixed
from project.models import View
from superset_bootstrap.formats import Params, currency_of, number

LARGEST = "largest "  # begins the label of an order; a label that a column has would mean the column
GRAINS = {"minute": "PT1M", "hour": "PT1H", "day": "P1D", "week": "P1W", "month": "P1M", "quarter": "P3M", "year": "P1Y"}
TICKS = {"minute": "%H:%M", "hour": "%H:%M", "day": "%b %d", "week": "%b %d", "month": "%b %Y", "quarter": "%b %Y", "year": "%Y"}
_DRAWN = {"rich_tooltip": True, "truncateYAxis": False, "truncate_metric": True}
_UNTITLED = {"x_axis_title_margin": 0, "y_axis_title_margin": 0}
_TOOLTIPS = {
    "minute": "%d %b %H:%M", "hour": "%d %b %H:%M", "day": "%d %b %Y", "week": "%d %b %Y", "month": "%b %Y", "quarter": "%b %Y",
    "year": "%Y",
}  # fmt: skip


def bar(chart: Bar, view: View) -> Params:
    by = chart.sort_key or chart.metrics[0]
    several = len(chart.metrics) > 1 or chart.dimension is not None
    ascending = chart.ascending if chart.sort else False
    order = {
        # The axis of a horizontal chart runs upwards: ascending puts the largest on top.
        "x_axis_sort": by,
        "x_axis_sort_asc": ascending != chart.horizontal,
    }
    return {
        "x_axis": chart.x,
        **(_time_axis(chart.grain) if chart.grain else {"xAxisForceCategorical": True}),
        "metrics": list(chart.metrics),
        "groupby": [chart.dimension] if chart.dimension else [],
        "orientation": "horizontal" if chart.horizontal else "vertical",
        **({} if chart.grain else order),
        "order_desc": True,
        "row_limit": bars_read(chart),
        "show_value": not several and not chart.grain,
        "show_legend": several,
        "legendOrientation": "top",
        "legendType": "scroll",
        **_DRAWN,
        **_parts(chart, view, by, ascending),
        **_format(chart, view),
        **_value_axis(chart, view),
    }


def bars_read(chart: Bar) -> int:
    return chart.limit or (10_000 if chart.dimension or chart.grain else 20)


def _parts(chart: Bar, view: View, by: str, ascending: bool) -> Params:
    """What only bars in parts need."""
    share = {"contributionMode": "row"} if chart.share else {}
    if not chart.dimension:
        return {"stack": "Stack", **share} if chart.share else {}
    order = {"x_axis_sort_series": "name" if by == chart.x else "sum", "x_axis_sort_series_ascending": ascending != chart.horizontal}
    return {"stack": "Stack" if chart.stacked else None, **_series(chart, view), **({} if chart.grain else order), **share}


def _series(chart: Bar | Line | Area, view: View) -> Params:
    """The largest series stand for themselves, the rest is drawn as one."""
    return {
        "limit": chart.series_limit,
        "timeseries_limit_metric": largest(chart.metrics[0], view),
        "group_others_when_limit_reached": True,
        "sort_series_type": "sum",
        "sort_series_ascending": False,
    }


def _format(chart: Bar | Area, view: View) -> Params:
    return {"y_axis_format": chart.format or ".0%"} if chart.share else number("y_axis_format", chart, view)


def _time_axis(grain: str) -> Params:
    return {"time_grain_sqla": GRAINS[grain], "x_axis_time_format": TICKS[grain], "tooltipTimeFormat": _TOOLTIPS[grain]}


def _value_axis(chart: Bar, view: View) -> Params:
    """The unit of the bars, where no legend names it."""
    margin = 30 if chart.horizontal else 50  # beside an upright axis stand its numbers
    label = view.metrics[chart.metrics[0]].label if len(chart.metrics) == 1 and not chart.share else ""
    return {"y_axis_title": label, "y_axis_title_margin": margin if label else 0, "y_axis_title_position": "Left", "x_axis_title_margin": 0}


def line(chart: Line, view: View) -> Params:
    several = len(chart.metrics) > 1 or chart.dimension is not None
    return {
        "x_axis": chart.x,
        **_time_axis(chart.grain),
        "metrics": list(chart.metrics),
        **_series_over_time(chart, view),
        "order_desc": True,
        "row_limit": chart.limit,
        "seriesType": "line",
        "markerEnabled": chart.dimension is None,
        "markerSize": 4,
        "area": not several,
        "opacity": 0.12,
        "show_legend": several,
        "legendOrientation": "top",
        **_DRAWN,
        **_UNTITLED,
        **number("y_axis_format", chart, view),
    }


def _series_over_time(chart: Line | Area, view: View) -> Params:
    if chart.dimension:
        return {"groupby": [chart.dimension], **_series(chart, view), **latest_first(chart.x)}
    return {"groupby": [], "timeseries_limit_metric": _latest(chart.x)}


def latest_first(x: str) -> Params:
    """Which points stay within the limit: without this the largest would, or any. Superset takes a text for JSON there."""
    return {"order_by_cols": [json.dumps([_latest(x), False])]}


def _latest(x: str) -> Params:
    return {"expressionType": "SQL", "sqlExpression": f"max({x})", "label": "latest"}


def largest(metric: str, view: View) -> Params:
    """The order by a metric in which what has no number comes last: PostgreSQL calls NULL the largest."""
    expression = view.metrics[metric].expression
    return {"expressionType": "SQL", "sqlExpression": f"row(({expression}) is not null, {expression})", "label": f"{LARGEST}{metric}"}


def area(chart: Area, view: View) -> Params:
    return {
        "x_axis": chart.x,
        **_time_axis(chart.grain),
        "metrics": list(chart.metrics),
        **_series_over_time(chart, view),
        "order_desc": True,
        "row_limit": chart.limit,
        "seriesType": "line",
        "stack": "Stack",
        "opacity": 0.7,
        "show_legend": True,
        "legendOrientation": "top",
        "legendType": "scroll",
        **_DRAWN,
        **_UNTITLED,
        **({"contributionMode": "row"} if chart.share else {}),
        **_format(chart, view),
    }


def mixed(chart: Mixed, view: View) -> Params:
    """The keys that end in _b, and the secondary axis, are those of the lines."""
    return {
        "x_axis": chart.x,
        **(_time_axis(chart.grain) if chart.grain else {"xAxisForceCategorical": True}),
        "metrics": list(chart.metrics),
        "groupby": [],
        "seriesType": "bar",
        "metrics_b": list(chart.lines),
        "groupby_b": [],
        "seriesTypeB": "line",
        "yAxisIndexB": 1,
        "markerEnabledB": True,
        "markerSizeB": 5,
        "order_desc": True,
        "order_desc_b": True,
        "row_limit": chart.limit,
        "row_limit_b": chart.limit,
        **(latest_first(chart.x) | {f"{key}_b": value for key, value in latest_first(chart.x).items()} if chart.grain else {}),
        "show_legend": True,
        "legendOrientation": "top",
        **_DRAWN,
        **_UNTITLED,
        "y_axis_format_secondary": chart.line_format or view.metrics[chart.lines[0]].format,
        **({"currency_format_secondary": currency} if (currency := currency_of(view.metrics[chart.lines[0]])) else {}),
        **number("y_axis_format", chart, view),
    }
