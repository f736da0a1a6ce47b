"""Flink CDC with Flink's JDBC sink: no Kafka, one job. It runs on Flink 1.20, in processes of its own."""

import time
from collections.abc import Sequence
from typing import Any

import requests

from bench.peers.debezium import LOCK
from bench.peers.peer import COLUMNS, DATABASE, Copier, End, Ground
from e2e.process import Process
from e2e.waiting import until
from infra import artefacts, configuration, environments, programs
from infra.platform import Platform

_START = 60  # seconds
_OFFSET = 300  # of its ports from the platform's
_TYPES = {"text": "STRING", "timestamp": "TIMESTAMP(6)", "integer": "INT", "numeric(12,2)": "DECIMAL(12, 2)", "bigint": "BIGINT"}
# The memory that Headrace's Flink has.
_PROGRAMS = {
    "jobmanager": ("org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint", "-Xmx512m"),
    "taskmanager": ("org.apache.flink.runtime.taskexecutor.TaskManagerRunner", "-Xmx768m", "-XX:MaxDirectMemorySize=320m"),
    "gateway": ("org.apache.flink.table.gateway.SqlGateway", "-Xmx512m"),
}


class FlinkCdc(Copier):
    name = "Flink CDC with a JDBC sink"
    most_tables = 5.0  # each takes a replication slot, of which a server has ten

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground)
        own = Platform(ground.platform.root, ground.folder("flink-cdc"), ground.platform.port_base + _OFFSET)
        self._url, self._gateway = own.url("flink"), f"{own.url('gateway')}/v3"
        jars = _jars()
        configuration.write(configuration.path(own, "flink.yaml"), configuration.render(own, "flink.yaml"))
        own.scratch.mkdir(exist_ok=True)
        folder = {"FLINK_CONF_DIR": str(configuration.path(own, "flink.yaml").parent)}
        commands = {name: _command(own, jars, *program) for name, program in _PROGRAMS.items()}
        self._running = [Process(ground.platform, f"flink-cdc-{name}", command, folder) for name, command in commands.items()]
        until(lambda: _get(f"{self._url}/overview").get("slots-available"), _START, "the peers' Flink has slots")
        until(lambda: _get(f"{self._gateway}/info"), _START, "the peers' SQL gateway answers")

    def end(self) -> None:
        for process in self._running:
            process.end()

    def processes(self) -> Sequence[int]:
        return [process.pid for process in self._running]

    def start(self, tables: Sequence[str]) -> None:
        self.make_databases(tables)
        self._tables = tables
        self._submit({})
        with self.ground.source() as source:
            read = "select coalesce(bool_and(active), false) and count(*) = %s from pg_replication_slots where slot_name ~ '^bench'"
            until(lambda: source.execute(read, [len(tables)]).fetchone() == (True,), _START, "Flink CDC reads its slots")

    def stop(self) -> None:
        stopped = requests.post(f"{self._url}/jobs/{self._job}/stop", json={"drain": False}, timeout=60).json()["request-id"]
        done = f"{self._url}/jobs/{self._job}/savepoints/{stopped}"
        self._savepoint = until(lambda: (_get(done).get("operation") or {}).get("location"), _START, "the job stops with a savepoint")

    def resume(self) -> None:
        self._submit({"execution.savepoint.path": self._savepoint})

    def remove(self) -> None:
        requests.patch(f"{self._url}/jobs/{self._job}?mode=cancel", timeout=60).raise_for_status()
        with self.ground.source() as source:
            free = "select count(*) from pg_replication_slots where slot_name ~ '^bench' and active"
            until(lambda: source.execute(free).fetchone() == (0,), _START, "the slots are free")
            source.execute("select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name ~ '^bench'")
        self.drop_databases()

    def _submit(self, properties: dict[str, Any]) -> None:
        settings = {"pipeline.name": DATABASE, "table.local-time-zone": "UTC", "execution.checkpointing.interval": "5s"} | properties
        session = _post(f"{self._gateway}/sessions", {"properties": settings})["sessionHandle"]
        for table in self._tables:
            self._run(session, _captured(table, self.ground.end("source")))
            self._run(session, _copied(table, self.ground.end("analytics")))
        inserts = " ".join(f"insert into `to_{table}` select * from `from_{table}`;" for table in self._tables)
        self._job = self._run(session, f"execute statement set begin {inserts} end")
        requests.delete(f"{self._gateway}/sessions/{session}", timeout=60)

    def _run(self, session: str, statement: str) -> str:
        """Its last value, which of a job is the id."""
        base = f"{self._gateway}/sessions/{session}"
        operation = _post(f"{base}/statements", {"statement": statement})["operationHandle"]
        token, value, page = 0, "", dict[str, Any]()
        while page.get("resultType") != "EOS":
            page = requests.get(f"{base}/operations/{operation}/result/{token}?rowFormat=JSON", timeout=60).json()
            if "errors" in page:
                raise SystemExit(f"Flink CDC: {page['errors'][-1]}")
            if page["resultType"] == "NOT_READY":
                time.sleep(0.1)
            elif page["resultType"] != "EOS":
                token += 1
                value = next((row["fields"][0] for row in page["results"]["data"]), value)
        return value


def _captured(table: str, end: End) -> str:
    # It starts with an empty table, so a snapshot has nothing to do; each table has a slot of its own, as its documents say.
    options = {
        "connector": "postgres-cdc", "hostname": end.host, "port": end.port, "username": end.user,
        "password": end.password, "database-name": DATABASE, "schema-name": "public", "table-name": table,
        "slot.name": f"bench_{table}", "decoding.plugin.name": "pgoutput", "changelog-mode": "upsert",
        "scan.incremental.snapshot.enabled": "true", "debezium.poll.interval.ms": "5",
    }  # fmt: skip
    return _create(f"from_{table}", options)


def _copied(table: str, end: End) -> str:
    options = {
        "connector": "jdbc", "url": f"jdbc:postgresql://{end.host}:{end.port}/{DATABASE}?reWriteBatchedInserts=true",
        "table-name": table, "username": end.user, "password": end.password,
        "sink.buffer-flush.interval": "2 ms", "sink.buffer-flush.max-rows": "1000",
    }  # fmt: skip
    return _create(f"to_{table}", options)


def _create(name: str, options: dict[str, Any]) -> str:
    columns = ", ".join(f"`{column}` {_TYPES[kind]}" for column, kind in COLUMNS.items())
    settings = ", ".join(f"'{key}' = '{value}'" for key, value in options.items())
    return f"create table `{name}` ({columns}, primary key (id) not enforced) with ({settings})"


def _jars() -> list[str]:
    artefacts.fetch(artefacts.read_lock(LOCK))
    environments.ensure("peer")
    home = environments.site_packages("peer") / "pyflink"
    return [f"{home}/lib/*", *map(str, artefacts.paths("peer-flink", LOCK))]


def _command(own: Platform, jars: Sequence[str], main: str, *memory: str) -> Sequence[str]:
    settings = configuration.path(own, "flink.yaml").parent
    return programs.java(*memory, *configuration.flink_java_options(own), "-cp", ":".join(jars), main, "--configDir", settings)


def _post(url: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = requests.post(url, json=body, timeout=60)
    if not answer.ok:
        raise SystemExit(f"Flink CDC: {answer.text}")
    return answer.json()


def _get(url: str) -> dict[str, Any]:
    try:
        return requests.get(url, timeout=10).json()
    except requests.RequestException:
        return {}
