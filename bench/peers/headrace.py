"""Headrace, applied as any project is. Dagster's sensors look after the platform meanwhile, as always."""

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import psycopg
from psycopg.sql import SQL, Identifier

from bench.peers.peer import COLUMNS, Ground, Peer, make_tables
from cdc.connect import Connect
from e2e.shops import open_shop


class Headrace(Peer):
    name = "Headrace"
    components: Sequence[str] = (
        "kafka", "connect", "flink-jobmanager", "flink-taskmanager", "flink-gateway", "dagster-daemon", "dagster-webserver", "dagster-code",
    )  # fmt: skip

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground)
        self._opened = ExitStack()
        self._connect = Connect(ground.environment.connect.url)

    def start(self, tables: Sequence[str]) -> None:
        folder = Path(self._opened.enter_context(tempfile.TemporaryDirectory()))
        self._shop = self._opened.enter_context(open_shop(folder, self.ground.environment))
        make_tables(self._shop.source, tables)
        self._shop.declare({table: {"key": ["id"], "columns": dict(COLUMNS)} for table in tables})
        self._shop.apply()

    def stop(self) -> None:
        self._connect.stop(self._shop.name)

    def resume(self) -> None:
        self._connect.resume(self._shop.name)

    def remove(self) -> None:
        self._opened.close()

    def source(self) -> psycopg.Connection:
        return self.ground.source(self._shop.source.info.dbname)

    def target(self) -> psycopg.Connection:
        target = self.ground.target(str(self.ground.environment.analytics.database))
        target.execute(SQL("set search_path to {}").format(Identifier(self._shop.source.info.dbname)))
        return target
