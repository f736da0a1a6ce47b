"""Requests to Kafka's brokers, and what their answers mean to a reader."""

from collections.abc import Mapping
from concurrent.futures import Future
from functools import cached_property
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from project.resources import Refused, Unreachable

TIMEOUT = 15.0  # seconds for one request
_AWAY = (KafkaError._TRANSPORT, KafkaError._TIMED_OUT, KafkaError._ALL_BROKERS_DOWN)


class Administration:
    """Makes no connection before the first request."""

    def __init__(self, bootstrap_servers: str) -> None:
        self._servers = bootstrap_servers

    @cached_property
    def client(self) -> AdminClient:
        """Lives as long as this: it answers in the background."""
        return AdminClient({"bootstrap.servers": self._servers, "log_level": 0, "socket.timeout.ms": 10_000})

    def result(self, futures: Mapping[Any, Future[Any]], harmless: int | None = None) -> Any:
        """What the one request answered; None if it failed in the harmless way. Raises Refused, Unreachable."""
        [(subject, future)] = futures.items()
        try:
            return future.result(TIMEOUT * 2)
        except KafkaException as error:
            code = error.args[0].code()
            if code == harmless:
                return None
            if code in _AWAY:
                raise self.unreachable(error) from error
            raise Refused(f"Kafka refused {getattr(subject, 'name', subject)}: {error.args[0].str()}") from error

    def unreachable(self, error: KafkaException) -> Unreachable:
        return Unreachable(f"Kafka at {self._servers} does not answer: {error.args[0].str()}; start it, then try again")
