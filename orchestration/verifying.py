"""Is every mirrored table equal to its source, while both go on changing?

Buckets of rows are compared by one number each; the rows of a bucket that differs by key. What is equal is so as of the position
that was taken before the source was read. What differs may be on its way: it is read again on both sides of a fence, until it is
the same, or has stood still at the source and differs all the same.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from analytics_sql.comparison import SETTINGS, Side, mirror_side, row_hash, source_side
from analytics_sql.connections import connection as analytics_connection
from cdc.databases import connection as source_connection
from orchestration import fencing
from orchestration.catalogue import Catalogue
from project.charts import BigNumber
from project.resources import Health, State
from superset_bootstrap.charts import chart_id

T = TypeVar("T")
Key = tuple[str, ...]
Row = Mapping[str, str | None]  # a column's value as PostgreSQL writes it
_STATEMENT = 900  # seconds
_LISTED = 8  # buckets whose rows are held at a time
_FETCHED = 1000  # keys asked for at a time
_MOST = 10_000  # keys that differ, per table, after which no more are looked for: memory is bounded
_NAMED = 5  # keys in the text of a check
_LOOKS = 6  # at a row that keeps changing
_CONFIRMED = 2  # looks at which a row that stands still must differ


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
    changing: int  # rows that changed at each look, so that nothing can be said of them
    complete: bool  # False: there were more differences than are looked for
    position: str  # of the source's log, up to which both sides were compared
    at: datetime  # when the source was there, on its clock, in UTC
    behind: float  # seconds that a change took to arrive
    seconds: float  # that the comparison took

    def health(self) -> Health:
        """As a check shows it."""
        facts = {
            "rows": self.rows, "differences": len(self.differences), "rows_that_kept_changing": self.changing, "position": self.position,
            "equal_as_of": f"{self.at:%Y-%m-%d %H:%M:%S} UTC", "seconds_behind": round(self.behind, 2), "seconds": round(self.seconds, 1),
        }  # fmt: skip
        if not self.differences:
            text = f"equal to {self.source} as of {self.at:%H:%M:%S} UTC, position {self.position}: {self.rows:,} rows"
            return Health(State.PASSED, text, facts)
        keys = "; ".join(", ".join(difference.key) for difference in self.differences[:_NAMED])
        number = f"{'' if self.complete else 'at least '}{len(self.differences)}"
        text = f"{number} rows differ from {self.source}, the first by their keys: {keys}; `headrace verify {self.table}` shows them"
        return Health(State.FAILED, text, {key: value for key, value in facts.items() if key != "equal_as_of"})


def verify(catalogue: Catalogue, tables: Iterable[str]) -> Iterator[Certificate]:
    """Compare these analytics tables, one after the other; raises Refused if a system does not answer or a stream does not go on."""
    for table in tables:
        yield _Comparison(catalogue, table).certificate()


def numbers(catalogue: Catalogue) -> Iterator[tuple[str, Health]]:
    """Every number on a dashboard that has a proof: its chart's id, and whether the source says the same."""
    for dashboard in catalogue.project.dashboards.values():
        for chart in dashboard.charts:
            if isinstance(chart, BigNumber) and chart.proof:
                resource = catalogue.by_id[chart_id(dashboard.name, chart)]
                yield resource.id, catalogue.backend(resource).health(resource)


