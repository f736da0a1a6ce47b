"""A real PostgreSQL for this room's tests: one cluster for the session, set up as the platform does it, a database per test."""

import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from analytics_sql.backends import AnalyticsBackend, open_backends
from infra import artefacts, credentials, databases, endpoints, programs
from infra.platform import PORTS, Platform
from project.environment import Environment
from project.loader import load_project
from project.models import Project

ROOT = Path(__file__).parents[2]
_names = count()


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        base = server.getsockname()[1] - PORTS["postgres analytics"]
    platform = Platform(ROOT, tmp_path_factory.mktemp("platform"), base)
    artefacts.fetch(a for a in artefacts.of_this_machine(artefacts.read_lock()) if a.folder.startswith("postgres-"))
    artefacts.unpack_postgres(platform.postgres_programs)
    credentials.generate(platform)
    for folder in (platform.logs, platform.scratch):
        folder.mkdir()
    databases.create_cluster(platform, "analytics")
    [program] = [program for program in programs.all_programs(platform, None) if program.name == "postgres-analytics"]
    with (tmp_path_factory.getbasetemp() / "postgres.log").open("w") as log:
        process = subprocess.Popen(program.command, user=program.user, cwd="/", stdout=log, stderr=log)
    try:
        _ensure_roles(platform)
        yield platform
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)
        if platform.shelter:
            shutil.rmtree(platform.shelter)


@retry(retry=retry_if_exception_type(psycopg.OperationalError), stop=stop_after_delay(30), wait=wait_fixed(0.1), reraise=True)
def _ensure_roles(platform: Platform) -> None:
    databases.ensure_roles(platform, "analytics")


@pytest.fixture
def environment(platform: Platform) -> Environment:
    """The platform's environment with an analytics database that nobody has used."""
    database = f"analytics_{next(_names)}"
    with databases.connect(platform, "analytics") as connection:
        connection.execute(f"create database {database} owner analyticsuser")
        connection.execute(f"revoke connect, temporary on database {database} from public")
    environment = Environment.model_validate(endpoints.environment(platform))
    return environment.model_copy(update={"analytics": environment.analytics.model_copy(update={"database": database})})


@pytest.fixture(scope="session")
def bookstore() -> Project:
    return load_project(ROOT / "examples" / "bookstore")


@pytest.fixture
def backend(bookstore: Project, environment: Environment) -> AnalyticsBackend:
    (backend,) = open_backends(bookstore, environment)
    assert isinstance(backend, AnalyticsBackend)
    return backend


Ask = Callable[..., list[Any]]


@pytest.fixture
def ask(environment: Environment) -> Ask:
    """Run SQL as one of the roles; gives the rows, if there are any."""

    def ask(query: str, parameters: Any = None, role: str = "admin", **options: str) -> list[Any]:
        login, analytics = getattr(environment.analytics, role), environment.analytics
        settings = " ".join(f"-c {name}={value}" for name, value in options.items())
        with psycopg.connect(
            host=analytics.host, port=analytics.port, dbname=analytics.database, user=login.user, password=login.password.reveal(),
            options=settings, row_factory=dict_row,
        ) as connection:  # fmt: skip
            cursor = connection.execute(query, parameters)
            return cursor.fetchall() if cursor.description else []

    return ask
