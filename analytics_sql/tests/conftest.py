"""A real PostgreSQL for this room's tests: one cluster for the session, set up as the platform does it, a database per test."""

import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from analytics_sql.tests.applied import Analytics
from infra import artefacts, credentials, databases, endpoints, programs
from infra.platform import PORTS, Platform
from project.environment import Environment
from project.loader import load_project
from project.models import Project

ROOT = Path(__file__).parents[2]
_numbers = count()


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        base = server.getsockname()[1] - PORTS["postgres analytics"]
    platform = Platform(ROOT, tmp_path_factory.mktemp("platform"), base)
    artefacts.fetch(artefact for artefact in artefacts.of_this_machine(artefacts.read_lock()) if artefact.folder.startswith("postgres-"))
    artefacts.unpack_postgres(platform.postgres_programs)
    credentials.generate(platform)
    for folder in (platform.logs, platform.scratch):
        folder.mkdir()
    databases.create_cluster(platform, "analytics")
    [program] = [program for program in programs.all_programs(platform, None) if program.name == "postgres-analytics"]
    with (platform.logs / "postgres.log").open("w") as log:
        # Nothing here outlives the session, so nothing need reach the disk.
        process = subprocess.Popen([*program.command, "-c", "fsync=off"], user=program.user, cwd="/", stdout=log, stderr=log)
    try:
        _ensure_roles(platform)
        yield platform
    finally:
        process.send_signal(signal.SIGQUIT)
        process.wait(30)
        shutil.rmtree(platform.shelter or platform.state)


@retry(retry=retry_if_exception_type(psycopg.OperationalError), stop=stop_after_delay(30), wait=wait_fixed(0.1), reraise=True)
def _ensure_roles(platform: Platform) -> None:
    databases.ensure_roles(platform, "analytics")


def new_database(platform: Platform, template: str = "template1") -> Environment:
    """The platform's environment with an analytics database of its own."""
    database = f"analytics_{next(_numbers)}"
    with databases.connect(platform, "analytics") as connection:
        connection.execute(f"create database {database} owner analyticsuser template {template}".encode())
        connection.execute(f"revoke connect, temporary on database {database} from public".encode())
    environment = Environment.model_validate(endpoints.environment(platform))
    return environment.model_copy(update={"analytics": environment.analytics.model_copy(update={"database": database})})


@pytest.fixture
def environment(platform: Platform) -> Environment:
    """An environment to which nothing was applied yet."""
    return new_database(platform)


@pytest.fixture(scope="session")
def bookstore() -> Project:
    return load_project(ROOT / "examples" / "bookstore")


@pytest.fixture(scope="session")
def template(platform: Platform, bookstore: Project) -> str:
    """A database with the bookstore, to be copied: applying it for every test takes longer."""
    environment = new_database(platform)
    Analytics(environment, bookstore).apply()
    assert environment.analytics.database
    return environment.analytics.database


@pytest.fixture(scope="session")
def untouched(platform: Platform, bookstore: Project, template: str) -> Analytics:
    """The bookstore, applied; for tests that change nothing."""
    return _copy(platform, bookstore, template)


@pytest.fixture
def analytics(platform: Platform, bookstore: Project, template: str) -> Analytics:
    """The bookstore, applied; for one test."""
    return _copy(platform, bookstore, template)


def _copy(platform: Platform, bookstore: Project, template: str) -> Analytics:
    analytics = Analytics(new_database(platform, template), bookstore)
    analytics.apply("schema/public")  # rights in a database, and settings for it, are not copied with it
    return analytics
