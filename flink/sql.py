"""Flink SQL of a mirror: a Kafka table per captured table, a JDBC table per target, one statement set that joins them.

Debezium's records are read as plain JSON, not by Flink's own format for them, which reads the old row of each update as well and
all that Debezium says of its origin. So every change is a row to upsert, and a deletion is one with a negative position, which the
target's trigger carries out (analytics_sql/statements.py), in the order of its key like any other change.
"""

from collections.abc import Iterable
from urllib.parse import urlencode

from flink.ddl import create_table, lines, literal, quoted, row_type
from flink.events import FORMATS, routing
from project.environment import AnalyticsDatabase, EndpointError, Environment
from project.filters.models import LARGEST_STAMP
from project.models import LARGEST_RECORD, Project, Source, SourceTable, Stream
from project.topics import PULSE_TABLE, pulse_topic

# What a job needs, whatever the cluster's own defaults are.
_SESSION = {
    "execution.checkpointing.interval": "2 s",
    # The committed offsets of the consumer group are a mirror's whole state; kept checkpoints would only pile up.
    "execution.checkpointing.externalized-checkpoint-retention": "DELETE_ON_CANCELLATION",
    "execution.runtime-mode": "STREAMING",
    # Sources, statements and sinks of a partition stay in one task, so its order holds however many there are.
    "parallelism.default": "1",
    "restart-strategy.type": "exponential-delay",
    "restart-strategy.exponential-delay.initial-backoff": "1 s",
    "restart-strategy.exponential-delay.max-backoff": "30 s",
    "restart-strategy.exponential-delay.reset-backoff-threshold": "10 min",
    # Source and target have the same key, so Kafka's order by key is all the order there has to be.
    "table.exec.sink.upsert-materialize": "NONE",
    "table.local-time-zone": "UTC",
}

# Every target row says which change it comes from (docs/architecture.md, one row's way).
_ORIGIN_SOURCE = {"op": "STRING", "source": "ROW<`ts_ms` BIGINT, `lsn` BIGINT, `snapshot` STRING>"}
_ORIGIN_SINK = {"source_committed_at": "TIMESTAMP(3)", "source_position": "BIGINT", "from_snapshot": "BOOLEAN"}
# Debezium says nothing of a snapshot in a change that it read from the log.
_FROM_SNAPSHOT = "coalesce(`source`.`snapshot`, 'false') <> 'false'"
_ORIGIN_SELECT = (
    "cast(to_timestamp_ltz(`source`.`ts_ms`, 3) as TIMESTAMP(3))",
    # A row that a snapshot read has no position: a change that began before the snapshot and ended after it must still replace it.
    f"case when `op` = 'd' then -`source`.`lsn` when {_FROM_SNAPSHOT} then cast(null as BIGINT) else `source`.`lsn` end",
    _FROM_SNAPSHOT,
)
# What is no change of a row has no key, and a row without a key fails the job: what cannot be repeated is never passed over.
_KEY = "case when `op` in ('c', 'u', 'r') then `after`.{0} when `op` = 'd' and `source`.`lsn` > 0 then `before`.{0} end"


def session(stream: Stream) -> dict[str, str]:
    """The settings of the session that submits a stream's job."""
    return _SESSION | {"parallelism.default": str(stream.parallelism)}


def group(project: Project, stream: Stream) -> str:
    """The consumer group of a stream; its committed offsets say where a mirror stands."""
    return f"{project.name}.{stream.name}"


def topics(source: Source, stream: Stream) -> tuple[str, ...]:
    """The topics that a stream reads, its pulse last."""
    return *source.topics(stream.tables), pulse_topic(source.connector)


def statements(project: Project, stream: Stream, environment: Environment) -> tuple[str, ...]:
    """The statements of a stream, in order; the last one is the job."""
    source = project.sources[stream.source]
    sink = _Sink(project, stream, environment.analytics)
    kafka = _Kafka(group(project, stream), environment)
    if source.outbox:
        tables, inserts = _filters(project, stream, kafka, sink)
    else:
        tables, inserts = _mirror(project, stream, kafka, sink)
    job = "execute statement set begin\n\n" + "\n\n".join(f"{insert};" for insert in inserts) + "\n\nend"
    return *tables, job


def _mirror(project: Project, stream: Stream, kafka: "_Kafka", sink: "_Sink") -> tuple[list[str], list[str]]:
    source, tables, inserts = project.sources[stream.source], list[str](), list[str]()
    for name, target in stream.tables.items():
        table = source.tables[name]
        tables += [kafka.captured(name, table, source.topic(name)), sink.target(target.table, table)]
        inserts.append(_insert(name, target.table, table))
    tables += [kafka.pulse(pulse_topic(source.connector)), sink.pulse()]
    return tables, [*inserts, _insert_pulse(project, stream)]


def _filters(project: Project, stream: Stream, kafka: "_Kafka", sink: "_Sink") -> tuple[list[str], list[str]]:
    source = project.sources[stream.source]
    [read, _] = topics(source, stream)
    tables, insert = routing(project, stream, kafka.read(read), kafka.written(project.written_topics(stream)))
    return [*tables, kafka.beats(pulse_topic(source.connector)), sink.pulse()], [insert, _insert_beats(project, stream)]


