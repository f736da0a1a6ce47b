"""All topics that a project has in Kafka."""

from collections.abc import Iterator

from project.models import Project
from project.problems import Location

PULSE_TABLE, SIGNAL_TABLE = OWN_TABLES = ("headrace_pulse", "headrace_signal")  # of Headrace, in schema public of each source


def pulse_topic(connector: str) -> str:
    """The topic of the pulse that a connector reads."""
    return f"{connector}.public.{PULSE_TABLE}"


def signal_topic(connector: str) -> str:
    """The topic of the signals that a connector reads."""
    return f"{connector}.public.{SIGNAL_TABLE}"


def declared_topics(project: Project) -> Iterator[tuple[str, Location]]:
    """Each with the line that names it, again for each filter of it. Debezium's heartbeats, called unlike all others, are left out."""
    for source in project.sources.values():
        for name, table in source.captured.items():
            yield source.topic(name), source.outbox.at("topic") if source.outbox else table.declared_at
        yield from ((topic(source.connector), source.at("connector")) for topic in (pulse_topic, signal_topic))
    for stream in project.streams.values():
        yield from ((project.filtered_topic(topic), one.declared_at) for one in stream.filters for topic, _ in one.outputs)
        if stream.filters:
            yield project.dead_letter_topic(stream), stream.declared_at
        yield from ((topic, stream.at("avro")) for topic in project.avro_topics(stream))
