"""An event that a program sends over HTTP reaches its consumer, once, whatever happens to the database meanwhile."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from random import Random
from threading import Event
from typing import Any

import pytest
import requests

from e2e.conftest import ROOT, connect, headrace
from e2e.waiting import until
from examples.cars.sample.events import loan_created
from infra import readiness, supervision
from infra.platform import Platform
from project.environment import Environment

FOLDER = ROOT / "examples" / "cars"
_ARRIVES = 60  # seconds


@pytest.fixture(scope="module")
def address(platform: Platform, environment: Environment) -> Iterator[str]:
    """Where the dealership takes events, as `status` says it."""
    try:
        headrace("up", "-p", str(FOLDER), seconds=500)
        components = json.loads(headrace("status", "--json").stdout)["components"]
        [found] = [one for one in components if one["name"].startswith("ingestion")]
        assert found["state"] == "RUNNING"
        yield f"http://{found['address']}/api/v1/events"
    finally:
        headrace("erase", "-p", str(FOLDER), "--yes")
        place = environment.source("events")
        with connect(place.host, place.port, "postgres", place.admin) as admin:
            admin.execute("drop database cardealerdb with (force)")


def received(environment: Environment, event: dict[str, Any]) -> list[tuple[Any, ...]]:
    place = environment.analytics
    with connect(place.host, place.port, str(place.database), place.admin) as analytics:
        query = "select consumer, entity_id, event - 'filterMetadata' from cars.received_events where event_uuid = %s"
        return analytics.execute(query, [event["eventHeader"]["uuid"]]).fetchall()


def kept(environment: Environment, event: dict[str, Any]) -> int:
    place = environment.source("events")
    with connect(place.host, place.port, "cardealerdb", place.admin) as source:
        [(count,)] = source.execute("select count(*) from business_events where id = %s", [event["eventHeader"]["uuid"]]).fetchall()
    return count


def test_an_event_that_is_sent_reaches_its_consumer_and_one_that_is_wrong_nobody(address: str, environment: Environment):
    good, wrong = (loan_created(Random(), datetime.now(UTC)) for _ in range(2))
    wrong.body["eventBody"]["entities"][0]["updatedAttributes"]["loan"]["interestRate"] = "low"
    refused = requests.post(address, json=wrong.body, timeout=30)
    reason = 'eventBody.entities[0].updatedAttributes.loan.interestRate is "low"; expected a number of 0 to 1'
    assert (refused.status_code, refused.json()) == (422, {"problems": [reason]})
    answer = requests.post(address, json=good.body, timeout=30)
    assert (answer.status_code, answer.json()) == (200, {"uuid": good.uuid, "problems": []})
    until(lambda: received(environment, good.body) == [("loan-consumer", good.entity_id, good.body)], _ARRIVES, "it arrives as it was sent")
    assert (kept(environment, wrong.body), received(environment, wrong.body)) == (0, [])


def test_one_that_is_sent_again_and_again_while_the_database_restarts_is_there_once(
    address: str, platform: Platform, environment: Environment
):
    event, over, answers = loan_created(Random(), datetime.now(UTC)), Event(), list[int]()

    def send() -> None:
        while not over.wait(0.01):
            answers.append(requests.post(address, json=event.body, timeout=30).status_code)

    with ThreadPoolExecutor(2) as pool:
        senders = [pool.submit(send) for _ in range(2)]
        try:
            until(lambda: 200 in answers, _ARRIVES, "it is taken")
            supervision.stop(platform, {"postgres-source"})
            until(lambda: 503 in answers, _ARRIVES, "it is told that the database is away")
            supervision.start(platform, "postgres-source")
            readiness.wait_until_ready(platform, "postgres-source", over)
            seen = len(answers)
            until(lambda: 200 in answers[seen:], _ARRIVES, "it is taken again")
        finally:
            over.set()
        for sender in senders:
            sender.result(60)
    assert set(answers) == {200, 503}
    until(lambda: received(environment, event.body), _ARRIVES * 3, "it arrives")
    later = loan_created(Random(), datetime.now(UTC))
    assert requests.post(address, json=later.body, timeout=30).ok
    until(lambda: received(environment, later.body), _ARRIVES, "so does one behind it")
    assert (kept(environment, event.body), len(received(environment, event.body))) == (1, 1)


def test_a_load_goes_over_the_address_and_tells_how_long_answers_took(address: str):
    place = address.removeprefix("http://").removesuffix("/api/v1/events")
    [found] = json.loads(headrace("load", "cars", "--address", place, "--mode", "smoke", "--json").stdout)["loads"]
    assert (found["written"], found["not_taken"], found["shortcomings"]) == (5, 0, [])
    assert 0 < found["waited"]["p50"] <= found["waited"]["p99"] < 5000
    assert sum(one["received"] for one in found["topics"][1:]) == 5
    refused = headrace("load", "cars", "--address", place, "--batch", "2", check=False)
    assert refused.returncode == 2 and "one event at a time" in refused.stderr
