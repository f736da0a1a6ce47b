"""The tutorial does what it says, block by block."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from e2e.conftest import connect, headrace
from e2e.superset_site import Site
from e2e.tutorial import Reader
from e2e.waiting import until
from infra.platform import Platform
from project.environment import Environment

_ARRIVED_SECONDS = 60


@pytest.fixture(scope="module")
def tutorial(platform: Platform, environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    reader = Reader(platform, tmp_path_factory.mktemp("home"))
    yield reader
    reader.clean_up(environment)


@pytest.fixture
def asked(environment: Environment) -> Iterator[psycopg.Connection]:
    """The analytics database, where unqualified names are the café's."""
    place = environment.analytics
    with connect(place.host, place.port, str(place.database), place.admin) as connection:
        connection.execute("set search_path to cafe")
        yield connection


def rows(asked: psycopg.Connection, query: str) -> list[Any]:
    return asked.execute(query.encode()).fetchall()


def test_a_project_is_made_of_the_database(tutorial: Reader, platform: Platform):
    said = tutorial.follow(2)
    assert "left out till_log: it has no primary key; run `alter table public.till_log add" in said
    assert "good: 1 sources, 1 streams, 2 views, 1 dashboards" in said
    source = (tutorial.home / "cafe/sources/cafe.yaml").read_text()
    assert "cups: {type: integer, description: How many cups were ordered.}" in source
    secret = (platform.secrets / "source_admin").read_text().strip()
    assert [path for path in (tutorial.home / "cafe").rglob("*") if path.is_file() and secret in path.read_text()] == []


def test_an_apply_ends_with_tables_that_are_full_and_a_dashboard(tutorial: Reader, asked: psycopg.Connection, platform: Platform):
    assert "created dashboard/overview" in tutorial.follow(3)
    full = [("orders", 500), ("products", 3)]
    until(lambda: rows(asked, "select * from rows_per_table order by 1") == full, _ARRIVED_SECONDS, "all rows of both tables")
    assert shown(platform, "cafe-overview", "Rows per table") == {"orders": 500, "products": 3}


def test_a_view_and_its_charts_are_all_that_is_new(tutorial: Reader, platform: Platform):
    said = tutorial.follow(4)
    assert "5 to change, 23 unchanged" in said
    assert "5 changed, 23 unchanged" in said
    assert sum(shown(platform, "cafe-sales", "Cups").values()) == 750


def test_a_change_arrives(tutorial: Reader, asked: psycopg.Connection):
    tutorial.follow(5)
    cups = "select sum(cups)::int from sales_by_day"
    until(lambda: rows(asked, cups) == [(1748,)], _ARRIVED_SECONDS, "a thousand cups more, the two of the first order less")


def test_a_mistake_is_said_with_its_place_and_a_proposal(tutorial: Reader):
    said = tutorial.follow(6)
    assert 'cafe/views/sales_by_day.sql:14: there is no column "prise"' in said
    assert 'did you mean "price"?' in said


def test_wrong_sql_is_said_with_its_place(tutorial: Reader):
    tutorial.follow(1)
    done = headrace("sql", "cafe", "-d", "cafe", "selec 1", check=False)
    assert (done.returncode, done.stderr.splitlines()[:2]) == (1, ['syntax error at or near "selec"', "LINE 1: selec 1"])


def test_what_is_taken_away_is_gone_and_an_erased_project_leaves_nothing(tutorial: Reader, asked: psycopg.Connection, platform: Platform):
    said = tutorial.follow(7)
    assert "- dashboard/overview" in said
    assert "- connector/cafe-cafe" in said
    assert rows(asked, "select table_name from information_schema.tables where table_schema = 'cafe'") == []
    assert Site(platform, "admin").call("GET", "dashboard/cafe-sales").status_code == 404


def shown(platform: Platform, dashboard: str, chart: str) -> dict[str, float]:
    """What a chart shows: label → number."""
    site = Site(platform, "admin")
    charts = site.call("GET", f"dashboard/{dashboard}/charts").json()["result"]
    [number] = [one["id"] for one in charts if one["slice_name"] == chart]
    [result] = site.call("GET", f"chart/{number}/data/?force=true").json()["result"]
    return {str(next(iter(row.values()))) if len(row) > 1 else "": list(row.values())[-1] for row in result["data"]}
