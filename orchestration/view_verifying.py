"""Are the views what they would be over the sources' own rows?

The captured tables are copied as their sources hold them to temporary tables of the analytics database, and the views as declared
are asked of the copies. What a live view shows beside that counts once it has stood still, on both sides of fences.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic

import psycopg

from analytics_sql.comparison import SETTINGS, mirror_side, source_side
from analytics_sql.connections import Connection, connection, run
from analytics_sql.statements import quoted
from cdc.databases import source_connection
from orchestration import fencing
from orchestration.catalogue import Catalogue
from project.models import Stream, View
from project.references import ADDED_COLUMNS, KEPT_TABLES, ordered_views

_STATEMENT = 900  # seconds
_CONFIRMED = 2  # looks, each behind a fence, at which a row must be wrong
_OWN = "headrace$"  # no name in a spec has a dollar sign
_NAMED = 20  # rows of a view that are shown
_OF_THE_CHAIN = re.compile(rf"\b({'|'.join((*ADDED_COLUMNS, *KEPT_TABLES))})\b", re.IGNORECASE)
# The last digit of a sum of floating-point numbers depends on the order of the rows.
_ROUNDED = "set extra_float_digits = -1"


@dataclass(frozen=True)
class ViewCertificate:
    """What was found of one view; rows as PostgreSQL writes them, columns in their order."""

    view: str
    rows: int
    missing: tuple[str, ...]  # rows that the sources give and the view lacks
    extra: tuple[str, ...]  # rows that the view shows and the sources do not give
    at: datetime  # before the sources were read, UTC
    seconds: float  # that its comparison took


def of_the_chain(catalogue: Catalogue) -> set[str]:
    """Views that tell of the chain itself, of arrival or freshness: there is nothing to ask a source."""
    found: set[str] = set()
    for view in ordered_views(catalogue.project):
        if _OF_THE_CHAIN.search(view.sql) or found & set(view.reads):
            found.add(view.name)
    return found


def reading(catalogue: Catalogue, tables: Collection[str]) -> dict[str, str]:
    """Views that read one of these tables, or a view that does; and which."""
    found = dict.fromkeys(tables, "")
    for view in ordered_views(catalogue.project):
        if read := sorted(found.keys() & set(view.reads)):
            found[view.name] = read[0]
    return {name: read for name, read in found.items() if read}


def verify_views(catalogue: Catalogue, without: Collection[str] = ()) -> Iterator[ViewCertificate]:
    """Compare every view that is made of the sources' rows, but for some; raises Refused if a system does not answer."""
    left_out = of_the_chain(catalogue) | set(without)
    views = [view for view in ordered_views(catalogue.project) if view.name not in left_out]
    database = catalogue.environment.analytics
    with connection(database, database.admin, "the views", _STATEMENT) as connected:
        run(connected, f"{SETTINGS}; {_ROUNDED}")
        asked = _Asked(catalogue, connected, views)
        asked.copy()
        for view in views:
            yield asked.certificate(view.name)


