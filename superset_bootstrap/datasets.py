"""Database connection and views → documents as Superset imports and exports them. Pure."""

from typing import Any

from project.dashboards import Metric
from project.environment import Environment
from project.models import Project, View
from project.resources import digest_of
from superset_bootstrap.formats import currency_of
from superset_bootstrap.identity import mark_of, uuid_of

# What Superset shows in place of a password.
_MASK = "XXXXXXXXXX"


def database_document(project: Project, environment: Environment) -> dict[str, Any]:
    """The connection as the role that can only read. Nobody writes, uploads or opens SQL Lab through it."""
    analytics = environment.analytics
    login, place = f"{analytics.reader.user}:{_MASK}", f"{analytics.host}:{analytics.port}/{analytics.database or 'postgres'}"
    return {
        "uuid": uuid_of(project.name, f"database/{project.name}"),
        "database_name": project.analytics_title or project.title,
        "sqlalchemy_uri": f"postgresql+psycopg2://{login}@{place}",
        "expose_in_sqllab": False,
        "allow_run_async": False,
        "allow_ctas": False,
        "allow_cvas": False,
        "allow_dml": False,
        "allow_file_upload": False,
        "cache_timeout": None,
        # Observed by asking Superset to use the connection: a changed password shows as drift.
        "connects": True,
    }


def dataset_document(project: Project, view: View) -> dict[str, Any]:
    """A view with its columns and metrics in words."""
    resource_id = f"dataset/{view.name}"
    return {
        "uuid": uuid_of(project.name, resource_id),
        "database_uuid": uuid_of(project.name, f"database/{project.name}"),
        "schema": project.schema_,
        "table_name": view.name,
        "description": _text(view.description),
        "main_dttm_col": view.time_column,
        "filter_select_enabled": True,
        "always_filter_main_dttm": False,
        "normalize_columns": False,
        "cache_timeout": None,
        "offset": 0,
        "sql": None,
        "fetch_values_predicate": None,
        "extra": {
            "certification": {"certified_by": project.owner, "details": mark_of(project.name, resource_id)},
            # Superset keeps the types that it once read: where they may have become others, this differs, and they are read again.
            "types_from": digest_of(_types(project, view.name)),
        },
        "columns": {name: _column(view, name) for name in view.columns},
        "metrics": {name: _metric(metric) for name, metric in view.metrics.items()},
    }


def _types(project: Project, relation: str) -> Any:
    """What the types of a relation's columns come from."""
    if view := project.views.get(relation):
        return [view.sql, *(_types(project, read) for read in view.reads)]
    if relation not in project.target_tables:
        return relation
    stream, captured = project.target_tables[relation]
    return {name: column.type for name, column in project.sources[stream.source].tables[captured].target_columns.items()}


def label_of(view: View, column: str) -> str:
    """How people read a column's name."""
    return view.columns[column].label or column.replace("_", " ").capitalize()


def _column(view: View, name: str) -> dict[str, Any]:
    declared: dict[str, Any] = {"verbose_name": label_of(view, name), "description": _text(view.columns[name].description)}
    # Superset finds the types itself; a date becomes a time column only by being told.
    return declared | ({"is_dttm": True} if name == view.time_column else {})


def _metric(metric: Metric) -> dict[str, Any]:
    return {
        "expression": metric.expression,
        "verbose_name": metric.label,
        "description": _text(metric.description),
        "d3format": metric.format,
        "currency": currency_of(metric),
    }


def _text(text: str) -> str:
    return text.strip()
