"""What the specs of a project mean together: the columns of the analytics tables, and the order of the views."""

from collections.abc import Callable
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

from project.models import Project, View

PULSE, CERTIFICATES, DEAD_LETTERS = "pulse", "certificates", "dead_letters"
RECEIVED, COUNTS, FILTERS, EVENTS = "received_events", "consumer_counts", "filter_versions", "event_versions"
_NOW = "(clock_timestamp() AT TIME ZONE 'utc'::text)"  # as PostgreSQL writes it
_ALL = ("DELETE", "INSERT", "SELECT", "UPDATE")


@dataclass(frozen=True)
class TableColumn:
    """A column of an analytics table."""

    type: str
    description: str
    default: str | None = None  # as PostgreSQL writes it


@dataclass(frozen=True)
class KeptTable:
    """An analytics table of Headrace's own."""

    description: str
    key: tuple[str, ...]
    columns: dict[str, TableColumn]
    arrives: bool = False  # written by the streams, so it has their columns as well
    grants: tuple[str, ...] = ()  # what else the writer's role may do: consumers write as it
    index: tuple[str, ...] = ()  # columns by which rows are found besides
    only: Callable[[Project], object] = lambda project: True  # whether a project has it


# Every table that a stream writes ends with these. The table itself sets synced_at, so Flink never sees it.
ADDED_COLUMNS = {
    "source_committed_at": TableColumn("timestamp(3)", "When the row's latest change was committed in the source (UTC)."),
    "source_position": TableColumn("bigint", "Position of that change in the source's log (LSN)."),
    "from_snapshot": TableColumn("boolean", "Whether the row was copied when capture began, and not changed since."),
    "synced_at": TableColumn(
        "timestamp(6)", "When the row was last written here (UTC).", default=_NOW
    ),
}
KEPT_TABLES = {
    PULSE: KeptTable("How far each stream has come: one row per stream.", ("stream",), {
        "stream": TableColumn("text", "The stream."),
        "source": TableColumn("text", "The source that it reads."),
        "pulse_at": TableColumn("timestamp(6)", "When the latest pulse that arrived left the source (UTC)."),
        "unread_since": TableColumn("timestamp(3)", "When the source committed what waits unread in Kafka (UTC); NULL: nothing for long."),
    }, arrives=True),
    CERTIFICATES: KeptTable("Which tables were found equal to their source, and as of when: one row per table.", ("analytics_table",), {
        "analytics_table": TableColumn("text", "The table."),
        "stream": TableColumn("text", "The stream that writes it."),
        "source_table": TableColumn("text", "The source's table, with the source's name."),
        "equal_as_of": TableColumn("timestamp(6)", "When the source last stood as this table was then found to stand, row by row (UTC)."),
        "position": TableColumn("text", "Where the source's log stood at that time."),
        "compared_at": TableColumn("timestamp(6)", "When the tables were last compared, with whatever result (UTC)."),
        "row_count": TableColumn("bigint", "How many rows this table had then."),
        "differences": TableColumn("bigint", "How many rows were not the same then."),
        "not_compared": TableColumn("bigint", "How many rows kept changing then, so that nothing is known of them."),
    }),
    DEAD_LETTERS: KeptTable("Records that could not be read or written, as they stand in Kafka: none of them is dropped.", ("id",), {
        "id": TableColumn("text", "Topic, partition and offset; with @ behind them if another letter is called so already."),
        "stream": TableColumn("text", "The stream that passed over it."),
        "target": TableColumn("text", "The table that it would have changed; of an event where it stands in its topic."),
        "reason": TableColumn("text", "Why it could not be read or written."),
        "record_key": TableColumn("bytea", "Its key, byte by byte."),
        "record_value": TableColumn("bytea", "Its value, byte by byte."),
        "headers": TableColumn("jsonb", "Its headers, as texts."),
        "written_at": TableColumn("timestamp(3)", "When it was written to Kafka (UTC)."),
        "set_aside_at": TableColumn("timestamp(3)", "When it was set aside (UTC)."),
        "settled_at": TableColumn("timestamp(3)", "When its row was read again from the source, or it was discarded (UTC)."),
        "settled": TableColumn("text", "How: replayed or discarded."),
    }, grants=_ALL[1:], index=("stream", "settled")),
    RECEIVED: KeptTable("Filtered events as consumers have received them.", ("consumer", "topic", "origin", "filter_id"), {
        "consumer": TableColumn("text", "The consumer."),
        "topic": TableColumn("text", "The topic that it came from."),
        "origin": TableColumn("text", "Partition and offset of the raw event; with @ behind them if another event had them before."),
        "filter_id": TableColumn("text", "The filter that it has passed."),
        "rule_version": TableColumn("integer", "The filter's version."),
        "event_name": TableColumn("text", "What happened."),
        "event_uuid": TableColumn("text", "The event's own id."),
        "entity_type": TableColumn("text", "What its first entity is."),
        "entity_id": TableColumn("text", "Which one."),
        "created_at": TableColumn("timestamp(3)", "When it happened, as the event says (UTC)."),
        "filtered_at": TableColumn("timestamp(3)", "When it passed the filter (UTC)."),
        "from_snapshot": TableColumn("boolean", "Whether it was read from its table, by a snapshot or `reread`: it may have come before."),
        "received_at": TableColumn("timestamp(6)", "When the consumer first wrote it here (UTC).", default=_NOW),
        "times": TableColumn("bigint", "How often it came: more than once after a failure, since delivery is at least once."),
        "event": TableColumn("jsonb", "The event itself."),
    }, grants=_ALL, index=("consumer", "received_at"), only=lambda project: project.receivers),
    COUNTS: KeptTable("What each consumer has done with its events since it was first applied: one row per consumer.", ("consumer",), {
        "consumer": TableColumn("text", "The consumer."),
        "handled": TableColumn("bigint", "Events that it has written into received_events."),
        "repeated": TableColumn("bigint", "How often one came that was there already: after a failure, since delivery is at least once."),
        "set_aside": TableColumn("bigint", "Events that it could not handle, and put among the dead letters."),
        "latency_ms": TableColumn("double precision", "Milliseconds from the filter to received_events: the slowest of the last ones."),
        "counted_at": TableColumn("timestamp(6)", "When it last did something (UTC)."),
    }, grants=_ALL[1:], only=lambda project: project.receivers),
    FILTERS: KeptTable("Filters that run or ran, and what became of the events.", ("stream", "filter_id", "topic", "began_at"), {
        "stream": TableColumn("text", "The stream."),
        "filter_id": TableColumn("text", "The filter."),
        "topic": TableColumn("text", "Where what passes goes; a filter with several topics has a row for each."),
        "rule_version": TableColumn("integer", "Its version."),
        "consumer": TableColumn("text", "Whom it is for."),
        "digest": TableColumn("text", "Of what it says: two rows with the same one judge alike."),
        "said": TableColumn("text", "What it says, as JSON."),
        "changes": TableColumn("jsonb", "What was said otherwise while it judged, as it was said from then on: when (UTC), by whom, what."),
        "began_at": TableColumn("timestamp(6)", "When it began to judge (UTC)."),
        "began_by": TableColumn("text", "Who applied it."),
        "begins": TableColumn("jsonb", "With which raw event: partition → offset."),
        "ended_at": TableColumn("timestamp(6)", "When it was changed or taken away (UTC); NULL while it judges."),
        "ended_by": TableColumn("text", "Who did that."),
        "ends": TableColumn("jsonb", "Before which raw event: partition → offset."),
        "judged": TableColumn("bigint", "Events that it has judged: those matched, rejected and set aside."),
        "matched": TableColumn("bigint", "Events that passed."),
        "rejected": TableColumn("bigint", "Events that did not."),
        "set_aside": TableColumn("bigint", "Events that it could not judge because of a value's type."),
        "first_match_at": TableColumn("timestamp(3)", "When Kafka took the first event that passed (UTC)."),
        "last_match_at": TableColumn("timestamp(3)", "When Kafka took the last one (UTC)."),
        "counted_at": TableColumn("timestamp(6)", "When it was last counted (UTC)."),
        "counted": TableColumn("jsonb", "How far: for each partition of the topic and of the raw events the last event that is counted."),
        "complete": TableColumn("boolean", "Whether it has ended and nothing is left to count."),
    }, only=lambda project: project.filters),
    EVENTS: KeptTable("Schemas of events as they were applied: of each event the last one is in force.", ("event", "applied_at"), {
        "event": TableColumn("text", "The event."),
        "version": TableColumn("integer", "Its version."),
        "compatibility": TableColumn("text", "How it goes with the one before: backward, forward, full or none."),
        "said": TableColumn("text", "What its file said, as JSON, which such a file can hold."),
        "applied_at": TableColumn("timestamp(6)", "When it was applied (UTC)."),
        "applied_by": TableColumn("text", "Who did that."),
    }, only=lambda project: project.events),
}  # fmt: skip


