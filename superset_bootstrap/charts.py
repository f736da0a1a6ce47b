"""Charts → documents as Superset imports and exports them: how to draw (params) and what to ask (query_context). Pure."""

from collections.abc import Sequence
from typing import Any

from project.charts import Bar, BigNumber, Chart, Line, Pie, Table
from project.models import Project, View
from superset_bootstrap.drawing import GRAINS, VIZ_TYPES, drawing_of
from superset_bootstrap.identity import mark_of, uuid_of

Query = dict[str, Any]


def chart_id(dashboard: str, chart: Chart) -> str:
    """The resource id of a chart."""
    return f"chart/{dashboard}.{chart.chart}"


def chart_document(project: Project, dashboard: str, chart: Chart) -> dict[str, Any]:
    """Everything that Superset holds about a chart, but for numeric ids."""
    view = project.views[chart.view]
    resource_id = chart_id(dashboard, chart)
    viz_type = VIZ_TYPES[chart.type]
    filters = _where(chart, view) + _having(chart, view)
    return {
        "uuid": uuid_of(project.name, resource_id),
        "dataset_uuid": uuid_of(project.name, f"dataset/{view.name}"),
        "slice_name": chart.title,
        "description": chart.description.strip(),
        "certified_by": project.owner,
        "certification_details": mark_of(project.name, resource_id),
        "viz_type": viz_type,
        "cache_timeout": None if chart.cached else -1,
        "params": {"viz_type": viz_type, "adhoc_filters": filters, **drawing_of(chart, view)},
        "query_context": {"force": False, "result_format": "json", "result_type": "full", "queries": [_query(chart, view)]},
    }


def _query(chart: Chart, view: View) -> Query:
    """What is asked when nobody looks: by the check after an apply. It asks what the browser asks."""
    match chart:
        case BigNumber():
            return _asked([], chart.metric_names)
        case Bar():
            return _asked([chart.x], chart.metrics, chart.limit) | {"extras": {"having": f"({_has_a_number(chart, view)})"}}
        case Line():
            axis = {"columnType": "BASE_AXIS", "expressionType": "SQL", "sqlExpression": chart.x, "label": chart.x}
            return _asked([axis | {"timeGrain": GRAINS[chart.grain]}], chart.metrics, chart.limit) | {"orderby": [[chart.x, False]]}
        case Pie():
            return _asked([chart.dimension], chart.metric_names, chart.limit)
        case Table():
            return _asked(chart.columns, (), chart.limit) | {"orderby": [[chart.sort_column, chart.ascending]] if chart.sort else []}


def _asked(columns: Sequence[Any], metrics: Sequence[str], row_limit: int | None = None) -> Query:
    """Largest first by the first metric."""
    return {
        "columns": list(columns),
        "metrics": list(metrics) or None,
        "filters": [],
        "orderby": [[metrics[0], False]] if metrics and columns else [],
        "row_limit": row_limit,
    }


def _where(chart: Chart, view: View) -> list[dict[str, Any]]:
    """The place that a time range filter of the dashboard fills in."""
    if view.time_column is None or not chart.filtered:
        return []
    place = {"clause": "WHERE", "expressionType": "SIMPLE", "operator": "TEMPORAL_RANGE", "comparator": "No filter"}
    return [place | {"subject": view.time_column}]


def _having(chart: Chart, view: View) -> list[dict[str, Any]]:
    """PostgreSQL calls NULL the largest: without this, what has no number would take the first places of a limited chart."""
    if not isinstance(chart, Bar):
        return []
    return [{"clause": "HAVING", "expressionType": "SQL", "sqlExpression": _has_a_number(chart, view)}]


def _has_a_number(chart: Bar, view: View) -> str:
    return f"({view.metrics[chart.metrics[0]].expression}) is not null"
