"""What a consumer has not read of a topic that its filter does not write to any more is told, in its check and in the plan."""

from collections.abc import Iterable
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition

from cdc import consumers
from cdc.consumers import ConsumerBackend
from cdc.lag import Lag, Partition
from cdc.lag_trend import Observation
from orchestration.reconcile import Action, plan
from project.environment import Environment, Kafka
from project.loader import load_project
from project.resources import Refused, Resource, State

READ, OLD, OTHERS = "cars.events.filtered-loan-events", "cars.events.old", "cars.events.filtered-car-events"
LOANS = Resource("consumers", "consumer", "loan-consumer", {"topics": [READ]}, beginning="it begins")
READS_ALL = {(READ, 0): Lag(0, Observation(1000.0, 5, 5), 0.0)}


def backend(environment: Environment, monkeypatch: pytest.MonkeyPatch, lags: dict[Partition, Lag]) -> ConsumerBackend:
    """A consumer with a member, whose group stands so in the topics that there are, and once stood in one that is gone."""
    made = ConsumerBackend(load_project(Path(__file__).parents[2] / "examples" / "cars"), environment)
    places = [TopicPartition(topic, number, 1) for topic, number in (*lags, ("cars.events.gone", 0))]

    def stands(asked: list[ConsumerGroupTopicPartitions], **_: Any) -> dict[str, Future[Any]]:
        done = Future[Any]()
        done.set_result(ConsumerGroupTopicPartitions(asked[0].group_id, places))
        return {asked[0].group_id: done}

    def read_lag(kafka: Kafka, group: str, topics: Iterable[str], begun: object) -> dict[Partition, Lag]:
        return {place: lag for place, lag in lags.items() if place[0] in topics}

    made._kafka.client = SimpleNamespace(list_consumer_group_offsets=stands, poll=lambda _: 0)  # type: ignore[assignment]
    monkeypatch.setattr(ConsumerBackend, "_members", lambda *_: 1)
    monkeypatch.setattr(consumers, "read_lag", read_lag)
    return made


@pytest.fixture
def left(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> ConsumerBackend:
    """Of one partition of the old topic some events are unread, of the other retention has removed some of those."""
    old = {(OLD, 0): Lag(0, Observation(1000.0, 7, 10), 0.0), (OLD, 1): Lag(4, Observation(1000.0, 2, 6), 0.0)}
    return backend(environment, monkeypatch, READS_ALL | old)


def test_events_left_in_a_topic_that_is_not_read_any_more_are_a_failure(left: ConsumerBackend):
    health = left.health(LOANS)
    assert health.state is State.FAILED
    assert "loan-consumer: 5 events are left in topic cars.events.old, which the consumer does not read any more; have" in health.text
    assert "gone" not in health.text


@pytest.mark.parametrize("lag", [Lag(0, Observation(1000.0, 10, 10), 0.0), Lag(0, Observation(1000.0, 99, 3), 0.0)])
def test_what_was_read_to_its_end_is_not_told(lag: Lag, environment: Environment, monkeypatch: pytest.MonkeyPatch):
    assert backend(environment, monkeypatch, READS_ALL | {(OLD, 0): lag}).health(LOANS).state is State.PASSED


def test_a_topic_that_goes_on_for_others_is_not_told(environment: Environment, monkeypatch: pytest.MonkeyPatch):
    lags = READS_ALL | {(OTHERS, 0): Lag(0, Observation(1000.0, 7, 10), 0.0)}
    assert backend(environment, monkeypatch, lags).health(LOANS).state is State.PASSED


def test_the_plan_tells_it_where_the_consumer_goes_over(left: ConsumerBackend):
    new = Resource("consumers", "consumer", "loan-consumer", {"topics": ["cars.events.new"]}, beginning="it begins")
    change = plan(left, new)
    assert change.action is Action.UPDATE and change.note and "5 events are left in topic cars.events.old" in change.note


def test_a_group_that_stands_nowhere_is_new(environment: Environment, monkeypatch: pytest.MonkeyPatch):
    assert plan(backend(environment, monkeypatch, {}), LOANS).action is Action.CREATE


def test_a_consumer_that_runs_elsewhere_is_not_moved(environment: Environment, monkeypatch: pytest.MonkeyPatch):
    lost = {(READ, 0): Lag(3, Observation(1000.0, 1, 5), 0.0)}
    with pytest.raises(Refused, match=r"loan-consumer: it runs, with 1 members, and is moved only while it rests; .* elsewhere stop it"):
        backend(environment, monkeypatch, lost).write(LOANS, None)
