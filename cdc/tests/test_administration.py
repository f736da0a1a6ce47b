"""What Kafka answers in part, or late, is not taken for its whole answer."""

from collections.abc import Iterator
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import Producer, TopicCollection

from cdc.administration import Administration
from cdc.consumers import ConsumerBackend
from cdc.kafka import KafkaBackend
from project.environment import Environment
from project.models import Project
from project.resources import Unreachable


@pytest.fixture
def played(environment: Environment) -> Iterator[Environment]:
    """A broker that librdkafka plays, and that lists no groups: it lives as long as its producer."""
    broker = Producer({"test.mock.num.brokers": 1, "log_level": 0})
    [found] = broker.list_topics(timeout=10).brokers.values()
    kafka = environment.kafka.model_copy(update={"bootstrap_servers": f"{found.host}:{found.port}"})
    yield environment.model_copy(update={"kafka": kafka})


def test_groups_that_a_broker_does_not_tell_are_not_taken_for_none(bookstore: Project, played: Environment):
    with pytest.raises(Unreachable, match=r"Kafka does not list all its groups: .*; start the missing brokers, then try again"):
        ConsumerBackend(bookstore, played).owned()


def test_who_deletes_a_topic_waits_for_as_long_as_kafka_may_take(bookstore: Project, environment: Environment):
    given = dict[str, Any]()

    def delete_topics(names: list[str], **seconds: float) -> dict[str, Future[None]]:
        given.update(seconds)
        done = Future[None]()
        done.set_result(None)
        return dict.fromkeys(names, done)

    backend = KafkaBackend(bookstore, environment)
    backend._kafka.client = SimpleNamespace(delete_topics=delete_topics, poll=lambda _: 0)  # type: ignore[assignment]
    backend.delete("topic/shop.public.orders")
    assert given["request_timeout"] >= given["operation_timeout"]


def test_who_was_not_answered_asks_again_as_a_stranger(environment: Environment):
    """A client of librdkafka that was without Kafka for a minute does not find the coordinator of a group any more."""
    nobody = environment.kafka.model_copy(update={"bootstrap_servers": "127.0.0.1:9"})
    administration = Administration(nobody)
    before = administration.client
    with pytest.raises(Unreachable, match=r"Kafka at 127\.0\.0\.1:9 does not answer"):
        administration.result(before.describe_topics(TopicCollection(["orders"]), request_timeout=0.1))
    assert administration.client is not before
