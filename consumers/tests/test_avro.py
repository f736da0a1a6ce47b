"""Events in Avro and back, by the real library; the registry itself is asked in e2e/test_avro.py."""

import json
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from fastavro import parse_schema
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers import encoding
from consumers.avro import AvroDecoder, framed
from consumers.encoding import AvroWriter
from consumers.events import Poison, Received, Retriable
from consumers.registry import SchemaRegistry
from e2e.serving import serving
from project.environment import Registry, read_environment
from project.events.encoding import Misfit, as_avro, filtered_schema
from project.events.models import EventSchema
from project.events.tests.made_up import SCHEMAS, events
from project.events.tests.test_fitting import GOOD, LOAN
from project.filters.paths import read_event
from project.loader import load_project

STAMP = {"filterId": "loans", "ruleVersion": 3, "consumerId": "desk", "filteredAt": 1767225600123}
NOBODY = Registry(url="http://127.0.0.1:9")  # a port at which nobody answers


def encoded(event: Any, schema: EventSchema) -> bytes:
    stamped = read_event(json.dumps({"filterMetadata": STAMP, **event}))
    name, values = as_avro(stamped, {schema.name: schema}, "my-shop")
    assert name == schema.name
    return framed(7, parse_schema(filtered_schema(schema, "my-shop")), values)


def decoder(schema: EventSchema) -> AvroDecoder:
    """One that has asked for the schema already."""
    made = AvroDecoder(NOBODY)
    made._schemas[7] = parse_schema(filtered_schema(schema, "my-shop"))
    return made


def decoded(value: bytes, schema: EventSchema) -> Any:
    return Received("loans-avro", 0, 3, b"k", value, "1:7", 0, decoder(schema)).event


def test_an_event_is_what_it_was_with_instants_in_milliseconds():
    value = encoded(GOOD, LOAN)
    assert value[:5] == b"\0\0\0\0\7"
    expected = json.loads(json.dumps(GOOD))
    expected["eventHeader"]["savedDate"] = 1767222000500
    assert decoded(value, LOAN) == {"filterMetadata": STAMP, **expected}


@pytest.mark.parametrize("amount", ["0.1", "12345", "99998.999999999999999999", "1E+3"])
def test_a_number_keeps_every_digit(amount: str):
    event = json.dumps(GOOD).replace('"amount": 0.1', f'"amount": {amount}')
    _, values = as_avro(read_event(f'{{"filterMetadata": {json.dumps(STAMP)}, {event[1:]}'), {"LoanCreated": LOAN}, "my-shop")
    text = decoder(LOAN)(framed(7, parse_schema(filtered_schema(LOAN, "my-shop")), values))
    assert f'"amount":{"1000" if "E" in amount else amount},' in text


@given(st.data())
@settings(deadline=None, derandomize=True, max_examples=150)
def test_whatever_fits_its_schema_comes_back(data: st.DataObject):
    schema = data.draw(SCHEMAS)
    event = data.draw(events(schema))
    again = decoded(encoded(event, schema), schema)
    assert again.pop("filterMetadata") == STAMP
    assert again == json.loads(json.dumps(event).replace('"2026-01-31T09:30:00Z"', "1769851800000")), "with instants in milliseconds"


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (('"amount": 0.1', '"amount": "0.1"'), 'updatedAttributes.amount is "0.1"; expected a number'),
        (('"amount": 0.1', '"amount": null'), "updatedAttributes.amount is missing"),
        (('"LoanCreated"', '"LoanCancelled"'), 'eventHeader.eventName is "LoanCancelled"; expected LoanCreated'),
        (('"entityType": "Car"', '"entityType": "Bike"'), 'entityType is "Bike"; expected one of Loan, Car'),
        (('"eventName": "LoanCreated"', '"eventName": null'), "eventName is missing"),
        (('"filterMetadata"', '"metadata"'), "filterMetadata is missing"),
    ],
)
def test_what_does_not_fit_says_why(edit: tuple[str, str], said: str):
    event = read_event(json.dumps({"filterMetadata": STAMP, **GOOD}).replace(*edit))
    with pytest.raises(Misfit) as raised:
        as_avro(event, {"LoanCreated": LOAN}, "my-shop")
    assert said in str(raised.value)


@pytest.mark.parametrize("value", [b"\0", b"\0\0\0\0\7", b"\0\0\0\0\7\xff\xff", encoded(GOOD, LOAN)[:-3], encoded(GOOD, LOAN) + b"x"])
def test_what_is_torn_is_poison(value: bytes):
    with pytest.raises(Poison, match="Avro"):
        decoded(value, LOAN)


