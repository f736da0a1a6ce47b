"""What a comparison of a table with its source has found, and where it is kept for those who read the table."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from psycopg.sql import SQL, Identifier

from analytics_sql.connections import Connection, connection
from orchestration.catalogue import Catalogue
from project.references import CERTIFICATES, PULSE
from project.resources import Health, Refused, State

Key = tuple[str, ...]
Row = Mapping[str, str | None]  # a column's value as PostgreSQL writes it
EQUAL = "equal"  # the name of the check that shows it
_NAMED = 5  # keys in the text of a check
_WAY_OUT = "run `headrace verify {}` while less is written to them"


@dataclass(frozen=True)
class Difference:
    """A row that is not the same on both sides; None: the row is not there."""

    key: Key
    source: Row | None
    analytics: Row | None


@dataclass(frozen=True)
class Certificate:
    """What was found of one table."""

    table: str
    source: str  # the captured table, with its source's name
    rows: int
    differences: tuple[Difference, ...]
    not_compared: tuple[Key, ...]  # rows that changed at each look, so that nothing can be said of them
    complete: bool  # False: so many rows differ that no more were looked for
    position: str  # of the source's log, up to which both sides were compared
    at: datetime  # when the source was there, on its clock, in UTC
    behind: float  # seconds that a change took to arrive
    seconds: float  # that the comparison took
    counting: float  # of these, to add up both sides: what the next comparison will take at least

    @property
    def count(self) -> str:
        """How many rows differ, in words."""
        return f"{'' if self.complete else 'at least '}{len(self.differences)}"

    def health(self, never_compared: Collection[Key] = ()) -> Health:
        """As a check shows it; of some rows nothing could be said at the comparisons before either."""
        facts = {
            "rows": self.rows, "differences": len(self.differences), "rows_not_compared": len(self.not_compared), "position": self.position,
            "seconds_behind": round(self.behind, 2), "seconds": round(self.seconds, 1),
        }  # fmt: skip
        if not self.differences:
            text = f"equal to {self.source} as of {self.at:%H:%M:%S} UTC, position {self.position}: {self.rows:,} rows"
            facts |= {"equal_as_of": f"{self.at:%Y-%m-%d %H:%M:%S} UTC"}
            if never_compared:
                what = f"nothing is known of {len(never_compared)} that kept changing at each comparison, the first by their keys"
                return Health(State.WARNING, f"{text}; {what}: {_named(never_compared)}; {_WAY_OUT.format(self.table)}", facts)
            restless = f"; {len(self.not_compared)} of them kept changing and were not compared" if self.not_compared else ""
            return Health(State.PASSED, text + restless, facts)
        keys = _named([difference.key for difference in self.differences])
        text = f"{self.count} rows differ from {self.source}, the first by their keys: {keys}; `headrace verify {self.table}` shows them"
        return Health(State.FAILED, text, facts)


def _named(keys: Collection[Key]) -> str:
    return "; ".join(", ".join(key) for key in list(keys)[:_NAMED])


# A comparison that finds differences leaves what was proven before: until then the two were equal.
_KEEP = """
insert into {} as kept (analytics_table, stream, source_table, equal_as_of, position, compared_at, row_count, differences, not_compared)
values (%s, %s, %s, %s, %s, now() at time zone 'utc', %s, %s, %s)
on conflict (analytics_table) do update set
  stream = excluded.stream, source_table = excluded.source_table, compared_at = excluded.compared_at,
  equal_as_of = coalesce(excluded.equal_as_of, kept.equal_as_of), position = coalesce(excluded.position, kept.position),
  row_count = excluded.row_count, differences = excluded.differences, not_compared = excluded.not_compared
"""

_GONE = """
delete from {}
where (analytics_table, stream, source_table) not in (select * from unnest(%s::text[], %s::text[], %s::text[]))
"""
_ENTER = """
insert into {} (analytics_table, stream, source_table) select * from unnest(%s::text[], %s::text[], %s::text[])
on conflict (analytics_table) do nothing
"""


def enter(catalogue: Catalogue) -> None:
    """A row for each mirrored table, without a time until it is found equal. What left the spec loses its own, and its pulse: the
    oldest one speaks for a dashboard."""
    database, schema, tables = catalogue.environment.analytics, catalogue.project.schema_, catalogue.project.target_tables
    streams, sources = [stream.name for stream, _ in tables.values()], [f"{stream.source}.{name}" for stream, name in tables.values()]
    with connection(database, database.admin, f"table {CERTIFICATES}") as connected:
        _refuse_missing(connected, schema)
        for statement in (_GONE, _ENTER):
            connected.execute(SQL(statement).format(Identifier(schema, CERTIFICATES)), [list(tables), streams, sources])
        gone = SQL("delete from {} where stream <> all(%s)").format(Identifier(schema, PULSE))
        connected.execute(gone, [list(catalogue.project.streams)])


def keep(catalogue: Catalogue, certificate: Certificate) -> None:
    """Write it into the project's table of certificates, for dashboards to show."""
    database, schema = catalogue.environment.analytics, catalogue.project.schema_
    stream, _ = catalogue.project.target_tables[certificate.table]
    proven = (None, None) if certificate.differences else (certificate.at, certificate.position)
    row = (
        certificate.table, stream.name, certificate.source, *proven, certificate.rows, len(certificate.differences),
        len(certificate.not_compared),
    )  # fmt: skip
    with connection(database, database.admin, f"table {CERTIFICATES}") as connected:
        _refuse_missing(connected, schema)
        connected.execute(SQL(_KEEP).format(Identifier(schema, CERTIFICATES)), row)


def _refuse_missing(connected: Connection, schema: str) -> None:
    if connected.execute("select to_regclass(%s) as found", [f"{schema}.{CERTIFICATES}"]).fetchone() == {"found": None}:
        raise Refused(f"table {schema}.{CERTIFICATES} is missing in the analytics database; `headrace apply` makes it")
