"""Topics as resources: partitions, replication and retention, created before anything writes or reads."""

import time
from collections.abc import Callable, Iterable

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import (
    AlterConfigOpType,  # pyright: ignore[reportPrivateImportUsage]
    ClusterMetadata,  # pyright: ignore[reportPrivateImportUsage]
    ConfigEntry,  # pyright: ignore[reportPrivateImportUsage]
    ConfigResource,  # pyright: ignore[reportPrivateImportUsage]
    NewTopic,  # pyright: ignore[reportPrivateImportUsage]
    ResourceType,  # pyright: ignore[reportPrivateImportUsage]
    TopicDescription,  # pyright: ignore[reportPrivateImportUsage]
)
from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from cdc.administration import TIMEOUT, Administration
from cdc.connect import Connect
from cdc.health import ANEW
from cdc.names import heartbeat_topic
from cdc.risks import Risk, of_drift, of_kafka
from project.environment import Environment
from project.models import Project
from project.resources import Difference, Document, Health, Judgement, Refused, Resource, State, Strength, Unreachable

_LOOK = 5.0  # seconds for one look at a topic: sensors take turns, and a Kafka that is away must not keep them
_SILENCE = 15.0  # seconds for which a Kafka that did not answer is not asked again: a look at all topics stays bounded


