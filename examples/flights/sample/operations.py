"""How the airline's own programs reach its database."""

import os
from pathlib import Path

import psycopg

from project.environment import Environment, read_environment

_CHECKOUT = Path(__file__).parents[3]
_SOURCE, _DATABASE = "airline", "flightsdb"


def chosen_environment() -> Environment:
    """The environment that HEADRACE_ENVIRONMENT names, else that of this checkout's platform."""
    named = os.environ.get("HEADRACE_ENVIRONMENT")
    return read_environment(Path(named) if named else _CHECKOUT / ".headrace" / "config" / "environment.yaml")


def connect(environment: Environment, database: str | None = None) -> psycopg.Connection:
    """A connection to the operations database; each statement is a transaction unless one is opened."""
    endpoint = environment.source(_SOURCE)
    return psycopg.connect(
        host=endpoint.host,
        port=endpoint.port,
        dbname=database or name(environment),
        user=endpoint.admin.user,
        password=endpoint.admin.password.reveal(),
        application_name="flights",
        connect_timeout=5,
        autocommit=True,
    )


def name(environment: Environment) -> str:
    """The database: as the environment says, else as the source's spec does."""
    return environment.source(_SOURCE).database or _DATABASE
