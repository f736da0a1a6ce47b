"""The part of a connector's configuration that makes an outbox' rows into events: text by text, in order by key.

The event leaves as the application wrote it. What Debezium knows of the row goes along in headers: `__op` ("r" when it was read
by a snapshot), `__source_lsn` and `__source_ts_ms`. Pulses take the same way, so they are texts as well (flink/sql.py reads them).
"""

import re

from project.models import LARGEST_EVENT, Outbox, Source
from project.topics import pulse_topic

_TRANSFORMS = "org.apache.kafka.connect.transforms"


def routed(source: Source, outbox: Outbox) -> dict[str, str]:
    """What is other than in a connector of tables."""
    rows = f"{source.connector}.{outbox.schema_}.{outbox.table}"
    return {
        "key.converter": "org.apache.kafka.connect.storage.StringConverter",
        "value.converter": "org.apache.kafka.connect.storage.StringConverter",
        # The application may remove what it has written as soon as it likes: an event is what was inserted.
        "skipped.operations": "u,d,t",
        # Kafka would not take it, and the connector would stop before it for ever. What is left of it is no event (flink/events.py).
        f"column.truncate.to.{LARGEST_EVENT}.chars": f"{outbox.schema_}[.]{outbox.table}[.]{outbox.event}",
        "predicates": "event,pulse",
        **_predicate("event", rows),
        **_predicate("pulse", pulse_topic(source.connector)),
        "transforms": "row,entity,key,event,source,at,topic",
        "transforms.row.type": "io.debezium.transforms.ExtractNewRecordState",
        "transforms.row.delete.tombstone.handling.mode": "drop",
        "transforms.row.add.headers": "op,source.lsn,source.ts_ms",
        # Not by message.key.columns: reading rows again, Debezium would take rows with one such key for the same row.
        "transforms.entity.type": f"{_TRANSFORMS}.ValueToKey",
        "transforms.entity.fields": outbox.key,
        "transforms.entity.predicate": "event",
        **_extract("key", "Key", outbox.key, "event"),
        **_extract("event", "Value", outbox.event, "event"),
        **_extract("source", "Key", "source", "pulse"),
        **_extract("at", "Value", "at", "pulse"),
        "transforms.topic.type": f"{_TRANSFORMS}.RegexRouter",
        "transforms.topic.regex": re.escape(rows),
        "transforms.topic.replacement": source.topic(outbox.table),
    }


def _predicate(name: str, topic: str) -> dict[str, str]:
    return {f"predicates.{name}.type": f"{_TRANSFORMS}.predicates.TopicNameMatches", f"predicates.{name}.pattern": re.escape(topic)}


def _extract(name: str, part: str, field: str, predicate: str) -> dict[str, str]:
    return {
        f"transforms.{name}.type": f"{_TRANSFORMS}.ExtractField${part}",
        f"transforms.{name}.field": field,
        f"transforms.{name}.predicate": predicate,
    }
