"""A consumer written by hand in Python that filters events: JSON read, conditions asked, what passes written on with its stamp."""

import json
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition

from project.filters.models import Filter
from project.filters.samples import admitted, outcome
from project.filters.verdicts import Record

Passes = Callable[[bytes], list[str]]  # an event's bytes → the ids of the filters that pass it
_BATCH, _PATIENCE = 2000, 0.005  # records, seconds


def by_hand(filters: Sequence[dict[str, Any]]) -> Passes:
    """As one would write it for these filters alone: a value that is missing is an error."""
    [first, *others] = filters
    kinds = set(first["conditions"][0]["values"])
    asked = [(one["id"], *one["conditions"]) for one in others]
    few = [(id, kind["value"], amount["field"].split(".")[1:], amount["value"]) for id, kind, amount in asked]

    def passes(content: bytes) -> list[str]:
        event = json.loads(content)
        name, attributes = event["eventHeader"]["eventName"], event["eventBody"]["entities"][0]["updatedAttributes"]
        found = [first["id"]] if name in kinds else []
        for id, kind, path, least in few:
            if name == kind and _at(attributes, path) > least:
                found.append(id)
        return found

    return passes


def by_evaluator(filters: Sequence[dict[str, Any]]) -> Passes:
    """By Headrace's own evaluator, which the samples of filters are judged by."""
    models = [Filter.model_validate(one) for one in filters]

    def passes(content: bytes) -> list[str]:
        event, fault = admitted(content, ("eventName",))
        record = Record(event, datetime.now(UTC))
        return [] if fault else [one.id for one in models if outcome(one, record)[0]]

    return passes


def consume(servers: str, places: Sequence[TopicPartition], count: int, passes: Passes, topic: str) -> tuple[float, float]:
    """Events a second, and microseconds of CPU for each, over so many from these places on; what passes goes to one topic."""
    kafka = {"bootstrap.servers": servers}
    consumer = Consumer(kafka | {"group.id": topic, "enable.auto.commit": False})
    producer = Producer(kafka | {"compression.type": "lz4", "linger.ms": 1, "queue.buffering.max.messages": 10_000_000})
    consumer.assign(list(places))
    begun, cpu, read = 0.0, 0.0, 0
    while read < count:
        messages = consumer.consume(min(_BATCH, count - read), _PATIENCE)
        if not begun and messages:
            begun, cpu = time.monotonic(), time.process_time()
        for message in messages:
            content = message.value() or b""
            for name in passes(content):
                stamp = f'{{"filterMetadata":{{"filterId":"{name}","filteredAt":{int(time.time() * 1000)}}},'.encode()
                producer.produce(topic, stamp + content[1:], message.key())
        producer.poll(0)
        read += len(messages)
    producer.flush()
    consumer.close()
    return count / (time.monotonic() - begun), (time.process_time() - cpu) / count * 1e6


def _at(attributes: Any, path: Sequence[str]) -> Any:
    for name in path:
        attributes = attributes[name]
    return attributes
