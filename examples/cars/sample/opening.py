"""The dealership's database before its first event."""

from pathlib import Path

from psycopg.sql import SQL, Identifier

import dealership
from project.environment import Environment


def prepare(environment: Environment) -> None:
    """Make what is missing; what is there already stays as it is."""
    database = dealership.name(environment)
    with dealership.connect(environment, "postgres") as server:
        if not server.execute("select from pg_database where datname = %s", [database]).rowcount:
            server.execute(SQL("create database {}").format(Identifier(database)))
    with dealership.connect(environment) as connection, connection.transaction():
        connection.execute(Path(__file__).with_name("tables.sql").read_bytes())