class _Comparison:
    """Of one table with its source."""

    def __init__(self, catalogue: Catalogue, table: str) -> None:
        project = catalogue.project
        self._catalogue, self._table = catalogue, table
        self._stream, self._captured = project.target_tables[table]
        spec = project.sources[self._stream.source].tables[self._captured]
        self._sides = source_side(self._captured, spec), mirror_side(project.schema_, table, spec)
        majors = self._both(lambda side: self._rows(side, "select current_setting('server_version_num')::int / 10000 as major")[0]["major"])
        self._hash = row_hash(set(majors))

    def certificate(self) -> Certificate:
        fence = fencing.take(self._catalogue, self._stream)
        behind = fencing.behind(self._catalogue, self._stream, fence)
        begun = time.monotonic()
        rows, suspects = self._suspects()
        suspicious = list(suspects)
        differences, changing = self._settle(suspicious[:_MOST])
        return Certificate(
            self._table, f"{self._stream.source}.{self._captured}", rows, tuple(differences), changing, len(suspicious) <= _MOST,
            fence.position, fence.at, behind, time.monotonic() - begun,
        )  # fmt: skip

    def _suspects(self) -> tuple[int, Iterator[Key]]:
        """How many rows the mirror has, and the keys that differ now."""

        def count(side: Side) -> dict[int, tuple[int, str]]:
            return {row["bucket"]: (row["rows"], row["total"]) for row in self._rows(side, side.counted(self._hash))}

        source, mirror = self._both(count)
        buckets = sorted(bucket for bucket in source.keys() | mirror.keys() if source.get(bucket) != mirror.get(bucket))
        return sum(rows for rows, _ in mirror.values()), self._differing_keys(buckets)

    def _differing_keys(self, buckets: list[int]) -> Iterator[Key]:
        found = 0
        for some in _batches(buckets, _LISTED):

            def list_keys(side: Side, some: list[int] = some) -> dict[Key, int]:
                return {tuple(row["key"]): row["hash"] for row in self._rows(side, side.listed(self._hash), some)}

            source, mirror = self._both(list_keys)
            keys = sorted(key for key in source.keys() | mirror.keys() if source.get(key) != mirror.get(key))
            yield from keys
            found += len(keys)
            if found > _MOST:
                return

    def _settle(self, keys: list[Key]) -> tuple[list[Difference], int]:
        """The real differences among keys, and how many never stood still."""
        confirmed: dict[Key, int] = dict.fromkeys(keys, 0)
        found: list[Difference] = []
        for _ in range(_LOOKS):
            if not confirmed:
                break
            before = self._fetch(self._sides[0], confirmed)
            fencing.wait(self._catalogue, self._stream, fencing.take(self._catalogue, self._stream))
            mirrored, after = self._fetch(self._sides[1], confirmed), self._fetch(self._sides[0], confirmed)
            for key in list(confirmed):
                if mirrored.get(key) in (before.get(key), after.get(key)):
                    del confirmed[key]
                elif before.get(key) == after.get(key):
                    confirmed[key] += 1
                    if confirmed[key] == _CONFIRMED:
                        found.append(Difference(key, after.get(key), mirrored.get(key)))
                        del confirmed[key]
        return found, len(confirmed)

    def _fetch(self, side: Side, keys: Iterable[Key]) -> dict[Key, Row]:
        found: dict[Key, Row] = {}
        for some in _batches(keys, _FETCHED):
            rows = self._rows(side, side.fetched(), *(list(column) for column in zip(*some, strict=True)))
            found |= {tuple(row["key"]): dict(zip(side.columns, row["values"], strict=True)) for row in rows}
        return found

    def _both(self, ask: Callable[[Side], T]) -> tuple[T, T]:
        """The answers of both sides, asked at the same time."""
        with ThreadPoolExecutor(2) as pool:
            source, mirror = pool.map(ask, self._sides)
        return source, mirror

    def _rows(self, side: Side, query: str, *parameters: Any) -> list[Any]:
        environment, source = self._catalogue.environment, self._catalogue.project.sources[self._stream.source]
        place = environment.source(source.name)
        if side is self._sides[0]:
            opened = source_connection(place, place.database or source.database, _STATEMENT)
        else:
            opened = analytics_connection(environment.analytics, environment.analytics.admin, self._table, _STATEMENT)
        with opened as connected:
            connected.execute(SETTINGS.encode())
            return connected.execute(query.encode(), parameters or None).fetchall()


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    remaining = iter(items)
    while some := list(islice(remaining, size)):
        yield some
