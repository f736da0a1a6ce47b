"""Debezium with its own JDBC sink, in Kafka Connect."""

from collections.abc import Sequence

from bench.peers.debezium import SINK, SOURCE, DebeziumCopier
from bench.peers.peer import DATABASE
from e2e.waiting import until

# The sink needs each record's schema beside it.
_WITH_SCHEMAS = {
    f"{part}.converter{key}": value
    for part in ("key", "value")
    for key, value in {"": "org.apache.kafka.connect.json.JsonConverter", ".schemas.enable": "true"}.items()
}


class JdbcSink(DebeziumCopier):
    name = "Debezium with its JDBC sink"

    def start(self, tables: Sequence[str]) -> None:
        self.make_databases(tables)
        self.worker.read(tables, _WITH_SCHEMAS)
        self.worker.connect.put(SINK, self._sink(tables))
        until(self._both_run, 60, "source and sink run")

    def _both_run(self) -> bool:
        status = [self.worker.connect.status(name) for name in (SOURCE, SINK)]
        return all(one and one["tasks"] and all(task["state"] == "RUNNING" for task in one["tasks"]) for one in status)

    def _sink(self, tables: Sequence[str]) -> dict[str, str]:
        end = self.ground.end("analytics")
        return {
            "connector.class": "io.debezium.connector.jdbc.JdbcSinkConnector",
            "tasks.max": "2",
            "topics": ",".join(f"{DATABASE}.public.{table}" for table in tables),
            "connection.url": f"jdbc:postgresql://{end.host}:{end.port}/{DATABASE}?reWriteBatchedInserts=true",
            "connection.username": end.user, "connection.password": self.worker.password("analytics"),
            "insert.mode": "upsert", "delete.enabled": "true", "primary.key.mode": "record_key", "schema.evolution": "none",
            "collection.name.format": "${source.table}", "batch.size": "1000", "use.reduction.buffer": "true",
            "consumer.override.max.poll.records": "1000", "consumer.override.fetch.min.bytes": "1",
            "consumer.override.auto.offset.reset": "earliest",
            **_WITH_SCHEMAS,
        }  # fmt: skip
