"""A source has one slot: a connector of a new name waits until the old one has left it."""

from typing import Any

import pytest

from cdc.compile import compile_resources
from cdc.debezium import ConnectBackend
from cdc.kafka import KafkaBackend
from infra.tests.throwaway import ROOT
from project.environment import Environment
from project.loader import load_project
from project.models import Project
from project.resources import Difference, Refused, Resource


def beside(monkeypatch: pytest.MonkeyPatch, project: Project, environment: Environment, **more: str) -> tuple[ConnectBackend, Resource]:
    """The connector of ecom, not there yet, where Kafka Connect has one called old, configured like it but for `more`."""
    connector = next(one for one in compile_resources(project, environment) if one.kind == "connector" and one.name == "ecom-connector")
    old = {**connector.document["config"], "name": "old", **more}
    all_of_them = {"old": {"info": {"config": old}}, "being-deleted": {"info": None}}

    def call(_: object, method: str, path: str, *__: Any, **___: Any) -> Any:
        assert method == "GET", "nothing is written"
        return all_of_them if path == "/connectors?expand=info" else None

    monkeypatch.setattr("cdc.connect.Connect._call", call)
    return ConnectBackend(project, environment), connector


def test_it_is_refused_by_plan_and_apply(bookstore: Project, environment: Environment, monkeypatch: pytest.MonkeyPatch):
    backend, connector = beside(monkeypatch, bookstore, environment)
    observed = backend.read(connector)
    assert observed is not None
    said = "slot headrace_bookstore_ecom of its source is read by connector old, which is in no spec any more; run `headrace prune`"
    assert said in (backend.judge(connector, observed, ()).refusal or "")
    with pytest.raises(Refused, match="connector old"):
        backend.write(connector, None)


def test_where_another_source_took_the_old_name_that_one_is_told(
    bookstore: Project, environment: Environment, monkeypatch: pytest.MonkeyPatch
):
    inventory = bookstore.sources["inventory"].model_copy(update={"connector": "old"})
    swapped = bookstore.model_copy(update={"sources": bookstore.sources | {"inventory": inventory}})
    backend, connector = beside(monkeypatch, swapped, environment)
    with pytest.raises(Refused, match="read by connector old, which is that of source inventory now; give inventory a `connector` name"):
        backend.refuse_beside_another(connector)


@pytest.mark.parametrize(
    "more", [{"headrace.project": "another"}, {"slot.name": "headrace_bookstore_inventory"}, {"database.hostname": "elsewhere"}], ids=str
)
def test_another_that_reads_by_another_slot_is_no_matter_of_it(
    more: dict[str, str], bookstore: Project, environment: Environment, monkeypatch: pytest.MonkeyPatch
):
    backend, connector = beside(monkeypatch, bookstore, environment, **more)
    assert backend.read(connector) is None
    backend.refuse_beside_another(connector)


@pytest.mark.parametrize(("example", "new"), [("bookstore", True), ("cars", False)])
def test_a_new_connector_is_told_as_a_way_out_where_it_is_one(example: str, new: bool, environment: Environment):
    project = load_project(ROOT / "examples" / example)
    resources = list(compile_resources(project, environment))
    source = next(iter(project.sources.values()))
    topic = next(one for one in resources if one.id == f"topic/{source.topics(source.tables)[0]}")
    connector = next(one for one in resources if one.id == f"connector/{source.connector}")
    moved = Difference("config.database.dbname", "here", "there")
    refusals = (
        KafkaBackend(project, environment).judge(topic, {**topic.document, "partitions": 7}, ()).refusal,
        ConnectBackend(project, environment).judge(
            connector, {"config": {**connector.document["config"], "name": connector.name}}, (moved,)
        ).refusal,
    )  # fmt: skip
    assert [("new `connector` name" in (said or ""), "back" in (said or "")) for said in refusals] == [(new, True), (new, not new)]
