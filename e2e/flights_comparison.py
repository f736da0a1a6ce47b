"""The views of examples/flights against its files."""

from math import isclose
from numbers import Number

import pandas as pd
import psycopg
from pandas.api.types import is_numeric_dtype
from psycopg.sql import SQL, Composed, Identifier

from e2e.flights_files import Files, Frame
from project.models import Project

_OWN = {"flight_id"}  # in no file
_ADDED_UP = {"vw_punctuality", "vw_departure_hours", "vw_delay_bands", "vw_weather"}  # a row per flight, compared by day and kind
_MOVING = {"vw_freshness"}  # is about now
_WORDS = ("flight_date", "scheduled_departure", "flight", "airline", "origin", "route", "tail_number", "finding", "weather", "hour",
          "delay_band")  # fmt: skip


def differences(project: Project, analytics: psycopg.Connection, files: Files) -> list[str]:
    """Every view whose rows, and every metric whose value, is not what the files say."""
    views, metrics = files.views(), files.metrics()
    asked = {name for name in project.views if name not in _MOVING}
    found = [f"{name}: not compared" for name in sorted(asked ^ views.keys())]
    found += [f"{name}: {what}" for name in sorted(asked & views.keys()) if (what := _rows_differ(project, analytics, name, views[name]))]
    for name in sorted(asked):
        found += _metrics_differ(project, analytics, name, {key: value for key, value in metrics.items() if key.startswith(f"{name}.")})
    return found


def _rows_differ(project: Project, analytics: psycopg.Connection, view: str, wanted: Frame) -> str:
    columns = [column for column in project.views[view].columns if column not in _OWN]
    if set(columns) != set(wanted.columns):
        return f"columns {sorted(set(columns) ^ set(wanted.columns))} are in one only"
    query = SQL("select {} from {}").format(SQL(", ").join(map(Identifier, columns)), Identifier(project.schema_, view))
    if view in _ADDED_UP:
        query = _added_up(project, view, wanted[columns])
    shown = pd.DataFrame(analytics.execute(query).fetchall(), columns=columns)
    if len(shown) != len(wanted):
        return f"{len(shown)} rows, and {len(wanted)} in the files"
    try:
        pd.testing.assert_frame_equal(_in_order(shown), _in_order(wanted[columns]), check_dtype=False, rtol=1e-9, atol=0)
    except AssertionError as error:
        return str(error)
    return ""


def _added_up(project: Project, view: str, wanted: Frame) -> Composed:
    """The sum of each number for each combination of the words."""
    numbers = [column for column in wanted.columns if is_numeric_dtype(wanted[column])]
    words = [column for column in wanted.columns if column not in numbers]
    shown = [SQL("sum({0}) as {0}").format(Identifier(name)) if name in numbers else Identifier(name) for name in wanted.columns]
    return SQL("select {} from {} group by {}").format(
        SQL(", ").join(shown), Identifier(project.schema_, view), SQL(", ").join(map(Identifier, words))
    )


def _in_order(frame: Frame) -> Frame:
    """Rows by their words, numbers as floats, so that neither an order nor a type makes a difference."""
    plain = frame.copy()
    for column in plain.columns:
        if column in ("scheduled_local", "scheduled_departure", "flight_date"):
            plain[column] = pd.to_datetime(plain[column]).astype("datetime64[us]")
        elif isinstance(plain[column].dropna().iloc[0], Number):
            plain[column] = plain[column].astype(float)
        else:
            plain[column] = plain[column].astype(str)
    return plain.sort_values([word for word in _WORDS if word in plain.columns], ignore_index=True)


def _metrics_differ(project: Project, analytics: psycopg.Connection, view: str, wanted: dict[str, float]) -> list[str]:
    """One query for all metrics of a view."""
    metrics = project.views[view].metrics
    if missing := sorted(wanted.keys() ^ {f"{view}.{metric}" for metric in metrics}):
        return [f"{name}: not compared" for name in missing]
    expressions = SQL(", ").join(SQL(metric.expression) for metric in metrics.values())  # pyright: ignore[reportArgumentType]
    shown = analytics.execute(SQL("select {} from {}").format(expressions, Identifier(project.schema_, view))).fetchone() or ()
    named = [(f"{view}.{metric}", float(value)) for metric, value in zip(metrics, shown, strict=True)]
    return [f"{name}: {value}, and {wanted[name]} in the files" for name, value in named if not isclose(value, wanted[name], rel_tol=1e-9)]
