"""Programs send events over HTTP: each stands in the outbox once, as it was sent, or nothing does and the answer says why."""

import asyncio
import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from secrets import token_urlsafe
from typing import Any
from uuid import uuid4

import psutil
import psycopg
import pytest
import requests
from psycopg.sql import SQL
from starlette.requests import Request
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from e2e.waiting import until
from examples.cars.sample.events import KINDS, loan_created
from infra import databases, endpoints
from infra.credentials import write_private
from infra.platform import Platform
from infra.tests.throwaway import ROOT, free_port, start_cluster, throwaway_cluster
from ingestion import api
from ingestion.admission import Rejected
from project.models import LARGEST_EVENT

CARS = ROOT / "examples" / "cars"


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with throwaway_cluster(tmp_path_factory.mktemp("platform"), "source") as platform:
        with databases.connect(platform, "source") as server:
            server.execute("create database cardealerdb owner headrace_admin")
        with databases.connect(platform, "source", "cardealerdb") as database:
            database.execute("set role headrace_admin")
            database.execute((CARS / "sample" / "tables.sql").read_bytes())
        yield platform
        stop(platform)


@pytest.fixture
def database(platform: Platform) -> Iterator[psycopg.Connection]:
    with databases.connect(platform, "source", "cardealerdb") as connection:
        yield connection


@dataclass(frozen=True)
class Address:
    """A program that takes events."""

    url: str
    program: "subprocess.Popen[bytes]"

    def post(self, event: Any, **headers: str) -> tuple[int, list[str]]:
        answer = self.answer(event, **headers)
        return answer.status_code, answer.json()["problems"]

    def answer(self, event: Any, **headers: str) -> requests.Response:
        content = event if isinstance(event, bytes) else json.dumps(event).encode()
        headers = {"content-type": "application/json", **headers}
        return requests.post(f"{self.url}/api/v1/events", content, headers=headers, timeout=30)


@contextmanager
def ingesting(platform: Platform, folder: Path, validation: str) -> Iterator[Address]:
    """The cars' own, but for how it validates; by the command that a user would run."""
    shutil.copytree(CARS, folder, ignore=shutil.ignore_patterns("sample"))
    spec = folder / "sources" / "events.yaml"
    spec.write_text(spec.read_text().replace("validation: strict", f"validation: {validation}"))
    endpoints.write_environment(platform)
    port = free_port()
    command = [sys.executable, "-m", "orchestration", "ingest", "-p", folder, "-e", platform.environment_file, "--port", str(port)]
    with subprocess.Popen(command, cwd=ROOT) as program:
        try:
            yield Address(f"http://127.0.0.1:{port}", program)
        finally:
            program.terminate()
            program.wait(30)


def until_answers(address: Address, status: int) -> None:
    @retry(retry=retry_if_exception_type((requests.ConnectionError, AssertionError)), stop=stop_after_delay(30), wait=wait_fixed(0.1))
    def ask() -> None:
        assert requests.get(f"{address.url}/health", timeout=30).status_code == status

    ask()


@pytest.fixture(scope="module")
def strict(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    with ingesting(platform, tmp_path_factory.mktemp("strict") / "cars", "strict") as address:
        until_answers(address, 200)
        yield address


@pytest.fixture(scope="module")
def open_(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    with ingesting(platform, tmp_path_factory.mktemp("open") / "cars", "fail_open") as address:
        until_answers(address, 200)
        yield address


def loan(**attributes: Any) -> dict[str, Any]:
    event = loan_created(Random(), datetime.now(UTC)).body
    event["eventBody"]["entities"][0]["updatedAttributes"]["loan"] |= attributes
    return event


def kept(database: psycopg.Connection, event: dict[str, Any]) -> list[tuple[Any, ...]]:
    return database.execute("select entity_id, event from business_events where id = %s", [event["eventHeader"]["uuid"]]).fetchall()


def test_every_kind_of_event_stands_in_the_outbox_as_it_was_sent_with_its_entity(strict: Address, database: psycopg.Connection):
    for kind in KINDS:
        event = kind(Random(), datetime.now(UTC))
        assert strict.post(event.body) == (200, [])
        assert kept(database, event.body) == [(event.entity_id, event.body)]
        [(entity,)] = database.execute(f"select entity_data from {event.table} where entity_id = %s".encode(), [event.entity_id])
        assert entity == event.body["eventBody"]["entities"][0]["updatedAttributes"]


def test_a_repeated_event_is_answered_alike_and_is_there_once_also_at_the_same_time(strict: Address, database: psycopg.Connection):
    event = loan()
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda _: strict.post(event), range(16))) == [(200, [])] * 16
    assert len(kept(database, event)) == 1
    other = {**event, "eventBody": loan()["eventBody"]}
    status, [problem] = strict.post(other)
    assert (status, kept(database, event)[0][1]) == (409, event)
    assert problem.endswith("is there, and says something else; expected a uuid of its own for each event")


