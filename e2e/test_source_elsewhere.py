"""A source on a server elsewhere, beside a platform that is embedded but for it: what `init` says of it is added by hand, and kept."""

import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import yaml

from e2e.conftest import headrace
from e2e.waiting import until
from infra import databases
from infra.credentials import reveal, write_private
from infra.platform import HOST, Platform
from infra.tests.throwaway import throwaway_cluster

_UP_SECONDS, _ARRIVES = 300, 60


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Platform]:
    with throwaway_cluster(tmp_path / "server", "source") as one:
        yield one


@pytest.fixture
def crm(server: Platform) -> Iterator[psycopg.Connection]:
    """A database there with a customer in it."""
    with databases.connect(server, "source") as admin:
        admin.execute("create database crm")
    with databases.connect(server, "source", "crm") as database:
        database.execute("create table customers (id integer primary key, name text)")
        database.execute("insert into customers values (1, 'Ada')")
        yield database


@pytest.fixture
def project(platform: Platform, server: Platform, crm: psycopg.Connection, tmp_path: Path) -> Iterator[Path]:
    """The project of that database, once its server was added to the environment as `init` says."""
    folder, file = tmp_path / "crm", platform.environment_file
    address = f"postgresql://headrace_admin:{reveal(server, 'source_admin')}@{HOST}:{crm.info.port}/crm"
    said = headrace("init", str(folder), "--from", address).stdout
    named = yaml.safe_load(said[said.index("sources:") : said.index("\n\n", said.index("sources:"))])["sources"]
    for login, secret in (("admin", "source_admin"), ("capture", "capture")):
        named["crm"][login]["password"]["file"] = str(server.secrets / secret)
    before = file.read_text()
    document = yaml.safe_load(before)
    file.write_text(yaml.safe_dump(document | {"sources": document["sources"] | named}))
    try:
        yield folder
        headrace("erase", "-p", str(folder), "--yes", seconds=_UP_SECONDS)
    finally:
        file.write_text(before)


def test_it_is_captured_and_known_after_the_next_start_and_its_new_password_after_an_apply(
    project: Path, platform: Platform, server: Platform, crm: psycopg.Connection, analytics: psycopg.Connection
):
    headrace("up", "-p", str(project), seconds=_UP_SECONDS)
    crm.execute("insert into customers values (2, 'Grace')")
    both = [(1, "Ada"), (2, "Grace")]
    query = "select id, name from crm.customers order by id"
    until(lambda: analytics.execute(query.encode()).fetchall() == both, _ARRIVES, "what was there, and what came since")
    headrace("up", "-p", str(project), seconds=_UP_SECONDS)
    assert json.loads(headrace("plan", "--json", "-p", str(project)).stdout)["changes"] == []
    crm.execute("delete from customers where id = 1")
    until(lambda: analytics.execute(query.encode()).fetchall() == both[1:], _ARRIVES, "it is captured as before")
    write_private(server.secrets / "capture", "another")
    headrace("apply", "-p", str(project), seconds=_UP_SECONDS)
    assert "capture.crm=another" in (platform.secrets / "connect.properties").read_text().splitlines()
