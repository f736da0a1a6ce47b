"""Sources → capture, topics and connector: the pure door of this room."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace

from cdc.capture import capture, comment, statements
from cdc.connectors import connector
from cdc.topics import filtered_topics, topics
from project.environment import Environment
from project.events.encoding import subject
from project.models import Project, Receiver, Source, Stream
from project.references import COUNTS, DEAD_LETTERS, RECEIVED
from project.resources import Document, Resource


def compile_resources(project: Project, environment: Environment) -> tuple[Resource, ...]:
    """What captures each source, in dependency order."""
    captured = (resource for source in project.sources.values() for resource in _source(project, source, environment))
    filtered = (resource for stream in project.streams.values() for resource in _filtered(project, stream, environment))
    return *captured, *filtered, *_consumers(project)


def _filtered(project: Project, stream: Stream, environment: Environment) -> Iterator[Resource]:
    wanted = filtered_topics(project, stream, environment.kafka.replication_factor, environment.longest_outage_hours)
    in_avro = project.avro_topics(stream)
    for name, document in wanted.items():
        filters = [one.name for one in stream.filters if any(project.filtered_topic(topic) == name for topic, _ in one.outputs)]
        yield Resource(
            system="kafka", kind="topic", name=name, document=document, declared_at=stream.declared_at, title=name, text=_json(document),
            description=f"Events of: {', '.join(filters)}." if filters else f"Those of {in_avro[name]} in Avro." if name in in_avro
            else f"Events that stream {stream.name} cannot judge, as they came.",
        )  # fmt: skip


def _consumers(project: Project) -> Iterator[Resource]:
    for one in project.receivers.values():
        topics = project.received_topics(one)
        yield Resource(
            system="consumers", kind="consumer", name=one.name, document={"topics": sorted(topics)},
            depends_on=(
                *(f"topic/{topic}" for topic in topics), f"table/{RECEIVED}", f"table/{COUNTS}", f"table/{DEAD_LETTERS}",
                *_written(project, one),
                *_writers(project, topics),
            ),
            declared_at=one.declared_at, title=one.name, description=one.description or f"Receives {', '.join(topics)}.",
            beginning=f"group {project.consumer_group(one.name)} is put at the beginning of its topics",
        )  # fmt: skip


def _writers(project: Project, topics: Iterable[str]) -> Iterator[str]:
    """Who writes comes first: what it wrote elsewhere before can be read to its end then, before a consumer turns to its new topics."""
    read = set(topics)
    yield from (f"job/{stream.name}" for stream in project.streams.values() if read.intersection(project.written_topics(stream)))
    yield from (f"consumer/{name}" for name, stream in project.encoders.items() if read.intersection(project.avro_topics(stream)))


def _written(project: Project, consumer: Receiver) -> Iterator[str]:
    """What one that writes Avro needs besides."""
    if stream := project.encoders.get(consumer.name):
        yield from (f"topic/{topic}" for topic in project.avro_topics(stream))
        yield from (f"subject/{subject(schema, project.name)}" for schema in project.event_schemas(stream.source).values())


def _source(project: Project, source: Source, environment: Environment) -> Iterator[Resource]:
    yield _capture(project, source, environment)
    wanted = topics(source, environment.kafka.replication_factor, environment.longest_outage_hours)
    for name, document in wanted.items():
        yield Resource(
            system="kafka", kind="topic", name=name, document=document, declared_at=source.declared_at,
            title=name, description=_topic_description(source, name), text=_json(document),
        )  # fmt: skip
    config = connector(project, source, environment.source(source.name))
    yield Resource(
        system="connect", kind="connector", name=source.connector, document={"state": "RUNNING", "config": config, "undeclared": []},
        depends_on=(f"capture/{source.name}", *(f"topic/{name}" for name in wanted)), declared_at=source.at("connector"),
        title=source.connector, description=f"Debezium: writes each change in {source.database} to its table's topic.", text=_json(config),
    )  # fmt: skip


def _capture(project: Project, source: Source, environment: Environment) -> Resource:
    database = environment.source(source.name)
    resource = Resource(
        system="postgres", kind="capture", name=source.name, document=capture(project, source, database), declared_at=source.declared_at,
        title=source.name, description=source.description or f"What Debezium needs in {source.database}.", language="sql",
    )  # fmt: skip
    mark = comment(project.name, source.name, resource.digest)
    sql = statements(resource.document, None, database.database or source.database, mark)
    return replace(resource, text="".join(f"{statement};\n" for statement in sql))


def _topic_description(source: Source, topic: str) -> str:
    table = next((name for name in source.captured if source.topic(name) == topic), None)
    return source.captured[table].description if table else "For Headrace's own use."


def _json(document: Document) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