# Of a dead letter: id, who set it aside, target, reason, key, value, headers, and when Kafka took it in milliseconds since 1970.
# A reader that was set back and passes over a record once more has undone what settled it; a letter that is collected once more stays as
# it was settled. Another record that stands where one stood, in a topic that was created anew, and what another reader has set aside as
# well, is another letter: its id ends with @ and a digest.
# Nothing is kept if another one of the same id comes at the same moment; at a second try it is known.
_KEEP = """
insert into {0} as known (id, stream, target, reason, record_key, record_value, headers, written_at, set_aside_at)
select case when exists (select from {0} as old where old.id = came.id and (old.stream, old.written_at, old.record_key, old.record_value)
      is distinct from (came.stream, came.written_at, came.record_key, came.record_value))
    then id || '@' || left(md5(concat_ws(' ', stream, written_at, md5(record_key), md5(record_value))), 8) else id end,
  stream, target, reason, record_key, record_value, headers, written_at, now() at time zone 'utc'
from (values (%s, %s, %s, %s, %s::bytea, %s::bytea, %s::jsonb, (to_timestamp(%s / 1000.0) at time zone 'utc')::timestamp(3)))
  as came (id, stream, target, reason, record_key, record_value, headers, written_at)
on conflict (id) do update set """
_IF_SAME = """
where (known.stream, known.written_at, known.record_key, known.record_value)
  is not distinct from (excluded.stream, excluded.written_at, excluded.record_key, excluded.record_value)
"""
SET_ASIDE = _KEEP + "settled = null, settled_at = null, set_aside_at = excluded.set_aside_at" + _IF_SAME
COLLECTED = _KEEP + "headers = excluded.headers" + _IF_SAME