class _Kafka:
    """Tables that read Debezium's topics."""

    def __init__(self, group_id: str, environment: Environment) -> None:
        self._group = group_id
        told = {"bootstrap.servers": environment.kafka.bootstrap_servers, **environment.kafka.security}
        if authority := environment.flink.kafka_authority:
            told |= {"ssl.truststore.type": "PEM", "ssl.truststore.location": authority}
        self._brokers = {f"properties.{name}": value for name, value in told.items()}

    def captured(self, name: str, table: SourceTable, topic: str) -> str:
        columns = {column: spec.mapping.flink for column, spec in table.columns.items()}
        key = {column: columns[column] for column in table.key}
        fields = {"before": row_type(key), "after": row_type(columns), **_ORIGIN_SOURCE}
        return create_table(f"kafka_{name}", fields, (), self._options(topic))

    def pulse(self, topic: str) -> str:
        beat = {"source": "STRING", "at": "TIMESTAMP_LTZ(6)"}
        return create_table(f"kafka_{PULSE_TABLE}", {"after": row_type(beat), **_ORIGIN_SOURCE}, (), self._options(topic))

    def beats(self, topic: str) -> str:
        """The pulse of an outbox' source, whose records are plain texts (cdc/outbox.py)."""
        columns = {"at": "STRING", "source": "STRING", "headers": "MAP<STRING, BYTES> METADATA VIRTUAL"}
        return create_table(f"kafka_{PULSE_TABLE}", columns, (), self.read(topic) | FORMATS | {"key.fields": "source"})

    def written(self, topics: Iterable[str]) -> dict[str, str]:
        """The options of a table that writes records to several topics."""
        return {
            "connector": "kafka",
            "topic": ";".join(topics),
            **self._brokers,
            "properties.compression.type": "lz4",
            "properties.linger.ms": "1",
            "properties.max.request.size": str(LARGEST_RECORD + LARGEST_STAMP),
            "sink.delivery-guarantee": "at-least-once",
        }

    def _options(self, topic: str) -> dict[str, str]:
        return {**self.read(topic), "format": "json", "json.timestamp-format.standard": "ISO-8601"}

    def read(self, topic: str) -> dict[str, str]:
        """The options of a table that reads a topic, but for its format."""
        return {
            "connector": "kafka",
            "topic": topic,
            **self._brokers,
            "properties.group.id": self._group,
            # Headrace sets the group's first offsets itself. Offsets that expired are a gap: the job then fails, it never skips.
            "scan.startup.mode": "group-offsets",
            "properties.auto.offset.reset": "none",
        }


class _Sink:
    """Tables that upsert by key in the analytics database. `synced_at` is the database's own."""

    def __init__(self, project: Project, stream: Stream, database: AnalyticsDatabase) -> None:
        self._stream, self._url = stream, _url(project, stream, database)

    def target(self, name: str, table: SourceTable) -> str:
        columns = {column: spec.mapping.flink for column, spec in table.target_columns.items()}
        return create_table(f"analytics_{name}", columns | _ORIGIN_SINK, table.target_key, self._options(name, "2 ms"))

    def pulse(self) -> str:
        columns = {"stream": "STRING", "source": "STRING", "pulse_at": "TIMESTAMP(6)"}
        return create_table("analytics_pulse", columns | _ORIGIN_SINK, ("stream",), self._options("pulse", "100 ms"))

    def _options(self, table: str, flush: str) -> dict[str, str]:
        return {
            "connector": "jdbc",
            "url": self._url,
            "table-name": table,
            # A short interval costs no throughput: under load the batches fill by themselves. But each tick after a failure wraps the
            # failure once more until the next checkpoint asks for it, and thousands of them are more than the TaskManager's memory.
            "sink.buffer-flush.interval": flush,
            "sink.buffer-flush.max-rows": "1000",
            "sink.max-retries": "3",
        }


def _url(project: Project, stream: Stream, database: AnalyticsDatabase) -> str:
    """No password: the driver in Flink finds it in its pgpass file, so it is in no job graph."""
    if database.database is None:
        raise EndpointError("analytics.database is missing in the environment file; name the database that Flink writes to")
    options = {
        "user": database.writer.user,
        "currentSchema": project.schema_,
        "ApplicationName": group(project, stream),
        "reWriteBatchedInserts": "true",
        "stringtype": "unspecified",  # text becomes uuid, numeric … as the column says
        "tcpKeepAlive": "true",
        "connectTimeout": "10",
        "socketTimeout": "60",
    }
    return f"jdbc:postgresql://{database.host}:{database.port}/{database.database}?{urlencode(options)}"


def _insert(name: str, target: str, table: SourceTable) -> str:
    columns = (spec.mapping.value.format(_value(column, table)) for column, spec in table.columns.items())
    return f"insert into {quoted('analytics_' + target)}\nselect\n{lines((*columns, *_ORIGIN_SELECT))}\nfrom {quoted('kafka_' + name)}"


def _value(column: str, table: SourceTable) -> str:
    return _KEY.format(quoted(column)) if column in table.key else f"`after`.{quoted(column)}"


def _insert_beats(project: Project, stream: Stream) -> str:
    committed, position = (f"cast(decode(`headers`['__source_{name}'], 'UTF-8') as BIGINT)" for name in ("ts_ms", "lsn"))
    at = "cast(replace(replace(`at`, 'T', ' '), 'Z', '') as TIMESTAMP(6))"
    return _into_pulse(project, stream, "`source`", at, f"cast(to_timestamp_ltz({committed}, 3) as TIMESTAMP(3))", position, "false")


def _insert_pulse(project: Project, stream: Stream) -> str:
    return _into_pulse(project, stream, "`after`.`source`", "cast(`after`.`at` as TIMESTAMP(6))", *_ORIGIN_SELECT)


def _into_pulse(project: Project, stream: Stream, source: str, *columns: str) -> str:
    """`source` is where a record says whose pulse it is: several projects may share the table."""
    return (
        f"insert into `analytics_pulse`\nselect\n{lines((literal(stream.name), literal(stream.source), *columns))}\n"
        f"from {quoted('kafka_' + PULSE_TABLE)}\nwhere {source} = {literal(f'{project.name}.{stream.source}')}"
    )
