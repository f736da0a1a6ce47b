"""Dagster's storage in SQLite, quicker: its own opens a file and compiles its statements anew for every call."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Self

from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.schedules import SqliteScheduleStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from sqlalchemy import Connection, Engine, create_engine


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


@lru_cache(maxsize=32)  # each run has a file
def _engine(address: str) -> Engine:
    return create_engine(address, pool_size=1, connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS})
