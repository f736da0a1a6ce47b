"""A source → the configuration of its Debezium connector. Every default that can lose data or time is overridden here."""

from cdc.capture import OWN_TABLES
from cdc.names import pulse, slot
from cdc.outbox import routed
from project.environment import EndpointError, SourceDatabase
from project.models import LARGEST_RECORD, Project, Source
from project.topics import PULSE_TABLE, SIGNAL_TABLE


def connector(project: Project, source: Source, database: SourceDatabase) -> dict[str, str]:
    """The flat configuration as Kafka Connect takes it, but for `headrace.digest`."""
    columns = {f"{table.schema_}.{name}": tuple(table.columns) for name, table in source.captured.items()}
    columns |= {name: tuple(table["columns"]) for name, table in OWN_TABLES.items()}
    config = {
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "tasks.max": "1",
        "headrace.project": project.name,
        "headrace.source": source.name,
        # Where the changes come from.
        "database.hostname": database.host,
        "database.port": str(database.port),
        "database.dbname": database.database or source.database,
        "database.user": database.capture.user,
        "database.password": _password(database, source),
        "plugin.name": "pgoutput",
        "slot.name": slot(project, source),
        "slot.failover": "true",
        "slot.drop.on.stop": "false",
        "publication.name": slot(project, source),
        "publication.autocreate.mode": "disabled",
        "table.include.list": ",".join(columns),
        "column.include.list": ",".join(_pattern(table, names) for table, names in columns.items()),
        "message.prefix.exclude.list": ".*",
        # Where they go, and as what.
        "topic.prefix": source.connector,
        **_converter("key"),
        **_converter("value"),
        # As text that PostgreSQL reads back (project/types.py).
        "decimal.handling.mode": "string",
        "time.precision.mode": "isostring",
        "interval.handling.mode": "string",
        "binary.handling.mode": "hex",
        "tombstones.on.delete": "false",
        "skipped.operations": "none",
        "extended.headers.enabled": "false",
        # Nothing waits for company, but what piled up behind the request on its way goes with the next one.
        "producer.override.linger.ms": "0",
        "producer.override.batch.size": "262144",
        "producer.override.compression.type": "lz4",
        "producer.override.max.request.size": str(LARGEST_RECORD),
        # A first start reads every row; later ones go on where they stood, or stop loudly if they cannot.
        "snapshot.mode": "initial",
        "offset.mismatch.strategy": "trust_offset",
        "signal.enabled.channels": "source",
        "signal.data.collection": f"public.{SIGNAL_TABLE}",
        "incremental.snapshot.chunk.size": "8192",
        # Pace and patience.
        "poll.interval.ms": "4",
        "heartbeat.interval.ms": "5000",
        "heartbeat.action.query": heartbeat(project, source),
        "errors.tolerance": "none",
        "errors.max.retries": "10",
        "slot.max.retries": "30",
        "slot.retry.delay.ms": "2000",
        # Quantiles that nobody reads, at the price of a tenth of what a row costs.
        "statistics.metrics.enabled": "false",
    }
    if source.outbox is None:
        return config
    converted = {key: value for key, value in config.items() if not key.startswith(("key.converter", "value.converter"))}
    return converted | routed(source, source.outbox)


def _converter(part: str) -> dict[str, str]:
    return {
        f"{part}.converter": "org.apache.kafka.connect.json.JsonConverter",
        f"{part}.converter.schemas.enable": "false",
        # By its own default the converter writes a column's default value where the row has NULL.
        f"{part}.converter.replace.null.with.default": "false",
    }


def _password(database: SourceDatabase, source: Source) -> str:
    if database.capture.reference is None:
        raise EndpointError(
            f"sources.{source.name}.capture.reference is missing in the environment file; say how Kafka Connect finds the password, "
            'for example "${file:/etc/headrace/connect.properties:capture}", or have `headrace up` say it for the embedded platform'
        )
    return database.capture.reference


def _pattern(table: str, columns: tuple[str, ...]) -> str:
    """One regular expression for the columns of a table; Debezium anchors it."""
    return rf"{table.replace('.', '[.]')}[.]({'|'.join(columns)})"


def heartbeat(project: Project, source: Source) -> str:
    """What makes a source's pulse beat. Beside an outbox it is a new row each time: updates are no events, so they are passed over."""
    name = pulse(project, source)
    first = f"delete from public.{PULSE_TABLE} where source = '{name}'; " if source.outbox else ""
    return (
        f"{first}insert into public.{PULSE_TABLE} (source, at) values ('{name}', now()) "
        "on conflict (source) do update set at = excluded.at"
    )