@given(st.binary(max_size=200))
@settings(deadline=None, max_examples=300)
def test_no_bytes_break_a_consumer(content: bytes):
    try:
        decoded(b"\0\0\0\0\7" + content, LOAN)
    except Poison:
        return


def test_json_is_read_without_a_registry():
    assert Received("loans", 0, 3, b"k", b'{"a": 1}', "1:7", 0, AvroDecoder(NOBODY)).event == {"a": 1}


def test_a_registry_that_is_down_is_waited_for():
    with pytest.raises(Retriable, match=r"the schema registry at http://127\.0\.0\.1:9 does not answer \(ConnectionError\); start it"):
        _ = Received("loans", 0, 3, b"k", encoded(GOOD, LOAN), "1:7", 0, AvroDecoder(NOBODY)).event


def test_a_registry_that_goes_away_amid_its_answer_is_waited_for():
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "100")
        request.end_headers()
        request.wfile.write(b'{"schema":')

    with serving(answer) as url, pytest.raises(Retriable, match=r"does not answer \(ChunkedEncodingError\)"):
        AvroDecoder(Registry(url=url))(encoded(GOOD, LOAN))


class Nothing:
    """Keeps no dead letter."""

    def set_aside(self, event: Received, reason: str) -> None:
        raise AssertionError(reason)


@pytest.fixture
def writer() -> AvroWriter:
    """That of the cars, before anything answers."""
    root = Path(__file__).resolve().parents[2]
    environment = read_environment(root / "orchestration" / "tests" / "environment.yaml").model_copy(update={"registry": NOBODY})
    return AvroWriter(load_project(root / "examples" / "cars"), environment, "events", Nothing())


def car(stamp: Any) -> Received:
    header = {"eventName": "CarCreated", "createdDate": 0, "savedDate": 0}
    event = {"filterMetadata": stamp, "eventHeader": header, "eventBody": {"entities": []}}
    return Received("cars.events.cars", 0, 3, b"k", json.dumps(event).encode(), "1:7", 0)


def test_events_wait_for_the_registry(writer: AvroWriter):
    with pytest.raises(Retriable, match="does not answer"):
        writer.handle([car(STAMP)])


class Numbers:
    """A registry that knows every schema by one number, or not."""

    def __init__(self) -> None:
        self.asked, self.number = 0, 7

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        request.rfile.read(int(request.headers["Content-Length"]))
        self.asked += 1
        request.send_response(200 if self.number else 404)
        request.end_headers()
        request.wfile.write(b'{"id": %d}' % self.number if self.number else b'{"error_code": 40403}')


def test_a_registry_that_was_set_back_gives_its_numbers_anew(writer: AvroWriter, monkeypatch: pytest.MonkeyPatch):
    registry, written = Numbers(), Mock(**{"flush.return_value": 0})
    writer._producer = written

    def number() -> int:
        writer.handle([car(STAMP)])
        return int.from_bytes(written.produce.call_args.args[1][1:5])

    with serving(registry.answer) as url:
        writer._registry = SchemaRegistry(Registry(url=url))
        assert number() == 7
        registry.number = 3
        assert (number(), registry.asked) == (7, 1), "it is not asked for each event"
        monkeypatch.setattr(encoding, "_HOLDS", 0.0)
        assert (number(), registry.asked) == (3, 2)
        registry.number = 0
        with pytest.raises(Retriable, match="the registry does not have this version of CarCreated"):
            number()
    assert number() == 3, "a registry that does not answer has nobody wait who knows the number"


def test_what_is_too_large_in_avro_is_poison_before_any_of_its_company_is_written(writer: AvroWriter, monkeypatch: pytest.MonkeyPatch):
    avro = filtered_schema(load_project(Path(__file__).resolve().parents[2] / "examples" / "cars").events["CarCreated"], "cars")
    writer._known["CarCreated"] = 7, parse_schema(avro)
    monkeypatch.setattr(encoding, "LARGEST_RECORD", 20)
    with pytest.raises(Poison, match=r"in Avro it has .* bytes, and a record holds 20"):
        writer.handle([car(STAMP)])


@pytest.mark.parametrize("stamp", [None, {}, STAMP | {"ruleVersion": "x"}, STAMP | {"ruleVersion": 10**30}, STAMP | {"filterId": "\ud800"}])
def test_what_no_filter_has_stamped_so_is_poison(writer: AvroWriter, stamp: Any):
    avro = filtered_schema(load_project(Path(__file__).resolve().parents[2] / "examples" / "cars").events["CarCreated"], "cars")
    writer._known["CarCreated"] = 7, parse_schema(avro)
    with pytest.raises(Poison, match=r"not as its schema says|Avro does not take it"):
        writer.handle([car(stamp)])
