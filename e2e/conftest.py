"""One embedded platform for all behaviour tests: started by the command a user would use, on ports and a folder of its own."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser, Page

from e2e.browsers import open_browser
from e2e.command import run
from infra.platform import Platform
from project.environment import Environment, Login, read_environment
from project.loader import load_project
from project.models import Project

ROOT = Path(__file__).resolve().parent.parent
STATE = Path(os.environ.get("HEADRACE_TEST_STATE", ROOT / ".headrace-test"))
PORT_BASE = int(os.environ.get("HEADRACE_TEST_PORT_BASE", "28000"))
PLATFORM = Platform(ROOT, STATE, PORT_BASE)
_UP_SECONDS, _DOWN_SECONDS = 900, 300


def headrace(*arguments: str, seconds: float = 400, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run the command line against the test platform."""
    return run(PLATFORM, *arguments, seconds=seconds, check=check)


@pytest.fixture(scope="session")
def platform() -> Iterator[Platform]:
    """The running platform with the bookstore applied. HEADRACE_TEST_KEEP=1 leaves it running for the next run."""
    headrace("up", seconds=_UP_SECONDS)
    yield PLATFORM
    if not os.environ.get("HEADRACE_TEST_KEEP"):
        headrace("down", "--erase", "--yes", seconds=_DOWN_SECONDS)


@pytest.fixture(scope="session")
def environment(platform: Platform) -> Environment:
    return read_environment(platform.config / "environment.yaml")


@pytest.fixture(scope="session")
def bookstore(platform: Platform) -> Project:
    return load_project(ROOT / "examples" / "bookstore")


def connect(host: str, port: int, database: str, login: Login) -> psycopg.Connection:
    return psycopg.connect(
        host=host, port=port, dbname=database, user=login.user, password=login.password.reveal(), autocommit=True, connect_timeout=10
    )


@pytest.fixture(scope="module")
def source(environment: Environment, bookstore: Project) -> Iterator[Callable[[str], psycopg.Connection]]:
    """A connection to a source database by the source's name, as its admin. Not for the session: some modules stop the server."""
    with ExitStack() as stack:

        def open_source(name: str) -> psycopg.Connection:
            place = environment.source(name)
            return stack.enter_context(connect(place.host, place.port, bookstore.sources[name].database, place.admin))

        yield open_source


@pytest.fixture
def analytics(environment: Environment) -> Iterator[psycopg.Connection]:
    """A connection to the analytics database as its owner."""
    place = environment.analytics
    assert place.database
    with connect(place.host, place.port, place.database, place.admin) as connection:
        yield connection


@pytest.fixture
def reader(environment: Environment) -> Iterator[psycopg.Connection]:
    """A connection to the analytics database as the role that Superset uses."""
    place = environment.analytics
    assert place.database
    with connect(place.host, place.port, place.database, place.reader) as connection:
        yield connection


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@pytest.fixture
def browser_page(browser: Browser) -> Iterator[Page]:
    """An empty page of a size that analysts have."""
    with browser.new_context(viewport={"width": 1440, "height": 900}) as context:
        yield context.new_page()
