"""How the dealership's own programs reach its database."""

from functools import cache
from pathlib import Path

import psycopg

from orchestration.places import environment_file
from project.environment import Environment, read_environment
from project.loader import load_project
from project.models import Project

_SOURCE = "events"


@cache
def project() -> Project:
    """What the folder of the sample declares."""
    return load_project(Path(__file__).parents[1])


def chosen_environment() -> Environment:
    """The environment that HEADRACE_ENVIRONMENT names, else that of this checkout's platform."""
    return read_environment(environment_file())


def connect(environment: Environment, database: str | None = None) -> psycopg.Connection:
    """A connection to the dealership's database; each statement is a transaction unless one is opened."""
    endpoint = environment.source(_SOURCE)
    return psycopg.connect(
        host=endpoint.host, port=endpoint.port, dbname=database or name(environment), user=endpoint.admin.user,
        password=endpoint.admin.password.reveal(), application_name="cars", connect_timeout=5, autocommit=True,
    )  # fmt: skip


def name(environment: Environment) -> str:
    """The database: as the environment says, else as the source's spec does."""
    return environment.source(_SOURCE).database or project().sources[_SOURCE].database
