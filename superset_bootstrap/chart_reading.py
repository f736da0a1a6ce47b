"""A chart as Superset exports it → our spec: a kind of ours where its words suffice, else raw. Pure.

Styles that our kinds do not speak of are drawn as ours afterwards; what a chart asks for is never changed.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from project.chart_keys import ChartSpec
from project.charts import KINDS, Chart, Raw
from project.models import View
from superset_bootstrap.axis_drawing import GRAINS
from superset_bootstrap.drawing import VIZ_TYPES
from superset_bootstrap.queries import queries_of

Fields = dict[str, Any]
_GRAINS = {iso: grain for grain, iso in GRAINS.items()}
_KINDS = {viz_type: kind for kind, viz_type in VIZ_TYPES.items()}
# Options that ask for something our kinds have no word for.
_BEYOND = ("time_compare", "rolling_type", "annotation_layers", "forecastEnabled", "resample_rule", "percent_metrics", "x_axis_time_bounds")


def chart_spec(document: Mapping[str, Any], view: View, common: Fields) -> Chart:
    """`common` are the keys that every chart has. A document has its params parsed and its query_context as text or parsed."""
    params = document["params"]
    kind = _KINDS.get(document["viz_type"])
    if kind is not None and not any(params.get(key) not in (None, "None", [], "", False) for key in _BEYOND):
        try:
            fields = _READERS[kind](params, view)
            spec = KINDS[kind].model_validate({**common, "type": kind, **_without_own_format(fields, view)})
        except (ValidationError, KeyError, TypeError, ValueError):
            return _raw(document, view, common)
        known = set(spec.metric_names) <= view.metrics.keys() and set(spec.column_names) <= view.columns.keys()
        if known and _asks_for_all(params, view, kind) and _has_its_axis(spec, view):
            return spec
    return _raw(document, view, common)


def _asks_for_all(params: Mapping[str, Any], view: View, kind: str) -> bool:
    """Whether the only filters are those that we write ourselves."""

    def ours(spec: Mapping[str, Any]) -> bool:
        place = spec.get("operator") == "TEMPORAL_RANGE" and spec.get("subject") == view.time_column and spec["comparator"] == "No filter"
        return place or (kind == "bar" and spec.get("clause") == "HAVING" and str(spec.get("sqlExpression")).endswith(") is not null"))

    return all(map(ours, params.get("adhoc_filters") or []))


def _has_its_axis(spec: ChartSpec, view: View) -> bool:
    return not getattr(spec, "grain", None) or getattr(spec, "x", None) == view.time_column


def _without_own_format(fields: Fields, view: View) -> Fields:
    """A format is only said where it differs from the metric's."""
    pairs = {"format": ("y_metric", "metric", "metrics"), "line_format": ("lines",), "x_format": ("x_metric",)}
    for key, named_by in pairs.items():
        names = [name for named in named_by for name in _list(fields.get(named))]
        if names and names[0] in view.metrics and fields.get(key) in (None, view.metrics[names[0]].format):
            fields.pop(key, None)
    return fields


def _raw(document: Mapping[str, Any], view: View, common: Fields) -> Raw:
    skipped = {"viz_type", "datasource", "slice_id", "dashboards", "url_params", "query_context"}
    params = {key: value for key, value in document["params"].items() if key not in skipped}
    if view.time_column is None and params.get("adhoc_filters") == []:
        params.pop("adhoc_filters")
    context = document.get("query_context") or {}
    queries = (json.loads(context) if isinstance(context, str) else context).get("queries", [])
    fields = {**common, "type": "raw", "viz_type": document["viz_type"], "params": params}
    plain = Raw.model_validate(fields | _asked_by(queries, params, view))
    return plain if not queries or queries_of(plain, view) == queries else plain.model_copy(update={"queries": tuple(queries)})


def _asked_by(queries: list[Any], params: Fields, view: View) -> Fields:
    """Metrics and columns of the view that a chart uses, in the order of its query if it has just one."""
    used = list(dict.fromkeys(text for value in (*queries, *params.values()) for text in _texts(value)))
    limit = queries[0].get("row_limit") if queries else None
    found = {"metrics": [name for name in used if name in view.metrics], "columns": [name for name in used if name in view.columns]}
    return found | ({"limit": limit} if isinstance(limit, int) and 0 < limit <= 50_000 else {})


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from (text for part in value.values() for text in _texts(part))
    elif isinstance(value, list):
        yield from (text for part in value for text in _texts(part))


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [] if value is None else [value]


def _one(values: Any) -> str | None:
    """The only one, if there is any; ValueError if there are more."""
    [found] = _list(values) or [None]
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
    fields: Fields = {"metrics": _list(params["metrics"]), "x": params["x_axis"], "format": params.get("y_axis_format")}
    if dimension:
        fields |= {"dimension": dimension, "series_limit": min(params.get("limit") or 10, 20)}
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
        "metrics": _list(params["metrics"]),
        "lines": _list(params["metrics_b"]),
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
    by, descending = params.get("timeseries_limit_metric"), params.get("order_desc", True)
    metrics = _list(params["metrics"])
    sort = None if not by or (by == metrics[0] and descending) else f"-{by}" if descending else by
    return common | {"columns": _list(params["groupby"]), "metrics": metrics, "sort": sort}


def _highlight(rule: Fields) -> Fields:
    if rule["operator"] != "≤":
        raise ValueError(rule["operator"])
    return {"column": rule["column"], "at_most": rule["targetValue"], "color": rule["colorScheme"]}


def _pivot(params: Fields, view: View) -> Fields:
    if params.get("aggregateFunction", "Sum") != "Sum" or params.get("metricsLayout", "COLUMNS") != "COLUMNS":
        raise ValueError("another aggregate or layout")
    return {
        "metrics": _list(params["metrics"]),
        "rows": _list(params["groupbyRows"]),
        "columns": _list(params.get("groupbyColumns")),
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


_READERS: Mapping[str, Callable[[Fields, View], Fields]] = {
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
