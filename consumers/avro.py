"""Records in Avro as registries frame them: a zero byte, the schema's id in four bytes, the values."""

import io
import struct
from typing import Any

from fastavro import parse_schema, schemaless_reader, schemaless_writer

from consumers.events import Poison, Retriable, json_text
from consumers.registry import SchemaRegistry
from project.environment import Registry
from project.events.encoding import as_json
from project.resources import Refused

_FRAME = struct.Struct(">bI")
_MAGIC = 0  # no JSON text begins with it


class AvroDecoder:
    """Turns records into the texts of their events, whether they are Avro or JSON. Asks the registry once for each schema."""

    def __init__(self, place: Registry) -> None:
        self._registry, self._schemas = SchemaRegistry(place), dict[int, Any]()

    def __call__(self, value: bytes) -> str:
        if value[:1] != bytes([_MAGIC]):
            return json_text(value)
        if len(value) < _FRAME.size:
            raise Poison("it is neither JSON nor Avro: there is no schema's id in front")
        _, number = _FRAME.unpack_from(value)
        content = io.BytesIO(value[_FRAME.size :])
        try:
            found = schemaless_reader(content, self._schema(number), None)
        except (ValueError, LookupError, EOFError, OverflowError, TypeError) as error:
            raise Poison(f"it is not Avro of schema {number}: {error or type(error).__name__}") from error
        if content.read(1):
            raise Poison(f"it is not Avro of schema {number}: something stands behind the event")
        return as_json(found)

    def _schema(self, number: int) -> Any:
        if number not in self._schemas:
            try:
                found = self._registry.by_id(number)
            except Refused as error:
                raise Retriable(str(error)) from error
            if found is None:
                raise Poison(f"the registry knows no schema {number}")
            self._schemas[number] = parse_schema(found)
        return self._schemas[number]


def framed(number: int, schema: Any, values: Any) -> bytes:
    """A record of a parsed schema. Raises ValueError, TypeError, OverflowError if the values are not of it."""
    content = io.BytesIO(_FRAME.pack(_MAGIC, number))
    content.seek(0, io.SEEK_END)
    schemaless_writer(content, schema, values)
    return content.getvalue()
