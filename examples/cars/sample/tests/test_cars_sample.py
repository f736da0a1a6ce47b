"""What the sample promises: a database that is ready, business that tells of itself row by row, and a clean end."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from infra import databases, endpoints
from infra.platform import Platform
from infra.tests.throwaway import ROOT, throwaway_cluster
from project.filters.reading import read_filters
from project.filters.samples import outcome
from project.filters.verdicts import Record

SAMPLE = ROOT / "examples" / "cars" / "sample"
EVENTS = "select count(*) from business_events"


class Dealership:
    """The sample's command line, and what it left in the database."""

    def __init__(self, platform: Platform) -> None:
        self.platform, self.environment = platform, platform.state / "environment.yaml"
        self.environment.write_text(yaml.safe_dump(endpoints.environment(platform)))

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        variables = {"HEADRACE_ENVIRONMENT": str(self.environment), "PATH": "/usr/bin:/bin", "HOME": str(Path.home())}
        command = [sys.executable, str(SAMPLE), *arguments]
        return subprocess.Popen(command, env=variables, cwd="/", text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def run(self, *arguments: str, code: int = 0) -> str:
        process = self.start(*arguments)
        said, _ = process.communicate(timeout=60)
        assert process.returncode == code, said
        assert "Traceback" not in said
        return said

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        with databases.connect(self.platform, "source", "cardealerdb") as connection:
            return connection.execute(query.encode()).fetchall()


@pytest.fixture(scope="module")
def dealership(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dealership]:
    with throwaway_cluster(tmp_path_factory.mktemp("platform"), "source") as platform:
        found = Dealership(platform)
        assert "`prepare`" in found.run("trade", "--seconds", "1", code=1)
        found.run("prepare")
        found.run("prepare")
        yield found


def test_what_happens_is_told_with_it(dealership: Dealership):
    dealership.run("trade", "--rate", "100", "--seconds", "2", "--seed", "1")
    told = dealership.ask("select event, created_at, entity_id from business_events")
    assert {event["eventHeader"]["eventName"] for event, *_ in told} == {
        "CarCreated", "LoanCreated", "LoanPaymentSubmitted", "CarServiceDone"
    }  # fmt: skip
    for event, _, key in told[:20]:
        [entity] = event["eventBody"]["entities"]
        stored = dealership.ask(f"select 1 from {event['sourceMetadata']['table']} where entity_id = '{key}'")
        assert (entity["entityId"], stored) == (key, [(1,)])


def test_each_filter_of_the_example_passes_some_events_and_not_all(dealership: Dealership):
    dealership.run("trade", "--rate", "100", "--seconds", "2", "--seed", "2")
    told = dealership.ask("select event, created_at from business_events")
    for one in read_filters(ROOT / "examples" / "cars" / "streams" / "routing.yaml"):
        passed = sum(bool(outcome(one, Record(event, at))[0]) for event, at in told)
        assert 0 < passed < len(told), one.id


def test_it_ends_cleanly_when_it_is_told_to(dealership: Dealership):
    [(before,)] = dealership.ask(EVENTS)
    process = dealership.start("trade", "--rate", "50")
    wait = Retrying(retry=retry_if_result(lambda count: count <= before), stop=stop_after_delay(30), wait=wait_fixed(0.1))
    wait(lambda: dealership.ask(EVENTS)[0][0])
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=20)
    assert process.returncode == 0 and "Traceback" not in said