class KafkaBackend:
    system = "kafka"

    def __init__(self, project: Project, environment: Environment) -> None:
        self._project, self._kafka = project, Administration(environment.kafka)
        self._replicas, self._outage_hours = environment.kafka.replication_factor, environment.longest_outage_hours
        self._connect = Connect(environment.connect.url)
        # Told of each topic before it is created.
        self.creates: Callable[[str], None] = lambda name: None
        self._silence = (float("-inf"), "")  # since when, on the clock that only goes forward, and its text

    def read(self, resource: Resource) -> Document | None:
        topic = self._describe(resource.name, _LOOK)
        if topic is None:
            return None
        config = self._kafka.result(self._kafka.client.describe_configs([_config_resource(resource.name)], request_timeout=TIMEOUT))
        return {
            "partitions": len(topic.partitions),
            "replication_factor": len(topic.partitions[0].replicas),
            "config": {name: entry.value for name, entry in config.items() if name in resource.document["config"]},
        }

    def judge(self, resource: Resource, observed: Document, differences: tuple[Difference, ...]) -> Judgement:
        wanted, risks = resource.document, tuple(map(str, of_drift(differences, self._outage_hours)))
        if observed["partitions"] != wanted["partitions"]:
            of_rows = any(not one.outbox and resource.name in one.topics(one.tables) for one in self._project.sources.values())
            refusal = (
                f"it has {observed['partitions']} partitions and the spec wants {wanted['partitions']}; the changes of one key would be "
                f"spread over two partitions and lose their order; set `partitions` back{f', or {ANEW}' if of_rows else ''}"
            )
            return Judgement(Strength.REBUILD, refusal, risks=risks)
        if observed["replication_factor"] != wanted["replication_factor"]:
            refusal = (
                f"it has {observed['replication_factor']} replicas and the environment says {wanted['replication_factor']}; "
                "move it with kafka-reassign-partitions, or set kafka.replication_factor back"
            )
            return Judgement(Strength.RECONFIGURE, refusal, risks=risks)
        return Judgement(Strength.RECONFIGURE, risks=risks)

    def write(self, resource: Resource, observed: Document | None) -> None:
        document = resource.document
        if observed is None:
            self.creates(resource.name)
            new = NewTopic(resource.name, document["partitions"], document["replication_factor"], config=dict(document["config"]))
            created = self._kafka.client.create_topics([new], operation_timeout=TIMEOUT, request_timeout=TIMEOUT)
            self._kafka.result(created, KafkaError.TOPIC_ALREADY_EXISTS)
            self._wait_until_known(resource.name)
            return
        entries = [
            ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
            for name, value in document["config"].items() if observed["config"].get(name) != value
        ]  # fmt: skip
        if entries:
            altered = ConfigResource(ResourceType.TOPIC, resource.name, incremental_configs=entries)
            self._kafka.result(self._kafka.client.incremental_alter_configs([altered], request_timeout=TIMEOUT))

    def delete(self, resource_id: str) -> None:
        name = resource_id.removeprefix("topic/")
        deleted = self._kafka.client.delete_topics([name], operation_timeout=TIMEOUT, request_timeout=TIMEOUT)
        self._kafka.result(deleted, KafkaError.UNKNOWN_TOPIC_OR_PART)

    def owned(self) -> Iterable[str]:
        """Topics of the spec, and those with the prefix of one of the project's connectors, of the spec or live, or of its filters."""
        sources = self._project.sources.values()
        connectors = {source.connector for source in sources} | set(self._connect.owned(self._project.name))
        known = {topic for source in sources for topic in source.topics(source.tables)} | set(map(heartbeat_topic, connectors))
        own, prefixes = self._project.filtered_topic(""), tuple(f"{connector}." for connector in connectors)
        others = tuple(f"{connector}.events." for connector in connectors)  # another project may be called as the connector is
        found = [name for name in self._list().topics if not name.startswith(others) or name.startswith(own) or name in known]
        return sorted(f"topic/{name}" for name in found if name.startswith((own, *prefixes)) or name in known)

    def health(self, resource: Resource) -> Health:
        since, text = self._silence
        if time.monotonic() - since < _SILENCE:
            return Health(State.FAILED, text)
        try:
            topic = self._describe(resource.name, _LOOK)
        except Refused as error:
            if isinstance(error, Unreachable):
                self._silence = time.monotonic(), str(error)
            return Health(State.FAILED, str(error))
        if topic is None:
            return Health(State.FAILED, f"topic {resource.name} does not exist; apply {resource.id}")
        leaderless = [partition.id for partition in topic.partitions if partition.leader is None or partition.leader.id < 0]
        facts = {"partitions": len(topic.partitions), "partitions_without_leader": len(leaderless)}
        if leaderless:
            return Health(State.FAILED, f"topic {resource.name}: partitions {leaderless} have no leader; start the missing brokers", facts)
        return Health(State.PASSED, f"topic {resource.name} is available", facts)

    def url(self, resource: Resource) -> str | None:
        return None

    def risks(self) -> list[Risk]:
        """Settings of the brokers under which changes can be lost."""
        brokers = self._list().brokers
        asked = ConfigResource(ResourceType.BROKER, str(min(brokers)))
        found = self._kafka.result(self._kafka.client.describe_configs([asked], request_timeout=_LOOK))
        settings = {name: str(entry.value) for name, entry in found.items()}
        return list(of_kafka(settings, len(brokers), self._replicas, self._outage_hours))

    def _wait_until_known(self, name: str) -> None:
        """Brokers learn of a new topic one after the other."""
        wait = Retrying(retry=retry_if_result(lambda topic: topic is None), stop=stop_after_delay(TIMEOUT), wait=wait_fixed(0.1))
        try:
            wait(self._describe, name)
        except RetryError as error:
            raise Refused(f"Kafka took topic {name}, but did not show it within {TIMEOUT:.0f} s; apply again") from error

    def _list(self) -> ClusterMetadata:
        try:
            return self._kafka.client.list_topics(timeout=_LOOK)
        except KafkaException as error:
            raise self._kafka.unreachable(error) from error

    def _describe(self, name: str, seconds: float = TIMEOUT) -> TopicDescription | None:
        described = self._kafka.client.describe_topics(TopicCollection([name]), request_timeout=seconds)
        return self._kafka.result(described, KafkaError.UNKNOWN_TOPIC_OR_PART)


def _config_resource(name: str) -> ConfigResource:
    return ConfigResource(ResourceType.TOPIC, name)
