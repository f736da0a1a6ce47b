"""A chart as Superset exports it → our spec: a kind of ours where its words suffice, else raw. Pure.

Styles that our kinds do not speak of are drawn as ours afterwards; what a chart asks for is never changed.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from project.chart_keys import ChartSpec
from project.charts import KINDS, Chart, Raw
from project.models import View
from superset_bootstrap.drawing import VIZ_TYPES, drawing_of
from superset_bootstrap.kind_reading import READERS, Fields, listed
from superset_bootstrap.queries import has_numbers, queries_of

_KINDS = {viz_type: kind for kind, viz_type in VIZ_TYPES.items()}
# Options that ask for something our kinds have no word for.
_BEYOND = ("time_compare", "rolling_type", "annotation_layers", "forecastEnabled", "resample_rule", "percent_metrics", "x_axis_time_bounds")


def chart_spec(document: Mapping[str, Any], view: View, common: Fields) -> Chart:
    """`common` are the keys that every chart has. A document has its params parsed and its query_context as text or parsed."""
    params = document["params"]
    kind = _KINDS.get(document["viz_type"])
    if kind is not None and not any(params.get(key) not in (None, "None", [], "", False) for key in _BEYOND):
        try:
            fields = READERS[kind](params, view)
            spec = KINDS[kind].model_validate({**common, "type": kind, **_without_own_format(fields, view)})
        except (ValidationError, KeyError, TypeError, ValueError):
            return _raw(document, view, common)
        known = set(spec.metric_names) <= view.metrics.keys() and set(spec.column_names) <= view.columns.keys()
        kept = known and _asks_for_all(params, view, spec) and _has_its_axis(spec, view) and _has_its_order(params, spec, view)
        if kept and not _cuts_other_times(params, spec, view):
            return spec
    return _raw(document, view, common)


def _has_its_order(params: Mapping[str, Any], spec: Chart, view: View) -> bool:
    """Whether an order that is written out is the one that we write."""
    ours = drawing_of(spec, view)
    orders = {key: params[key] for key in ("timeseries_limit_metric", "series_limit_metric") if isinstance(params.get(key), Mapping)}
    return orders.items() <= ours.items()


def _asks_for_all(params: Mapping[str, Any], view: View, spec: Chart) -> bool:
    """Whether the only filters are those that we write ourselves."""

    def ours(one: Mapping[str, Any]) -> bool:
        place = one.get("operator") == "TEMPORAL_RANGE" and one.get("subject") == view.time_column and one["comparator"] == "No filter"
        return place or (one.get("clause") == "HAVING" and one.get("sqlExpression") == has_numbers(spec, view) != "")

    return all(map(ours, params.get("adhoc_filters") or []))


def _has_its_axis(spec: ChartSpec, view: View) -> bool:
    return not getattr(spec, "grain", None) or getattr(spec, "x", None) == view.time_column


def _cuts_other_times(params: Mapping[str, Any], spec: ChartSpec, view: View) -> bool:
    """Whether Superset cuts columns by the grain, as it does in tables, pivots, heat maps and boxes, where our kinds have none."""
    if not params.get("time_grain_sqla") or getattr(spec, "grain", None):
        return False
    times = {name for name, is_time in (params.get("temporal_columns_lookup") or {}).items() if is_time} | {view.time_column}
    return not times.isdisjoint(spec.column_names)


def _without_own_format(fields: Fields, view: View) -> Fields:
    """A format is only said where it differs from the metric's."""
    pairs = {"format": ("y_metric", "metric", "metrics"), "line_format": ("lines",), "x_format": ("x_metric",)}
    for key, named_by in pairs.items():
        names = [name for named in named_by for name in listed(fields.get(named))]
        if names and names[0] in view.metrics and fields.get(key) in (None, view.metrics[names[0]].format):
            fields.pop(key, None)
    return fields


def _raw(document: Mapping[str, Any], view: View, common: Fields) -> Raw:
    skipped = {"viz_type", "datasource", "slice_id", "dashboards", "url_params", "query_context"}
    params = {key: value for key, value in document["params"].items() if key not in skipped}
    if view.time_column is None and params.get("adhoc_filters") == []:
        params.pop("adhoc_filters")
    # The importer keeps formulas alone, and writes an empty list where there is none.
    formulas = [layer for layer in params.pop("annotation_layers", None) or [] if layer.get("annotationType") == "FORMULA"]
    params |= {"annotation_layers": formulas} if formulas else {}
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
