"""A connector that has read what its server, set back to an earlier state, does not have goes on only once its rows are read again."""

from typing import Any

import pytest

from cdc.compile import compile_resources
from cdc.debezium import ConnectBackend
from cdc.slots import Slot
from project.environment import Environment
from project.models import Project
from project.resources import Refused, Resource, State, Unreachable


class Worker:
    """What Kafka Connect holds of one connector."""

    def __init__(self, config: dict[str, str], lsn: int) -> None:
        self.config: dict[str, str] | None = config
        self.offset: dict[str, Any] | None = {"lsn": lsn}
        self.state = "RUNNING"

    def call(self, method: str, path: str, body: Any = None, timeout: int | None = None) -> Any:
        match method, path.rsplit("/", 1)[-1]:
            case "GET", "config":
                return self.config and {"name": "ecom-connector", **self.config}
            case "GET", "status":
                return self.config and {"connector": {"state": self.state}, "tasks": [{"state": "RUNNING"}] * (self.state == "RUNNING")}
            case "GET", "connectors?expand=info":
                return {}
            case "GET", "offsets":
                return {"offsets": [{"offset": self.offset}]}
            case "PUT", "config":
                self.config = body
            case "PUT", action:
                self.state = {"stop": "STOPPED", "resume": "RUNNING"}[action]
            case "DELETE", "offsets":
                self.offset = None
            case "DELETE", _:
                self.config = None
            case _:
                raise AssertionError(f"{method} {path}")
        return None


def slot(written: int) -> Slot:
    return Slot(
        "headrace_bookstore_ecom", active=False, wal_status="reserved", lag=0, retained=0, written=written, safe=None, invalidation=None,
        read_for=None,
    )  # fmt: skip


@pytest.fixture
def connector(bookstore: Project, environment: Environment) -> Resource:
    return next(one for one in compile_resources(bookstore, environment) if one.kind == "connector")


def test_it_is_stopped_and_stays_red_when_its_server_has_written_as_much_again(
    bookstore: Project, environment: Environment, connector: Resource, monkeypatch: pytest.MonkeyPatch
):
    backend, worker = ConnectBackend(bookstore, environment), Worker(dict(connector.document["config"]), lsn=9500)
    monkeypatch.setattr("cdc.connect.Connect._call", lambda _, *request, **named: worker.call(*request, **named))
    monkeypatch.setattr("cdc.debezium.last_record_time", lambda *_: None)
    monkeypatch.setattr(backend, "_slot", lambda _: slot(written=9000))
    dropped = list[str]()
    monkeypatch.setattr(backend, "_drop_slot", lambda config: dropped.append(config["slot.name"]))
    said = "was set back: connector ecom-connector has read 500 bytes of WAL that are not there; changes are missing: run `headrace reread`"

    assert backend.stands_ahead(connector)
    assert said in (backend.hold(connector) or "")
    assert worker.state == "STOPPED" and not backend.stands_ahead(connector)

    monkeypatch.setattr(backend, "_slot", lambda _: slot(written=20_000))
    worker.state = "RUNNING"
    assert backend.stands_ahead(connector), "marked, and not stopped, as where the stop failed"
    assert said in (backend.hold(connector) or "")
    assert worker.state == "STOPPED" and not backend.stands_ahead(connector)
    with pytest.raises(Refused, match="run `headrace reread`"):
        backend.read_tables_again(connector, ["public.orders"])
    with pytest.raises(Refused, match="run `headrace reread`"):
        backend.read_rows_again(connector, "public.orders", "id = 1")
    health = backend.health(connector)
    assert health.state is State.FAILED and said in health.text
    observed = backend.read(connector)
    assert observed and observed["undeclared"], "an apply sees a difference"
    assert said in (backend.judge(connector, observed, ()).refusal or ""), "and does not have it go on"

    backend.read_again(connector)
    assert (worker.state, worker.offset, dropped) == ("RUNNING", None, ["headrace_bookstore_ecom"])
    assert backend.health(connector).state is not State.FAILED


def test_one_that_its_server_can_follow_is_left_alone(
    bookstore: Project, environment: Environment, connector: Resource, monkeypatch: pytest.MonkeyPatch
):
    backend, worker = ConnectBackend(bookstore, environment), Worker(dict(connector.document["config"]), lsn=9000)
    monkeypatch.setattr("cdc.connect.Connect._call", lambda _, *request, **named: worker.call(*request, **named))
    monkeypatch.setattr(backend, "_slot", lambda _: slot(written=9000))
    assert not backend.stands_ahead(connector)
    assert backend.hold(connector) is None
    assert worker.state == "RUNNING"


def test_of_a_connector_whose_position_nobody_can_read_nothing_else_is_asked(
    bookstore: Project, environment: Environment, connector: Resource, monkeypatch: pytest.MonkeyPatch
):
    """Without Kafka each answer of Connect is waited for in vain, and the sensors of all that is well wait as long."""
    backend, asked = ConnectBackend(bookstore, environment), list[str]()

    def call(_: object, __: str, path: str, timeout: int | None = None) -> None:
        asked.append(path)
        raise Unreachable("Kafka Connect does not answer")

    monkeypatch.setattr("cdc.connect.Connect._call", call)
    with pytest.raises(Unreachable):
        backend.stands_ahead(connector)
    assert asked == [f"/connectors/{connector.name}/offsets"]
