"""The room's pure door: a project's Superset content as resources."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from project.dashboards import ColumnFilter, Dashboard
from project.environment import Environment
from project.models import Project
from project.problems import Location
from project.resources import Resource
from superset_bootstrap.charts import chart_document, chart_id
from superset_bootstrap.dashboards import dashboard_document
from superset_bootstrap.datasets import database_document, dataset_document


def compile_resources(project: Project, environment: Environment) -> tuple[Resource, ...]:
    """The connection, a dataset for each view that a chart or filter uses, all charts and dashboards; nothing without dashboards."""
    if not project.dashboards:
        return ()
    return (
        _database(project, environment),
        *(_dataset(project, name) for name in _used_views(project)),
        *(resource for dashboard in project.dashboards.values() for resource in _charts(project, dashboard)),
        *(_dashboard(project, dashboard, environment) for dashboard in project.dashboards.values()),
    )


def _used_views(project: Project) -> list[str]:
    used = {chart.view for dashboard in project.dashboards.values() for chart in dashboard.charts}
    used |= {spec.view for dashboard in project.dashboards.values() for spec in dashboard.filters if isinstance(spec, ColumnFilter)}
    return sorted(used)


def _database(project: Project, environment: Environment) -> Resource:
    document = database_document(project, environment)
    depends_on = (f"schema/{project.schema_}",)
    return _resource("database", project.name, document, depends_on, project.declared_at, document["database_name"],
                     "Superset's connection to the analytics database, as the role that can only read.")


def _dataset(project: Project, name: str) -> Resource:
    view = project.views[name]
    depends_on = (f"view/{name}", f"database/{project.name}")
    return _resource("dataset", name, dataset_document(project, view), depends_on, view.declared_at, view.title, view.description)


def _charts(project: Project, dashboard: Dashboard) -> Iterator[Resource]:
    for chart in dashboard.charts:
        document = chart_document(project, dashboard.name, chart)
        name = chart_id(dashboard.name, chart).removeprefix("chart/")
        yield _resource("chart", name, document, (f"dataset/{chart.view}",), chart.declared_at, chart.title, chart.description)


def _dashboard(project: Project, dashboard: Dashboard, environment: Environment) -> Resource:
    document = dashboard_document(project, dashboard, environment.superset.analyst_role.replace("{project}", project.name))
    filtered = {f"dataset/{spec.view}" for spec in dashboard.filters if isinstance(spec, ColumnFilter)}
    depends_on = (*(chart_id(dashboard.name, chart) for chart in dashboard.charts), *sorted(filtered))
    return _resource("dashboard", dashboard.name, document, depends_on, dashboard.declared_at, dashboard.title, dashboard.description)


def _resource(
    kind: str, name: str, document: Mapping[str, Any], depends_on: tuple[str, ...], declared_at: Location, title: str, description: str
) -> Resource:
    # What a hand edit adds shows up here as well as what it changes.
    complete = {**document, "undeclared": []}
    return Resource(
        system="superset",
        kind=kind,
        name=name,
        document=complete,
        depends_on=depends_on,
        declared_at=declared_at,
        title=title,
        description=description.strip(),
        text=json.dumps(document, indent=2, ensure_ascii=False),
    )
