"""An event that is lost, overtaken, stamped by a wrong version or in a wrong topic is told; one that comes twice is not."""

import json
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from chaos.judging_events import Routes, Version, uncaptured
from chaos.outbox import Event, some_event
from flink.events import ORIGIN, stamped
from flink.records import Letter
from project.filters.models import Filter
from project.loader import load_project

CARS = load_project(Path(__file__).parents[2] / "examples" / "cars")
STREAM = CARS.streams["routing"]
RNG = Random(1)
TOLD = [some_event(RNG, name, "one") for name in ("LoanCreated", "LoanPaymentSubmitted", "LoanCreated", "CarCreated")]
[LOANS] = [one for one in STREAM.filters if one.id == "loan-events-filter"]
LATER = LOANS.model_copy(update={"version": 2})
OTHERS = [Version(one, {"0": 0}, None) for one in STREAM.running if one is not LOANS]


def in_kafka(event: Event, offset: int) -> Letter:
    return Letter("raw", 0, offset, 1_700_000_000_000, event.entity.encode(), json.dumps(event.body).encode())


RAW = [in_kafka(event, offset) for offset, event in enumerate(TOLD)]


def taken(one: Filter, raw: Letter) -> Letter:
    """As the job writes it."""
    topic, headers = CARS.filtered_topic(one.outputs[0][0]), {ORIGIN: f"{raw.partition}:{raw.offset}"}
    return replace(raw, topic=topic, offset=0, value=stamped(one, raw.value, 0), headers=headers)


CAR = taken(next(one for one in STREAM.filters if one.id == "car-creation-filter"), RAW[3])
LOAN, PAYMENT, NEXT_LOAN = (taken(LOANS, raw) for raw in RAW[:3])


def told(*found: Letter, of: tuple[Version, ...] = (Version(LOANS, {"0": 0}, None),)) -> list[str]:
    return Routes(CARS, STREAM, [*of, *OTHERS]).misrouted(RAW, found)


@pytest.mark.parametrize("raw", [RAW, [RAW[0], *RAW], [*RAW[:3], *RAW]])
def test_events_that_are_captured_in_their_order_are_well(raw: list[Letter]):
    assert uncaptured(TOLD, raw, ordered=True) == []


@pytest.mark.parametrize("raw", [RAW[:3], [RAW[1], RAW[0], *RAW[2:]], [*RAW[:3], in_kafka(replace(TOLD[3], body={"other": 1}), 3)]])
def test_an_event_that_is_not_captured_as_it_was_told_is_named(raw: list[Letter]):
    [problem] = uncaptured(TOLD, raw, ordered=True)
    assert problem.startswith("I2: ") and "of 4 events are not in Kafka" in problem


def test_after_a_reread_the_order_is_another():
    assert uncaptured(TOLD, RAW[::-1], ordered=False) == []
    assert len(uncaptured(TOLD, RAW[1:], ordered=False)) == 1


@pytest.mark.parametrize("found", [(LOAN, PAYMENT, NEXT_LOAN, CAR), (LOAN, PAYMENT, LOAN, PAYMENT, CAR, NEXT_LOAN)])
def test_events_where_their_filters_send_them_are_well(found: tuple[Letter, ...]):
    assert told(*found) == []


@pytest.mark.parametrize("found", [(LOAN, NEXT_LOAN, CAR), (LOAN, PAYMENT, NEXT_LOAN), (PAYMENT, LOAN, NEXT_LOAN, CAR)])
def test_an_event_that_is_missing_or_overtaken_is_told(found: tuple[Letter, ...]):
    [problem] = told(*found)
    assert problem.startswith("I1: events of 1 entities are missing, or too early, first Copy(topic='cars.events.filtered-")


@pytest.mark.parametrize("other", [taken(LOANS, RAW[3]), replace(LOAN, topic="cars.events.filtered-car-events"), taken(LATER, RAW[0])])
def test_an_event_that_no_filter_sends_there_is_told(other: Letter):
    [problem] = told(LOAN, PAYMENT, NEXT_LOAN, CAR, other)
    assert problem.startswith("I1: events of 1 entities are where no filter sends them")


def test_the_version_in_charge_has_to_stamp_it():
    both = Version(LOANS, {"0": 0}, {"0": 1}), Version(LATER, {"0": 1}, None)
    later = [taken(LATER, raw) for raw in RAW[1:3]]
    assert told(LOAN, *later, CAR, of=both) == []
    assert told(LOAN, PAYMENT, *later, CAR, of=both) == [], "what the version before wrote since its last commit comes twice"
    assert len(told(LOAN, PAYMENT, NEXT_LOAN, CAR, of=both)) == 1, "it was in charge no more"
    assert len(told(taken(LATER, RAW[0]), LOAN, *later, CAR, of=both)) == 1, "it had not begun"
