"""How the shop's own programs reach its two databases."""

import psycopg

from orchestration.places import environment_file
from project.environment import Environment, read_environment

_DATABASES = {"ecom": "ecomdb", "inventory": "inventorydb"}


def chosen_environment() -> Environment:
    """The environment that HEADRACE_ENVIRONMENT names, else that of this checkout's platform."""
    return read_environment(environment_file())


def connect(environment: Environment, source: str, database: str | None = None) -> psycopg.Connection:
    """A connection to a source's database; each statement is a transaction unless one is opened."""
    endpoint = environment.source(source)
    return psycopg.connect(
        host=endpoint.host,
        port=endpoint.port,
        dbname=database or name(environment, source),
        user=endpoint.admin.user,
        password=endpoint.admin.password.reveal(),
        application_name="bookstore",
        connect_timeout=5,
        autocommit=True,
    )


def name(environment: Environment, source: str) -> str:
    """A source's database: as the environment says, else as the source's spec does."""
    return environment.source(source).database or _DATABASES[source]