class _Asked:
    """The views asked of copies of the sources' tables, in one session."""

    def __init__(self, catalogue: Catalogue, connected: Connection, views: list[View]) -> None:
        self._catalogue, self._connected, self._views = catalogue, connected, views
        self._schema = catalogue.project.schema_
        self._tables = sorted({read for view in views for read in view.reads} & catalogue.project.target_tables.keys())
        self._at = datetime.now(UTC)

    def copy(self) -> None:
        """The sources' tables as they are now; each source at one moment."""
        self._at = datetime.now(UTC)
        run(self._connected, "set search_path = pg_temp")
        for table in self._tables:
            run(self._connected, f"drop table if exists pg_temp.{quoted(table)} cascade")
            run(self._connected, f"create temporary table {quoted(table)} as select * from {quoted(self._schema, table)} limit 0")
        for source in sorted({self._stream(table).source for table in self._tables}):
            with source_connection(self._catalogue.environment, self._catalogue.project.sources[source], _STATEMENT) as reading:
                reading.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                reading.execute(SETTINGS.encode())
                for table in (table for table in self._tables if self._stream(table).source == source):
                    self._copy_table(reading, table)
        run(self._connected, f"set search_path = pg_temp, {quoted(self._schema)}")
        for view in self._views:
            run(self._connected, f"create or replace temporary view {quoted(view.name)} as\n{view.sql}")

    def _copy_table(self, reading: psycopg.Connection[dict[str, object]], table: str) -> None:
        project = self._catalogue.project
        stream, captured = project.target_tables[table]
        spec = project.sources[stream.source].tables[captured]
        source, columns = source_side(captured, spec), mirror_side(self._schema, table, spec).values
        taken = f"copy (select {', '.join(source.values)} from {source.relation}) to stdout"
        given = f"copy pg_temp.{quoted(table)} ({', '.join(columns)}) from stdin"
        with reading.cursor().copy(taken.encode()) as rows, self._connected.cursor().copy(given.encode()) as copied:
            for block in rows:
                copied.write(block)
        run(self._connected, f"analyze pg_temp.{quoted(table)}")

    def certificate(self, view: str) -> ViewCertificate:
        """Of what is not the same at once, a row is wrong that both times before and after a fence speak against, at every look."""
        begun, at = monotonic(), self._at
        self._keep("before", _lines(f"pg_temp.{quoted(view)}"))
        rows = self._keep("live", _lines(quoted(self._schema, view)))
        missing = self._keep("missing", _less("before", "live"))
        extra = self._keep("extra", _less("live", "before"))
        for look in range(_CONFIRMED):
            if not missing + extra:
                break
            self._look(view)
            missing = self._confirm("missing", f"{_both('before', 'after')} except all table {_kept('live')}", look)
            extra = self._confirm("extra", f"{_less('live', 'before')} except all ({_less('after', 'before')})", look)
            self._keep("before", f"table {_kept('after')}")
        return ViewCertificate(view, rows, self._named("missing"), self._named("extra"), at, monotonic() - begun)

    def _look(self, view: str) -> None:
        """The live view with all that the sources' rows of before are to give, then those rows again."""
        for stream in {stream.name: stream for stream in map(self._stream, self._tables)}.values():
            fencing.wait(self._catalogue, stream, fencing.take(self._catalogue, stream))
        self._keep("live", _lines(quoted(self._schema, view)))
        self.copy()
        self._keep("after", _lines(f"pg_temp.{quoted(view)}"))

    def _confirm(self, name: str, found: str, look: int) -> int:
        """How many rows have been found at every look that was taken behind a fence."""
        self._keep("found", found)
        return self._keep(name, _both(name, "found") if look else f"table {_kept('found')}")

    def _keep(self, name: str, query: str) -> int:
        """Keep the rows of a query; how many they are."""
        run(self._connected, f"create temporary table {_kept('new')} as {query}")
        run(self._connected, f"drop table if exists {_kept(name)}")
        run(self._connected, f"alter table {_kept('new')} rename to {quoted(_OWN + name)}")
        return self._connected.execute(f"select count(*) as rows from {_kept(name)}".encode()).fetchall()[0]["rows"]

    def _named(self, name: str) -> tuple[str, ...]:
        rows = self._connected.execute(f"table {_kept(name)} order by 1 limit {_NAMED}".encode()).fetchall()
        return tuple(row["line"] for row in rows)

    def _stream(self, table: str) -> Stream:
        return self._catalogue.project.target_tables[table][0]


def _kept(name: str) -> str:
    return quoted("pg_temp", _OWN + name)


def _lines(relation: str) -> str:
    row = quoted(_OWN + "row")
    return f"select {row}::text as line from {relation} {row}"


def _less(one: str, other: str) -> str:
    return f"table {_kept(one)} except all table {_kept(other)}"


def _both(one: str, other: str) -> str:
    return f"table {_kept(one)} intersect all table {_kept(other)}"
