"""What the sample promises: a database that is ready, business that tells of itself row by row and as declared, and a clean end."""

import runpy
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random

import pytest

from infra.tests.sample_command import SampleCommand
from infra.tests.throwaway import ROOT, throwaway_cluster
from project.events.fitting import misfits
from project.filters.reading import read_filters
from project.filters.samples import outcome
from project.filters.verdicts import Record
from project.loader import load_project

SAMPLE = ROOT / "examples" / "cars" / "sample"
EVENTS = "select count(*) from business_events"


@pytest.fixture(scope="module")
def dealership(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SampleCommand]:
    with throwaway_cluster(tmp_path_factory.mktemp("platform"), "source") as platform:
        found = SampleCommand(platform, SAMPLE, "cardealerdb")
        assert "`prepare`" in found.run("trade", "--seconds", "1", code=1)
        found.run("prepare")
        found.run("prepare")
        yield found


def test_what_happens_is_told_with_it(dealership: SampleCommand):
    dealership.run("trade", "--rate", "100", "--seconds", "2", "--seed", "1")
    told = dealership.ask("select event, created_at, entity_id from business_events")
    assert {event["eventHeader"]["eventName"] for event, *_ in told} == {
        "CarCreated", "LoanCreated", "LoanPaymentSubmitted", "CarServiceDone"
    }  # fmt: skip
    for event, _, key in told[:20]:
        [entity] = event["eventBody"]["entities"]
        stored = dealership.ask(f"select 1 from {event['sourceMetadata']['table']} where entity_id = '{key}'")
        assert (entity["entityId"], stored) == (key, [(1,)])


def test_each_filter_of_the_example_passes_some_events_and_not_all(dealership: SampleCommand):
    dealership.run("trade", "--rate", "100", "--seconds", "2", "--seed", "2")
    told = dealership.ask("select event, created_at from business_events")
    for one in read_filters(ROOT / "examples" / "cars" / "streams" / "routing.yaml").filters:
        passed = sum(bool(outcome(one, Record(event, at))[0]) for event, at in told)
        assert 0 < passed < len(told), one.id


def test_each_event_is_as_its_schema_says():
    kinds = runpy.run_path(str(SAMPLE / "events.py"))["KINDS"]
    schemas = load_project(SAMPLE.parent).event_schemas("events")
    written = [kind(Random(seed), datetime(2026, 1, 31, 9, 30, tzinfo=UTC)).body for kind in kinds for seed in range(200)]
    assert {event["eventHeader"]["eventName"] for event in written} == schemas.keys()
    for event in written:
        assert misfits(event, schemas[event["eventHeader"]["eventName"]]) == []
        assert misfits(event, schemas[event["eventHeader"]["eventName"]], sample=True) == [], "an attribute that nobody declared"


def test_it_ends_cleanly_when_it_is_told_to(dealership: SampleCommand):
    [(before,)] = dealership.ask(EVENTS)
    process = dealership.start("trade", "--rate", "50")
    dealership.until(EVENTS, before + 1)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=20)
    assert process.returncode == 0 and "Traceback" not in said
