"""A consumer that writes what it receives as Avro, each event to the topic of the same name in Avro, by the schema of its kind."""

import time
from collections.abc import Sequence
from typing import Any, Protocol

from confluent_kafka import KafkaException, Producer
from fastavro import parse_schema

from consumers.avro import framed
from consumers.ending import Refusals
from consumers.events import ORIGIN, SNAPSHOT, Poison, Received, Retriable
from consumers.registry import SchemaRegistry
from project.environment import Environment
from project.events.encoding import Misfit, as_avro, filtered_schema, subject
from project.events.models import EventSchema
from project.filters.models import LARGEST_STAMP
from project.filters.paths import read_event
from project.models import LARGEST_RECORD, Project
from project.resources import Refused, Unreachable

_TAKES = 30.0  # seconds for Kafka to take what is written
_HOLDS = 60.0  # seconds for which an id is taken for the schema's: a registry whose database was set back gives it to another


class Keeps(Protocol):
    def set_aside(self, event: Received, reason: str) -> None: ...


class AvroWriter:
    """Each record keeps its key, its partition and its origin, so the order of a key stays. `keeps` gets what is not as declared."""

    def __init__(self, project: Project, environment: Environment, source: str, keeps: Keeps) -> None:
        self._project, self._schemas = project, project.event_schemas(source)
        self._registry = SchemaRegistry(environment.schema_registry)
        self._known, self._asked = dict[str, tuple[int, Any]](), dict[str, float]()
        self._refusals = Refusals()
        self._producer = Producer({
            **environment.kafka.client(), "enable.idempotence": True, "compression.type": "lz4",
            "linger.ms": 1, "message.max.bytes": LARGEST_RECORD + LARGEST_STAMP, "error_cb": self._refusals,
        })  # fmt: skip
        self.set_aside = keeps.set_aside

    def handle(self, events: Sequence[Received]) -> None:
        written, failed = [(one, self._encoded(one)) for one in events], list[str]()
        try:
            for one, value in written:
                snapshot = {SNAPSHOT: "true"} if one.from_snapshot else {}
                self._producer.produce(
                    self._project.avro_topic(one.topic), value, one.key, one.partition, headers={ORIGIN: one.origin, **snapshot},
                    on_delivery=lambda error, _: failed.append(error.str()) if error else None,
                )  # fmt: skip
            left = self._producer.flush(_TAKES)
        except (KafkaException, BufferError) as error:
            raise Retriable(f"Kafka: {error}") from error
        if left or failed:
            self._producer.purge()
            raise Retriable(f"Kafka: {failed[0] if failed else f'{left} events were not taken within {_TAKES:.0f} s'}")
        self._refusals.let_in()

    def _encoded(self, one: Received) -> bytes:
        try:
            name, values = as_avro(read_event(one.value), self._schemas, self._project.name)
            record = framed(*self._schema(self._schemas[name]), values)
        except Misfit as misfit:
            raise Poison(f"not as its schema says: {misfit}") from misfit
        except (ValueError, TypeError, OverflowError) as error:
            raise Poison(f"Avro does not take it: {error}") from error
        if len(record) > LARGEST_RECORD:  # what Kafka takes beyond that is for key and headers
            raise Poison(f"in Avro it has {len(record):,} bytes, and a record holds {LARGEST_RECORD:,}")
        return record

    def _schema(self, schema: EventSchema) -> tuple[int, Any]:
        """Its id in the registry, and itself as fastavro wants it."""
        if time.monotonic() - self._asked.get(schema.name, float("-inf")) > _HOLDS:
            try:
                self._known[schema.name] = self._registered(schema)
            except Refused as error:
                if schema.name not in self._known or not isinstance(error, Unreachable):
                    raise Retriable(str(error)) from error
            self._asked[schema.name] = time.monotonic()
        return self._known[schema.name]

    def _registered(self, schema: EventSchema) -> tuple[int, Any]:
        avro, name = filtered_schema(schema, self._project.name), subject(schema, self._project.name)
        number = self._registry.id_of(name, avro)
        if number is None:
            raise Retriable(f"the registry does not have this version of {schema.event_name}; apply subject/{name}")
        return number, parse_schema(avro)
