"""An event as the values of its Avro schema, and what it was in JSON again. Pure."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from typing import Any

from project.events.attributes import Attribute
from project.events.export import avro_name, avro_schema
from project.events.fitting import misfits_of_any
from project.events.models import EventSchema
from project.filters.values import FRACTION_DIGITS, INTEGER_DIGITS, Kind, of_event

_EPOCH, _MILLISECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(milliseconds=1)
_EXACT = Context(prec=INTEGER_DIGITS + FRACTION_DIGITS)


class Misfit(ValueError):
    """An event that is not as its schema says; the text says in what."""


def filtered_schema(schema: EventSchema, project: str) -> dict[str, Any]:
    """The Avro schema of an event as the consumers of a project get it. Raises NotInAvro."""
    return avro_schema(schema, f"{project}.events", filtered=True)


def subject(schema: EventSchema, project: str) -> str:
    """Where a registry keeps the versions of an event as the consumers of a project get it."""
    return avro_name(schema, f"{project}.events", filtered=True)


def as_avro(event: Mapping[str, Any], schemas: Mapping[str, EventSchema], project: str) -> tuple[str, dict[str, Any]]:
    """The name and the values of a filtered event whose numbers were read as Decimal, without what nobody declared. Raises Misfit."""
    misfits, header = misfits_of_any(event, schemas), event.get("eventHeader")
    if misfits or not isinstance(header, dict):
        raise Misfit("; ".join(misfits))
    schema, stamp = schemas[header["eventName"]], event.get("filterMetadata")
    if not isinstance(stamp, dict):
        raise Misfit("filterMetadata is missing; expected what a filter puts there")
    numbers = {name: int(value) for name, value in stamp.items() if isinstance(value, Decimal)}
    values = _object(event, schema.event.fields or {}, schema, subject(schema, project))
    return schema.event_name, {"filterMetadata": {**stamp, **numbers}, **values}


def as_json(value: Any) -> str:
    """What was encoded as the text of an event: numbers exact, instants in milliseconds since 1970, nothing for what is NULL."""
    match value:
        case dict():
            parts = (f"{json.dumps(name, ensure_ascii=False)}:{as_json(inside)}" for name, inside in value.items() if inside is not None)
            return "{" + ",".join(parts) + "}"
        case list():
            return f"[{','.join(map(as_json, value))}]"
        case datetime():
            return str((value - _EPOCH) // _MILLISECOND)
        case Decimal():
            return f"{value.normalize(_EXACT):f}"
        case _:
            return json.dumps(value, ensure_ascii=False)


def _value(value: Any, attribute: Attribute, schema: EventSchema, name: str) -> Any:
    match attribute.type:
        case _ if value is None:
            return None
        case "object":
            return _object(value, attribute.fields or {}, schema, name)
        case "list" if attribute.items:
            return [_value(one, attribute.items, schema, name) for one in value]
        case "list":
            return [_entity(one, schema, name) for one in value]
        case "number":
            return of_event(value, Kind.NUMBER)
        case "timestamp":
            at = of_event(value, Kind.TIMESTAMP)
            assert isinstance(at, datetime)
            return (at - _EPOCH) // _MILLISECOND
        case _:
            return value


def _object(value: Mapping[str, Any], fields: Mapping[str, Attribute], schema: EventSchema, name: str) -> dict[str, Any]:
    return {key: _value(value.get(key), attribute, schema, f"{name}.{key}") for key, attribute in fields.items()}


def _entity(entity: Mapping[str, Any], schema: EventSchema, name: str) -> Any:
    """Where there are several types, the name of its record says which it is."""
    values = _object(entity, schema.element_like(entity).fields or {}, schema, name)
    return values if len(schema.elements) == 1 else (f"{name}.{entity['entityType']}", values)
