"""A source → the documents of its topics."""

from cdc.names import heartbeat_topic
from project.filters.models import LARGEST_STAMP
from project.models import LARGEST_RECORD, Project, Source, Stream
from project.topics import pulse_topic, signal_topic

_HOUR = 3600 * 1000  # milliseconds
_DAY = 24 * _HOUR


def topics(source: Source, replication_factor: int, outage_hours: int) -> dict[str, dict[str, object]]:
    """Topic → document. Created before anything writes or reads: a Flink job over a missing topic restarts for ever."""
    kept = _kept(outage_hours)
    captured = {source.topic(table): _topic(source.partitions, replication_factor, kept) for table in source.captured}
    # A stream that was away for long goes on only if nothing is gone of what it reads, its pulse included.
    pulse = {pulse_topic(source.connector): _topic(1, replication_factor, kept)}
    unread = (signal_topic(source.connector), heartbeat_topic(source.connector))
    return captured | pulse | {topic: _topic(1, replication_factor, _DAY) for topic in unread}


def filtered_topics(project: Project, stream: Stream, replication_factor: int, outage_hours: int) -> dict[str, dict[str, object]]:
    """The topics of a stream's filters, one more for what they cannot judge, and those in Avro. As many partitions as the events have, so
    that order by key stays."""
    partitions, kept = project.sources[stream.source].partitions, _kept(outage_hours)
    document = _topic(partitions, replication_factor, kept, LARGEST_RECORD + LARGEST_STAMP)
    return dict.fromkeys((*project.written_topics(stream), *project.avro_topics(stream)), document)


def _kept(outage_hours: int) -> int:
    """Milliseconds for which a topic holds what a stream may not have read yet."""
    return max(7 * _DAY, 2 * outage_hours * _HOUR)


def _topic(partitions: int, replication_factor: int, retention: int, largest: int = LARGEST_RECORD) -> dict[str, object]:
    return {
        "partitions": partitions,
        "replication_factor": replication_factor,
        "config": {
            "cleanup.policy": "delete",
            "max.message.bytes": str(largest),
            "retention.ms": str(retention),
            "retention.bytes": "-1",
        },
    }
