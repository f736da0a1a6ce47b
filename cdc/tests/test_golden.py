"""What the bookstore's sources compile to, as text that people review. UPDATE_GOLDEN=1 writes the files anew."""

import os
from pathlib import Path

import pytest

from cdc.compile import compile_resources
from project.environment import Environment
from project.loader import load_project
from project.models import Project
from project.topics import declared_topics

GOLDEN = Path(__file__).with_name("golden")
FILES = {
    "capture/ecom": "ecom.sql",
    "capture/inventory": "inventory.sql",
    "connector/ecom-connector": "ecom-connector.json",
    "connector/inventory-connector": "inventory-connector.json",
    "topic/ecom-connector.public.orders": "topic-orders.json",
    "topic/ecom-connector.public.headrace_pulse": "topic-pulse.json",
}


@pytest.mark.parametrize(("resource_id", "file"), FILES.items())
def test_the_bookstore_compiles_to_its_golden_text(resource_id: str, file: str, bookstore: Project, environment: Environment):
    [resource] = [resource for resource in compile_resources(bookstore, environment) if resource.id == resource_id]
    if os.environ.get("UPDATE_GOLDEN"):
        (GOLDEN / file).write_text(resource.text)
    assert resource.text == (GOLDEN / file).read_text()


def test_the_events_of_an_outbox_leave_as_texts(environment: Environment):
    cars = load_project(Path(__file__).parents[2] / "examples" / "cars")
    [resource] = [resource for resource in compile_resources(cars, environment) if resource.kind == "connector"]
    if os.environ.get("UPDATE_GOLDEN"):
        (GOLDEN / "events-connector.json").write_text(resource.text)
    assert resource.text == (GOLDEN / "events-connector.json").read_text()


def test_every_captured_table_and_each_of_our_own_topics_is_there_before_the_connector(bookstore: Project, environment: Environment):
    resources = compile_resources(bookstore, environment)
    topics = {resource.name for resource in resources if resource.kind == "topic"}
    assert topics == {
        *(f"ecom-connector.public.{table}" for table in ("orders", "order_items", "books")), "inventory-connector.public.inventory",
        *(f"{connector}-connector.public.headrace_{table}" for connector in ("ecom", "inventory") for table in ("pulse", "signal")),
        *(f"__debezium-heartbeat.{connector}-connector" for connector in ("ecom", "inventory")),
    }  # fmt: skip
    [connector] = [resource for resource in resources if resource.id == "connector/ecom-connector"]
    assert {f"topic/{topic}" for topic in topics if "ecom" in topic} | {"capture/ecom"} == set(connector.depends_on)


@pytest.mark.parametrize("example", ["bookstore", "cars"])
def test_the_names_of_all_topics_are_known_without_compiling_them(example: str, environment: Environment):
    """By them a project is refused whose topics have names that are one in Dagster."""
    project = load_project(Path(__file__).parents[2] / "examples" / example)
    compiled = {one.name for one in compile_resources(project, environment) if one.kind == "topic"}
    assert {name for name, _ in declared_topics(project)} == {name for name in compiled if not name.startswith("__debezium-heartbeat.")}


def test_all_that_a_stream_reads_is_kept_through_the_longest_outage(bookstore: Project, environment: Environment):
    long = environment.model_copy(update={"longest_outage_hours": 100})
    kept = {one.name: one.document["config"]["retention.ms"] for one in compile_resources(bookstore, long) if one.kind == "topic"}
    assert kept["ecom-connector.public.headrace_pulse"] == kept["ecom-connector.public.orders"] == str(200 * 3600 * 1000)


def test_no_password_is_in_any_document(bookstore: Project, environment: Environment, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PASSWORD", "s3cr3t-pass")
    for resource in compile_resources(bookstore, environment):
        assert "s3cr3t-pass" not in f"{resource.document}{resource.text}"