def test_events_leave_the_outbox_once_they_are_older_than_it_keeps_them(platform: Platform, database: psycopg.Connection, tmp_path: Path):
    old = "insert into business_events select gen_random_uuid(), 'old', '{}', now() - interval '25 hours' from generate_series(1,6000)"
    database.execute(old)
    database.execute("insert into business_events select gen_random_uuid(), 'young', '{}', now() - interval '23 hours'")
    held = "select entity_id, count(*) from business_events where entity_id in ('old', 'young') group by 1"
    with ingesting(platform, tmp_path / "cars", "strict"):
        until(lambda: database.execute(held).fetchall() == [("young", 1)], 30, "what is older than a day is gone, and nothing else")


def test_attributes_that_an_event_does_not_name_stay_and_deleted_entities_go(strict: Address, database: psycopg.Connection):
    event = loan()
    entity = event["eventBody"]["entities"][0]
    strict.post(event)
    note = {"entityType": "Loan", "entityId": entity["entityId"], "updatedAttributes": {**entity["updatedAttributes"], "note": "late"}}
    for attributes in ({"note": "late"}, {"loan": loan(status="paid_off")["eventBody"]["entities"][0]["updatedAttributes"]["loan"]}):
        note["updatedAttributes"] = entity["updatedAttributes"] | attributes
        assert strict.post(loan() | {"eventBody": {"entities": [note]}}) == (200, [])
    query = "select entity_data ->> 'note', entity_data #>> '{loan,status}' from loan_entities where entity_id = %s"
    assert database.execute(query, [entity["entityId"]]).fetchall() == [("late", "paid_off")]
    gone = loan() | {"eventBody": event["eventBody"]}
    gone["sourceMetadata"] = {**gone["sourceMetadata"], "operation": "DELETE"}
    assert strict.post(gone) == (200, [])
    assert database.execute(query, [entity["entityId"]]).fetchall() == []


def test_a_strict_ingestion_refuses_with_a_reason_for_each_problem_and_keeps_nothing(strict: Address, database: psycopg.Connection):
    event = loan(status="activ", interestRate=4.5)
    del event["eventBody"]["entities"][0]["entityId"]
    assert strict.post(event) == (422, [
        "eventBody.entities[0].entityId is missing; expected a text",
        "eventBody.entities[0].updatedAttributes.loan.interestRate is 4.5; expected a number of 0 to 1",
        'eventBody.entities[0].updatedAttributes.loan.status is "activ"; expected one of active, paid_off, defaulted, cancelled',
    ])  # fmt: skip
    unknown = loan()
    unknown["eventHeader"]["eventName"] = "LoanCreate"
    assert strict.post(unknown) == (422, ['eventHeader.eventName is "LoanCreate"; expected LoanCreated'])
    stamped = {**loan(), "filterMetadata": {}}
    assert strict.post(stamped) == (422, ["filters would set it aside: it has been through a filter"])
    assert [kept(database, one) for one in (event, unknown, stamped)] == [[], [], []]


def test_an_open_ingestion_lets_in_what_is_wrong_and_says_so_each_time(open_: Address, database: psycopg.Connection):
    event = {"eventHeader": {"uuid": str(uuid4()), "eventName": "LoanCreate"}, "eventBody": {}}
    for _ in range(2):
        assert open_.post(event) == (200, ['eventHeader.eventName is "LoanCreate"; expected LoanCreated'])
    assert kept(database, event) == [(event["eventHeader"]["uuid"], event)]
    assert open_.post({"eventHeader": {"eventName": "LoanCreated"}}) == (
        422, ["eventHeader.uuid is no UUID; expected one, by which a repeated event is known"],
    )  # fmt: skip


@pytest.mark.parametrize(("content", "reason"), [
    (b"", "Expecting value"), (b"{", "Expecting"), (b"[]", "no object"), (b'{"a": NaN}', "NaN is no number of JSON"),
    (b'{"a": 1, "a": 2}', "a key stands twice"), (b'{"a": "\xff"}', "utf-8"), (b'{"a": "\0"}', "control character"),
    (b'{"a":' * 5000 + b"1" + b"}" * 5000, "values too deep"), (b'{"a": 1' + b"0" * 1001 + b"}", "a number of more than 1000"),
    (b'{"a": ["\\u0000"]}', "a NUL or half of a surrogate pair"), (b'{"\\udc00": 1}', "a NUL or half of a surrogate pair"),
])  # fmt: skip
def test_what_is_no_event_is_refused_in_either_way(open_: Address, content: bytes, reason: str):
    status, [problem] = open_.post(content)
    assert status == 400 and reason in problem and "; expected " in problem


def test_a_wrong_address_method_or_kind_of_content_is_told(strict: Address):
    for headers in ({"content-type": "text/plain"}, {"content-type": "application/json; charset=latin-1"}, {"content-encoding": "gzip"}):
        assert strict.post(loan(), **headers)[0] == 415
    answer = requests.get(f"{strict.url}/api/v1/events", timeout=30)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert requests.post(f"{strict.url}/api/v1/event", timeout=30).json() == {"problems": ["Not Found; expected POST /api/v1/events"]}


