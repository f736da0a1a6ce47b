"""A stream starts at the beginning of its topics and never jumps over removed records."""

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaException, TopicPartition

from flink import offsets
from flink.offsets import gap
from project.environment import Environment

NEVER = -1001
RAW, PULSES = "cars-events.raw-business-events", "cars-events.public.headrace_pulse"


class Stalling:
    """A Kafka with two topics that a group has not read yet, which takes one commit and no more."""

    def __init__(self) -> None:
        self.stands: dict[tuple[str, int], int] = {}

    def list_topics(self, topic: str, timeout: float) -> Any:
        return SimpleNamespace(topics={topic: SimpleNamespace(error=None, partitions={0: None, 1: None})})

    def get_watermark_offsets(self, place: TopicPartition, timeout: float) -> tuple[int, int]:
        return 0, 90

    def committed(self, places: list[TopicPartition], timeout: float) -> list[TopicPartition]:
        return [TopicPartition(one.topic, one.partition, self.stands.get((one.topic, one.partition), NEVER)) for one in places]

    def commit(self, offsets: list[TopicPartition], asynchronous: bool) -> None:
        if self.stands:
            raise KafkaException("it stalls")
        self.stands = {(one.topic, one.partition): one.offset for one in offsets}


@pytest.mark.parametrize(
    ("committed", "first", "end", "first_start", "refused"),
    [
        (NEVER, 0, 90, True, None),  # a new stream
        (NEVER, 0, 0, False, None),  # a partition that was added
        (40, 0, 90, False, None),
        (40, 40, 40, False, None),
        (NEVER, 10, 90, True, "this stream has read none of them"),
        (40, 41, 90, False, "retention has removed all before 41"),
        (40, 0, 30, False, "it was created anew"),
    ],
)
def test_a_start_that_would_miss_records_is_refused(committed: int, first: int, end: int, first_start: bool, refused: str | None):
    problem = gap(committed, first, end, first_start)
    assert problem is None if refused is None else problem is not None and refused in problem


def test_a_first_start_that_kafka_cuts_off_is_not_taken_for_a_topic_that_was_created_anew(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
):
    kafka = Stalling()
    monkeypatch.setattr(offsets, "consumer_of", lambda *_: nullcontext(kafka))
    offsets.prepare(environment.kafka, "cars.routing", [RAW, PULSES])
    offsets.refuse_anew(environment.kafka, "cars.routing", [RAW, PULSES])
    assert kafka.stands == dict.fromkeys([(RAW, 0), (RAW, 1), (PULSES, 0), (PULSES, 1)], 0)
    offsets.prepare(environment.kafka, "cars.routing", [RAW, PULSES])  # nothing is left to commit
