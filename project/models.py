"""What a project says: frozen, typed, unknown keys refused. Every spec knows the file and line that declared it."""

from collections.abc import Iterable
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from project.chart_keys import Colour
from project.dashboards import Dashboard, Metric
from project.events.attributes import Key
from project.events.models import EventSchema
from project.filters.models import MANDATORY, Filter, Id, Mandatory
from project.reserved_words import unquoted
from project.specs import Spec, short_form
from project.types import TypeMapping, map_type

LARGEST_RECORD = 16 * 1024 * 1024  # bytes, in any topic; a change holds the row before and after
LARGEST_EVENT = 5_000_000  # characters of an outbox' event, up to three bytes each: the rest is cut off, so that no event stops all others
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,40}$")]
Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_]{0,62}$")]
SourceIdentifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$")]  # as the source writes it


class Column(Spec):
    """A captured column; in YAML `total: numeric(10,2)` or `total: {type: numeric(10,2), description: ...}`."""

    type: str
    description: str = ""

    @field_validator("type")
    @classmethod
    def _has_a_mapping(cls, text: str) -> str:
        map_type(text)
        return text

    @property
    def mapping(self) -> TypeMapping:
        return map_type(self.type)


class SourceTable(Spec):
    """A captured table; `key` is its primary key at the source."""

    schema_: SourceIdentifier = Field(default="public", alias="schema")
    key: tuple[SourceIdentifier, ...] = Field(min_length=1)
    columns: dict[SourceIdentifier, Annotated[Column, short_form("type")]] = Field(min_length=1)
    description: str = ""

    @property
    def target_columns(self) -> dict[str, Column]:
        """The columns by their names in the analytics table."""
        return {unquoted(name): column for name, column in self.columns.items()}

    @property
    def target_key(self) -> tuple[str, ...]:
        """The key by its columns' names in the analytics table."""
        return tuple(map(unquoted, self.key))


class Ingestion(Spec):
    """An address to which programs send events for the outbox over HTTP; in YAML just `ingestion: strict`, or a mapping."""

    # Of events that are not as events/ declares them. strict: refused, with the reasons; fail_open: let in, and the answer tells.
    validation: Literal["strict", "fail_open"]
    # Type of the entities → a table of the outbox' schema that the same transaction keeps up, a row for each entity: its columns are
    # entity_id, a text and the primary key, entity_data, a jsonb with the attributes, and updated_at.
    entities: dict[Key, SourceIdentifier] = Field(default_factory=dict)
    # For which the outbox keeps its events, by created_at, a timestamptz that is now() by default; for ever if left out.
    days: int | None = Field(default=None, ge=1, le=3650, strict=True)


class Outbox(Spec):
    """A table into which an application writes its events, each in the transaction that it tells of (transactional outbox)."""

    table: SourceIdentifier  # its name at the source
    schema_: SourceIdentifier = Field(default="public", alias="schema")
    id: SourceIdentifier = "id"  # its primary key, a uuid
    key: SourceIdentifier = "entity_id"  # a text: events with the same one stay in their order
    event: SourceIdentifier = "event"  # the event
    event_type: Literal["json", "jsonb"] = "jsonb"  # how the table holds it
    topic: Id = "raw-business-events"  # behind the connector's name
    ingestion: Annotated[Ingestion, short_form("validation")] | None = None  # for programs that cannot write to the database

    @property
    def captured(self) -> SourceTable:
        """The table as any other."""
        columns = {self.id: Column(type="uuid"), self.key: Column(type="text"), self.event: Column(type=self.event_type)}
        return SourceTable(schema=self.schema_, key=(self.id,), columns=columns, description="Events as the application wrote them.")