def test_what_the_outbox_cannot_pass_on_is_too_large(open_: Address, database: psycopg.Connection):
    event = loan(note="x" * LARGEST_EVENT)
    assert open_.post(event) == (413, [f"a body of {len(json.dumps(event))} bytes; expected at most {LARGEST_EVENT}"])
    grown = json.dumps(loan()).encode().replace(b'"loanAmount": ', b'"more": [' + b",".join([b"1e100000"] * 60) + b'], "loanAmount": ')
    status, [problem] = open_.post(grown)
    assert status == 413 and "as the outbox holds it" in problem
    beyond = json.dumps(loan()).encode().replace(b'"loanAmount": ', b'"more": 1e999999, "loanAmount": ')
    assert open_.post(beyond) == (422, ["the database does not take it (SQLSTATE 22003); expected what its columns hold"])
    assert kept(database, json.loads(grown)) == kept(database, json.loads(beyond)) == []


def test_while_the_database_is_away_it_says_when_to_ask_again_and_goes_on_when_it_is_back(platform: Platform, strict: Address):
    event = loan()
    assert strict.post(event) == (200, [])
    with stopped(platform):
        answer = strict.answer(event)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert answer.json() == {"problems": ["the database does not answer; send it again"]}
        assert requests.get(f"{strict.url}/health", timeout=30).json() == {"database": False}
    until_answers(strict, 200)
    assert strict.post(event) == (200, [])
    with databases.connect(platform, "source", "cardealerdb") as database:
        assert len(kept(database, event)) == 1


def test_a_password_that_is_another_one_by_now_is_read_when_a_connection_is_made(
    platform: Platform, strict: Address, database: psycopg.Connection
):
    event, password = loan(), token_urlsafe(24)
    assert strict.post(event) == (200, [])
    database.execute(SQL("alter role headrace_admin password {}").format(password))
    write_private(platform.secrets / "source_admin", password)
    database.execute("select pg_terminate_backend(pid, 10000) from pg_stat_activity where application_name = 'headrace ingestion'")
    until_answers(strict, 200)
    assert strict.post(event) == (200, [])


_DENIES = """
create function deny() returns trigger language plpgsql as 'begin raise insufficient_privilege; end';
create trigger deny before insert on business_events execute function deny()
"""  # a superuser, as who writes here is one, lacks no right


@pytest.mark.parametrize(("lacking", "again"), [
    ("alter table business_events rename to events", "alter table events rename to business_events"),
    ("alter table business_events rename event to body", "alter table business_events rename body to event"),
    (_DENIES, "drop function deny cascade"),
])  # fmt: skip
def test_what_the_database_lacks_is_told_and_needs_no_other_start(strict: Address, database: psycopg.Connection, lacking: str, again: str):
    event, said = loan(), "the database lacks a table, a column or a right for it; the ingestion's log says which"
    database.execute(lacking.encode())
    try:
        assert strict.post(event) == (500, [said])
    finally:
        database.execute(again.encode())
    assert strict.post(event) == (200, [])


def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch):
    async def nothing() -> Any:
        await asyncio.Event().wait()

    monkeypatch.setattr(api, "_PATIENCE", 0)
    with pytest.raises(Rejected, match="the body did not come within 0 s; expected all of it") as raised:
        asyncio.run(api._content(Request({"type": "http", "headers": [(b"content-type", b"application/json")]}, nothing)))
    assert raised.value.status == 408


@contextmanager
def stopped(platform: Platform) -> Iterator[None]:
    """Started again at the end."""
    stop(platform)
    try:
        yield
    finally:
        start_cluster(platform, "source")


def stop(platform: Platform) -> None:
    """The database, at once."""
    server = psutil.Process(int((platform.postgres_data / "source" / "postmaster.pid").read_text().split()[0]))
    server.send_signal(signal.SIGQUIT)
    psutil.wait_procs([server], 30)


def test_a_stop_finishes_what_is_under_way(platform: Platform, tmp_path: Path, database: psycopg.Connection):
    event = loan()
    with ingesting(platform, tmp_path / "cars", "strict") as address, ThreadPoolExecutor(1) as pool:
        until_answers(address, 200)
        with databases.connect(platform, "source", "cardealerdb") as other, database.transaction():
            database.execute("lock table business_events in share mode")
            answer = pool.submit(address.post, event)
            waiting = "select from pg_locks where not granted and relation = 'business_events'::regclass"
            until(lambda: other.execute(waiting).fetchone() is not None, 20, "the event waits for the table")
            address.program.terminate()
            until(lambda: _refuses(address), 20, "it takes no more")
        assert answer.result(30) == (200, [])
        assert address.program.wait(30) == 0
    assert len(kept(database, event)) == 1


def _refuses(address: Address) -> bool:
    try:
        requests.get(f"{address.url}/health", timeout=5)
    except requests.ConnectionError:
        return True
    return False


def test_a_project_that_takes_no_events_is_told(platform: Platform):
    endpoints.write_environment(platform)
    command = [sys.executable, "-m", "orchestration", "ingest", "-p", ROOT / "examples" / "bookstore", "-e", platform.environment_file]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    said = "no source of bookstore takes events over HTTP; say `ingestion: strict` of an outbox in sources/"
    assert (done.returncode, done.stderr.strip()) == (1, said)
