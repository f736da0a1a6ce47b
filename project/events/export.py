"""A schema as others read it: JSON Schema, and Avro. Pure."""

import json
import re
from collections.abc import Mapping
from typing import Any

from project.events.attributes import Attribute
from project.events.models import EventSchema
from project.filters.values import FIRST, FRACTION_DIGITS, INSTANT, INTEGER_DIGITS, LAST, MILLISECONDS
from project.problems import quoted

_AVRO_NAME = re.compile("[A-Za-z_][A-Za-z0-9_]*")
_METADATA = "filterMetadata"
_AVRO_TIME = {"type": "long", "logicalType": "timestamp-millis"}
_AVRO_SIMPLE = {
    "string": "string", "boolean": "boolean", "timestamp": _AVRO_TIME,
    "number": {"type": "bytes", "logicalType": "decimal", "precision": INTEGER_DIGITS + FRACTION_DIGITS, "scale": FRACTION_DIGITS},
}  # fmt: skip
# As close as a pattern comes: it takes the 30th of February for a day.
_JSON_TIME = {
    "anyOf": [
        {"type": "string", "pattern": f"^({INSTANT}|{MILLISECONDS})$"},
        {"type": "integer", "minimum": FIRST, "exclusiveMaximum": LAST},
    ]
}
# What a filter puts in front of what it passes.
_STAMP_JSON = {
    "filterId": {"type": "string"}, "ruleVersion": {"type": "integer"}, "consumerId": {"type": "string"}, "filteredAt": {"type": "integer"},
}  # fmt: skip
_STAMP_AVRO = {"filterId": "string", "ruleVersion": "int", "consumerId": "string", "filteredAt": _AVRO_TIME}


class NotInAvro(ValueError):
    """A schema that Avro has no names for; the text says what to do."""


def json_schema(schema: EventSchema, filtered: bool = False) -> dict[str, Any]:
    """The event as it stands in the raw topic, or in a consumer's."""
    whole = _json(schema.event, schema)
    if filtered:
        stamp = {"type": "object", "properties": _STAMP_JSON, "required": [*_STAMP_JSON]}
        whole["properties"] = {_METADATA: stamp, **whole["properties"]}
        whole["required"] = [_METADATA, *whole["required"]]
    said = {"description": schema.description} if schema.description else {}
    return {"$schema": "http://json-schema.org/draft-07/schema#", "title": schema.event_name, **said, **whole}


def avro_schema(schema: EventSchema, namespace: str, filtered: bool = False) -> dict[str, Any]:
    """The same as an Avro record. Numbers are exact as those of filters, instants in milliseconds. Raises NotInAvro."""
    space, _, name = avro_name(schema, namespace, filtered).rpartition(".")
    whole = _record(name, space, schema.event.fields or {}, schema)
    if filtered:
        stamp = {"type": "record", "name": _METADATA, "namespace": f"{space}.{whole['name']}", "fields": _plain(_STAMP_AVRO)}
        whole["fields"] = [*_plain({_METADATA: stamp}), *whole["fields"]]
    return {**whole, "doc": schema.description} if schema.description else whole


def avro_name(schema: EventSchema, namespace: str, filtered: bool = False) -> str:
    """The record's name, with its namespace."""
    name, space = re.sub("[^A-Za-z0-9_]", "_", schema.event_name), re.sub("[^A-Za-z0-9_.]", "_", namespace)
    return f"{space}.{'Filtered' if filtered else ''}{name}"


def as_text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)


def _json(attribute: Attribute, schema: EventSchema) -> dict[str, Any]:
    match attribute.type:
        case "timestamp":
            said: dict[str, Any] = dict(_JSON_TIME)
        case "object":
            said = _json_object(attribute.fields or {}, schema)
        case "list":
            said = {"type": "array", "items": _or_null(attribute.items, schema) if attribute.items else _json_entities(schema)}
        case _:
            keys = ("enum", "minimum", "maximum", "minLength", "maxLength")
            said = {"type": attribute.type, **attribute.model_dump(mode="json", include=set(keys), exclude_none=True)}
    return {"description": attribute.description, **said} if attribute.description else said


def _or_null(attribute: Attribute, schema: EventSchema) -> dict[str, Any]:
    said = _json(attribute, schema)
    return said if attribute.required else {"anyOf": [said, {"type": "null"}]}


def _json_object(fields: Mapping[str, Attribute], schema: EventSchema) -> dict[str, Any]:
    properties = {name: _or_null(inside, schema) for name, inside in fields.items()}
    return {"type": "object", "properties": properties, "required": [name for name, inside in fields.items() if inside.required]}


def _json_entities(schema: EventSchema) -> dict[str, Any]:
    kinds = []
    for kind, entity in schema.elements.items():
        said = _json(entity, schema)
        kinds.append({**said, "properties": {**said["properties"], "entityType": {"const": kind}}})
    return kinds[0] if len(kinds) == 1 else {"anyOf": kinds}


def _avro(attribute: Attribute, name: str, space: str, schema: EventSchema) -> Any:
    if attribute.type == "object":
        return _record(name, space, attribute.fields or {}, schema)
    if attribute.type != "list":
        return _AVRO_SIMPLE[attribute.type]
    if attribute.items:
        inside = _avro(attribute.items, name, space, schema)
        return {"type": "array", "items": inside if attribute.items.required else ["null", inside]}
    entities = [_record(_named(kind), f"{space}.{name}", entity.fields or {}, schema) for kind, entity in schema.elements.items()]
    return {"type": "array", "items": entities[0] if len(entities) == 1 else entities}


def _record(name: str, space: str, fields: Mapping[str, Attribute], schema: EventSchema) -> dict[str, Any]:
    """A record of its own namespace, as each name stands once in a schema."""
    inside = [_field(key, attribute, f"{space}.{name}", schema) for key, attribute in fields.items()]
    return {"type": "record", "name": name, "namespace": space, "fields": inside}


def _field(name: str, attribute: Attribute, space: str, schema: EventSchema) -> dict[str, Any]:
    said = _avro(attribute, _named(name), space, schema)
    doc = {"doc": attribute.description} if attribute.description else {}
    return {"name": name, "type": said, **doc} if attribute.required else {"name": name, "type": ["null", said], "default": None, **doc}


def _plain(types: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"name": name, "type": said} for name, said in types.items()]


def _named(key: str) -> str:
    if not _AVRO_NAME.fullmatch(key):
        raise NotInAvro(f"{quoted(key)} is no name in Avro; expected letters, digits and underscores, no digit first; export JSON Schema")
    return key
