"""How the analytics database is right now, as the one who uses it would find it."""

from collections.abc import Mapping
from math import isfinite
from time import perf_counter

import psycopg

from analytics_sql.connections import connection, run
from analytics_sql.documents import database_name
from analytics_sql.statements import quoted
from project.dashboards import Metric, shown
from project.environment import AnalyticsDatabase
from project.models import View
from project.resources import Health, Refused, Resource, State

_BOUND = 10  # seconds; a sensor's turn is not held up for longer
# Above this many rows the newest arrival is not looked for: it would read the whole table.
_SMALL_TABLE = 100_000
_ROWS = """
select greatest(n_live_tup, reltuples::bigint) as rows -- a server that has crashed has forgotten the first of them
from pg_stat_all_tables join pg_class on pg_class.oid = relid
where relid = to_regclass(%s)
"""


def health(database: AnalyticsDatabase, schema: str, resource: Resource) -> Health:
    """Never raises for a database that refuses or does not answer."""
    look = {"schema": _schema, "table": _table, "view": _view}[resource.kind]
    try:
        return look(database, schema, resource)
    except Refused as error:
        return Health(State.FAILED, str(error))


def _schema(database: AnalyticsDatabase, schema: str, resource: Resource) -> Health:
    """As the reader, whose login Superset uses."""
    started = perf_counter()
    with connection(database, database.reader, resource.id, _BOUND) as connected:
        connected.execute("select 1")
        version = connected.info.server_version // 10_000
    seconds = perf_counter() - started
    return Health(
        State.PASSED, f"PostgreSQL {version} lets the reader in", {"seconds": round(seconds, 3), "database": database_name(database)}
    )


def _table(database: AnalyticsDatabase, schema: str, resource: Resource) -> Health:
    with connection(database, database.admin, resource.id, _BOUND) as connected:
        name = quoted(schema, resource.name)
        row = connected.execute(_ROWS, (name,)).fetchone()
        if row is None:
            return Health(State.FAILED, "the table does not exist; materialize it")
        facts = {"rows": row["rows"]}
        if row["rows"] > _SMALL_TABLE or not resource.document["arrival_trigger"]:
            return Health(State.PASSED, f"about {row['rows']:,} rows", facts)
        latest = connected.execute(f"select max(synced_at)::timestamp(0)::text as at from {name}".encode()).fetchone()
    at = latest["at"] if latest else None
    return Health(State.PASSED, f"about {row['rows']:,} rows, the latest written at {at} UTC" if at else "empty", {**facts, "latest": at})


def _view(database: AnalyticsDatabase, schema: str, resource: Resource) -> Health:
    """As the reader, with its rights."""
    started = perf_counter()
    with connection(database, database.reader, resource.id, _BOUND) as connected:
        connected.execute(f"select * from {quoted(schema, resource.name)} limit 1".encode()).fetchone()
    seconds = perf_counter() - started
    return Health(State.PASSED, f"answers in {seconds * 1000:.0f} ms", {"seconds": round(seconds, 3)})


def expected(database: AnalyticsDatabase, schema: str, view: View) -> Health:
    """Whether the bounded metrics of a view are within their bounds. Never raises for a database that refuses or does not answer."""
    try:
        return judge_numbers(view, _numbers(database, schema, view))
    except Refused as refused:
        wrong = isinstance(refused.__cause__, psycopg.ProgrammingError | psycopg.DataError)  # otherwise the numbers may be right
        return Health(State.FAILED if wrong else State.UNKNOWN, str(refused))


def judge_numbers(view: View, values: Mapping[str, float | None]) -> Health:
    """What the values of a view's bounded metrics mean; one without a value passes."""
    found = {name: (metric, values.get(name)) for name, metric in view.bounded.items()}
    facts = {name: value for name, (_, value) in found.items() if value is not None and isfinite(value)}  # pages cannot show others
    outside = [
        f"{_said(name, value)}; expected {metric.bounds}: {_meaning(metric)}"
        for name, (metric, value) in found.items()
        if value is not None and not metric.allows(value)
    ]
    if outside:
        return Health(State.FAILED, "\n".join(outside), facts)
    return Health(State.PASSED, ", ".join(_said(name, value) for name, (_, value) in found.items()), facts)


def _numbers(database: AnalyticsDatabase, schema: str, view: View) -> Mapping[str, float | None]:
    """As the reader, who finds functions where Superset does."""
    asked = ", ".join(f"({metric.expression})::float8 as {quoted(name)}" for name, metric in view.bounded.items())
    with connection(database, database.reader, f"view/{view.name}", _BOUND) as connected:
        run(connected, f"set search_path to {quoted(schema)}")
        return connected.execute(f"select {asked} from {quoted(schema, view.name)}".encode()).fetchone() or {}


def _said(name: str, value: float | None) -> str:
    return f"{name} has no value" if value is None else f"{name} is {shown(value)}"


def _meaning(metric: Metric) -> str:
    """Its description within a sentence."""
    text = metric.description.strip().rstrip(".")
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]
