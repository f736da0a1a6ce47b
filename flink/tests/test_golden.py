"""What the bookstore's streams compile to, as SQL that people review. UPDATE_GOLDEN=1 writes the files anew."""

import os
from pathlib import Path

import pytest

from flink.compile import compile_resources
from project.environment import EndpointError, Environment, Kafka
from project.loader import load_project
from project.models import Project

GOLDEN = Path(__file__).with_name("golden")


@pytest.mark.parametrize("stream", ["ecom", "inventory"])
def test_the_bookstore_compiles_to_its_golden_text(stream: str, bookstore: Project, environment: Environment):
    [job] = [resource for resource in compile_resources(bookstore, environment) if resource.name == stream]
    if os.environ.get("UPDATE_GOLDEN"):
        (GOLDEN / f"{stream}.sql").write_text(job.text)
    assert job.text == (GOLDEN / f"{stream}.sql").read_text()


def test_a_job_waits_for_its_topics_its_tables_and_its_connector(bookstore: Project, environment: Environment):
    [job] = [resource for resource in compile_resources(bookstore, environment) if resource.name == "inventory"]
    assert set(job.depends_on) == {
        "connector/inventory-connector",
        "topic/inventory-connector.public.inventory",
        "topic/inventory-connector.public.headrace_pulse",
        "table/fact_inventory",
        "table/pulse",
    }


def test_a_changed_column_changes_the_digest_of_its_job_alone(bookstore: Project, environment: Environment):
    inventory = bookstore.sources["inventory"]
    table = inventory.tables["inventory"]
    columns = {name: column for name, column in table.columns.items() if name != "reserved"}
    smaller = inventory.model_copy(update={"tables": {"inventory": table.model_copy(update={"columns": columns})}})
    changed = bookstore.model_copy(update={"sources": {**bookstore.sources, "inventory": smaller}})
    before, after = compile_resources(bookstore, environment), compile_resources(changed, environment)
    assert {old.name: old.digest == new.digest for old, new in zip(before, after, strict=True)} == {"ecom": True, "inventory": False}


def test_no_password_is_in_the_sql(bookstore: Project, environment: Environment, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PASSWORD", "s3cr3t-pass")
    for job in compile_resources(bookstore, environment):
        assert "s3cr3t-pass" not in job.text
        assert "password" not in job.text


def test_flink_is_told_how_kafka_is_reached_but_no_password(environment: Environment, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PASSWORD", "s3cr3t-pass")
    kafka = Kafka.model_validate({**environment.kafka.model_dump(), "tls": True, "login": environment.analytics.admin.model_dump()})
    flink = environment.flink.model_copy(update={"kafka_authority": "/etc/flink/ca.pem"})
    cars = load_project(Path(__file__).parents[2] / "examples" / "cars")
    [job] = compile_resources(cars, environment.model_copy(update={"kafka": kafka, "flink": flink}))
    tables = [statement for statement in job.text.split(";\n") if "'connector' = 'kafka'" in statement]
    wanted = {
        "security.protocol": "SASL_SSL", "sasl.mechanism": "SCRAM-SHA-512",
        "ssl.truststore.type": "PEM", "ssl.truststore.location": "/etc/flink/ca.pem",
    }  # fmt: skip
    assert len(tables) == 3 and all(f"'properties.{key}' = '{value}'" in table for table in tables for key, value in wanted.items())
    assert "s3cr3t-pass" not in job.text and "jaas" not in job.text


def test_an_analytics_database_without_a_name_is_told(bookstore: Project, environment: Environment):
    nameless = environment.model_copy(update={"analytics": environment.analytics.model_copy(update={"database": None})})
    with pytest.raises(EndpointError, match=r"analytics\.database is missing"):
        compile_resources(bookstore, nameless)
