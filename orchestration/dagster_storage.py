"""Dagster's storage in SQLite, quicker: its own opens a file and compiles its statements anew for every call. And it forgets."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import dagster as dg
from dagster._core.instance import RUNLESS_RUN_ID
from dagster._core.scheduler.instigation import InstigatorState
from dagster._core.storage.dagster_run import FINISHED_STATUSES
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable, SqlEventLogStorageTable
from dagster._core.storage.schedules import SqliteScheduleStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from sqlalchemy import Connection, Engine, create_engine, delete, exists, select

_EVENTS_AT_ONCE, _RUNS_AT_ONCE = 2000, 20  # so that nobody waits for them


class EventLog(SqliteEventLogStorage):
    """The same files as Dagster's own."""

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> Self:
        return cls(inst_data=inst_data, **config_value)

    def __init__(self, *arguments: Any, **named: Any) -> None:
        self._tables: set[str] = set()
        super().__init__(*arguments, **named)

    def has_table(self, table_name: str) -> bool:
        """Asked for every check that is reported; a table that is there stays."""
        if table_name not in self._tables:
            self._tables |= {table_name} if super().has_table(table_name) else set()
        return table_name in self._tables

    def delete_events(self, run_id: str) -> None:
        """Dagster's own leaves the run's file, with nothing in it."""
        super().delete_events(run_id)
        for suffix in ("", "-wal", "-shm"):
            Path(self.path_for_shard(run_id) + suffix).unlink(missing_ok=True)

    def forget_checks(self, before: datetime) -> set[str]:
        """Remove what checks found before a time, but for the newest of each; returns the runs that found what stays."""
        found, events, newer = AssetCheckExecutionsTable, SqlEventLogStorageTable, AssetCheckExecutionsTable.alias()
        # Rows come in the order of their ids, and times have no index.
        until = select(found.c.id).where(found.c.evaluation_event_timestamp >= before).order_by(found.c.id).limit(1).scalar_subquery()
        same = (newer.c.asset_key == found.c.asset_key, newer.c.check_name == found.c.check_name)
        surpassed = exists().where(*same, newer.c.id > found.c.id, newer.c.execution_status != "PLANNED")
        old = select(found.c.id, found.c.evaluation_event_storage_id).where(found.c.id < until, surpassed).limit(_EVENTS_AT_ONCE)
        with self.index_connection() as index:
            rows = index.execute(old).all()
            index.execute(delete(found).where(found.c.id.in_([row[0] for row in rows])))
            index.execute(delete(events).where(events.c.id.in_([row[1] for row in rows])))
            kept = index.execute(select(found.c.run_id).where(found.c.id < until).distinct()).scalars().all()
        oldest = select(events.c.id).order_by(events.c.id).limit(_EVENTS_AT_ONCE)
        with self.run_connection(RUNLESS_RUN_ID) as copies:
            copies.execute(delete(events).where(events.c.id.in_(oldest), events.c.timestamp < before))
        return set(kept)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            engine = _engine(self.conn_string_for_shard(shard))
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.begin() as connection:
                yield connection


class Schedules(SqliteScheduleStorage):
    """What the daemon knows of its sensors, which it asks for and writes several times a second; the same file as Dagster's own."""

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> Self:
        return cls.from_local(inst_data=inst_data, **config_value)  # pyright: ignore[reportReturnType] - it makes one of its class

    def __init__(self, *arguments: Any, **named: Any) -> None:
        self._built: set[str] = set()
        super().__init__(*arguments, **named)

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        with _engine(self._conn_string).begin() as connection:
            yield connection

    def _has_instigators_table(self, conn: Connection) -> bool:
        return True  # from_local has made it

    def has_built_index(self, migration_name: str) -> bool:
        """Asked at every tick; what is built stays."""
        if migration_name not in self._built:
            self._built |= {migration_name} if super().has_built_index(migration_name) else set()
        return migration_name in self._built

    def all_instigator_state(self, *chosen: Any, **named: Any) -> Sequence[InstigatorState]:
        return [_by_the_clock(state) for state in super().all_instigator_state(*chosen, **named)]

    def get_instigator_state(self, origin_id: str, selector_id: str) -> InstigatorState | None:
        state = super().get_instigator_state(origin_id, selector_id)
        return state and _by_the_clock(state)


def _by_the_clock(state: InstigatorState) -> InstigatorState:
    """A turn of later than now was noted before the clock was set back, and counts for none: the sensor would wait for that time."""
    data = state.sensor_instigator_data
    if data is None or max(data.last_tick_timestamp or 0, data.last_tick_start_timestamp or 0) <= time.time():
        return state
    return state.with_data(data._replace(last_tick_timestamp=None, last_tick_start_timestamp=None))


def forget(instance: dg.DagsterInstance, before: datetime) -> None:
    """Remove runs, and what checks found, from before a time (UTC): some at once, and never the newest of an asset or a check."""
    log = instance.event_log_storage
    if not isinstance(log, EventLog):  # somebody else's to keep
        return
    needed = log.forget_checks(before)
    records = (asset.asset_entry.last_materialization_record for asset in instance.get_asset_records())
    needed |= {record.run_id for record in records if record}
    ended = instance.get_run_ids(dg.RunsFilter(statuses=FINISHED_STATUSES, created_before=before))
    for run_id in [one for one in ended if one not in needed][-_RUNS_AT_ONCE:]:
        instance.delete_run(run_id)
        instance.compute_log_manager.delete_logs(prefix=[run_id])


@lru_cache(maxsize=32)  # each run has a file
def _engine(address: str) -> Engine:
    return create_engine(address, pool_size=1, connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS})
