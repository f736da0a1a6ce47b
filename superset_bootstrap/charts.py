"""Charts → documents as Superset imports and exports them: how to draw (params) and what to ask (query_context). Pure."""

from typing import Any

from project.axis_charts import Mixed
from project.charts import Chart, Raw
from project.models import Project, View
from superset_bootstrap.drawing import drawing_of, viz_type_of
from superset_bootstrap.identity import mark_of, uuid_of
from superset_bootstrap.queries import has_numbers, queries_of


def chart_id(dashboard: str, chart: Chart) -> str:
    """The resource id of a chart."""
    return f"chart/{dashboard}.{chart.chart}"


def chart_document(project: Project, dashboard: str, chart: Chart) -> dict[str, Any]:
    """Everything that Superset holds about a chart, but for numeric ids."""
    view = project.views[chart.view]
    resource_id = chart_id(dashboard, chart)
    viz_type = viz_type_of(chart)
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
        "params": {"viz_type": viz_type, "adhoc_filters": filters, **drawing_of(chart, view), **_filters_of_lines(chart, filters)},
        "query_context": {"force": False, "result_format": "json", "result_type": "full", "queries": queries_of(chart, view)},
    }


def _filters_of_lines(chart: Chart, filters: list[dict[str, Any]]) -> dict[str, Any]:
    """Superset asks twice for a mixed chart."""
    return {"adhoc_filters_b": filters} if isinstance(chart, Mixed) else {}


def _where(chart: Chart, view: View) -> list[dict[str, Any]]:
    """The place that a time range filter of the dashboard fills in."""
    if view.time_column is None or not chart.filtered or (isinstance(chart, Raw) and "adhoc_filters" in chart.params):
        return []
    place = {"clause": "WHERE", "expressionType": "SIMPLE", "operator": "TEMPORAL_RANGE", "comparator": "No filter"}
    return [place | {"subject": view.time_column}]


def _having(chart: Chart, view: View) -> list[dict[str, Any]]:
    having = has_numbers(chart, view)
    return [{"clause": "HAVING", "expressionType": "SQL", "sqlExpression": having}] if having else []
