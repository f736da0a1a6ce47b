"""What each way has to do, and the ground on which they are compared."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import LiteralString

import psycopg
from psycopg.sql import SQL, Identifier

from infra import databases
from infra.platform import HOST, Platform
from project.environment import Environment, read_environment

# The shop's lines of trade, in types that all of them carry. Time is UTC without a zone, as Flink's JDBC sink knows no other.
COLUMNS = {"id": "bigint", "account": "text", "amount": "numeric(12,2)", "quantity": "integer", "note": "text", "sent_at": "timestamp"}
DATABASE = "bench"  # at both ends


@dataclass(frozen=True)
class Ground:
    """A running platform: two PostgreSQL servers, and Kafka, Connect and Flink for those that use them."""

    platform: Platform

    @cached_property
    def environment(self) -> Environment:
        return read_environment(self.platform.environment_file)

    def source(self, database: str = DATABASE) -> psycopg.Connection:
        return databases.connect(self.platform, "source", database)

    def target(self, database: str = DATABASE) -> psycopg.Connection:
        return databases.connect(self.platform, "analytics", database)

    def end(self, name: str) -> "End":
        """How a program logs in to `source` or `analytics`."""
        user, secret = databases.SUPERUSERS[name]
        return End(HOST, self.platform.port(f"postgres {name}"), user, databases.reveal(self.platform, secret))

    def folder(self, name: str) -> Path:
        """For the files of a peer; gone with the platform."""
        folder = self.platform.state / "peers" / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder


@dataclass(frozen=True)
class End:
    """One of the two servers."""

    host: str
    port: int
    user: str
    password: str


class Peer(ABC):
    """One way to have tables of a source in a target."""

    name: str
    components: Sequence[str] = ()  # of the platform, that it needs; both PostgreSQL servers are everybody's
    most_tables: float = math.inf  # that it can be given here
    # When a row became visible: the target's own note of its transaction's commit (track_commit_timestamp).
    arrived_at: LiteralString = "pg_xact_commit_timestamp(xmin)"

    def __init__(self, ground: Ground) -> None:
        self.ground = ground

    @abstractmethod
    def start(self, tables: Sequence[str]) -> None:
        """Make empty tables at both ends, and return when they are kept equal."""

    @abstractmethod
    def stop(self) -> None:
        """An outage: from here on changes pile up at the source."""

    @abstractmethod
    def resume(self) -> None:
        """The end of the outage."""

    @abstractmethod
    def remove(self) -> None:
        """Leave nothing behind."""

    @abstractmethod
    def source(self) -> psycopg.Connection:
        """Where its tables are found by their plain names, autocommitting."""

    @abstractmethod
    def target(self) -> psycopg.Connection:
        """The same at the other end."""

    def latencies(self) -> list[float]:
        """Milliseconds from just before the commit at the source until the commit at the target, of all paced rows."""
        taken = f"(1000 * extract(epoch from {self.arrived_at} at time zone 'utc' - sent_at))::float8"
        with self.target() as target:
            return [milliseconds for (milliseconds,) in target.execute(f"select {taken} from trades where note = 'paced'").fetchall()]

    def processes(self) -> Sequence[int]:
        """Its own, beside the components."""
        return ()


class Copier(Peer):
    """What all but Headrace have in common: a database at each end is made for them."""

    def source(self) -> psycopg.Connection:
        return self.ground.source()

    def target(self) -> psycopg.Connection:
        return self.ground.target()

    def make_databases(self, tables: Sequence[str]) -> None:
        for end in (self.ground.source, self.ground.target):
            with end("postgres") as server:
                server.execute(SQL("create database {}").format(Identifier(DATABASE)))
            with end() as database:
                make_tables(database, tables)

    def drop_databases(self) -> None:
        for end in (self.ground.source, self.ground.target):
            with end("postgres") as server:
                server.execute(SQL("drop database if exists {} with (force)").format(Identifier(DATABASE)))


def make_tables(database: psycopg.Connection, tables: Sequence[str]) -> None:
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    for table in tables:
        database.execute(f"create table {table} ({columns}, primary key (id))".encode())
