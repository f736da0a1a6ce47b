"""Dead letters as they are kept, and what becomes of the rows of a mirror when they are replayed."""

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from analytics_sql.tests.applied import Analytics
from flink.backends import Letter
from infra import endpoints
from infra.tests.throwaway import ROOT, throwaway_cluster
from orchestration import dead_letters
from orchestration.accounts import Account, accounts
from orchestration.catalogue import Catalogue, build_catalogue
from orchestration.certificates import Difference
from orchestration.dead_letters import letters, place_of, replay
from project.environment import Environment
from project.loader import load_project
from project.resources import Refused

ORDERS, PULSES = "ecom-connector.public.orders", "ecom-connector.public.headrace_pulse"
TRUNCATED = Letter(ORDERS, 0, 10, 1767225600123, None, b'{"op": "t"}', "the table was truncated")


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalogue]:
    """The bookstore with its analytics tables, and nothing else that runs."""
    with throwaway_cluster(tmp_path_factory.mktemp("platform"), "analytics") as platform:
        project, environment = load_project(ROOT / "examples" / "bookstore"), Environment.model_validate(endpoints.environment(platform))
        Analytics(environment, project).apply("schema/" + project.schema_, "table/dead_letters")
        yield build_catalogue(project, environment)


@pytest.fixture
def bookstore(opened: Catalogue) -> Catalogue:
    """The same, without any letter."""
    dead_letters._execute(opened, "delete from {}", [])
    return opened


def keep(catalogue: Catalogue, *found: Letter) -> None:
    dead_letters.keep(catalogue, "ecom", found)


def test_a_record_where_another_stood_before_waits_beside_it(bookstore: Catalogue):
    keep(bookstore, replace(TRUNCATED, offset=9), TRUNCATED)
    anew = replace(TRUNCATED, value=b"torn", key=b'{"id": 7}', reason="it is not JSON", written_at=1767225700123)
    for _ in range(2):
        keep(bookstore, anew, replace(TRUNCATED, offset=9))
    found = letters(bookstore)
    assert [(one["id"].partition("@")[0], one["record_value"]) for one in found if "@" not in one["id"]] == [
        (f"{ORDERS}:0:10", TRUNCATED.value), (f"{ORDERS}:0:9", TRUNCATED.value)
    ]  # fmt: skip
    [other] = [one for one in found if "@" in one["id"]]
    assert (place_of(other), other["record_value"], other["reason"]) == ((ORDERS, 0, 10), b"torn", "it is not JSON")


def test_the_account_takes_no_record_for_one_that_stood_there_before(bookstore: Catalogue, monkeypatch: pytest.MonkeyPatch):
    keep(bookstore, TRUNCATED, replace(TRUNCATED, offset=9))
    anew = replace(TRUNCATED, value=b"torn", written_at=1767225700123)
    passed = [replace(TRUNCATED, offset=9), anew]
    monkeypatch.setattr(bookstore.backends["flink"], "passed", lambda job: passed if job.name == "ecom" else [])
    account = Account(ORDERS, records=2, set_aside=1, lost=[f"{ORDERS}:0:10"])
    assert list(accounts(bookstore)) == [account]
    keep(bookstore, anew)
    assert list(accounts(bookstore)) == [replace(account, set_aside=2, lost=[])]


class Mirror:
    """An analytics table with rows that its source lacks, of which one comparison tells so many."""

    def __init__(self, ghosts: int, told: int) -> None:
        self.ghosts, self.told = ghosts, told

    def verify(self, catalogue: Catalogue, table: str) -> Any:
        found = tuple(Difference((str(number),), None, {}) for number in range(min(self.ghosts, self.told)))
        return SimpleNamespace(differences=found, complete=len(found) < self.told)

    def mend(self, catalogue: Catalogue, table: str, differences: tuple[Difference, ...]) -> None:
        self.ghosts -= len(differences)


def test_a_truncation_is_settled_when_no_row_differs_any_more(bookstore: Catalogue, monkeypatch: pytest.MonkeyPatch):
    mirror = Mirror(ghosts=25, told=10)
    monkeypatch.setattr(dead_letters, "verify", mirror.verify)
    monkeypatch.setattr(dead_letters, "mend", mirror.mend)
    keep(bookstore, TRUNCATED)
    [(said, settled)] = replay(bookstore, letters(bookstore))
    assert said == f"{ORDERS}:0:10: every row of fact_orders is as in the source; 25 had to be read again"
    assert settled and mirror.ghosts == 0 and letters(bookstore) == []


def test_a_truncation_waits_if_rows_do_not_arrive(bookstore: Catalogue, monkeypatch: pytest.MonkeyPatch):
    def mend(*_: Any) -> None:
        raise Refused("they do not arrive")

    monkeypatch.setattr(dead_letters, "verify", Mirror(ghosts=25, told=10).verify)
    monkeypatch.setattr(dead_letters, "mend", mend)
    keep(bookstore, TRUNCATED)
    with pytest.raises(Refused, match="do not arrive"):
        list(replay(bookstore, letters(bookstore)))
    assert len(letters(bookstore)) == 1


def test_a_pulse_and_a_table_that_left_the_spec_stop_no_other(bookstore: Catalogue, monkeypatch: pytest.MonkeyPatch):
    mirror = Mirror(ghosts=0, told=10)
    monkeypatch.setattr(dead_letters, "verify", mirror.verify)
    keep(bookstore, replace(TRUNCATED, offset=1), replace(TRUNCATED, topic=PULSES, offset=2, value=b"torn"), replace(TRUNCATED, offset=3))
    dead_letters._execute(bookstore, "update {} set target = 'gone' where id = %s", [f"{ORDERS}:0:1"])
    assert sorted(replay(bookstore, letters(bookstore))) == [
        (f"{PULSES}:0:2: it was a pulse, and every later one says more: nothing has to be read again", True),
        (f"{ORDERS}:0:1: still waits: no stream writes gone any more; discard it", False),
        (f"{ORDERS}:0:3: every row of fact_orders is as in the source; 0 had to be read again", True),
    ]
    assert [letter["target"] for letter in letters(bookstore)] == ["gone"]


@pytest.mark.parametrize("key", [None, b"", b"[", b"[]", b"{}", b'{"id": null}', b"\xff", b"7"])
def test_a_key_that_names_no_row_is_none(bookstore: Catalogue, key: bytes | None):
    assert dead_letters._key(bookstore, {"target": "fact_orders", "record_key": key}) is None
    assert dead_letters._key(bookstore, {"target": "fact_orders", "record_key": b'{"id": 7}'}) == ("7",)


def test_a_key_that_debezium_writes_otherwise_than_postgresql_is_not_looked_for_by_its_text(environment: Environment):
    flights = build_catalogue(load_project(ROOT / "examples" / "flights"), environment)
    key = b'{"origin": "JFK", "observed_at": "2013-01-01T06:00:00Z"}'
    assert dead_letters._key(flights, {"target": "fact_weather", "record_key": key}) is None
