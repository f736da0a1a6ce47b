"""Requests to Kafka's brokers, and what their answers mean to a reader."""

from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future
from functools import cached_property
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from project.environment import Kafka
from project.resources import Refused

TIMEOUT = 15.0  # seconds for one request
_AWAY = (KafkaError._TRANSPORT, KafkaError._TIMED_OUT, KafkaError._ALL_BROKERS_DOWN)


class Administration:
    """Makes no connection before the first request."""

    def __init__(self, kafka: Kafka) -> None:
        self._kafka, self._said = kafka, deque[KafkaError](maxlen=20)

    @cached_property
    def client(self) -> AdminClient:
        """Answers in the background. Lives until Kafka is away."""
        told: dict[str, Any] = {"socket.timeout.ms": 10_000, "error_cb": self._said.append}
        return AdminClient(self._kafka.client() | told)

    def result(self, futures: Mapping[Any, Future[Any]], harmless: int | None = None) -> Any:
        """What the one request answered; None if it failed in the harmless way. Raises Refused, Unreachable."""
        [(subject, future)] = futures.items()
        client = self.client  # which another thread may give up before it has answered this one
        try:
            answer = future.result(TIMEOUT * 2)
        except KafkaException as error:
            code = error.args[0].code()
            if code == harmless:
                return None
            if code in _AWAY:
                raise self.unreachable(error) from error
            raise Refused(f"Kafka refused {getattr(subject, 'name', subject)}: {error.args[0].str()}") from error
        client.poll(0)  # what it says of its connections does not pile up
        self._said.clear()
        return answer

    def unreachable(self, error: KafkaException) -> Refused:
        self.client.poll(0)
        # After a minute without a connection librdkafka may never again find the coordinator of a group; a new client does.
        self.__dict__.pop("client", None)
        return self._kafka.away(error.args[0], self._said)
