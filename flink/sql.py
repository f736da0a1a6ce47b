"""Flink SQL of a mirror: a Kafka table per captured table, a JDBC table per target, one statement set that joins them.

Debezium's records are read as plain JSON, not by Flink's own format for them, which reads the old row of each update as well and
all that Debezium says of its origin. So every change is a row to upsert, and a deletion is one with a negative position, which the
target's trigger carries out (analytics_sql/statements.py), in the order of its key like any other change.
"""

from collections.abc import Iterable, Mapping
from urllib.parse import urlencode

from project.environment import AnalyticsDatabase, EndpointError, Environment
from project.models import Project, Source, SourceTable, Stream

PULSE_TABLE = "headrace_pulse"

# What a job needs, whatever the cluster's own defaults are.
SESSION = {
    "execution.checkpointing.interval": "2 s",
    # The committed offsets of the consumer group are a mirror's whole state; kept checkpoints would only pile up.
    "execution.checkpointing.externalized-checkpoint-retention": "DELETE_ON_CANCELLATION",
    "execution.runtime-mode": "STREAMING",
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


def group(project: Project, stream: Stream) -> str:
    """The consumer group of a stream; its committed offsets say where a mirror stands."""
    return f"{project.name}.{stream.name}"


def topics(source: Source, stream: Stream) -> tuple[str, ...]:
    """The topics that a stream reads, its pulse last."""
    return *(source.topic(table) for table in stream.tables), pulse_topic(source)


def pulse_topic(source: Source) -> str:
    return f"{source.connector}.public.{PULSE_TABLE}"


Places = Mapping[tuple[str, int], int]  # topic and partition → offset


def mirror(project: Project, stream: Stream, environment: Environment, until: Places | None = None) -> tuple[str, ...]:
    """The statements of a mirror, in order; the last one is the job. It ends before `until` if that is given."""
    source = project.sources[stream.source]
    sink = _Sink(project, stream, environment.analytics)
    kafka = _Kafka(group(project, stream), environment.kafka.bootstrap_servers, until)
    statements: list[str] = []
    inserts: list[str] = []
    for name, target in stream.tables.items():
        table = source.tables[name]
        statements += [kafka.captured(name, table, source.topic(name)), sink.target(target.table, table)]
        inserts.append(_insert(name, target.table, table))
    statements += [kafka.pulse(pulse_topic(source)), sink.pulse()]
    inserts.append(_insert_pulse(project, stream))
    return *statements, "execute statement set begin\n\n" + "\n\n".join(f"{insert};" for insert in inserts) + "\n\nend"


class _Kafka:
    """Tables that read Debezium's topics."""

    def __init__(self, group_id: str, bootstrap_servers: str, until: Places | None) -> None:
        self._group, self._servers, self._until = group_id, bootstrap_servers, until

    def captured(self, name: str, table: SourceTable, topic: str) -> str:
        columns = {column: spec.mapping.flink for column, spec in table.columns.items()}
        key = {column: columns[column] for column in table.key}
        return _create(f"kafka_{name}", {"before": _row(key), "after": _row(columns), **_ORIGIN_SOURCE}, (), self._options(topic))

    def pulse(self, topic: str) -> str:
        beat = {"source": "STRING", "at": "TIMESTAMP_LTZ(6)"}
        return _create(f"kafka_{PULSE_TABLE}", {"after": _row(beat), **_ORIGIN_SOURCE}, (), self._options(topic))

    def _options(self, topic: str) -> dict[str, str]:
        return {
            "connector": "kafka",
            "topic": topic,
            "properties.bootstrap.servers": self._servers,
            "properties.group.id": self._group,
            # Headrace sets the group's first offsets itself. Offsets that expired are a gap: the job then fails, it never skips.
            "scan.startup.mode": "group-offsets",
            "properties.auto.offset.reset": "none",
            **self._bounds(topic),
            "format": "json",
            "json.timestamp-format.standard": "ISO-8601",
        }

    def _bounds(self, topic: str) -> dict[str, str]:
        if self._until is None:
            return {}
        offsets = ";".join(f"partition:{number},offset:{offset}" for (name, number), offset in self._until.items() if name == topic)
        return {"scan.bounded.mode": "specific-offsets", "scan.bounded.specific-offsets": offsets}


class _Sink:
    """Tables that upsert by key in the analytics database. `synced_at` is the database's own."""

    def __init__(self, project: Project, stream: Stream, database: AnalyticsDatabase) -> None:
        self._stream, self._url = stream, _url(project, stream, database)

    def target(self, name: str, table: SourceTable) -> str:
        columns = {column: spec.mapping.flink for column, spec in table.target_columns.items()}
        return _create(f"analytics_{name}", columns | _ORIGIN_SINK, table.target_key, self._options(name, "2 ms"))

    def pulse(self) -> str:
        columns = {"stream": "STRING", "source": "STRING", "pulse_at": "TIMESTAMP(6)"}
        return _create("analytics_pulse", columns | _ORIGIN_SINK, ("stream",), self._options("pulse", "100 ms"))

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
    return f"insert into {_name('analytics_' + target)}\nselect\n{_lines((*columns, *_ORIGIN_SELECT))}\nfrom {_name('kafka_' + name)}"


def _value(column: str, table: SourceTable) -> str:
    return _KEY.format(_name(column)) if column in table.key else f"`after`.{_name(column)}"


def _insert_pulse(project: Project, stream: Stream) -> str:
    columns = (_text(stream.name), _text(stream.source), "cast(`after`.`at` as TIMESTAMP(6))", *_ORIGIN_SELECT)
    return (
        f"insert into `analytics_pulse`\nselect\n{_lines(columns)}\nfrom {_name('kafka_' + PULSE_TABLE)}\n"
        f"where `after`.`source` = {_text(f'{project.name}.{stream.source}')}"
    )


def _create(name: str, columns: Mapping[str, str], key: Iterable[str], options: Mapping[str, str]) -> str:
    fields = [f"{_name(column)} {kind}" for column, kind in columns.items()]
    if names := ", ".join(map(_name, key)):
        fields.append(f"primary key ({names}) not enforced")
    settings = (f"{_text(option)} = {_text(value)}" for option, value in options.items())
    return f"create table {_name(name)} (\n{_lines(fields)}\n) with (\n{_lines(settings)}\n)"


def _row(columns: Mapping[str, str]) -> str:
    return f"ROW<{', '.join(f'{_name(column)} {kind}' for column, kind in columns.items())}>"


def _lines(items: Iterable[str]) -> str:
    return ",\n".join(f"  {item}" for item in items)


def _name(identifier: str) -> str:
    return f"`{identifier}`"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
