"""Dashboards → documents as Superset imports and exports them, but for numeric ids and the grid. Pure.

A chart's local id is its place in reading order, from 1; Superset replaces it by its own.
"""

from pathlib import Path
from typing import Any

from project.axis_charts import Area, Bar, Line
from project.charts import Chart, Pie, Table
from project.dashboards import Dashboard
from project.models import Project
from superset_bootstrap.charts import chart_id
from superset_bootstrap.filters import filter_document, scope
from superset_bootstrap.identity import mark_of, slug_of, uuid_of
from superset_bootstrap.layout import position_of

OTHERS = {"Others": "#8a8f98"}  # what is drawn as one beside the largest of a dimension
_NARROW = (Path(__file__).parent / "narrow.css").read_text()


def dashboard_document(project: Project, dashboard: Dashboard, analyst_role: str) -> dict[str, Any]:
    """Everything that Superset holds about a dashboard, but for numeric ids."""
    resource_id = f"dashboard/{dashboard.name}"
    uuids = [uuid_of(project.name, chart_id(dashboard.name, chart)) for chart in dashboard.charts]
    return {
        "uuid": uuid_of(project.name, resource_id),
        "slug": slug_of(project.name, dashboard.name),
        "dashboard_title": dashboard.title,
        "description": dashboard.description.strip(),
        "certified_by": dashboard.owner or project.owner,
        "certification_details": mark_of(project.name, resource_id),
        "published": True,
        "css": _NARROW,
        "roles": [analyst_role],
        "charts": sorted(uuids),
        "metadata": _metadata(project, dashboard),
        "position": position_of(dashboard, uuids),
    }


def _metadata(project: Project, dashboard: Dashboard) -> dict[str, Any]:
    return {
        "refresh_frequency": dashboard.refresh_seconds,
        "timed_refresh_immune_slices": [],
        "label_colors": _colors(project, dashboard),
        "filter_bar_orientation": "HORIZONTAL",
        "native_filter_configuration": [filter_document(project, dashboard, spec) for spec in dashboard.filters],
        "cross_filters_enabled": dashboard.cross_filters,
        "chart_configuration": {
            str(local_id): {"id": local_id, "crossFilters": {"scope": scope(_strangers(project, dashboard, local_id, chart))}}
            for local_id, chart in enumerate(dashboard.charts, 1)
            if _clickable_columns(chart)
        },
        "global_chart_configuration": {"scope": scope([])},
    }


def _colors(project: Project, dashboard: Dashboard) -> dict[str, str]:
    """Those that the shown columns give their values, and the dashboard's own, which win."""
    shown = [project.views[chart.view].columns[name] for chart in dashboard.charts for name in chart.column_names]
    parted = any(isinstance(chart, Bar | Line | Area) and chart.dimension for chart in dashboard.charts)
    others = OTHERS if parted else {}
    return others | {value: color for column in shown for value, color in column.colors.items()} | dict(dashboard.colors)


def _clickable_columns(chart: Chart) -> set[str]:
    """Columns whose values filter the other charts when clicked."""
    match chart:
        case Pie():
            return {chart.dimension}
        case Table():
            return set(chart.columns)
        case _:
            return set()


def _strangers(project: Project, dashboard: Dashboard, own_id: int, clicked: Chart) -> list[int]:
    """Charts that a click must not touch: itself, those that no filter acts on, and those without the column."""
    columns = _clickable_columns(clicked)
    return [
        local_id
        for local_id, chart in enumerate(dashboard.charts, 1)
        if local_id == own_id or not chart.filtered or columns.isdisjoint(project.views[chart.view].columns)
    ]
