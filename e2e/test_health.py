"""What an operator sees when something is stopped: the right checks turn red with a text that says what to do, and green again."""

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import requests

from e2e.conftest import ROOT, headrace
from e2e.graph import Graph
from e2e.receiver import Receiver, receiving
from e2e.shops import open_shop
from e2e.waiting import until
from flink.backends import FlinkBackend
from flink.compile import compile_resources
from infra import supervision
from infra.credentials import write_private
from infra.platform import Platform
from orchestration.checks import read_expected
from project.environment import Environment
from project.loader import load_project
from project.resources import Health, State

_RED, _GREEN = 240, 480  # seconds; about twice what the sensors' intervals and timeouts add up to

STOPS = {
    "a source, Connect and Superset": {
        "postgres-source": "capture/ecom:ready",
        "connect": "connector/ecom-connector:running",
        "superset": "database/bookstore:reachable",
    },
    "the analytics database and the TaskManager": {
        "postgres-analytics": "schema/public:reachable",
        "flink-taskmanager": "job/ecom:running",
    },
    "Kafka": {"kafka": "topic/ecom-connector.public.orders:available"},
}


@pytest.fixture
def graph(platform: Platform) -> Graph:
    found = Graph(platform.url("dagster"))
    until_green(found)
    return found


def until_green(graph: Graph) -> None:
    """A failure names what is not."""
    try:
        until(lambda: not graph.not_green(), _GREEN, "all checks are green")
    except AssertionError as late:
        raise AssertionError(f"{late}; not green: {graph.not_green()}") from late


@pytest.mark.parametrize("stops", STOPS.values(), ids=STOPS)
def test_what_is_stopped_turns_red_and_green_again(stops: dict[str, str], platform: Platform, graph: Graph):
    runs = graph.runs()
    for name in stops:
        supervision.stop(platform, {name})
    try:
        for check in stops.values():
            text = until(lambda check=check: graph.red().get(check), _RED, f"{check} is red")
            assert text and re.search("start|apply|look at", text, re.IGNORECASE), text
    finally:
        for name in stops:
            supervision.start(platform, name)
    until_green(graph)
    assert graph.runs() == runs


def test_a_cancelled_job_is_submitted_again_by_itself(environment: Environment, graph: Graph, analytics: psycopg.Connection):
    def running() -> list[str]:
        jobs = requests.get(f"{environment.flink.url}/jobs/overview", timeout=10).json()["jobs"]
        return [job["jid"] for job in jobs if job["state"] == "RUNNING" and job["name"].startswith("bookstore.inventory@")]

    (lost,) = running()
    assert requests.patch(f"{environment.flink.url}/jobs/{lost}?mode=cancel", timeout=30).ok
    (again,) = until(lambda: [job for job in running() if job != lost], 180, "the job runs again")
    assert again != lost
    # Whoever looks just then sees a job that starts, not one that failed.
    project = load_project(ROOT / "examples" / "bookstore")
    job = next(found for found in compile_resources(project, environment) if found.id == "job/inventory")
    assert FlinkBackend(project, environment).health(job).state is State.PASSED
    until(lambda: "job/inventory:running" not in graph.not_green(), _RED, "its check is green")


UNSENT = """/*
title: Unsent
description: Orders that nobody has sent.
columns: {id: Identity of the order.}
metrics:
  unsent: {expression: count(*), label: Unsent, description: Orders that nobody has sent., alarm_above: 1}
*/
select id from orders
"""


def test_a_number_that_is_not_as_expected_is_told(tmp_path: Path, environment: Environment, graph: Graph):
    with open_shop(tmp_path, environment) as shop:
        shop.source.execute("create table orders (id integer primary key)")
        shop.declare({"orders": {"key": ["id"], "columns": {"id": "integer"}}})
        (tmp_path / "views").mkdir()
        (tmp_path / "views" / "unsent.sql").write_text(UNSENT)
        shop.apply()
        catalogue = shop.catalogue()

        def expected() -> Health:
            return read_expected(catalogue, catalogue.by_id["view/unsent"])

        shop.source.execute("insert into orders values (1)")
        until(lambda: expected() == Health(State.PASSED, "unsent is 1", {"unsent": 1.0}), 60, "one order is well")
        shop.source.execute("insert into orders values (2)")
        until(lambda: expected().state is State.FAILED, 60, "two are told")
        assert expected().text == "unsent is 2; expected at most 1: orders that nobody has sent"
    until(lambda: "view/vw_data_quality:expected" in graph.checks(), _RED, "a sensor looks at the bookstore's")


def test_a_chart_that_had_no_answer_turns_green_by_itself(graph: Graph, analytics: psycopg.Connection):
    analytics.execute("alter view vw_revenue_by_genre rename to vw_elsewhere")
    try:
        headrace("apply", "chart/inventory.genre_share", check=False)
        said = until(lambda: graph.red().get("chart/inventory.genre_share:answers"), 60, "the chart is red")
        assert said and "vw_revenue_by_genre" in said
    finally:
        analytics.execute("alter view vw_elsewhere rename to vw_revenue_by_genre")
    until_green(graph)


@pytest.fixture
def receiver(platform: Platform) -> Iterator[Receiver]:
    """Told of what changes."""
    with receiving() as found:
        write_private(platform.secrets / "alerts_url", found.url)
        headrace("up")
        try:
            yield found
        finally:
            (platform.secrets / "alerts_url").unlink()
            headrace("up")


def test_a_stopped_source_of_change_shows_as_age_and_is_told(environment: Environment, receiver: Receiver, graph: Graph):
    """A paused connector is RUNNING for nobody: the pulse stops, and the stream's freshness says so."""
    connector = f"{environment.connect.url}/connectors/inventory-connector"
    until(lambda: requests.put(f"{connector}/pause", timeout=30).ok, 60, "Kafka Connect takes the request")
    try:
        until(lambda: "connector/inventory-connector:running" in graph.red(), _RED, "the connector's check is red")
        until(lambda: "job/inventory:fresh" in graph.not_green(), _RED, "the stream is stale")
        paused = ("connector/inventory-connector:running", "passed", "failed")
        until(lambda: paused in receiver.states(), _RED, "somebody is told")
    finally:
        until(lambda: requests.put(f"{connector}/resume", timeout=30).ok, 60, "Kafka Connect takes the request")
    until_green(graph)
    until(lambda: (paused[0], "failed", "passed") in receiver.states(), _RED, "the end is told as well")