def header_texts(headers: Any) -> dict[str, str]:
    """A record's headers, as Kafka's client gives them, for a jsonb: what no text in JSON can hold is replaced."""
    found = ((name, value) for name, value in headers or () if isinstance(value, bytes))
    return {name: value.decode(errors="replace").replace("\0", "\ufffd") for name, value in found}


def kept_tables(project: Project) -> dict[str, KeptTable]:
    """Those of Headrace's own tables that a project has."""
    return {name: kept for name, kept in KEPT_TABLES.items() if kept.only(project)}


def target_columns(project: Project, table: str) -> dict[str, TableColumn]:
    """The columns of an analytics table in order, Headrace's own included; KeyError if no stream writes it."""
    if kept := KEPT_TABLES.get(table):
        return kept.columns | (ADDED_COLUMNS if kept.arrives else {})
    stream, captured = project.target_tables[table]
    columns = project.sources[stream.source].tables[captured].target_columns
    return {name: TableColumn(column.mapping.analytics, column.description) for name, column in columns.items()} | ADDED_COLUMNS


def target_key(project: Project, table: str) -> tuple[str, ...]:
    """The primary key of an analytics table: its source table's."""
    if kept := KEPT_TABLES.get(table):
        return kept.key
    stream, captured = project.target_tables[table]
    return project.sources[stream.source].tables[captured].target_key


def ordered_views(project: Project) -> tuple[View, ...]:
    """The views, each after those it reads; by name where that leaves a choice. CycleError if they read each other in a circle."""
    order = TopologicalSorter({name: sorted(set(view.reads) & set(project.views)) for name, view in sorted(project.views.items())})
    return tuple(project.views[name] for name in order.static_order())
