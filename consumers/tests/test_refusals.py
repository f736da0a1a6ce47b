"""A consumer that Kafka lets in no more ends, so that whoever starts it again has it read its login anew; on a real Kafka."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaError, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._scram import ScramCredentialInfo, ScramMechanism, UserScramCredentialUpsertion
from confluent_kafka.cimpl import NewTopic
from fastavro import parse_schema

from consumers import encoding, ending
from consumers.encoding import AvroWriter
from consumers.ending import Ended, Refusals
from consumers.events import Received
from consumers.loop import Handler, Loop
from consumers.tests.test_avro import NOBODY, STAMP, car
from e2e.waiting import until
from infra.platform import HOST
from infra.tests.throwaway import ROOT, free_port, throwaway_broker
from project.environment import Kafka, read_environment
from project.events.encoding import filtered_schema
from project.loader import load_project

_LISTENS = """
listeners=PLAINTEXT://{{kafka}},CONTROLLER://{{controller}},SASL_PLAINTEXT://{asks}
advertised.listeners=PLAINTEXT://{{kafka}},SASL_PLAINTEXT://{asks}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT
inter.broker.listener.name=PLAINTEXT
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.sasl_plaintext.scram-sha-512.sasl.jaas.config={module} required;
connections.max.reauth.ms=2000
"""  # of those who are in already it asks again, as others do whose brokers are started anew
_MODULE = "org.apache.kafka.common.security.scram.ScramLoginModule"
_ENDS = 60  # seconds


class Broker:
    """One that asks for a login, and where it is ruled without one."""

    def __init__(self, folder: Path, rules: str, asks: str) -> None:
        self._rules: dict[str, Any] = {"bootstrap.servers": rules, "log_level": 0}
        self._admin, self._password = AdminClient(self._rules), folder / "password"
        login = {"user": "desk", "password": {"file": str(self._password)}}
        self.kafka = Kafka.model_validate({"bootstrap_servers": asks, "login": login})

    def let_in(self, password: str) -> None:
        """From now on with this password alone."""
        kind = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        wanted = UserScramCredentialUpsertion("desk", kind, password.encode(), os.urandom(16))
        self._admin.alter_user_scram_credentials([wanted])["desk"].result(30)

    def write_password(self, password: str) -> None:
        self._password.write_text(password)

    def create(self, topic: str) -> None:
        self._admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(30)

    def send(self, topic: str, value: bytes) -> None:
        producer = Producer(self._rules)
        producer.produce(topic, value)
        assert producer.flush(30) == 0

    def ruled(self) -> Kafka:
        return Kafka(bootstrap_servers=self._rules["bootstrap.servers"])


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    asks, folder = f"{HOST}:{free_port()}", tmp_path_factory.mktemp("kafka")
    with throwaway_broker(folder / "platform", _LISTENS.format(asks=asks, module=_MODULE)) as platform:
        yield Broker(folder, platform.address("kafka"), asks)


class Desk:
    """Takes what comes."""

    def __init__(self) -> None:
        self.taken = list[bytes]()

    def handle(self, events: Sequence[Received]) -> None:
        self.taken += [one.value for one in events]

    def set_aside(self, event: Received, reason: str) -> None:
        raise AssertionError(reason)


@contextmanager
def running(kafka: Kafka, topic: str, handler: Handler) -> Iterator["Future[None]"]:
    """A consumer with the login as it is now, and how it ends."""
    loop = Loop(kafka.bootstrap_servers, f"group of {topic}", [topic], handler, kafka.client())
    with ThreadPoolExecutor(1) as pool:
        try:
            yield pool.submit(loop.run)
        finally:
            loop.close()


def test_a_consumer_whose_password_is_another_one_by_now_ends_and_goes_on_once_it_is_started_again(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
):
    broker.create("loans")
    broker.let_in("old")
    broker.write_password("old")
    desk = Desk()
    with running(broker.kafka, "loans", desk) as ends:
        broker.send("loans", b"1")
        until(lambda: desk.taken == [b"1"], _ENDS, "it is let in")
        monkeypatch.setattr(ending, "_LASTS", 0.0)  # librdkafka tells the first two at once, and then one every half minute
        broker.let_in("new")
        broker.write_password("new")
        with pytest.raises(Ended, match=r"Kafka has let nobody in for 0 s: .*authentication.*; start the consumer again, which reads"):
            ends.result(_ENDS)
    broker.send("loans", b"2")
    with running(broker.kafka, "loans", desk):
        until(lambda: list(dict.fromkeys(desk.taken)) == [b"1", b"2"], _ENDS, "it is let in again, and all comes at least once, in order")


def test_a_writer_of_avro_that_is_let_in_no_more_ends_its_consumer(broker: Broker, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ending, "_LASTS", 0.0)
    monkeypatch.setattr(encoding, "_TAKES", 8.0)
    broker.let_in("new")
    broker.write_password("old")
    place = read_environment(ROOT / "orchestration" / "tests" / "environment.yaml")
    place = place.model_copy(update={"kafka": broker.kafka, "registry": NOBODY})
    cars = load_project(ROOT / "examples" / "cars")
    writer = AvroWriter(cars, place, "events", Desk())
    writer._known["CarCreated"] = 7, parse_schema(filtered_schema(cars.events["CarCreated"], "cars"))
    broker.create("cars")
    broker.send("cars", car(STAMP).value)
    with running(broker.ruled(), "cars", writer) as ends, pytest.raises(Ended, match=r"^Kafka has let nobody in for 0 s: .*; start the"):
        ends.result(_ENDS)


def test_refusals_that_are_over_end_nothing(monkeypatch: pytest.MonkeyPatch):
    refusals, refused = Refusals(), KafkaError(KafkaError._SSL, "disconnected")
    for now in (0, 1, 14, 100, 101, 300):
        monkeypatch.setattr(ending.time, "monotonic", lambda now=now: now)
        refusals(refused)
    for now in (330, 331):
        monkeypatch.setattr(ending.time, "monotonic", lambda now=now: now)
        refusals(KafkaError(KafkaError._TRANSPORT, "connection refused"))
    with pytest.raises(Ended):
        refusals(refused)
    refusals.let_in()
    refusals(refused)