class Source(Spec):
    """A captured PostgreSQL database: `sources/<name>.yaml`. Either tables, or the events of one outbox."""

    name: Name  # the file's stem
    description: str = ""
    database: str
    connector: Name  # also the topic prefix; the loader's default is <project>-<source>
    partitions: int = Field(default=2, ge=1, le=64, strict=True)  # of each topic
    tables: dict[SourceIdentifier, SourceTable] = Field(default_factory=dict)
    outbox: Outbox | None = None  # where an application writes events

    @model_validator(mode="after")
    def _tables_or_events(self) -> Self:
        if bool(self.tables) == bool(self.outbox):
            raise ValueError("expected either tables or an outbox; write one of them, and the other as a source of its own")
        return self

    @property
    def captured(self) -> dict[str, SourceTable]:
        """All tables that Debezium reads."""
        return {self.outbox.table: self.outbox.captured} if self.outbox else self.tables

    def topic(self, table: str) -> str:
        """The topic that Debezium writes a table's changes to, or an outbox' events."""
        if self.outbox:
            return f"{self.connector}.{self.outbox.topic}"
        return f"{self.connector}.{self.tables[table].schema_}.{table}"

    def topics(self, tables: Iterable[str]) -> tuple[str, ...]:
        """Those of some tables; that of its events if it has an outbox."""
        return tuple(map(self.topic, [self.outbox.table] if self.outbox else tables))


class Target(Spec):
    """The analytics table that a mirror keeps equal to a source table; in YAML `orders: fact_orders` or a mapping."""

    table: Identifier
    description: str = ""


OF_MIRRORS, OF_FILTERS = {"tables"}, {"filters", "mandatory", "approval", "avro"}  # keys of a stream of one kind


class Stream(Spec):
    """A Flink job: `streams/<name>.yaml`. A mirror copies source tables, deletes included; filters route the events of an outbox."""

    name: Name
    kind: Literal["mirror", "filters"]
    description: str = ""
    source: Name
    parallelism: int = Field(default=1, ge=1, le=64, strict=True)  # tasks that share its partitions; each takes a slot of Flink
    tables: dict[SourceIdentifier, Annotated[Target, short_form("table")]] = Field(default_factory=dict)
    filters: tuple[Filter, ...] = ()  # of kind filters: who gets which events
    approval: Literal["required", "optional"] = "optional"  # of kind filters: whether each that runs needs a second person's
    # What an event must say; one that does not is set aside.
    mandatory: Mandatory = MANDATORY
    avro: tuple[Id, ...] = ()  # topics of its filters whose events are also written as Avro, each to one of the same name with -avro

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> Self:
        needed, foreign = ("tables", OF_FILTERS) if self.kind == "mirror" else ("filters", OF_MIRRORS)
        if surplus := self.model_fields_set & foreign:
            what = f"{', '.join(sorted(surplus))} in a stream of kind {self.kind}"
            raise ValueError(f"{what}; expected {needed}; remove it, or change the kind")
        if not getattr(self, needed):
            raise ValueError(f"a stream of kind {self.kind} without {needed}; expected 1 or more of them; write them")
        return self

    @property
    def running(self) -> tuple[Filter, ...]:
        """The filters that the job holds."""
        return tuple(one for one in self.filters if one.runs)


class Receiver(Spec):
    """A program that receives filtered events: `consumers/<name>.yaml`. Filters name it as their `consumerId`."""

    name: Name
    description: str = ""
    owner: str = ""  # whom to ask
    # What it receives; left out: where the filters write whose `consumerId` is its name.
    topics: tuple[Id, ...] = ()
    days: int = Field(default=30, ge=1, le=3650, strict=True)  # for which the table `received_events` keeps what it has received

    @property
    def reader(self) -> str:
        """What it is called among streams, where dead letters say who set them aside."""
        return f"consumers.{self.name}"


class ViewColumn(Spec):
    """What a column of a view means, and how Superset shows it."""

    description: str
    label: str | None = None
    format: str | None = None  # d3 format, e.g. "$,.2f"
    colors: dict[str, Colour] = Field(default_factory=dict)  # of its values, so that a value has one colour wherever it is shown


class View(Spec):
    """A view of the analytics database: `views/<name>.sql`, a YAML header in the leading comment and one select.
    It reads what streams write, Headrace's own tables and other views: a table made by hand is refused, in the project's schema too."""

    name: Identifier
    title: str
    description: str
    time_column: Identifier | None = None
    columns: dict[Identifier, Annotated[ViewColumn, short_form("description")]] = Field(min_length=1)
    metrics: dict[Identifier, Metric] = Field(default_factory=dict)
    sql: str  # the select, without the header and the final semicolon
    reads: tuple[str, ...] = ()  # tables and views it selects from, found by the loader

    @property
    def bounded(self) -> dict[str, Metric]:
        """The metrics that must be above or below a number."""
        return {name: metric for name, metric in self.metrics.items() if metric.bounds}


