"""A year of real flights through the whole chain, as a user would run it."""

from collections.abc import Iterator

import psycopg
import pytest

from e2e.conftest import connect, headrace
from e2e.flights_comparison import differences
from e2e.flights_files import Files
from e2e.flights_year import FOLDER, applied_flights, sample, wait_for_the_year
from infra.platform import Platform
from project.environment import Environment
from project.loader import load_project


@pytest.fixture(scope="module")
def year(platform: Platform, environment: Environment) -> Iterator[psycopg.Connection]:
    """The analytics database when the year is over and all of it has arrived."""
    place = environment.analytics
    with applied_flights(platform, environment), connect(place.host, place.port, str(place.database), place.admin) as analytics:
        sample(platform, "trade", "--bulk")
        wait_for_the_year(analytics)
        yield analytics


def test_every_view_and_metric_says_what_the_files_say(year: psycopg.Connection):
    assert differences(load_project(FOLDER), year, Files()) == []


def test_nothing_is_left_to_apply_and_every_check_is_green(year: psycopg.Connection):
    assert headrace("plan", "-p", str(FOLDER)).stdout.startswith("0 to change")
    assert ", 0 failed" in headrace("check", "-p", str(FOLDER)).stdout
