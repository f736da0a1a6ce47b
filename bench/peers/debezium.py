"""Debezium for those that build on it: a Connect worker that has the JDBC sink too, and the connector that reads the source."""

from collections.abc import Sequence
from pathlib import Path

import requests
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from psycopg.sql import SQL, Literal

from bench.peers.peer import DATABASE, Copier, End, Ground
from cdc.connect import Connect
from e2e.process import Process
from e2e.waiting import until
from infra import artefacts, configuration, programs
from infra.credentials import write_private

LOCK = Path(__file__).parents[1] / "artefacts.lock"
SOURCE, SINK = "bench-source", "bench-sink"
_PORT = 40  # offset from the platform's first port
_PARTITIONS = 2  # as Headrace has them
_START = 60  # seconds


class Worker:
    """Kafka Connect with Debezium's source and its JDBC sink; `pid` of its process."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._admin = AdminClient({"bootstrap.servers": ground.environment.kafka.bootstrap_servers, "log_level": 0})
        platform, folder = ground.platform, ground.folder("connect")
        url = f"http://127.0.0.1:{platform.port_base + _PORT}"
        artefacts.fetch(artefacts.read_lock(LOCK))
        artefacts.unpack("peer-connect", LOCK)
        self._secrets = folder / "secrets.properties"
        write_private(self._secrets, "".join(f"{name}={ground.end(name).password}\n" for name in ("source", "analytics")))
        settings = folder / "connect.properties"
        settings.write_text(configuration.render(platform, "connect.properties") + _settings(url, self._secrets))
        flags = ("-Xms128m", "-Xmx768m", "-Xmn192m", "-XX:+UseSerialGC", "-cp", programs.kafka_classpath())
        log = f"-Dlog4j2.configurationFile={configuration.path(platform, 'log4j2.properties')}"
        command = programs.java(*flags[:4], log, *flags[4:], "org.apache.kafka.connect.cli.ConnectDistributed", settings)
        self._process, self.connect = Process(platform, "connect", command), Connect(url)
        until(lambda: _answers(url), _START, "the peers' Kafka Connect answers")

    @property
    def pid(self) -> int:
        return self._process.pid

    def end(self) -> None:
        self._process.end()

    def password(self, end: str) -> str:
        """By reference."""
        return f"${{file:{self._secrets}:{end}}}"

    def read(self, tables: Sequence[str], more: dict[str, str]) -> None:
        """Make the topics, and capture the tables into them; returns when the slot is in use."""
        topics = [NewTopic(f"{DATABASE}.public.{table}", _PARTITIONS, 1) for table in tables]
        for created in self._admin.create_topics(topics).values():
            created.result(30)
        end = self._ground.end("source")
        login = {"database.user": end.user, "database.password": self.password("source")}
        with self._ground.source() as source:
            source.execute("create publication bench for all tables")
            self.connect.put(SOURCE, _source(end, tables) | login | more)
            query = SQL("select active from pg_replication_slots where slot_name = {}").format(Literal(DATABASE))
            until(lambda: source.execute(query).fetchone() == (True,), _START, "Debezium reads the slot")

    def forget(self) -> None:
        """Remove the connectors, their offsets, the topics and the slot."""
        for name in (SINK, SOURCE):
            if self.connect.config(name) is not None:
                self.connect.stop(name)
                until(lambda name=name: not (self.connect.status(name) or {}).get("tasks"), _START, f"{name} has stopped")
                until(lambda name=name: self._forgets(name), _START, f"{name} forgets where it stood")
                self.connect.delete(name)
        with self._ground.source() as source:
            query = "select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = 'bench' and not active"
            until(lambda: source.execute(query).rowcount, _START, "the slot is free")
        for deleted in self._admin.delete_topics(self._topics()).values():
            deleted.result(30)
        until(lambda: not self._topics(), _START, "the topics are gone")

    def _forgets(self, name: str) -> bool:
        return requests.delete(f"{self.connect.url}/connectors/{name}/offsets", timeout=60).ok

    def _topics(self) -> list[str]:
        return [name for name in self._admin.list_topics(timeout=30).topics if name.startswith(f"{DATABASE}.")]


class DebeziumCopier(Copier):
    """What reads Debezium's topics."""

    components: Sequence[str] = ("kafka",)

    def __init__(self, ground: Ground, worker: Worker) -> None:
        super().__init__(ground)
        self.worker = worker

    def stop(self) -> None:
        self.worker.connect.stop(SOURCE)

    def resume(self) -> None:
        self.worker.connect.resume(SOURCE)

    def remove(self) -> None:
        self.worker.forget()
        self.drop_databases()

    def processes(self) -> Sequence[int]:
        return (self.worker.pid,)


def _settings(url: str, secrets: Path) -> str:
    """What differs from the platform's worker; the last line of a key counts."""
    topics = "".join(f"{kind}.storage.topic=_peers_{kind}\n" for kind in ("config", "offset", "status"))
    plugins = f"plugin.path={artefacts.home(artefacts.PLUGINS)},{artefacts.home('peer-connect', LOCK)}\n"
    return (
        f"\ngroup.id=peers-connect\nlisteners={url}\n{plugins}{topics}"
        f"config.providers.file.param.allowed.paths={secrets}\nconnector.client.config.override.policy=All\n"
    )


def _source(end: End, tables: Sequence[str]) -> dict[str, str]:
    """As a careful engineer sets Debezium up for speed; what the reader of the topics needs comes on top."""
    return {
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "database.hostname": end.host, "database.port": str(end.port), "database.dbname": DATABASE,
        "plugin.name": "pgoutput", "slot.name": DATABASE, "publication.name": "bench", "publication.autocreate.mode": "disabled",
        "table.include.list": ",".join(f"public.{table}" for table in tables),
        "topic.prefix": DATABASE, "tombstones.on.delete": "false", "snapshot.mode": "no_data", "poll.interval.ms": "4",
        "statistics.metrics.enabled": "false", "extended.headers.enabled": "false",
        "producer.override.linger.ms": "0", "producer.override.batch.size": "262144", "producer.override.compression.type": "lz4",
    }  # fmt: skip


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/connectors", timeout=5).ok
    except requests.ConnectionError:
        return False