class Project(Spec):
    """One folder of specs."""

    name: Name
    title: str
    description: str = ""
    owner: str = Field(min_length=1)  # shown on every asset and dashboard; a team or an e-mail address
    time_zone: str = "UTC"  # said to who reads and writes views; nothing is computed by it: a view that cuts days says `at time zone`
    schema_: Identifier = Field(alias="schema")  # of its tables and views in the analytics database; the loader's default is the name
    analytics_title: str = ""  # how Superset names the project's connection to the analytics database; by default as the project
    sources: dict[str, Source]
    events: dict[str, EventSchema] = Field(default_factory=dict)
    streams: dict[str, Stream]
    consumers: dict[str, Receiver] = Field(default_factory=dict)
    views: dict[str, View]
    dashboards: dict[str, Dashboard]

    def event_schemas(self, source: str) -> dict[str, EventSchema]:
        """The newest schemas of a source's events, by the events' names; none if it declares none."""
        return {name: schema for name, schema in self.events.items() if schema.source == source and not schema.kept_as}

    def filtered_topic(self, name: str) -> str:
        """The topic of the filters' consumers that a spec calls so."""
        return f"{self.name}.events.{name}"

    def dead_letter_topic(self, stream: Stream) -> str:
        """Where a stream of filters puts events that it cannot judge."""
        return self.filtered_topic(f"{stream.name}-dead-letters")

    def avro_topic(self, topic: str) -> str:
        """Where the events of a topic, by its full name, are written as Avro."""
        return f"{topic}-avro"

    def avro_topics(self, stream: Stream) -> dict[str, str]:
        """Those that a stream asks for, by their full names, each with what the spec calls the topic that it is written from."""
        return {self.avro_topic(self.filtered_topic(topic)): topic for topic in stream.avro}

    @property
    def avro_names(self) -> tuple[str, ...]:
        """What a spec calls the topics in Avro."""
        return tuple(self.avro_topic(topic) for stream in self.streams.values() for topic in stream.avro)

    @property
    def encoders(self) -> dict[str, Stream]:
        """The consumers that write what they receive as Avro, by name, each with the stream that asks for it."""
        return {f"{stream.name}-avro": stream for stream in self.streams.values() if stream.avro}

    @property
    def receivers(self) -> dict[str, Receiver]:
        """All consumers: those of the spec and those that write Avro."""
        return {**{name: _encoder(name, stream) for name, stream in self.encoders.items()}, **self.consumers}

    def written_topics(self, stream: Stream) -> tuple[str, ...]:
        """The topics that the events of a stream can go to, that of its dead letters last."""
        names = dict.fromkeys(self.filtered_topic(topic) for one in stream.filters for topic, _ in one.outputs)
        return (*names, self.dead_letter_topic(stream)) if stream.filters else ()

    @property
    def ingesting(self) -> tuple[Source, ...]:
        """The sources whose outbox takes events over HTTP: one at most."""
        return tuple(source for source in self.sources.values() if source.outbox and source.outbox.ingestion)

    @property
    def filters(self) -> tuple[tuple[Stream, Filter], ...]:
        """All filters of all streams."""
        return tuple((stream, one) for stream in self.streams.values() for one in stream.filters)

    def received_topics(self, consumer: Receiver) -> tuple[str, ...]:
        """The topics that a consumer reads."""
        own = (topic for _, one in self.filters if one.consumerId == consumer.name for topic, _ in one.outputs)
        return tuple(map(self.filtered_topic, dict.fromkeys(consumer.topics or own)))

    def consumer_group(self, consumer: str) -> str:
        """The Kafka consumer group in which a consumer reads."""
        return f"{self.name}.consumers.{consumer}"

    @property
    def target_tables(self) -> dict[str, tuple[Stream, str]]:
        """Every analytics table by name, with the stream that writes it and the source table it comes from."""
        return {target.table: (stream, table) for stream in self.streams.values() for table, target in stream.tables.items()}


def _encoder(name: str, stream: Stream) -> Receiver:
    said = f"Writes the events of {', '.join(stream.avro)} as Avro."
    one = Receiver.model_construct(name=name, topics=stream.avro, description=said)
    one._declared_at = stream.at("avro")
    return one
