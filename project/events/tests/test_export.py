"""Schemas as others read them; a real validator is asked in orchestration/tests/test_event_schemas.py. UPDATE_GOLDEN=1 writes them anew."""

import os
from pathlib import Path
from typing import Any

import pytest

from project.events.export import NotInAvro, as_text, avro_schema, json_schema
from project.events.models import EventSchema
from project.events.tests.test_fitting import LOAN
from project.loader import load_project

GOLDEN = Path(__file__).with_name("golden")
CARS = load_project(Path(__file__).parents[3] / "examples" / "cars").events
FILES = {
    "loan-created.schema.json": json_schema(CARS["LoanCreated"]),
    "loan-created-filtered.schema.json": json_schema(CARS["LoanCreated"], filtered=True),
    "loan-created.avsc": avro_schema(CARS["LoanCreated"], "cars.events"),
    "loan-created-filtered.avsc": avro_schema(CARS["LoanCreated"], "cars.events", filtered=True),
    "two-entities.schema.json": json_schema(LOAN),
    "two-entities.avsc": avro_schema(LOAN, "my-shop.events"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_schema_reads_as_it_did(name: str):
    path, text = GOLDEN / name, as_text(FILES[name]) + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text()


def records(said: Any) -> list[dict[str, Any]]:
    if isinstance(said, list):
        return [record for one in said for record in records(one)]
    if not isinstance(said, dict):
        return []
    inside = [record for field in said.get("fields", ()) for record in records(field["type"])]
    return [said, *inside] if said["type"] == "record" else records(said.get("items"))


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith("avsc")])
def test_no_record_of_avro_has_the_name_of_another(name: str):
    names = [f"{record['namespace']}.{record['name']}" for record in records(FILES[name])]
    assert len(names) > 4
    assert len(set(names)) == len(names)


def test_what_avro_cannot_name_is_told():
    schema = EventSchema.model_validate({"name": "order.placed", "source": "events", "entities": {"Order": {"line.no": "number"}}})
    with pytest.raises(NotInAvro, match=r'"line\.no" is no name in Avro; expected letters, digits and underscores'):
        avro_schema(schema, "shop.events")
    assert json_schema(schema)["title"] == "order.placed"
