"""A real PostgreSQL for this room's tests: one cluster for the session, set up as the platform does it, a database per test."""

from collections.abc import Iterator
from itertools import count

import pytest

from analytics_sql.tests.applied import Analytics
from infra import databases, endpoints
from infra.platform import Platform
from infra.tests.throwaway import ROOT, throwaway_cluster
from project.environment import Environment
from project.loader import load_project
from project.models import Project

_numbers = count()


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with throwaway_cluster(tmp_path_factory.mktemp("platform"), "analytics") as platform:
        yield platform


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
