"""Debezium and a consumer written by hand in Python: a batch, an upsert, a commit.

python -m bench.peers.python_consumer BOOTSTRAP PREFIX DSN     (what the comparison runs)
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from confluent_kafka import Consumer, Message
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Composed, Identifier, Placeholder

from bench.peers.debezium import DebeziumCopier
from bench.peers.peer import COLUMNS, DATABASE
from e2e.process import Process
from e2e.waiting import until
from infra import environments

_BATCH, _PATIENCE = 2000, 0.005  # records, seconds
_AS_TEXT = {"decimal.handling.mode": "string", "time.precision.mode": "isostring"}


class PythonConsumer(DebeziumCopier):
    name = "Debezium with a Python consumer"

    def start(self, tables: Sequence[str]) -> None:
        self.make_databases(tables)
        self.worker.read(tables, _AS_TEXT)
        end, platform = self.ground.end("analytics"), self.ground.platform
        dsn = make_conninfo(host=end.host, port=end.port, dbname=DATABASE, user=end.user)
        group, module = f"bench-{uuid4().hex}", "bench.peers.python_consumer"
        ready = self.ground.folder("python") / group
        command = (environments.python("headrace"), "-m", module, platform.address("kafka"), group, dsn, ready)
        secret = {"PGPASSWORD": end.password, "PYTHONPATH": str(platform.root)}
        self._process = Process(platform, "python-consumer", command, secret)
        until(ready.exists, 60, "the consumer has its partitions")

    def remove(self) -> None:
        self._process.end()
        super().remove()

    def processes(self) -> Sequence[int]:
        return (*super().processes(), self._process.pid)


def consume(bootstrap: str, group: str, dsn: str, ready: str) -> None:
    """`ready` is a file that is made when partitions were assigned."""
    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": group, "auto.offset.reset": "earliest", "enable.auto.commit": False,
         "topic.metadata.refresh.interval.ms": 1000, "fetch.wait.max.ms": 500}
    )  # fmt: skip
    consumer.subscribe([rf"^{DATABASE}\.public\..*"], on_assign=lambda consumer, partitions: Path(ready).touch())
    with psycopg.connect(dsn) as target:
        while True:
            if messages := [message for message in consumer.consume(_BATCH, _PATIENCE) if not message.error()]:
                _write(target, messages)
                target.commit()
                consumer.commit(asynchronous=True)


def _write(target: psycopg.Connection, messages: Sequence[Message]) -> None:
    """The last state of each row in the batch; rows that are gone are deleted."""
    kept, gone = dict[str, dict[int, Any]](), dict[str, list[int]]()
    for table, key, row in _last_states(messages):
        if row is None:
            gone.setdefault(table, []).append(key)
        else:
            kept.setdefault(table, {})[key] = row
    with target.cursor() as cursor:
        for table, rows in kept.items():
            cursor.executemany(_upsert(table), list(rows.values()))
        for table, keys in gone.items():
            cursor.execute(SQL("delete from {} where id = any(%s)").format(Identifier(table)), [keys])


def _last_states(messages: Sequence[Message]) -> list[tuple[str, int, Any]]:
    found = dict[tuple[str, int], Any]()
    for message in messages:
        if value := message.value():
            change = json.loads(value)
            key = (change["after"] or change["before"])["id"]
            found[change["source"]["table"], key] = change["after"]
    return [(table, key, row) for (table, key), row in found.items()]


def _upsert(table: str) -> Composed:
    names = [Identifier(name) for name in COLUMNS]
    changed = SQL(", ").join(SQL("{0} = excluded.{0}").format(name) for name in names[1:])
    values = SQL(", ").join(Placeholder(name) for name in COLUMNS)
    return SQL("insert into {} ({}) values ({}) on conflict (id) do update set {}").format(
        Identifier(table), SQL(", ").join(names), values, changed
    )


if __name__ == "__main__":
    consume(*sys.argv[1:])
