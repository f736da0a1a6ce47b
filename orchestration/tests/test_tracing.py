"""`headrace events trace`: what its reader is told of an event at each of its places, and how it ends."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import orchestration.tracing
from flink.backends import Letter
from flink.events import stamped
from orchestration.tests.test_project_commands import ROOT, headrace
from orchestration.traces import Aside, Reader, Search, Trace, Written, is_named, judged, lines, written_of
from project.models import Project, Stream

ENVIRONMENT, CARS = str(Path(__file__).with_name("environment.yaml")), str(ROOT / "examples" / "cars")
RAW, LARGE = "shop.raw-business-events", "shop.events.large"
UUID, AT = "0c3f6f0e", datetime(2026, 1, 1, 12, tzinfo=UTC)
PROJECT = Project.model_validate(
    {"name": "shop", "title": "", "owner": "o", "schema": "p", "sources": {}, "streams": {}, "views": {}, "dashboards": {}}
)
KIND, AMOUNT = {"field": "kind", "operator": "equals", "value": "a"}, {"field": "amount", "operator": "greaterThan", "value": 10}
RECENT = {"field": "at", "operator": "greaterThan", "value": "NOW-1H", "valueType": "timestamp"}
COMMON = {"name": "a", "consumerId": "desk", "enabled": True, "version": 2}
STREAM = Stream.model_validate({
    "name": "routing", "kind": "filters", "source": "events", "mandatory": ["kind"],
    "filters": [
        {**COMMON, "id": "large-filter", "outputTopic": "large", "conditions": [KIND, AMOUNT]},
        {**COMMON, "id": "recent-filter", "outputTopic": "recent", "conditions": [{"not": {"any": [RECENT, AMOUNT]}}]},
        {**COMMON, "id": "off-filter", "outputTopic": "off", "conditions": [AMOUNT], "enabled": False},
    ],
})  # fmt: skip
PLACES = [f"{RAW}:0:7", f"{LARGE}:1:77", "shop.events.routing-dead-letters:0:5"]


def raw(**event: Any) -> Letter:
    said = {"eventHeader": {"uuid": UUID}, "kind": "a", "at": "2026-01-01T11:30:00Z", **event}
    return Letter(RAW, 0, 7, round(AT.timestamp() * 1000), b"a", json.dumps(said).encode())


def made_of(event: Letter, *written: Written, letters: tuple[Aside, ...] = (), behind: int = 0) -> Trace:
    return Trace(PLACES[0], AT, False, behind, judged(PROJECT, STREAM, event), written, letters)


def written(*readers: Reader, version: int = 2) -> Written:
    return Written(PLACES[1], AT + timedelta(milliseconds=12), "large-filter", version, None, readers)


def told(trace: Trace) -> list[str]:
    return [f"{word} {said}" for word, said in lines(trace)]


def test_each_filter_that_runs_says_what_it_makes_of_the_event_and_why():
    large, recent = judged(PROJECT, STREAM, raw(amount=20))
    assert (large.became, large.topics, recent.became, recent.topics) == ("passed", (LARGE,), "stayed", ())
    assert recent.because == ("true: at greaterThan 'NOW-1H'; it is '2026-01-01T11:30:00Z'", "true: amount greaterThan 10; it is 20")
    assert large.why[0] == "true: all" and len(large.why) == 3, "as `filters try` has it"
    large, _ = judged(PROJECT, STREAM, raw(amount="x"))
    [because] = large.because
    assert large.became == "set aside" and because.startswith("unknown: amount greaterThan 10; it is 'x', but it is no number")
    large, _ = judged(PROJECT, STREAM, raw(amount=5))
    assert (large.became, large.because) == ("stayed", ("false: amount greaterThan 10; it is 5",))
    assert {(one.became, one.because) for one in judged(PROJECT, STREAM, raw(kind=None))} == {("no event", ("kind is missing",))}


def test_relative_times_count_from_when_kafka_took_the_event():
    _, recent = judged(PROJECT, STREAM, raw(amount=5, at="2026-01-01T10:30:00Z"))
    assert recent.became == "passed"


def test_an_event_is_known_by_the_uuid_of_its_header_alone():
    assert is_named(raw().value, UUID) and not is_named(raw(eventHeader={}, cause=UUID).value, UUID)
    assert not is_named(raw().value, UUID[:-1]), "a part of it is another one"
    assert is_named(json.dumps({"eventHeader": {"uuid": "ü"}}).encode(), "ü"), "as its producer may write it"
    assert is_named(raw().value[:-9], UUID), "one that was cut off is set aside, and its reader looks for it"
    assert not is_named(b"\xff", UUID)


def test_what_was_written_of_another_event_at_the_same_place_is_not_taken_for_its():
    event, [large, *_] = raw(amount=20), STREAM.filters
    origin = {"headrace.origin": "0:7"}
    own = Letter(LARGE, 1, 77, 0, b"a", stamped(large, event.value, 17), headers=origin)
    other = Letter(LARGE, 1, 3, 0, b"a", stamped(large, raw(amount=21).value, 17), headers=origin)
    elsewhere = Letter(LARGE, 1, 78, 0, b"a", own.value, headers={"headrace.origin": "0:71"})
    avro = Letter(f"{LARGE}-avro", 1, 9, 0, b"a", b"\0\0\0\0\1", headers=origin)
    assert written_of(event, [own, other, elsewhere, avro]) == [own, avro]


def test_what_passed_is_told_with_who_has_it():
    received, unread = [Reader("desk", 0, AT, 1), Reader("audit", 0, AT, 3)], [Reader("slow", 12, None, 0), Reader("new", None, None, 0)]
    assert told(made_of(raw(amount=20), written(*received, Reader("own", 0, None, 0), *unread)))[:-1] == [
        f"raw {PLACES[0]}  2026-01-01 12:00:00.000",
        f"passed large-filter 2 → {PLACES[1]}, 0.012 s later",
        "read desk: has it since 2026-01-01 12:00:00.000",
        "read audit: has it since 2026-01-01 12:00:00.000, it came 3 times",
        "read own: has read past it",
        "read slow: has not read so far (12 events behind)",
        "read new: stands nowhere in that topic; apply consumer/new",
    ]


def test_what_should_be_there_and_is_not_is_told_apart_from_what_is_not_there_yet():
    assert told(made_of(raw(amount=20)))[1].startswith(f"missing large-filter 2 takes it as it is written now, yet it is not in {LARGE}: ")
    waits, passes, _ = told(made_of(raw(amount=20), behind=3))[1:]
    assert waits.startswith("waits its stream has not passed it so far (3 events behind)")
    assert passes == f"passed large-filter 2 → {LARGE}, not written so far"


def test_what_an_earlier_version_took_is_told_beside_what_the_filter_says_now():
    assert told(made_of(raw(amount=5), written(version=1)))[1:3] == [
        f"passed large-filter 1 → {PLACES[1]}, 0.012 s later",
        "stayed large-filter 2: false: amount greaterThan 10; it is 5",
    ]


def test_what_is_no_event_is_told_once_with_its_dead_letter():
    letters = (Aside(PLACES[2], "routing", "kind is missing", AT, None), Aside(PLACES[2], "routing", "kind is missing", AT, "replayed"))
    _, fault, *found = told(made_of(raw(kind=None), letters=letters))
    assert fault == "no event no filter can judge it: kind is missing"
    common = f"letter {PLACES[2]} of routing, 2026-01-01 12:00:00.000: kind is missing"
    assert found == [f"{common}; it waits", f"{common}; replayed"]


def run(monkeypatch: pytest.MonkeyPatch, search: Search, *options: str) -> int:
    monkeypatch.setattr(orchestration.tracing, "trace", lambda catalogue, uuid, count: [search])
    return headrace(monkeypatch, "events", "trace", UUID, "-e", ENVIRONMENT, "-p", CARS, *options)


def test_an_event_that_is_found_ends_with_0(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    search = Search("routing", RAW, 10, None, (made_of(raw(amount=20), written(Reader("desk", 0, AT, 1))),))
    assert run(monkeypatch, search) == 0
    assert f"passed    large-filter 2 → {PLACES[1]}, 0.012 s later" in capsys.readouterr().out
    assert run(monkeypatch, search, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    [found] = document["streams"][0]["found"]
    assert document["uuid"] == UUID and [one["became"] for one in found["filters"]] == ["passed", "stayed"]
    assert found["written"][0]["readers"] == [{"consumer": "desk", "behind": 0, "received_at": "2026-01-01 12:00:00+00:00", "times": 1}]


def test_one_that_is_not_found_ends_with_1_and_says_how_far_was_looked(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    assert run(monkeypatch, Search("routing", RAW, 98_304, AT, ())) == 1
    said = capsys.readouterr().err
    assert f"no event with uuid {UUID} is in {RAW}: 98,304 were looked at, the newest ones, since 2026-01-01 12:00:00.000 UTC; look" in said
    assert "--last" in said and "table business_events of source events, and whether connector/cars-events is behind" in said
    assert run(monkeypatch, Search("routing", RAW, 10, None, ()), "--json") == 1
    told = capsys.readouterr()
    assert "all that Kafka still holds" in told.err and "--last" not in told.err and json.loads(told.out)["streams"][0]["found"] == []


def test_a_call_without_an_event_to_follow_ends_with_2(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    assert headrace(monkeypatch, "events", "trace", " ", "-e", ENVIRONMENT, "-p", CARS) == 2
    assert "an empty uuid is that of no event" in capsys.readouterr().err
    assert headrace(monkeypatch, "events", "trace", UUID, "-e", ENVIRONMENT, "-p", str(ROOT / "examples" / "bookstore")) == 2
    assert "has no stream of kind filters" in capsys.readouterr().err
