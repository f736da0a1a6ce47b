"""The params of a chart as Superset exports it → the keys of our kind, by kind. Pure.

A reader raises KeyError, TypeError or ValueError where the kind has no word for what the params ask.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from project.models import View
from superset_bootstrap.axis_drawing import GRAINS, LARGEST

Fields = dict[str, Any]
_GRAINS = {iso: grain for grain, iso in GRAINS.items()}


def listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [] if value is None else [value]


def _one(values: Any) -> str | None:
    """The only one, if there is any; ValueError if there are more."""
    [found] = listed(values) or [None]
    return found


def _big_number(params: Fields, view: View) -> Fields:
    fields = {"metric": params["metric"], "subtitle": params.get("subtitle") or "", "format": params.get("y_axis_format")}
    alarms = params.get("conditional_formatting") or []
    if alarms:
        [alarm] = alarms
        fields["alarm_above"] = alarm["targetValue"]
        if alarm["operator"] != ">":
            raise ValueError(alarm["operator"])
    return fields


def _trend(params: Fields, view: View) -> Fields:
    return {
        "metric": params["metric"],
        "x": params["x_axis"],
        "grain": _GRAINS[params["time_grain_sqla"]],
        "number": {"LAST_VALUE": "latest", "raw": "overall"}[params.get("aggregation") or "LAST_VALUE"],
        "subtitle": params.get("subtitle") or "",
        "limit": params.get("row_limit") or 10_000,
        "format": params.get("y_axis_format"),
    }


def _parts(params: Fields) -> Fields:
    """The dimension of a chart along an axis, with how its parts are drawn."""
    dimension = _one(params.get("groupby"))
    fields: Fields = {"metrics": listed(params["metrics"]), "x": params["x_axis"], "format": params.get("y_axis_format")}
    if dimension:
        if not params.get("group_others_when_limit_reached") or not _keeps_the_largest(params):
            raise ValueError("other series than the largest, and the rest as one")
        fields |= {"dimension": dimension, "series_limit": params["limit"]}
    if params.get("contributionMode"):
        fields |= {"share": {"row": True}[params["contributionMode"]]}
        fields["format"] = None if fields["format"] == ".0%" else fields["format"]
    return fields


def _bar(params: Fields, view: View) -> Fields:
    fields, horizontal = _parts(params), params.get("orientation") == "horizontal"
    timed = params["x_axis"] == view.time_column and not params.get("xAxisForceCategorical")
    grain = _GRAINS[params["time_grain_sqla"]] if timed else None
    usual = 10_000 if grain or fields.get("dimension") else 20
    by, ascending = params.get("x_axis_sort"), bool(params.get("x_axis_sort_asc")) != horizontal
    sort = None if not by or (by == fields["metrics"][0] and not ascending) else by if ascending else f"-{by}"
    return fields | {
        "grain": grain,
        "stacked": bool(params.get("stack")) or not fields.get("dimension"),
        "horizontal": horizontal,
        "limit": None if params.get("row_limit") in (None, usual) else params["row_limit"],
        "sort": sort,
    }


def _over_time(params: Fields, view: View) -> Fields:
    return _parts(params) | {"grain": _GRAINS[params["time_grain_sqla"]], "limit": params.get("row_limit") or 10_000}


def _mixed(params: Fields, view: View) -> Fields:
    if params.get("groupby") or params.get("groupby_b") or (params.get("seriesType"), params.get("seriesTypeB")) != ("bar", "line"):
        raise ValueError("not bars and lines of metrics")
    timed = params["x_axis"] == view.time_column and not params.get("xAxisForceCategorical")
    return {
        "metrics": listed(params["metrics"]),
        "lines": listed(params["metrics_b"]),
        "x": params["x_axis"],
        "grain": _GRAINS[params["time_grain_sqla"]] if timed else None,
        "limit": params.get("row_limit") or 1000,
        "format": params.get("y_axis_format"),
        "line_format": params.get("y_axis_format_secondary"),
    }


def _pie(params: Fields, view: View) -> Fields:
    return {
        "metric": params["metric"],
        "dimension": _one(params["groupby"]),
        "limit": params.get("row_limit") or 20,
        "format": params.get("number_format"),
    }


def _table(params: Fields, view: View) -> Fields:
    rules = reversed(params.get("conditional_formatting") or [])
    common: Fields = {"limit": params.get("row_limit") or 100, "highlight": list(map(_highlight, rules))}
    if params.get("query_mode") == "raw":
        order = [json.loads(text) for text in params.get("order_by_cols") or []]
        [[column, ascending]] = order or [[None, True]]
        sort = None if column is None else column if ascending else f"-{column}"
        return common | {"columns": params["all_columns"], "sort": sort}
    by, descending = _sorted_by(params.get("timeseries_limit_metric")), params.get("order_desc", True)
    metrics = listed(params["metrics"])
    sort = None if not by or (by == metrics[0] and descending) else f"-{by}" if descending else by
    return common | {"columns": listed(params["groupby"]), "metrics": metrics, "sort": sort}


def _keeps_the_largest(params: Fields) -> bool:
    """Whether those by the first metric stay within a limit."""
    [first, *_] = listed(params["metrics"])
    by = _sorted_by(params.get("series_limit_metric")) or _sorted_by(params.get("timeseries_limit_metric")) or first
    return by == first and params.get("order_desc", True)


def _sorted_by(order: Any) -> str | None:
    """The metric; of an order that we wrote, the one in its label."""
    if not isinstance(order, Mapping):
        return order
    label = str(order.get("label"))
    if not label.startswith(LARGEST):
        raise ValueError("an order of its own")
    return label.removeprefix(LARGEST)


def _highlight(rule: Fields) -> Fields:
    if rule["operator"] != "≤":
        raise ValueError(rule["operator"])
    return {"column": rule["column"], "at_most": rule["targetValue"], "color": rule["colorScheme"]}


def _pivot(params: Fields, view: View) -> Fields:
    if params.get("aggregateFunction", "Sum") != "Sum" or params.get("metricsLayout", "COLUMNS") != "COLUMNS":
        raise ValueError("another aggregate or layout")
    if not _keeps_the_largest(params):
        raise ValueError("other cells than the largest")
    return {
        "metrics": listed(params["metrics"]),
        "rows": listed(params["groupbyRows"]),
        "columns": listed(params.get("groupbyColumns")),
        "totals": bool(params.get("colTotals")),
        "limit": min(params.get("row_limit") or 1000, 10_000),
        "format": params.get("valueFormat"),
    }


def _heatmap(params: Fields, view: View) -> Fields:
    return {
        "metric": params["metric"],
        "x": params["x_axis"],
        "y": _one(params["groupby"]),
        "limit": min(params.get("row_limit") or 2000, 10_000),
        "values": bool(params.get("show_values")),
        "format": params.get("y_axis_format"),
    }


def _histogram(params: Fields, view: View) -> Fields:
    if params.get("normalize") or params.get("cumulative"):
        raise ValueError("shares or sums")
    return {
        "x": params["column"],
        "dimension": _one(params.get("groupby")),
        "bins": params.get("bins") or 20,
        "limit": params.get("row_limit") or 50_000,
        "format": params.get("y_axis_format") or ",d",
    }


def _box_plot(params: Fields, view: View) -> Fields:
    return {
        "metric": _one(params["metrics"]),
        "x": _one(params["groupby"]),
        "across": _one(params["columns"]),
        "limit": params.get("row_limit") or 10_000,
        "format": params.get("number_format"),
    }


def _scatter(params: Fields, view: View) -> Fields:
    return {
        "dimension": params["entity"],
        "x_metric": params["x"],
        "y_metric": params["y"],
        "size_metric": params["size"],
        "color_by": params["series"],
        "limit": min(params.get("limit") or 200, 5000),
        "format": params.get("y_axis_format"),
        "x_format": params.get("xAxisFormat"),
    }


def _treemap(params: Fields, view: View) -> Fields:
    return {
        "metric": params["metric"],
        "dimensions": params["groupby"],
        "limit": min(params.get("row_limit") or 30, 200),
        "format": params.get("number_format"),
    }


def _sankey(params: Fields, view: View) -> Fields:
    return {
        "metric": params["metric"],
        "dimensions": [params["source"], params["target"]],
        "limit": min(params.get("row_limit") or 30, 200),
        "format": params.get("number_format"),
    }


def _map(params: Fields, view: View) -> Fields:
    size = params["point_radius_fixed"]
    if (size["type"], params.get("point_unit")) != ("metric", "square_km"):
        raise ValueError("bubbles whose area is no metric's")
    return {
        "metric": size["value"],
        "longitude": params["spatial"]["lonCol"],
        "latitude": params["spatial"]["latCol"],
        "dimension": params["dimension"],
        "scale": params.get("multiplier") or 1,
        "limit": params.get("row_limit") or 1000,
    }


def _routes(params: Fields, view: View) -> Fields:
    start, end = params["start_spatial"], params["end_spatial"]
    return {
        "from_longitude": start["lonCol"],
        "from_latitude": start["latCol"],
        "to_longitude": end["lonCol"],
        "to_latitude": end["latCol"],
        "dimension": params["dimension"],
        "limit": params.get("row_limit") or 1000,
    }


READERS: Mapping[str, Callable[[Fields, View], Fields]] = {
    "big_number": _big_number,
    "trend": _trend,
    "bar": _bar,
    "line": _over_time,
    "area": _over_time,
    "mixed": _mixed,
    "pie": _pie,
    "table": _table,
    "pivot": _pivot,
    "heatmap": _heatmap,
    "histogram": _histogram,
    "box_plot": _box_plot,
    "scatter": _scatter,
    "treemap": _treemap,
    "sankey": _sankey,
    "map": _map,
    "routes": _routes,
}
