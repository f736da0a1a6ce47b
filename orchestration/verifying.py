"""Is every mirrored table equal to its source, while both go on changing?

Buckets of rows are compared by one number each; the rows of a bucket that differs by key. What is equal is so as of the position
that was taken before the source was read. What differs may be on its way: it is read again on both sides of a fence, until it is
the same, or has stood still at the source and differs all the same.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any, TypeVar

from analytics_sql.comparison import SETTINGS, Side, mirror_side, row_hash, source_side
from analytics_sql.connections import connection as analytics_connection
from cdc.databases import source_connection
from orchestration import fencing
from orchestration.catalogue import Catalogue
from orchestration.certificates import Certificate, Difference, Key, Row, keep
from project.charts import BigNumber
from project.resources import Health
from superset_bootstrap.charts import chart_id

T = TypeVar("T")
_STATEMENT = 900  # seconds
_LISTED = 100_000  # rows of a side whose keys are held at a time
_SETTLED = 10_000  # keys that wait for a fence together
_FETCHED = 1000  # keys asked for at a time
_MOST = 10_000  # differences of a table, after which no more are looked for
_LOOKS = 6  # at a row that keeps changing
_CONFIRMED = 2  # looks at which a row that stands still must differ
_APART = 0.5  # seconds between two looks: the brokers of several partitions may take what was written in another order


def verify(catalogue: Catalogue, table: str) -> Certificate:
    """Compare an analytics table and keep its certificate; raises Refused if a system does not answer or a stream does not go on."""
    certificate = Comparison(catalogue, table).certificate()
    keep(catalogue, certificate)
    return certificate


def numbers(catalogue: Catalogue) -> Iterator[tuple[str, Health]]:
    """Every number on a dashboard that has a proof: its chart's id, and whether the source says the same."""
    for dashboard in catalogue.project.dashboards.values():
        for chart in dashboard.charts:
            if isinstance(chart, BigNumber) and chart.proof:
                resource = catalogue.by_id[chart_id(dashboard.name, chart)]
                yield resource.id, catalogue.backend(resource).health(resource)


class Comparison:
    """Of one table with its source."""

    def __init__(self, catalogue: Catalogue, table: str) -> None:
        project = catalogue.project
        self._catalogue, self._table = catalogue, table
        self._stream, self._captured = project.target_tables[table]
        spec = project.sources[self._stream.source].tables[self._captured]
        self.sides = source_side(self._captured, spec), mirror_side(project.schema_, table, spec)
        majors = self._both(lambda side: self._rows(side, "select current_setting('server_version_num')::int / 10000 as major")[0]["major"])
        self._hash = row_hash(set(majors))

    def certificate(self) -> Certificate:
        fence = fencing.take(self._catalogue, self._stream)
        behind = fencing.behind(self._catalogue, self._stream, fence)
        begun = time.monotonic()
        rows, suspicious = self._count()
        counting = time.monotonic() - begun
        differences: list[Difference] = []
        not_compared: list[Key] = []
        for keys in batches(self._suspects(suspicious), _SETTLED):
            found, restless = self.settle(keys)
            differences, not_compared = differences + found, not_compared + restless
            if len(differences) >= _MOST:
                break
        return Certificate(
            self._table, f"{self._stream.source}.{self._captured}", rows, tuple(differences), tuple(not_compared), len(differences) < _MOST,
            fence.position, fence.at, behind, time.monotonic() - begun, counting,
        )  # fmt: skip

    def _count(self, *within: list[int]) -> tuple[int, dict[int, int]]:
        """How many rows the mirror has, and the buckets that differ, with the rows of the fuller side; of some buckets the finer ones."""

        def count(side: Side) -> dict[int, tuple[int, str]]:
            counted = self._rows(side, side.counted(self._hash, bool(within)), *within)
            return {row["bucket"]: (row["rows"], row["total"]) for row in counted}

        source, mirror = self._both(count)
        differing = {bucket for bucket in source.keys() | mirror.keys() if source.get(bucket) != mirror.get(bucket)}
        rows = {bucket: max(source.get(bucket, (0, ""))[0], mirror.get(bucket, (0, ""))[0]) for bucket in sorted(differing)}
        return sum(rows for rows, _ in mirror.values()), rows

    def _suspects(self, buckets: Mapping[int, int]) -> Iterator[Key]:
        """The keys that differ in these buckets. Each group of buckets reads the whole table, so they are to be few."""
        finer = sum(buckets.values()) > _LISTED
        for some in _groups(self._count(list(buckets))[1] if finer else buckets, _LISTED):

            def list_keys(side: Side, some: list[int] = some) -> dict[Key, int]:
                return {tuple(row["key"]): row["hash"] for row in self._rows(side, side.listed(self._hash, finer), some)}

            source, mirror = self._both(list_keys)
            yield from sorted(key for key in source.keys() | mirror.keys() if source.get(key) != mirror.get(key))

    def settle(self, keys: list[Key]) -> tuple[list[Difference], list[Key]]:
        """The real differences among keys, and those that never stood still."""
        confirmed: dict[Key, int] = dict.fromkeys(keys, 0)
        found: list[Difference] = []
        for look in range(_LOOKS):
            if not confirmed:
                break
            time.sleep(_APART if look else 0)
            before = self._fetch(self.sides[0], confirmed)
            fencing.wait(self._catalogue, self._stream, fencing.take(self._catalogue, self._stream))
            mirrored, after = self._fetch(self.sides[1], confirmed), self._fetch(self.sides[0], confirmed)
            for key in list(confirmed):
                if mirrored.get(key) in (before.get(key), after.get(key)):
                    del confirmed[key]
                elif before.get(key) == after.get(key):
                    confirmed[key] += 1
                    if confirmed[key] == _CONFIRMED:
                        found.append(Difference(key, after.get(key), mirrored.get(key)))
                        del confirmed[key]
        return found, list(confirmed)

    def _fetch(self, side: Side, keys: Iterable[Key]) -> dict[Key, Row]:
        found: dict[Key, Row] = {}
        for some in batches(keys, _FETCHED):
            rows = self._rows(side, side.fetched(), *(list(column) for column in zip(*some, strict=True)))
            found |= {tuple(row["key"]): dict(zip(side.columns, row["values"], strict=True)) for row in rows}
        return found

    def _both(self, ask: Callable[[Side], T]) -> tuple[T, T]:
        """The answers of both sides, asked at the same time."""
        with ThreadPoolExecutor(2) as pool:
            source, mirror = pool.map(ask, self.sides)
        return source, mirror

    def _rows(self, side: Side, query: str, *parameters: Any) -> list[Any]:
        environment = self._catalogue.environment
        if side is self.sides[0]:
            opened = source_connection(environment, self._catalogue.project.sources[self._stream.source], _STATEMENT)
        else:
            opened = analytics_connection(environment.analytics, environment.analytics.admin, self._table, _STATEMENT)
        with opened as connected:
            connected.execute(SETTINGS.encode())
            return connected.execute(query.encode(), parameters or None).fetchall()


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items in their order, so many at a time."""
    remaining = iter(items)
    while some := list(islice(remaining, size)):
        yield some


def _groups(sizes: Mapping[int, int], most: int) -> Iterator[list[int]]:
    """The keys in groups whose sizes add up to `most` or less, or of one."""
    group: list[int] = []
    held = 0
    for key, size in sizes.items():
        if group and held + size > most:
            yield group
            group, held = [], 0
        group.append(key)
        held += size
    if group:
        yield group
