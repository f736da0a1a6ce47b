"""Why a consumer ends where it stands, so that it may be started anew."""

import time

from confluent_kafka import KafkaError

_REFUSALS = (KafkaError._AUTHENTICATION, KafkaError._SSL)
_LASTS = 15.0  # seconds after which refusals are no trouble of brokers that just start; also the least time between two starts
_OVER = 60.0  # seconds without one, after which they are over: librdkafka tries, and tells, at least every half minute


class Ended(Exception):
    """The consumer cannot go on; says where it stands, why, and what to do."""


class Refusals:
    """Is told the errors of a client of Kafka, and raises Ended where it is not let in for long: its login, and whom it trusts, were read
    when it was made, and may be others by now."""

    def __init__(self) -> None:
        self._first, self._last = 0.0, float("-inf")

    def __call__(self, error: KafkaError) -> None:
        if error.code() not in _REFUSALS:
            return
        now = time.monotonic()
        if now - self._last > _OVER:
            self._first = now
        self._last = now
        if now - self._first > _LASTS:
            way_out = "start the consumer again, which reads login and authority anew, or correct kafka in the environment file"
            raise Ended(f"Kafka has let nobody in for {_LASTS:.0f} s: {error.str()}; {way_out}")

    def let_in(self) -> None:
        """Kafka has taken something from the client since: where one of its brokers refuses, the others may serve."""
        self._last = float("-inf")
