"""A load: events of the size that was asked for and judged as before, all of them written, what became of them counted rightly."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from multiprocessing import Value
from random import Random
from typing import Any
from uuid import uuid4

import pytest
import typer
from typer.testing import CliRunner

import writing
from accounts import account, percentile
from events import KINDS, Event
from infra.tests.sample_command import SampleCommand
from infra.tests.throwaway import ROOT, throwaway_cluster
from load import LATE, MODES, PATIENCE, Outcome, saturated
from load_command import register
from project.filters.reading import read_filters
from project.filters.samples import outcome
from project.filters.verdicts import Record
from sending import address_of
from sizes import SIZES, sized
from writing import MOST_CONNECTIONS, Load, Writers

NOW = datetime(2026, 3, 4, 10, 30, tzinfo=UTC)
FILTERS = (
    *read_filters(ROOT / "examples" / "cars" / "streams" / "routing.yaml").filters,
    *read_filters(ROOT / "project" / "filters" / "tests" / "use_cases.yaml").filters,
)


@pytest.fixture(scope="module")
def dealership(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SampleCommand]:
    with throwaway_cluster(tmp_path_factory.mktemp("platform"), "source") as platform:
        found = SampleCommand(platform, ROOT / "examples" / "cars" / "sample", "cardealerdb")
        found.run("prepare")
        yield found


def events(count: int) -> Iterator[Event]:
    rng = Random(5)
    return (KINDS[number % len(KINDS)](rng, NOW) for number in range(count))


@pytest.mark.parametrize("name", SIZES)
def test_an_event_has_the_size_that_it_is_asked_for(name: str):
    for one in events(80):
        grown = sized(one, SIZES[name], Random(6))
        assert 0.95 * SIZES[name] <= len(json.dumps(grown.body)) <= 1.05 * SIZES[name]
        assert (grown.uuid, grown.table, grown.entity_id) == (one.uuid, one.table, one.entity_id)


@pytest.mark.parametrize("name", SIZES)
def test_no_filter_judges_an_event_otherwise_for_its_size(name: str):
    judged = set[bool]()
    for one in events(80):
        grown = sized(one, SIZES[name], Random(7))
        for wanted in FILTERS:
            before, after = (outcome(wanted, Record(event.body, NOW)) for event in (one, grown))
            assert (before[0], before[2]) == (after[0], after[2]), wanted.id
            judged.add(bool(before[0]))
    assert judged == {True, False}


@pytest.mark.parametrize("name", SIZES)
def test_what_filters_ask_for_stays_whatever_the_size(name: str):
    for one in events(80):
        assert _asked(sized(one, SIZES[name], Random(9))) == _asked(one)


def _asked(event: Event) -> list[Any]:
    """The header, and of the entity what it is and the amounts and names in it that matter to somebody."""
    [entity] = event.body["eventBody"]["entities"]
    [nested] = [part for name, part in entity["updatedAttributes"].items() if name in ("loan", "loanPayment", "service")] or [{}]
    said = entity["updatedAttributes"] | nested
    matters = ("make", "totalBalance", "loanAmount", "balance", "status", "amount", "amountPaid", "dealerId")
    return [event.body["eventHeader"], entity["entityType"], entity["entityId"], *(said.get(name) for name in matters)]


def test_a_large_event_is_made_of_blocks_and_what_it_says_itself_stays():
    [car, *_] = events(1)
    grown = sized(car, SIZES["8k"], Random(8)).body["eventBody"]["entities"][0]["updatedAttributes"]
    own = car.body["eventBody"]["entities"][0]["updatedAttributes"]
    assert {name: grown[name] for name in own} == own
    assert len(grown["serviceHistory"]) > 5 and len(grown["_padding"]) < 1000


def test_a_user_writes_at_the_rate_that_is_asked_for(monkeypatch: pytest.MonkeyPatch):
    waited = list[float]()
    monkeypatch.setattr(writing, "monotonic", lambda: sum(waited))
    monkeypatch.setattr(writing, "sleep", waited.append)
    for name in ("_written", "_stopped"):
        monkeypatch.setattr(writing, name, Value("q", 0), raising=False)
    told = writing._go_on(Load(users=1, seconds=2, rate=100, batch=5), 0, lambda events: None, until=2)
    assert (len(told.committed), sum(waited)) == (200, pytest.approx(2))


def test_users_write_all_that_they_say_and_no_faster_than_is_asked_for(dealership: SampleCommand, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HEADRACE_ENVIRONMENT", str(dealership.environment))
    load = Load(users=MOST_CONNECTIONS + 1, seconds=2, size=SIZES["4k"], rate=100, batch=5)
    with Writers() as writers:
        parts = [one.result(60) for one in writers.start(load)]
        committed = {str(uuid) for part in parts for uuid in part.committed}
        assert writers.count == len(committed)
    told = dealership.ask("select id::text, octet_length(event::text), event #>> '{eventHeader,eventName}' from business_events")
    assert {uuid for uuid, *_ in told} == committed
    assert 20 <= len(committed) <= 200
    assert all(0.95 * 4096 <= size <= 1.05 * 4096 for _, size, _ in told) and len({name for *_, name in told}) == 4


def test_a_smoke_is_five_transactions(dealership: SampleCommand, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HEADRACE_ENVIRONMENT", str(dealership.environment))
    [smoke] = MODES["smoke"]
    with Writers() as writers:
        [part] = [one.result(60) for one in writers.start(smoke)]
    assert len(part.committed) == 5 and all(part.begun <= at <= part.ended for at in part.committed.values())


def test_what_an_address_does_not_take_is_counted_with_the_reason(dealership: SampleCommand, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HEADRACE_ENVIRONMENT", str(dealership.environment))
    load = Load(1, 60, transactions=3, address=address_of("127.0.0.1:9"))  # nothing listens there
    with Writers() as writers:
        [part] = [one.result(60) for one in writers.start(load)]
    why = "http://127.0.0.1:9 gives no answer (ConnectionError)"
    assert (part.committed, part.waited, part.not_taken) == ({}, [], [why] * 3)
    told = Outcome(load, 30.0, 0.0, 0.0, (), (LATE, LATE + 1), tuple(part.not_taken)).shortcomings
    assert told == [f"events that were not taken: 3; of one, {why}", "answers that took more than 5 s: 1"]
    assert address_of("https://events.example/api/v1/events") == address_of("https://events.example/") == "https://events.example"


def test_what_came_is_counted_by_event_and_timed_from_its_commit():
    ids = [uuid4() for _ in range(100)]
    committed = {uuid: 1000.0 + number for number, uuid in enumerate(ids)}
    expected = {(uuid, "loans") for uuid in ids}
    found = {(uuid, "loans"): committed[uuid] + (number + 1) / 1000 for number, uuid in enumerate(ids[:90])}
    found[ids[0], "loans"] = committed[ids[0]] - 0.5  # here before its commit had returned
    told = account("loans", expected, found, [(ids[3], "loans")], committed)
    assert (told.expected, told.received, told.missing, told.twice) == (100, 90, 10, 1)
    assert (told.p50, told.p95, told.p99) == (45.0, 86.0, 90.0)
    assert account("loans", [], {}, [], {}).p50 is None


@pytest.mark.parametrize(("share", "value"), [(0.5, 2), (0.51, 3), (0.95, 4), (0.99, 4)])
def test_a_percentile_is_one_of_the_values(share: float, value: float):
    assert percentile([1, 2, 3, 4], share) == value


def test_what_was_not_reached_is_said():
    short, whole = (account("t", expected, {}, [], {}) for expected in ([(uuid4(), "")], []))
    slow = Outcome(Load(1, 30, rate=1000), 30.0, 640.0, 0.0, (short, whole), (), ())
    assert slow.shortcomings == [
        "wrote 640 events/s of the 1,000 that were asked for", f"1 of 1 events did not come to t; nothing more came for {PATIENCE:.0f} s"
    ]  # fmt: skip
    assert Outcome(Load(1, 30, rate=1000), 30.0, 970.0, 0.0, (whole,), (LATE + 1,), ()).shortcomings == []


@pytest.mark.parametrize(("rates", "ended"), [([900], False), ([900, 1800], False), ([900, 1800, 1850], True), ([900, 300], True)])
def test_saturation_ends_where_the_rate_no_longer_grows(rates: list[float], ended: bool):
    assert saturated(rates) is ended


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("--duration 30", '"30" is no duration; expected one such as 30s, 5m or 1h'),
        ("--duration 0s", '"0s" is no duration'),
        ("--mode full --vus 3", "mode full says itself how many write, how long and how fast; leave out --vus"),
        ("--mode saturation --rate 5 --duration 3m", "leave out --duration and --rate"),
        ("--size 5k", "is not one of '400b', '4k', '8k', '32k', '64k'"),
        ("--rate 0", "0.0 is not in the range"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused_in_words(call: str, said: str):
    app = typer.Typer()
    register(app)
    result = CliRunner().invoke(app, call.split(), env={"COLUMNS": "300", "TERM": "dumb"})
    assert result.exit_code == 2 and said in result.output
