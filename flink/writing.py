"""Records written to Kafka beside the jobs, as their sink would have written them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from project.environment import Kafka
from project.filters.models import LARGEST_STAMP
from project.models import LARGEST_RECORD
from project.resources import Refused, Unreachable

_DELIVERED = 30  # seconds until Kafka has a record, or is given up


@dataclass(frozen=True)
class Outgoing:
    """A record that Kafka has not placed yet."""

    topic: str
    key: bytes | None
    value: bytes
    headers: Mapping[str, str]


def producer_of(kafka: Kafka) -> Producer:
    """One that repeats and reorders nothing, and gives a key the partition that Java's producer gives it."""
    return Producer({
        **kafka.client(), "partitioner": "murmur2_random", "enable.idempotence": True, "acks": "all",
        "compression.type": "lz4", "message.max.bytes": LARGEST_RECORD + LARGEST_STAMP, "message.timeout.ms": _DELIVERED * 1000,
    })  # fmt: skip


def write(producer: Producer, records: Iterable[Outgoing]) -> None:
    """Write records in their order; returns once Kafka has them all. Raises Unreachable or Refused if it may lack one."""
    failures = list[tuple[str, KafkaError]]()

    def told(error: KafkaError | None, message: Message) -> None:
        if error:
            failures.append((str(message.topic()), error))

    for one in records:
        headers: dict[str, str | bytes | None] = {name: text.encode() for name, text in one.headers.items()}
        try:
            producer.produce(one.topic, one.value, one.key, headers=headers, on_delivery=told)
        except KafkaException as error:
            failures.append((one.topic, error.args[0]))
            break  # what comes behind it would overtake it
    left = producer.flush(2 * _DELIVERED)
    for topic, error in failures:
        if error.code() in (KafkaError._MSG_TIMED_OUT, KafkaError._TRANSPORT):
            raise Unreachable(f"Kafka did not take a record of topic {topic}: {error.str()}; start it, then try again")
        raise Refused(f"Kafka did not take a record of topic {topic}: {error.str()}; apply topic/{topic}, then try again")
    if left:
        raise Unreachable(f"Kafka has not taken {left} records within {2 * _DELIVERED} s; look at its log, then try again")
